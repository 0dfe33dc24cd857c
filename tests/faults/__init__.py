"""Faults that come from below: calls of the C library that fail, processes that die in them, power that fails."""

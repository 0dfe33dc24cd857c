"""Compares the finder with the plain path finder: the same trees, the same steps, equal answers."""

"""The start-up code: copied into each environment, it imports nothing of multisite."""

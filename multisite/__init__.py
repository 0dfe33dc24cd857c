"""One copy of every Python distribution on the machine; environments that are only a lockfile."""

__all__ = ["__version__"]

__version__ = "0.1.0"

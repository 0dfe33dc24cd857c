"""What is measured, by hand: each module is one benchmark, ``python -m benchmarks.NAME --help``."""

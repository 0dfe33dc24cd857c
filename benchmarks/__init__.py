"""What is measured, by hand: ``python -m benchmarks`` for the time, ``python -m benchmarks.space`` for equal files."""

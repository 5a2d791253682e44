"""Benchmarks: flameparse beside other tools, on inputs grown or recorded here. `python -m benchmarks --help`."""

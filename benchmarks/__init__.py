"""Measurements; `make bench` runs those of docs/benchmarks.md and writes it."""

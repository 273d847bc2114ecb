"""Metrics and the benchmarks that print the README tables."""

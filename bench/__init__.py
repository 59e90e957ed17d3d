"""Benchmarks: ratios of Headwater to a stated reference, both measured in one run on one machine."""

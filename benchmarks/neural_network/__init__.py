"""Benchmarks of neural networks."""

"""Benchmarks of a node: named workloads over HTTP against a fresh node in its own processes, with the load on the same machine."""

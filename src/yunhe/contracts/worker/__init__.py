"""Contracts in a process of their own: the node's executor, the jailed process that it starts, and what the two say to each other.

This is the part of `contracts` that touches the machine: sockets, processes, clocks, the kernel. It decides nothing of what a contract did;
the runtime beside it does, and imports nothing from here (pyproject.toml, import contract "pure"). `executor` and `process` are the node's
side, `main`, `jail`, `remote_state` and `prefetch` the worker's; `messages` is between them. Nothing is imported here, because the worker
must not load what only the node needs. Why it is so: docs/adr/0005-contract-worker.md. Specification: docs/spec/contracts.md, "Worker".
"""

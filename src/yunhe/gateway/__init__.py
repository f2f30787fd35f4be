"""The HTTP face of a node: collects and verifies what is submitted, answers queries, exports proofs."""

"""Developers' tools: what generates the reference pages and what checks the house style. Not part of the distribution."""

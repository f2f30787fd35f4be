"""Checks of the house style that no ready-made linter knows.

Each module has one subject and works on text, so that its own tests can plant a fault; `tests/tidy` runs them over the checkout.
A check returns findings, each a line that says where and what; an empty list is a pass.
"""

"""Generated pages of docs/reference, made from what they describe, so that they cannot say something else.

`python -m tools.reference` (`make docs`) writes them; a tidy test makes them again and compares.
"""

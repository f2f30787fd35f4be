"""The protocol: types, state transition, block log and proofs. Pure: no I/O, no clock, no randomness, no environment."""

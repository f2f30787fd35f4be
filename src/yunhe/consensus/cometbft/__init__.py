"""The engine between organisations: CometBFT, one process beside each node."""

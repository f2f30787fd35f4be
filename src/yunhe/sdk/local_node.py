"""The files of a node's folder that a client on the same machine reads."""

from typing import Final

GENESIS_FILE: Final = "genesis.json"
TOKEN_FILE: Final = "secrets/api-token"  # noqa: S105  # a path
RUN_FILE: Final = "run/node.json"

"""What a CometBFT process says of itself, over the socket in its home.

For status and supervision, and for the envelopes that the outbox hands over. A socket's path may have no more than 107 bytes, so it is
reached through a descriptor of its folder, which makes the name short.
"""

import http.client
import json
import os
import socket
from pathlib import Path
from typing import Any

from yunhe.consensus.cometbft.configuration import RPC_SOCKET
from yunhe.errors import EngineUnreachableError
from yunhe.limits import ENGINE_ANSWER_BYTES_MAX


class LocalConnection(http.client.HTTPConnection):
    """HTTP over a socket in a folder."""

    def __init__(self, home: Path, timeout_s: float) -> None:
        super().__init__("engine", timeout=timeout_s)
        self._home = home

    def connect(self) -> None:
        """Connect, whatever the length of the folder's path."""
        folder = os.open(self._home, os.O_PATH | os.O_DIRECTORY)
        try:
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.settimeout(self.timeout)
            self.sock.connect(f"/proc/self/fd/{folder}/{RPC_SOCKET}")
        finally:
            os.close(folder)


def ask_engine(home: Path, request: str, timeout_s: float = 10.0) -> dict[str, Any]:
    """Ask the process of a home.

    Args:
        home: of the process.
        request: route and query, such as `status`.
        timeout_s: how long to wait.

    Raises:
        EngineUnreachableError: it does not answer, or refuses.
    """
    connection = LocalConnection(home, timeout_s)
    try:
        connection.request("GET", f"/{request}")
        answer = connection.getresponse().read(ENGINE_ANSWER_BYTES_MAX)
        value = json.loads(answer)
        result = value.get("result")
    except (OSError, ValueError, AttributeError, RecursionError, http.client.HTTPException) as error:
        raise EngineUnreachableError(f"the engine in {home} does not answer: {error}; its log says why") from error
    finally:
        connection.close()
    if not isinstance(result, dict):
        raise EngineUnreachableError(f"the engine in {home} refused {request.partition('?')[0]!r}: {str(value.get('error'))[:200]}")
    return result

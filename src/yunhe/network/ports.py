"""Ports of the nodes of one machine."""

import errno
import socket
from collections.abc import Collection
from typing import Final

from yunhe.errors import PortTakenError

_LAST: Final = 65535


def free_ports(host: str, first: int, count: int, besides: Collection[int] = ()) -> list[int]:
    """Return ports on which nothing listens now.

    Args:
        host: address of this machine.
        first: where to begin to look; 0 lets the system choose.
        count: how many.
        besides: those that are promised to someone else.

    Raises:
        PortTakenError: there are not so many from `first` on.
    """
    found: list[int] = []
    taken = set(besides)
    # All are held until the last is found, so that the system names none twice.
    held: list[socket.socket] = []
    try:
        port = first
        while len(found) < count:
            if port > _LAST:
                raise PortTakenError(f"from port {first} on, {count} free ones are not to be had on {host}; begin with another")
            one = _bound(host, port)
            if one is not None:
                held.append(one)
                number = int(one.getsockname()[1])
                if number not in taken:
                    found.append(number)
            port += 1 if first else 0
    finally:
        for one in held:
            one.close()
    return found


def is_free(host: str, port: int) -> bool:
    """Say whether nothing listens on a port now."""
    one = _bound(host, port)
    if one is not None:
        one.close()
    return one is not None


def _bound(host: str, port: int) -> socket.socket | None:
    """Return a socket that has a port; None when it is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    one = socket.socket(family)
    try:
        # A port that an ended connection still holds can be listened on; one that is listened on cannot.
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.bind((host, port))
        one.listen()
    except OSError as error:
        one.close()
        if error.errno in (errno.EADDRINUSE, errno.EACCES):
            return None
        raise
    return one

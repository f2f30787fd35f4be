"""Ports of the nodes of one machine."""

import errno
import secrets
import socket
from collections.abc import Collection
from pathlib import Path
from typing import Final

from yunhe.errors import PortTakenError

_LAST: Final = 65535
_FIRST_UNCLAIMED: Final = 10_000
"""Below are those that services commonly have."""
_DYNAMIC: Final = Path("/proc/sys/net/ipv4/ip_local_port_range")


def free_ports(host: str, first: int, count: int, besides: Collection[int] = ()) -> list[int]:
    """Return ports on which nothing listens now.

    Args:
        host: address of this machine.
        first: where to begin to look; 0 for any, of those that the system does not give to connections by itself, because between now and
            the start of a node one of them could be given away.
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
        port = first or _anywhere(count)
        while len(found) < count:
            if port > _LAST:
                raise PortTakenError(f"from port {first} on, {count} free ones are not to be had on {host}; begin with another")
            one = _bound(host, port)
            if one is not None:
                held.append(one)
                number = int(one.getsockname()[1])
                if number not in taken:
                    found.append(number)
            port += 1 if port else 0
    finally:
        for one in held:
            one.close()
    return found


def _anywhere(count: int) -> int:
    """Return a port by chance from which on some are likely free; 0, for the system to choose, where it has no range of its own."""
    try:
        dynamic = int(_DYNAMIC.read_text(encoding="ascii").split()[0])
    except (OSError, ValueError, IndexError):
        return 0
    places = dynamic - _FIRST_UNCLAIMED - 10 * count
    return _FIRST_UNCLAIMED + secrets.randbelow(places) if places > 0 else 0


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

"""Real engine processes of one chain, with the key-value application that is compiled into the program: for tests without a ledger."""

import os
import shutil
import socket
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from yunhe.consensus.cometbft.configuration import EnginePeer, EngineSettings, EngineValidator, engine_genesis, make_home, write_genesis
from yunhe.consensus.cometbft.key_files import peer_id
from yunhe.consensus.cometbft.program import find_program
from yunhe.consensus.cometbft.rpc import ask_engine
from yunhe.crypto import PrivateKey
from yunhe.errors import EngineMissingError, EngineUnreachableError

NETWORK_ID = bytes(range(32))


def program() -> Path:
    """Return the engine's program; a test that needs it is left out where there is neither it nor Go to build it."""
    try:
        return find_program(os.environ)
    except EngineMissingError as error:
        if shutil.which("go") is None:
            pytest.skip(error.message)
        raise


def free_ports(count: int) -> list[int]:
    """Return ports of the loopback that nothing uses now."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]
    finally:
        for one in sockets:
            one.close()


def make_homes(root: Path, count: int, strangers: Sequence[int] = ()) -> list[Path]:
    """Make the homes of a chain of validators with one vote each.

    Args:
        root: where; must exist.
        count: how many.
        strangers: those that know the others and whom the others do not know; they are no validators.
    """
    ports = free_ports(count)
    validator_keys, peer_keys = ([PrivateKey.generate() for _ in range(count)] for _ in range(2))
    peers = [EnginePeer(peer_id(key.public_key.raw), f"127.0.0.1:{port}") for key, port in zip(peer_keys, ports, strict=True)]
    known = [number for number in range(count) if number not in strangers]
    validators = [EngineValidator(f"org{number}", validator_keys[number].public_key.raw, 1) for number in known]
    genesis = engine_genesis(NETWORK_ID, time.time_ns() // 1_000_000, validators, 1)
    homes = [root / f"engine{number}" for number in range(count)]
    for number, home in enumerate(homes):
        others = tuple(peers[other] for other in known if other != number)
        settings = EngineSettings(f"node{number}", f"127.0.0.1:{ports[number]}", others)
        make_home(home, settings, validator_keys[number], peer_keys[number])
        write_genesis(home, genesis)
    return homes


def ask(home: Path, request: str) -> dict[str, Any] | None:
    """Ask a process over its RPC; None when it does not answer."""
    try:
        return ask_engine(home, request)
    except EngineUnreachableError:
        return None


def height(home: Path) -> int:
    """Return the height of the last block of a process; -1 when it does not answer."""
    answer = ask(home, "status")
    return -1 if answer is None else int(answer["sync_info"]["latest_block_height"])


def peers(home: Path) -> set[str]:
    """Return the names of the processes that one is connected to."""
    answer = ask(home, "net_info")
    return set() if answer is None else {str(peer["node_info"]["moniker"]) for peer in answer["peers"]}

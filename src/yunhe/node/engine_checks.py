"""What is wrong with the engine between organisations of a node: its program, its home, its address, and whether its peers are reached.

Nothing is changed. Of a node that runs, its engine is asked; of one that does not, the addresses of its peers are connected to and left.
"""

import contextlib
import socket
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from yunhe.consensus.cometbft.configuration import EnginePeer, check_home
from yunhe.consensus.cometbft.program import VERSION, find_program
from yunhe.consensus.cometbft.rpc import ask_engine
from yunhe.errors import EngineFilesError, YunheError
from yunhe.node.engine_home import ENGINE_FOLDER, ENGINE_LOG, check_engine_genesis, engine_settings
from yunhe.node.finding import FAULT, OK, WARNING, Finding
from yunhe.node.folder import NodeFolder

_CHECK: Final = "engine"
_TIMEOUT_S: Final = 3.0


def engine_findings(folder: NodeFolder, environment: Mapping[str, str], *, is_running: bool) -> Iterator[Finding]:
    """Look at the engine of a node whose genesis has validators.

    Args:
        folder: of the node.
        environment: may name the program.
        is_running: whether the node runs, and so has the engine's address itself.
    """
    try:
        program = find_program(environment)
    except YunheError as error:
        yield Finding(_CHECK, FAULT, error.message, f"without CometBFT {VERSION} the node does not start")
    else:
        yield Finding(_CHECK, OK, f"CometBFT {VERSION}, {program}")
    home = folder.path / ENGINE_FOLDER
    try:
        check_home(home)
        check_engine_genesis(folder)
        settings = engine_settings(folder.config)
    except EngineFilesError as error:
        yield Finding(_CHECK, FAULT, error.message, "mend what the message names; the other checks of the engine need it")
        return
    yield Finding(_CHECK, OK, f"{home} is whole, for its owner alone, and of this network")
    if not is_running:
        yield from _address(settings.listen)
    yield from _peers(folder, settings.peers, is_running=is_running)


def _address(listen: str) -> Iterator[Finding]:
    host, _, port = listen.rpartition(":")
    try:
        family, _, _, _, where = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)[0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(where)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is no HOST:PORT"
        yield Finding(_CHECK, FAULT, f"{listen} cannot be listened on: {why}", "set another `engine_listen`, and tell the other members")


def _peers(folder: NodeFolder, peers: tuple[EnginePeer, ...], *, is_running: bool) -> Iterator[Finding]:
    others = len(folder.genesis.validators) - 1
    if not peers and others:
        found = f"`engine_peers` names none of the {others} other validators' engines"
        yield Finding(_CHECK, FAULT, found, "ask the other members for ID@HOST:PORT of theirs; without them nothing is decided")
        return
    if is_running:
        try:
            reached = int(ask_engine(folder.path / ENGINE_FOLDER, "net_info", _TIMEOUT_S)["n_peers"])
        except (YunheError, KeyError, ValueError) as error:
            yield Finding(_CHECK, FAULT, f"it does not say which peers it has: {error}", f"{ENGINE_LOG} in the node's folder says why")
            return
        silent = [f"{len(peers) - reached} of them"] if reached < len(peers) else []
    else:
        with ThreadPoolExecutor(max(len(peers), 1)) as pool:
            silent = [peer.address for peer, is_there in zip(peers, pool.map(_answers, peers), strict=True) if not is_there]
    if silent:
        found = f"of {len(peers)} peers these are not reached: {', '.join(silent)}"
        yield Finding(_CHECK, WARNING, found, "see that their nodes run, and that no firewall stands between; two thirds must agree")
    else:
        yield Finding(_CHECK, OK, f"all {len(peers)} peers are reached")


def _answers(peer: EnginePeer) -> bool:
    host, _, port = peer.address.rpartition(":")
    with contextlib.suppress(OSError), socket.create_connection((host.strip("[]"), int(port)), _TIMEOUT_S):
        return True
    return False

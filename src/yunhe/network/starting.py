"""What is looked at before the nodes of a network's folder are started, and how they are stopped."""

import contextlib
import os
import signal
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from shlex import quote
from typing import Final

from yunhe.consensus.cometbft.configuration import EnginePeer
from yunhe.errors import NetworkRunningError, NodeNotRunningError, PortTakenError
from yunhe.network.folder import NetworkFolder
from yunhe.network.making import API_PORT, ENGINE_PORT
from yunhe.network.ports import free_ports, is_free
from yunhe.network.supervision import already_running, read_register
from yunhe.node import NodeConfig, NodeFolder
from yunhe.node.config import FILE_NAME
from yunhe.node.engine_home import engine_settings
from yunhe.sdk.local_node import read_run_file, wait_until_ended
from yunhe.storage import files

_STOP_TIMEOUT_S: Final = 90.0


def is_kept(folder: Path) -> bool:
    """Say whether a process keeps the network running, and all nodes have answered once."""
    try:
        read_register(folder)
    except NodeNotRunningError:
        return False
    return True


def check_stopped(network: NetworkFolder) -> None:
    """Check that neither the network nor one of its nodes runs.

    Raises:
        NetworkRunningError: it does.
    """
    # NET-012
    if is_kept(network.path):
        raise already_running(network.path)
    running = _running_nodes(network)
    if running:
        raise NetworkRunningError(
            f"of the network in {network.path} there run the nodes of {', '.join(running)}; "
            f"`yunhe network stop {quote(str(network.path))}` stops them"
        )


def check_ports(network: NetworkFolder) -> None:
    """Check that the ports of all nodes are free.

    Raises:
        PortTakenError: some are not; the message names all of them.
    """
    taken = []
    for node in network.nodes:
        config = NodeFolder.load(node.folder).config
        engine_host, _, engine_port = config.engine_listen.rpartition(":")
        for what, host, port in (("HTTP API", config.host, config.port), ("engine", engine_host.strip("[]"), int(engine_port))):
            if not is_free(host, port):
                taken.append(f"{host}:{port} ({what} of {node.organisation})")
    if taken:
        raise PortTakenError(f"in use by other programs: {', '.join(taken)}; stop them, or start the network with --new-ports")


def give_new_ports(network: NetworkFolder) -> None:
    """Give all nodes ports that are free now, and tell each the others' new addresses.

    Raises:
        PortTakenError: there are not enough.
    """
    configs = [NodeFolder.load(node.folder).config for node in network.nodes]
    api = free_ports(configs[0].host, API_PORT, len(configs))
    engine = free_ports(configs[0].host, ENGINE_PORT, len(configs), besides=api)
    listens = [f"{config.host}:{port}" for config, port in zip(configs, engine, strict=True)]
    moved = {config.engine_listen: listen for config, listen in zip(configs, listens, strict=True)}
    for node, config, port, listen in zip(network.nodes, configs, api, listens, strict=True):
        changed = replace(config, port=port, engine_listen=listen, engine_peers=_moved_peers(config, moved))
        files.replace(node.folder / FILE_NAME, changed.to_toml().encode(), 0o644)


def _moved_peers(config: NodeConfig, moved: dict[str, str]) -> str:
    peers: Sequence[EnginePeer] = engine_settings(config).peers
    return ",".join(str(replace(peer, address=moved.get(peer.address, peer.address))) for peer in peers)


def stop_network(network: NetworkFolder) -> list[str]:
    """Stop the network's process and all nodes, those included that run without it.

    Returns:
        The organisations whose nodes ran.

    Raises:
        NodeNotRunningError: none ran.
        WaitTimeoutError: one did not end.
    """
    running = _running_nodes(network)
    processes = []
    with contextlib.suppress(NodeNotRunningError):
        processes.append(read_register(network.path)[0])
    if not running and not processes:
        raise NodeNotRunningError(f"no network runs in {network.path}; `yunhe network start {quote(str(network.path))}` starts it")
    # The process first, so that it starts none of them again.
    for pid in processes:
        _end(pid)
    left = _running_nodes(network)
    for pid in left.values():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    for pid in left.values():
        wait_until_ended(pid, _STOP_TIMEOUT_S)
    return list(running)


def _running_nodes(network: NetworkFolder) -> dict[str, int]:
    running = {}
    for node in network.nodes:
        with contextlib.suppress(NodeNotRunningError):
            running[node.organisation] = read_run_file(node.folder)[0]
    return running


def _end(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    wait_until_ended(pid, _STOP_TIMEOUT_S)

"""How the folder of a whole network on one machine is made: genesis, keys and nodes, all or nothing."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from yunhe.consensus.cometbft.configuration import EnginePeer
from yunhe.consensus.cometbft.key_files import peer_id
from yunhe.errors import NetworkFolderError
from yunhe.ledger.codec import as_name
from yunhe.ledger.genesis import FoundingMember
from yunhe.limits import NETWORK_NODES_MAX
from yunhe.network.folder import ADMIN, KEYS_FOLDER, NETWORK_FILE, NODES_FOLDER, PASSPHRASE_FILE, NetworkFolder, network_file
from yunhe.network.ports import free_ports
from yunhe.node import NewNetwork, NodeConfig
from yunhe.node.founding import (
    Founder,
    NodeKeys,
    check_empty,
    fill_node_folder,
    folder_in_the_making,
    found_network,
)
from yunhe.node.private_files import write_durably, write_secret
from yunhe.sdk import Member, create_key_file
from yunhe.sdk.local_node import GENESIS_FILE
from yunhe.storage.files import sync_directory

HOST: Final = "127.0.0.1"
NODE: Final = "node1"
API_PORT: Final = 8440
ENGINE_PORT: Final = 26656


@dataclass(frozen=True, slots=True)
class NetworkPlan:
    """What is to be made."""

    organisations: tuple[str, ...]
    network: NewNetwork
    api_port: int = API_PORT
    """From here on, free ports for the HTTP APIs; 0 lets the system choose."""
    engine_port: int = ENGINE_PORT
    """From here on, free ports for the engines; 0 lets the system choose."""


def make_network(path: Path, plan: NetworkPlan) -> NetworkFolder:
    """Make the folder of a network in which every organisation has one node and one admin.

    Args:
        path: where; must not exist, or be empty.
        plan: what is to be made.

    Raises:
        FolderNotEmptyError: something is there already; nothing was changed.
        InvalidConfigurationError: the folder cannot be made.
        InvalidGenesisError: the genesis would not be valid.
        NetworkFolderError: the organisations cannot be those of a network.
        PortTakenError: there are not enough free ports.
    """
    _check_organisations(plan.organisations)
    check_empty(path)
    api = free_ports(HOST, plan.api_port, len(plan.organisations))
    engine = free_ports(HOST, plan.engine_port, len(plan.organisations), besides=api)
    with folder_in_the_making(path) as partial:
        _fill(partial, plan, api, engine)
    return NetworkFolder.load(path)


def _check_organisations(names: Sequence[str]) -> None:
    for name in names:
        as_name(name, "an organisation")
    if not 1 <= len(names) <= NETWORK_NODES_MAX:
        raise NetworkFolderError(
            f"a network on one machine has 1 to {NETWORK_NODES_MAX} organisations, not {len(names)}; name them with --orgs"
        )
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise NetworkFolderError(f"the organisation {min(twice)!r} is named twice; name each once")


def _fill(folder: Path, plan: NetworkPlan, api: Sequence[int], engine: Sequence[int]) -> None:
    suite = plan.network.suites[0]
    for name in (KEYS_FOLDER, "secrets", NODES_FOLDER, "run"):
        (folder / name).mkdir(mode=0o700)
    passphrase = secrets.token_urlsafe(24)
    write_secret(folder / PASSPHRASE_FILE, (passphrase + "\n").encode())
    founders = []
    for name in plan.organisations:
        key_file = create_key_file(folder / KEYS_FOLDER / f"{name}.{ADMIN}.pem", Member(name, ADMIN), passphrase, suite)
        admin = FoundingMember(ADMIN, ("admin",), (key_file.public_key,))
        founders.append(Founder(name, name, (admin,), NODE, NodeKeys.generate(suite, with_engine=True)))
    genesis = found_network(plan.network, founders)
    peers = [_peer(founder, port) for founder, port in zip(founders, engine, strict=True)]
    for number, founder in enumerate(founders):
        others = [str(peer) for peer in peers if peer != peers[number]]
        config = NodeConfig(founder.organisation, founder.node, engine="cometbft", host=HOST, port=api[number])
        config = replace(config, engine_listen=peers[number].address, engine_peers=",".join(others))
        home = folder / NODES_FOLDER / founder.organisation
        home.mkdir(mode=0o700)
        fill_node_folder(home, config, genesis, founder.keys)
    write_durably(folder / GENESIS_FILE, genesis.to_json().encode(), 0o644)
    write_durably(folder / NETWORK_FILE, network_file(genesis, plan.organisations).encode(), 0o644)
    for made in (folder / NODES_FOLDER, folder / KEYS_FOLDER, folder / "secrets", folder):
        sync_directory(made)


def _peer(founder: Founder, port: int) -> EnginePeer:
    assert founder.keys.engine is not None
    return EnginePeer(peer_id(founder.keys.engine.peer.public_key.raw), f"{HOST}:{port}")

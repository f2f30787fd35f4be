"""The home of a CometBFT process: its settings, its genesis and its keys, written by the node and by nobody else.

```
config/config.toml              settings, written again at each start
config/genesis.json             chain id, consensus parameters, validators
config/node_key.json            authenticates the process to its peers
config/priv_validator_key.json  signs votes
config/priv_validator_key.next.json  what comes after it, where it is to change
data/priv_validator_state.json  what was signed last: never copied, never put back
data/                           the process's own blocks and state
abci.sock, rpc.sock             the node's application; the process's RPC, for this node alone
```

Only what differs from the program's defaults is written. The process is started in its home, so both sockets are named relative to it: a
socket's full path may have no more than 107 bytes, and folders are often deeper. Peers are those that the settings name and no others: a
process is let in by its authenticated id or not at all.

Specification: docs/spec/network.md, "The engine's home".
"""

import json
import os
import re
import stat
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from yunhe.consensus.cometbft.key_files import address, peer_id, peer_key_file, public_key_value, read_public_key, validator_key_file
from yunhe.crypto import PrivateKey, PublicKey
from yunhe.errors import EngineFilesError
from yunhe.limits import (
    BLOCK_BYTES_MAX,
    ENGINE_BEHIND_S_MAX,
    ENGINE_PEERS_MAX,
    ENGINE_POOL_BYTES_MAX,
    ENGINE_QUEUE_ENVELOPES_MAX,
    ENVELOPE_BYTES_MAX,
)

ABCI_SOCKET: Final = "abci.sock"
RPC_SOCKET: Final = "rpc.sock"
CONFIG_FILE: Final = "config/config.toml"
GENESIS_FILE: Final = "config/genesis.json"
PEER_KEY_FILE: Final = "config/node_key.json"
VALIDATOR_KEY_FILE: Final = "config/priv_validator_key.json"
NEXT_VALIDATOR_KEY_FILE: Final = "config/priv_validator_key.next.json"
SIGNING_STATE_FILE: Final = "data/priv_validator_state.json"

POWER_FACTOR: Final = 2
"""The time of a block is a median of votes, by power; CometBFT halves the sum in integers, and with an odd one could take the lowest."""

_SECRET_FILES: Final = (PEER_KEY_FILE, VALIDATOR_KEY_FILE, SIGNING_STATE_FILE)
_NOTHING_SIGNED: Final = json.dumps({"height": "0", "round": 0, "step": 0}) + "\n"
_FOLDERS: Final = ("", "config", "data")
_CHAIN_ID_DIGITS: Final = 40
_BLOCK_ROOM_BYTES: Final = 1024 * 1024
"""Of a block, for what is no envelope: header, last commit, evidence."""
_PEER: Final = re.compile(r"([0-9a-f]{40})@([A-Za-z0-9.:\[\]-]+):([0-9]{1,5})")
_LOG_LEVELS: Final = "main:info,p2p:info,*:error"
"""By part of the program; at `info` the parts that agree write some twenty lines for each block."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class EngineValidator:
    """A validator of the first block."""

    name: str
    """The organisation; for people."""
    public_key: bytes
    """Of its validator key; 32 bytes."""
    power: int
    """Its votes."""


@dataclass(frozen=True, slots=True)
class EnginePeer:
    """Another process of the chain."""

    peer_id: str
    """Of its peer key; 40 hexadecimal digits."""
    address: str
    """`host:port` where it takes connections of the others."""

    @classmethod
    def parse(cls, text: str) -> "EnginePeer":
        """Read `id@host:port`.

        Raises:
            EngineFilesError: it is not that.
        """
        found = _PEER.fullmatch(text)
        if found is None or not 0 < int(found[3]) < 65536:
            raise EngineFilesError(f"{text!r} names no peer; write ID@HOST:PORT, where ID is the 40 hexadecimal digits of its peer key")
        return cls(found[1], f"{found[2]}:{found[3]}")

    def __str__(self) -> str:
        return f"{self.peer_id}@{self.address}"


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """What differs from one process to the next."""

    name: str
    """For people and logs; ASCII."""
    listen: str
    """`host:port` for the connections of its peers."""
    peers: tuple[EnginePeer, ...]
    """All processes that it connects to and lets in, without itself."""


def chain_id(network_id: bytes) -> str:
    """Return the engine's name of a network."""
    return f"yunhe-{network_id.hex()[:_CHAIN_ID_DIGITS]}"


def engine_genesis(network_id: bytes, time_ms: int, validators: Sequence[EngineValidator], protocol_version: int) -> str:
    """Return the engine's genesis file; the same on every node.

    Args:
        network_id: of the ledger.
        time_ms: of the ledger's genesis.
        validators: at least one.
        protocol_version: of the ledger's rules.
    """
    # The first block has this time, and a block's time is above that of the ledger's genesis.
    time = _EPOCH + timedelta(milliseconds=time_ms + 1)
    value = {
        "genesis_time": f"{time:%Y-%m-%dT%H:%M:%S}.{time.microsecond // 1000:03d}Z",
        "chain_id": chain_id(network_id),
        "initial_height": "1",
        "consensus_params": {
            "block": {"max_bytes": str(BLOCK_BYTES_MAX + _BLOCK_ROOM_BYTES), "max_gas": "-1"},
            "evidence": {"max_age_num_blocks": "100000", "max_age_duration": "172800000000000", "max_bytes": "65536"},
            "validator": {"pub_key_types": ["ed25519"]},
            "version": {"app": str(protocol_version)},
            "abci": {"vote_extensions_enable_height": "1"},
        },
        "validators": [
            {
                "address": address(validator.public_key).hex().upper(),
                "pub_key": public_key_value(validator.public_key),
                "power": str(POWER_FACTOR * validator.power),
                "name": validator.name,
            }
            for validator in validators
        ],
        "app_hash": "",
    }
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def config_text(settings: EngineSettings) -> str:
    """Return the engine's settings file.

    Raises:
        EngineFilesError: there are more peers than `ENGINE_PEERS_MAX`.
    """
    if len(settings.peers) > ENGINE_PEERS_MAX:
        raise EngineFilesError(f"{len(settings.peers)} peers are more than the {ENGINE_PEERS_MAX} that a node connects to; name fewer")
    tables: dict[str, dict[str, str | int | bool]] = {
        "": {
            "proxy_app": f"unix://{ABCI_SOCKET}",
            "abci": "socket",
            "moniker": settings.name,
            "log_level": _LOG_LEVELS,
            "log_format": "json",
        },
        # NET-002: only this node reaches the RPC. An envelope travels in it in base64.
        "rpc": {"laddr": f"unix://{RPC_SOCKET}", "grpc_laddr": "", "pprof_laddr": "", "max_body_bytes": 2 * ENVELOPE_BYTES_MAX},
        "p2p": _peer_table(settings),
        # Only with recheck do envelopes go that a proposer filters out; else they stay for ever and call for a block each time.
        "mempool": {
            "type": "flood",
            "recheck": True,
            "size": ENGINE_QUEUE_ENVELOPES_MAX,
            "max_txs_bytes": ENGINE_POOL_BYTES_MAX,
            "max_tx_bytes": ENVELOPE_BYTES_MAX,
            "cache_size": 10 * ENGINE_QUEUE_ENVELOPES_MAX,
        },
        "statesync": {"enable": False},
        "consensus": {
            "timeout_propose": "500ms",
            "timeout_propose_delta": "250ms",
            "timeout_prevote": "300ms",
            "timeout_prevote_delta": "150ms",
            "timeout_precommit": "300ms",
            "timeout_precommit_delta": "150ms",
            "timeout_commit": "100ms",
            "skip_timeout_commit": True,
            "create_empty_blocks": False,
            # NET-036
            "block_time_tolerance": f"{ENGINE_BEHIND_S_MAX}s",
            "peer_gossip_sleep_duration": "10ms",
        },
        # Receipts are the ledger's; the engine's results are constant.
        "storage": {"discard_abci_responses": True},
        "tx_index": {"indexer": "null"},
        "instrumentation": {"prometheus": False},
    }
    return "# Written by the Yunhe node at each start; what is changed here is lost.\n" + "\n".join(
        (f"\n[{name}]\n" if name else "") + "\n".join(f"{key} = {_toml(value)}" for key, value in table.items())
        for name, table in tables.items()
    ) + "\n"  # fmt: skip


def _peer_table(settings: EngineSettings) -> dict[str, str | int | bool]:
    return {
        "laddr": f"tcp://{settings.listen}",
        "persistent_peers": ",".join(map(str, settings.peers)),
        # NET-001: with no room for others, who is not named here is turned away after its id was authenticated.
        "unconditional_peer_ids": ",".join(peer.peer_id for peer in settings.peers),
        "max_num_inbound_peers": 0,
        "max_num_outbound_peers": 0,
        "pex": False,
        "addr_book_strict": False,
        # Several organisations may stand behind one address.
        "allow_duplicate_ip": True,
        "send_rate": 50_000_000,
        "recv_rate": 50_000_000,
        # What one process says to another waits so long for more, at each step of a block.
        "flush_throttle_timeout": "2ms",
    }


def make_home(home: Path, settings: EngineSettings, validator_key: PrivateKey, peer_key: PrivateKey) -> None:
    """Make the home of a process that has never signed anything, and has no genesis yet; all of it is on the disk on return.

    Args:
        home: must not exist.
        settings: of this process.
        validator_key: Ed25519.
        peer_key: Ed25519.

    Raises:
        FileExistsError: there is a home already.
    """
    for name in _FOLDERS:
        (home / name).mkdir(mode=0o700)
    files = {
        CONFIG_FILE: config_text(settings),
        PEER_KEY_FILE: peer_key_file(peer_key),
        VALIDATOR_KEY_FILE: validator_key_file(validator_key),
        SIGNING_STATE_FILE: _NOTHING_SIGNED,
    }
    for name, text in files.items():
        _write(home / name, text, os.O_EXCL)
    for name in _FOLDERS:
        _sync_folder(home / name)


def write_genesis(home: Path, genesis: str) -> None:
    """Give a process that has not run yet the genesis of its chain."""
    _write(home / GENESIS_FILE, genesis, os.O_TRUNC)
    _sync_folder(home / "config")


def write_settings(home: Path, settings: EngineSettings) -> None:
    """Write the settings of a process again, for its next start."""
    _write(home / CONFIG_FILE, config_text(settings), os.O_TRUNC)


def install_next_key(home: Path) -> None:
    """Give a process that does not run the validator key that was made for it; durable on return.

    The key has signed nothing yet, so what the one before signed last says nothing of it.
    """
    # NET-037: first the key, whose file is gone then: a crash in between leaves the state of the key before, which is too careful and no
    # danger; the other way round, the key before could sign twice.
    (home / NEXT_VALIDATOR_KEY_FILE).replace(home / VALIDATOR_KEY_FILE)
    _sync_folder(home / "config")
    _write(home / SIGNING_STATE_FILE, _NOTHING_SIGNED, os.O_TRUNC)
    _sync_folder(home / "data")


def check_home(home: Path) -> None:
    """Check that a home is whole, and that nobody but its owner reads what is secret in it.

    Raises:
        EngineFilesError: the message names the file and what to do.
    """
    # NET-003
    for name in (CONFIG_FILE, GENESIS_FILE, *_SECRET_FILES):
        if not (home / name).is_file():
            raise EngineFilesError(f"{home / name} is missing; {_ADVICE.get(name, _RESTORE)}")
    prepared = (NEXT_VALIDATOR_KEY_FILE,) if (home / NEXT_VALIDATOR_KEY_FILE).exists() else ()
    for name in (*_FOLDERS, *_SECRET_FILES, *prepared):
        path = home / name
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            raise EngineFilesError(f"{path} has the mode {mode:03o}, and others may reach it; run `chmod go= {path}`")


def read_keys(home: Path) -> tuple[PublicKey, str]:
    """Return the public validator key and the peer id of a home.

    Raises:
        EngineFilesError: a key file is missing or is none.
    """
    validator, peer = (read_public_key(_read(home / name), str(home / name)) for name in (VALIDATOR_KEY_FILE, PEER_KEY_FILE))
    return validator, peer_id(peer.raw)


_RESTORE: Final = "put back the file that was there"
_ADVICE: Final[Mapping[str, str]] = {
    SIGNING_STATE_FILE: ("without it the validator could sign twice and be shut out for it: put it back, or go on without this validator")
}


def read_peers(home: Path) -> tuple[EnginePeer, ...]:
    """Return the peers that the settings in a home name.

    Raises:
        EngineFilesError: the settings cannot be read.
    """
    path = home / CONFIG_FILE
    try:
        listed = tomllib.loads(_read(path))["p2p"]["persistent_peers"]
        return tuple(EnginePeer.parse(peer) for peer in listed.split(",") if peer)
    except (tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError) as error:
        raise EngineFilesError(f"{path} is no settings file of the engine; {_RESTORE}") from error


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise EngineFilesError(f"{path} cannot be read: {getattr(error, 'strerror', None) or 'it is not text'}; {_RESTORE}") from error


def _write(path: Path, text: str, flag: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | flag, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _toml(value: str | int | bool) -> str:
    # A JSON text is a TOML text as well.
    return json.dumps(value)

"""Versions of the ledger's rules, and from which block on each counts (LED-050 to LED-053).

Organisations vote for a version and the block from which on it counts. A release knows some versions (`RULES`); where the next block is of
one that it does not know, it executes nothing more and says which release does. A version may bring other system contracts, which take the
place of those before as the first thing in its first block.

A change of the rules is made so: give `RULES` a new version, and let the code that differs ask `rules_at`. What an older version did stays
as it was, because every block is run again by whoever checks it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from yunhe.crypto import ChainHash
from yunhe.crypto.hashes import TAG_CODE
from yunhe.errors import CorruptionError, ProtocolUnknownError
from yunhe.ledger.codec import Value, decode, encode
from yunhe.ledger.interfaces import BlockContext, StateReader, Write
from yunhe.ledger.layouts import (
    ACTIVE,
    LIFECYCLE,
    PROTOCOLS_PREFIX,
    SYSTEM_CONTRACTS,
    contract_key,
    encode_record,
    read_record,
    source_key,
)
from yunhe.ledger.state_keys import prefix_end, state_key
from yunhe.limits import RECORD_BYTES_MAX


@dataclass(frozen=True, slots=True)
class Rules:
    """A version of the ledger's rules that this release knows."""

    version: int
    release: str
    """First release of Yunhe that knows it."""
    system_contracts: Mapping[str, str] = field(default_factory=dict)
    """Sources of the system contracts that the version changes, by name."""


@dataclass(frozen=True, slots=True)
class Activation:
    """What was voted about a version."""

    version: int
    height: int
    """First block of the version."""
    release: str
    """First release that knows it, as the proposal says."""
    contracts_hash: bytes
    """Of all system contracts with that version (`contracts_hash`)."""


RULES: Final[dict[int, Rules]] = {1: Rules(1, "0.1.0")}
"""What this release knows, by version."""
FIRST: Final = Activation(1, 0, RULES[1].release, b"")
"""What counts where nothing was voted."""


def activations(state: StateReader) -> tuple[Activation, ...]:
    """Return the newest two versions, the newest first; that one may be of a block to come.

    Raises:
        CorruptionError: a record is malformed.
    """
    # LED-050
    rows = state.scan(PROTOCOLS_PREFIX, prefix_end(PROTOCOLS_PREFIX), 2, reverse=True)
    return (*(_activation(stored) for _, stored in rows), FIRST)[:2]


def activation_at(state: StateReader, height: int) -> Activation:
    """Return the version that counts for a block.

    Args:
        state: as before the block.
        height: of the block.
    """
    # LED-050: a version is voted for when the one before counts already, so one of the newest two does.
    for activation in activations(state):
        if activation.height <= height:
            return activation
    raise CorruptionError(f"no version of the ledger's rules counts for block {height}; run `yunhe node check`")


def rules_at(state: StateReader, height: int) -> Rules:
    """Return the rules of a block.

    Args:
        state: as before the block.
        height: of the block.

    Raises:
        ProtocolUnknownError: this release does not know them; nothing of the block may be executed.
    """
    activation = activation_at(state, height)
    found = RULES.get(activation.version)
    # LED-051
    if found is None:
        raise unknown(activation)
    return found


def unknown(activation: Activation) -> ProtocolUnknownError:
    """Return the refusal of a block of rules that this release does not know."""
    return ProtocolUnknownError(
        f"from block {activation.height} on the ledger has version {activation.version} of its rules, and this release knows "
        f"{', '.join(map(str, sorted(RULES)))}; install Yunhe {activation.release} or later and start again, nothing is lost"
    )


def _activation(stored: bytes) -> Activation:
    match decode(stored, RECORD_BYTES_MAX):
        case {"version": int(version), "height": int(height), "release": str(release), "contracts_hash": bytes(hashed)}:
            return Activation(version, height, release, hashed)
        case _:
            raise CorruptionError("the record of a version of the ledger's rules is malformed; run `yunhe node check`")


def contracts_hash(hashes: Mapping[str, bytes], chain_hash: ChainHash) -> bytes:
    """Return the hash of all system contracts of a version, which a vote names.

    Args:
        hashes: code hash by name.
        chain_hash: the ledger's.
    """
    return chain_hash.tagged(TAG_CODE, encode([[name, hashes[name]] for name in sorted(hashes)]))


def activation_writes(rules: Rules, context: BlockContext, state: StateReader, chain_hash: ChainHash) -> tuple[Write, ...]:
    """Return what the first block of a version writes before its transactions run; nothing for any other block.

    Args:
        rules: of the block.
        context: of the block.
        state: as before the block.
        chain_hash: the ledger's.

    Raises:
        ProtocolUnknownError: this release has other system contracts for the version than were voted for.
    """
    activation = activation_at(state, context.height)
    # LED-052
    if activation.height != context.height:
        return ()
    writes: dict[bytes, bytes | None] = {}
    hashes = {}
    for name in SYSTEM_CONTRACTS:
        record = read_record(state, contract_key(name))
        if record is None or not isinstance(record["code_hash"], bytes) or not isinstance(record["version"], int):
            raise CorruptionError(f"the system contract {name} is missing from the state; run `yunhe node check`")
        hashes[name] = record["code_hash"]
        source = rules.system_contracts.get(name)
        if source is None:
            continue
        hashes[name] = chain_hash.tagged(TAG_CODE, source.encode())
        changed: dict[str, Value] = record | {"code_hash": hashes[name], "status": ACTIVE, "version": record["version"] + 1}
        writes[contract_key(name)] = encode_record(changed)
        writes[source_key(hashes[name])] = encode_record({"code_hash": hashes[name], "source": source})
        writes |= _step(name, hashes[name], record["version"] + 1, context, state)
    # LED-053
    if contracts_hash(hashes, chain_hash) != activation.contracts_hash:
        raise ProtocolUnknownError(
            f"this release has other system contracts for version {rules.version} of the ledger's rules than were voted for; "
            f"install the release of Yunhe that was proposed, {activation.release}"
        )
    return tuple(sorted(writes.items()))


def _step(name: str, code_hash: bytes, version: int, context: BlockContext, state: StateReader) -> dict[bytes, bytes]:
    """Return the record of a change of a system contract, as the life cycle keeps it of every contract (SYS-021)."""
    prefix, number = state_key(LIFECYCLE, "steps", (name,)), 1
    for _, stored in state.scan(prefix, prefix_end(prefix), 1, reverse=True):
        match decode(stored, RECORD_BYTES_MAX):
            case {"number": int(last)}:
                number = last + 1
            case _:
                raise CorruptionError("the record of a contract's step is malformed; run `yunhe node check`")
    step: dict[str, Value] = {
        "contract": name,
        "number": number,
        "operation": "upgrade",
        "code_hash": code_hash,
        "version": version,
        "height": context.height,
        "time_ms": context.time_ms,
    }
    return {state_key(LIFECYCLE, "steps", (name, number)): encode_record(step)}

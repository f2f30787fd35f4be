"""A ledger's state with contracts deployed in it, and transactions that call them: what an executor needs, without a node.

Signatures are not looked at by executors, so there are none worth the name.
"""

import itertools
from typing import Final

from yunhe.crypto import SHA256
from yunhe.crypto.hashes import TAG_CODE
from yunhe.ledger.codec import Value
from yunhe.ledger.interfaces import Write
from yunhe.ledger.layouts import (
    DEFAULT_PARAMETERS,
    contract_key,
    encode_record,
    member_key,
    member_public_key_key,
    organisation_key,
    parameter_key,
    source_key,
)
from yunhe.ledger.transaction import Call, Signer, Transaction, TransactionBody, assemble_transaction
from yunhe.testing import MemoryState

GAS_LIMIT: Final = 20_000_000
SIGNER: Final = Signer("carrier", "ann", "ed25519-sha256", b"\x01" * 32)
_salts = itertools.count(1)


def state_with(contracts: dict[str, str]) -> MemoryState:
    """Return a state in which one member is enrolled and contracts are deployed by name."""
    records: dict[bytes, dict[str, Value]] = {
        parameter_key(name): {"name": name, "value": value} for name, value in DEFAULT_PARAMETERS.items()
    }
    organisation, member, key = SIGNER.organisation, SIGNER.member, SIGNER.public_key
    records[organisation_key(organisation)] = {"organisation": organisation, "title": "Carrier", "status": "active"}
    records[member_key(organisation, member)] = {"organisation": organisation, "member": member, "roles": ["admin"], "status": "active"}
    records[member_public_key_key(organisation, member, key)] = {
        "organisation": organisation,
        "member": member,
        "public_key": key,
        "suite": SIGNER.suite,
        "since_height": 0,
        "status": "active",
        "revoked_height": None,
    }
    for name, source in contracts.items():
        code_hash = SHA256.tagged(TAG_CODE, source.encode())
        records[contract_key(name)] = {"name": name, "code_hash": code_hash, "status": "active", "version": 1, "system": False}
        records[source_key(code_hash)] = {"code_hash": code_hash, "source": source}
    state = MemoryState()
    state.apply((found, encode_record(fields)) for found, fields in records.items())
    return state


def transaction(*calls: tuple[str, str, dict[str, Value]], gas_limit: int = GAS_LIMIT) -> Transaction:
    """Return a transaction of calls, each (contract, action, arguments)."""
    salt = next(_salts).to_bytes(16, "big")
    body = TransactionBody(b"\x00" * 32, (SIGNER,), tuple(Call(*call) for call in calls), 1, gas_limit, salt)
    return assemble_transaction(body.encode(), [b"\x00" * 64], SHA256)


def written(writes: tuple[Write, ...], contract: str) -> list[Write]:
    """Return the writes to one contract's state."""
    return [write for write in writes if write[0].startswith(contract.encode() + b"\x00")]

"""A transaction as it would be, if the members that it names signed it: for trying calls out, never for a block.

It has the active keys that the registry has of its signers, and zeros for the signatures, so its length, and with that its gas, is that
of the real one. What it may do is decided as for any other, when it runs (LED-020).
"""

from collections.abc import Sequence
from typing import Final

from yunhe.crypto import suite, suite_names
from yunhe.crypto.hashes import ChainHash
from yunhe.ledger.interfaces import StateReader
from yunhe.ledger.layouts import ACTIVE, REGISTRY, read_record
from yunhe.ledger.state_keys import encode_component, prefix_end, table_prefix
from yunhe.ledger.transaction import Call, Signer, Transaction, TransactionBody, assemble_transaction
from yunhe.limits import SALT_BYTES

_KEYS_MAX: Final = 1000
"""Keys of a member that are looked through for an active one."""
_SUITE_OF_NOBODY: Final = "ed25519-sha256"


def unsigned_transaction(
    state: StateReader,
    network_id: bytes,
    signers: Sequence[tuple[str, str]],
    calls: Sequence[Call],
    *,
    valid_until_ms: int,
    gas_limit: int,
    chain_hash: ChainHash,
) -> Transaction:
    """Make a transaction of named signers.

    Args:
        state: whose registry has their keys. One who has no active key gets one that nobody has, and is refused when it runs.
        network_id: the ledger's.
        signers: organisation and member of each; the first is the sender.
        calls: in order.
        valid_until_ms: any time that a real one could have.
        gas_limit: of the transaction.
        chain_hash: the ledger's.

    Raises:
        InvalidInputError: it could not be a transaction.
    """
    listed = [_signer(state, organisation, member, index) for index, (organisation, member) in enumerate(signers)]
    body = TransactionBody(network_id, tuple(listed), tuple(calls), valid_until_ms, gas_limit, bytes(SALT_BYTES))
    return assemble_transaction(body.encode(), [bytes(suite(signer.suite).signature_bytes) for signer in listed], chain_hash)


def _signer(state: StateReader, organisation: str, member: str, index: int) -> Signer:
    prefix = table_prefix(REGISTRY, "member_keys") + encode_component(organisation) + encode_component(member)
    for key, _ in state.scan(prefix, prefix_end(prefix), _KEYS_MAX):
        match read_record(state, key):
            case {"status": str(status), "suite": str(name), "public_key": bytes(public_key)} if status == ACTIVE and name in suite_names():
                return Signer(organisation, member, name, public_key)
    nobody = suite(_SUITE_OF_NOBODY)
    return Signer(organisation, member, nobody.name, index.to_bytes(nobody.public_key_bytes, "big"))

"""Envelopes: what a gateway hands to the engine, a few hundred transactions signed by its node.

To the engine an envelope is one transaction. The node's signature gives spam a name; it says nothing about the transactions inside, which
are verified on their own. Specification: docs/spec/encoding.md, "Envelope".
"""

from collections.abc import Sequence
from dataclasses import dataclass

from yunhe.crypto import ChainHash, PrivateKey, SignedItem
from yunhe.crypto.hashes import TAG_ENVELOPE, TAG_SIGN_ENVELOPE
from yunhe.errors import MalformedError, TooLargeError
from yunhe.ledger.codec import Value, as_array, as_bytes, as_hash, as_int, as_name, as_text, decode, encode
from yunhe.limits import ENVELOPE_BYTES_MAX, ENVELOPE_TRANSACTIONS_MAX, TRANSACTION_BYTES_MAX

_VERSION = 1


@dataclass(frozen=True, slots=True)
class NodeIdentity:
    """A node as enrolled: its organisation, its name there, and the key that signs its envelopes."""

    organisation: str
    node: str
    suite: str
    public_key: bytes

    @property
    def name(self) -> str:
        """`organisation/node`."""
        return f"{self.organisation}/{self.node}"


@dataclass(frozen=True, slots=True)
class Envelope:
    """An envelope with its encoding and id. The transactions inside are not yet taken apart."""

    id: bytes
    """Tagged hash of the body, 32 bytes."""
    network_id: bytes
    node: NodeIdentity
    sequence: int
    """Counts the node's envelopes, so that equal contents are different envelopes."""
    transactions: tuple[bytes, ...]
    """Encoded transactions, 1 to `ENVELOPE_TRANSACTIONS_MAX`."""
    signature: bytes
    encoded: bytes
    """The whole envelope as transmitted."""

    @classmethod
    def decode(cls, data: bytes, chain_hash: ChainHash) -> "Envelope":
        """Take an encoded envelope apart.

        Raises:
            EncodingError: not canonical.
            MalformedError: not an envelope of this version.
            TooLargeError: over `ENVELOPE_BYTES_MAX`.
        """
        # COD-040
        body_item, signature = as_array(decode(data, ENVELOPE_BYTES_MAX), "an envelope", 2)
        body = as_bytes(body_item, "an envelope's body")
        version, network_id, node, sequence, items = as_array(decode(body, ENVELOPE_BYTES_MAX), "an envelope's body", 5)
        if as_int(version, "version") != _VERSION:
            raise MalformedError(f"envelope version {version!r} is unknown; this version of Yunhe knows {_VERSION}")
        transactions = tuple(
            as_bytes(item, "a transaction") for item in as_array(items, "an envelope's transactions", length_max=ENVELOPE_TRANSACTIONS_MAX)
        )
        return cls(
            chain_hash.tagged(TAG_ENVELOPE, body),
            as_hash(network_id, "network id"),
            _node(node),
            as_int(sequence, "sequence"),
            transactions,
            as_bytes(signature, "an envelope's signature"),
            data,
        )

    def signed_item(self) -> SignedItem:
        """Return what is to be verified before anything inside is looked at (COD-041)."""
        return SignedItem(self.node.suite, self.node.public_key, TAG_SIGN_ENVELOPE + b"\x00" + self.id, self.signature)


def seal_envelope(
    network_id: bytes, node: NodeIdentity, sequence: int, transactions: Sequence[bytes], key: PrivateKey, chain_hash: ChainHash
) -> Envelope:
    """Pack encoded transactions and sign the envelope with the node's key.

    Raises:
        TooLargeError: the envelope would be over `ENVELOPE_BYTES_MAX`.
        MalformedError: no transaction, or more than `ENVELOPE_TRANSACTIONS_MAX`.
    """
    body = encode([_VERSION, network_id, [node.organisation, node.node, node.suite, node.public_key], sequence, list(transactions)])
    signature = key.sign(TAG_SIGN_ENVELOPE + b"\x00" + chain_hash.tagged(TAG_ENVELOPE, body))
    return Envelope.decode(encode([body, signature]), chain_hash)


def split_for_envelopes(transactions: Sequence[bytes]) -> list[list[bytes]]:
    """Group encoded transactions, in order, so that each group fits into one envelope.

    Raises:
        TooLargeError: one is over `TRANSACTION_BYTES_MAX`.
    """
    # Head, node and signature of an envelope are a few hundred bytes; every transaction needs at most 5 more for its length.
    room = ENVELOPE_BYTES_MAX - 1024
    groups: list[list[bytes]] = []
    size = room
    for transaction in transactions:
        if len(transaction) > TRANSACTION_BYTES_MAX:
            raise TooLargeError(f"a transaction is at most {TRANSACTION_BYTES_MAX} bytes, not {len(transaction)}")
        size += len(transaction) + 5
        if size > room or len(groups[-1]) == ENVELOPE_TRANSACTIONS_MAX:
            groups.append([])
            size = len(transaction) + 5
        groups[-1].append(transaction)
    return groups


def _node(item: Value) -> NodeIdentity:
    organisation, node, suite_name, public_key = as_array(item, "an envelope's node", 4)
    return NodeIdentity(
        as_name(organisation, "a node's organisation"),
        as_name(node, "a node's name"),
        as_text(suite_name, "a node's suite"),
        as_bytes(public_key, "a node's public key"),
    )

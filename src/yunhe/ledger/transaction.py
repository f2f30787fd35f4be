"""Transactions: who asks for which calls, until when, signed by every listed signer.

A `Transaction` in memory is well formed (COD-030 to COD-033) and has its id; whether its signatures verify and whether it takes effect are
questions for `yunhe.ledger.admission`. Specification: docs/spec/encoding.md, "Transaction".
"""

from collections.abc import Sequence
from dataclasses import dataclass

from yunhe.crypto import ChainHash, PrivateKey, SignedItem
from yunhe.crypto.hashes import TAG_SIGN_TRANSACTION, TAG_SIGNATURES, TAG_TRANSACTION
from yunhe.errors import MalformedError
from yunhe.ledger.codec import Value, as_array, as_bytes, as_fields, as_hash, as_int, as_name, as_text, decode, encode
from yunhe.limits import CALLS_MAX, GAS_LIMIT_MAX, SALT_BYTES, SIGNERS_MAX, TRANSACTION_BYTES_MAX

_VERSION = 1


@dataclass(frozen=True, slots=True)
class Signer:
    """A member who signs, with the key that is used."""

    organisation: str
    member: str
    suite: str
    public_key: bytes

    @property
    def name(self) -> str:
        """`organisation/member`."""
        return f"{self.organisation}/{self.member}"


@dataclass(frozen=True, slots=True)
class Call:
    """One action of one contract."""

    contract: str
    action: str
    arguments: dict[str, Value]
    """Argument name to value."""


@dataclass(frozen=True, slots=True)
class TransactionBody:
    """What is signed."""

    network_id: bytes
    """Hash of the genesis, 32 bytes."""
    signers: tuple[Signer, ...]
    """1 to `SIGNERS_MAX`; the first is the sender."""
    calls: tuple[Call, ...]
    """1 to `CALLS_MAX`, in order; they succeed or fail together."""
    valid_until_ms: int
    """The transaction has no effect in a block of this time or later."""
    gas_limit: int
    """Bounds work and memory; nobody pays for it."""
    salt: bytes
    """16 random bytes, so that equal requests are different transactions."""

    def encode(self) -> bytes:
        """Return the canonical body."""
        signers = [[s.organisation, s.member, s.suite, s.public_key] for s in self.signers]
        calls = [[c.contract, c.action, c.arguments] for c in self.calls]
        return encode([_VERSION, self.network_id, signers, calls, self.valid_until_ms, self.gas_limit, self.salt])

    @classmethod
    def decode(cls, data: bytes) -> "TransactionBody":
        """Take a canonical body apart.

        Raises:
            EncodingError: not canonical.
            MalformedError: not a body of this version.
            TooLargeError: over `TRANSACTION_BYTES_MAX`.
        """
        version, network_id, signers, calls, valid_until_ms, gas_limit, salt = as_array(
            decode(data, TRANSACTION_BYTES_MAX), "a transaction body", 7
        )
        if as_int(version, "version") != _VERSION:
            raise MalformedError(f"transaction version {version!r} is unknown; this version of Yunhe knows {_VERSION}")
        # COD-030, COD-031
        body = cls(
            as_hash(network_id, "network id"),
            tuple(_signer(item) for item in as_array(signers, "signers", length_max=SIGNERS_MAX)),
            tuple(_call(item) for item in as_array(calls, "calls", length_max=CALLS_MAX)),
            as_int(valid_until_ms, "valid_until_ms"),
            as_int(gas_limit, "gas limit", 1),
            as_bytes(salt, "salt", SALT_BYTES),
        )
        if body.gas_limit > GAS_LIMIT_MAX:
            raise MalformedError(f"gas limit must be at most {GAS_LIMIT_MAX}")
        if len({(s.suite, s.public_key) for s in body.signers}) != len(body.signers):
            raise MalformedError("a key signs once: the same public key is listed for two signers")
        return body


@dataclass(frozen=True, slots=True)
class Transaction:
    """A transaction with its encodings and id, as everything after the boundary handles it."""

    id: bytes
    """Tagged hash of the body, 32 bytes; independent of the signatures."""
    body: TransactionBody
    body_bytes: bytes
    """The body as transmitted."""
    signatures: tuple[bytes, ...]
    """One for each signer, in order."""
    encoded: bytes
    """The whole transaction as transmitted."""

    @property
    def sender(self) -> Signer:
        """The first signer."""
        return self.body.signers[0]

    @classmethod
    def decode(cls, data: bytes, chain_hash: ChainHash) -> "Transaction":
        """Take an encoded transaction apart.

        Raises:
            EncodingError: not canonical.
            MalformedError: not a transaction, or not as many signatures as signers.
            TooLargeError: over `TRANSACTION_BYTES_MAX` (COD-033).
        """
        # COD-033
        body_item, signature_items = as_array(decode(data, TRANSACTION_BYTES_MAX), "a transaction", 2)
        body_bytes = as_bytes(body_item, "a transaction's body")
        signatures = tuple(as_bytes(s, "a signature") for s in as_array(signature_items, "signatures", length_max=SIGNERS_MAX))
        body = TransactionBody.decode(body_bytes)
        # COD-030
        if len(signatures) != len(body.signers):
            raise MalformedError(f"{len(body.signers)} signers need as many signatures, not {len(signatures)}")
        return cls(chain_hash.tagged(TAG_TRANSACTION, body_bytes), body, body_bytes, signatures, data)

    @staticmethod
    def id_of(data: bytes, chain_hash: ChainHash) -> bytes:
        """Return the id of an encoded transaction without looking into its body, which may be none.

        Raises:
            InvalidInputError: it is not the encoding of a body with signatures.
        """
        body_item, _ = as_array(decode(data, TRANSACTION_BYTES_MAX), "a transaction", 2)
        return chain_hash.tagged(TAG_TRANSACTION, as_bytes(body_item, "a transaction's body"))

    def signatures_hash(self, chain_hash: ChainHash) -> bytes:
        """Hash the signatures, for the transaction's leaf in its block."""
        return chain_hash.tagged(TAG_SIGNATURES, encode(list(self.signatures)))

    def leaf(self, chain_hash: ChainHash) -> bytes:
        """Return the leaf data in the tree of the block's transactions (COD-011)."""
        return self.id + self.signatures_hash(chain_hash)

    def signed_items(self) -> list[SignedItem]:
        """Return what is to be verified: one item for each signer."""
        message = signing_message(self.id)
        return [
            SignedItem(s.suite, s.public_key, message, signature) for s, signature in zip(self.body.signers, self.signatures, strict=True)
        ]


def signing_message(transaction_id: bytes) -> bytes:
    """Return what every signer signs for a transaction id (COD-020)."""
    return TAG_SIGN_TRANSACTION + b"\x00" + transaction_id


def sign_transaction(body: TransactionBody, keys: Sequence[PrivateKey], chain_hash: ChainHash) -> Transaction:
    """Sign a body with all keys at hand.

    Args:
        body: what is asked for.
        keys: one for each signer of the body, in order.
        chain_hash: the ledger's.

    Raises:
        MalformedError: the keys are not those of the body's signers.
    """
    listed = [(s.suite, s.public_key) for s in body.signers]
    if listed != [(key.suite, key.public_key.raw) for key in keys]:
        raise MalformedError("the keys must be those of the body's signers, in the same order")
    body_bytes = body.encode()
    transaction_id = chain_hash.tagged(TAG_TRANSACTION, body_bytes)
    signatures = tuple(key.sign(signing_message(transaction_id)) for key in keys)
    return assemble_transaction(body_bytes, signatures, chain_hash)


def assemble_transaction(body_bytes: bytes, signatures: Sequence[bytes], chain_hash: ChainHash) -> Transaction:
    """Join a body with signatures that were made elsewhere; checks the form, not the signatures."""
    return Transaction.decode(encode([body_bytes, list(signatures)]), chain_hash)


def _signer(item: Value) -> Signer:
    organisation, member, suite_name, public_key = as_array(item, "a signer", 4)
    return Signer(
        as_name(organisation, "a signer's organisation"),
        as_name(member, "a signer's member"),
        as_text(suite_name, "a signer's suite"),
        as_bytes(public_key, "a signer's public key"),
    )


def _call(item: Value) -> Call:
    contract, action, arguments = as_array(item, "a call", 3)
    return Call(as_name(contract, "a call's contract"), as_name(action, "a call's action"), as_fields(arguments, "arguments"))

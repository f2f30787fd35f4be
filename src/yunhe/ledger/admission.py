"""Admission: which transactions can have an effect at all (LED-010 to LED-012), before any contract runs.

Structural checks come first, signatures last and in one batch. An opened envelope can be kept and used again, so that a node verifies each
signature once; whether its node is enrolled, and time and suites, depend on the state and are asked again in every block.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from yunhe.crypto import ChainHash, invalid_signatures, suite_names
from yunhe.errors import (
    ExpiredError,
    InvalidInputError,
    InvalidSignatureError,
    UnknownSuiteError,
    ValidityTooFarError,
    WrongNetworkError,
    YunheError,
)
from yunhe.ledger.envelope import Envelope
from yunhe.ledger.interfaces import StateReader
from yunhe.ledger.layouts import suite_key
from yunhe.ledger.transaction import Transaction

Verdict = Transaction | YunheError
"""A transaction whose signatures verify, or why it is none."""


@dataclass(frozen=True, slots=True)
class OpenedEnvelope:
    """An envelope whose node's signature verifies, with a verdict on each transaction inside."""

    envelope: Envelope
    verdicts: tuple[Verdict, ...]


def open_envelope(data: bytes, chain_hash: ChainHash) -> OpenedEnvelope:
    """Verify an envelope and everything inside that does not depend on the state.

    Raises:
        InvalidInputError: the envelope itself is malformed or its node's signature is wrong; nothing inside was looked at.
    """
    return open_decoded(Envelope.decode(data, chain_hash), chain_hash)


def open_decoded(envelope: Envelope, chain_hash: ChainHash) -> OpenedEnvelope:
    """Verify an envelope that is taken apart already, first its node's signature and then everything inside.

    Raises:
        InvalidSignatureError: its node's signature is wrong; nothing inside was looked at.
    """
    # COD-041
    if invalid_signatures([envelope.signed_item()]):
        raise InvalidSignatureError(f"the signature of {envelope.node.name} over its envelope does not verify")
    return OpenedEnvelope(envelope, open_transactions(envelope.transactions, chain_hash))


def open_transactions(encoded: Sequence[bytes], chain_hash: ChainHash) -> tuple[Verdict, ...]:
    """Decode transactions and verify all their signatures in one batch; one verdict for each, in order."""
    return verify_signatures([decode_transaction(data, chain_hash) for data in encoded])


def decode_transaction(data: bytes, chain_hash: ChainHash) -> Verdict:
    """Decode a transaction; its signatures are not yet verified."""
    try:
        return Transaction.decode(data, chain_hash)
    except InvalidInputError as error:
        return error


def verify_signatures(verdicts: Sequence[Verdict]) -> tuple[Verdict, ...]:
    """Verify the signatures of all transactions among `verdicts` in one batch; errors stay as they are."""
    checked = list(verdicts)
    owners: list[int] = []
    items = []
    for index, verdict in enumerate(checked):
        if isinstance(verdict, Transaction):
            signed = verdict.signed_items()
            items.extend(signed)
            owners.extend([index] * len(signed))
    # LED-010
    for failed in invalid_signatures(items):
        signer = items[failed]
        if signer.suite not in suite_names():
            checked[owners[failed]] = UnknownSuiteError(f"a signature's suite is unknown; this version knows {', '.join(suite_names())}")
        else:
            checked[owners[failed]] = InvalidSignatureError(
                f"the signature with the {signer.suite} key {signer.public_key.hex()} does not verify over the transaction id"
            )
    return tuple(checked)


def check_validity(transaction: Transaction, network_id: bytes, time_ms: int, window_ms: int) -> None:
    """Check what an effect needs besides signatures and an unseen id.

    Args:
        transaction: well formed.
        network_id: this ledger's.
        time_ms: the block's time, or the time that a block made now would have.
        window_ms: the parameter W.

    Raises:
        WrongNetworkError: it is for another network.
        ExpiredError: its time has passed.
        ValidityTooFarError: it would be valid longer than the window.
    """
    # LED-010
    body = transaction.body
    if body.network_id != network_id:
        raise WrongNetworkError(f"the transaction is for the network {body.network_id.hex()}; this is {network_id.hex()}")
    if time_ms >= body.valid_until_ms:
        raise ExpiredError(f"the transaction was valid until {body.valid_until_ms} ms; it is {time_ms} ms now: sign a new one")
    if body.valid_until_ms > time_ms + window_ms:
        raise ValidityTooFarError(f"valid_until_ms may be at most {window_ms} ms ahead; it is {body.valid_until_ms - time_ms} ms ahead")


def check_suites(transaction: Transaction, state: StateReader) -> None:
    """Check that the ledger allows the suite of every signature.

    Raises:
        UnknownSuiteError: one is not allowed here.
    """
    # LED-010
    for name in {signer.suite for signer in transaction.body.signers}:
        if len(name) > 64 or state.get(suite_key(name)) is None:
            raise UnknownSuiteError("a signature's suite is not allowed on this ledger; a vote can add one that the nodes know")

"""COD-020, COD-030 to COD-033, COD-040, COD-041, COD-050: transactions, envelopes and receipts as bytes."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.ledger.chain_in_memory import NETWORK, SM2, SUITE, MemoryChain, key
from yunhe.crypto import SHA256, SM3
from yunhe.errors import InvalidInputError, InvalidSignatureError, MalformedError, TooLargeError
from yunhe.ledger.admission import open_envelope, open_transactions
from yunhe.ledger.codec import encode
from yunhe.ledger.envelope import Envelope, seal_envelope, split_for_envelopes
from yunhe.ledger.header import Header
from yunhe.ledger.interfaces import Event, Outcome
from yunhe.ledger.receipt import Receipt
from yunhe.ledger.transaction import Call, Signer, Transaction, TransactionBody, sign_transaction
from yunhe.limits import ENVELOPE_BYTES_MAX, TRANSACTION_BYTES_MAX

CHAIN = MemoryChain()


def signer(number: int, member: str = "clerk") -> Signer:
    return Signer("carrier", member, SUITE, key(number).public_key.raw)


def test_transaction_several_signers_round_trip():
    """COD-030 accepted."""
    body = CHAIN.body(signers=(signer(1), signer(3), signer(4, "master")))
    made = sign_transaction(body, [key(1), key(3), key(4)], SHA256)
    again = Transaction.decode(made.encoded, SHA256)
    assert again == made
    assert again.body == body
    assert again.sender == signer(1)
    assert again.id == SHA256.tagged(b"yunhe/transaction/1", body.encode())
    assert open_transactions([made.encoded], SHA256) == (made,)


def test_signers_of_either_suite_sign_one_transaction():
    """COD-021, COD-022, LED-010: and one wrong signature among them refuses it."""
    keys = [key(1), key(3, SM2), key(4), key(5, SM2)]
    listed = tuple(Signer("carrier", "clerk", each.suite, each.public_key.raw) for each in keys)
    body = replace(CHAIN.body(), signers=listed)
    for chain_hash in (SHA256, SM3):
        made = sign_transaction(body, keys, chain_hash)
        assert open_transactions([made.encoded], chain_hash) == (made,)
        for wrong in range(4):
            signatures = [bytes(64) if at == wrong else signature for at, signature in enumerate(made.signatures)]
            verdicts = open_transactions([made.encoded, encode([made.body_bytes, signatures])], chain_hash)
            assert isinstance(verdicts[0], Transaction)
            assert isinstance(verdicts[1], InvalidSignatureError)
        # Signed over the id that the other hash gives.
        (verdict,) = open_transactions([made.encoded], SM3 if chain_hash is SHA256 else SHA256)
        assert isinstance(verdict, InvalidSignatureError)


@pytest.mark.parametrize(
    "changes",
    [
        {"signers": ()},
        {"signers": tuple(signer(n) for n in range(1, 18))},
        {"signers": (signer(1), signer(1, "master"))},
        {"signers": (Signer("Carrier", "clerk", SUITE, bytes(32)),)},
        {"calls": ()},
        {"calls": (Call("bill", "issue", {}),) * 17},
        {"calls": (Call("bill", "_private", {}),)},
        {"calls": (Call("b" * 41, "issue", {}),)},
        {"calls": (Call("bill", "issue", {"No": 1}),)},
        {"salt": bytes(15)},
        {"gas_limit": 0},
        {"gas_limit": 10**9 + 1},
        {"valid_until_ms": -1},
        {"network_id": bytes(31)},
    ],
)
def test_transaction_body_malformed_is_refused(changes):
    """COD-030, COD-031, COD-032 refused."""
    with pytest.raises(MalformedError):
        TransactionBody.decode(CHAIN.body(**changes).encode())


def test_transaction_sixteen_calls_are_accepted():
    """COD-031 accepted."""
    body = CHAIN.body(calls=(Call("b" * 40, "issue_2", {"bill_id": "x"}),) * 16)
    assert TransactionBody.decode(body.encode()) == body


def transaction_of(size):
    """A transaction of so many encoded bytes."""
    without = len(CHAIN.transaction(calls=(Call("bill", "issue", {"text": "x" * (size - 1000)}),)).encoded)
    return CHAIN.transaction(calls=(Call("bill", "issue", {"text": "x" * (size - 1000 + size - without)}),))


def test_transaction_of_the_size_limit_is_accepted():
    """COD-033 accepted."""
    largest = transaction_of(TRANSACTION_BYTES_MAX)
    assert len(largest.encoded) == TRANSACTION_BYTES_MAX
    assert Transaction.decode(largest.encoded, SHA256) == largest


def test_transaction_over_the_size_limit_is_refused():
    """COD-033 refused: it cannot be made, and not be read by whoever makes it anyway."""
    with pytest.raises(TooLargeError):
        transaction_of(TRANSACTION_BYTES_MAX + 1)
    largest = transaction_of(TRANSACTION_BYTES_MAX)
    body = largest.body_bytes.replace(b"issue", b"issued").replace(b"\x65issued", b"\x66issued")
    with pytest.raises(TooLargeError):
        Transaction.decode(encode([body, list(largest.signatures)]), SHA256)


def test_transaction_number_of_signatures_other_than_signers_is_refused():
    real = CHAIN.transaction()
    for signatures in ([], [bytes(64)] * 2):
        with pytest.raises(MalformedError):
            Transaction.decode(encode([real.body_bytes, signatures]), SHA256)


def test_transaction_signed_over_another_message_does_not_verify():
    """COD-020 refused: the bare id, or another domain, is not what is signed."""
    real = CHAIN.transaction()
    for message in (real.id, b"yunhe/sign-envelope/1\x00" + real.id):
        encoded = encode([real.body_bytes, [CHAIN.clerk.sign(message)]])
        (verdict,) = open_transactions([encoded], SHA256)
        assert isinstance(verdict, InvalidSignatureError)


def test_open_transactions_judges_each_for_itself():
    good, other = CHAIN.transaction(1), CHAIN.transaction(2)
    bad_signature = encode([other.body_bytes, [bytes(64)]])
    unknown_suite = CHAIN.body(3, signers=(replace(signer(1), suite="md5-rsa"),)).encode()
    verdicts = open_transactions([b"", bad_signature, good.encoded, encode([unknown_suite, [bytes(64)]]), b"\xff" * 9], SHA256)
    names = [getattr(verdict, "code", "transaction") for verdict in verdicts]
    assert names == ["NOT_CANONICAL", "SIGNATURE_INVALID", "transaction", "SUITE_UNKNOWN", "NOT_CANONICAL"]


def test_open_transactions_one_of_several_signatures_wrong_refuses_the_transaction():
    body = CHAIN.body(signers=(signer(1), signer(3)))
    real = sign_transaction(body, [key(1), key(3)], SHA256)
    (verdict,) = open_transactions([encode([real.body_bytes, [real.signatures[0], real.signatures[0]]])], SHA256)
    assert isinstance(verdict, InvalidSignatureError)


@given(st.binary(max_size=300))
def test_decoders_any_bytes_give_only_our_errors(data):
    for decoder in (
        lambda: Transaction.decode(data, SHA256),
        lambda: TransactionBody.decode(data),
        lambda: Envelope.decode(data, SHA256),
        lambda: Receipt.decode(data),
        lambda: Header.decode(data),
    ):
        with pytest.raises(InvalidInputError):
            decoder()


@given(st.data())
def test_transaction_any_altered_byte_is_refused_or_another_id(data):
    real = CHAIN.transaction()
    position = data.draw(st.integers(0, len(real.encoded) - 1))
    altered = bytearray(real.encoded)
    altered[position] ^= data.draw(st.integers(1, 255))
    (verdict,) = open_transactions([bytes(altered)], SHA256)
    assert isinstance(verdict, InvalidInputError)


def test_envelope_round_trip():
    """COD-040, COD-041 accepted."""
    envelope = CHAIN.envelope(CHAIN.transaction(1), CHAIN.transaction(2))
    assert Envelope.decode(envelope.encoded, SHA256) == envelope
    assert len(open_envelope(envelope.encoded, SHA256).verdicts) == 2


def test_envelope_with_a_wrong_signature_is_not_opened():
    """COD-041: an attacker's contents are not even decoded."""
    envelope = seal_envelope(NETWORK, CHAIN.identity, 1, [b"not a transaction"], key(9), SHA256)
    with pytest.raises(InvalidSignatureError):
        open_envelope(envelope.encoded, SHA256)


def test_envelope_empty_or_too_many_transactions_is_refused():
    """COD-040 refused."""
    for transactions in ([], [b"x"] * 1025):
        with pytest.raises(MalformedError):
            seal_envelope(NETWORK, CHAIN.identity, 1, transactions, CHAIN.node, SHA256)


@given(st.lists(st.integers(1, TRANSACTION_BYTES_MAX), max_size=30))
def test_split_for_envelopes_keeps_order_and_fits(sizes):
    transactions = [bytes([i]) * size for i, size in enumerate(sizes)]
    groups = split_for_envelopes(transactions)
    assert [t for group in groups for t in group] == transactions
    for group in groups:
        assert len(seal_envelope(NETWORK, CHAIN.identity, 2**62, group, CHAIN.node, SHA256).encoded) <= ENVELOPE_BYTES_MAX


def test_receipt_round_trip():
    """COD-050 accepted."""
    event = Event("bill", "BillTransferred", {"bill_id": "B1", "to": None})
    for outcome in (Outcome("OK", -1, 5, (None, [1, "x"]), (event,)), Outcome("NOT_HOLDER", 1, 5), Outcome("KEY_REVOKED", -1, 0)):
        receipt = Receipt.make(bytes(32), outcome)
        assert Receipt.decode(receipt.encoded) == receipt


@pytest.mark.parametrize(
    "fields",
    [
        ["OK", -1, 5, [], []],
        ["OK", 0, 5, [None], []],
        ["NOT_HOLDER", 0, 5, [None], []],
        ["NOT_HOLDER", 0, 5, [], [["bill", "E", {}]]],
        ["NOT_HOLDER", 16, 5, [], []],
        ["NOT_HOLDER", -2, 5, [], []],
        ["OK", -1, -5, [None], []],
    ],
)
def test_receipt_that_contradicts_its_code_is_refused(fields):
    """COD-050 refused."""
    with pytest.raises(MalformedError):
        Receipt.decode(encode([1, bytes(32), *fields]))


@pytest.mark.parametrize("decoder", [TransactionBody.decode, Receipt.decode, Header.decode])
def test_decoders_another_version_is_refused_by_name(decoder):
    """COD-005."""
    lengths = {TransactionBody.decode: 7, Receipt.decode: 7, Header.decode: 9}
    with pytest.raises(MalformedError, match="version 2 is unknown"):
        decoder(encode([2] + [0] * (lengths[decoder] - 1)))

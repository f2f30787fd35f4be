"""STO-003: the record of a block as bytes."""

from dataclasses import replace

import pytest

from tests.unit.storage.records import make_record
from tests.unit.storage.stored_chain import GENESIS, add_block
from yunhe.crypto import SHA256
from yunhe.errors import InvalidInputError
from yunhe.ledger.codec import decode, encode
from yunhe.storage import block_record
from yunhe.storage.block_record import RECORD_START_BYTES, BlockRecord, header_at_start

RECORD = make_record(3, 20)


def test_record_is_what_was_encoded():
    """STO-003 accepted."""
    assert BlockRecord.decode(RECORD.encode()) == RECORD
    assert header_at_start(RECORD.encode()[:RECORD_START_BYTES]) == RECORD.header


def test_record_of_a_committed_block_is_that_block(open_store):
    """STO-003 accepted: everything that cannot be derived is in it."""
    store = open_store()
    block = add_block(store, 1, 2)
    assert store.record(1).block(SHA256) == block
    assert store.record(0).block(SHA256).header == GENESIS.header(store.header(0).state_root)


PARTS = decode(RECORD.encode(), 10_000)
WRONG = {
    "another version": [2, *PARTS[1:]],
    "a part too few": PARTS[:-1],
    "a part too many": [*PARTS, 0],
    "no array": {"header": b""},
    "an engine height below 0": [*PARTS[:2], -1, *PARTS[3:]],
    "a transaction that is text": [*PARTS[:3], ["text"], *PARTS[4:]],
    "a receipt too many": [*PARTS[:4], [*PARTS[4], b""], PARTS[5]],
    "no receipts": [*PARTS[:4], [], PARTS[5]],
    "writes out of order": [*PARTS[:5], PARTS[5][::-1]],
    "a key twice": [*PARTS[:5], [PARTS[5][0]] * 2],
    "a write without a value": [*PARTS[:5], [[b"key"]]],
    "a value that is a number": [*PARTS[:5], [[b"key", 1]]],
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_record_of_another_form_is_refused(wrong):
    """STO-003 refused."""
    with pytest.raises(InvalidInputError):
        BlockRecord.decode(encode(wrong))


def test_record_cut_or_lengthened_is_refused():
    """STO-003 refused, at every length."""
    encoded = RECORD.encode()
    for content in [*(encoded[:length] for length in range(len(encoded))), encoded + b"\x00"]:
        with pytest.raises(InvalidInputError):
            BlockRecord.decode(content)


def test_record_over_a_limit_is_refused_and_one_at_it_accepted(monkeypatch):
    """STO-003."""
    encoded = RECORD.encode()
    monkeypatch.setattr(block_record, "BLOCK_RECORD_BYTES_MAX", len(encoded))
    assert BlockRecord.decode(encoded) == RECORD
    monkeypatch.setattr(block_record, "BLOCK_RECORD_BYTES_MAX", len(encoded) - 1)
    with pytest.raises(InvalidInputError):
        BlockRecord.decode(encoded)
    monkeypatch.undo()
    three = replace(RECORD, transactions=(b"t",) * 3, receipts=(b"r",) * 3)
    monkeypatch.setattr(block_record, "BLOCK_TRANSACTIONS_MAX", 3)
    assert BlockRecord.decode(three.encode()) == three
    monkeypatch.setattr(block_record, "BLOCK_TRANSACTIONS_MAX", 2)
    with pytest.raises(InvalidInputError):
        BlockRecord.decode(three.encode())


@pytest.mark.parametrize("start", [b"", b"\x86\x01", b"\x86\x02\x58\x01h", b"\x86\x01\x58\x05head", b"\x85\x01\x58\x01h"])
def test_beginning_of_something_else_is_refused(start):
    """STO-003 refused: a header alone is read only where a record begins."""
    with pytest.raises(InvalidInputError):
        header_at_start(start)

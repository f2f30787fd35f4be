"""Protobuf between node and engine: what is written is read, and any bytes give fields or our refusal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yunhe.consensus.cometbft import messages
from yunhe.consensus.cometbft.messages import (
    CheckTx,
    FinalizeBlock,
    PrepareProposal,
    ProcessProposal,
    VerifyVoteExtension,
    Vote,
    read_request,
)
from yunhe.consensus.cometbft.wire import Fields, bytes_field, integer_field, message_field, repeated_field, varint
from yunhe.errors import EngineMessageError


@given(st.integers(-(2**63), 2**63 - 1), st.binary(), st.lists(st.binary()))
def test_fields_that_are_written_are_read(number: int, octets: bytes, several: list[bytes]) -> None:
    fields = Fields(integer_field(1, number) + bytes_field(2, octets) + repeated_field(3, several) + integer_field(1, number))
    assert (fields.integer(1), fields.octets(2), fields.all(3)) == (number, octets, tuple(several))
    assert (fields.integer(9), fields.octets(9), fields.all(9), fields.text(9)) == (0, b"", (), "")


# Fields that nobody here knows, of every kind that protobuf has.
UNKNOWN = varint(77 << 3) + varint(5) + varint(78 << 3 | 1) + bytes(8) + varint(79 << 3 | 5) + bytes(4) + message_field(80, b"x")


def test_fields_that_are_unknown_are_passed_over() -> None:
    assert Fields(UNKNOWN + integer_field(1, 7) + UNKNOWN).integer(1) == 7


@pytest.mark.parametrize(
    "data", [b"\x08", b"\x0a\x05abc", b"\x0b", b"\x0c", b"\x08" + b"\xff" * 10, b"\x09\x00", b"\x0a\xff\xff\xff\xff\x7f"]
)
def test_bytes_that_are_no_message_are_refused(data: bytes) -> None:
    with pytest.raises(EngineMessageError):
        Fields(data)


@given(st.binary())
def test_any_bytes_give_a_request_or_our_refusal(data: bytes) -> None:
    for attempt in (data, message_field(16, data), message_field(20, data), message_field(19, data)):
        try:
            read_request(attempt)
        except EngineMessageError:
            continue


def test_requests_are_read_by_their_numbers() -> None:
    time = integer_field(1, 1_790_000_000) + integer_field(2, 42_999_999)
    vote = message_field(1, bytes_field(1, b"address")) + bytes_field(3, b"extension")
    commit = message_field(3, message_field(2, vote))
    proposal = integer_field(1, 1000) + repeated_field(2, [b"a", b""]) + commit + integer_field(5, 7) + message_field(6, time)
    block = repeated_field(1, [b"a"]) + bytes_field(4, b"hash") + integer_field(5, 7) + message_field(6, time)
    requests = {
        16: (proposal, PrepareProposal(1000, (b"a", b""), (Vote(b"address", b"extension"),), 7, 1_790_000_000_042)),
        17: (block, ProcessProposal((b"a",), 7)),
        20: (block, FinalizeBlock((b"a",), b"hash", 7, 1_790_000_000_042)),
        19: (bytes_field(2, b"v") + integer_field(3, 7) + bytes_field(4, b"x"), VerifyVoteExtension(b"v", 7, b"x")),
        8: (bytes_field(1, b"a") + integer_field(2, 1), CheckTx(b"a", is_again=True)),
    }
    for number, (content, request) in requests.items():
        assert read_request(message_field(number, content)) == (request, number + 1)


@pytest.mark.parametrize("data", [b"", message_field(4, b""), message_field(99, b""), message_field(2, b"") + message_field(3, b"")])
def test_what_is_no_request_is_refused(data: bytes) -> None:
    with pytest.raises(EngineMessageError):
        read_request(data)


def test_result_of_a_block_has_one_constant_for_each_envelope() -> None:
    fields = Fields(messages.finalized_content(3, b"root"))
    assert (fields.all(2), fields.octets(5)) == ((b"", b"", b""), b"root")

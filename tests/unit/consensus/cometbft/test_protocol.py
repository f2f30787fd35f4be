"""What Yunhe says of ABCI is what the pinned CometBFT says of it: names, numbers, types, and values of enumerations."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
)
from hypothesis import given
from hypothesis import strategies as st

import yunhe
from yunhe.consensus.cometbft._generated import abci_pb2
from yunhe.consensus.cometbft.abci_server import frame, parse_request
from yunhe.errors import EngineMessageError

ENGINE = Path(yunhe.__file__).parents[2] / "engine"


def fields(message: DescriptorProto) -> Iterator[tuple[object, ...]]:
    for field in message.field:
        in_oneof = field.HasField("oneof_index")
        kind = field.type_name.rpartition(".")[2]
        yield message.name, field.name, field.number, FieldDescriptorProto.Type.Name(field.type), field.label, kind, in_oneof


def values(enum: EnumDescriptorProto, owner: str) -> Iterator[tuple[object, ...]]:
    for value in enum.value:
        yield owner, enum.name, value.name, value.number


def facts(file: FileDescriptorProto) -> set[tuple[object, ...]]:
    found = {fact for enum in file.enum_type for fact in values(enum, "")}
    for message in file.message_type:
        found |= {*fields(message), *(fact for enum in message.enum_type for fact in values(enum, message.name))}
    return found


@pytest.fixture(scope="module")
def theirs() -> set[tuple[object, ...]]:
    go = shutil.which("go")
    if go is None:
        pytest.skip("Go is not on this machine")
    command = [go, "run", "-mod=readonly", "-trimpath", "./descriptors"]
    done = subprocess.run(command, cwd=ENGINE, env={**os.environ, "CGO_ENABLED": "0"}, capture_output=True, check=True)
    return {fact for file in FileDescriptorSet.FromString(done.stdout).file for fact in facts(file)}


def ours() -> set[tuple[object, ...]]:
    file = FileDescriptorProto()
    abci_pb2.DESCRIPTOR.CopyToProto(file)
    return facts(file)


def test_every_field_and_value_is_the_pinned_versions(theirs: set[tuple[object, ...]]) -> None:
    """ABC-001 accepted."""
    assert ours() - theirs == set()


@pytest.mark.parametrize("number", [3, 5])
def test_slip_in_a_number_is_found(theirs: set[tuple[object, ...]], number: int) -> None:
    """ABC-001 refused."""
    file = FileDescriptorProto()
    abci_pb2.DESCRIPTOR.CopyToProto(file)
    check_tx = next(message for message in file.message_type if message.name == "RequestCheckTx")
    check_tx.field[1].number = number
    assert len(facts(file) - theirs) == 1


def test_every_request_that_can_come_is_known(theirs: set[tuple[object, ...]]) -> None:
    """ABC-001: but for the two of a mempool that is the application's own, which the settings do not choose."""
    asked = {fact[1] for fact in theirs if fact[0] == "Request"}
    assert asked - {fact[1] for fact in ours() if fact[0] == "Request"} == {"insert_tx", "reap_txs"}


# Fields that nobody here knows, of every kind that protobuf has.
UNKNOWN = b"\xe8\x04\x05" + b"\xf1\x04" + bytes(8) + b"\xfd\x04" + bytes(4) + b"\x82\x05\x01x"


def test_fields_that_are_unknown_are_passed_over() -> None:
    """ABC-001 accepted."""
    asked = abci_pb2.Request(check_tx={"tx": b"x"})
    for data in (UNKNOWN + asked.SerializeToString(), asked.SerializeToString() + UNKNOWN):
        assert parse_request(data).check_tx == asked.check_tx


@given(st.binary(), st.sampled_from([0, 8, 16, 17, 19, 20]))
def test_any_bytes_give_a_request_or_our_refusal(data: bytes, number: int) -> None:
    """ABC-001, ABC-002 refused."""
    head = (
        b""
        if number == 0
        else (number << 3 | 2).to_bytes(1, "big")
        if number < 16
        else bytes([(number << 3 | 2) & 0x7F | 0x80, number >> 4])
    )
    with contextlib.suppress(EngineMessageError):
        parse_request(data if number == 0 else head + frame(data))

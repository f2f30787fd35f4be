"""The reference codec: COD-001 to COD-006 of docs/spec/encoding.md."""

import enum
import json
from collections.abc import Callable

import cbor2
import pytest

from tests.vectors_file import vectors
from yunhe import limits, verifier
from yunhe.errors import EncodingError, ValueNotEncodableError
from yunhe.ledger import codec as ledger_codec
from yunhe.verifier import VerificationError, decode, encode

RFC8949 = vectors("cbor_rfc8949")


def nested(depth: int) -> bytes:
    return b"\x81" * (depth - 1) + b"\x80"


@pytest.mark.parametrize(("text", "encoding"), RFC8949["accepted"])
def test_rfc8949_example_round_trips(text: str, encoding: str) -> None:
    assert encode(json.loads(text)) == bytes.fromhex(encoding)
    assert decode(bytes.fromhex(encoding)) == json.loads(text)


@pytest.mark.parametrize(("encoding", "rule", "_what"), RFC8949["refused"])
def test_rfc8949_example_outside_the_subset_is_refused(encoding: str, rule: str, _what: str) -> None:
    with pytest.raises(VerificationError) as refusal:
        decode(bytes.fromhex(encoding))
    assert refusal.value.rule == rule


@pytest.mark.parametrize(
    "value", [verifier.INTEGER_MIN, -(2**32) - 1, -(2**32), -25, -24, 255, 256, 65535, 65536, 2**32, verifier.INTEGER_MAX]
)
def test_integer_at_a_boundary_round_trips_as_an_independent_encoder_has_it(value: int) -> None:
    assert encode(value) == cbor2.dumps(value)
    assert decode(encode(value)) == value


BAD_VALUES = {
    "an integer above the range": (2**63, "COD-002"),
    "an integer below the range": (-(2**63) - 1, "COD-002"),
    "a float": (1.0, "COD-002"),
    "a set": ({1}, "COD-002"),
    "an object": (object(), "COD-002"),
    "a bytearray, which can change": (bytearray(b"x"), "COD-002"),
    "a lone surrogate": ("\ud800", "COD-002"),
    "a truth value as a key": ({True: 1}, "COD-002"),
    "bytes as a key": ({b"a": 1}, "COD-002"),
    "a float deep inside": ([{"a": [1, 0.5]}], "COD-002"),
}


@pytest.mark.parametrize("case", BAD_VALUES)
def test_value_without_an_encoding_is_refused(case: str) -> None:
    value, rule = BAD_VALUES[case]
    with pytest.raises(VerificationError) as refusal:
        encode(value)
    assert refusal.value.rule == rule


def test_value_that_holds_itself_is_refused() -> None:
    loop: list[object] = []
    loop.append(loop)
    with pytest.raises(VerificationError, match="COD-003"):
        encode(loop)


def test_subclasses_are_what_they_extend_and_tuples_are_arrays() -> None:
    class Status(enum.StrEnum):
        ISSUED = "issued"

    class Level(enum.IntEnum):
        HIGH = 3

    assert encode((Status.ISSUED, Level.HIGH)) == encode(["issued", 3])


def test_keys_that_encode_alike_are_refused() -> None:
    class Other(str):
        __slots__ = ()

        def __hash__(self) -> int:
            return 1

        def __eq__(self, other: object) -> bool:
            return self is other

    with pytest.raises(VerificationError, match="COD-001"):
        encode({Other("a"): 1, "a": 2})


# COD-001
def test_map_keys_come_in_bytewise_order() -> None:
    value = {"b": 1, "aa": 2, 10: 3, -1: 4, 100: 5, "a": 6}
    assert encode(value).hex() == "a60a0318640520046161066162016261610" + "2"
    assert decode(encode(value)) == value


BAD_BYTES = {
    "nothing": ("", "COD-004"),
    "a second item": ("0000", "COD-004"),
    "a head cut short": ("19ff", "COD-004"),
    "a text cut short": ("6261", "COD-004"),
    "an array cut short": ("8201", "COD-004"),
    "a map without its last value": ("a16161", "COD-004"),
    "a text said to be 2^64 - 1 bytes": ("7bffffffffffffffff", "COD-004"),
    "an array said to have 2^64 - 1 items": ("9bffffffffffffffff", "COD-004"),
    "a map said to have 2^63 entries": ("bb8000000000000000", "COD-004"),
    "an array of more items than bytes left": ("840102", "COD-004"),
    "a one-byte head for 23": ("1817", "COD-001"),
    "a two-byte head for 255": ("1900ff", "COD-001"),
    "a four-byte head for 65535": ("1a0000ffff", "COD-001"),
    "an eight-byte head for 2^32 - 1": ("1b00000000ffffffff", "COD-001"),
    "a long head of a text": ("780161", "COD-001"),
    "a reserved length": ("1c", "COD-001"),
    "keys out of order": ("a2616201616101", "COD-001"),
    "a longer key first": ("a262616101616201", "COD-001"),
    "a key twice": ("a2616101616102", "COD-001"),
    "a byte string as a key": ("a1416101", "COD-002"),
    "a truth value as a key": ("a1f501", "COD-002"),
    "an array as a key": ("a18001", "COD-002"),
    "2^63": ("1b8000000000000000", "COD-002"),
    "-2^63 - 1": ("3b8000000000000000", "COD-002"),
    "a text of invalid UTF-8": ("61ff", "COD-002"),
    "an overlong zero": ("62c080", "COD-002"),
    "a surrogate": ("63eda080", "COD-002"),
    "a simple value in two bytes that has one": ("f814", "COD-002"),
    "a break": ("ff", "COD-002"),
}


@pytest.mark.parametrize("case", BAD_BYTES)
def test_bytes_that_are_not_canonical_are_refused(case: str) -> None:
    data, rule = BAD_BYTES[case]
    with pytest.raises(VerificationError) as refusal:
        decode(bytes.fromhex(data))
    assert refusal.value.rule == rule


# COD-003
def test_containers_nest_to_the_limit() -> None:
    assert encode(decode(nested(limits.CODEC_DEPTH_MAX))) == nested(limits.CODEC_DEPTH_MAX)


@pytest.mark.parametrize("depth", [limits.CODEC_DEPTH_MAX + 1, 100_000])
def test_containers_nested_beyond_the_limit_are_refused_both_ways_cod_003(depth: int) -> None:
    with pytest.raises(VerificationError, match="COD-003"):
        decode(nested(depth))
    value: object = []
    for _ in range(depth - 1):
        value = [value]
    with pytest.raises(VerificationError, match="COD-003"):
        encode(value)


def integer_map(count: int) -> bytes:
    """Encode a map of `count` integer keys and two text keys without a limit."""
    keys = [*sorted(encode(number) for number in range(count)), encode("a"), encode("b")]
    return b"\xb9" + len(keys).to_bytes(2, "big") + b"".join(key + b"\x00" for key in keys)


# COD-006
@pytest.mark.parametrize("decoder", [decode, lambda data: ledger_codec.decode(data, len(data))], ids=["reference", "ledger"])
def test_map_has_integer_keys_to_the_limit_and_any_number_of_texts(decoder: Callable[[bytes], object]) -> None:
    most = limits.CODEC_INTEGER_KEYS_MAX
    assert decoder(integer_map(most)) == dict.fromkeys([*range(most), "a", "b"], 0)
    texts = {f"{number:05}": 0 for number in range(2 * most)}
    assert decoder(encode(texts)) == texts


@pytest.mark.parametrize("decoder", [decode, lambda data: ledger_codec.decode(data, len(data))], ids=["reference", "ledger"])
def test_map_of_more_integer_keys_is_refused_cod_006(decoder: Callable[[bytes], object]) -> None:
    with pytest.raises((VerificationError, EncodingError), match="COD-006"):
        decoder(integer_map(limits.CODEC_INTEGER_KEYS_MAX + 1))


@pytest.mark.parametrize("encoder", [encode, ledger_codec.encode], ids=["reference", "ledger"])
def test_map_of_integer_keys_is_encoded_to_the_limit_cod_006(encoder: Callable[[object], bytes]) -> None:
    most = limits.CODEC_INTEGER_KEYS_MAX
    fitting: dict[int | str, int] = dict.fromkeys([*range(most), "a", "b"], 0)
    assert encoder(fitting) == integer_map(most)
    with pytest.raises((VerificationError, ValueNotEncodableError), match="COD-006"):
        encoder(fitting | {-1: 0})


def test_limits_are_those_of_the_protocol() -> None:
    repeated = {name: value for name, value in vars(verifier).items() if name.isupper() and isinstance(value, int) and name[0] != "_"}
    assert repeated == {name: getattr(limits, name) for name in repeated}
    assert len(repeated) > 15

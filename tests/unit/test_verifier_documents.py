"""RFC 8785 canonical JSON and document checksums in the verifier (PRF-020)."""

import json
import struct

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from tests.proof_chain import CHECKSUM, CHECKSUM_DOCUMENT, certifiers, sample_chain, sealed
from tests.vectors_file import vectors
from yunhe import verifier
from yunhe.verifier import VerificationError, canonical_json, check_document, es6_number

NUMBERS = vectors("numbers_rfc8785")


def double(bits: str) -> float:
    (number,) = struct.unpack(">d", bytes.fromhex(bits))
    return float(number)


@pytest.mark.parametrize(("bits", "text"), NUMBERS["accepted"])
def test_rfc8785_number_is_written_as_ecmascript_does(bits: str, text: str) -> None:
    assert es6_number(double(bits)) == text


@pytest.mark.parametrize("bits", NUMBERS["refused"])
def test_rfc8785_number_that_is_not_finite_is_refused_prf_020(bits: str) -> None:
    with pytest.raises(VerificationError, match="PRF-020"):
        es6_number(double(bits))


# Origin: RFC 8785 sections 3.2.2 and 3.2.3.
CANONICAL = {
    "the RFC's example of values": (
        b'{"numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],'
        b'"string": "\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/", "literals": [null, true, false]}',
        '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    ),
    "the RFC's example of sorting": (
        b'{"\\u20ac": "Euro Sign", "\\r": "Carriage Return", "\\ufb33": "Hebrew Letter Dalet With Dagesh", "1": "One",'
        b'"\\ud83d\\ude00": "Emoji: Grinning Face", "\\u0080": "Control", "\\u00f6": "Latin Small Letter O With Diaeresis"}',
        '{"\\r":"Carriage Return","1":"One","\x80":"Control","ö":"Latin Small Letter O With Diaeresis","€":"Euro Sign",'
        '"\U0001f600":"Emoji: Grinning Face","\ufb33":"Hebrew Letter Dalet With Dagesh"}',
    ),
    "zeros": (b"[0, -0, 0.0, -0.0, 0e5]", "[0,0,0,0,0]"),
    "the largest integers": (b"[9007199254740991, -9007199254740991]", "[9007199254740991,-9007199254740991]"),
    "a text alone": (b' "x" ', '"x"'),
    "nothing inside": (b'{"b": {}, "a": []}', '{"a":[],"b":{}}'),
}


@pytest.mark.parametrize("case", CANONICAL)
def test_document_has_one_canonical_form(case: str) -> None:
    document, canonical = CANONICAL[case]
    assert canonical_json(document) == canonical.encode()


BAD_DOCUMENTS = {
    "nothing": b"",
    "not JSON": b"{",
    "not UTF-8": b'"\xff"',
    "a byte order mark": b"\xef\xbb\xbf{}",
    "a duplicate name": b'{"a": 1, "a": 1}',
    "a duplicate name by another spelling": b'{"a": 1, "\\u0061": 2}',
    "a duplicate name deep inside": b'[{"x": {"a": 1, "a": 2}}]',
    "a lone surrogate in a text": b'["\\ud800"]',
    "a lone surrogate in a name": b'{"\\udc00": 1}',
    "not a number": b"[NaN]",
    "infinity": b"[-Infinity]",
    "a number too large for a double": b"[1e400]",
    "an integer that a double does not hold": b"[9007199254740993]",
    "an integer of 5000 digits": b"[" + b"7" * 5000 + b"]",
    "65 nested containers": b"[" * 65 + b"]" * 65,
    "nested without end": b"[" * 100_000,
    "too many bytes": b'"' + b"x" * verifier.DOCUMENT_BYTES_MAX + b'"',
    "digits of another script": "[\uff11]".encode(),
    "two values": b"1 2",
}


@pytest.mark.parametrize("case", BAD_DOCUMENTS)
def test_document_without_a_canonical_form_is_refused_prf_020(case: str) -> None:
    with pytest.raises(VerificationError) as refusal:
        canonical_json(BAD_DOCUMENTS[case])
    assert refusal.value.rule == "PRF-020"


def test_document_nested_to_the_limit_is_accepted() -> None:
    document = b"[" * 64 + b"]" * 64
    assert canonical_json(document) == document


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(JSON_VALUES)
def test_canonical_form_is_that_of_the_rfc8785_package(value: object) -> None:
    assert canonical_json(json.dumps(value).encode()) == rfc8785.dumps(value)  # type: ignore[arg-type]


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_number_reads_back_as_the_same_double(number: float) -> None:
    assert float(es6_number(number)) == number


@given(st.binary(max_size=40) | st.text(alphabet='{}[]",:0123456789.eE+-\\u dabc', max_size=40).map(str.encode))
def test_any_document_gives_a_form_or_our_error(document: bytes) -> None:
    try:
        form = canonical_json(document)
    except VerificationError:
        return
    assert canonical_json(form) == form


# --- the checksum in a bundle ---------------------------------------------------------------------------------------------

CHAIN = sample_chain(certifiers("carrier"))
OF_RECORD = ["ebl", "bills", ["B-1"]]


def proof(*subjects: list[object]) -> verifier.VerifiedProof:
    return verifier.verify(sealed(CHAIN.bundle([4], 1, *subjects)), CHAIN.genesis)


# PRF-020
def test_document_is_found_in_a_record_and_in_an_event_of_a_receipt() -> None:
    record, absence = CHAIN.state_subject(1, *OF_RECORD), CHAIN.state_subject(1, "ebl", "bills", ["none"])
    assert check_document(proof(record), CHECKSUM_DOCUMENT) == 0
    assert check_document(proof(absence, CHAIN.receipt_subject(1, 0)), CHECKSUM_DOCUMENT) == 1


@pytest.mark.parametrize(
    "document", [CHECKSUM_DOCUMENT.replace(b"2.50", b"2.51"), CHECKSUM_DOCUMENT + b" x", json.dumps(CHECKSUM).encode()]
)
def test_other_document_is_refused_prf_020(document: bytes) -> None:
    with pytest.raises(VerificationError, match="PRF-020"):
        check_document(proof(CHAIN.state_subject(1, *OF_RECORD)), document)


def test_checksum_in_another_field_or_of_a_refused_transaction_does_not_count_prf_020() -> None:
    subjects = [CHAIN.receipt_subject(1, 1), CHAIN.transaction_subject(1, 0), CHAIN.state_subject(1, "ebl", "bills", ["B-2"])]
    with pytest.raises(VerificationError, match="PRF-020"):
        check_document(proof(*subjects), CHECKSUM_DOCUMENT)

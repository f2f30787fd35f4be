"""A document's file is read in one way only, and its checksum is that of its RFC 8785 form."""

import hashlib
import json
from importlib.resources import as_file, files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yunhe import verifier
from yunhe_maritime.document_file import DOCUMENT_VALUES_MAX, document_checksum, filled_fields, load_document, parse_document
from yunhe_maritime.errors import DocumentNotReadableError, InvalidDocumentError
from yunhe_maritime.strict_json import DOCUMENT_BYTES_MAX, DOCUMENT_DEPTH_MAX, values

SAMPLE = files("yunhe_maritime").joinpath("sample_document.json")


def test_sample_is_loaded_with_its_bytes() -> None:
    with as_file(SAMPLE) as path:
        document, raw = load_document(path)
    assert raw == SAMPLE.read_bytes()
    assert document.is_to_order


def test_sample_holds_numbers_that_plain_json_writes_differently() -> None:
    text = SAMPLE.read_text(encoding="utf-8")
    assert ": 12000.0" in text
    assert ": 1.0" in text
    value = json.loads(text)
    plain = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert document_checksum(SAMPLE.read_bytes()) != hashlib.sha256(plain).hexdigest()


def test_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DocumentNotReadableError, match="no-such"):
        load_document(tmp_path / "no-such.json")


def test_folder_in_place_of_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DocumentNotReadableError):
        load_document(tmp_path)


CANONICAL = {
    # RFC 8785, section 3.2.2 (numbers), 3.2.3 (sorting by UTF-16 code units), 3.2.2.2 (strings)
    b'{"b": 12000.0, "a": 1.0}': b'{"a":1,"b":12000}',
    b"[1e30, 4.50, 2e-3, 0.000000000000000000000000001, 333333333.33333329]": b"[1e+30,4.5,0.002,1e-27,333333333.3333333]",
    b"[-0.0, 1e21, 123456789012345680000.0]": b"[0,1e+21,123456789012345680000]",
    b'{"\\u20ac": "Euro", "\\r": "CR", "\\ud83d\\ude00": "grin", "1": "One"}': '{"\\r":"CR","1":"One","€":"Euro","😀":"grin"}'.encode(),
    b'["\\u000F", "\\u000a", "A\'\\u0042\\u0022\\u005c\\\\\\"\\/"]': b'["\\u000f","\\n","A\'B\\"\\\\\\\\\\"/"]',
    b" [true, false, null] ": b"[true,false,null]",
}


@pytest.mark.parametrize(("raw", "canonical"), CANONICAL.items(), ids=[str(index) for index in range(len(CANONICAL))])
def test_checksum_is_the_sha256_of_the_rfc_8785_form(raw: bytes, canonical: bytes) -> None:
    assert document_checksum(raw) == hashlib.sha256(canonical).hexdigest()


def test_deepest_allowed_json_has_a_checksum() -> None:
    raw = b"[" * DOCUMENT_DEPTH_MAX + b"]" * DOCUMENT_DEPTH_MAX
    assert document_checksum(raw) == hashlib.sha256(raw).hexdigest()


def test_filled_fields_are_counted_at_all_depths() -> None:
    assert filled_fields(b'{"a": [1, [], {}, {"b": null}], "c": "x"}') == 3
    assert filled_fields(SAMPLE.read_bytes()) >= 60


def test_document_of_more_values_than_are_checked_is_refused_at_once() -> None:
    value = json.loads(SAMPLE.read_bytes())
    room = DOCUMENT_VALUES_MAX - sum(1 for _ in values(value)) - 1
    parse_document(json.dumps(value | {"more": [0] * room}).encode())
    with pytest.raises(InvalidDocumentError, match="at most 50000 values"):
        parse_document(json.dumps(value | {"more": [0] * (room + 1)}).encode())


@pytest.mark.parametrize("raw", [b"[]", b"null", b"1", b'"BOL"'])
def test_json_that_is_no_object_is_no_document(raw: bytes) -> None:
    with pytest.raises(InvalidDocumentError):
        parse_document(raw)


@given(st.binary(max_size=200))
def test_any_bytes_give_only_our_error(raw: bytes) -> None:
    with pytest.raises(InvalidDocumentError):
        parse_document(raw)


_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(_json, st.sampled_from([None, 1, "\t"]))
def test_checksum_does_not_depend_on_layout_or_order(value: object, indent: int | str | None) -> None:
    def turned(part: object) -> object:
        if isinstance(part, dict):
            return {name: turned(part[name]) for name in reversed(part)}
        return [turned(item) for item in part] if isinstance(part, list) else part

    plain = json.dumps(value).encode()
    other = json.dumps(turned(value), indent=indent, ensure_ascii=False).encode()
    assert document_checksum(plain) == document_checksum(other)


_PIECES = (
    """[ ] { } , : "a" "a": "\\u0061": 1.0 12000.0 -0 1e400 9007199254740991 9007199254740992 NaN null "\\ud800" "\\ud83d\\ude00" [1, []]"""
)


@given(st.lists(st.sampled_from(_PIECES.split()), max_size=6).map("".join) | _json.map(json.dumps))
def test_checksum_agrees_with_the_verifier_or_both_refuse(text: str) -> None:
    raw = text.encode()
    try:
        ours = document_checksum(raw)
    except InvalidDocumentError:
        with pytest.raises(verifier.VerificationError, match="PRF-020"):
            verifier.canonical_json(raw)
    else:
        assert ours == hashlib.sha256(verifier.canonical_json(raw)).hexdigest()


def test_limits_are_the_verifiers() -> None:
    assert (DOCUMENT_BYTES_MAX, DOCUMENT_DEPTH_MAX) == (verifier.DOCUMENT_BYTES_MAX, verifier.DOCUMENT_DEPTH_MAX)

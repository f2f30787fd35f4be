"""JSON that readers could take for different documents is refused, and the refusal says where it is and what was found."""

import pytest

from yunhe_maritime.document_file import document_checksum, parse_document
from yunhe_maritime.errors import Fault, InvalidDocumentError, json_path
from yunhe_maritime.strict_json import DOCUMENT_BYTES_MAX, DOCUMENT_DEPTH_MAX, parse_json, values

REFUSED: dict[str, tuple[bytes, str, str]] = {
    "nothing": (b"", "", "line 1, column 1"),
    "not JSON": (b"bill of lading", "", "line 1, column 1"),
    "two values": (b"{} {}", "", "line 1, column 4"),
    "a name given twice": (b'{"a": 1, "a": 1}', "", 'found "a" twice'),
    "a name given twice, deep and escaped": (b'[{"x": {"a": 1, "\\u0061": 2}}]', "[0].x", 'found "a" twice'),
    "a name given twice in what is given twice": (b'{"a": {"b": 1, "b": 1}, "a": {}}', "", 'found "a" twice'),
    "NaN": (b'{"a": [1, NaN]}', "a[1]", "NaN"),
    "Infinity": (b"[-Infinity]", "[0]", "too large"),
    "a number over the largest double": (b'{"a": 1e400}', "a", "too large"),
    "an integer that a double cannot hold": (b"[9007199254740992]", "[0]", "found 9007199254740992"),
    "the same, negative": (b"[-9007199254740992]", "[0]", "found -9007199254740992"),
    "an integer of five thousand digits": (b"[" + b"9" * 5000 + b"]", "[0]", "too many digits"),
    "a lone surrogate": (b'{"a": "\\ud800"}', "a", "surrogate"),
    "a lone surrogate as a name": (b'{"b": {"\\udc00": 1}}', "b", "surrogate"),
    "not UTF-8": (b'["\xff"]', "", "byte 2 is not"),
    "UTF-16": ('{"a": 1}'.encode("utf-16"), "", "byte 0 is not"),
    "a byte order mark": (b"\xef\xbb\xbf{}", "", "byte order mark"),
    "a control character in a string": (b'["\n"]', "", "line 1, column 3"),
    "a trailing comma": (b'{\n  "a": 1,\n}', "", "should be JSON; line "),
    "nested too deep": (b"[" * (DOCUMENT_DEPTH_MAX + 1) + b"]" * (DOCUMENT_DEPTH_MAX + 1), "[0]" * DOCUMENT_DEPTH_MAX, "nests more"),
    "nested beyond any stack": (b"[" * 1_000_000, "", "nests more"),
    "too large": (b" " * DOCUMENT_BYTES_MAX + b"{}", "", f"at most {DOCUMENT_BYTES_MAX} bytes"),
}


@pytest.mark.parametrize(("raw", "path", "reason"), REFUSED.values(), ids=REFUSED)
def test_json_that_readers_could_take_for_different_documents_is_refused_with_its_path(raw: bytes, path: str, reason: str) -> None:
    for read in (parse_json, document_checksum, parse_document):
        with pytest.raises(InvalidDocumentError) as caught:
            read(raw)
        (fault,) = caught.value.faults
        assert fault.path == path
        assert reason in fault.reason


def test_every_ambiguity_is_named_at_once() -> None:
    with pytest.raises(InvalidDocumentError) as caught:
        parse_json(b'{"a": NaN, "b": [{"c": 1, "c": 2}], "d": 9007199254740993}')
    assert [fault.path for fault in caught.value.faults] == ["a", "b[0]", "d"]


def test_largest_exact_integers_and_deepest_nesting_are_accepted() -> None:
    assert parse_json(b"[9007199254740991, -9007199254740991]") == [2**53 - 1, 1 - 2**53]
    parse_json(b"[" * DOCUMENT_DEPTH_MAX + b"]" * DOCUMENT_DEPTH_MAX)
    assert parse_json(b'"\\ud83d\\ude00"') == "\U0001f600"


def test_values_come_in_the_order_of_the_document_with_their_paths() -> None:
    document = parse_json(b'{"a": [1, {"b": null}], "c": "x"}')
    assert [(json_path(path), value) for path, value in values(document)] == [
        ("", {"a": [1, {"b": None}], "c": "x"}),
        ("a", [1, {"b": None}]),
        ("a[0]", 1),
        ("a[1]", {"b": None}),
        ("a[1].b", None),
        ("c", "x"),
    ]


def test_name_of_other_characters_is_quoted_in_a_path_and_stays_on_its_line() -> None:
    assert json_path(("a", 0, "x.y\n", "b")) == 'a[0]["x.y\\n"].b'
    assert str(Fault(json_path(("",)), "reason")) == '[""]: reason'

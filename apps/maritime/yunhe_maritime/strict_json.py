"""JSON that every reader takes for the same, and its RFC 8785 form.

Two readers must never see two documents in one file, so JSON is read strictly: UTF-8, one value, no name twice in an object, no number that
is not finite, no integer that a double cannot hold exactly, no lone surrogate. What breaks this is refused with its path.

The RFC 8785 form must equal the one that `yunhe proof verify --document` computes (PRF-020, docs/spec/proofs.md).
"""

import json
import math
from collections.abc import Iterator
from typing import Final, TypeAlias

import rfc8785

from yunhe_maritime.errors import Fault, InvalidDocumentError, json_path

DOCUMENT_BYTES_MAX: Final = 4 * 1024 * 1024
"""Size of a document's file; the verifier has the same limit."""
DOCUMENT_DEPTH_MAX: Final = 64
"""Objects and lists nested in a document."""
_INTEGER_MAX: Final = 2**53 - 1
_INTEGER_DIGITS_MAX: Final = 17
"""More characters than any integer up to `_INTEGER_MAX` has, sign included."""

Json: TypeAlias = dict[str, "Json"] | list["Json"] | str | int | float | bool | None
"""A value of JSON."""
Path: TypeAlias = tuple[str | int, ...]
"""Names and indexes that lead from the document to a value."""

_NESTED: Final = f"nests more than {DOCUMENT_DEPTH_MAX} objects and lists"
_SURROGATE: Final = "should be text of characters; found half of a surrogate pair"


class _Fields(dict[str, Json]):
    """An object as it was read; an object that is to be refused also knows the name that it gives twice."""

    repeated: str | None = None


def parse_json(raw: bytes) -> Json:
    """Read JSON strictly.

    Args:
        raw: at most `DOCUMENT_BYTES_MAX` bytes.

    Raises:
        InvalidDocumentError: it is not JSON, or readers could read it differently.
    """
    if len(raw) > DOCUMENT_BYTES_MAX:
        raise _refusal(Fault("", f"should have at most {DOCUMENT_BYTES_MAX} bytes; found more"))
    try:
        value: Json = json.loads(raw.decode("utf-8"), object_pairs_hook=_object, parse_int=_integer)
    except UnicodeDecodeError as error:
        raise _refusal(Fault("", f"should be text in UTF-8; byte {error.start} is not")) from error
    except RecursionError as error:
        raise _refusal(Fault("", _NESTED)) from error
    except json.JSONDecodeError as error:
        if error.doc.startswith("\ufeff"):
            raise _refusal(Fault("", "should begin with the document; found a byte order mark before it")) from error
        raise _refusal(Fault("", f"should be JSON; line {error.lineno}, column {error.colno}: {error.msg}")) from error
    faults = [Fault(json_path(path), reason) for path, part in values(value) if (reason := _ambiguity(path, part)) is not None]
    if faults:
        raise _refusal(*faults)
    return value


def canonical_json(value: Json) -> bytes:
    """Return the RFC 8785 form of what `parse_json` returned."""
    return rfc8785.dumps(value)


def values(document: Json) -> Iterator[tuple[Path, Json]]:
    """Yield each value with its path, an object or list before what is in it, as deep as a document may nest."""
    waiting: list[tuple[Path, Json]] = [((), document)]
    while waiting:
        path, value = waiting.pop()
        yield path, value
        if isinstance(value, dict | list) and len(path) < DOCUMENT_DEPTH_MAX:
            children = value.items() if isinstance(value, dict) else enumerate(value)
            waiting.extend(reversed([((*path, step), child) for step, child in children]))


def _refusal(*faults: Fault) -> InvalidDocumentError:
    return InvalidDocumentError("the file is not a JSON document that can be read in one way only:", faults)


def _object(pairs: list[tuple[str, Json]]) -> _Fields:
    fields = _Fields()
    for name, value in pairs:
        if name in fields:
            fields.repeated = name
        fields[name] = value
    return fields


def _integer(text: str) -> int | float:
    # What has too many digits to be exact is refused whatever they are, and Python refuses to read thousands of them.
    return int(text) if len(text) <= _INTEGER_DIGITS_MAX else math.inf


def _ambiguity(path: Path, value: Json) -> str | None:
    """Return why readers could take a value for different ones, or None if they cannot."""
    if isinstance(value, dict | list) and len(path) >= DOCUMENT_DEPTH_MAX:
        return _NESTED
    if isinstance(value, _Fields):
        # PRF-020: a reader that takes the first of two equal names sees another document than one that takes the last.
        if value.repeated is not None:
            return f"should give each name once; found {json.dumps(value.repeated)} twice"
        return _SURROGATE if any(map(_is_broken, value)) else None
    if isinstance(value, str):
        return _SURROGATE if _is_broken(value) else None
    if isinstance(value, float) and not math.isfinite(value):
        return "should be a number that a double holds exactly or nearly; found one with too many digits, too large, or NaN"
    if isinstance(value, int) and abs(value) > _INTEGER_MAX:
        return f"should be a whole number of at most {_INTEGER_MAX}, or be written with a decimal point; found {value}"
    return None


def _is_broken(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)

"""A transport document in its file: strict reading, and the checksum that the ledger holds.

The document stays beside the ledger, byte for byte; the ledger holds the SHA-256 of its RFC 8785 form, so that layout and the order of
names do not matter and content does. Two readers must never see two documents in one file, so JSON is read strictly: UTF-8, one value, no
name twice in an object, no number that is not finite, no integer that a double cannot hold exactly, no lone surrogate.

The checksum must equal what `yunhe proof verify --document` computes (PRF-020, docs/spec/proofs.md).
"""

import hashlib
import json
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Final, TypeAlias

import rfc8785
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from yunhe_maritime.errors import DocumentNotReadableError, Fault, InvalidDocumentError
from yunhe_maritime.field_types import PATTERN_MEANINGS
from yunhe_maritime.transport_document import TransportDocument

DOCUMENT_BYTES_MAX: Final = 4 * 1024 * 1024
"""Size of a document's file; the verifier has the same limit."""
DOCUMENT_DEPTH_MAX: Final = 64
"""Objects and lists nested in a document."""

Json: TypeAlias = dict[str, "Json"] | list["Json"] | str | int | float | bool | None
"""A value of JSON."""

_NOT_JSON: Final = "the file is not a JSON document that can be read in one way only:"


def load_document(path: Path) -> tuple[TransportDocument, bytes]:
    """Read and check a transport document.

    Args:
        path: JSON file of at most `DOCUMENT_BYTES_MAX` bytes.

    Returns:
        The document and the file's bytes.

    Raises:
        DocumentNotReadableError: the file is not there or cannot be read.
        InvalidDocumentError: it is not strict JSON, or not a transport document; `faults` names each failing field.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(DOCUMENT_BYTES_MAX + 1)
    except OSError as error:
        raise DocumentNotReadableError(f"cannot read the document {path}: {error.strerror or error}") from error
    return parse_document(raw), raw


def parse_document(raw: bytes) -> TransportDocument:
    """Check the bytes of a transport document.

    Raises:
        InvalidDocumentError: as for `load_document`.
    """
    value = _parse_json(raw)
    try:
        return TransportDocument.model_validate(value)
    except ValidationError as error:
        faults = tuple(Fault(_path(fault["loc"]), _reason(fault)) for fault in error.errors(include_url=False))
        noun = "field" if len(faults) == 1 else "fields"
        raise InvalidDocumentError(f"not a transport document (DCSA EBL 3.0); {len(faults)} failing {noun}:", faults) from error


def document_checksum(raw: bytes) -> str:
    """Return the SHA-256 of a document's RFC 8785 form, 64 lower-case hex digits.

    Args:
        raw: the document's bytes; any strict JSON.

    Raises:
        InvalidDocumentError: not strict JSON.
    """
    return hashlib.sha256(_canonical(_parse_json(raw))).hexdigest()


def filled_fields(raw: bytes) -> int:
    """Return how many values that are no object or list a document holds.

    Raises:
        InvalidDocumentError: not strict JSON.
    """
    count, level = 0, [_parse_json(raw)]
    while level:
        containers = _containers(level)
        count += len(level) - len(containers)
        level = _children(containers)
    return count


def _canonical(value: Json) -> bytes:
    try:
        return rfc8785.dumps(value)
    except rfc8785.CanonicalizationError as error:
        raise _not_json(str(error)) from error
    except UnicodeEncodeError as error:
        # The package lets this one through for an object's name.
        raise _not_json("a lone surrogate is no character") from error


def _not_json(reason: str) -> InvalidDocumentError:
    return InvalidDocumentError(_NOT_JSON, (Fault("", reason),))


def _parse_json(raw: bytes) -> Json:
    if len(raw) > DOCUMENT_BYTES_MAX:
        raise _not_json(f"it is over {DOCUMENT_BYTES_MAX} bytes")
    try:
        value: Json = json.loads(raw.decode("utf-8"), object_pairs_hook=_object, parse_float=_finite, parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise _not_json(f"byte {error.start} is not UTF-8") from error
    except RecursionError as error:
        raise _not_json(f"it nests more than {DOCUMENT_DEPTH_MAX} objects and lists") from error
    except ValueError as error:
        raise _not_json(str(error)) from error
    _check_depth(value)
    # Canonical form exists for fewer values than JSON has: large integers and lone surrogates have none.
    _canonical(value)
    return value


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    # PRF-020: a reader that takes the first of two equal names sees another document than one that takes the last.
    fields: dict[str, Json] = {}
    for name, value in pairs:
        if name in fields:
            raise ValueError(f"the name {name!r} is given twice in one object")
        fields[name] = value
    return fields


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number is too large for a double")
    return number


def _no_constant(text: str) -> float:
    raise ValueError(f"{text} is not JSON")


def _check_depth(value: Json) -> None:
    level, depth = _containers([value]), 0
    while level:
        depth += 1
        if depth > DOCUMENT_DEPTH_MAX:
            raise _not_json(f"it nests more than {DOCUMENT_DEPTH_MAX} objects and lists")
        level = _containers(_children(level))


def _children(containers: Iterable[dict[str, Json] | list[Json]]) -> list[Json]:
    return [child for container in containers for child in (container.values() if isinstance(container, dict) else container)]


def _containers(values: Iterable[Json]) -> list[dict[str, Json] | list[Json]]:
    return [value for value in values if isinstance(value, dict | list)]


def _path(location: tuple[int | str, ...]) -> str:
    text = ""
    for step in location:
        text += f"[{step}]" if isinstance(step, int) else f".{step}"
    return text.removeprefix(".")


def _reason(fault: ErrorDetails) -> str:
    if fault["type"] == "string_pattern_mismatch":
        return f"should be {PATTERN_MEANINGS[fault['ctx']['pattern']]}"
    if fault["type"] == "missing":
        return "is required"
    return fault["msg"].removeprefix("Value error, ")

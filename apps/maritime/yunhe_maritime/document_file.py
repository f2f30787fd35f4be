"""A transport document in its file: reading, checking, and the checksum that the ledger holds.

The document stays beside the ledger, byte for byte; the ledger holds the SHA-256 of its RFC 8785 form, so that layout and the order of
names do not matter and content does. The checksum must equal what `yunhe proof verify --document` computes (PRF-020, docs/spec/proofs.md).
"""

import hashlib
from itertools import islice
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from yunhe_maritime.document_faults import document_faults
from yunhe_maritime.errors import DocumentNotReadableError, Fault, InvalidDocumentError
from yunhe_maritime.strict_json import DOCUMENT_BYTES_MAX, Json, canonical_json, parse_json, values
from yunhe_maritime.transport_document import TransportDocument

DOCUMENT_VALUES_MAX: Final = 50_000
"""Values in a transport document, objects and lists included: more than a thousand containers, and few enough to name all their faults."""

_REFERENCE: Final = "transportDocumentReference"
_WRAPPERS: Final = ("document", "transportDocument")
"""Where an issuance request and a PINT envelope hold the document."""


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
    value = parse_json(raw)
    # Each value may have several faults: without a limit, a small file could make gigabytes of them.
    if sum(1 for _ in islice(values(value), DOCUMENT_VALUES_MAX + 1)) > DOCUMENT_VALUES_MAX:
        raise _refusal((Fault("", f"should have at most {DOCUMENT_VALUES_MAX} values; found more"),))
    wrapper = _wrapper(value)
    if wrapper is not None:
        raise _refusal((Fault("", f'should be the transport document itself; found an object that holds it as "{wrapper}"'),))
    try:
        return TransportDocument.model_validate(value)
    except ValidationError as error:
        raise _refusal(document_faults(error)) from error


def document_checksum(raw: bytes) -> str:
    """Return the SHA-256 of a document's RFC 8785 form, 64 lower-case hex digits.

    Args:
        raw: the document's bytes; any strict JSON.

    Raises:
        InvalidDocumentError: not strict JSON.
    """
    return hashlib.sha256(canonical_json(parse_json(raw))).hexdigest()


def filled_fields(raw: bytes) -> int:
    """Return how many values that are no object or list a document holds.

    Raises:
        InvalidDocumentError: not strict JSON.
    """
    return sum(not isinstance(value, dict | list) for _, value in values(parse_json(raw)))


def _wrapper(value: Json) -> str | None:
    """Return the name under which a message of the standard holds its transport document, if the file is such a message."""
    if not isinstance(value, dict) or _REFERENCE in value:
        return None
    held = ((name, value.get(name)) for name in _WRAPPERS)
    return next((name for name, part in held if isinstance(part, dict) and _REFERENCE in part), None)


def _refusal(faults: tuple[Fault, ...]) -> InvalidDocumentError:
    noun = "field" if len(faults) == 1 else "fields"
    return InvalidDocumentError(f"not a transport document (DCSA EBL 3.0); {len(faults)} failing {noun}:", faults)

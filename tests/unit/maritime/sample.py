"""The sample document, and how the tests change one field of it and see what is refused."""

import copy
import json
from collections.abc import Callable
from importlib.resources import files
from typing import Any

import pytest

from yunhe_maritime.document_file import parse_document
from yunhe_maritime.errors import InvalidDocumentError

SAMPLE: dict[str, Any] = json.loads(files("yunhe_maritime").joinpath("sample_document.json").read_bytes())
ITEM = "consignmentItems[0]"
CARGO = f"{ITEM}.cargoItems[0]"
PACKAGING = f"{CARGO}.outerPackaging"
EQUIPMENT = "utilizedTransportEquipments[0]"


def steps_of(path: str) -> list[str | int]:
    """Return the names and indexes of a path."""
    steps: list[str | int] = []
    for part in path.split("."):
        name, *indexes = part.replace("]", "").split("[")
        steps += [name, *(int(index) for index in indexes)]
    return steps


def _changed(path: str, change: Callable[[Any, Any], None]) -> bytes:
    document = copy.deepcopy(SAMPLE)
    *parents, last = steps_of(path)
    place: Any = document
    for step in parents:
        place = place[step]
    change(place, last)
    return json.dumps(document).encode()


def with_value(path: str, value: Any) -> bytes:
    """Return the sample with a value put at a path."""

    def put(place: Any, key: Any) -> None:
        place[key] = value

    return _changed(path, put)


def without(path: str) -> bytes:
    """Return the sample without what is at a path."""

    def remove(place: Any, key: Any) -> None:
        del place[key]

    return _changed(path, remove)


def failing_paths(raw: bytes) -> list[str]:
    """Return the paths of the fields for which a document is refused."""
    with pytest.raises(InvalidDocumentError) as caught:
        parse_document(raw)
    return [fault.path for fault in caught.value.faults]

"""What is wrong with a document that this package refuses."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from yunhe.sdk import YunheError

_FAULTS_SHOWN_MAX: Final = 50
"""Faults that one message lists; the exception carries all of them."""
_PLAIN_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def json_path(steps: Iterable[str | int]) -> str:
    """Return the path to a value of a document, such as `consignmentItems[0].HSCodes[1]`; a name of other characters is quoted."""
    text = ""
    for step in steps:
        plain = isinstance(step, str) and _PLAIN_NAME.fullmatch(step)
        text += f".{step}" if plain else f"[{json.dumps(step)}]"
    return text.removeprefix(".")


@dataclass(frozen=True, slots=True)
class Fault:
    """One field and what is wrong with it."""

    path: str
    """Published field names from the top, such as `documentParties.shipper.partyName`; empty for the document as a whole."""
    reason: str
    """What the value should have been and what was found. It never repeats free text, which may be confidential."""

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}" if self.path else self.reason


class InvalidDocumentError(YunheError):
    """A document is not a transport document as published, or not one that can be put on the ledger."""

    code = "DOCUMENT_INVALID"
    status = 400

    def __init__(self, summary: str, faults: tuple[Fault, ...]) -> None:
        lines = [f"  {fault}" for fault in faults[:_FAULTS_SHOWN_MAX]]
        if len(faults) > _FAULTS_SHOWN_MAX:
            lines.append(f"  and {len(faults) - _FAULTS_SHOWN_MAX} more")
        super().__init__("\n".join([summary, *lines]))
        self.faults = faults


class DocumentNotReadableError(YunheError):
    """A document's file cannot be read."""

    code = "DOCUMENT_NOT_READABLE"
    status = 404


class DemoFailedError(YunheError):
    """A step of the demo did not do what it should; the message says which and why."""

    code = "DEMO_FAILED"


class DemoFolderError(YunheError):
    """The demo's folder cannot be used."""

    code = "DEMO_FOLDER"
    status = 400

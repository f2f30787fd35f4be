"""What is wrong with a document that this package refuses."""

from dataclasses import dataclass

from yunhe.sdk import YunheError

_FAULTS_SHOWN_MAX = 50
"""Faults that one message lists; the exception carries all of them."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One field and what is wrong with it."""

    path: str
    """Published field names from the top, such as `documentParties.shipper.partyName`; empty for the document as a whole."""
    reason: str
    """What the value should have been. It never repeats the value, which may be confidential."""

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

"""Receipts: what a transaction did, provable under its block's header. Specification: docs/spec/encoding.md, COD-050."""

from dataclasses import dataclass
from typing import Final

from yunhe.errors import MalformedError
from yunhe.ledger.codec import Value, as_array, as_fields, as_hash, as_int, as_name, as_text, decode, encode
from yunhe.ledger.interfaces import Event, Outcome
from yunhe.limits import CALLS_MAX, EVENTS_MAX, RECEIPT_BYTES_MAX

_VERSION = 1

OK: Final = "OK"
"""Code of a receipt whose calls all succeeded."""
SKIPPED: Final = "SKIPPED_BY_ORDER"
"""Code of the receipt of a transaction that was not run, because the organisations ordered to pass over it (LED-062)."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """A transaction's id and outcome, with the encoding that the block's header commits to."""

    transaction_id: bytes
    outcome: Outcome
    encoded: bytes

    @property
    def succeeded(self) -> bool:
        """Whether the calls took effect."""
        return self.outcome.code == OK

    @classmethod
    def make(cls, transaction_id: bytes, outcome: Outcome) -> "Receipt":
        """Encode an outcome as a receipt."""
        events = [[e.contract, e.name, e.fields] for e in outcome.events]
        fields = [_VERSION, transaction_id, outcome.code, outcome.call_index, outcome.gas_used, list(outcome.results), events]
        return cls(transaction_id, outcome, encode(fields))

    @classmethod
    def decode(cls, data: bytes) -> "Receipt":
        """Take an encoded receipt apart.

        Raises:
            EncodingError: not canonical.
            MalformedError: not a receipt of this version, or against COD-050.
            TooLargeError: over `RECEIPT_BYTES_MAX`.
        """
        version, transaction_id, code, call_index, gas_used, results, events = as_array(decode(data, RECEIPT_BYTES_MAX), "a receipt", 7)
        if as_int(version, "version") != _VERSION:
            raise MalformedError(f"receipt version {version!r} is unknown; this version of Yunhe knows {_VERSION}")
        outcome = Outcome(
            as_text(code, "a receipt's code"),
            as_int(call_index, "call index", -1),
            as_int(gas_used, "gas used"),
            tuple(as_array(results, "results")),
            tuple(_event(item) for item in as_array(events, "events")),
        )
        # COD-050
        if outcome.code == OK:
            well_formed = outcome.call_index == -1 and 1 <= len(outcome.results) <= CALLS_MAX and len(outcome.events) <= EVENTS_MAX
        else:
            well_formed = outcome.call_index < CALLS_MAX and not outcome.results and not outcome.events
        if not well_formed:
            raise MalformedError("a receipt has a result for each call if its code is OK, and neither results nor events otherwise")
        return cls(as_hash(transaction_id, "transaction id"), outcome, data)


def _event(item: Value) -> Event:
    contract, name, fields = as_array(item, "an event", 3)
    return Event(as_name(contract, "an event's contract"), as_text(name, "an event's name"), as_fields(fields, "an event's fields"))

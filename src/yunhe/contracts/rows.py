"""Rows of the state as scans return and count them, and how a stored record is decoded (CON-105, CON-113)."""

from typing import TYPE_CHECKING, Any

from yunhe.contracts import prices
from yunhe.contracts.codes import SCAN_TOO_LONG
from yunhe.contracts.faults import ContractStop, Fault
from yunhe.errors import CorruptionError, EncodingError
from yunhe.ledger.codec import decode
from yunhe.limits import RECORD_BYTES_MAX, SCAN_ROWS_MAX

if TYPE_CHECKING:
    from yunhe.contracts.machine import Machine

_ROW_MEMORY = 128
"""Memory counted for each row besides its bytes."""


def scan_rows(machine: "Machine", low: bytes, high: bytes, limit: int | None, *, reverse: bool) -> list[tuple[bytes, bytes]]:
    """Return the rows of a scan (CON-105).

    Raises:
        ContractStop: there is no limit and there are more than `SCAN_ROWS_MAX`.
        Fault: the limit is no integer from 0 to `SCAN_ROWS_MAX`.
    """
    # CON-105
    if limit is not None and (type(limit) is not int or not 0 <= limit <= SCAN_ROWS_MAX):
        raise Fault(f"the limit of a scan is 0 to {SCAN_ROWS_MAX}")
    found: list[tuple[bytes, bytes]] = []
    if limit == 0 or low >= high:
        # The keys were encoded all the same.
        machine.meter.charge(prices.SCAN)
        return found
    for row in machine.scan(low, high, SCAN_ROWS_MAX if limit is None else limit, reverse=bool(reverse)):
        if len(found) == SCAN_ROWS_MAX and limit is None:
            raise _too_long()
        machine.meter.hold(len(row[0]) + len(row[1]) + _ROW_MEMORY)
        found.append(row)
        if len(found) == limit:
            break
    return found


def count_rows(machine: "Machine", low: bytes, high: bytes) -> int:
    """Return how many rows there are; nothing of them is kept (CON-113).

    Raises:
        ContractStop: there are more than `SCAN_ROWS_MAX`.
    """
    count = 0
    if low >= high:
        machine.meter.charge(prices.SCAN)
        return count
    for _ in machine.scan(low, high, SCAN_ROWS_MAX, reverse=False):
        # CON-113
        if count == SCAN_ROWS_MAX:
            raise _too_long()
        count += 1
    return count


def _too_long() -> ContractStop:
    return ContractStop(SCAN_TOO_LONG, f"more than {SCAN_ROWS_MAX} rows; give the scan a limit and go on after the last key")


def decode_record(data: bytes) -> Any:
    """Decode what is stored in a state.

    Raises:
        CorruptionError: it is not canonical, so no contract wrote it.
    """
    try:
        return decode(data, RECORD_BYTES_MAX)
    except EncodingError as error:
        raise CorruptionError("a stored record is not canonical; run `yunhe node check`") from error

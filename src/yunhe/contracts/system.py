"""Functions for system contracts: looking at the source of other contracts.

Only contracts that the state marks as system contracts can import from here (CON-146). Under a plain import the functions work as they are;
a node binds them to its meter, because checking a source is work.
"""

from collections.abc import Callable
from typing import Any

from yunhe.contracts import prices
from yunhe.contracts.faults import Fault
from yunhe.contracts.meter import Meter
from yunhe.crypto import SHA256, ChainHash
from yunhe.crypto.hashes import TAG_CODE

__all__ = ["check_source", "code_hash"]


def check_source(source: str) -> str:
    """Return the identifier of the first rule that refuses a contract source, or an empty text if it can be deployed."""
    # The loader knows the SDK, of which this module is a part.
    from yunhe.contracts.loader import refused_rule  # noqa: PLC0415

    return refused_rule(str(source))


def code_hash(source: str) -> bytes:
    """Return the code hash of a source: 32 bytes, what governance votes on. Under a plain import the chain hash is SHA-256."""
    return SHA256.tagged(TAG_CODE, source.encode())


def system_functions(meter: Meter, chain_hash: ChainHash) -> dict[str, Callable[..., Any]]:
    """Return the functions bound to a machine's meter and a ledger's hash."""

    def check_source_metered(source: Any) -> str:
        meter.charge(len(_text(source)) * prices.CHECK_SOURCE_BYTE)
        return check_source(source)

    def code_hash_metered(source: Any) -> bytes:
        meter.charge(len(_text(source)) * prices.CODE_HASH_BYTE)
        return chain_hash.tagged(TAG_CODE, source.encode())

    return {"check_source": check_source_metered, "code_hash": code_hash_metered}


def _text(source: Any) -> str:
    if not isinstance(source, str):
        raise Fault("a source is text")
    return source

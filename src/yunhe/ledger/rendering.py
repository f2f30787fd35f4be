"""How values and protocol types are shown as JSON: in HTTP answers, by the command line and the SDK.

For reading only: byte strings become `0x` and hexadecimal digits, keys of maps become text, so the JSON does not say what was encoded. What
must be exact travels as canonical CBOR.
"""

from typing import TYPE_CHECKING, TypeAlias

from yunhe.ledger.codec import Value
from yunhe.ledger.header import Header
from yunhe.ledger.receipt import Receipt
from yunhe.ledger.transaction import Transaction

if TYPE_CHECKING:
    Json: TypeAlias = bool | int | str | list["Json"] | dict[str, "Json"] | None
else:
    Json = object


def value_to_json(value: Value) -> Json:
    """Return a value as JSON shows it."""
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, list):
        return [value_to_json(item) for item in value]
    if isinstance(value, dict):
        return {str(key): value_to_json(item) for key, item in value.items()}
    return value


def receipt_to_json(receipt: Receipt) -> dict[str, Json]:
    """Return a receipt as JSON shows it."""
    outcome = receipt.outcome
    return {
        "transaction_id": receipt.transaction_id.hex(),
        "code": outcome.code,
        "call_index": outcome.call_index,
        "gas_used": outcome.gas_used,
        "results": [value_to_json(result) for result in outcome.results],
        "events": [{"contract": e.contract, "name": e.name, "fields": value_to_json(dict(e.fields))} for e in outcome.events],
    }


def transaction_to_json(transaction: Transaction) -> dict[str, Json]:
    """Return a transaction as JSON shows it."""
    body = transaction.body
    return {
        "id": transaction.id.hex(),
        "network_id": body.network_id.hex(),
        "signers": [
            {"organisation": s.organisation, "member": s.member, "suite": s.suite, "public_key": s.public_key.hex()} for s in body.signers
        ],
        "calls": [{"contract": c.contract, "action": c.action, "arguments": value_to_json(dict(c.arguments))} for c in body.calls],
        "valid_until_ms": body.valid_until_ms,
        "gas_limit": body.gas_limit,
        "salt": body.salt.hex(),
        "signatures": [signature.hex() for signature in transaction.signatures],
    }


def header_to_json(header: Header, header_hash: bytes) -> dict[str, Json]:
    """Return a header as JSON shows it."""
    return {
        "hash": header_hash.hex(),
        "network_id": header.network_id.hex(),
        "height": header.height,
        "time_ms": header.time_ms,
        "previous": header.previous.hex(),
        "transactions_root": header.transactions_root.hex(),
        "receipts_root": header.receipts_root.hex(),
        "state_root": header.state_root.hex(),
        "next_certifiers": header.next_certifiers.hex(),
    }

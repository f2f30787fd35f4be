"""Codes of the runtime in receipts (CON-143). A contract's own refusals have the contract's own codes.

A code never changes its meaning. `yunhe.contracts.vocabulary.RESERVED_CODES` lists those that a contract cannot use itself.
"""

from typing import Final

from yunhe.ledger.receipt import OK

__all__ = ["OK"]

ACTION_NOT_FOUND: Final = "ACTION_NOT_FOUND"
"""The contract has no such action (or view, when a view was asked for)."""
ARGUMENTS_INVALID: Final = "ARGUMENTS_INVALID"
"""An argument is missing, unknown, or not of its parameter's type."""
BLOCK_GAS_USED_UP: Final = "BLOCK_GAS_USED_UP"
"""Earlier transactions of the block used all its gas."""
BLOCK_SOURCES_USED_UP: Final = "BLOCK_SOURCES_USED_UP"
"""Earlier transactions of the block had as much contract source checked as one block can; the same call fits into a later block."""
CALL_DEPTH: Final = "CALL_DEPTH"
"""Contracts called contracts too deeply."""
CONTRACT_FAULT: Final = "CONTRACT_FAULT"
"""The contract itself is wrong: an exception other than a refusal, or a value that is not of its declared type."""
CONTRACT_FROZEN: Final = "CONTRACT_FROZEN"
"""The contract was frozen by vote; its views still answer."""
CONTRACT_NOT_FOUND: Final = "CONTRACT_NOT_FOUND"
"""No contract of this name was ever deployed."""
CONTRACT_RETIRED: Final = "CONTRACT_RETIRED"
"""The contract was retired by vote; its views still answer."""
GAS_LIMIT_TOO_HIGH: Final = "GAS_LIMIT_TOO_HIGH"
"""The transaction's gas limit is above the parameter `gas_limit_max`."""
INTEGER_OUT_OF_RANGE: Final = "INTEGER_OUT_OF_RANGE"
"""An integer left the range of contract arithmetic, or of 64 bits where it is stored or handed over."""
OUT_OF_GAS: Final = "OUT_OF_GAS"
"""The gas limit is used up."""
OUT_OF_MEMORY: Final = "OUT_OF_MEMORY"
"""A call allocated more than a contract may."""
REENTRANT_CALL: Final = "REENTRANT_CALL"
"""A contract was called while it was running."""
SCAN_TOO_LONG: Final = "SCAN_TOO_LONG"
"""A scan without a limit met more rows than one scan can return."""
VALUE_TOO_LARGE: Final = "VALUE_TOO_LARGE"
"""A record, key, event, argument or result is over its limit, or there are too many events."""
VIEW_WRITES: Final = "VIEW_WRITES"
"""A view tried to write, to emit or to call an action."""

NOT_FOUND: Final = "NOT_FOUND"
"""A table has no record with this key."""
ALREADY_EXISTS: Final = "ALREADY_EXISTS"
"""A record with this key is there already."""
NOT_UNIQUE: Final = "NOT_UNIQUE"
"""Another record has the same in fields that are declared unique."""
INDEX_TOO_LARGE: Final = "INDEX_TOO_LARGE"
"""An upgrade declares or drops an index of more rows than one transaction can build or delete."""
SIGNER_REQUIRED: Final = "SIGNER_REQUIRED"
"""The organisation did not sign the transaction."""
ROLE_REQUIRED: Final = "ROLE_REQUIRED"
"""No signer of the organisation has the role."""

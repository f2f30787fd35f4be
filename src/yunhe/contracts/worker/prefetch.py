"""Which records a block will probably read, so that they are asked for in one message instead of one by one.

Signers and contracts are read for certain. Besides, arguments often are primary keys: each argument is tried as the key of each table of
the contract whose key has its type, and a pair of argument and table that is never read so is given up. A guess costs a look-up and
decides nothing: what a contract reads is what the state has, whether it was guessed or not.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from yunhe.contracts.faults import ContractStop
from yunhe.contracts.indexes import Unique
from yunhe.contracts.keys import KeyCodec
from yunhe.contracts.module import ContractModule
from yunhe.contracts.value_types import BYTES, INT, ORG, STR
from yunhe.ledger.layouts import contract_key, member_key, member_public_key_key, organisation_key
from yunhe.ledger.transaction import Call, Transaction

_TRIES: Final = 64
"""Guesses after which a pair that was never right is given up."""
_PAIRS_MAX: Final = 4096
_GUESSES_MAX: Final = 100_000
"""Guesses for one block."""
_KEY_TYPES: Final = {str: (STR, ORG), int: (INT,), bytes: (BYTES,)}

Pair: TypeAlias = tuple[str, str, str, str]
"""Contract, action, argument, table."""


@dataclass(slots=True)
class _Record:
    tried: int = 0
    right: int = 0


class Prefetcher:
    """Guesses, and learns from what was read."""

    def __init__(self) -> None:
        self._pairs: dict[Pair, _Record] = {}
        self._guessed: dict[bytes, Pair] = {}

    def keys(self, transactions: Sequence[Transaction], modules: Mapping[str, ContractModule]) -> list[bytes]:
        """Return keys that the transactions will probably read."""
        keys = dict.fromkeys(_named(transactions))
        self._guessed.clear()
        if len(self._pairs) > _PAIRS_MAX:
            self._pairs.clear()
        for call in (call for transaction in transactions for call in transaction.body.calls):
            module = modules.get(call.contract)
            if module is not None and len(self._guessed) < _GUESSES_MAX:
                self._guess(call, module)
        return list(keys | dict.fromkeys(self._guessed))

    def learn(self, read: Collection[bytes]) -> None:
        """Take note of which keys were read."""
        for key, pair in self._guessed.items():
            record = self._pairs[pair]
            record.tried += 1
            record.right += key in read

    def _guess(self, call: Call, module: ContractModule) -> None:
        for argument, value in call.arguments.items():
            fitting = _KEY_TYPES.get(type(value))
            if fitting is None:
                continue
            for table, codec in _key_codecs(module):
                pair = (call.contract, call.action, argument, table)
                record = self._pairs.setdefault(pair, _Record())
                if len(codec.parts) == 1 and codec.parts[0] in fitting and (record.right or record.tried < _TRIES):
                    try:
                        self._guessed[codec.state_key(value)] = pair
                    except ContractStop:
                        # It is no key, so it is not read.
                        record.tried += 1


def _key_codecs(module: ContractModule) -> Iterator[tuple[str, KeyCodec]]:
    for name, table in module.tables.items():
        yield name, table.keys
    for name, scalars in module.maps.items():
        yield name, scalars.keys
    for name, index in module.indexes.items():
        if isinstance(index, Unique):
            yield name, index.rows


def _named(transactions: Iterable[Transaction]) -> Iterator[bytes]:
    """Yield the keys that any execution of the transactions reads: of their signers and their contracts."""
    signers = dict.fromkeys(signer for transaction in transactions for signer in transaction.body.signers)
    for signer in signers:
        yield organisation_key(signer.organisation)
        yield member_key(signer.organisation, signer.member)
        yield member_public_key_key(signer.organisation, signer.member, signer.public_key)
    for contract in dict.fromkeys(call.contract for transaction in transactions for call in transaction.body.calls):
        yield contract_key(contract)

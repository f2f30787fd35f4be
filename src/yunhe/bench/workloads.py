"""The named workloads: a contract, the records that it begins with, and the calls that are sent.

| Name | Each transaction |
|---|---|
| `transfer` | reads and writes two of the accounts and announces an event |
| `create-100B` | writes a new record with 100 bytes of content |
| `update-100B` | reads and writes a record with 100 bytes of content |
| `bill` | endorses a document of title to another holder and announces an event |
"""

import itertools
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from yunhe.ledger.codec import Value
from yunhe.ledger.transaction import Call

_CONTRACTS: Final = Path(__file__).parent / "contracts"
_CONTENT_BYTES: Final = 100
_HASH: Final = bytes(32)
_BALANCE: Final = 1_000_000_000
_FIRST_NEW_ASSET: Final = 10**12


@dataclass(frozen=True, slots=True)
class Workload:
    """What is sent, of one name."""

    name: str
    contract: str
    prepare: Callable[[int], Iterator[Call]]
    """From a number of records to the calls that make them."""
    calls: Callable[["Choice"], Iterator[Call]]
    """From a choice of records to the calls, without end."""

    @property
    def source(self) -> str:
        """The contract's source."""
        return (_CONTRACTS / f"{self.contract}.py").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Choice:
    """Which records are used: all alike, or a few hot ones."""

    records: int
    hot: int
    """How many records all calls go to; 0 for all of them, uniformly."""
    seed: int

    def generator(self) -> random.Random:
        """Return the source of choices; the same seed gives the same calls."""
        return random.Random(self.seed)  # noqa: S311  # a workload, not a secret

    @property
    def used(self) -> int:
        """How many records the calls go to."""
        return self.hot or self.records


def _in_steps(records: int, step: int, make: Callable[[int, int], Call]) -> Iterator[Call]:
    for first in range(0, records, step):
        yield make(first, min(step, records - first))


def _open_accounts(records: int) -> Iterator[Call]:
    def make(first: int, count: int) -> Call:
        return Call("accounts", "open_accounts", {"first": first, "count": count, "balance": _BALANCE})

    return _in_steps(records, 500, make)


def _transfers(choice: Choice) -> Iterator[Call]:
    chosen = choice.generator()
    while True:
        source, target = chosen.sample(range(choice.used), 2)
        yield Call("accounts", "transfer", {"source": source, "target": target, "amount": 1})


def _create_assets(records: int) -> Iterator[Call]:
    def make(first: int, count: int) -> Call:
        return Call("assets", "create_many", {"first": first, "count": count, "content": bytes(_CONTENT_BYTES)})

    return _in_steps(records, 500, make)


def _creations(choice: Choice) -> Iterator[Call]:
    chosen = choice.generator()
    for number in itertools.count(_FIRST_NEW_ASSET * (choice.seed + 1)):
        yield Call("assets", "create", {"asset_id": number, "content": chosen.randbytes(_CONTENT_BYTES)})


def _updates(choice: Choice) -> Iterator[Call]:
    chosen = choice.generator()
    while True:
        yield Call("assets", "update", {"asset_id": chosen.randrange(choice.used), "content": chosen.randbytes(_CONTENT_BYTES)})


def _issue_bills(records: int) -> Iterator[Call]:
    def make(first: int, count: int) -> Call:
        return Call("bills", "issue", {"first": first, "count": count, "document_hash": _HASH})

    return _in_steps(records, 100, make)


def _endorsements(choice: Choice) -> Iterator[Call]:
    chosen = choice.generator()
    while True:
        arguments: dict[str, Value] = {"number": f"BENCH{chosen.randrange(choice.used)}", "target": f"bank{chosen.randrange(100)}"}
        yield Call("bills", "endorse", arguments)


WORKLOADS: Final = {
    workload.name: workload
    for workload in (
        Workload("transfer", "accounts", _open_accounts, _transfers),
        Workload("create-100B", "assets", _create_assets, _creations),
        Workload("update-100B", "assets", _create_assets, _updates),
        Workload("bill", "bills", _issue_bills, _endorsements),
    )
}
"""All workloads by name."""

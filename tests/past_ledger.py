"""A ledger with a past worth going back to: several transactions on one key in one block, a refusal, a fault, a role that was taken away,
and a contract that was upgraded in the middle of a block."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.unit.node.open_node import ADMIN, DEADLINE_S, SUITE, make_folder, run_node
from yunhe.crypto import SHA256, PrivateKey
from yunhe.crypto.hashes import TAG_CODE
from yunhe.ledger.codec import Value
from yunhe.ledger.transaction import Call, Signer, Transaction, TransactionBody, sign_transaction
from yunhe.node import Node, NodeFolder

CLERK = PrivateKey(SUITE, bytes([8]) * 32)

COUNTERS = '''\
"""Counters that grow."""

from yunhe.contracts import Context, Event, Record, Table, action, emit, require, require_role


class Counter(Record):
    name: str
    value: int


class Counted(Event):
    name: str
    value: int


counters: Table[Counter] = Table(key="name")


def grown(counter: Counter, amount: int) -> int:
    return counter.value + amount


@action
def add(ctx: Context, name: str, amount: int) -> int:
    """Add to a counter."""
    require(amount > 0, "NOT_POSITIVE")
    counter = counters.get(name)
    if counter is None:
        counter = Counter(name=name, value=0)
        counters.add(counter)
    counter.value = grown(counter, amount)
    counters.save(counter)
    emit(Counted(name=name, value=counter.value))
    return counter.value


@action
def pick(ctx: Context, name: str, position: int) -> int:
    digits = [1, 2, 3]
    counters.add(Counter(name=name, value=0))
    return digits[position]


@action
def reset(ctx: Context, name: str) -> None:
    require_role(ctx, "auditor")
    counters.delete(name)


@action
def spin(ctx: Context, rounds: int) -> int:
    total = 0
    for number in range(rounds):
        total += number
    return total
'''
UPGRADED = COUNTERS.replace("counter.value + amount", "counter.value + 10 * amount").replace('"""Counters', '"""Tenfold counters')
SHOP = '''\
"""Counts what is bought."""

from yunhe.contracts import Context, Map, action, call

sold: Map[str, int] = Map(default=0)


@action
def buy(ctx: Context, name: str) -> int:
    sold[name] += 1
    total = call("counters", "add", name=name, amount=sold[name])
    return int(total)
'''


@dataclass(frozen=True)
class PastLedger:
    """Where it is, and its transactions by what they are."""

    folder: NodeFolder
    ids: dict[str, bytes]
    heights: dict[str, int]


def make_past_ledger(path: Path) -> PastLedger:
    """Make the ledger; its node is stopped."""
    ledger = PastLedger(make_folder(path), {}, {})

    async def fill(node: Node) -> None:
        node.start()
        for block in _blocks():
            await _commit(ledger, node, block)

    run_node(ledger.folder, fill)
    return ledger


def code_hash(source: str) -> bytes:
    """The hash that a vote names."""
    return SHA256.tagged(TAG_CODE, source.encode())


@dataclass(frozen=True)
class Asked:
    """A transaction to make."""

    name: str
    calls: tuple[tuple[str, str, dict[str, Value]], ...]
    code: str = "OK"
    member: str = "admin"


def asked(name: str, contract: str, action: str, ends: str = "OK", by: str = "admin", /, **arguments: Value) -> Asked:
    return Asked(name, ((contract, action, arguments),), ends, by)


def _blocks() -> list[list[Asked]]:
    """Blocks in order, each with its transactions in order."""
    clerk: dict[str, Value] = {"member": "clerk", "suite": SUITE, "public_key": CLERK.public_key.raw}
    return [
        [asked(f"submit {n}", "lifecycle", "submit", source=source) for n, source in enumerate((COUNTERS, SHOP, UPGRADED))],
        [
            asked("deploy counters", "governance", "propose_deployment", contract="counters", code_hash=code_hash(COUNTERS)),
            asked("deploy shop", "governance", "propose_deployment", contract="shop", code_hash=code_hash(SHOP)),
            asked("enrol clerk", "registry", "enrol_member", roles=["auditor"], **clerk),
        ],
        [
            asked("first", "counters", "add", name="a", amount=3),
            asked("second", "counters", "add", name="a", amount=4),
            asked("bought", "shop", "buy", name="a"),
            asked("refused", "counters", "add", "NOT_POSITIVE", name="a", amount=-1),
            asked("faulty", "counters", "pick", "CONTRACT_FAULT", name="b", position=7),
            Asked("several", tuple(("counters", "add", {"name": name, "amount": 5}) for name in ("a", "c", "a"))),
            Asked("half", (("counters", "add", {"name": "d", "amount": 1}), ("shop", "sell", {})), "ACTION_NOT_FOUND"),
        ],
        [asked("reset", "counters", "reset", "OK", "clerk", name="c")],
        [
            asked("before upgrade", "counters", "add", name="a", amount=1),
            asked("upgrade", "governance", "propose_upgrade", contract="counters", code_hash=code_hash(UPGRADED)),
            asked("after upgrade", "counters", "add", name="a", amount=1),
            asked("demote", "registry", "set_member", member="clerk", roles=[], status="suspended"),
            asked("suspended", "counters", "reset", "MEMBER_SUSPENDED", "clerk", name="a"),
        ],
        [asked("last", "counters", "add", name="a", amount=2), asked("spent", "counters", "spin", "OUT_OF_GAS", rounds=500_000)],
    ]


async def _commit(ledger: PastLedger, node: Node, block: Sequence[Asked]) -> None:
    transactions = [_signed(node, one, len(ledger.ids) + number) for number, one in enumerate(block)]
    placed = [await asyncio.wait_for(future, DEADLINE_S) for future in node.submit(transactions)]
    for position, (one, transaction, place) in enumerate(zip(block, transactions, placed, strict=True)):
        assert (place.receipt.outcome.code, place.position) == (one.code, position), (one, place)
        assert place.height == placed[0].height
        ledger.ids[one.name] = transaction.id
        ledger.heights[one.name] = place.height


def _signed(node: Node, one: Asked, salt: int) -> Transaction:
    key = CLERK if one.member == "clerk" else ADMIN
    signer = Signer("port", one.member, SUITE, key.public_key.raw)
    calls = tuple(Call(*call) for call in one.calls)
    body = TransactionBody(node.network_id, (signer,), calls, node.clock() + 60_000, 20_000_000, salt.to_bytes(16, "big"))
    return sign_transaction(body, [key], node.genesis.chain_hash)

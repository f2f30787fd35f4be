"""A ledger in memory for tests: state in a dict, founders with keys, transactions and envelopes by one call.

The executor records what it was asked and answers as it is told, so a test of the ledger needs neither contracts nor disk.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace

from yunhe.crypto import SHA256, SM3, ChainHash, PrivateKey
from yunhe.ledger.admission import OpenedEnvelope, open_envelope
from yunhe.ledger.codec import Value
from yunhe.ledger.envelope import Envelope, NodeIdentity, seal_envelope
from yunhe.ledger.header import Header
from yunhe.ledger.interfaces import BlockContext, Execution, Outcome, Write
from yunhe.ledger.layouts import (
    DEFAULT_PARAMETERS,
    encode_record,
    member_key,
    member_public_key_key,
    node_key,
    organisation_key,
    parameter_key,
    suite_key,
)
from yunhe.ledger.transaction import Call, Signer, Transaction, TransactionBody, sign_transaction
from yunhe.ledger.transition import EngineBlock, Transition, apply_block

NETWORK = bytes(range(32))
TIME_MS = 1_700_000_000_000
SUITE = "ed25519-sha256"
SM2 = "sm2-sm3"
FLAVOURS: dict[str, tuple[str, ChainHash]] = {
    "Ed25519 and SHA-256": (SUITE, SHA256),
    "SM2 and SHA-256": (SM2, SHA256),
    "SM2 and SM3": (SM2, SM3),
}


def key(number: int, suite: str = SUITE) -> PrivateKey:
    return PrivateKey(suite, bytes([number]) * 32)


class MemoryState:
    """Records in a dict; `stage` applies them and returns a hash of all that is there."""

    def __init__(self) -> None:
        self.records: dict[bytes, bytes] = {}
        self.ids: set[bytes] = set()

    def get(self, key: bytes) -> bytes | None:
        return self.records.get(key)

    def get_many(self, keys: list[bytes]) -> list[bytes | None]:
        return [self.records.get(key) for key in keys]

    def scan(self, start: bytes, end: bytes, limit: int, *, reverse: bool = False) -> list[tuple[bytes, bytes]]:
        rows = sorted((k, v) for k, v in self.records.items() if start <= k < end)
        return (rows[::-1] if reverse else rows)[:limit]

    def stage(self, height: int, writes: Sequence[Write]) -> bytes:
        for state_key, value in writes:
            if value is None:
                self.records.pop(state_key, None)
            else:
                self.records[state_key] = value
        return SHA256.digest(repr(sorted(self.records.items())).encode())

    def seen(self, ids: Collection[bytes]) -> set[bytes]:
        return self.ids & set(ids)

    def put(self, state_key: bytes, **fields: Value) -> None:
        self.records[state_key] = encode_record(fields)

    def enrol(self, organisation: str, member: str, private: PrivateKey, status: str = "active") -> None:
        public = private.public_key.raw
        self.put(organisation_key(organisation), organisation=organisation, title="", status="active")
        self.put(member_key(organisation, member), organisation=organisation, member=member, roles=["admin"], status="active")
        self.put(
            member_public_key_key(organisation, member, public),
            organisation=organisation,
            member=member,
            public_key=public,
            suite=private.suite,
            status=status,
            since_height=0,
            revoked_height=None,
        )


def all_succeed(context: BlockContext, transactions: Sequence[Transaction]) -> Execution:
    outcomes = tuple(Outcome("OK", -1, 10, tuple(None for _ in t.body.calls)) for t in transactions)
    return Execution(outcomes, tuple(sorted((b"t\x00" + t.id, b"\x01") for t in transactions)))


@dataclass
class RecordingExecutor:
    run: Callable[[BlockContext, Sequence[Transaction]], Execution] = all_succeed
    blocks: list[tuple[BlockContext, tuple[Transaction, ...]]] = field(default_factory=list)

    def execute(self, context: BlockContext, transactions: Sequence[Transaction], state: object) -> Execution:
        self.blocks.append((context, tuple(transactions)))
        return self.run(context, transactions)

    def view(self, context: BlockContext, contract: str, view: str, arguments: dict[str, Value], state: object) -> Value:
        raise NotImplementedError


class MemoryChain:
    """One organisation `carrier` with a clerk and a node, and a head at height 7."""

    def __init__(self, suite: str = SUITE, chain_hash: ChainHash = SHA256) -> None:
        self.suite, self.hash = suite, chain_hash
        self.state = MemoryState()
        self.executor = RecordingExecutor()
        self.clerk = key(1, suite)
        self.node = key(2, suite)
        self.state.enrol("carrier", "clerk", self.clerk)
        for name, value in DEFAULT_PARAMETERS.items():
            self.state.put(parameter_key(name), name=name, value=value)
        self.state.put(suite_key(suite), suite=suite, since_height=0)
        self.identity = NodeIdentity("carrier", "node1", suite, self.node.public_key.raw)
        self.state.put(
            node_key("carrier", "node1"),
            organisation="carrier",
            node="node1",
            suite=suite,
            public_key=self.node.public_key.raw,
            status="active",
        )
        zero = bytes(32)
        self.head = Header(NETWORK, 7, TIME_MS, zero, zero, zero, zero, bytes([9]) * 32)

    def body(self, number: int = 0, **changes: object) -> TransactionBody:
        signer = Signer("carrier", "clerk", self.suite, self.clerk.public_key.raw)
        body = TransactionBody(NETWORK, (signer,), (Call("bill", "issue", {"n": 1}),), TIME_MS + 60_000, 1_000_000, bytes([number]) * 16)
        return replace(body, **changes)  # type: ignore[arg-type]  # a test names fields of the body

    def transaction(self, number: int = 0, **changes: object) -> Transaction:
        return sign_transaction(self.body(number, **changes), [self.clerk], self.hash)

    def envelope(self, *transactions: Transaction | bytes) -> Envelope:
        encoded = [t.encoded if isinstance(t, Transaction) else t for t in transactions]
        return seal_envelope(NETWORK, self.identity, 1, encoded, self.node, self.hash)

    def open(self, *transactions: Transaction | bytes) -> OpenedEnvelope:
        return open_envelope(self.envelope(*transactions).encoded, self.hash)

    def apply(self, *envelopes: OpenedEnvelope, time_ms: int = TIME_MS + 1) -> Transition:
        return apply_block(self.head, EngineBlock(1, time_ms, envelopes), self.state, self.executor, self.hash)

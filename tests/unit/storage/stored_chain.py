"""A small ledger for the tests of the store: one organisation, a genesis, and blocks made by the real state transition.

The contract has two actions. `issue` writes a record of its own and counts itself, and the oldest record goes when there are more than
three, so that write sets add, change and delete. `certify` gives the organisation another ledger key.
"""

from collections.abc import Sequence
from pathlib import Path

from yunhe.crypto import SHA256, PrivateKey
from yunhe.ledger.admission import open_envelope
from yunhe.ledger.certifiers import Certifier, CertifierSet
from yunhe.ledger.codec import Value, decode
from yunhe.ledger.envelope import NodeIdentity, seal_envelope
from yunhe.ledger.genesis import THRESHOLD_KINDS, FoundingMember, FoundingOrganisation, Genesis
from yunhe.ledger.header import Header
from yunhe.ledger.interfaces import BlockContext, Execution, Outcome, StateReader, Write
from yunhe.ledger.layouts import (
    DEFAULT_PARAMETERS,
    GOVERNANCE,
    STATE_HISTORY_BLOCKS,
    SYSTEM_CONTRACTS,
    encode_record,
    node_key,
    organisation_key,
    parameter_key,
    suite_key,
)
from yunhe.ledger.state_keys import prefix_end, state_key, table_prefix
from yunhe.ledger.transaction import Call, Signer, Transaction, TransactionBody, sign_transaction
from yunhe.ledger.transition import EngineBlock, LedgerBlock, apply_block
from yunhe.storage import LedgerStore

SUITE = "ed25519-sha256"
TIME_MS = 1_700_000_000_000
CLERK = PrivateKey(SUITE, bytes([1]) * 32)
NODE = PrivateKey(SUITE, bytes([2]) * 32)
IDENTITY = NodeIdentity("carrier", "node1", SUITE, NODE.public_key.raw)
NEXT_LEDGER = PrivateKey(SUITE, bytes([3]) * 32)
"""Ledger key after the first `certify`; before that it is the node's."""
HISTORY_BLOCKS = 4

ITEMS = table_prefix("bill", "items")
COUNT = state_key("bill", "count", ("all",))
CERTIFIER = state_key(GOVERNANCE, "certifiers", ("carrier",))


def make_genesis(name: str = "store") -> Genesis:
    """A genesis of one organisation."""
    members = (FoundingMember("clerk", ("admin",), (CLERK.public_key,)),)
    return Genesis(
        name=name,
        time_ms=TIME_MS,
        chain_hash=SHA256,
        python="3.11",
        protocol_version=1,
        suites=(SUITE,),
        parameters=dict(DEFAULT_PARAMETERS) | {STATE_HISTORY_BLOCKS: HISTORY_BLOCKS},
        thresholds=dict.fromkeys(THRESHOLD_KINDS, "majority"),
        organisations=(FoundingOrganisation("carrier", "Carrier", members, (IDENTITY,)),),
        certifiers=CertifierSet.of([Certifier("carrier", SUITE, NODE.public_key.raw, 1)]),
        system_contracts={name: bytes(32) for name in SYSTEM_CONTRACTS},
    )


GENESIS = make_genesis()


def genesis_writes(genesis: Genesis = GENESIS) -> list[Write]:
    """What the ledger itself reads: parameters, the suite, the organisation and its node."""
    writes: list[Write] = [
        (parameter_key(name), encode_record({"name": name, "value": value})) for name, value in genesis.parameters.items()
    ]
    writes.append((suite_key(SUITE), encode_record({"suite": SUITE, "since_height": 0})))
    writes.append((organisation_key("carrier"), encode_record({"organisation": "carrier", "title": "Carrier", "status": "active"})))
    node: dict[str, Value] = {
        "organisation": "carrier",
        "node": "node1",
        "suite": SUITE,
        "public_key": NODE.public_key.raw,
        "status": "active",
    }
    writes.append((node_key("carrier", "node1"), encode_record(node)))
    writes.append((CERTIFIER, certifier_record(NODE)))
    return writes


def certifier_record(key: PrivateKey) -> bytes:
    """The record of the organisation's certifier."""
    return encode_record({"organisation": "carrier", "suite": SUITE, "public_key": key.public_key.raw, "power": 1})


class ItemsExecutor:
    """Runs the two actions."""

    def execute(self, context: BlockContext, transactions: Sequence[Transaction], state: StateReader) -> Execution:
        writes: dict[bytes, bytes | None] = {}
        stored = state.get(COUNT)
        count = 0 if stored is None else int(decode(stored, 1000)["n"])  # type: ignore[index,call-overload,arg-type]
        present = [key for key, _ in state.scan(ITEMS, prefix_end(ITEMS), 10)]
        for transaction in transactions:
            if transaction.body.calls[0].action == "certify":
                writes[CERTIFIER] = certifier_record(NEXT_LEDGER)
                continue
            key = state_key("bill", "items", (count,))
            writes[key] = encode_record({"n": count, "salt": transaction.body.salt})
            present.append(key)
            count += 1
        for key in present[:-3]:
            if writes.pop(key, None) is None:
                writes[key] = None
        writes[COUNT] = encode_record({"n": count})
        outcomes = tuple(Outcome("OK", -1, 7, (count,)) for _ in transactions)
        return Execution(outcomes, tuple(sorted(writes.items())))

    def view(self, context: BlockContext, contract: str, view: str, arguments: dict[str, Value], state: StateReader) -> Value:
        raise NotImplementedError


def make_transaction(number: int, genesis: Genesis = GENESIS, time_ms: int = TIME_MS, action: str = "issue") -> Transaction:
    """A transaction with a salt of its own."""
    signer = Signer("carrier", "clerk", SUITE, CLERK.public_key.raw)
    call = Call("bill", action, {"n": number})
    body = TransactionBody(genesis.network_id, (signer,), (call,), time_ms + 60_000, 1000, number.to_bytes(16, "big"))
    return sign_transaction(body, [CLERK], SHA256)


def apply(
    store: LedgerStore,
    *transactions: Transaction,
    engine_height: int | None = None,
    genesis: Genesis = GENESIS,
    previous: Header | None = None,
) -> LedgerBlock | None:
    """Apply an engine block to a store, which stages what comes of it, on the head or on a staged block."""
    envelopes = ()
    if transactions:
        sealed = seal_envelope(genesis.network_id, IDENTITY, 1, [t.encoded for t in transactions], NODE, SHA256)
        envelopes = (open_envelope(sealed.encoded, SHA256),)
    head = store.head() if previous is None else previous
    engine_block = EngineBlock(store.engine_height + 1 if engine_height is None else engine_height, head.time_ms + 10, envelopes)
    return apply_block(head, engine_block, store, ItemsExecutor(), SHA256).block


def add_block(store: LedgerStore, *numbers: int) -> LedgerBlock:
    """Apply and commit a block with one transaction for each number."""
    return add_transactions(store, *(make_transaction(number) for number in numbers))


def add_certifier_change(store: LedgerStore, number: int) -> LedgerBlock:
    """Apply and commit a block that gives the organisation its next ledger key."""
    return add_transactions(store, make_transaction(number, action="certify"))


def add_transactions(store: LedgerStore, *transactions: Transaction, genesis: Genesis = GENESIS) -> LedgerBlock:
    """Apply and commit a block of these transactions, which all take effect."""
    block = apply(store, *transactions, genesis=genesis)
    assert block is not None
    assert len(block.transactions) == len(transactions)
    store.commit(block, store.engine_height + 1)
    return block


def snapshot_of(folder: Path) -> dict[str, bytes]:
    """Every file of a folder with its content."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def restore(files: dict[str, bytes], folder: Path) -> Path:
    """Make a folder with these files."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder

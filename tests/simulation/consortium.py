"""Four ledgers of four organisations over a simulated engine, in one thread, everything by chance from one seed.

The engine agrees and never loses a block that it agreed on; all else goes wrong: envelopes come late, twice, garbled or never, from
gateways that seal what they like; nodes take the blocks each at its own pace, commit them in groups, end in the middle of a disk
operation, lose what was not synced, and start again. The ledgers are the real ones (`LedgerApplication`, `LedgerStore`, the contract
runtime, the cosigner), on a contract that moves coins of a fixed total between accounts.

`run` raises `DisagreementError` as soon as something is not as it has to be.
"""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.simulation.crashing_disk import CrashedError, CrashingDisk, Disks, watched
from tests.unit.storage.state_on_file import FileStateStore
from yunhe import verifier
from yunhe.consensus import Delivery
from yunhe.contracts.runner import BlockRunner
from yunhe.contracts.system_contracts import genesis_writes, system_code_hashes
from yunhe.crypto import SHA256, PrivateKey
from yunhe.crypto.hashes import TAG_CODE
from yunhe.errors import InvalidInputError
from yunhe.ledger.certifiers import Certifier, CertifierSet
from yunhe.ledger.checkpoint import Checkpoint, Cosignature
from yunhe.ledger.codec import decode
from yunhe.ledger.envelope import NodeIdentity, seal_envelope
from yunhe.ledger.genesis import THRESHOLD_KINDS, FoundingMember, FoundingOrganisation, Genesis
from yunhe.ledger.interfaces import Executor, Write
from yunhe.ledger.layouts import ACTIVE, DEFAULT_PARAMETERS, contract_key, encode_record, source_key
from yunhe.ledger.proof import CertifiedCheckpoint, build_bundle, receipt_subject
from yunhe.ledger.state_keys import prefix_end, state_key, table_prefix
from yunhe.ledger.transaction import Call, Signer, Transaction, TransactionBody, assemble_transaction, sign_transaction
from yunhe.ledger.transition import LedgerBlock
from yunhe.ledger.validators import Validator
from yunhe.limits import UNCOMMITTED_BLOCKS_MAX
from yunhe.node.application import BlockCommitted, LedgerApplication
from yunhe.node.cosigner import Cosigner
from yunhe.node.metrics import Metrics
from yunhe.storage import CosignerMemory, DataFolder, LedgerStore

SUITE = "ed25519-sha256"
START_MS = 1_700_000_000_000
ORGANISATIONS = ("bank", "carrier", "customs", "port")
COINS = 1_000
"""In every account at first."""
SEGMENT_BYTES = 6_000
"""A few blocks, so that the block log has many segments."""
CALLS_MAX = 3
GAS_LIMIT = 5_000_000
BLOCK_ENVELOPES = 4
ACTIONS = 400

COINS_CONTRACT = """
from yunhe.contracts import Context, Map, action, require

coins: Map[str, int] = Map()


@action
def pay(ctx: Context, account: str, to: str, amount: int) -> None:
    require(coins[account] >= amount > 0, "NOT_ENOUGH")
    coins[account] -= amount
    coins[to] += amount
"""


class DisagreementError(AssertionError):
    """Something is not as it has to be: nodes differ, an acknowledgement was broken, or coins came or went."""


def key(number: int, use: int) -> PrivateKey:
    """Return a key of organisation `number`: 1 of its member, 2 of its node, 3 of its ledger, 4 of its engine."""
    return PrivateKey(SUITE, bytes([use, number]) * 16)


def identity(number: int) -> NodeIdentity:
    """Return an organisation's node."""
    return NodeIdentity(ORGANISATIONS[number], "node1", SUITE, key(number, 2).public_key.raw)


GENESIS = Genesis(
    name="simulated",
    time_ms=START_MS,
    chain_hash=SHA256,
    python="3.11",
    protocol_version=1,
    suites=(SUITE,),
    parameters=dict(DEFAULT_PARAMETERS),
    thresholds=dict.fromkeys(THRESHOLD_KINDS, "majority"),
    organisations=tuple(
        FoundingOrganisation(name, name.title(), (FoundingMember("clerk", ("admin",), (key(number, 1).public_key,)),), (identity(number),))
        for number, name in enumerate(ORGANISATIONS)
    ),
    certifiers=CertifierSet.of([Certifier(name, SUITE, key(number, 3).public_key.raw, 1) for number, name in enumerate(ORGANISATIONS)]),
    validators=tuple(Validator(name, key(number, 4).public_key.raw, 1) for number, name in enumerate(ORGANISATIONS)),
    system_contracts=system_code_hashes(SHA256),
)
COINS_PREFIX = table_prefix("coins", "coins")


def all_genesis_writes() -> list[Write]:
    """Return the genesis state, with the contract deployed and every account filled."""
    source = COINS_CONTRACT
    code_hash = SHA256.tagged(TAG_CODE, source.encode())
    contract = {"name": "coins", "code_hash": code_hash, "status": ACTIVE, "version": 1, "system": False}
    accounts = [(state_key("coins", "coins", (name,)), encode_record({"value": COINS})) for name in ORGANISATIONS]
    return [
        *genesis_writes(GENESIS),
        (contract_key("coins"), encode_record(contract)),
        (source_key(code_hash), encode_record({"code_hash": code_hash, "source": source})),
        *accounts,
    ]


@dataclass
class Agreed:
    """What the engine has decided, and what the first node made of it."""

    delivery: Delivery
    app_hash: bytes | None = None


@dataclass
class Place:
    """Where a transaction was acknowledged to be, and with which code."""

    height: int
    code: str


def compare_stores(stores: Sequence[LedgerStore], placed: Mapping[bytes, Place]) -> None:
    """Compare all ledgers, every acknowledgement and the coins.

    Raises:
        DisagreementError: one differs.
    """
    first = stores[0]
    ids = [t.id for height in range(1, first.head().height + 1) for t in first.block(height).transactions]
    if len(ids) != len(set(ids)):
        raise DisagreementError("a transaction has two places")
    if set(placed) - set(ids):
        raise DisagreementError("an acknowledged transaction has no place")
    for number, store in enumerate(stores):
        name = ORGANISATIONS[number]
        if (store.head(), store.log_root(), store.engine_height) != (first.head(), first.log_root(), first.engine_height):
            raise DisagreementError(f"{name} ended elsewhere")
        for transaction_id, place in placed.items():
            location, receipt = store.locate(transaction_id), store.receipt(transaction_id)
            if location is None or receipt is None or Place(location.height, receipt.outcome.code) != place:
                raise DisagreementError(f"{name} has an acknowledged transaction elsewhere")
        rows = store.scan(COINS_PREFIX, prefix_end(COINS_PREFIX), 100)
        total = sum(decode(value, 1000)["value"] for _, value in rows)  # type: ignore[index,call-overload,misc]
        if total != COINS * len(ORGANISATIONS):
            raise DisagreementError(f"there are {total} coins")


class Replica:
    """A node of one organisation: what is in memory is gone with its process."""

    def __init__(self, number: int, folder: Path, chance: random.Random, executor: Callable[[], Executor]) -> None:
        self.number = number
        self.folder = folder
        self.pool: list[bytes] = []
        self.durable = 0
        """Engine height up to which `commit` has returned."""
        self.store: LedgerStore | None = None
        self._executor = executor
        LedgerStore.create(folder, GENESIS, all_genesis_writes(), FileStateStore.open).close()
        self.disk = CrashingDisk(folder, chance)
        self._chance = chance
        self._state = self._state_file()

    def start(self, on_block: Callable[[LedgerBlock], None], on_commit: Callable[[BlockCommitted], None]) -> None:
        """Open what is on the disk."""
        self.store = LedgerStore.open(self.folder, GENESIS, opener=FileStateStore.open, segment_bytes_max=SEGMENT_BYTES)
        memory = CosignerMemory.open(DataFolder(self.folder).cosigner, GENESIS.network_id)
        self.cosigner = Cosigner(ORGANISATIONS[self.number], key(self.number, 3), memory, lambda: START_MS)
        self.application = LedgerApplication(self.store, self._executor(), SHA256, on_block, on_commit, Metrics())
        self.delivered = self.committed = self.application.committed().engine_height

    @property
    def is_up(self) -> bool:
        """Whether its process runs."""
        return self.store is not None

    @property
    def log_store(self) -> LedgerStore:
        """Its store, of a replica that is up."""
        assert self.store is not None
        return self.store

    def commit(self, count: int) -> None:
        """Make the oldest delivered blocks durable together."""
        self.application.commit(count)
        self.committed += count
        self.durable = self.committed

    def stop(self) -> None:
        """End the process in order."""
        self.log_store.close()
        self.store = None
        self._state = self._state_file()

    def end(self) -> None:
        """End the process where it is, and leave on the disk what the crash left."""
        if self.disk.image is None:
            self.disk.crash()
        image = self.disk.image
        assert image is not None
        # The derived state may be that of any earlier time, or be gone.
        state = self._chance.choice([self._state, self._state_file(), None])
        if self.store is not None:
            # A process that is killed closes nothing; this lets go of descriptors and the lock.
            with suppress(Exception):
                self.store.close()
            self.store = None
        for path in sorted(self.folder.rglob("*"), reverse=True):
            if path.is_file():
                path.unlink()
        for name, content in image.items():
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / name).write_bytes(content)
        if state is not None:
            (self.folder / "state" / "state.cbor").write_bytes(state)
        self.pool = []
        # What is found now is durable.
        self.disk = CrashingDisk(self.folder, self._chance)

    def _state_file(self) -> bytes | None:
        path = self.folder / "state" / "state.cbor"
        return path.read_bytes() if path.exists() else None


@dataclass
class Told:
    """What happened, so that a run that found nothing is known to have tried."""

    blocks: int = 0
    crashes: int = 0
    crashes_while_opening: int = 0
    duplicates_agreed: int = 0
    groups: int = 0
    acknowledged: int = 0
    refused: int = 0
    cosigned: int = 0


@dataclass
class Consortium:
    """The four nodes, the engine between them, and who sends transactions."""

    root: Path
    seed: int
    executor: Callable[[int], Callable[[], Executor]] = lambda number: lambda: BlockRunner(SHA256)
    told: Told = field(default_factory=Told)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.now_ms = START_MS
        self.agreed: list[Agreed] = []
        self.last_ms = START_MS
        self.sequence = 0
        self.sent: list[Transaction] = []
        self.placed: dict[bytes, Place] = {}
        self.replicas = [Replica(number, self.root / name, self.chance, self.executor(number)) for number, name in enumerate(ORGANISATIONS)]
        self.disks: Disks = {replica.folder: replica.disk for replica in self.replicas}

    def run(self, actions: int = ACTIONS) -> Told:
        """Let things happen, then let everyone catch up, and compare.

        Raises:
            DisagreementError: something is not as it has to be.
        """
        with watched(self.disks):
            for replica in self.replicas:
                self._start(replica)
            choices = [self.submit] * 5 + [self.propose] * 3 + [self.deliver] * 6 + [self.commit] * 4
            choices += [self.cosign, self.arm_crash, self.kill, self.restart, self.revive, self.revive]
            for _ in range(actions):
                self.now_ms += self.chance.choice([0, 1, 20, 500])
                self.chance.choice(choices)()
            self.settle()
            self.compare()
            for replica in self.replicas:
                replica.stop()
        return self.told

    # --- What can happen ---------------------------------------------------------------------------------------------

    def submit(self) -> None:
        """A client sends transactions by some node's gateway, good ones and others; gossip takes the envelope along, or not."""
        gateway = self.up()
        if gateway is None:
            return
        encoded = [self._transaction() for _ in range(self.chance.randint(1, 4))]
        self.sequence += 1
        envelope = seal_envelope(
            GENESIS.network_id, identity(gateway.number), self.sequence, encoded, key(gateway.number, 2), SHA256
        ).encoded
        for replica in self.replicas:
            copy = envelope
            if self.chance.random() < 0.1:
                at = self.chance.randrange(len(copy))
                copy = copy[:at] + bytes([copy[at] ^ 1 << self.chance.randrange(8)]) + copy[at + 1 :]
            for _ in range(self.chance.choice([0, 1, 1, 2])):
                if replica.is_up:
                    self._pool(replica, copy)

    def propose(self) -> None:
        """The engine agrees on a block of one node's envelopes, in any order; what others have of them stays there."""
        proposer = self.up()
        if proposer is None:
            return
        self.chance.shuffle(proposer.pool)
        count = self.chance.randint(0, BLOCK_ENVELOPES)
        envelopes, proposer.pool = proposer.pool[:count], proposer.pool[count:]
        before = {e for agreed in self.agreed for e in agreed.delivery.envelopes}
        self.told.duplicates_agreed += sum(e in before for e in envelopes)
        # A validator may even propose what is no envelope.
        if self.chance.random() < 0.1:
            envelopes.append(self.chance.randbytes(40))
        skewed_ms = self.now_ms + self.chance.randint(-2_000, 2_000)
        self.last_ms = max(self.last_ms + 1, skewed_ms)
        self.agreed.append(Agreed(Delivery(len(self.agreed) + 1, self.last_ms, tuple(envelopes))))

    def deliver(self) -> None:
        """A node takes its next block."""
        replica = self.up()
        if replica is None or not self._can_deliver_to(replica):
            return
        with self._may_crash(replica):
            self._deliver_to(replica)

    def commit(self) -> None:
        """A node makes its oldest delivered blocks durable, some of them together."""
        replica = self.up()
        if replica is None or replica.delivered == replica.committed:
            return
        count = self.chance.randint(1, replica.delivered - replica.committed)
        with self._may_crash(replica):
            replica.commit(count)
            self.told.groups += count > 1

    def cosign(self) -> None:
        """A node cosigns what it has; it never signs a tree that contradicts an earlier one, before or after a crash."""
        replica = self.up()
        if replica is not None:
            with self._may_crash(replica):
                replica.cosigner.cosign(GENESIS.network_id, replica.log_store.log, replica.log_store.log.size)
                self.told.cosigned += 1

    def arm_crash(self) -> None:
        """A node will end at one of its next disk operations."""
        replica = self.up()
        if replica is not None:
            replica.disk.operations_left = self.chance.randint(0, 12)

    def kill(self) -> None:
        """A node ends between two things that it does."""
        replica = self.up()
        if replica is not None:
            self._ended(replica)

    def restart(self) -> None:
        """A node is stopped and started by its operator."""
        replica = self.up()
        if replica is not None:
            replica.disk.operations_left = None
            replica.stop()
            self._start(replica)

    def revive(self) -> None:
        """A node that ended is started again, and may end again while it opens its store."""
        down = [replica for replica in self.replicas if not replica.is_up]
        if not down:
            return
        replica = self.chance.choice(down)
        if self.chance.random() < 0.3:
            replica.disk.operations_left = self.chance.randint(0, 6)
        try:
            self._start(replica)
        except CrashedError:
            self.told.crashes_while_opening += 1
            self._end(replica)

    # --- The end -----------------------------------------------------------------------------------------------------

    def settle(self) -> None:
        """Everyone is up, and takes and commits all there is."""
        for replica in self.replicas:
            replica.disk.operations_left = None
            if not replica.is_up:
                self._start(replica)
            while replica.committed < len(self.agreed):
                if self._can_deliver_to(replica):
                    self._deliver_to(replica)
                else:
                    replica.commit(replica.delivered - replica.committed)

    def compare(self) -> None:
        """Compare all ledgers, every acknowledgement, the coins, and proofs from all cosigners."""
        compare_stores([replica.log_store for replica in self.replicas], self.placed)
        self.told.blocks = self.replicas[0].log_store.head().height
        self.told.acknowledged = len(self.placed)
        self._prove()

    def _prove(self) -> None:
        """Verify a receipt by a bundle that all four cosigned."""
        stores = [replica.log_store for replica in self.replicas]
        size = stores[0].log.size
        made = [replica.cosigner.cosign(GENESIS.network_id, replica.log_store.log, size) for replica in self.replicas]
        checkpoints: set[Checkpoint] = {checkpoint for checkpoint, _ in made}
        if len(checkpoints) != 1:
            raise DisagreementError("the cosigners signed different checkpoints")
        cosignatures: tuple[Cosignature, ...] = tuple(cosignature for _, cosignature in made)
        if not self.placed:
            return
        transaction_id = self.chance.choice(sorted(self.placed))
        place = stores[0].locate(transaction_id)
        assert place is not None
        subject = receipt_subject(stores[0].block(place.height).receipts, place.position, SHA256)
        certified = CertifiedCheckpoint(checkpoints.pop(), GENESIS.certifiers, cosignatures)
        bundle = build_bundle(stores[0].header, stores[0].log, [certified], place.height, [subject]).encode()
        proof = verifier.verify(bundle, GENESIS.to_json().encode())
        if proof.subjects[0].fields["code"] != self.placed[transaction_id].code:
            raise DisagreementError("the proof says otherwise")

    # --- Parts -------------------------------------------------------------------------------------------------------

    def up(self) -> Replica | None:
        """Return some node that runs."""
        found = [replica for replica in self.replicas if replica.is_up]
        return self.chance.choice(found) if found else None

    def _can_deliver_to(self, replica: Replica) -> bool:
        # ENG-004
        return replica.delivered < len(self.agreed) and replica.delivered - replica.committed < UNCOMMITTED_BLOCKS_MAX

    def _deliver_to(self, replica: Replica) -> None:
        agreed = self.agreed[replica.delivered]
        app_hash = replica.application.deliver(agreed.delivery)
        if agreed.app_hash is None:
            agreed.app_hash = app_hash
        if app_hash != agreed.app_hash:
            raise DisagreementError(f"{replica.folder.name} came to another app hash at engine height {agreed.delivery.engine_height}")
        replica.delivered += 1

    def _start(self, replica: Replica) -> None:
        replica.start(self._acknowledge, self._note_refused)
        if replica.committed < replica.durable:
            raise DisagreementError(f"{replica.folder.name} had committed up to {replica.durable}, and is back at {replica.committed}")
        if replica.committed > len(self.agreed):
            raise DisagreementError(f"{replica.folder.name} has a block that nobody agreed on")

    def _end(self, replica: Replica) -> None:
        replica.end()
        self.disks[replica.folder] = replica.disk

    def _ended(self, replica: Replica) -> None:
        self._end(replica)
        self.told.crashes += 1

    @contextmanager
    def _may_crash(self, replica: Replica) -> Iterator[None]:
        try:
            yield
        except CrashedError:
            self._ended(replica)

    def _acknowledge(self, block: LedgerBlock) -> None:
        """A node tells a client what became of its transaction; every node that tells has to say the same, for ever."""
        for transaction, receipt in zip(block.transactions, block.receipts, strict=True):
            place = Place(block.header.height, receipt.outcome.code)
            if self.placed.setdefault(transaction.id, place) != place:
                raise DisagreementError("a transaction was acknowledged with two outcomes")

    def _note_refused(self, news: BlockCommitted) -> None:
        self.told.refused += len(news.dropped)

    def _pool(self, replica: Replica, envelope: bytes) -> None:
        # ENG-005
        with suppress(InvalidInputError):
            replica.application.check(envelope)
            replica.pool.append(envelope)

    def _transaction(self) -> bytes:
        """Return a transaction: a new one, one that was sent before, or one that must have no effect."""
        kind = self.chance.random()
        if self.sent and kind < 0.2:
            return self.chance.choice(self.sent).encoded
        number = self.chance.randrange(len(ORGANISATIONS))
        calls = tuple(
            Call(
                "coins",
                "pay",
                {
                    "account": self.chance.choice(ORGANISATIONS),
                    "to": self.chance.choice(ORGANISATIONS),
                    "amount": self.chance.choice([1, 10, 400, 5_000, -1]),
                },
            )
            for _ in range(self.chance.randint(1, CALLS_MAX))
        )
        valid_until_ms = self.now_ms + self.chance.choice([-1, 100, 60_000, 60_000])
        network_id = GENESIS.network_id if kind < 0.95 else bytes(32)
        signing = key(number if kind < 0.9 else (number + 1) % len(ORGANISATIONS), 1)
        signer = Signer(ORGANISATIONS[number], "clerk", SUITE, signing.public_key.raw)
        body = TransactionBody(network_id, (signer,), calls, valid_until_ms, GAS_LIMIT, self.chance.randbytes(16))
        transaction = sign_transaction(body, [signing], SHA256)
        self.sent.append(transaction)
        if kind < 0.25:
            # Somebody sends it first with a signature that is none; the real one still goes through.
            return assemble_transaction(body.encode(), [bytes(64)], SHA256).encoded
        return transaction.encoded

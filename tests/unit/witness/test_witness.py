"""WIT-001 to WIT-006: a witness takes what is certified and right, and nothing else. The nodes are real, in the test's process."""

import asyncio
import shutil
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.unit.node.open_node import ADMIN, DEADLINE_S, SUITE, make_folder, run_node, transaction
from yunhe import verifier
from yunhe.errors import BlockLogShortenedError, BlockNotFoundError, InvalidConfigurationError, SkipOrderInvalidError, YunheError
from yunhe.errors.witness import BlockUncertifiedError, CertifiedBlockWrongError, HistoryContradictedError
from yunhe.ledger.interfaces import Execution, Outcome
from yunhe.ledger.layouts import SKIPS_PREFIX, encode_record, skip_key
from yunhe.ledger.receipt import Receipt
from yunhe.ledger.skip_order import orders_in
from yunhe.ledger.transaction import Signer
from yunhe.node import Node, NodeFolder, ProofSubjectRequest
from yunhe.node import node as node_module
from yunhe.node.skip_orders import keep_order, new_order
from yunhe.storage.block_record import BlockRecord
from yunhe.storage.cosigner_memory import read_memory
from yunhe.witness import NewWitness, WatchedNode, Witness, WitnessFolder, make_witness_folder
from yunhe.witness.service import opened

NAME = "regulator.example"
HERE = "here"


class Source:
    """A node in this process, as a witness asks it; a test may put something else in the place of what it sends."""

    def __init__(self, node: Node, alter: Callable[[int, bytes], bytes] = lambda _height, data: data) -> None:
        self._node = node
        self._alter = alter

    def checkpoint(self) -> str:
        return self._node.certification.newest_note().decode()

    def block_record(self, height: int) -> bytes:
        return self._alter(height, self._node.store.record(height).encode())

    def prove(self, subjects: Sequence[dict[str, Any]]) -> bytes:
        named = [ProofSubjectRequest("transaction", bytes.fromhex(subject["transaction_id"])) for subject in subjects]
        return self._node.certification.prove(named, None)


async def decide(node: Node, *salts: int) -> None:
    for salt in salts:
        (placed,) = node.submit([transaction(node, salt=salt)])
        await asyncio.wait_for(placed, DEADLINE_S)


def with_source(folder: NodeFolder, body: Callable[[Source], None], *salts: int, alter: Any = lambda _height, data: data) -> None:
    """Run a node, let it decide a block for each salt, and hand it to a test."""

    async def run(node: Node) -> None:
        node.start()
        await decide(node, *salts)
        body(Source(node, alter))

    run_node(folder, run)


@pytest.fixture
def node(tmp_path: Path) -> NodeFolder:
    return make_folder(tmp_path / "node")


@pytest.fixture
def folder(tmp_path: Path, node: NodeFolder) -> WitnessFolder:
    witness = NewWitness(NAME, "ed25519-sha256", (WatchedNode("http://127.0.0.1:1"),))
    return make_witness_folder(tmp_path / "witness", witness=witness, genesis_json=node.genesis.to_json().encode())


@contextmanager
def witness_of(folder: WitnessFolder):
    with opened(folder, lambda _done, _total: None) as witness:
        yield witness


def follow_to_the_end(witness: Witness, source: Source) -> None:
    while (step := witness.follow(source, HERE)).size < step.node_size:
        pass


# --- What is right ----------------------------------------------------------------------------------------------------


def test_wit_003_witness_runs_all_blocks_and_cosigns_the_checkpoint_that_a_bundle_ends_with(node, folder) -> None:
    def follow(source: Source) -> None:
        with witness_of(folder) as witness:
            follow_to_the_end(witness, source)
            assert witness.size == 4
            transactions = BlockRecord.decode(source.block_record(2)).block(node.genesis.chain_hash).transactions
            bundle = source.prove([{"transaction_id": transactions[0].id.hex()}])
            proof = verifier.verify(bundle, folder.genesis_json)
            assert verifier.check_witness(proof, witness.note(4), folder.key_line()).name == NAME

    with_source(node, follow, 1, 2, 3)


def test_wit_001_witness_goes_on_where_it_ended(node, folder) -> None:
    sizes = []

    def follow(source: Source) -> None:
        with witness_of(folder) as witness:
            follow_to_the_end(witness, source)
            sizes.append(witness.size)
            witness.note()

    with_source(node, follow, 1, 2)
    with_source(node, follow, 3)
    with_source(node, follow)
    assert sizes == [3, 4, 4]


def test_wit_005_what_is_cosigned_is_remembered_before_and_any_beginning_of_it_can_be_cosigned_again(node, folder) -> None:
    def follow(source: Source) -> None:
        with witness_of(folder) as witness:
            follow_to_the_end(witness, source)
            newest = witness.note()
            assert read_memory(folder.path / "store" / "cosigner", folder.genesis.network_id).last.size == 3
            assert witness.note(2).split("\n")[1] == "2"
            assert witness.note(3).split("\n")[:3] == newest.split("\n")[:3]
            for size in (0, 4):
                with pytest.raises(BlockNotFoundError, match="3 blocks were witnessed"):
                    witness.note(size)

    with_source(node, follow, 1, 2)


def test_wit_005_store_that_is_behind_what_was_cosigned_is_not_opened(node, folder) -> None:
    """As it is after `store/` was put back from a copy and the memory was not."""
    kept = folder.path.with_name("kept")

    def follow(source: Source) -> None:
        with witness_of(folder) as witness:
            follow_to_the_end(witness, source)
            witness.note()

    with_source(node, follow, 1)
    shutil.copytree(folder.path / "store", kept)
    with_source(node, follow, 2)
    memory = (folder.path / "store" / "cosigner").read_bytes()
    shutil.rmtree(folder.path / "store")
    kept.rename(folder.path / "store")
    (folder.path / "store" / "cosigner").write_bytes(memory)
    with pytest.raises(BlockLogShortenedError), witness_of(folder):
        pass


# --- What is not certified --------------------------------------------------------------------------------------------


def altered(change: Callable[[BlockRecord], BlockRecord], at: int = 2) -> Callable[[int, bytes], bytes]:
    return lambda height, data: change(BlockRecord.decode(data)).encode() if height == at else data


@pytest.mark.parametrize(
    "alter",
    [
        lambda height, data: data[:-1] if height == 2 else data,
        lambda height, data: b"" if height == 2 else data,
        altered(lambda record: replace(record, transactions=(), receipts=())),
        altered(lambda record: replace(record, header=record.header[:-1] + bytes([record.header[-1] ^ 1]))),
        altered(lambda record: replace(record, header=record.header[:-1] + bytes([record.header[-1] ^ 1])), at=1),
    ],
    ids=["cut", "empty", "no transactions", "another last header", "another header between"],
)
def test_wit_002_block_that_no_certificate_covers_is_not_taken(node, folder, alter) -> None:
    def follow(source: Source) -> None:
        with witness_of(folder) as witness:
            with pytest.raises(BlockUncertifiedError):
                follow_to_the_end(witness, source)
            assert witness.size == 1

    with_source(node, follow, 1, 2, alter=alter)
    assert list((folder.path / "evidence").iterdir()) == []


def test_wit_002_transactions_of_another_block_are_not_taken(node, folder) -> None:
    def follow(source: Source) -> None:
        other = BlockRecord.decode(source.block_record(1))
        source._alter = altered(lambda record: replace(record, transactions=other.transactions))
        with witness_of(folder) as witness, pytest.raises(BlockUncertifiedError, match="not those of its header"):
            follow_to_the_end(witness, source)

    with_source(node, follow, 1, 2)


def test_wit_003_receipts_and_writes_that_a_node_sends_are_not_believed(node, folder) -> None:
    """Only header and transactions are certified: a node that garbles the rest neither misleads a witness nor makes it accuse anyone."""

    def follow(source: Source) -> None:
        source._alter = altered(lambda record: replace(record, receipts=(b"\xf6",), writes=((b"x", b"\xf6"),)))
        with witness_of(folder) as witness:
            follow_to_the_end(witness, source)
            assert witness.size == 3

    with_source(node, follow, 1, 2)


# --- What is wrong ----------------------------------------------------------------------------------------------------


class Generous(node_module.WorkerExecutor):
    """An executor that breaks the rules: all use a unit of gas less."""

    def execute(self, *arguments: Any) -> Execution:
        execution = super().execute(*arguments)
        return replace(execution, outcomes=tuple(replace(outcome, gas_used=outcome.gas_used - 1) for outcome in execution.outcomes))


def test_wit_004_certified_block_that_the_rules_do_not_lead_to_ends_the_witness(node, folder, monkeypatch) -> None:
    def follow(source: Source) -> None:
        with witness_of(folder) as witness:
            follow_to_the_end(witness, source)

    with_source(node, follow, 1)
    monkeypatch.setattr(node_module, "WorkerExecutor", Generous)

    def see(source: Source) -> None:
        monkeypatch.undo()
        with witness_of(folder) as witness:
            with pytest.raises(CertifiedBlockWrongError, match="other receipts"):
                follow_to_the_end(witness, source)
            assert witness.size == 2
            assert witness.note().split("\n")[1] == "2"

    with_source(node, see, 2)
    (evidence,) = (folder.path / "evidence").iterdir()
    assert evidence.name.startswith("block-2-")
    assert verifier.verify((evidence / "certificate.yunhe").read_bytes(), folder.genesis_json).height == 2


def fork(node: NodeFolder) -> NodeFolder:
    """Copy a stopped node with its keys: whoever does that can certify two histories."""
    path = node.path.with_name("fork")
    shutil.copytree(node.path, path)
    return NodeFolder.load(path)


def test_wit_004_root_that_nobody_certified_accuses_no_one(node, folder, monkeypatch) -> None:
    """Anybody can name a root; a node, and who stands on the way to it."""

    def see(source: Source) -> None:
        with witness_of(folder) as witness:
            follow_to_the_end(witness, source)
            real = source.checkpoint()
            lines = real.split("\n")
            monkeypatch.setattr(source, "checkpoint", lambda: "\n".join([*lines[:2], lines[2][::-1].strip("=") + "=", *lines[3:]]))
            with pytest.raises(BlockUncertifiedError):
                witness.follow(source, HERE)
            monkeypatch.setattr(source, "checkpoint", lambda: real)
            assert witness.follow(source, HERE).taken == 0

    with_source(node, see, 1)
    assert list((folder.path / "evidence").iterdir()) == []


def test_wit_002_earlier_block_in_the_place_of_the_next_is_not_taken(node, folder) -> None:
    def see(source: Source) -> None:
        with witness_of(folder) as witness:
            follow_to_the_end(witness, source)

    def lie(source: Source) -> None:
        first = source.block_record(1)
        source._alter = lambda height, data: first if height == 3 else data
        with witness_of(folder) as witness, pytest.raises(BlockUncertifiedError, match="where block 3 was asked for"):
            follow_to_the_end(witness, source)

    with_source(node, see, 1, 2)
    with_source(node, lie, 3)
    assert list((folder.path / "evidence").iterdir()) == []


@pytest.mark.parametrize("salts", [(7,), (7, 8, 9)], ids=["of the same length", "longer"])
def test_wit_004_second_history_is_seen_and_kept(node, folder, salts) -> None:
    other = fork(node)

    def follow(source: Source) -> None:
        with witness_of(folder) as witness:
            follow_to_the_end(witness, source)

    def see(source: Source) -> None:
        with witness_of(folder) as witness:
            with pytest.raises(HistoryContradictedError, match="witnessed"):
                follow_to_the_end(witness, source)
            assert witness.size == 2

    with_source(node, follow, 1)
    with_source(other, see, *salts)
    assert len(list((folder.path / "evidence").iterdir())) == 1


def test_wit_004_node_that_is_behind_contradicts_nothing(node, folder) -> None:
    def follow(source: Source) -> None:
        with witness_of(folder) as witness:
            follow_to_the_end(witness, source)
            assert witness.size == 3

    with_source(node, lambda _source: None, 1)
    behind = fork(node)
    with_source(node, follow, 2)
    with_source(behind, follow)


def test_wit_002_node_of_another_network_is_not_followed(tmp_path, folder) -> None:
    def follow(source: Source) -> None:
        with witness_of(folder) as witness, pytest.raises(BlockUncertifiedError, match="naming this network"):
            witness.follow(source, HERE)

    with_source(make_folder(tmp_path / "another"), follow, 1)


# --- The folder -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ("name = ", "not TOML"),
        ('name = "a b"\n[[nodes]]\naddress = "http://a"', "no witness's"),
        ('name = "yunhe/a"\n[[nodes]]\naddress = "http://a"', "no witness's"),
        ('name = "a"', "1 to 64 nodes"),
        ('name = "a"\n[[nodes]]\naddres = "http://a"', "`address`"),
        ('name = "a"\nport = 1\n[[nodes]]\naddress = "http://a"', "'port' is unknown"),
    ],
)
def test_settings_that_are_wrong_are_refused_by_name(folder, settings, reason) -> None:
    (folder.path / "witness.toml").write_text(settings)
    with pytest.raises(InvalidConfigurationError, match=reason):
        WitnessFolder.load(folder.path)


def test_wit_001_folder_has_its_secrets_for_the_owner_alone_and_is_not_made_twice(folder) -> None:
    for name in ("keys/witness.pem", "secrets/passphrase"):
        assert (folder.path / name).stat().st_mode & 0o777 == 0o600
    witness = NewWitness(NAME, "ed25519-sha256", folder.nodes)
    with pytest.raises(YunheError, match="not empty"):
        make_witness_folder(folder.path, witness=witness, genesis_json=folder.genesis_json)


# --- What was passed over ---------------------------------------------------------------------------------------------


def without_orders(record: BlockRecord) -> BlockRecord:
    return replace(record, writes=tuple(write for write in record.writes if not write[0].startswith(SKIPS_PREFIX)))


def with_altered_order(record: BlockRecord) -> BlockRecord:
    """Take the one signature off the order."""
    (order,) = orders_in(record.writes)
    stripped = replace(order, signatures=())
    fields = {"height": order.height, "transaction_id": order.transaction_id, "order": stripped.encode()}
    key = skip_key(order.height, order.transaction_id)
    return replace(record, writes=tuple((k, encode_record(fields) if k == key else value) for k, value in record.writes))


def with_other_receipts(record: BlockRecord) -> BlockRecord:
    """Say that it was run, so that no order seems to be missing."""
    record = without_orders(record)
    return replace(record, receipts=(Receipt.make(Receipt.decode(record.receipts[0]).transaction_id, Outcome("OK", -1, 0)).encoded,))


HIDDEN = {"no order": without_orders, "an order that does not count": with_altered_order, "other receipts": with_other_receipts}


@pytest.mark.parametrize("alter", [None, *HIDDEN.values()], ids=["as it was", *HIDDEN])
def test_witness_passes_over_by_the_order_and_blames_nobody_for_a_node_that_hides_it(node, folder, alter) -> None:
    """LED-063 accepted and refused"""
    sent = []

    def first(source: Source) -> None:
        made = source._node
        sent.append(transaction(made, salt=2))
        head = made.head()
        order = new_order(made.network_id, 2, head.hash(made.genesis.chain_hash), sent[0].id)
        sent.append(order.signed(Signer("port", "admin", SUITE, ADMIN.public_key.raw), ADMIN))

    with_source(node, first, 1)
    with node.open_store(lambda _done, _total: None) as store:
        assert keep_order(node, store, sent[1])

    async def second(made: Node) -> None:
        made.start()
        (placed,) = made.submit([sent[0]])
        assert (await asyncio.wait_for(placed, DEADLINE_S)).receipt.outcome.code == "SKIPPED_BY_ORDER"
        await decide(made, 3)
        with witness_of(folder) as witness:
            source = Source(made) if alter is None else Source(made, altered(alter))
            if alter is None:
                follow_to_the_end(witness, source)
                assert witness.size == 4
            else:
                with pytest.raises((BlockUncertifiedError, SkipOrderInvalidError)):
                    follow_to_the_end(witness, source)
                assert witness.size <= 2

    run_node(node, second)
    assert list((folder.path / "evidence").iterdir()) == []

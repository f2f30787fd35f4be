"""STO-014: the check of a data folder holds every block to the rules of the ledger, also where every checksum fits."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tests.kept_store import certification
from tests.unit.storage import forged_log
from tests.unit.storage.forged_log import make_block, write_log
from tests.unit.storage.state_on_file import FileStateStore, MemoryStateStore
from tests.unit.storage.stored_chain import (
    CERTIFIER,
    COUNT,
    GENESIS,
    NEXT_LEDGER,
    NODE,
    ItemsExecutor,
    add_block,
    add_certifier_change,
    certifier_record,
    genesis_writes,
    make_genesis,
    make_transaction,
    snapshot_of,
)
from yunhe.crypto import SHA256
from yunhe.errors import BlockInvalidError, BlockLogAlteredError, DerivedStateDamagedError, FolderInUseError, StateMismatchError
from yunhe.ledger.codec import encode
from yunhe.ledger.header import Header
from yunhe.ledger.interfaces import Outcome, Write
from yunhe.ledger.layouts import encode_record
from yunhe.ledger.receipt import Receipt
from yunhe.ledger.transaction import Transaction, assemble_transaction
from yunhe.storage import CheckReport, DataFolder, LedgerStore, block_check, check_folder
from yunhe.storage.block_record import BlockRecord

Chain = list[BlockRecord]
Forge = Callable[[Chain], BlockRecord]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A store of four blocks, the last of which has three transactions."""
    with LedgerStore.create(tmp_path / "store", GENESIS, genesis_writes(), FileStateStore.open) as store:
        add_block(store, 1, 2)
        certification(store, DataFolder(tmp_path / "store"), NODE).committed(add_certifier_change(store, 3))
        add_block(store, 4, 5, 6)
    return tmp_path / "store"


@pytest.fixture
def chain(folder: Path) -> Chain:
    with LedgerStore.open(folder, GENESIS, opener=FileStateStore.open) as store:
        return [store.record(height) for height in range(4)]


@pytest.fixture
def forged(tmp_path: Path, folder: Path) -> Callable[[Sequence[BlockRecord]], Path]:
    """Makes another folder with these blocks, and with the certificate of the third one."""

    def made(records: Sequence[BlockRecord]) -> Path:
        write_log(tmp_path / "forged", records)
        shutil.copytree(folder / "certificates", tmp_path / "forged" / "certificates")
        return tmp_path / "forged"

    return made


def check(folder: Path, *, replay: bool = False) -> CheckReport:
    executor = ItemsExecutor() if replay else None
    return check_folder(folder, GENESIS, lambda done, total: None, executor, FileStateStore.open)


def parts(record: BlockRecord) -> tuple[list[Transaction], list[Receipt], tuple[Write, ...]]:
    block = record.block(SHA256)
    return list(block.transactions), list(block.receipts), block.writes


def last_again(chain: Chain, **changes: object) -> BlockRecord:
    """The last block made anew, with something else in its header."""
    return make_block(chain[:-1], *parts(chain[-1]), **changes)  # type: ignore[arg-type]  # the names of fields


def with_transactions(chain: Chain, change: Callable[[list[Transaction]], Sequence[Transaction]]) -> BlockRecord:
    """The last block with other transactions, and a receipt for each."""
    transactions, _, writes = parts(chain[-1])
    made = change(transactions)
    receipts = [Receipt.make(transaction.id, Outcome("OK", -1, 7, (6,))) for transaction in made]
    return make_block(chain[:-1], made, receipts, writes)


def with_receipts(chain: Chain, change: Callable[[list[Receipt]], Sequence[Receipt]]) -> BlockRecord:
    transactions, receipts, writes = parts(chain[-1])
    return make_block(chain[:-1], transactions, change(receipts), writes)


def with_write(chain: Chain, key: bytes, value: bytes) -> BlockRecord:
    """The last block with one more write, or another one."""
    transactions, receipts, writes = parts(chain[-1])
    return make_block(chain[:-1], transactions, receipts, sorted({**dict(writes), key: value}.items()))


def garbled(transaction: Transaction) -> Transaction:
    return assemble_transaction(transaction.body_bytes, [bytes(64)], SHA256)


def test_whole_folder_is_accepted_and_nothing_is_changed(folder):
    """STO-014 accepted, without and with running everything again."""
    before = snapshot_of(folder)
    report = check(folder)
    assert (report.blocks, report.transactions, report.segments, report.engine_height) == (4, 6, 1, 3)
    assert report.remarks == ()
    assert replace(check(folder, replay=True), replayed=False) == report
    assert {name: content for name, content in snapshot_of(folder).items() if name != "LOCK"} == {
        name: content for name, content in before.items() if name != "LOCK"
    }


def test_forged_log_without_a_fault_is_accepted(forged, chain):
    """STO-014 accepted: what is refused below is refused for the one thing that is wrong in it."""
    again = last_again(chain)
    assert again == chain[-1]
    assert check(forged([*chain[:-1], again]), replay=True).blocks == 4


FORGED: dict[str, tuple[Forge, str]] = {
    "another height": (lambda chain: last_again(chain, height=7), "of another height or network"),
    "another network": (lambda chain: last_again(chain, network_id=bytes(32)), "of another height or network"),
    "another header before it": (lambda chain: last_again(chain, previous=bytes(32)), "does not follow the one below"),
    "LED-013: the time of the block below": (lambda chain: last_again(chain, time_ms=Header.decode(chain[-2].header).time_ms), "LED-013"),
    "ENG-001: the engine height of the block below": (lambda chain: last_again(chain, engine_height=chain[-2].engine_height), "ENG-001"),
    "another transactions root": (lambda chain: last_again(chain, transactions_root=bytes(32)), "transactions are not those"),
    "LED-014: no transactions": (lambda chain: with_transactions(chain, lambda made: []), "LED-014"),
    "LED-011: a transaction of an earlier block": (lambda chain: with_transactions(chain, lambda made: [make_transaction(1)]), "LED-011"),
    "LED-011: a transaction twice": (lambda chain: with_transactions(chain, lambda made: [made[0], made[0]]), "LED-011"),
    "LED-010: a signature that does not verify": (lambda chain: with_transactions(chain, lambda made: [garbled(made[0])]), "LED-010"),
    "LED-010: a transaction that has expired": (
        lambda chain: with_transactions(chain, lambda made: [make_transaction(9, time_ms=GENESIS.time_ms - 60_000)]),
        "was valid until",
    ),
    "LED-010: a transaction that is valid for too long": (
        lambda chain: with_transactions(chain, lambda made: [make_transaction(9, time_ms=GENESIS.time_ms + 10**9)]),
        "at most",
    ),
    "LED-010: a transaction of another network": (
        lambda chain: with_transactions(chain, lambda made: [make_transaction(9, make_genesis("other"))]),
        "network",
    ),
    "a receipt of another transaction": (lambda chain: with_receipts(chain, lambda made: [made[1], made[0], made[2]]), "a receipt is not"),
    "another receipts root": (lambda chain: last_again(chain, receipts_root=bytes(32)), "receipts are not those"),
    "LED-041: other certifiers without a write": (lambda chain: last_again(chain, next_certifiers=bytes(32)), "LED-041"),
    "LED-041: a write without other certifiers": (
        lambda chain: with_write(chain, CERTIFIER, certifier_record(NEXT_LEDGER)[:-1] + b"\x02"),
        "LED-041",
    ),
    "COD-060: a key that is none": (lambda chain: with_write(chain, b"bill", encode_record({"n": 1})), "state key"),
    "COD-005: a record that is no map": (lambda chain: with_write(chain, COUNT, encode([1])), "COD-005"),
}


@pytest.mark.parametrize(("forge", "named"), FORGED.values(), ids=FORGED)
def test_block_that_breaks_a_rule_is_refused_by_the_name_of_the_rule(forged, chain, forge, named):
    """STO-014 refused."""
    folder = forged([*chain[:-1], forge(chain)])
    with pytest.raises(BlockInvalidError, match=named):
        check(folder)


def test_state_root_that_the_write_set_does_not_lead_to_is_refused(forged, chain):
    """STO-010, STO-014 refused."""
    folder = forged([*chain[:-1], last_again(chain, state_root=bytes(32))])
    with pytest.raises(StateMismatchError, match="block 3"):
        check(folder)


@pytest.mark.parametrize("change", [{"time_ms": 1}, {"network_id": bytes(32)}, {"next_certifiers": bytes(32)}], ids=str)
def test_header_that_does_not_follow_from_the_genesis_is_refused(forged, chain, change):
    """LED-002 refused, by the check and by a start."""
    header = replace(Header.decode(chain[0].header), **change)
    folder = forged([replace(chain[0], header=header.encode())])
    with pytest.raises(BlockLogAlteredError, match="genesis"):
        check(folder)
    with pytest.raises(BlockLogAlteredError, match="genesis"):
        LedgerStore.open(folder, GENESIS, opener=FileStateStore.open)


REPLAYED: dict[str, Forge] = {
    "other receipts": lambda chain: with_receipts(
        chain, lambda made: [Receipt.make(receipt.transaction_id, Outcome("OK", -1, 8, (6,))) for receipt in made]
    ),
    "another write set": lambda chain: with_write(chain, COUNT, encode_record({"n": 100})),
}


@pytest.mark.parametrize("forge", REPLAYED.values(), ids=REPLAYED)
def test_result_that_contracts_do_not_give_is_refused_when_they_are_run_again(forged, chain, forge):
    """STO-014: accepted without running them, which cannot know, and refused with it."""
    folder = forged([*chain[:-1], forge(chain)])
    assert not check(folder).replayed
    with pytest.raises(BlockInvalidError, match="again gives"):
        check(folder, replay=True)


def test_folder_of_a_running_node_is_refused(folder):
    """STO-002 refused."""
    with LedgerStore.open(folder, GENESIS, opener=FileStateStore.open), pytest.raises(FolderInUseError):
        check(folder)


def lower(state: FileStateStore) -> None:
    state.height -= 1


def forget(state: FileStateStore) -> None:
    state.index.popitem()


def raise_(state: FileStateStore) -> None:
    state.height += 1


DERIVED = {"at an older height": lower, "without a transaction": forget, "ahead": raise_}


@pytest.mark.parametrize("damage", DERIVED.values(), ids=DERIVED)
def test_derived_state_that_does_not_belong_to_the_log_is_named_when_the_log_is_whole(folder, damage):
    """STO-011, STO-014 refused: the log is told to be whole, and what to do."""

    def opener(path: Path, hash_name: str) -> FileStateStore:
        if path.parent != folder:
            return MemoryStateStore.open(path, hash_name)
        state = FileStateStore.open(path, hash_name)
        damage(state)
        return state

    with pytest.raises(DerivedStateDamagedError, match="the block log is whole"):
        check_folder(folder, GENESIS, lambda done, total: None, opener=opener)


def test_fault_of_the_log_is_told_before_one_that_follows_from_it(forged, folder, chain):
    """STO-014 refused: a derived state that is right cannot be right for a log that is wrong."""
    made = forged([*chain[:-1], last_again(chain, receipts_root=bytes(32))])
    (folder / "state").rename(made / "state")
    with pytest.raises(BlockInvalidError):
        check(made)


def test_forged_state_is_the_state_of_the_chain(chain):
    """The tests' own arithmetic: what forged blocks build on is what the ledger made."""
    assert forged_log.state_root(forged_log.state_after(chain), SHA256) == Header.decode(chain[-1].header).state_root


def test_block_of_more_bytes_than_a_block_may_have_is_refused(forged, chain, monkeypatch):
    """LED-015, STO-014 refused."""
    size = sum(len(transaction) for transaction in chain[-1].transactions)
    monkeypatch.setattr(block_check, "BLOCK_BYTES_MAX", size)
    folder = forged(chain)
    check(folder)
    monkeypatch.setattr(block_check, "BLOCK_BYTES_MAX", size - 1)
    with pytest.raises(BlockInvalidError, match="LED-015"):
        check(folder)

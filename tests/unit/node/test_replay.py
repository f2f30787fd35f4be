"""Time travel: every transaction of a ledger runs again as it ran, on the state that it ran on."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tests.past_ledger import UPGRADED, PastLedger, code_hash, make_past_ledger
from tests.unit.node.open_node import run_node
from yunhe.errors import (
    BlockLogAlteredError,
    MarkerDamagedError,
    ReplayDiffersError,
    TransactionNotFoundError,
    WrongPythonError,
)
from yunhe.ledger.changes import RowChange
from yunhe.ledger.receipt import Receipt
from yunhe.node import Node, NodeFolder, PastTransaction, Replayed, past_transaction


def silent(work: str, done: int, total: int) -> None:
    return


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> PastLedger:
    return make_past_ledger(tmp_path_factory.mktemp("past") / "node")


def replay(ledger: PastLedger, name: str) -> Replayed:
    with past_transaction(ledger.folder, ledger.ids[name], silent) as past:
        return past.replay()


def counter_changes(replayed: Replayed) -> dict[tuple[str, ...], tuple[object, object]]:
    """Table and key to value before and after; None where there is no row."""

    def value(fields: dict[str, object] | None) -> object:
        return None if fields is None else fields["value"]

    rows = [change for change in replayed.changes if change.contract in ("counters", "shop")]
    return {(row.table, *map(str, row.key)): (value(row.before), value(row.after)) for row in rows}


@pytest.mark.parametrize(
    ("name", "code", "changed"),
    [
        ("first", "OK", {("counters", "a"): (None, 3)}),
        ("second", "OK", {("counters", "a"): (3, 7)}),
        ("bought", "OK", {("counters", "a"): (7, 8), ("sold", "a"): (None, 1)}),
        ("refused", "NOT_POSITIVE", {}),
        ("faulty", "CONTRACT_FAULT", {}),
        ("several", "OK", {("counters", "a"): (8, 18), ("counters", "c"): (None, 5)}),
        ("half", "ACTION_NOT_FOUND", {}),
        ("reset", "OK", {("counters", "c"): (5, None)}),
        ("before upgrade", "OK", {("counters", "a"): (18, 19)}),
        ("after upgrade", "OK", {("counters", "a"): (19, 29)}),
        ("suspended", "MEMBER_SUSPENDED", {}),
        ("last", "OK", {("counters", "a"): (29, 49)}),
    ],
)
def test_replay_shows_what_the_transaction_alone_did_on_what_it_found(ledger: PastLedger, name: str, code: str, changed: dict) -> None:
    """STO-017, STO-010, LED-023: effects of the transactions before it in its block count, those after it do not."""
    replayed = replay(ledger, name)
    assert replayed.receipt.outcome.code == code
    assert replayed.receipt.transaction_id == replayed.transaction.id == ledger.ids[name]
    assert replayed.block.header.height == ledger.heights[name]
    assert counter_changes(replayed) == changed


def test_replay_of_a_fault_names_the_line(ledger: PastLedger) -> None:
    assert "counters, line 41" in replay(ledger, "faulty").fault
    assert replay(ledger, "refused").fault == ""


def test_signers_have_the_roles_that_they_had(ledger: PastLedger) -> None:
    (clerk,) = replay(ledger, "reset").signers
    assert (clerk.member, clerk.roles) == ("clerk", ("auditor",))
    assert replay(ledger, "suspended").signers == ()


def test_upgrade_itself_is_a_change_like_others(ledger: PastLedger) -> None:
    changes = {(change.table, change.key): change for change in replay(ledger, "upgrade").changes}
    contract = changes["contracts", ("counters",)]
    assert isinstance(contract, RowChange)
    assert contract.fields()["code_hash"][1] == code_hash(UPGRADED)


def test_replay_beside_the_running_node_is_the_same(ledger: PastLedger, tmp_path: Path) -> None:
    shutil.copytree(ledger.folder.path, tmp_path / "node")
    copied = PastLedger(NodeFolder.load(tmp_path / "node"), ledger.ids, ledger.heights)
    found: list[Replayed] = []

    async def look(node: Node) -> None:
        node.start()
        found.append(replay(copied, "second"))

    run_node(copied.folder, look)
    assert found == [replay(ledger, "second")]


def test_progress_is_told_for_searching_and_for_the_state(ledger: PastLedger) -> None:
    told: list[tuple[str, int, int]] = []
    with past_transaction(ledger.folder, ledger.ids["first"], lambda *at: told.append(at)):
        pass
    assert {work for work, _, _ in told} == {"looking for the transaction", "making the state before block 3"}
    assert told[-1][1:] == (3, 3)


def test_unknown_transaction_is_refused(ledger: PastLedger) -> None:
    with pytest.raises(TransactionNotFoundError, match="none of the 7 blocks"), past_transaction(ledger.folder, bytes(32), silent):
        pass


def test_other_version_of_python_is_refused_before_anything_is_read(ledger: PastLedger, tmp_path: Path) -> None:
    folder = NodeFolder(tmp_path, ledger.folder.config, replace(ledger.folder.genesis, python="3.99"))
    with pytest.raises(WrongPythonError, match=r"3\.99"), past_transaction(folder, ledger.ids["first"], silent):
        pass


@pytest.fixture
def damaged(ledger: PastLedger, tmp_path: Path) -> PastLedger:
    shutil.copytree(ledger.folder.path, tmp_path / "node")
    return replace(ledger, folder=NodeFolder.load(tmp_path / "node"))


def test_damaged_log_is_refused_by_name(damaged: PastLedger) -> None:
    store = damaged.folder.path / "store"
    (segment,) = (store / "blocks").iterdir()
    data = bytearray(segment.read_bytes())
    data[data.rindex(damaged.ids["first"])] ^= 1
    segment.write_bytes(data)
    with pytest.raises(BlockLogAlteredError):
        replay(damaged, "first")
    (store / "marker").unlink()
    with pytest.raises(MarkerDamagedError):
        replay(damaged, "first")


def test_run_that_gives_another_receipt_is_refused_and_shows_nothing(ledger: PastLedger) -> None:
    """A receipt that was altered with every root above it, which no checksum finds."""
    with past_transaction(ledger.folder, ledger.ids["second"], silent) as past:
        receipts = list(past.block.receipts)
        outcome = receipts[0].outcome
        receipts[0] = Receipt.make(receipts[0].transaction_id, replace(outcome, gas_used=outcome.gas_used + 1))
        past.block = replace(past.block, receipts=tuple(receipts))
        with pytest.raises(ReplayDiffersError, match="transaction 0 of block 3"):
            past.replay()


def test_context_is_that_of_the_block(ledger: PastLedger) -> None:
    with past_transaction(ledger.folder, ledger.ids["second"], silent) as past:
        assert isinstance(past, PastTransaction)
        assert (past.context.height, past.position) == (3, 1)
        assert past.context.time_ms == past.block.header.time_ms

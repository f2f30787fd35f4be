"""Time travel: every transaction of a ledger runs again as it ran, on the state that it ran on."""

import shutil
import traceback
from dataclasses import replace
from pathlib import Path

import pytest

from tests.past_ledger import COUNTERS, SHOP, UPGRADED, PastLedger, code_hash, make_past_ledger
from tests.unit.node.open_node import run_node
from yunhe.errors import (
    BlockLogAlteredError,
    InvalidConfigurationError,
    MarkerDamagedError,
    ReplayDiffersError,
    TransactionNotFoundError,
    WrongPythonError,
)
from yunhe.ledger.changes import RowChange
from yunhe.ledger.receipt import Receipt
from yunhe.node import Node, NodeFolder, PastTransaction, PlainReplay, Replayed, SourceFolder, past_transaction


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


class Followed:
    """Implements `yunhe.node.replay.PlainWatch`."""

    def __init__(self) -> None:
        self.files: list[tuple[str, str]] = []
        self.calls: list[int] = []

    def placed(self, contract: str, source: str, file: str) -> None:
        assert Path(file).read_text(encoding="utf-8") == source
        self.files.append((contract, Path(file).name))

    def entering(self, call_index: int) -> None:
        self.calls.append(call_index)


def replay_plainly(ledger: PastLedger, name: str, sources: Path) -> tuple[Replayed, PlainReplay, Followed]:
    watch = Followed()
    with past_transaction(ledger.folder, ledger.ids[name], silent) as past:
        replayed = past.replay()
        plain = past.replay_plainly(replayed, SourceFolder(sources, ledger.folder.genesis.chain_hash), watch)
    return replayed, plain, watch


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


@pytest.mark.parametrize(
    "name",
    [
        "submit 0",
        "enrol clerk",
        "second",
        "bought",
        "refused",
        "faulty",
        "several",
        "half",
        "reset",
        "upgrade",
        "after upgrade",
        "suspended",
    ],
)
def test_un_metered_run_is_the_same(ledger: PastLedger, tmp_path: Path, name: str) -> None:
    """System contracts included, whose functions depend on the ledger's hash (CON-146)."""
    replayed, plain, watch = replay_plainly(ledger, name, tmp_path)
    assert plain.differences(replayed) == ()
    ended = replayed.receipt.outcome.call_index
    assert watch.calls == [] if name == "suspended" else list(range(len(replayed.transaction.body.calls) if ended < 0 else ended + 1))


def test_un_metered_run_goes_on_where_gas_ended_the_transaction(ledger: PastLedger, tmp_path: Path) -> None:
    replayed, plain, _ = replay_plainly(ledger, "spent", tmp_path)
    assert (replayed.receipt.outcome.code, plain.outcome.code) == ("OUT_OF_GAS", "OK")
    assert plain.differences(replayed) == ("code", "call", "results")


def test_sources_are_those_of_then_in_a_file_for_each_version(ledger: PastLedger, tmp_path: Path) -> None:
    files = [replay_plainly(ledger, name, tmp_path)[2].files for name in ("before upgrade", "after upgrade", "bought")]
    assert files == [
        [("counters", f"counters-{code_hash(COUNTERS).hex()[:8]}.py")],
        [("counters", f"counters-{code_hash(UPGRADED).hex()[:8]}.py")],
        [("shop", f"shop-{code_hash(SHOP).hex()[:8]}.py"), ("counters", f"counters-{code_hash(COUNTERS).hex()[:8]}.py")],
    ]
    assert (tmp_path / files[0][0][1]).read_text(encoding="utf-8") == COUNTERS


def test_folder_for_sources_that_cannot_be_written_is_refused(ledger: PastLedger, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(InvalidConfigurationError, match="cannot be written"):
        replay_plainly(ledger, "first", tmp_path / "file")


def test_error_of_an_un_metered_run_leads_to_the_line(ledger: PastLedger, tmp_path: Path) -> None:
    error = replay_plainly(ledger, "faulty", tmp_path)[1].outcome.error
    assert isinstance(error, IndexError)
    frames = traceback.extract_tb(error.__traceback__)
    assert (frames[-1].name, frames[-1].line) == ("pick", "return digits[position]")

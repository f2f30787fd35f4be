"""Gas by line: it sums up to the receipt's, and stands where the work was."""

from pathlib import Path

import pytest

from tests.past_ledger import COUNTERS, SHOP, PastLedger, make_past_ledger
from yunhe.contracts import prices
from yunhe.errors import ReplayDiffersError
from yunhe.ledger.receipt import Receipt
from yunhe.node import Profile, past_transaction, profile


def silent(work: str, done: int, total: int) -> None:
    return


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> PastLedger:
    return make_past_ledger(tmp_path_factory.mktemp("past") / "node")


def profiled(ledger: PastLedger, name: str) -> tuple[Profile, Receipt, int]:
    with past_transaction(ledger.folder, ledger.ids[name], silent) as past:
        found = profile(past, past.replay(), ledger.folder.genesis.chain_hash)
        return found, past.block.receipts[past.position], len(past.transaction.encoded)


def line_of(source: str, text: str) -> int:
    (line,) = (number for number, found in enumerate(source.split("\n"), 1) if found.strip() == text)
    return line


@pytest.mark.parametrize(
    "name",
    [
        *["first", "second", "bought", "refused", "faulty", "several", "half", "reset", "upgrade", "suspended", "last", "spent"],
        "submit 0",
        "deploy counters",
        "after upgrade",
    ],
)
def test_gas_of_lines_and_named_parts_is_the_receipts(ledger: PastLedger, name: str) -> None:
    found, receipt, _ = profiled(ledger, name)
    assert found.gas_used == receipt.outcome.gas_used
    assert all(spent.gas >= 0 and spent.time_ns >= 0 for spent in found.lines.values())
    assert {contract for contract, _ in found.lines} == set(found.sources)


def test_parts_outside_of_lines_are_the_prices_of_what_they_name(ledger: PastLedger) -> None:
    found, receipt, size = profiled(ledger, "several")
    # Besides, the memory of its bytes costs a little.
    assert 0 <= found.transaction_gas - (prices.TRANSACTION + size * prices.TRANSACTION_BYTE) < 3 * size
    assert found.calls_gas == 3 * prices.CALL
    # Each result is an integer of one encoded byte.
    assert receipt.outcome.results == (13, 5, 18)
    assert found.results_gas == 3 * prices.RESULT_BYTE


def test_gas_stands_at_the_line_that_spent_it_across_contracts(ledger: PastLedger) -> None:
    found, _, _ = profiled(ledger, "bought")
    get, save = (("counters", line_of(COUNTERS, text)) for text in ("counter = counters.get(name)", "counters.save(counter)"))
    call = ("shop", line_of(SHOP, 'total = call("counters", "add", name=name, amount=sold[name])'))
    assert found.lines[get].gas >= prices.READ
    assert found.lines[save].gas >= prices.WRITE
    # What the called contract spent is its own lines'; the line that calls pays for the call.
    assert prices.CALL <= found.lines[call].gas < prices.READ
    assert ("counters", line_of(COUNTERS, "counter = Counter(name=name, value=0)")) not in found.lines


def test_price_of_a_body_stands_at_its_first_statement_and_not_at_the_docstring(ledger: PastLedger) -> None:
    found, _, _ = profiled(ledger, "several")
    lines = {line for contract, line in found.lines if contract == "counters"}
    assert line_of(COUNTERS, '"""Add to a counter."""') not in lines
    assert line_of(COUNTERS, "counter = counters.get(name)") in lines


def test_spent_gas_stands_in_the_loop(ledger: PastLedger) -> None:
    found, receipt, _ = profiled(ledger, "spent")
    body = ("counters", line_of(COUNTERS, "total += number"))
    assert 10 * found.lines[body].gas > 9 * receipt.outcome.gas_used


def test_transaction_that_was_charged_nothing_has_no_lines(ledger: PastLedger) -> None:
    found, _, _ = profiled(ledger, "suspended")
    assert found == Profile({}, 0, 0, 0, {})


def test_run_with_another_receipt_is_refused(ledger: PastLedger, tmp_path: Path) -> None:
    with (
        past_transaction(ledger.folder, ledger.ids["first"], silent) as first,
        past_transaction(ledger.folder, ledger.ids["second"], silent) as second,
    ):
        replayed = second.replay()
        with pytest.raises(ReplayDiffersError):
            profile(first, replayed, ledger.folder.genesis.chain_hash)

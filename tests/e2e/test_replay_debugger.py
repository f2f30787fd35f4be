"""Scripted conversations with `yunhe tx replay --debug`, at a terminal, on a ledger with a past."""

from pathlib import Path

import pytest

from tests.e2e.node_process import yunhe
from tests.e2e.terminal import Terminal
from tests.past_ledger import PastLedger, make_past_ledger

PROMPT = "(Pdb) "


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> PastLedger:
    return make_past_ledger(tmp_path_factory.mktemp("past") / "node")


def debug(ledger: PastLedger, name: str, *options: str) -> Terminal:
    return Terminal(["tx", "replay", ledger.ids[name].hex(), "--folder", str(ledger.folder.path), "--debug", *options])


def test_second_transaction_of_its_block_on_one_key_is_stepped_through(ledger: PastLedger) -> None:
    with debug(ledger, "second") as terminal:
        shown = terminal.expect(PROMPT)
        assert "byte for byte" in shown
        assert "value  3 -> 7" in shown
        assert '-> require(amount > 0, "NOT_POSITIVE")' in shown
        listed = terminal.say("list", PROMPT)
        assert "\tdef add(ctx: Context, name: str, amount: int) -> int:" in listed
        assert ' 26  ->\t    require(amount > 0, "NOT_POSITIVE")' in listed
        assert "counters.get(name)" in terminal.say("next", PROMPT)
        terminal.say("next", PROMPT)
        assert "-> counter.value = grown(counter, amount)" in terminal.say("next", PROMPT)
        assert terminal.say("p counter", PROMPT) == "Counter(name='a', value=3)\n"
        assert "-> return counter.value + amount" in terminal.say("step", PROMPT)
        assert terminal.say("p ctx.time_ms > 0", PROMPT).startswith("*** NameError")
        assert terminal.say("up", PROMPT).endswith("-> counter.value = grown(counter, amount)\n")
        assert terminal.say("p ctx.height, ctx.sender", PROMPT) == f"({ledger.heights['second']}, 'port')\n"
        shown, code = terminal.end("continue")
        assert "un-metered: the same code, results, events and changes" in shown
        assert code == 0


def test_source_is_the_one_before_the_upgrade_and_after_it(ledger: PastLedger) -> None:
    for name, line in {"before upgrade": "counter.value + amount", "after upgrade": "counter.value + 10 * amount"}.items():
        with debug(ledger, name) as terminal:
            terminal.expect(PROMPT)
            assert line in terminal.say("list 14, 22", PROMPT)
            assert terminal.end("continue")[1] == 0


def test_stepping_leads_from_contract_to_contract_and_past_the_runtime(ledger: PastLedger) -> None:
    with debug(ledger, "bought") as terminal:
        assert "-> sold[name] += 1" in terminal.expect(PROMPT)
        terminal.say("next", PROMPT)
        assert '-> require(amount > 0, "NOT_POSITIVE")' in terminal.say("step", PROMPT)
        frames = terminal.say("where", PROMPT)
        assert frames.count("shop-") == 1
        assert frames.count("counters-") == 1
        assert "yunhe/" not in frames
        assert terminal.end("continue")[1] == 0


def test_refused_transaction_is_looked_at_where_it_was_refused(ledger: PastLedger) -> None:
    with debug(ledger, "refused") as terminal:
        assert "NOT_POSITIVE in call 0" in terminal.expect(PROMPT)
        shown = terminal.say("continue", PROMPT)
        assert "ended by Refusal: NOT_POSITIVE" in shown
        assert '-> require(amount > 0, "NOT_POSITIVE")' in shown
        assert terminal.say("p name, amount", PROMPT) == "('a', -1)\n"
        assert terminal.end("quit")[1] == 0


def test_faulty_transaction_is_looked_at_in_the_line_that_failed(ledger: PastLedger) -> None:
    with debug(ledger, "faulty") as terminal:
        assert "contract counters, line 41" in terminal.expect(PROMPT)
        shown = terminal.say("continue", PROMPT)
        assert "ended by IndexError: list index out of range" in shown
        assert "(41)pick()\n-> return digits[position]" in shown
        assert terminal.say("p digits, position", PROMPT) == "([1, 2, 3], 7)\n"
        assert terminal.end("quit")[1] == 0


@pytest.mark.parametrize(("at", "names"), [("1", ["c"]), ("counters.add", ["a", "c", "a"])])
def test_debugger_stops_first_at_the_call_that_was_asked_for(ledger: PastLedger, at: str, names: list[str]) -> None:
    with debug(ledger, "several", "--at", at) as terminal:
        found = []
        shown = terminal.expect(PROMPT)
        for _ in names:
            assert '-> require(amount > 0, "NOT_POSITIVE")' in shown
            found.append(terminal.say("p name", PROMPT).strip().strip("'"))
            if len(found) < len(names):
                shown = terminal.say("continue", PROMPT)
        assert found == names
        shown, code = terminal.end("continue")
        assert "un-metered: the same" in shown
        assert code == 0


def test_action_that_another_contract_calls_is_stopped_at_too(ledger: PastLedger) -> None:
    with debug(ledger, "bought", "--at", "counters.add") as terminal:
        assert '-> require(amount > 0, "NOT_POSITIVE")' in terminal.expect(PROMPT)
        assert terminal.say("p amount", PROMPT) == "1\n"
        shown, _ = terminal.end("quit")
        assert "un-metered: ended by the debugger" in shown


def test_breakpoint_of_the_developer_stops_in_a_line(ledger: PastLedger) -> None:
    with debug(ledger, "several") as terminal:
        terminal.expect(PROMPT)
        assert "Breakpoint 1" in terminal.say("break 31, name == 'c'", PROMPT)
        assert "-> counter.value = grown(counter, amount)" in terminal.say("continue", PROMPT)
        assert terminal.say("p counter", PROMPT) == "Counter(name='c', value=0)\n"
        assert terminal.end("continue")[1] == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--debug", "--at", "3"], "0 is counters.add, 1 is counters.add, 2 is counters.add"),
        (["--debug", "--at", "add"], "CONTRACT.ACTION"),
        (["--at", "1"], "--debug"),
        (["--debug", "--json"], "--json"),
    ],
)
def test_options_that_do_not_fit_are_refused(ledger: PastLedger, options: list[str], message: str) -> None:
    done = yunhe("tx", "replay", ledger.ids["several"].hex(), "--folder", str(ledger.folder.path), *options)
    assert done.returncode == 2
    assert message in done.stderr


def test_action_that_is_never_reached_is_said(ledger: PastLedger) -> None:
    done = yunhe("tx", "replay", ledger.ids["first"].hex(), "--folder", str(ledger.folder.path), "--debug", "--at", "shop.buy")
    assert done.returncode == 0
    assert "no call reached shop.buy\nun-metered: the same" in done.stdout


def test_sources_are_put_where_an_editor_finds_them(ledger: PastLedger, tmp_path: Path) -> None:
    done = yunhe("tx", "replay", ledger.ids["bought"].hex(), "--folder", str(ledger.folder.path), "--sources", str(tmp_path / "sources"))
    assert done.returncode == 0, done.stderr
    files = sorted((tmp_path / "sources").iterdir())
    assert [file.name.split("-")[0] for file in files] == ["counters", "shop"]
    assert all(str(file) in done.stdout for file in files)
    assert "un-metered  the same code, results, events and changes" in done.stdout

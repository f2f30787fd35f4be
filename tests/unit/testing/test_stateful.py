"""Random calls pass contracts without mistakes, and find those that were planted in the canary, whatever the seed."""

import inspect
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import find, given, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.unit.testing import canary, points, queries
from tools.tidy.checkout import ROOT
from yunhe.contracts import Context, Org
from yunhe.errors import StatefulTestInvalidError
from yunhe.limits import INTEGER_MAX, INTEGER_MIN
from yunhe.testing import Call, Chain, FindingError, invariant, stateful_test, strategy_for
from yunhe.testing.modules import read_module
from yunhe.testing.rows import addressed_rows
from yunhe.testing.stateful import ContractMachine
from yunhe.testing.strategies import TIMES

MEMBERS = {"alpha": ["issuer"], "beta": []}
PAYERS = {"alpha": ["bank"], "beta": []}
SOUND = [canary.issue, canary.open_deposit, canary.release]
SEEDS = (1, 2, 3)


@invariant
def no_money_is_made(chain: Chain) -> None:
    deposits = chain.rows(canary.deposits).values()
    held = sum(deposit.amount for deposit in deposits if deposit.status == canary.Status.OPEN)
    assert sum(chain.rows(canary.balances).values()) + held == chain.rows(canary.issued).get("all", 0)


def _run(machine: type[ContractMachine]) -> None:
    """Run a machine as pytest does."""
    run_state_machine_as_test(machine, settings=machine.TestCase.settings)


def _finding(machine: type[ContractMachine], number: int) -> tuple[str, list[str]]:
    """Return what a machine finds with a seed, and the actions of the sequence that shows it."""
    searching = settings(machine.TestCase.settings, derandomize=False, database=None)
    with pytest.raises(FindingError) as caught:
        run_state_machine_as_test(seed(number)(machine), settings=searching)
    found, *steps = str(caught.value).splitlines()
    return found, [match[1] for step in steps if (match := re.fullmatch(r"  \d+\. [^:]+: (\w+)\(.*\)", step))]


# --- The canary -----------------------------------------------------------------------------------------------------------


def test_random_calls_of_sound_actions_find_nothing() -> None:
    _run(stateful_test(canary, members=PAYERS, invariants=[no_money_is_made], actions=SOUND))


PLANTED: dict[str, tuple[Callable[..., Any], str, list[str]]] = {
    "money made by paying oneself": (canary.pay, "no_money_is_made does not hold after canary.pay", ["issue", "pay"]),
    "money made by cancelling what was released": (
        canary.cancel,
        "no_money_is_made does not hold after canary.cancel",
        ["issue", "open_deposit", "release", "cancel"],
    ),
    "a fault": (canary.split, "the last of these calls ends with CONTRACT_FAULT: ZeroDivisionError", ["issue", "open_deposit", "split"]),
    "a change that is not saved": (
        canary.set_payee,
        "a Deposit loaded from deposits was changed and not saved",
        ["issue", "open_deposit", "release", "set_payee"],
    ),
}


@pytest.mark.parametrize("number", SEEDS)
@pytest.mark.parametrize("mistake", PLANTED)
def test_random_calls_find_the_planted_mistake_with_the_shortest_sequence(mistake: str, number: int) -> None:
    planted, beginning, actions = PLANTED[mistake]
    machine = stateful_test(canary, members=PAYERS, invariants=[no_money_is_made], actions=[*SOUND, planted], metered=False)
    found, shown = _finding(machine, number)
    assert found.startswith(beginning)
    assert shown == actions


def test_finding_of_a_contract_with_many_mistakes_is_one_of_them_with_its_line_and_simple_values() -> None:
    with pytest.raises(FindingError) as caught:
        _run(stateful_test(canary, members=PAYERS, actions=[*SOUND, canary.split], metered=False))
    found, *steps = str(caught.value).splitlines()
    line = inspect.getsourcelines(canary.split)[1] + 8
    assert found == (
        "the last of these calls ends with CONTRACT_FAULT: ZeroDivisionError: integer division or modulo by zero "
        f"({canary.__file__}, line {line})"
    )
    expected = [
        r"  1\. alpha/operator \(bank\): issue\(owner='(?P<payer>alpha|beta)', amount=1\)",
        r"  2\. (?P<payer>alpha|beta)/.+: open_deposit\(deposit_id='', payee='.+', amount=1\)",
        r"  3\. .+: split\(deposit_id='', parts=1\)",
    ]
    matches = [re.fullmatch(pattern, step) for pattern, step in zip(expected, steps, strict=True)]
    assert all(matches), steps
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_finding_that_needs_time_to_pass_says_how_much_and_no_more() -> None:
    with pytest.raises(FindingError) as caught:
        _run(stateful_test(canary, members=PAYERS, invariants=[no_money_is_made], actions=[*SOUND, canary.cancel], metered=False))
    pauses = [int(found) for found in re.findall(r"(\d+) ms later", str(caught.value))]
    # Calls without a pause are a millisecond apart, and the first of a chain waits for none.
    assert canary.MONTH_MS - 2 <= sum(pauses) <= canary.MONTH_MS


# --- What is told apart ---------------------------------------------------------------------------------------------------


def test_random_calls_find_a_code_that_is_not_declared() -> None:
    with pytest.raises(FindingError, match="ROLE_REQUIRED"):
        _run(stateful_test(points, members={"beta": []}, actions=[points.issue], refusals=["NOTHING_TO_ISSUE"]))


def test_random_calls_find_what_differs_on_a_node_with_the_smallest_value_that_shows_it() -> None:
    with pytest.raises(FindingError) as caught:
        _run(stateful_test(canary, members={"alpha": []}, actions=[canary.weigh]))
    found, *steps = str(caught.value).splitlines()
    assert found.startswith("canary.weigh ends with OK as plain Python and with INTEGER_OUT_OF_RANGE on a node")
    assert steps == [f"  1. alpha/operator: weigh(weight={2**51})"]


def test_prepare_makes_what_random_calls_build_on() -> None:
    def prepare(chain: Chain) -> None:
        chain.member("alpha").call(points.issue, Org("beta"), 5)

    machine = stateful_test(points, members=MEMBERS, prepare=prepare)
    assert machine.subject.trial.chain.rows(points.accounts)[Org("beta")].points == 5


def test_stateful_test_is_collected_and_reported_by_pytest(tmp_path: Path) -> None:
    (tmp_path / "test_author.py").write_text(
        "from tests.unit.testing import canary\n"
        "from yunhe.testing import stateful_test\n"
        "ACTIONS = [canary.issue, canary.open_deposit, canary.split]\n"
        "TestCanary = stateful_test(canary, members={'alpha': ['bank']}, actions=ACTIONS).TestCase\n"
    )
    options = ["-q", "-p", "no:cacheprovider", "--hypothesis-seed", "1", "--rootdir", str(tmp_path)]
    command = [sys.executable, "-m", "pytest", *options, str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment, timeout=100, check=False)
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout + done.stderr
    assert "FindingError: the last of these calls ends with CONTRACT_FAULT: ZeroDivisionError" in done.stdout
    assert re.search(r"E +3\. alpha/.+: split\(deposit_id='', parts=1\)\n", done.stdout), done.stdout
    assert "state = CanaryMachine()" not in done.stdout  # the calls are listed once, not once more as Hypothesis drew them


def test_random_calls_ask_views_too_and_find_their_faults_with_the_line() -> None:
    with pytest.raises(FindingError) as caught:
        _run(stateful_test(queries, members={"alpha": []}))
    found, *steps = str(caught.value).splitlines()
    line = inspect.getsourcelines(queries.share)[1] + 3
    assert found.endswith(f"ZeroDivisionError: integer division or modulo by zero ({queries.__file__}, line {line})")
    assert steps == ["  1. view: share(parts=0)"]


def test_random_calls_of_sound_views_find_nothing() -> None:
    _run(stateful_test(queries, members={"alpha": []}, actions=[queries.double]))


@pytest.mark.parametrize(
    ("chosen", "members", "reason"),
    [
        (None, {}, "members is empty, so nobody calls"),
        ([], {"alpha": []}, "queries has nothing to call: no action and no view is named"),
        ([points.issue], {"alpha": []}, "issue: no action or view of queries; it has double, share"),
    ],
    ids=["no members", "no actions", "an action of another contract"],
)
def test_random_calls_of_nothing_or_by_nobody_are_refused_by_name(chosen: Any, members: dict[str, list[str]], reason: str) -> None:
    with pytest.raises(StatefulTestInvalidError, match=re.escape(reason)):
        stateful_test(queries, members=members, actions=chosen)


# --- Strategies -----------------------------------------------------------------------------------------------------------


@given(arguments=strategy_for(points.issue, organisations=["alpha"], known={"points": [7], "owner": [Org("gamma"), 3], "int": [90]}))
def test_strategy_for_an_action_gives_arguments_that_it_takes(arguments: dict[str, object]) -> None:
    assert sorted(arguments) == ["owner", "points"]
    assert (type(arguments["owner"]), type(arguments["points"])) == (Org, int)
    assert arguments["owner"] in ("alpha", "gamma", "nobody_knows_it")


@pytest.mark.parametrize("value", [6, 7, 8, 90, INTEGER_MAX, INTEGER_MIN])
def test_strategy_for_an_action_meets_known_values_their_neighbours_and_extremes(value: int) -> None:
    wanted = strategy_for(points.issue, known={"points": [7], "int": [90]})
    assert find(wanted, lambda arguments: arguments["points"] == value)["points"] == value


def _divide(ctx: Context, parts: list[int], until_ms: int) -> None:
    """Stand for an action; strategies look at its annotations alone."""


@pytest.mark.parametrize(
    "sought",
    [
        lambda given: len(given["parts"]) > 1 and sum(given["parts"]) == 1_000 and min(given["parts"]) > 0,
        lambda given: 0 in given["parts"] and sum(given["parts"]) == 1_000,
        lambda given: sum(given["parts"]) not in (0, 1_000),
        lambda given: given["until_ms"] == 5_000,
        lambda given: given["until_ms"] == INTEGER_MIN,
    ],
    ids=["parts that add up to what is known", "a part of nothing", "parts that do not add up", "a known time", "no time"],
)
def test_strategy_for_an_action_meets_parts_of_known_numbers_and_times(sought: Callable[[Any], bool]) -> None:
    assert sought(find(strategy_for(_divide, known={"int": [1_000], TIMES: [5_000]}), sought))


def test_rows_that_an_action_can_be_about_are_those_whose_whole_key_it_names() -> None:
    chain = Chain(metered=False)
    chain.deploy(canary)
    chain.member("alpha", roles=["bank"]).transact(Call(canary.issue, Org("alpha"), 9), Call(canary.open_deposit, "D", Org("beta"), 4))
    (row,) = addressed_rows(read_module("canary", canary), chain.state, ["deposit_id", "payee"])
    assert row.key == {"deposit_id": "D"}
    assert (row.values["amount"], row.values["Org"]) == ([4], ["alpha", "beta"])
    assert addressed_rows(read_module("canary", canary), chain.state, ["payee"]) == []


@pytest.mark.parametrize("name", ["strategy_for", "stateful_test"])
def test_without_hypothesis_the_error_says_what_to_install(name: str) -> None:
    code = f"import sys; sys.modules['hypothesis'] = None\nimport yunhe.testing\nyunhe.testing.Chain\nyunhe.testing.{name}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert "ExtraMissingError: this needs hypothesis" in done.stderr
    assert "yunhe[testing]" in done.stderr

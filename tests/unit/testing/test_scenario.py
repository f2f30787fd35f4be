"""Scenarios: each step is told as it was, and a file that is none says what is wrong with it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.testing import points
from yunhe.cli.output import output
from yunhe.contracts import Org
from yunhe.errors import ContractRefusedError, ScenarioFailedError, ScenarioInvalidError
from yunhe.testing import Call
from yunhe.testing.narration import NarratingChain, Step
from yunhe.testing.scenario import load_scenario, main, play

ALPHA, BETA = Org("alpha"), Org("beta")


def told(*, metered: bool = True) -> tuple[NarratingChain, list[Step]]:
    steps: list[Step] = []
    chain = NarratingChain(steps.append, metered=metered)
    chain.deploy(points)
    return chain, steps


@pytest.fixture
def scenario(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Return a function that writes a scenario and returns its path."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(output, "json", False)

    def write(text: str) -> Path:
        path = tmp_path / "story.py"
        path.write_text(text, encoding="utf-8")
        return path

    return write


# --- Steps --------------------------------------------------------------------------------------------------------------


def test_transaction_is_told_with_signers_calls_changes_events_and_gas() -> None:
    chain, steps = told()
    issuer = chain.member("alpha", "clerk", roles=["issuer"])
    chain.together(issuer, chain.member("beta")).transact(Call(points.issue, ALPHA, 5), Call(points.issue, owner=BETA, points=1))
    issuer.call(points.move, BETA, 2)
    first, second = steps
    assert first.lines() == [
        'alpha/clerk, beta/operator: points.issue(owner="alpha", points=5)',
        '                            points.issue(owner="beta", points=1)',
        f"  OK (height 1, gas {first.gas_used:,})",
        "  result   5",
        "  result   1",
        '  added    accounts["alpha"]: {"owner": "alpha", "points": 5}',
        '  added    accounts["beta"]: {"owner": "beta", "points": 1}',
        '  added    totals["issued"]: 6',
    ]
    assert second.lines()[2:] == [
        '  changed  accounts["alpha"]: points 5 -> 3',
        '  changed  accounts["beta"]: points 1 -> 3',
        f'  added    movements["beta", 0]: {{"points": 2, "time_ms": {chain.time_ms}}}',
        '  event    Moved {"points": 2, "source": "alpha", "target": "beta"}',
    ]
    assert second.gas_used == chain.gas_used > 0


def test_refusal_is_told_with_its_code_and_changes_nothing() -> None:
    chain, steps = told()
    with chain.refuses("ROLE_REQUIRED"):
        chain.member("beta").call(points.issue, BETA, 1)
    (step,) = steps
    assert (step.code, step.changes, step.events, step.results) == ("ROLE_REQUIRED", [], [], [])
    assert step.lines()[1].startswith("  refused with ROLE_REQUIRED")


def test_view_is_told_with_its_result_and_without_a_height() -> None:
    chain, steps = told()
    chain.member("alpha", roles=["issuer"]).call(points.issue, ALPHA, 5)
    chain.view(points.points_of, ALPHA)
    assert steps[-1].lines() == ['view: points.points_of(owner="alpha")', "  OK", "  result   5"]


def test_unmetered_chain_tells_no_gas() -> None:
    chain, steps = told(metered=False)
    chain.member("alpha", roles=["issuer"]).call(points.issue, ALPHA, 5)
    assert (steps[0].gas_used, steps[0].lines()[1]) == (None, "  OK (height 1)")


def test_step_as_data_is_json() -> None:
    chain, steps = told()
    chain.member("alpha", roles=["issuer"]).call(points.issue, ALPHA, 5)
    data = json.loads(json.dumps(steps[0].data()))
    assert data["calls"] == [{"contract": "points", "name": "issue", "arguments": {"owner": "alpha", "points": 5}}]
    assert data["changes"][1] == {"contract": "points", "table": "totals", "key": ["issued"], "before": None, "after": 5}


# --- Files --------------------------------------------------------------------------------------------------------------

STORY = """
from tests.unit.testing import points

def scenario(chain):
    chain.deploy(points)
    print("as told")
    chain.member("alpha", roles=["issuer"]).call(points.issue, chain.member("alpha").organisation, 5)
    {last}
"""


def test_scenario_that_goes_as_expected_passes(scenario, capsys) -> None:
    path = scenario('"""Points are issued."""' + STORY.format(last=""))
    assert play(path)["passed"]
    first, *_, last = capsys.readouterr().out.splitlines()
    assert (first, last) == ("Points are issued.", f"{path}: passed, 1 steps")


@pytest.mark.parametrize(
    ("last", "shown"),
    [
        ("assert chain.height == 1, 'another height'", "AssertionError: another height"),
        ("chain.member('beta').call(points.move, 'alpha', 1)", "Fault"),
        ("chain.member('beta').call(points.lose, 1)", "NOT_FOUND"),
        ("1 // 0", "ZeroDivisionError"),
    ],
)
def test_scenario_that_goes_otherwise_fails_and_shows_its_own_lines_only(scenario, capsys, last: str, shown: str) -> None:
    path = scenario(STORY.format(last=last))
    with pytest.raises(ScenarioFailedError, match=shown) as caught:
        play(path)
    assert f'File "{path}", line 8, in scenario' in caught.value.message
    assert "narration.py" not in caught.value.message
    assert capsys.readouterr().out.splitlines()[-1].startswith(f"{path}: failed, ")


@pytest.mark.parametrize(
    ("text", "shown"),
    {
        "nothing in it": ("", "no function scenario"),
        "another kind of name": ("scenario = 1", "no function scenario"),
        "a syntax error": ("def scenario(:\n", "SyntaxError"),
        "an import that is not there": ("import no_such_module", "No module named 'no_such_module'"),
    }.values(),
)
def test_file_that_is_no_scenario_is_refused(scenario, text: str, shown: str) -> None:
    with pytest.raises(ScenarioInvalidError, match=shown):
        load_scenario(scenario(text))


def test_scenario_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ScenarioInvalidError, match="is no file"):
        load_scenario(tmp_path / "nothing.py")


def test_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "story.txt"
    path.write_text(STORY)
    with pytest.raises(ScenarioInvalidError, match=r"ends in \.py"):
        load_scenario(path)


def test_fault_of_an_action_or_a_view_is_told_with_the_contracts_line(scenario, tmp_path: Path) -> None:
    lines = [
        "from yunhe.contracts import Context, action, view",
        "@action",
        "def divide(ctx: Context, by: int) -> int:",
        "    return 1 // by",
        "@view",
        "def share(ctx: Context, by: int) -> int:",
        "    return 1 // by",
    ]
    (tmp_path / "shares.py").write_text("\n".join(lines) + "\n")
    calls = ["chain.member('port').call(shares.divide, 0)", "chain.view(shares.share, 0)"]
    asked = [f"    with chain.refuses('CONTRACT_FAULT'):\n        {call}\n" for call in calls]
    steps = play(scenario("import shares\n\n\ndef scenario(chain):\n    chain.deploy(shares)\n" + "".join(asked)))["steps"]
    fault = "ZeroDivisionError: integer division or modulo by zero"
    assert [(step["code"], step["reason"]) for step in steps] == [
        ("CONTRACT_FAULT", f"{fault} (shares.py, line {line})") for line in (4, 7)
    ]


def test_json_is_one_value_whatever_the_scenario_prints(scenario, capsys) -> None:
    assert main(["--json", "--chain", "plain", str(scenario(STORY.format(last="assert False")))]) == 1
    shown = capsys.readouterr()
    value = json.loads(shown.out)
    assert (value["passed"], len(value["steps"]), value["steps"][0]["gas_used"]) == (False, 1, None)
    lines = shown.err.splitlines()
    assert (lines[0], json.loads(lines[1])["code"]) == ("as told", "SCENARIO_FAILED")


def test_command_line_of_the_module_imports_what_lies_beside_and_above(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "above.py").write_text("WORD = 'above'\n")
    (tmp_path / "stories").mkdir()
    (tmp_path / "stories" / "beside.py").write_text("WORD = 'beside'\n")
    story = "import above, beside\n\n\ndef scenario(chain):\n    print(above.WORD, beside.WORD)\n"
    (tmp_path / "stories" / "story.py").write_text(story)
    command = [sys.executable, "-P", "-m", "yunhe.testing.scenario", "stories/story.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert done.stdout.splitlines() == ["above beside", "stories/story.py: passed, 0 steps"], done.stderr


def test_scenario_on_a_node_tells_the_same(scenario, capsys) -> None:
    path = scenario(STORY.format(last="chain.view(points.points_of, chain.member('alpha').organisation)"))
    on_node, in_memory = play(path, "node"), play(path)
    for told in (on_node, in_memory):
        for step in told["steps"]:
            del step["height"], step["time_ms"], step["gas_used"]
    assert on_node == in_memory
    assert len(on_node["steps"]) == 2


def test_contract_that_a_node_would_refuse_is_told_as_such(scenario, tmp_path: Path) -> None:
    (tmp_path / "wrong.py").write_text("import os\n")
    with pytest.raises(ContractRefusedError):
        play(scenario("import wrong\n\ndef scenario(chain):\n    chain.deploy(wrong)\n"))


def test_json_of_a_scenario_on_a_node_is_one_value(tmp_path: Path) -> None:
    (tmp_path / "story.py").write_text("def scenario(chain):\n    chain.member('port')\n")
    command = [sys.executable, "-P", "-m", "yunhe.testing.scenario", "--json", "--chain", "node", "story.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert (json.loads(done.stdout)["passed"], done.stderr) == (True, "")

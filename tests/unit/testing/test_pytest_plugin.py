"""The pytest plugin: the flag says how the fixture runs contracts, and who does not use it pays nothing."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

_TEST = "def test_chain(chain):\n    print(type(chain).__name__, 'metered' if chain._metered else 'plain')\n"


def _pytest(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_author.py").write_text(_TEST)
    command = [sys.executable, "-m", "pytest", "-s", "-q", "-p", "no:cacheprovider", "--rootdir", str(folder), *arguments, str(folder)]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=100, check=False)


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        ((), "Chain metered"),
        (("--chain", "metered"), "Chain metered"),
        (("--chain", "plain"), "Chain plain"),
        (("--chain", "node"), "NodeChain plain"),
    ],
)
def test_chain_flag_says_how_calls_run(tmp_path: Path, arguments: tuple[str, ...], shown: str) -> None:
    done = _pytest(tmp_path, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    assert shown in done.stdout.splitlines()


def test_chain_flag_with_another_word_is_refused(tmp_path: Path) -> None:
    done = _pytest(tmp_path, "--chain", "abacus")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "--chain" in done.stderr


def test_plugin_without_the_fixture_imports_nothing_of_yunhe() -> None:
    code = "import sys, yunhe.pytest_plugin; print(sorted(name for name in sys.modules if name.startswith('yunhe')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "['yunhe', 'yunhe.pytest_plugin']"


# --- Places -----------------------------------------------------------------------------------------------------------

_CONTRACT = """\
from yunhe.contracts import Context, Record, Table, action, view


class Voyage(Record):
    ship: str
    locks: int = 0


voyages: Table[Voyage] = Table(key="ship")


@action
def start(ctx: Context, ship: str) -> None:
    voyages.add(Voyage(ship=ship))


@action
def forget(ctx: Context, ship: str) -> None:
    voyage = voyages[ship]  # loaded
    voyage.locks += 1


@view
def share(ctx: Context, locks: int) -> int:
    return 1 // locks  # divides
"""
_FAILURES = """\
import voyages
from yunhe.testing import invariant, stateful_test

MEMBERS = {"port": []}


@invariant
def no_ship_sails(chain):
    assert not chain.rows(voyages.voyages)  # TestInvariant


def test_saved(chain):
    chain.deploy(voyages)
    chain.member("port").call(voyages.start, "Heron")
    chain.member("port").call(voyages.forget, "Heron")


def test_refused(chain):
    chain.deploy(voyages)
    with chain.refuses("NEVER"):  # test_refused
        chain.member("port").call(voyages.start, "Heron")


def test_view(chain):
    chain.deploy(voyages)
    chain.view(voyages.share, 0)


def test_own(chain):
    assert chain is None  # test_own


TestSaved = stateful_test(voyages, members=MEMBERS, actions=[voyages.start, voyages.forget]).TestCase
TestInvariant = stateful_test(voyages, members=MEMBERS, actions=[voyages.start], invariants=[no_ship_sails]).TestCase
TestView = stateful_test(voyages, members=MEMBERS, actions=[voyages.share]).TestCase
TestSound = stateful_test(voyages, members=MEMBERS, actions=[voyages.start]).TestCase  # TestSound
"""


@pytest.mark.parametrize("processes", [(), ("-n", "1")], ids=["one process", "pytest-xdist"])
def test_report_names_the_line_of_the_author_and_none_of_yunhe_or_hypothesis(tmp_path: Path, processes: tuple[str, ...]) -> None:
    (tmp_path / "voyages.py").write_text(_CONTRACT)
    tests = tmp_path / "test_voyages.py"
    tests.write_text(_FAILURES)
    options = ["-p", "no:cacheprovider", "--hypothesis-seed", "1", "--rootdir", str(tmp_path), "--yunhe-report", "report.json", *processes]
    command = [sys.executable, "-m", "pytest", "-q", *options, str(tests)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=100, check=False)
    report = json.loads((tmp_path / "report.json").read_text())
    lines = {file: (tmp_path / file).read_text().splitlines() for file in ("voyages.py", "test_voyages.py")}
    found = {test["test"].split("::")[1]: lines[Path(test["file"]).name][test["line"] - 1].rpartition("  # ")[2] for test in report}
    assert found == {
        "test_saved": "loaded",
        "test_refused": "test_refused",
        "test_view": "divides",
        "test_own": "test_own",
        "TestSaved": "loaded",
        "TestInvariant": "TestInvariant",
        "TestView": "divides",
        "TestSound": "TestSound",
    }, done.stdout
    assert [test["test"] for test in report if test["outcome"] == "passed"] == ["test_voyages.py::TestSound::runTest"]


def test_failure_of_a_test_is_shown_without_the_lines_of_yunhe_that_found_it(tmp_path: Path) -> None:
    (tmp_path / "voyages.py").write_text(_CONTRACT)
    (tmp_path / "test_voyages.py").write_text(_FAILURES)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), "-k", "test_saved"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=100, check=False)
    assert re.search(r"^test_voyages\.py:15: UnsavedChangeError$", done.stdout, re.MULTILINE), done.stdout
    assert "(loaded in voyages.py, line 19)" in done.stdout
    assert "unsaved.py" not in done.stdout

"""`yunhe contract new`, `test` and `run`: what an author does before anything is deployed.

Tests and scenarios are the author's own programs. Each runs in a process of its own, with this terminal, so a debugger works in it, and
nothing of `yunhe.testing` is imported here.
"""

import json
import subprocess
import sys
import tempfile
from enum import StrEnum
from importlib import util
from pathlib import Path
from typing import Annotated, Final

import typer

from yunhe.cli.output import output
from yunhe.cli.scaffold_folder import make_folder
from yunhe.errors import ContractTestsFailedError, PytestMissingError, UsageError

_PYTHON: Final = (sys.executable, "-P", "-m")
"""Python that finds modules where they are installed, not in the folder where it happens to be started."""
_PYTEST_INTERRUPTED: Final = 2
_PYTEST_USAGE: Final = 4
_PYTEST_NO_TESTS: Final = 5


class ChainKind(StrEnum):
    """How a scenario's calls run."""

    PLAIN = "plain"
    METERED = "metered"
    NODE = "node"


def new(name: Annotated[str, typer.Argument(help="Name of the contract, and of the folder that is made.")]) -> None:
    """Make a folder with a contract that works, its tests and a scenario, to begin from."""
    files = make_folder(name, Path())
    output.fields({"folder": name, "files": [str(path) for path in files], "next": f"cd {name} && yunhe contract test"})


def test(context: typer.Context) -> None:
    """Run the tests of a contract with pytest; what follows is for pytest, such as -k NAME, --chain plain, or a folder."""
    if util.find_spec("pytest") is None:
        raise PytestMissingError("pytest is not installed: pip install 'yunhe[testing]'")
    command = [*_PYTHON, "pytest", "-p", "yunhe.pytest_plugin"]
    code = _run_for_json(command, context.args) if output.json else subprocess.run([*command, *context.args], check=False).returncode
    if code == _PYTEST_USAGE:
        raise UsageError("pytest could not be run so; it says why above")
    if code == _PYTEST_NO_TESTS:
        raise ContractTestsFailedError("no tests were found; go to the folder of the contract, or name it: yunhe contract test FOLDER")
    if code == _PYTEST_INTERRUPTED:
        raise typer.Abort
    if code != 0:
        raise ContractTestsFailedError("tests failed; pytest says which above")


def _run_for_json(command: list[str], arguments: list[str]) -> int:
    """Run pytest, and print what became of each test; the one value is alone on standard output. Returns pytest's exit code."""
    with tempfile.TemporaryDirectory(prefix="yunhe-tests-") as folder:
        report = Path(folder) / "report.json"
        code = subprocess.run([*command, "--yunhe-report", report, *arguments], check=False, stdout=sys.stderr).returncode
        tests = json.loads(report.read_text(encoding="utf-8")) if report.exists() else []
    output.result({"passed": code == 0, "pytest_exit_code": code, "tests": tests}, "")
    return code


def run(
    scenario: Annotated[Path, typer.Argument(help="Python file with a function scenario(chain).")],
    chain: Annotated[
        ChainKind,
        typer.Option(
            help="plain: as ordinary Python; metered: each call again as a node runs it, and compared; node: on a scratch node as well."
        ),
    ] = ChainKind.METERED,
) -> None:
    """Play a scenario and tell what each call did: who called what, the code, events, what changed, gas."""
    command = [*_PYTHON, "yunhe.testing.scenario", *(["--json"] if output.json else []), "--chain", chain, str(scenario)]
    raise typer.Exit(subprocess.run(command, check=False).returncode)

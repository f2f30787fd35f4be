"""Every example is what it shows: accepted by the checker, typed, formatted, and green in each way in which its author runs it."""

import subprocess
import sys
from pathlib import Path

import pytest

from tools.tidy.checkout import ROOT, tracked_paths

EXAMPLES = sorted({Path(path).parts[1] for path in tracked_paths() if path.startswith("examples/") and path.endswith("/scenario.py")})
TIMEOUT_S = 300
LONG_TIMEOUT_S = 1800
"""Each test makes networks of its own; a machine that is at work with something else takes its time."""


def _run(example: str, *command: str, timeout_s: int = TIMEOUT_S) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=ROOT / "examples" / example,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=timeout_s,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("example", EXAMPLES)
def test_contract_is_accepted(example: str) -> None:
    assert _run(example, "yunhe.cli", "contract", "check", f"{example}.py").startswith(f"{example}.py: accepted\n")


@pytest.mark.timeout(TIMEOUT_S)
@pytest.mark.parametrize("kind", ["plain", "metered"])
@pytest.mark.parametrize("example", EXAMPLES)
def test_tests_pass(example: str, kind: str) -> None:
    _run(example, "yunhe.cli", "contract", "test", "-q", "-p", "no:cacheprovider", "--hypothesis-seed=0", "--chain", kind)


@pytest.mark.long
@pytest.mark.timeout(LONG_TIMEOUT_S)
@pytest.mark.parametrize("example", EXAMPLES)
def test_tests_pass_on_a_node(example: str) -> None:
    _run(example, "yunhe.cli", "contract", "test", "-q", "-p", "no:cacheprovider", "--chain", "node", timeout_s=LONG_TIMEOUT_S)


@pytest.mark.parametrize("kind", ["plain", "metered"])
@pytest.mark.parametrize("example", EXAMPLES)
def test_scenario_goes_as_it_says(example: str, kind: str) -> None:
    assert "scenario.py: passed" in _run(example, "yunhe.cli", "contract", "run", "--chain", kind, "scenario.py")


@pytest.mark.timeout(TIMEOUT_S)
@pytest.mark.parametrize("example", EXAMPLES)
def test_types_are_strict(example: str, tmp_path: Path) -> None:
    assert _run(example, "mypy", "--cache-dir", str(tmp_path)).startswith("Success")

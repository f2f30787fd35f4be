"""The pytest plugin: the flag says how the fixture runs contracts, and who does not use it pays nothing."""

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

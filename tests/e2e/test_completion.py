"""Completion in a shell, as bash asks for it when somebody presses the tabulator."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
source <(yunhe --show-completion bash)
complete -p yunhe >/dev/null
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_yunhe_completion yunhe
printf '%s\\n' "${COMPREPLY[@]}"
"""


def completed(*words: str) -> set[str]:
    """Return what bash offers for the last of some words."""
    done = subprocess.run(
        ["bash", "--norc", "-euc", SCRIPT, "bash", *words],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return set(done.stdout.split())


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("yunhe", "tok"), {"token"}),
        (("yunhe", "node", "sta"), {"start", "status"}),
        (("yunhe", "webhook", ""), {"add", "list", "remove", "dead", "retry"}),
        (("yunhe", "node", "start", "--ba"), {"--background"}),
        (("yunhe", "node", "nothing"), set()),
    ],
    ids=["command", "several", "all of a group", "option", "nothing"],
)
def test_bash_completes_commands_and_options(words: tuple[str, ...], offered: set[str]) -> None:
    assert completed(*words) == offered

"""Guides and tutorials of who has no checkout: followed to the letter in a bare virtual environment with nothing but the wheels.

What a reader with a checkout builds there is left out; all else is what `test_documents` follows.
"""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.bare_environment import make_bare
from tests.documents.fences import Command, Steps, steps
from tests.documents.reader import Reader
from tests.kvstore_chain import program
from tools.tidy.checkout import ROOT

pytestmark = pytest.mark.long

BUILDING = re.compile(r"make( setup)? native|make engine")
GUIDES = (
    *(f"docs/guides/{name}.md" for name in ("operate", "back-up-and-restore", "upgrade", "secure", "monitor")),
    *(f"docs/guides/{name}.md" for name in ("national-cryptography", "run-a-witness", "debug-a-contract", "start-a-consortium")),
    "docs/tutorials/first-ledger.md",
)
"""How to come by the environment, `install.md`, begins with the checkout; `test_documents` follows it into an environment of its own."""


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which readers begin; its `.venv` is the bare environment."""
    folder = tmp_path_factory.mktemp("bare")
    make_bare(folder / "dist", folder / "start" / ".venv")
    return folder / "start"


@pytest.mark.timeout(900)
@pytest.mark.parametrize("path", GUIDES)
def test_guide_needs_nothing_but_the_wheels(path: str, start: Path, tmp_path: Path) -> None:
    text = (ROOT / path).read_text(encoding="utf-8")
    found = steps(text)
    kept = [step for step in found.steps if not isinstance(step, Command) or not BUILDING.fullmatch(step.text)]
    if "make engine" in text:
        # The engine has no wheel: its program is named, as `make engine` in another checkout says.
        kept.insert(0, Command(0, f"export YUNHE_COMETBFT={program()}"))
    differences = Reader(tmp_path, start, timeout_s=800).follow(replace(found, steps=kept))
    assert not differences, f"{path}\n" + "\n".join(differences)


def test_what_is_left_out_is_what_builds() -> None:
    left_out = {step.text for path in GUIDES for step in _commands(path) if BUILDING.fullmatch(step.text)}
    assert left_out == {"make native", "make engine"}


def _commands(path: str) -> list[Command]:
    found: Steps = steps((ROOT / path).read_text(encoding="utf-8"))
    return [step for step in found.steps if isinstance(step, Command)]

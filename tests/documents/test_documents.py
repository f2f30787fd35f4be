"""Every document for readers is followed step by step on a real node: what it tells them to type works, and prints what it shows."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.documents.fences import fences, steps
from tests.documents.reader import Reader
from tests.kvstore_chain import program
from tests.proof_chain import CHECKSUM_DOCUMENT, certifiers, sample_chain, sealed
from tools.tidy.checkout import ROOT, tracked_paths
from yunhe import verifier

TRANSLATION = ("README.md", "README.zh-CN.md")
FOLLOWED = sorted(
    path for path in tracked_paths() if path == TRANSLATION[0] or re.fullmatch(r"docs/(tutorials|guides)/.+\.md|apps/.+/README\.md", path)
)


def _somebody_elses_proof(folder: Path) -> None:
    """Put in what the reader of the guide was handed."""
    chain = sample_chain(certifiers("bank", "carrier", "port", "shipper"))
    (folder / "proof.yunhe").write_bytes(sealed(chain.bundle([4], 1, chain.state_subject(1, "ebl", "bills", ["B-1"]))))
    (folder / "genesis.json").write_bytes(chain.genesis)
    (folder / "document.json").write_bytes(CHECKSUM_DOCUMENT)
    (folder / "checkpoint.txt").write_text(chain.checkpoint(4), encoding="utf-8")
    (folder / "verifier.py").write_bytes(Path(verifier.__file__).read_bytes())


HANDED: dict[str, Callable[[Path], None]] = {"docs/guides/verify-a-proof.md": _somebody_elses_proof}
"""Documents whose readers begin in a folder with files of their own; all others begin in the checkout."""


NETWORK = "docs/guides/start-a-consortium.md"
"""Needs the engine between organisations."""


@pytest.mark.timeout(300)
@pytest.mark.parametrize("path", FOLLOWED)
def test_document_followed_to_the_letter_works_and_prints_what_it_shows(path: str, tmp_path: Path) -> None:
    if path == NETWORK:
        program()
    start = ROOT
    if path in HANDED:
        start = tmp_path / "handed"
        start.mkdir()
        HANDED[path](start)
    found = Reader(tmp_path, start).follow(steps((ROOT / path).read_text(encoding="utf-8")))
    assert not found, f"{path}\n" + "\n".join(found)


@pytest.mark.parametrize("path", [*FOLLOWED, TRANSLATION[1]])
def test_block_that_is_as_in_another_document_is_there_word_for_word(path: str) -> None:
    for fence, other in steps((ROOT / path).read_text(encoding="utf-8")).shared:
        texts = [found.text for found in fences((ROOT / other).read_text(encoding="utf-8"))]
        assert fence.text in texts, f"{path}, line {fence.line}: {other} has no such block"


def test_readme_in_both_languages_has_the_same_parts() -> None:
    english, chinese = (_parts((ROOT / path).read_text(encoding="utf-8")) for path in TRANSLATION)
    assert chinese == english


def _parts(text: str) -> list[str]:
    """Return what does not depend on the language: kinds of lines outside of fences, in order."""
    kinds = {"#": "heading", "-": "item", "|": "row", "`": "fence"}
    return [kinds[line[0]] + (line.split(" ")[0] if line[0] == "#" else "") for line in text.splitlines() if line and line[0] in kinds]

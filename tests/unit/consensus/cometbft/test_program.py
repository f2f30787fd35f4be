"""Which program is started as the engine, and what is said when none can be."""

import os
from pathlib import Path

import pytest

from tests.kvstore_chain import program
from yunhe.consensus.cometbft import program as program_module
from yunhe.consensus.cometbft.program import PROGRAM_VARIABLE, find_program
from yunhe.errors import EngineMissingError, EngineVersionError

OTHER_PROGRAMS = {
    "another version": "#!/bin/sh\necho 0.38.12\n",
    "a later version that begins alike": "#!/bin/sh\necho 0.39.40\n",
    "nothing to say": "#!/bin/sh\n",
    "a failure": "#!/bin/sh\necho 0.39.4\nexit 1\n",
    "bytes": "#!/bin/sh\nprintf '\\377'\n",
    "no program": "0.39.4\n",
}


def _program(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("text", OTHER_PROGRAMS.values(), ids=OTHER_PROGRAMS)
def test_program_that_is_not_the_version_needed_is_refused_with_what_to_do(tmp_path: Path, text: str) -> None:
    # NET-004
    other = _program(tmp_path / "cometbft", text)
    with pytest.raises(EngineVersionError) as refusal:
        find_program({PROGRAM_VARIABLE: str(other)})
    assert str(other) in refusal.value.message
    assert "make engine" in refusal.value.message


def test_program_that_is_named_and_missing_is_refused_with_what_to_do(tmp_path: Path) -> None:
    # NET-004
    with pytest.raises(EngineMissingError) as refusal:
        find_program({PROGRAM_VARIABLE: str(tmp_path / "none")})
    assert f"{PROGRAM_VARIABLE} names {tmp_path / 'none'}" in refusal.value.message


def test_program_is_missing_where_neither_checkout_nor_path_has_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # NET-004
    monkeypatch.setattr(program_module, "_BUILT", tmp_path / "engine" / "bin" / "cometbft")
    with pytest.raises(EngineMissingError) as refusal:
        find_program({"PATH": str(tmp_path)})
    assert "`make engine`" in refusal.value.message


def test_program_on_the_path_is_taken_where_the_checkout_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program_module, "_BUILT", tmp_path / "engine" / "bin" / "cometbft")
    # A build from a checkout of the program says from which commit.
    own = _program(tmp_path / "cometbft", "#!/bin/sh\necho 0.39.4+1a2b3c\n")
    assert find_program({"PATH": str(tmp_path)}) == own


def test_program_that_was_built_here_is_the_version_needed() -> None:
    # NET-004
    assert os.access(program(), os.X_OK)

"""A node's folder is whole on the disk, or not there."""

import os
from pathlib import Path

import pytest

from tests.unit.node.open_node import make_folder
from yunhe.errors import InvalidConfigurationError, InvalidGenesisError
from yunhe.node import NodeFolder
from yunhe.node.config import PASSPHRASE_VARIABLE


def test_every_file_is_synced_before_the_folder_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that is in the genesis, and not on the disk after a power cut, would be lost for ever."""
    synced: set[tuple[int, int]] = set()
    original, rename = os.fsync, Path.rename

    def note(descriptor: int) -> None:
        found = os.fstat(descriptor)
        synced.add((found.st_dev, found.st_ino))
        original(descriptor)

    def check(source: Path, target: Path) -> Path:
        if target == tmp_path / "node":
            for path in [source, *(path for path in source.rglob("*") if "store" not in path.parts)]:
                found = path.stat()
                assert (found.st_dev, found.st_ino) in synced, path
        return rename(source, target)

    monkeypatch.setattr(os, "fsync", note)
    monkeypatch.setattr(Path, "rename", check)
    made = make_folder(tmp_path / "node")
    assert NodeFolder.load(made.path) == made
    assert (made.path / "keys" / "ledger.pem").stat().st_mode & 0o777 == 0o600


UNUSABLE = {
    "no organisation": ("", "must stay as it was"),
    "a number for a name": ("organisation = 5\n", "'organisation' must be text in quotes, not 5"),
    "a text for a number": ("organisation = 'port'\nnode = 'node1'\nport = '8440'\n", "'port' must be a whole number, not '8440'"),
    "an unknown setting": ("colour = 'blue'\n", "'colour' is unknown; the known ones are organisation, node"),
    "bytes": ("\x00\xff", "is not TOML"),
    "cut short": ("organisation = 'po", "is not TOML"),
    "an engine that this version does not have": (
        "organisation = 'port'\nnode = 'n'\nengine = 'raft'\n",
        "engine must be solo or cometbft, not 'raft'",
    ),
    "a port that is none": ("organisation = 'port'\nnode='n'\nport = 70000\n", "port must be from 0 to 65535"),
}


@pytest.mark.parametrize(("text", "named"), UNUSABLE.values(), ids=UNUSABLE)
def test_configuration_that_cannot_be_used_is_refused_by_file_and_setting(tmp_path: Path, text: str, named: str) -> None:
    made = make_folder(tmp_path / "node")
    (made.path / "node.toml").write_bytes(text.encode("latin-1"))
    with pytest.raises(InvalidConfigurationError) as refusal:
        NodeFolder.load(made.path)
    assert str(made.path / "node.toml") in refusal.value.message
    assert named in refusal.value.message


@pytest.mark.parametrize(
    "text", [None, "", "{", "[]", "{}", '{"format": 5}'], ids=["missing", "empty", "cut", "a list", "no fields", "a number"]
)
def test_genesis_that_cannot_be_used_is_refused_by_its_file_and_what_to_do(tmp_path: Path, text: str | None) -> None:
    made = make_folder(tmp_path / "node")
    file = made.path / "genesis.json"
    file.unlink() if text is None else file.write_text(text)
    with pytest.raises(InvalidGenesisError, match="put back the network's genesis file") as refusal:
        NodeFolder.load(made.path)
    assert str(file) in refusal.value.message


def test_secret_that_is_missing_is_refused_by_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PASSPHRASE_VARIABLE, raising=False)
    made = make_folder(tmp_path / "node")
    (made.path / "keys" / "ledger.pem").rename(tmp_path / "ledger.pem")
    with pytest.raises(InvalidConfigurationError, match=r"ledger\.pem cannot be read.*only a vote"):
        made.load_keys()
    (tmp_path / "ledger.pem").rename(made.path / "keys" / "ledger.pem")
    made.load_keys()
    (made.path / "secrets" / "passphrase").unlink()
    with pytest.raises(InvalidConfigurationError, match="YUNHE_PASSPHRASE"):
        made.load_keys()


def test_founder_decides_how_many_must_approve_what(tmp_path: Path) -> None:
    """SYS-011"""
    made = make_folder(tmp_path / "node", thresholds={"contract": "two_thirds"})
    assert made.genesis.thresholds["contract"] == "two_thirds"
    assert made.genesis.thresholds["suite"] == "majority"


@pytest.mark.parametrize("thresholds", [{"contract": "some"}, {"colour": "all"}])
def test_threshold_that_is_none_is_refused_and_makes_nothing(tmp_path: Path, thresholds: dict[str, str]) -> None:
    """SYS-011"""
    with pytest.raises(InvalidGenesisError, match=r"colour|two_thirds"):
        make_folder(tmp_path / "node", thresholds=thresholds)
    assert not (tmp_path / "node").exists()


def test_secrets_are_in_folders_that_nobody_else_can_enter(tmp_path: Path) -> None:
    made = make_folder(tmp_path / "node")
    for name in ("keys", "secrets", "run", "log"):
        assert (made.path / name).stat().st_mode & 0o777 == 0o700


def test_empty_token_of_the_operator_is_refused(tmp_path: Path) -> None:
    """An empty one would let everyone in."""
    made = make_folder(tmp_path / "node")
    assert made.access(lambda: 0).authenticate(made.token().encode()).name == "operator"
    (made.path / "secrets" / "api-token").write_text("\n")
    with pytest.raises(InvalidConfigurationError, match="empty"):
        made.access(lambda: 0)

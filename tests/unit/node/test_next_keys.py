"""A node changes its keys when the ledger knows the new ones: NET-035, NET-037 and NET-038."""

import asyncio
import stat
from pathlib import Path

import pytest

from tests.unit.node.consortium_nodes import Admin, code, make_folders, run_nodes, until
from tests.unit.node.open_node import make_folder, run_node, transaction
from yunhe.consensus.cometbft.configuration import (
    NEXT_VALIDATOR_KEY_FILE,
    SIGNING_STATE_FILE,
    VALIDATOR_KEY_FILE,
    install_next_key,
    make_home,
    read_keys,
)
from yunhe.consensus.cometbft.configuration import EngineSettings as Settings
from yunhe.consensus.cometbft.key_files import validator_key_file
from yunhe.crypto import PrivateKey
from yunhe.errors import FolderNotEmptyError, InvalidConfigurationError, NotPermittedError
from yunhe.node import Node, NodeFolder, ProofSubjectRequest
from yunhe.node.engine_home import ENGINE_FOLDER
from yunhe.node.next_keys import NEXT_LEDGER_KEY_FILE, NEXT_NODE_KEY_FILE, ROTATION_FILE, is_engine_key_due, make_next_keys
from yunhe.node.node import Node as OpenNode
from yunhe.verifier import verify

NAMES = ("bank", "carrier", "customs", "port")
EFFECT = "ACTION_NOT_FOUND"


class Load:
    """Transactions of one admin through one node, one after the other, until it is told to end."""

    def __init__(self, node: Node, admin: Admin) -> None:
        self.node, self.admin = node, admin
        self.codes: list[str] = []
        self.sent: list[bytes] = []
        self._ends = False
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        salt = 10_000
        while not self._ends:
            salt += 1
            one = self.admin.call(self.node, salt)
            self.codes.append(await code(self.node, one))
            self.sent.append(one.id)

    async def more(self, count: int = 3) -> None:
        reached = len(self.codes) + count
        await until(lambda: len(self.codes) >= reached or self._task.done())

    async def end(self) -> None:
        self._ends = True
        await self._task


async def decide(nodes: list[Node], admins: list[Admin], salt: int, number: int, action: str, **arguments: object) -> None:
    assert await code(nodes[0], admins[0].call(nodes[0], salt, action, "governance", **arguments)) == "OK"
    for position in (1, 2):
        vote = admins[position].call(nodes[position], salt, "vote", "governance", proposal_id=number, approve=True)
        assert await code(nodes[position], vote) == "OK"


@pytest.mark.timeout(180)
def test_node_changes_all_its_keys_under_load_and_nothing_is_lost(tmp_path: Path) -> None:
    """NET-035, NET-038 and NET-037 accepted, CER-001: without a new start, whichever node takes the load."""
    folders, admins = make_folders(tmp_path / "network", NAMES)
    port = folders[3]
    made = []

    async def body(nodes: list[Node]) -> None:
        loads = [Load(nodes[3], admins[3]), Load(nodes[1], admins[1])]
        await loads[0].more()
        asked = make_next_keys(port, ["node", "ledger", "engine"])
        made.append(asked)
        with pytest.raises(FolderNotEmptyError):
            make_next_keys(port, ["node"])
        await loads[0].more()
        # Its own key of envelopes, by its own admin; what is on its way then is sealed again.
        node_key = {"node": "node1", "suite": asked.node.suite, "public_key": asked.node.public_key, "status": "active"}
        flood = nodes[3].submit([admins[3].call(nodes[3], salt) for salt in range(500, 540)])
        changed = nodes[3].submit([admins[3].call(nodes[3], 1, "set_node", "registry", **node_key)])
        flood += nodes[3].submit([admins[3].call(nodes[3], salt) for salt in range(540, 580)])
        done = await asyncio.gather(*flood, *changed)
        assert [placed.receipt.outcome.code for placed in done] == [EFFECT] * 80 + ["OK"]
        await loads[0].more()
        keys = {"suite": asked.ledger_key.suite, "public_key": asked.ledger_key.raw, "engine_key": asked.validator_key.raw}
        pid = nodes[3].engine_health().pid
        await decide(nodes, admins, 2, 1, "propose_validator", organisation="port", power=1, **keys)
        # Three of four would be enough without it; with one less it is needed.
        await until(lambda: nodes[3].engine_health().state == "running" and nodes[3].engine_health().pid not in {None, pid})
        await loads[0].more()
        await loads[1].more()
        for load in loads:
            await load.end()
            assert set(load.codes) == {EFFECT}
        await nodes[0].stop()
        assert await code(nodes[3], admins[3].call(nodes[3], 3)) == EFFECT
        head = nodes[3].head().height
        await until(lambda: all(node.head().height == head for node in nodes[1:]))
        await until(lambda: nodes[3].certification.certified_height() >= head)
        genesis = port.genesis.to_json().encode()
        for one in (loads[0].sent[0], loads[0].sent[-1]):
            proof = verify(nodes[3].certification.prove([ProofSubjectRequest("receipt", one)], None), genesis)
            assert len(proof.certificates) == 2
        note = nodes[3].certification.newest_note()
        assert b"port" in note

    run_nodes(folders, body)
    (asked,) = made
    node_key, ledger_key = port.load_keys()
    assert (node_key.public_key.raw, ledger_key.public_key.raw) == (asked.node.public_key, asked.ledger_key.raw)
    assert read_keys(port.path / ENGINE_FOLDER)[0] == asked.validator_key
    for name in (NEXT_NODE_KEY_FILE, NEXT_LEDGER_KEY_FILE, f"{ENGINE_FOLDER}/{NEXT_VALIDATOR_KEY_FILE}"):
        assert not (port.path / name).exists()


def test_new_keys_are_secret_and_some_can_stay(tmp_path: Path) -> None:
    """NET-038"""
    (folder,), _ = make_folders(tmp_path / "network", ("port",))
    node_key, ledger_key = folder.load_keys()
    asked = make_next_keys(folder, ["ledger"])
    assert asked.node == folder.identity(node_key)
    assert asked.ledger_key != ledger_key.public_key
    assert asked.validator_key == read_keys(folder.path / ENGINE_FOLDER)[0]
    assert stat.S_IMODE((folder.path / NEXT_LEDGER_KEY_FILE).stat().st_mode) == 0o600
    assert not (folder.path / NEXT_NODE_KEY_FILE).exists()
    assert folder.load_keys()[1].public_key == ledger_key.public_key


def test_node_of_its_own_has_no_keys_to_change(tmp_path: Path) -> None:
    """NET-038 refused"""
    folder = make_folder(tmp_path / "node")
    with pytest.raises(InvalidConfigurationError, match="orders its own envelopes"):
        make_next_keys(folder, ["ledger"])
    assert not (folder.path / ROTATION_FILE).exists()


def test_key_that_the_node_does_not_have_is_not_taken_up_and_its_envelopes_are_refused(tmp_path: Path) -> None:
    """NET-035 refused: it goes on to answer, and says what is dropped."""
    folder = make_folder(tmp_path / "node")
    stranger = PrivateKey.generate()

    async def body(node: OpenNode) -> None:
        node.start()
        key = {"node": "node1", "suite": stranger.suite, "public_key": stranger.public_key.raw, "status": "active"}
        (done,) = node.submit([transaction(node, "set_node", salt=1, **key)])
        assert (await asyncio.wait_for(done, 20)).receipt.outcome.code == "OK"
        (lost,) = node.submit([transaction(node, salt=2)])
        with pytest.raises(NotPermittedError):
            await asyncio.wait_for(lost, 20)

    run_node(folder, body)


def test_engine_key_is_due_when_the_ledger_names_the_one_that_is_prepared(tmp_path: Path) -> None:
    """NET-037: not before, whatever is in the folder."""
    (folder,), _ = make_folders(tmp_path / "network", ("port",))
    with folder.open_store(lambda done, total: None) as store:
        assert not is_engine_key_due(folder.path, store.reader(), "port")
        make_next_keys(folder, ["engine"])
        assert not is_engine_key_due(folder.path, store.reader(), "port")
        home = folder.path / ENGINE_FOLDER
        (home / NEXT_VALIDATOR_KEY_FILE).write_text((home / VALIDATOR_KEY_FILE).read_text())
        assert is_engine_key_due(folder.path, store.reader(), "port")
        assert not is_engine_key_due(folder.path, store.reader(), "bank")
    assert NodeFolder.load(folder.path).genesis == folder.genesis


def test_next_validator_key_begins_with_nothing_signed(tmp_path: Path) -> None:
    """NET-037: and there is no file of it any more that could be put in place twice."""
    home = tmp_path / "engine"
    home.mkdir(mode=0o700)
    make_home(home / "home", Settings("one", "127.0.0.1:26656", ()), PrivateKey.generate(), PrivateKey.generate())
    home /= "home"
    (home / SIGNING_STATE_FILE).write_text('{"height": "7", "round": 0, "step": 3}')
    key = PrivateKey.generate()
    (home / NEXT_VALIDATOR_KEY_FILE).write_text(validator_key_file(key))
    install_next_key(home)
    assert read_keys(home)[0] == key.public_key
    assert '"height": "0"' in (home / SIGNING_STATE_FILE).read_text()
    with pytest.raises(FileNotFoundError):
        install_next_key(home)
    assert '"height": "0"' in (home / SIGNING_STATE_FILE).read_text()


def test_next_key_that_is_none_of_the_engine_halts_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """NET-037 refused: a damaged file is said, and the node opens as without it."""
    (folder,), _ = make_folders(tmp_path / "network", ("port",))
    (folder.path / ENGINE_FOLDER / NEXT_VALIDATOR_KEY_FILE).write_text("{}")
    (folder.path / ENGINE_FOLDER / NEXT_VALIDATOR_KEY_FILE).chmod(0o600)

    async def open_it() -> None:
        node = OpenNode(folder)
        assert not node._is_engine_key_due()
        await node.stop()

    asyncio.run(open_it())
    assert "the next key of the engine cannot be used" in capsys.readouterr().out

"""One node of four whose ledger was altered: it stops and says so by name, the others go on, and it comes back with a ledger that is right.

Altered bytes of the block log, a whole ledger that was written anew, and a disk that hands back another record than was written.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.network_load import Load, await_connected, require_everywhere_once
from tests.e2e.network_process import LocalNetwork
from tests.e2e.node_process import DEADLINE_S, wait_until, yunhe, yunhe_json
from yunhe.contracts.system_contracts import genesis_writes
from yunhe.node import NodeFolder
from yunhe.storage import LedgerStore

ALTERED = "bank"


pytestmark = pytest.mark.timeout(240)


def stop(network: LocalNetwork) -> Path:
    """Stop the node that is to be altered, and return its store."""
    yunhe_json("node", "stop", str(network.node(ALTERED)))
    return network.node(ALTERED) / "store"


def require_refused(network: LocalNetwork, command: str, code: str) -> None:
    """Require that the node's folder is refused by name and with what to do."""
    done = yunhe("--json", "node", command, str(network.node(ALTERED)))
    error = json.loads(done.stderr.splitlines()[-1])
    assert (done.returncode, error["code"]) == (4, code)
    assert "yunhe node check" in error["message"]


def flip(file: Path, offset: int) -> None:
    content = bytearray(file.read_bytes())
    content[offset] ^= 1
    file.write_bytes(content)


def write_anew(network: LocalNetwork, store: Path) -> None:
    """Put a ledger in place of a node's, just as long for its engine, in which nothing ever happened."""
    folder = NodeFolder.load(network.node(ALTERED))
    with LedgerStore.open(store, folder.genesis) as opened:
        engine_height = opened.engine_height
    store.rename(store.with_name("store.lost"))
    with LedgerStore.create(store, folder.genesis, genesis_writes(folder.genesis)) as made:
        made.commit(None, engine_height)


# NET-006
def test_altered_ledger_is_refused_by_name_or_stands_still_and_is_put_back_from_a_backup(network: LocalNetwork, tmp_path: Path) -> None:
    placed = [network.transact(ALTERED)]
    backup = yunhe_json("node", "backup", str(network.node(ALTERED)), str(tmp_path / "backup"))["backup"]
    placed.append(network.transact("carrier"))
    network.await_agreement(placed[-1].height or 0)
    store = stop(network)
    (segment,) = (path for path in (store / "blocks").iterdir() if path.suffix != ".index")
    flip(segment, segment.stat().st_size // 2)
    # A start reads the blocks that it needs: here all, because what is derived from them is gone.
    shutil.rmtree(store / "state")
    for command in ("check", "start"):
        require_refused(network, command, "BLOCK_LOG_ALTERED")
    placed.append(network.transact("port"))
    flip(segment, segment.stat().st_size // 2)

    write_anew(network, store)
    yunhe_json("node", "start", str(network.node(ALTERED)), "--background")
    reason = wait_until(lambda: standing_still(network), "an engine that stands still")
    assert "does not follow from this node's ledger" in reason
    assert "yunhe node restore" in reason
    placed.append(network.transact("customs"))
    stop(network)

    store.rename(store.with_name("store.rewritten"))
    yunhe_json("node", "restore", backup, str(network.node(ALTERED)), "--roll-back")
    yunhe_json("node", "start", str(network.node(ALTERED)), "--background")
    await_connected(network, ALTERED)
    placed.append(network.transact(ALTERED))
    # What it cosigned after the backup is unknown, so its key cosigns nothing more: it needs all others', which it has of blocks that it
    # proposed the next one of.
    require_everywhere_once(network, placed + Load(network, "carrier", 12).finish(), proved=0)


# NET-006
def test_node_that_reads_another_record_than_was_written_stands_still_and_says_so(network: LocalNetwork) -> None:
    """Its disk or its memory lies: it comes to another block than all others, and takes no further part."""
    network.await_agreement(network.transact(ALTERED).height or 0)
    stop(network)
    command = [sys.executable, "-m", "tests.e2e.misreading_node", "port", "admin", "node", "start", str(network.node(ALTERED))]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env=environment) as node:
        try:
            await_connected(network, ALTERED)
            placed = [network.transact("port", through="carrier")]
            # The first one ends otherwise for it, and the next block follows from what the others have.
            placed.append(network.transact("customs"))
            reason = wait_until(lambda: standing_still(network), "a node that stands still")
            assert "ENGINE_FAILED" in reason
            assert "does not follow from this node's ledger" in reason
            placed.append(network.transact("carrier"))
        finally:
            node.terminate()
            node.wait(DEADLINE_S)
    require_everywhere_once(network.without(ALTERED), placed)


def standing_still(network: LocalNetwork) -> str:
    """Return why the node stands still; nothing as long as it does not."""
    with network.client(ALTERED) as client:
        status = client.status()
    return str(status["reason"]) if status["status"] == "halted" else ""

"""How the nodes of a network's folder are, in one look: what each node answers, and what its engine answers."""

import contextlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from yunhe.consensus.cometbft.rpc import ask_engine
from yunhe.errors import EngineUnreachableError, NodeNotRunningError, YunheError
from yunhe.network.folder import LocalNode, NetworkFolder
from yunhe.network.supervision import NodeRecord, read_register
from yunhe.node import NodeFolder
from yunhe.node.engine_home import ENGINE_FOLDER
from yunhe.sdk import Client
from yunhe.sdk.local_node import local_trust, read_run_file

_ANSWER_TIMEOUT_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class NodeLook:
    """One node; what is not known is None."""

    organisation: str
    state: str
    """What the node says, or `stopped`, `starting`, `restarting` or `silent`."""
    address: str | None
    """Of its HTTP API."""
    height: int | None
    """Of its last ledger block."""
    engine_height: int | None
    """Of its last engine block."""
    lag: int | None
    """Engine blocks that it is behind the furthest node."""
    peers: int | None
    """Other engines that its engine is connected to."""
    round: int | None
    """Round in which its engine is deciding the next block; above 0, a round before it failed."""
    mempool: int | None
    """Envelopes that wait in its engine."""
    last_block_age_s: float | None
    """Since its last ledger block."""
    disk_bytes: int
    """Of its folder."""
    restarts: int
    """How often its process was started again."""
    reason: str
    """Why it does not work, or ended last."""


def look_at(folder: NetworkFolder, now_ms: int) -> list[NodeLook]:
    """Return how all nodes are, in the order of the folder."""
    records: dict[str, NodeRecord] = {}
    with contextlib.suppress(NodeNotRunningError):
        records = read_register(folder.path)[1]
    with ThreadPoolExecutor(len(folder.nodes)) as pool:
        looks = list(pool.map(lambda node: _look(node, records.get(node.organisation), now_ms), folder.nodes))
    furthest = max((look["engine_height"] or 0 for look in looks), default=0)
    for look in looks:
        look["lag"] = None if look["engine_height"] is None else furthest - look["engine_height"]
    return [NodeLook(**look) for look in looks]


def _look(node: LocalNode, record: NodeRecord | None, now_ms: int) -> dict[str, Any]:
    look: dict[str, Any] = dict.fromkeys(NodeLook.__slots__)
    look |= {
        "organisation": node.organisation,
        "state": record.state if record is not None and record.state != "running" else "stopped",
        "disk_bytes": _bytes_below(node.folder),
        "restarts": record.restarts if record is not None else 0,
        "reason": record.reason if record is not None else "",
    }
    try:
        address = read_run_file(node.folder)[1]
    except NodeNotRunningError:
        return look
    look |= {"address": address, "state": "silent"}
    try:
        trust = local_trust(node.folder)
        with Client(address, NodeFolder.load(node.folder).token(), timeout_s=_ANSWER_TIMEOUT_S, tls=trust) as client:
            status = client.status()
    except YunheError as error:
        return look | {"reason": error.message}
    look |= {
        "state": status["status"],
        "height": status["height"],
        "engine_height": status["engine_height"],
        "last_block_age_s": max(now_ms - status["time_ms"], 0) / 1000,
    }
    if status.get("unready"):
        look["reason"] = status["unready"]
    with contextlib.suppress(EngineUnreachableError):
        look |= _engine(node.folder / ENGINE_FOLDER)
    return look


def _engine(home: Path) -> dict[str, int]:
    peers, pool, consensus = (
        ask_engine(home, route, _ANSWER_TIMEOUT_S) for route in ("net_info", "num_unconfirmed_txs", "consensus_state")
    )
    # `height/round/step`
    deciding = str(consensus["round_state"]["height/round/step"]).split("/")
    return {"peers": int(peers["n_peers"]), "mempool": int(pool["n_txs"]), "round": int(deciding[1])}


def _bytes_below(folder: Path) -> int:
    """Return what a folder holds on disk; what goes meanwhile counts nothing."""
    total = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):
            total += path.lstat().st_blocks * 512
    return total

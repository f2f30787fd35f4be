"""One run of a benchmark: a fresh node, its records, the load, and the figures."""

import os
import platform
import statistics
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

import yunhe
from yunhe.bench.load import Load, LoadResult, run_load
from yunhe.bench.loss import Loss, Recovery
from yunhe.bench.processes import folder_mib, memory_mib, processor_s
from yunhe.bench.scratch_network import ScratchNetwork, scratch_network
from yunhe.bench.scratch_node import ScratchNode, scratch_node
from yunhe.bench.workloads import Choice, Workload
from yunhe.errors import BadAnswerError, UsageError
from yunhe.ledger.transaction import Call, Transaction
from yunhe.sdk import Client

_GAS_LIMIT: Final = 1_000_000
_OVERLOAD: Final = 3
"""How many times what a node commits is offered to overload it."""
_OF_OVERLOAD: Final = (
    "offered_per_s",
    "seconds",
    "committed",
    "committed_per_s",
    "late",
    "refused",
    "unsent",
    "p50_ms",
    "p99_ms",
    "cores_used",
)
_SAMPLE_S: Final = 0.5
_SPARES_ONE: Final = 4
"""So many organisations go on without one."""


@dataclass(frozen=True, slots=True)
class Options:
    """What is measured."""

    workload: Workload
    load: Load
    records: int
    """Records that there are before the load begins."""
    hot: int = 0
    """How many records all calls go to; 0 for all of them, uniformly."""
    suite: str = "ed25519-sha256"
    hash_name: str = "sha256"
    overload_s: float = 0.0
    """How long three times as much as was committed is offered afterwards, seconds."""
    kill_s: float = 0.0
    """How long the load goes on afterwards while a node of the network is killed in its middle, seconds."""
    idle_s: float = 0.0
    """How long the node is watched without load afterwards, seconds."""
    restart: bool = False
    """Whether the node is stopped and started at the end, and timed."""
    organisations: int = 1
    """How many agree on the blocks, each with a node; 1 for a node that orders its own envelopes."""
    seed: int = 1

    def __post_init__(self) -> None:
        if self.records < 2 or not (self.hot == 0 or 2 <= self.hot <= self.records):
            raise UsageError("there are at least 2 records, and of hot ones at least 2 and no more than there are")
        if self.kill_s and self.organisations < _SPARES_ONE:
            raise UsageError(f"a network goes on without one node when it has at least {_SPARES_ONE}: --kill needs --network {_SPARES_ONE}")


def run_benchmark(options: Options, progress: Callable[[str], None]) -> dict[str, Any]:
    """Run a benchmark and return its figures, as `--json` prints them.

    Args:
        options: what is measured.
        progress: is told what the run is at.

    Raises:
        YunheError: the node cannot be run, or a call was refused by the rules.
    """
    scratch = (
        scratch_node(options.suite, options.hash_name)
        if options.organisations == 1
        else scratch_network(options.organisations, options.suite, options.hash_name)
    )
    with scratch as node:
        node.deploy(options.workload.contract, options.workload.source)
        node.prepare(options.workload.prepare(options.records), lambda percent: progress(f"making {options.records} records: {percent} %"))
        progress(f"{options.workload.name}: {options.load.seconds:g} s")
        figures = _measure(node, options)
        if options.overload_s:
            offered = _OVERLOAD * figures["committed_per_s"]
            progress(f"{offered} tx/s offered: {options.overload_s:g} s")
            figures["overload"] = _overloaded(node, options, offered, figures["committed_per_s"])
        if options.kill_s and isinstance(node, ScratchNetwork):
            progress(f"a node is killed under load: {options.kill_s:g} s")
            figures["loss"] = asdict(_lose(node, options))
        if options.idle_s:
            progress(f"without load: {options.idle_s:g} s")
            figures["idle_cores"] = _idle(node, options.idle_s)
        if options.restart:
            progress("stopping and starting the node")
            figures["restart_s"] = _restart(node)
        return figures


def _measure(node: ScratchNode, options: Options) -> dict[str, Any]:
    names = node.processes()
    with node.client() as client:
        memory_before = {name: memory_mib(pid)[0] for pid, name in names.items()}
        used_before = {pid: processor_s(pid) for pid in names}
        own_before = time.process_time()
        result = _load(node, client, options)
        cores = {name: (processor_s(pid) - used_before[pid]) / result.elapsed_s for pid, name in names.items()}
        cores["load"] = (time.process_time() - own_before) / result.elapsed_s
    memory = {name: memory_mib(pid) for pid, name in names.items()}
    return {
        **_asked(options),
        **_answered(result, options.load),
        "cores_used": {name: round(value, 2) for name, value in cores.items()},
        "memory_before_mib": {name: round(value) for name, value in memory_before.items()},
        "memory_mib": {name: round(now) for name, (now, _) in memory.items()},
        "memory_peak_mib": {name: round(peak) for name, (_, peak) in memory.items()},
        "disk_mib": round(folder_mib(node.folder)),
        "yunhe": yunhe.__version__,
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, Linux {platform.release()}, CPython {platform.python_version()}",
    }


def _load(node: ScratchNode, client: Client, options: Options) -> LoadResult:
    _ = client.network_id, client.chain_hash

    def sign(call: Call) -> Transaction:
        return client.build([node.key], [call], gas_limit=_GAS_LIMIT)

    calls = options.workload.calls(Choice(options.records, options.hot, options.seed))
    return run_load(node.address, node.token, options.load, sign, calls)


def _lose(network: ScratchNetwork, options: Options) -> Recovery:
    """Kill a node in the middle of a load and return how the network and the node came back."""
    again = replace(options, load=replace(options.load, seconds=options.kill_s))
    with network.client() as client:
        begun_s = time.monotonic()
        loss = Loss(network, options.kill_s / 2)
        return loss.recovery(_load(network, client, again), begun_s)


def _overloaded(node: ScratchNode, options: Options, offered: int, peak: int) -> dict[str, Any]:
    """Offer more than a node can commit, and watch its memory meanwhile."""
    with _MemoryWatch(list(node.processes())) as watch:
        figures = _measure(node, replace(options, load=Load(options.overload_s, options.load.batch, options.load.connections, offered)))
    quarter = max(1, len(watch.samples_mib) // 4)
    return {name: figures[name] for name in _OF_OVERLOAD} | {
        "of_peak": round(figures["committed_per_s"] / peak, 3),
        # By quarters of the time: the first fills the queues, and what grows after it would go on growing.
        "memory_mib": [round(max(watch.samples_mib[at : at + quarter])) for at in range(0, 4 * quarter, quarter)],
    }


class _MemoryWatch:
    """Takes the memory of a node with all its processes, while a load runs."""

    def __init__(self, pids: list[int]) -> None:
        self.samples_mib: list[float] = []
        self._pids = pids
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def _watch(self) -> None:
        while True:
            self.samples_mib.append(sum(memory_mib(pid)[0] for pid in self._pids))
            if self._over.wait(_SAMPLE_S):
                return

    def __enter__(self) -> "_MemoryWatch":
        self._thread.start()
        return self

    def __exit__(self, *_raised: object) -> None:
        self._over.set()
        self._thread.join()


def _asked(options: Options) -> dict[str, Any]:
    return {
        "workload": options.workload.name,
        "records": options.records,
        "hot": options.hot,
        "batch": options.load.batch,
        "seconds": options.load.seconds,
        "offered_per_s": options.load.rate,
        "suite": options.suite,
        "chain_hash": options.hash_name,
        "organisations": options.organisations,
    }


def _answered(result: LoadResult, load: Load) -> dict[str, Any]:
    if not result.latencies_s:
        raise BadAnswerError(f"nothing was committed in {load.seconds:g} s")
    quantiles = (
        statistics.quantiles(result.latencies_s, n=100, method="inclusive") if len(result.latencies_s) > 1 else result.latencies_s * 99
    )
    return {
        "committed": result.committed,
        "committed_per_s": round(result.committed / load.seconds),
        "late": result.late,
        "refused": dict(result.refused),
        "unsent": result.unsent,
        "p50_ms": round(1000 * quantiles[49], 1),
        "p95_ms": round(1000 * quantiles[94], 1),
        "p99_ms": round(1000 * quantiles[98], 1),
        "connections": result.connections,
    }


def _idle(node: ScratchNode, seconds: float) -> dict[str, float]:
    names = node.processes()
    before = {pid: processor_s(pid) for pid in names}
    time.sleep(seconds)
    return {name: round((processor_s(pid) - before[pid]) / seconds, 3) for pid, name in names.items()}


def _restart(node: ScratchNode) -> float:
    node.stop()
    return round(node.start(), 2)

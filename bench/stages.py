"""Where the time of a `transfer` goes, stage by stage, in one process and without HTTP.

    .venv/bin/python -m bench.stages [--records 100000] [--block 400] [--blocks 50]

Runs the same parts that a node joins, one after the other, over blocks of transfers, and prints the median microseconds that each stage
takes for a transaction. Contracts run in the jailed worker, the log is synced. What a node adds is HTTP and waiting.
"""

import argparse
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import TypeVar

from yunhe.bench.workloads import WORKLOADS, Choice
from yunhe.contracts.worker.executor import WorkerExecutor
from yunhe.crypto import ChainHash, PrivateKey, chain_hash
from yunhe.ledger.admission import OpenedEnvelope, decode_transaction, verify_signatures
from yunhe.ledger.codec import Value
from yunhe.ledger.envelope import seal_envelope
from yunhe.ledger.genesis import FoundingMember
from yunhe.ledger.interfaces import BlockContext, Execution, StateReader, Write
from yunhe.ledger.transaction import Call, Signer, TransactionBody, sign_transaction
from yunhe.ledger.transition import EngineBlock, apply_block
from yunhe.node import NewNetwork, NodeConfig, make_node_folder
from yunhe.node.folder import STORE_FOLDER
from yunhe.storage import LedgerStore

T = TypeVar("T")


class Stages:
    """Times of each stage, microseconds a transaction."""

    def __init__(self) -> None:
        self.times: dict[str, list[float]] = {}
        self.count = 1
        self.is_measuring = False

    def run(self, stage: str, work: Callable[[], T]) -> T:
        """Run one stage and note its time."""
        begun = time.perf_counter_ns()
        result = work()
        if self.is_measuring:
            self.times.setdefault(stage, []).append((time.perf_counter_ns() - begun) / 1000 / self.count)
        return result


class TimedExecutor:
    """An executor that notes its time."""

    def __init__(self, executor: WorkerExecutor, stages: Stages) -> None:
        self._executor, self._stages = executor, stages

    def execute(self, context: BlockContext, transactions: Sequence, state: StateReader) -> Execution:  # type: ignore[type-arg]
        """Run a block."""
        return self._stages.run("execute in the worker", lambda: self._executor.execute(context, transactions, state))

    def view(self, context: BlockContext, contract: str, view: str, arguments: dict[str, Value], state: StateReader) -> Value:
        """Run a view."""
        return self._executor.view(context, contract, view, arguments, state)


class TimedState:
    """The store's applying state, whose tree is timed apart."""

    def __init__(self, store: LedgerStore, stages: Stages) -> None:
        self._stages = stages
        self.get, self.get_many, self.scan, self.seen, self._stage = store.get, store.get_many, store.scan, store.seen, store.stage

    def stage(self, height: int, writes: Sequence[Write]) -> bytes:
        """Compute the state root."""
        return self._stages.run("state tree", lambda: self._stage(height, writes))


class Bench:
    """A ledger without a node around it."""

    def __init__(self, folder: Path, suite: str, own_hash: ChainHash) -> None:
        self.stages = Stages()
        self.hash = own_hash
        self.admin = PrivateKey.generate(suite)
        founder = FoundingMember("admin", ("admin",), (self.admin.public_key,))
        python = f"{sys.version_info.major}.{sys.version_info.minor}"
        time_ms = time.time_ns() // 1_000_000
        config = NodeConfig("port", "node1")
        made = make_node_folder(
            folder, config=config, title="", admins=[founder], network=NewNetwork("bench", time_ms, python, (suite,), own_hash)
        )
        self.network_id = made.genesis.network_id
        self.node_key, _ = made.load_keys()
        self.identity = made.identity(self.node_key)
        self.store = LedgerStore.open(folder / STORE_FOLDER, made.genesis)
        self.worker = WorkerExecutor(own_hash)
        self.height = 0

    def close(self) -> None:
        """Close everything."""
        self.worker.close()
        self.store.close()

    def sign(self, calls: Sequence[Call]) -> list[bytes]:
        """Sign one transaction for each call."""
        signer = (Signer("port", "admin", self.admin.suite, self.admin.public_key.raw),)
        until = time.time_ns() // 1_000_000 + 300_000
        bodies = [TransactionBody(self.network_id, signer, (call,), until, 50_000_000, secrets.token_bytes(16)) for call in calls]
        return [sign_transaction(body, [self.admin], self.hash).encoded for body in bodies]

    def block(self, calls: Sequence[Call]) -> list[Value]:
        """Take one block of calls through all stages; return the first results."""
        stages = self.stages
        stages.count = len(calls)
        encoded = stages.run("sign (load generator)", lambda: self.sign(calls))
        decoded = stages.run("decode and hash", lambda: [decode_transaction(data, self.hash) for data in encoded])
        verdicts = stages.run("verify signatures", lambda: verify_signatures(decoded))
        envelope = stages.run(
            "seal the envelope", lambda: seal_envelope(self.network_id, self.identity, self.height, encoded, self.node_key, self.hash)
        )
        self.height += 1
        delivered = EngineBlock(self.height, time.time_ns() // 1_000_000 + self.height, (OpenedEnvelope(envelope, verdicts),))
        executor, state = TimedExecutor(self.worker, stages), TimedState(self.store, stages)
        transition = stages.run("apply the block, in all", lambda: apply_block(self.store.head(), delivered, state, executor, self.hash))
        stages.run("commit: log, marker, derived state", lambda: self.store.commit(transition.block, self.height))
        if transition.block is None or any(not receipt.succeeded for receipt in transition.block.receipts):
            codes = [] if transition.block is None else sorted({receipt.outcome.code for receipt in transition.block.receipts})
            raise SystemExit(f"a call was refused: {codes} {transition.dropped[:1]}")
        return [receipt.outcome.results[0] for receipt in transition.block.receipts]


def main() -> None:
    """Measure as the options say."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--block", type=int, default=400)
    parser.add_argument("--blocks", type=int, default=50)
    parser.add_argument("--suite", default="ed25519-sha256")
    parser.add_argument("--chain-hash", default="sha256")
    options = parser.parse_args()
    workload = WORKLOADS["transfer"]
    with tempfile.TemporaryDirectory(prefix="yunhe-bench-") as folder:
        bench = Bench(Path(folder) / "node", options.suite, chain_hash(options.chain_hash))
        try:
            (code_hash,) = bench.block([Call("lifecycle", "submit", {"source": workload.source})])
            bench.block([Call("governance", "propose_deployment", {"contract": workload.contract, "code_hash": code_hash})])
            for call in workload.prepare(options.records):
                bench.block([call])
            calls = workload.calls(Choice(options.records, hot=0, seed=1))
            bench.stages.is_measuring = True
            for _ in range(options.blocks):
                bench.block(list(islice(calls, options.block)))
        finally:
            bench.close()
    for stage, times in bench.stages.times.items():
        sys.stdout.write(f"{stage:<36} {statistics.median(times):8.1f} us a transaction\n")


if __name__ == "__main__":
    main()

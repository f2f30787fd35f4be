"""How much time one gas buys, program by program: the worst program against the median of all.

    .venv/bin/python -m bench.gas [--gas 10000000] [--repeat 5] [--only TEXT] [--markdown FILE] [--json FILE]

Gas bounds time only as well as its prices fit: a program that takes much more time for its gas than others is a way to slow a network
down. Programs that compute run in this process. Those that touch the state run as on a node: in the jailed worker, whose cache is empty,
against a native store with a large state, and their time includes the reads, the state tree and the write to the store. Time is processor
time, of node and worker together, so that another load on the machine changes little; each figure is the best of several runs. Ends with
status 1 if the worst program takes more than `WORST_MAX` times the median.
"""

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from bench.gas_corpus import Program, corpus
from yunhe.contracts.codes import OUT_OF_MEMORY
from yunhe.contracts.runner import BlockRunner
from yunhe.contracts.worker.executor import WorkerExecutor
from yunhe.crypto import SHA256
from yunhe.crypto.hashes import TAG_CODE
from yunhe.ledger.codec import Value
from yunhe.ledger.interfaces import BlockContext, Execution, Write
from yunhe.ledger.layouts import (
    DEFAULT_PARAMETERS,
    contract_key,
    encode_record,
    member_key,
    member_public_key_key,
    organisation_key,
    parameter_key,
    source_key,
)
from yunhe.ledger.transaction import Call, Signer, Transaction, TransactionBody, assemble_transaction
from yunhe.storage.readers import HeadReader
from yunhe.storage.state_store import StateStore, open_native_store
from yunhe.testing import MemoryState

WORST_MAX: Final = 5
"""How many times the median the worst program may take for its gas."""
GAS_LIMIT: Final = 1_000_000_000
RECORDS: Final = 50_000
"""Boxes, and crates with three indexes each, in the state."""
OWNERS: Final = 1000
SEED_STEP: Final = 7000
"""Distance of the keys of one run from those of the next."""
CONTRACT: Final = "program"
SIGNER: Final = Signer("carrier", "ann", "ed25519-sha256", b"\x01" * 32)


@dataclass(frozen=True, slots=True)
class Figure:
    """What was measured of a program."""

    name: str
    gas: int
    """Of one run."""
    execute_us: float
    """Of the same run: worker and reads included where it touches the state."""
    store_us: float
    """State tree and write to the store."""

    @property
    def ns_per_gas(self) -> float:
        """Nanoseconds that one gas buys."""
        return (self.execute_us + self.store_us) * 1000 / self.gas


def ledger_records() -> dict[bytes, bytes]:
    """Return what a state needs before any contract can be called."""
    records: dict[bytes, dict[str, Value]] = {
        parameter_key(name): {"name": name, "value": value} for name, value in DEFAULT_PARAMETERS.items()
    }
    for name in ("gas_limit_max", "block_gas_max"):
        records[parameter_key(name)] = {"name": name, "value": 100 * GAS_LIMIT}
    organisation, member, key = SIGNER.organisation, SIGNER.member, SIGNER.public_key
    records[organisation_key(organisation)] = {"organisation": organisation, "title": "", "status": "active"}
    records[member_key(organisation, member)] = {"organisation": organisation, "member": member, "roles": [], "status": "active"}
    fields: dict[str, Value] = {
        "organisation": organisation,
        "member": member,
        "public_key": key,
        "suite": SIGNER.suite,
        "status": "active",
    }
    records[member_public_key_key(organisation, member, key)] = fields
    return {found: encode_record(fields) for found, fields in records.items()}


def deployment(source: str, name: str = CONTRACT) -> list[Write]:
    """Return the writes that deploy a source."""
    code_hash = SHA256.tagged(TAG_CODE, source.encode())
    record: dict[str, Value] = {"name": name, "code_hash": code_hash, "status": "active", "version": 1, "system": False}
    return [(contract_key(name), encode_record(record)), (source_key(code_hash), encode_record({"code_hash": code_hash, "source": source}))]


def transaction(action: str, **arguments: Value) -> Transaction:
    """Return a transaction of one call, whose signature nobody looks at here."""
    body = TransactionBody(bytes(32), (SIGNER,), (Call(CONTRACT, action, arguments),), 1, GAS_LIMIT, bytes(16))
    return assemble_transaction(body.encode(), [bytes(64)], SHA256)


def block_of(program: Program, rounds: int, seed: int) -> list[Transaction]:
    """Return a block that runs a program."""
    if program.arguments is None:
        return [transaction("run", rounds=rounds, seed=seed)]
    return [transaction("take", **program.arguments)] * rounds


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a program."""

    gas: int
    execute_s: float
    store_s: float = 0.0


def gas_of(execution: Execution) -> int:
    """Return the gas that a run used; a program that ends with another code is no program to be measured."""
    for outcome in execution.outcomes:
        if outcome.code != "OK":
            raise ValueError(outcome.code)
    return sum(outcome.gas_used for outcome in execution.outcomes)


class Clock:
    """Processor time of this process and of some others, in seconds."""

    def __init__(self, *others: int) -> None:
        # The clock of a process, as the kernel numbers it: clock_getcpuclockid(3).
        self._clocks = [time.CLOCK_PROCESS_CPUTIME_ID, *[~pid << 3 | 2 for pid in others]]

    def now(self) -> float:
        """Return the time that was used so far."""
        return sum(map(time.clock_gettime, self._clocks))


class InProcess:
    """Runs programs that compute."""

    def __init__(self) -> None:
        self._runner = BlockRunner(SHA256)
        self._state = MemoryState(ledger_records())
        self._height = 1
        self._clock = Clock()

    def deploy(self, program: Program) -> None:
        """Make a program the one that runs."""
        self._state.apply(deployment(program.source))

    def run(self, program: Program, rounds: int, seed: int) -> Run:
        """Run the program."""
        self._height += 1
        block = block_of(program, rounds, seed)
        begun = self._clock.now()
        execution = self._runner.execute(BlockContext(self._height, self._height), block, self._state)
        return Run(gas_of(execution), self._clock.now() - begun)


class OnNode:
    """Runs programs that touch the state: worker, store, tree."""

    def __init__(self, store: StateStore, worker: WorkerExecutor) -> None:
        self._store = store
        self._worker = worker
        self._height = -1
        self._clock = Clock(*worker.worker_pids)

    def apply(self, writes: list[Write]) -> None:
        """Make a block of writes."""
        self._height += 1
        self._store.stage(self._height, sorted(writes))
        self._store.apply([], False)

    def deploy(self, program: Program) -> None:
        """Make a program the one that runs; the records stay those that they are."""
        self.apply(deployment(program.source))

    def fill(self, program: Program) -> None:
        """Make the state that the programs find."""
        self.apply([*ledger_records().items(), *deployment(program.source, "other")])
        self.deploy(program)
        runner, each = BlockRunner(SHA256), 1000
        for first in range(0, RECORDS, each):
            block = [transaction("fill", first=first, count=each, owners=OWNERS, text=40)]
            execution = runner.execute(BlockContext(self._height + 1, self._height + 1), block, HeadReader(self._store))
            if execution.outcomes[0].code != "OK":
                raise SystemExit(f"the state cannot be filled: {execution.outcomes[0].code}")
            self.apply(list(execution.writes))

    def run(self, program: Program, rounds: int, seed: int) -> Run:
        """Run the program in a worker that has seen nothing; what it writes is taken back, so that all programs find the same state."""
        block = block_of(program, rounds, seed)
        begun = self._clock.now()
        execution = self._worker.execute(BlockContext(self._height + 1, self._height + 1), block, HeadReader(self._store))
        execute_s = self._clock.now() - begun
        writes = list(execution.writes)
        before = self._store.get_many([key for key, _ in writes])
        begun = self._clock.now()
        self.apply(writes)
        store_s = self._clock.now() - begun
        self.apply([(key, record) for (key, _), record in zip(writes, before, strict=True)])
        return Run(gas_of(execution), execute_s, store_s)


def rounds_of(place: InProcess | OnNode, program: Program, gas: int) -> int:
    """Return how many rounds of a program use about `gas` gas, and not more memory than a transaction has."""
    none, one = place.run(program, 0, 0).gas, place.run(program, 1, 0).gas
    rounds = max(1, min(program.rounds_max, gas // max(one - none, 1)))
    while rounds > 1:
        try:
            place.run(program, rounds, 0)
        except ValueError as error:
            if str(error) != OUT_OF_MEMORY:
                raise
            rounds //= 2
        else:
            break
    return rounds


def measure(place: InProcess | OnNode, program: Program, gas: int, repeat: int) -> Figure:
    """Run a program with about `gas` gas, several times; return the best, without what the statements before the loop take."""
    place.deploy(program)
    rounds = rounds_of(place, program, gas)
    seeds = [attempt * SEED_STEP % RECORDS for attempt in range(repeat)]
    nothing, whole = [[place.run(program, count, seed) for seed in seeds] for count in (0, rounds)]
    return Figure(
        program.name,
        whole[0].gas - nothing[0].gas,
        max(min(run.execute_s for run in whole) - min(run.execute_s for run in nothing), 0) * 1e6,
        max(min(run.store_s for run in whole) - min(run.store_s for run in nothing), 0) * 1e6,
    )


@contextmanager
def on_node(program: Program) -> Iterator[OnNode]:
    """Make a store and a worker, filled."""
    with tempfile.TemporaryDirectory(prefix="yunhe-bench-") as folder:
        store = open_native_store(Path(folder), SHA256.name)
        worker = WorkerExecutor(SHA256)
        try:
            place = OnNode(store, worker)
            place.fill(program)
            yield place
        finally:
            worker.close()
            store.close()


def figures(options: argparse.Namespace) -> list[Figure]:
    """Measure every program, or those whose name has a text in it."""
    programs = [program for program in corpus() if options.only in program.name]
    found = []
    place: InProcess | OnNode = InProcess()
    for program in (program for program in programs if not program.reads_state):
        found.append(measure(place, program, options.gas, options.repeat))
        sys.stderr.write(f"{found[-1].ns_per_gas:8.2f} ns  {program.name}\n")
    with_state = [program for program in programs if program.reads_state]
    if with_state:
        with on_node(with_state[0]) as place:
            for program in with_state:
                found.append(measure(place, program, options.gas, options.repeat))
                sys.stderr.write(f"{found[-1].ns_per_gas:8.2f} ns  {program.name}\n")
    return found


def table(found: list[Figure], median: float) -> str:
    """Return the figures as Markdown, the dearest program first."""
    lines = ["| Program | gas | µs | of which tree and store | ns a gas | to the median |", "|---|---|---|---|---|---|"]
    for figure in sorted(found, key=lambda figure: -figure.ns_per_gas):
        whole = figure.execute_us + figure.store_us
        cells = (figure.name, f"{figure.gas:,}", f"{whole:,.0f}", f"{figure.store_us:,.0f}", f"{figure.ns_per_gas:.2f}")
        lines.append(f"| {' | '.join(cells)} | {figure.ns_per_gas / median:.1f} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure as the options say."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gas", type=int, default=10_000_000)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--only", default="", help="text in the names of the programs to be measured")
    parser.add_argument("--markdown", type=Path, help="file for the table")
    parser.add_argument("--json", type=Path, help="file for the figures")
    options = parser.parse_args()
    found = figures(options)
    ratios = [figure.ns_per_gas for figure in found]
    median, worst = statistics.median(ratios), max(ratios)
    summary = {
        "programs": len(found),
        "median_ns_per_gas": round(median, 3),
        "worst_to_median": round(worst / median, 2),
        "best_to_median": round(min(ratios) / median, 2),
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, Linux {platform.release()}, CPython {platform.python_version()}",
    }
    sys.stdout.write(json.dumps(summary, indent=2) + "\n")
    if options.markdown:
        options.markdown.write_text(table(found, median))
    if options.json:
        options.json.write_text(json.dumps(summary | {"figures": [asdict(figure) for figure in found]}, indent=2) + "\n")
    if worst > WORST_MAX * median:
        sys.exit(1)


if __name__ == "__main__":
    main()

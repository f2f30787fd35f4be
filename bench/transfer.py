"""First figure of the `transfer` workload: committed, durable, signed transactions a second against a real node over HTTP.

    .venv/bin/python -m bench.transfer [--records 100000] [--batch 100] [--seconds 20] [--connections 4]
        [--suite sm2-sm3] [--chain-hash sm3] [--json FILE]

The node runs in its own processes with fsync on; the load generator runs on the same machine and signs while it measures.
Closed loop: each connection sends a batch, waits until every transaction in it has its committed receipt, and sends the next. A receipt
that is not `OK` ends the run. Latency is from sending a batch to its answer.
"""

import argparse
import json
import os
import platform
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from yunhe.sdk import Call, Client, Member, MemberKey, create_key_file

CONTRACT = Path(__file__).parent / "workloads" / "accounts.py"
PASSPHRASE = "bench"  # noqa: S105  # of a key that lives as long as the run
OPENED_AT_ONCE = 1000
BALANCE = 1_000_000_000


def run(*arguments: str) -> dict[str, object]:
    """Run the command line and return its JSON."""
    done = subprocess.run([sys.executable, "-m", "yunhe.cli", "--json", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return dict(json.loads(done.stdout))


@contextmanager
def node(suite: str, hash_name: str) -> Iterator[tuple[Path, str, int, MemberKey]]:
    """Run a fresh node; yield its folder, address and process, and the founder's key."""
    folder = Path(tempfile.mkdtemp(prefix="yunhe-bench-"))
    key_file = create_key_file(folder / "port.admin.pem", Member("port", "admin"), PASSPHRASE, suite)
    options = ("--port", "0", "--suite", suite, "--chain-hash", hash_name)
    try:
        run("node", "init", str(folder / "node"), "--org", "port", "--admin", str(key_file.path), *options)
        started = run("node", "start", str(folder / "node"), "--background")
        try:
            yield folder / "node", str(started["address"]), int(str(started["pid"])), key_file.open(PASSPHRASE)
        finally:
            run("node", "stop", str(folder / "node"))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def connect(folder: Path, address: str) -> Client:
    """Return a client of the node."""
    return Client(address, (folder / "secrets" / "api-token").read_text().strip())


def prepare(client: Client, key: MemberKey, records: int) -> None:
    """Deploy the contract and open the accounts."""
    code_hash = bytes.fromhex(client.call(key, "lifecycle", "submit", source=CONTRACT.read_text()).results[0][2:])
    client.call(key, "governance", "propose_deployment", contract="accounts", code_hash=code_hash)
    calls = [
        Call("accounts", "open_accounts", {"first": first, "count": min(OPENED_AT_ONCE, records - first), "balance": BALANCE})
        for first in range(0, records, OPENED_AT_ONCE)
    ]
    for start in range(0, len(calls), 10):
        batch = [client.build([key], [call], gas_limit=50_000_000) for call in calls[start : start + 10]]
        for submitted in client.submit_batch(batch):
            if submitted.code != "OK":
                raise SystemExit(f"opening accounts failed: {submitted.code} {submitted.problem}")


class Load(threading.Thread):
    """One connection that sends batch after batch until the time is over."""

    def __init__(self, client: Client, key: MemberKey, options: argparse.Namespace, seed: int, end: float) -> None:
        super().__init__()
        self.client, self.key, self.options, self.end = client, key, options, end
        self.random = random.Random(seed)  # a workload, not a secret
        self.committed = 0
        self.latencies_s: list[float] = []
        self.failure = ""

    def run(self) -> None:
        """Send until the end."""
        while time.monotonic() < self.end and not self.failure:
            batch = [self.client.build([self.key], [self._call()], gas_limit=1_000_000) for _ in range(self.options.batch)]
            begun = time.monotonic()
            codes = [submitted.code for submitted in self.client.submit_batch(batch)]
            ended = time.monotonic()
            if ended <= self.end:
                self.latencies_s.append(ended - begun)
                self.committed += len(codes)
            wrong = [code for code in codes if code != "OK"]
            if wrong:
                self.failure = wrong[0]

    def _call(self) -> Call:
        source, target = self.random.sample(range(self.options.records), 2)
        return Call("accounts", "transfer", {"source": source, "target": target, "amount": 1})


def processes(root: int) -> dict[int, str]:
    """Return the process and all below it, with a name for each."""
    found = {root: "node"}
    for _ in range(3):
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and int(entry.name) not in found:
                try:
                    parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
                except OSError:
                    continue
                if parent in found:
                    found[int(entry.name)] = f"worker {entry.name}"
    return found


def cpu_s(pid: int) -> float:
    """Return the processor time that a process has used, seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_peak_mib(pid: int) -> float:
    """Return the most memory that a process has held, MiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0


def folder_mib(folder: Path) -> float:
    """Return what a folder holds on disk, MiB."""
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file()) / 2**20


def quantile(values: list[float], share: float) -> float:
    """Return the value that `share` of the values are at most."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def measure(options: argparse.Namespace) -> dict[str, object]:
    """Run the workload once and return its figures."""
    with node(options.suite, options.chain_hash) as (folder, address, pid, key):
        with connect(folder, address) as client:
            prepare(client, key, options.records)
        names = processes(pid)
        clients = [connect(folder, address) for _ in range(options.connections)]
        for client in clients:
            client.version()
            _ = client.network_id, client.chain_hash
        cpu = {child: cpu_s(child) for child in names} | {0: time.process_time()}
        begun = time.monotonic()
        loads = [Load(client, key, options, seed, begun + options.seconds) for seed, client in enumerate(clients)]
        for load in loads:
            load.start()
        for load in loads:
            load.join()
        elapsed = time.monotonic() - begun
        failures = [load.failure for load in loads if load.failure]
        if failures:
            raise SystemExit(f"a transfer was refused: {failures[0]}")
        used = {name: round((cpu_s(child) - cpu[child]) / elapsed, 2) for child, name in names.items()}
        used["load generator"] = round((time.process_time() - cpu[0]) / elapsed, 2)
        latencies = [latency for load in loads for latency in load.latencies_s]
        committed = sum(load.committed for load in loads)
        return {
            "workload": "transfer",
            "suite": options.suite,
            "chain_hash": options.chain_hash,
            "records": options.records,
            "batch": options.batch,
            "connections": options.connections,
            "seconds": options.seconds,
            "committed": committed,
            "committed_per_s": round(committed / options.seconds),
            "p50_ms": round(1000 * quantile(latencies, 0.50), 1),
            "p95_ms": round(1000 * quantile(latencies, 0.95), 1),
            "p99_ms": round(1000 * quantile(latencies, 0.99), 1),
            "cores_used": used,
            "memory_peak_mib": {name: round(memory_peak_mib(child)) for child, name in names.items()},
            "disk_mib": round(folder_mib(folder)),
            "machine": f"{os.cpu_count()} cores, {platform.machine()}, Linux {platform.release()}, CPython {platform.python_version()}",
        }


def main() -> None:
    """Run the workload as the options say."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--batch", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--suite", default="ed25519-sha256")
    parser.add_argument("--chain-hash", default="sha256")
    parser.add_argument("--json", type=Path, help="file for the figures")
    options = parser.parse_args()
    figures = measure(options)
    text = json.dumps(figures, indent=2)
    sys.stdout.write(text + "\n")
    if options.json:
        options.json.write_text(text + "\n")


if __name__ == "__main__":
    main()

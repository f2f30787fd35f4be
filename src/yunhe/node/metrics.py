"""What a node tells a monitoring system about itself, as Prometheus metrics.

Counters and histograms are fed where things happen; what can be asked at any time (heights, queues, sizes, states) is read when somebody
scrapes. No label takes a value that a caller chooses: outcomes, stages, queues, routes and states are fixed sets, so that neither a
stranger nor a contract can make the number of series grow. Reference: docs/guides/monitor.md.
"""

import math
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

import yunhe

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
OUTCOMES: Final = ("succeeded", "failed", "dropped", "refused")
"""What becomes of a transaction: a receipt with code OK, a receipt with another code, dropped by a block without effect, refused by the
gateway."""
STAGES: Final = ("verify", "execute", "commit")
"""What takes time: checking what the gateway collected, applying a block, making a group of blocks durable."""
_STAGE_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_OTHER_METHOD: Final = "other"
_METHODS: Final = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})


@dataclass(frozen=True, slots=True)
class Reading:
    """What a scrape reads from the node; sizes in bytes."""

    state: str
    height: int
    engine_height: int
    block_time_ms: int
    worker_restarts: dict[str, int]
    """How often the worker of blocks and that of views was started again."""
    webhooks: dict[str, int]
    """How many webhooks are in each state."""
    dead_letters: int
    store_bytes: dict[str, int]
    """Size of each part of the store."""
    disk_free_bytes: int


class Metrics:
    """The metrics of one node. Thread-safe."""

    def __init__(self) -> None:
        """Make them, with every series of a fixed set at zero."""
        self._registry = CollectorRegistry()
        registry = self._registry
        Info("yunhe_build", "Version of the software.", registry=registry).info({"version": yunhe.__version__})
        self._transactions = Counter("yunhe_transactions", "Transactions by outcome.", ["outcome"], registry=registry)
        for outcome in OUTCOMES:
            self._transactions.labels(outcome)
        self._relayed = Counter(
            "yunhe_relayed_transactions", "Transactions that members handed in without a token.", ["outcome"], registry=registry
        )
        for outcome in ("accepted", "refused"):
            self._relayed.labels(outcome)
        self._blocks = Counter("yunhe_blocks", "Ledger blocks that became durable.", registry=registry)
        self._stages = Histogram(
            "yunhe_stage_duration_seconds", "How long a stage took.", ["stage"], registry=registry, buckets=_STAGE_SECONDS
        )
        for stage in STAGES:
            self._stages.labels(stage)
        self._requests = Counter("yunhe_http_requests", "Answered requests.", ["method", "route", "status"], registry=registry)
        self._answers = Histogram(
            "yunhe_http_answer_duration_seconds",
            "Time from the head of a request to the head of its answer; waiting for a commit is part of it.",
            ["route"],
            registry=registry,
            buckets=_STAGE_SECONDS,
        )
        ProcessCollector(registry=registry)
        self._certificate = Gauge(
            "yunhe_tls_certificate_expiry_timestamp_seconds", "When the API's certificate expires; never, without one.", registry=registry
        )
        self._certificate.set(math.inf)
        self._queues = Gauge("yunhe_queue_depth", "Transactions that wait.", ["queue"], registry=registry)

    def read_from(self, read: Callable[[], Reading]) -> None:
        """Show what a node says of itself; `read` is called for each scrape, in any thread."""
        self._registry.register(_Readings(read))

    def watch_queue(self, name: str, depth: Callable[[], int]) -> None:
        """Show how many transactions wait in a queue; `depth` is called for each scrape, in any thread."""
        self._queues.labels(name).set_function(depth)

    def watch_certificate(self, expires_ms: Callable[[], int]) -> None:
        """Show when the API's certificate expires; `expires_ms` is called for each scrape, in any thread."""
        self._certificate.set_function(lambda: expires_ms() / 1000)

    def count_transactions(self, outcome: str, count: int) -> None:
        """Count transactions; `outcome` is one of `OUTCOMES`."""
        if count:
            self._transactions.labels(outcome).inc(count)

    def count_relayed(self, *, is_accepted: bool) -> None:
        """Count a transaction that came without a token."""
        self._relayed.labels("accepted" if is_accepted else "refused").inc()

    def transactions(self) -> dict[str, int]:
        """Return how many transactions had each outcome since the start."""
        (family,) = self._transactions.collect()
        return {sample.labels["outcome"]: int(sample.value) for sample in family.samples if sample.name.endswith("_total")}

    def count_block(self) -> None:
        """Count a durable ledger block."""
        self._blocks.inc()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a stage, one of `STAGES`; what fails is timed too."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self._stages.labels(name).observe(time.perf_counter() - began)

    def count_answer(self, method: str, route: str, status: int, took_s: float) -> None:
        """Count an answer.

        Args:
            method: as it was sent.
            route: the path as the API declares it, with the names of its parameters; empty when the request reached none.
            status: of the answer.
            took_s: until its head was sent, seconds.
        """
        self._requests.labels(method if method in _METHODS else _OTHER_METHOD, route, str(status)).inc()
        self._answers.labels(route).observe(took_s)

    def text(self) -> bytes:
        """Return all of them in the text format of Prometheus; reads the node, and the sizes from the disk."""
        return generate_latest(self._registry)

    def families(self) -> list[Metric]:
        """Return all of them as a scrape would show them."""
        return list(self._registry.collect())


class _Readings(Collector):
    """What is read at a scrape."""

    def __init__(self, read: Callable[[], Reading]) -> None:
        self._read = read

    def describe(self) -> list[Metric]:
        """Return nothing, so that registering does not read the node, which may not be open yet."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Read the node."""
        now = self._read()
        running = GaugeMetricFamily("yunhe_node_running", "1 while the node decides, 0 while it is halted or stopping.")
        running.add_metric([], int(now.state == "running"))
        yield running
        yield GaugeMetricFamily("yunhe_height", "Height of the last ledger block.", now.height)
        yield GaugeMetricFamily("yunhe_engine_height", "Height that the engine has reached.", now.engine_height)
        yield GaugeMetricFamily(
            "yunhe_block_time_seconds", "Time of the last ledger block, since 1970-01-01 UTC.", now.block_time_ms / 1000
        )
        yield _by("yunhe_worker_restarts", "How often a contract worker was started again.", "worker", now.worker_restarts)
        yield _by("yunhe_webhooks", "Webhooks by state.", "state", now.webhooks)
        yield GaugeMetricFamily("yunhe_webhook_dead_letters", "Events that could not be delivered.", now.dead_letters)
        yield _by("yunhe_store_bytes", "Size of the store on the disk.", "part", now.store_bytes)
        yield GaugeMetricFamily("yunhe_disk_free_bytes", "Free space of the disk that holds the store.", now.disk_free_bytes)


def _by(name: str, meaning: str, label: str, values: dict[str, int]) -> Metric:
    family = GaugeMetricFamily(name, meaning, labels=[label])
    for value, number in values.items():
        family.add_metric([value], number)
    return family


def folder_bytes(path: Path) -> int:
    """Return the bytes that the files of a folder have; what vanishes meanwhile counts for nothing."""
    total = 0
    for inside, _, names in os.walk(path):
        for name in names:
            try:
                total += (Path(inside) / name).lstat().st_size
            except FileNotFoundError:
                continue
    return total

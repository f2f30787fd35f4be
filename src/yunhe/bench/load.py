"""The load generator: closed loop, where each connection sends when it has its answer, or open loop, where requests have their times.

In the open loop a request's latency counts from its scheduled time, so a node that falls behind cannot make the generator send less and
look well. Every transaction is signed by itself while the load runs. What is refused for too much load is counted, not sent again.
"""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from yunhe.bench.connection import Answer, Connection
from yunhe.errors import BadAnswerError, UsageError
from yunhe.ledger.codec import encode
from yunhe.ledger.transaction import Call, Transaction
from yunhe.limits import HTTP_BATCH_TRANSACTIONS_MAX

CONNECTIONS_MAX: Final = 512
"""Connections that an open loop opens at most."""
_QUERY: Final = "?wait=committed&wait_ms=60000"
_OK: Final = 200
_OVERLOADED: Final = 503


@dataclass(frozen=True, slots=True)
class Load:
    """How much is sent, and how."""

    seconds: float
    batch: int
    """Transactions of one request; 1 sends them singly."""
    connections: int
    """Of a closed loop."""
    rate: float | None
    """Transactions a second of an open loop; None for a closed loop."""

    def __post_init__(self) -> None:
        if not 1 <= self.batch <= HTTP_BATCH_TRANSACTIONS_MAX:
            raise UsageError(f"a batch has 1 to {HTTP_BATCH_TRANSACTIONS_MAX} transactions")
        if not 1 <= self.connections <= CONNECTIONS_MAX:
            raise UsageError(f"there are 1 to {CONNECTIONS_MAX} connections")
        if self.seconds <= 0 or (self.rate is not None and self.rate <= 0):
            raise UsageError("seconds and rate are above 0")


@dataclass(slots=True)
class LoadResult:
    """What became of a load."""

    committed: int = 0
    """Transactions with a receipt of code OK within the time."""
    late: int = 0
    """Those that were committed after the time was over."""
    refused: Counter[str] = field(default_factory=Counter)
    """Transactions that were refused, by code."""
    latencies_s: list[float] = field(default_factory=list)
    """Of each request that was committed whole, seconds."""
    elapsed_s: float = 0.0
    connections: int = 0
    """Connections that were open at once, at most."""


class _Generator:
    def __init__(self, address: str, token: str, load: Load, sign: Callable[[Call], Transaction], calls: Iterator[Call]) -> None:
        parts = urlsplit(address)
        self.host, self.port, self.token = str(parts.hostname), int(parts.port or 80), token
        self.load, self.sign, self.calls = load, sign, calls
        self.result = LoadResult()
        self.open: list[Connection] = []
        self.free: list[Connection] = []
        self.path = ("/v1/transactions" if load.batch == 1 else "/v1/transactions/batch") + _QUERY

    async def connect(self) -> Connection:
        """Return a new connection."""
        connection = await Connection.open(self.host, self.port, self.token)
        self.open.append(connection)
        self.result.connections += 1
        return connection

    async def run(self) -> None:
        """Send the load; whatever ends it, nothing of it goes on."""
        try:
            async with asyncio.TaskGroup() as requests:
                begun = await (self.closed_loop(requests) if self.load.rate is None else self.open_loop(requests, self.load.rate))
            self.result.elapsed_s = time.monotonic() - begun
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None
        finally:
            # An event loop with open connections does not end.
            await asyncio.gather(*(connection.close() for connection in self.open))

    def body(self) -> bytes:
        """Return the next request's body."""
        encoded = [self.sign(next(self.calls)).encoded for _ in range(self.load.batch)]
        return encoded[0] if self.load.batch == 1 else encode(encoded)

    async def send(self, connection: Connection, due: float, end: float) -> None:
        """Send one request and count what became of it."""
        answer = await connection.post(self.path, self.body())
        now = time.monotonic()
        committed = self._committed(answer)
        if now > end:
            self.result.late += committed
        else:
            self.result.committed += committed
            if committed == self.load.batch:
                self.result.latencies_s.append(now - due)

    def _committed(self, answer: Answer) -> int:
        """Return how many transactions of an answer were committed; those that were refused for too much load are counted.

        Raises:
            BadAnswerError: the answer is none of a node, or a transaction has a receipt of another code than OK.
        """
        try:
            value = json.loads(answer.body)
            if answer.status == _OVERLOADED:
                self.result.refused[str(value["code"])] += self.load.batch
                return 0
            outcomes = value["results"] if self.load.batch > 1 else [value]
            codes = [outcome["receipt"]["code"] if "receipt" in outcome else outcome["problem"]["code"] for outcome in outcomes]
        except (ValueError, KeyError, TypeError) as error:
            raise BadAnswerError(f"the node answered {answer.status}: {answer.body[:300]!r}") from error
        wrong = [code for code in codes if code not in ("OK", "OVERLOADED")]
        if wrong or answer.status != _OK:
            raise BadAnswerError(f"a call of the workload was refused: {wrong[0] if wrong else answer.status}")
        refused = codes.count("OVERLOADED")
        if refused:
            self.result.refused["OVERLOADED"] += refused
        return len(codes) - refused

    async def closed_loop(self, requests: asyncio.TaskGroup) -> float:
        """Send from each connection when it has its answer; returns when that began."""
        connections = [await self.connect() for _ in range(self.load.connections)]
        begun = time.monotonic()
        end = begun + self.load.seconds

        async def loop(connection: Connection) -> None:
            while (due := time.monotonic()) < end:
                await self.send(connection, due, end)

        for connection in connections:
            requests.create_task(loop(connection))
        return begun

    async def open_loop(self, requests: asyncio.TaskGroup, rate: float) -> float:
        """Send each request at its time; returns when that began."""
        places = asyncio.Semaphore(CONNECTIONS_MAX)
        begun = time.monotonic()
        end = begun + self.load.seconds

        async def request(due: float) -> None:
            async with places:
                while self.free and not self.free[-1].is_open:
                    self.free.pop()
                connection = self.free.pop() if self.free else await self.connect()
                await self.send(connection, due, end)
                self.free.append(connection)

        for number in range(max(1, round(self.load.seconds * rate / self.load.batch))):
            due = begun + number * self.load.batch / rate
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            requests.create_task(request(due))
        return begun


def run_load(address: str, token: str, load: Load, sign: Callable[[Call], Transaction], calls: Iterator[Call]) -> LoadResult:
    """Send a load to a node and return what became of it.

    Args:
        address: of the node, such as `http://127.0.0.1:8440`.
        token: the node's API token.
        load: how much and how.
        sign: makes a call a signed transaction.
        calls: what is sent, without end.

    Raises:
        NodeUnreachableError: the node does not answer.
        BadAnswerError: the answer is none of a node, or a transaction was refused by the rules: then there is nothing to measure.
    """
    import uvloop  # noqa: PLC0415  # only nodes and benchmarks need it, and it is not everywhere

    generator = _Generator(address, token, load, sign, calls)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(generator.run())
    return generator.result

"""The load generator: closed loop, where each connection sends when it has its answer, or open loop, where requests have their times.

In the open loop a request's latency counts from its scheduled time, so a node that falls behind cannot make the generator send less and
look well. Every transaction is signed by itself while the load runs.

What is refused for too much load or beyond a quota is counted each time and has had no effect. In the closed loop its connection waits as
long as the node asks (`Retry-After`) and sends it again; in the open loop it is offered again in place of a new transaction when the next
request is due, so that a load far above what the node commits costs the generator no signatures.
"""

import asyncio
import json
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from yunhe.bench.connection import Answer, Connection
from yunhe.errors import BadAnswerError, NodeUnreachableError, UsageError
from yunhe.ledger.codec import encode
from yunhe.ledger.transaction import Call, Transaction
from yunhe.limits import HTTP_BATCH_TRANSACTIONS_MAX

CONNECTIONS_MAX: Final = 512
"""Connections that an open loop opens at most."""
_QUERY: Final = "?wait=committed&wait_ms=60000"
_OK: Final = 200
_REFUSALS: Final = frozenset({429, 503})
"""Statuses of a request that is refused for its time, not for what it asks."""
_REFUSED: Final = frozenset({"OVERLOADED", "QUOTA_EXCEEDED"})
"""Codes of these refusals."""
_PAUSE_S: Final = 0.1
"""Before sending again where the node asks for no other."""


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
    """Refusals of transactions, by code; one that was sent again can have several."""
    unsent: int = 0
    """Transactions of an open loop for whose requests no connection became free in time."""
    latencies_s: list[float] = field(default_factory=list)
    """Of each request that was committed whole, seconds."""
    commits: list[tuple[float, int]] = field(default_factory=list)
    """When what was committed was known, by the monotonic clock, and how many transactions."""
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
        self.refused: deque[bytes] = deque()
        """Transactions that can be offered again."""
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

    def transactions(self) -> list[bytes]:
        """Return the next request's transactions: those that were refused before, then new ones."""
        again = [self.refused.popleft() for _ in range(min(self.load.batch, len(self.refused)))]
        return again + [self.sign(next(self.calls)).encoded for _ in range(self.load.batch - len(again))]

    async def send(self, connection: Connection, encoded: list[bytes], due: float, end: float) -> tuple[list[bytes], float]:
        """Send one request, count what became of it, and return what was refused and how long the node asks to wait."""
        answer = await connection.post(self.path, encoded[0] if self.load.batch == 1 else encode(encoded))
        now = time.monotonic()
        refused = self._refused(answer, encoded)
        committed = len(encoded) - len(refused)
        self.result.commits.append((now, committed))
        if now > end:
            self.result.late += committed
        else:
            self.result.committed += committed
            if not refused:
                self.result.latencies_s.append(now - due)
        return refused, answer.retry_after_s

    def _refused(self, answer: Answer, encoded: list[bytes]) -> list[bytes]:
        """Return those transactions of a request that were refused for the time being, and count them; the others were committed.

        Raises:
            BadAnswerError: the answer is none of a node, or a transaction has a receipt of another code than OK.
        """
        try:
            value = json.loads(answer.body)
            if answer.status in _REFUSALS:
                self.result.refused[str(value["code"])] += len(encoded)
                return encoded
            outcomes = value["results"] if self.load.batch > 1 else [value]
            codes = [outcome["receipt"]["code"] if "receipt" in outcome else outcome["problem"]["code"] for outcome in outcomes]
        except (ValueError, KeyError, TypeError) as error:
            raise BadAnswerError(f"the node answered {answer.status}: {answer.body[:300]!r}") from error
        wrong = [code for code in codes if code != "OK" and code not in _REFUSED]
        if wrong or answer.status != _OK:
            raise BadAnswerError(f"a call of the workload was refused: {wrong[0] if wrong else answer.status}")
        refused = [(code, one) for code, one in zip(codes, encoded, strict=True) if code in _REFUSED]
        self.result.refused.update(code for code, _ in refused)
        return [one for _, one in refused]

    async def closed_loop(self, requests: asyncio.TaskGroup) -> float:
        """Send from each connection when it has its answer; returns when that began."""
        connections = [await self.connect() for _ in range(self.load.connections)]
        begun = time.monotonic()
        end = begun + self.load.seconds

        async def loop(connection: Connection) -> None:
            while (due := time.monotonic()) < end:
                encoded = self.transactions()
                while encoded:
                    encoded, pause_s = await self.send(connection, encoded, due, end)
                    if encoded:
                        pause_s = pause_s or _PAUSE_S
                        if time.monotonic() + pause_s > end:
                            break
                        await asyncio.sleep(pause_s)

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
                if time.monotonic() > end:
                    self.result.unsent += self.load.batch
                    return
                while self.free and not self.free[-1].is_open:
                    self.free.pop()
                connection = self.free.pop() if self.free else await self.connect()
                encoded = self.transactions()
                try:
                    refused, _ = await self.send(connection, encoded, due, end)
                except NodeUnreachableError:
                    # A node closes a connection that waits for some seconds, maybe just now; what is sent twice is executed once.
                    connection = await self.connect()
                    refused, _ = await self.send(connection, encoded, due, end)
                self.refused += refused
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

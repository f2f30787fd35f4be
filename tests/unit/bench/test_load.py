"""The load generator, against a server that answers what the test scripts."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count, repeat

import pytest

from yunhe.bench.load import Load, LoadResult, run_load
from yunhe.crypto import SHA256
from yunhe.errors import BadAnswerError, NodeUnreachableError, UsageError
from yunhe.ledger.codec import decode
from yunhe.ledger.transaction import Call, Signer, Transaction, TransactionBody, assemble_transaction
from yunhe.limits import HTTP_BODY_BYTES_MAX

CALL = Call("accounts", "transfer", {})
OK = {"receipt": {"code": "OK"}}
OVERLOADED = {"code": "OVERLOADED"}


def sign(call: Call) -> Transaction:
    body = TransactionBody(bytes(32), (Signer("bench", "admin", "ed25519-sha256", bytes(32)),), (call,), 1, 1, bytes(16))
    return assemble_transaction(body.encode(), [bytes(64)], SHA256)


@contextmanager
def serving(answer: Callable[[bytes], tuple[int, object] | None], *, once: bool = False) -> Iterator[str]:
    """Serve on loopback; an answer of None closes the connection, and so does any with `once`."""
    ready = threading.Event()
    state: dict[str, object] = {}

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().split(b"content-length:")[1].split()[0])
                told = answer(await reader.readexactly(length))
                if told is None:
                    break
                body = json.dumps(told[1]).encode()
                writer.write(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%s" % (told[0], len(body), body))
                if once:
                    break
        writer.close()

    async def serve() -> None:
        server = await asyncio.start_server(connected, "127.0.0.1", 0)
        state["port"], state["loop"], state["end"] = server.sockets[0].getsockname()[1], asyncio.get_running_loop(), asyncio.Event()
        ready.set()
        await state["end"].wait()
        server.close()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert ready.wait(10)
    try:
        yield f"http://127.0.0.1:{state['port']}"
    finally:
        state["loop"].call_soon_threadsafe(state["end"].set)
        thread.join()


def run(address: str, *, batch: int = 1, rate: float | None = None, seconds: float = 0.2) -> LoadResult:
    return run_load(address, "token", Load(seconds, batch, 2, rate), sign, repeat(CALL))


def test_closed_loop_counts_what_was_committed() -> None:
    with serving(lambda _: (200, OK)) as address:
        result = run(address)
    assert result.committed == len(result.latencies_s) > 0
    assert (result.connections, result.refused) == (2, {})


def test_batches_are_what_the_node_takes_and_counted_by_transaction() -> None:
    sizes: set[int] = set()

    def answer(body: bytes) -> tuple[int, object]:
        sizes.add(len(decode(body, HTTP_BODY_BYTES_MAX)))
        return 200, {"results": [OK, OK, OK]}

    with serving(answer) as address:
        result = run(address, batch=3)
    assert sizes == {3}
    assert result.committed == 3 * len(result.latencies_s) > 0


def test_open_loop_sends_what_was_asked_for_and_counts_refusals() -> None:
    with serving(lambda _: (503, OVERLOADED)) as address:
        result = run(address, rate=100, seconds=0.3)
    assert (result.committed, result.refused["OVERLOADED"] + result.unsent) == (0, 30)
    assert set(result.refused) == {"OVERLOADED"}


def test_open_loop_opens_another_connection_for_one_that_was_closed_while_nothing_was_asked() -> None:
    with serving(lambda _: (200, OK), once=True) as address:
        result = run(address, rate=20, seconds=0.5)
    sent = result.committed + result.late
    assert (sent + result.unsent, result.connections) == (10, sent)


def test_open_loop_counts_latency_from_the_scheduled_time() -> None:
    """A server that holds up the first answer holds up the only connection's later ones: all of them count the wait."""
    first = threading.Event()

    def answer(_: bytes) -> tuple[int, object]:
        if not first.is_set():
            first.set()
            threading.Event().wait(0.3)
        return 200, OK

    with serving(answer) as address:
        result = run(address, rate=50, seconds=1)
    assert result.committed + result.late + result.unsent == 50
    # The server answers nobody while it waits, so what was due then waited for the rest of it.
    assert sum(latency > 0.1 for latency in result.latencies_s) > 5


@pytest.mark.parametrize(
    "told", [(200, {"receipt": {"code": "BALANCE_TOO_LOW"}}), (400, OVERLOADED), (200, []), (500, "no"), (404, {"code": "X"})]
)
def test_answer_that_is_no_commit_ends_the_run(told: tuple[int, object]) -> None:
    with serving(lambda _: told) as address, pytest.raises(BadAnswerError):
        run(address)


def test_lost_connection_ends_the_run() -> None:
    with serving(lambda _: None) as address, pytest.raises(NodeUnreachableError):
        run(address)
    with pytest.raises(NodeUnreachableError):
        run("http://127.0.0.1:1")


@pytest.mark.parametrize("wrong", [(0, 1, 1, None), (1, 0, 1, None), (1, 1025, 1, None), (1, 1, 0, None), (1, 1, 1, 0.0)])
def test_load_that_cannot_be_is_refused(wrong: tuple) -> None:
    with pytest.raises(UsageError):
        Load(*wrong)


def test_closed_loop_sends_what_was_refused_again_when_the_node_asks_for_it() -> None:
    seen: list[bytes] = []

    def answer(body: bytes) -> tuple[int, object]:
        seen.append(body)
        return ((429, {"code": "QUOTA_EXCEEDED"}) if len(seen) == 1 else (503, OVERLOADED)) if len(seen) <= 2 else (200, OK)

    with serving(answer) as address:
        result = run_load(address, "token", Load(1.0, 1, 1, None), numbered(), repeat(CALL))
    assert seen[0] == seen[1] == seen[2] != seen[3]
    assert result.refused == {"QUOTA_EXCEEDED": 1, "OVERLOADED": 1}
    assert result.committed + result.late == len(seen) - 2


def test_closed_loop_sends_the_refused_part_of_a_batch_again() -> None:
    sizes: list[int] = []

    def answer(body: bytes) -> tuple[int, object]:
        sizes.append(len(decode(body, HTTP_BODY_BYTES_MAX)))
        return 200, {"results": [OK] * (sizes[-1] - (len(sizes) == 1)) + [{"problem": OVERLOADED}] * (len(sizes) == 1)}

    with serving(answer) as address:
        result = run_load(address, "token", Load(1.0, 3, 1, None), sign, repeat(CALL))
    assert sizes[:3] == [3, 1, 3]
    assert result.refused == {"OVERLOADED": 1}


def test_open_loop_offers_what_was_refused_again() -> None:
    seen: list[bytes] = []

    def answer(body: bytes) -> tuple[int, object]:
        seen.append(body)
        return (503, OVERLOADED) if len(seen) == 1 else (200, OK)

    with serving(answer) as address:
        result = run_load(address, "token", Load(1.0, 1, 1, 10), numbered(), repeat(CALL))
    assert len(seen) == 10 - result.unsent
    assert len(set(seen)) == len(seen) - 1
    assert (result.committed + result.late, result.refused) == (len(seen) - 1, {"OVERLOADED": 1})


def numbered() -> Callable[[Call], Transaction]:
    """Return a signer of which no two transactions are the same."""
    numbers = count()

    def sign_next(call: Call) -> Transaction:
        signer = Signer("bench", "admin", "ed25519-sha256", bytes(32))
        body = TransactionBody(bytes(32), (signer,), (call,), 1, 1, next(numbers).to_bytes(16, "big"))
        return assemble_transaction(body.encode(), [bytes(64)], SHA256)

    return sign_next

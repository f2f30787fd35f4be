"""The far end of the ABCI socket, under the test's control, and an application without a ledger that keeps what is asked of it."""

import contextlib
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType

from google.protobuf.timestamp_pb2 import Timestamp

from tests.conformance.recording_application import RecordingApplication
from yunhe.consensus.cometbft._generated import abci_pb2 as abci
from yunhe.consensus.cometbft.abci_server import frame, read_message
from yunhe.consensus.cometbft.configuration import ABCI_SOCKET
from yunhe.consensus.cometbft.engine import CometbftEngine
from yunhe.consensus.cometbft.supervision import EngineHealth
from yunhe.consensus.engine import Viable
from yunhe.errors import EngineFailedError, ExpiredError, QuotaExceededError

TIME_MS = 2_000_000


class JudgingApplication(RecordingApplication):
    """Finds an envelope viable until the time that it begins with, and believes what it says after that; keeps what it was told.

    `9000000 of=port holds=7 since=12` is of the organisation `port`, holds seven transactions, and one can have an effect from 12 ms on.
    """

    def __init__(self) -> None:
        super().__init__()
        self.discarded: list[bytes] = []
        self.extensions: list[tuple[bytes, bytes]] = []
        """Voter and what it told."""
        self.extension = b"cosignature"
        self.powers: dict[bytes, int] = {}
        self.judged: list[tuple[bytes, int]] = []
        self.wasteful: set[str] = set()
        """Senders from which nothing more is taken for a while."""

    def judge(self, envelope: bytes, time_ms: int) -> Viable:
        self.check(envelope)
        self.judged.append((envelope, time_ms))
        if time_ms >= int(envelope.split(b" ")[0]):
            raise ExpiredError("its time is over")
        told = dict(word.split(b"=") for word in envelope.split(b" ")[1:] if b"=" in word)
        return Viable(told.get(b"of", b"own").decode(), int(told.get(b"holds", 1)), int(told.get(b"since", time_ms)))

    def admit(self, envelope: bytes, time_ms: int) -> Viable:
        viable = self.judge(envelope, time_ms)
        if viable.sender in self.wasteful:
            raise QuotaExceededError("too much of it did not verify")
        return viable

    def discard(self, envelope: bytes, time_ms: int) -> None:
        self.discarded.append(envelope)

    def validators(self) -> dict[bytes, int]:
        return self.powers

    def extend_vote(self) -> bytes:
        return self.extension

    def receive_extension(self, extension: bytes, voter: bytes) -> None:
        self.extensions.append((voter, extension))


class NoProcess:
    """Stands where the process is started: the test is the process."""

    def __init__(self, on_halted: Callable[[EngineFailedError], None]) -> None:
        self.stops = 0

    def start(self) -> None:
        """There is nothing to start."""

    def stop(self) -> None:
        self.stops += 1

    def renew(self, reason: str) -> None:
        """There is nothing to end."""

    def health(self) -> EngineHealth:
        return EngineHealth("running", os.getpid(), 0, 0, "")


class Connection:
    """One connection of the process."""

    def __init__(self, home: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(20)
        folder = os.open(home, os.O_PATH | os.O_DIRECTORY)
        self.socket.connect(f"/proc/self/fd/{folder}/{ABCI_SOCKET}")
        os.close(folder)
        self.reader = self.socket.makefile("rb")

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.reader.close()
        self.socket.close()

    def ask(self, **request: object) -> abci.Response:
        """Return the answer to one request."""
        return self.ask_all(abci.Request(**request))[0]

    def ask_all(self, *requests: abci.Request) -> list[abci.Response]:
        """Send requests at once, and return their answers in the order in which they come."""
        self.socket.sendall(b"".join(frame(request.SerializeToString()) for request in (*requests, abci.Request(flush={}))))
        answers = [self.answer() for _ in range(len(requests) + 1)]
        assert answers.pop().HasField("flush")
        return answers

    def answer(self) -> abci.Response:
        data = read_message(self.reader)
        assert data is not None, "the connection is closed"
        return abci.Response.FromString(data)

    def is_closed(self) -> bool:
        """Wait for the end of the stream."""
        try:
            return self.reader.read(1) == b""
        except ConnectionResetError:
            return True


def time_of(time_ms: int) -> Timestamp:
    return Timestamp(seconds=time_ms // 1000, nanos=time_ms % 1000 * 1_000_000)


def block(height: int, *envelopes: bytes, block_hash: bytes = b"hash", time_ms: int = TIME_MS) -> abci.RequestFinalizeBlock:
    return abci.RequestFinalizeBlock(height=height, txs=envelopes, hash=block_hash, time=time_of(time_ms + height))


@contextlib.contextmanager
def engine_of(home: Path, application: JudgingApplication, clock: Callable[[], int] = lambda: TIME_MS) -> Iterator[CometbftEngine]:
    """Start an engine in a folder; the test is its process."""
    engine = CometbftEngine(application, clock, home, NoProcess, 1)
    engine.start()
    try:
        yield engine
    finally:
        engine.stop()

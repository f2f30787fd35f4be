"""CometBFT keeps the obligations of docs/spec/engine.md: the suite of every engine, on a real process with one validator."""

import time
from pathlib import Path

from tests.conformance.engine import EngineConformance
from tests.kvstore_chain import free_ports, program
from yunhe.consensus import Application, Committed, Delivery, Viable
from yunhe.consensus.cometbft.configuration import EngineSettings, EngineValidator, engine_genesis, make_home, write_genesis
from yunhe.consensus.cometbft.engine import CometbftEngine
from yunhe.consensus.cometbft.supervision import EngineSupervisor
from yunhe.consensus.engine import Clock
from yunhe.crypto import PrivateKey

NETWORK_ID = bytes(range(32))


class Replicated:
    """An application of the suite with what organisations that agree need besides: it judges by `check`, and its votes tell nothing."""

    def __init__(self, application: Application) -> None:
        self.application = application

    def committed(self) -> Committed:
        return self.application.committed()

    def check(self, envelope: bytes) -> None:
        self.application.check(envelope)

    def deliver(self, delivery: Delivery) -> bytes:
        return self.application.deliver(delivery)

    def commit(self, count: int) -> None:
        self.application.commit(count)

    def judge(self, envelope: bytes, time_ms: int) -> Viable:
        self.application.check(envelope)
        return Viable("port", 1, time_ms)

    def admit(self, envelope: bytes, time_ms: int) -> Viable:
        return self.judge(envelope, time_ms)

    def discard(self, envelope: bytes, time_ms: int) -> None:
        raise AssertionError

    def validators(self) -> dict[bytes, int]:
        return {}

    def extend_vote(self) -> bytes:
        return b""

    def receive_extension(self, extension: bytes, voter: bytes) -> None:
        raise AssertionError


def make_cometbft(application: Application, clock: Clock, folder: Path) -> CometbftEngine:
    home = folder / "engine"
    executable = program()
    if not home.exists():
        validator, peer = PrivateKey.generate(), PrivateKey.generate()
        make_home(home, EngineSettings("one", f"127.0.0.1:{free_ports(1)[0]}", ()), validator, peer)
        founder = EngineValidator("one", validator.public_key.raw, 1)
        write_genesis(home, engine_genesis(NETWORK_ID, time.time_ns() // 1_000_000, [founder], 1))
    return CometbftEngine(
        Replicated(application), clock, home, lambda on_halted: EngineSupervisor(executable, home, folder / "engine.log", on_halted), 1
    )


class TestCometbftEngine(EngineConformance):
    make_engine = staticmethod(make_cometbft)

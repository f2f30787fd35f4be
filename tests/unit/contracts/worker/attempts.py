"""Starts a worker that tries one way out of its jail, and tells what came of it."""

from pathlib import Path

from yunhe.contracts.worker.messages import Execute
from yunhe.contracts.worker.process import Launch, Starter, WorkerFaultError, WorkerProcess

ROOT = str(Path(__file__).parents[4])
SIGSYS = 31
ENDED = f"(ended by signal {SIGSYS})"


def launch(entry: str, name: str, *, filtered: bool) -> Launch:
    """Return how a worker is started that tries one thing, with or without the filter of system calls."""
    return Launch(f"tests.unit.contracts.worker.escapes:{entry}", folders=(ROOT,), arguments=(name, filtered))


def come_of(name: str, *, filtered: bool) -> str:
    """Return what came of an attempt inside a jail."""
    starter = Starter("sha256", launch("attempt", name, filtered=filtered))
    try:
        return outcome(starter.start())
    finally:
        starter.close()


def outcome(worker: WorkerProcess) -> str:
    """Let a worker try what it was started for; return what came of it."""
    worker.send(Execute(1, 1, follows=False, transactions=[]))
    try:
        worker.receive(20_000)
    except WorkerFaultError as fault:
        return fault.message
    finally:
        worker.end()
    raise AssertionError("the worker went on as if nothing had been tried")

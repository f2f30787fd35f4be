"""The contract worker: a process that runs contracts and can do nothing else.

It imports and tries out everything that contracts need, closes its jail (`jail`), says hello, and then answers messages until its socket
ends. Reads go to the node; outcomes and writes go back in one message. Whatever stops it for a local reason is told, if it still can be,
and ends the process: a local fault is never an outcome (LED-024, CON-085). Specification: docs/spec/contracts.md, "Worker".
"""

import gc
import os
import platform
import socket
import warnings
from typing import NoReturn

import yunhe
from yunhe.contracts import json_values, system  # noqa: F401  # all that a contract could make Python import, before the jail closes
from yunhe.contracts.loader import inspect_source
from yunhe.contracts.runner import BlockRunner
from yunhe.contracts.worker.jail import close_jail
from yunhe.contracts.worker.messages import (
    AskView,
    Done,
    Execute,
    Failed,
    Hello,
    MessageError,
    Refused,
    Result,
    ToWorker,
    Viewed,
    receive_from_node,
    send,
)
from yunhe.contracts.worker.prefetch import Prefetcher
from yunhe.contracts.worker.remote_state import RemoteState
from yunhe.crypto import ChainHash
from yunhe.crypto.hashes import TAG_CODE, chain_hash
from yunhe.errors import CorruptionError, UnavailableError, ViewRefusedError
from yunhe.ledger.codec import decode, encode
from yunhe.ledger.interfaces import BlockContext, Outcome
from yunhe.ledger.transaction import Transaction
from yunhe.limits import FAULT_CHARS_MAX, TRANSACTION_BYTES_MAX, WORKER_CACHE_BYTES_MAX

_REHEARSAL = '''\
"""Touches what contracts use, so that nothing is left to be loaded."""
from yunhe.contracts import Choice, Context, Index, Log, Map, Org, Record, Rounding, Table, Unique, action, mul_div, view


class Colour(Choice):
    RED = "red"


class Thing(Record):
    key: str
    colour: Colour = Colour.RED
    parts: dict[str, list[int]] = {}
    owner: Org | None = None


things: Table[Thing] = Table(key="key")
things_by_colour: Index[Thing] = Index(things, by="colour")
thing_of_owner: Unique[Thing] = Unique(things, by="owner")
entries: Log[str, Thing] = Log()
counts: Map[str, int] = Map(default=0)


@action
def act(ctx: Context, key: str) -> int:
    things.add(Thing(key=f"{key}{ctx.height}"))
    counts[key] += mul_div(sum(i for i in range(3)), 1, 2, Rounding.FLOOR)
    return max([part for thing in things.scan() for part in thing.parts], default=0)


@view
def ask(ctx: Context, key: str) -> Thing:
    return things[key.strip().upper()]
'''


class Worker:
    """Answers the messages of one node."""

    def __init__(self, end: socket.socket, hash_name: str, cache_bytes: int) -> None:
        self._end = end
        self._chain_hash = chain_hash(hash_name)
        self._runner = BlockRunner(self._chain_hash)
        self._state = RemoteState(end, cache_bytes)
        self._prefetcher = Prefetcher()

    def serve(self) -> NoReturn:
        """Answer messages until the node ends the connection."""
        while True:
            self._answer(receive_from_node(self._end))

    def _answer(self, message: ToWorker) -> None:
        if isinstance(message, Execute):
            send(self._end, self._execute(message))
        elif isinstance(message, AskView):
            send(self._end, self._view(message))
        else:
            raise MessageError("an answer to nothing that was asked")

    def _execute(self, message: Execute) -> Done:
        state = self._state
        # CON-086
        if not message.follows:
            state.forget()
        transactions = [Transaction.decode(encoded, self._chain_hash) for encoded in message.transactions]
        state.prefetch(self._prefetcher.keys(transactions, self._runner.loaded()))
        # Each outcome is encoded before the next one is made: encoded, a block's outcomes have room.
        results = [
            _result(outcome) for outcome in self._runner.outcomes(BlockContext(message.height, message.time_ms), transactions, state)
        ]
        writes = self._runner.net_writes()
        self._prefetcher.learn(state.read)
        state.follow(writes)
        return Done(results, list(writes), self._runner.faults)

    def _view(self, message: AskView) -> Viewed | Refused:
        if not message.follows:
            self._state.forget()
        arguments = decode(message.arguments, TRANSACTION_BYTES_MAX)
        assert isinstance(arguments, dict)
        context = BlockContext(message.height, message.time_ms)
        try:
            result = self._runner.view(context, message.contract, message.view, arguments, self._state)  # type: ignore[arg-type]  # names, by the host
        except ViewRefusedError as error:
            return Refused(error.refusal, error.message)
        return Viewed(encode(result))


def _result(outcome: Outcome) -> Result:
    events = [[event.contract, event.name, event.fields] for event in outcome.events]
    content = encode([list(outcome.results), events]) if outcome.results or events else b""
    return Result(outcome.code, outcome.call_index, outcome.gas_used, content)


def _rehearse(own_hash: ChainHash) -> None:
    """Use everything once, so that no file is wanted afterwards."""
    inspect_source(_REHEARSAL)
    own_hash.tagged(TAG_CODE, encode({"a": [1, "b", b"c", None, True]}))
    Hello("", "", {})
    # What was made so far lives as long as the process; collections need not look at it again.
    gc.collect()
    gc.freeze()


def main(descriptor: int, parent: int, hash_name: str, cache_bytes: int = WORKER_CACHE_BYTES_MAX) -> NoReturn:
    """Run as a worker.

    Args:
        descriptor: of the socket to the node.
        parent: process id of the node.
        hash_name: chain hash of the ledger.
        cache_bytes: records that are kept.
    """
    end = socket.socket(fileno=descriptor)
    # The checker lets nothing through that Python warns of; showing a warning would open files, which ends a jailed process.
    warnings.simplefilter("ignore")
    worker = Worker(end, hash_name, cache_bytes)
    _rehearse(chain_hash(hash_name))
    # CON-081: from here on there is no way back.
    protections = close_jail(end.fileno(), parent)
    send(end, Hello(".".join(platform.python_version_tuple()[:2]), yunhe.__version__, protections.data()))
    run(end, worker)


def run(end: socket.socket, worker: Worker) -> NoReturn:
    """Serve; end the process when that is over, in whatever way."""
    status = 1
    try:
        worker.serve()
    except MessageError:
        # The node ended the connection: all is well.
        status = 0
    except CorruptionError as error:
        _tell(end, error.message, corrupt=True)
    except UnavailableError as error:
        _tell(end, error.message, corrupt=False)
    except BaseException as error:  # noqa: BLE001  # the edge of the process: whatever it is, the node is told its kind
        _tell(end, f"the worker stopped with {type(error).__name__}", corrupt=False)
    finally:
        os._exit(status)


def _tell(end: socket.socket, reason: str, *, corrupt: bool) -> None:
    try:
        send(end, Failed(reason[:FAULT_CHARS_MAX], corrupt))
    except (UnavailableError, MemoryError):
        # The node notices that the process ended.
        return

"""The gateway's collector: takes single transactions and batches, verifies what has gathered in one native call, and hands it on.

Refusals are immediate and named. A transaction that waits already, or has its receipt, is not executed again: the caller gets the first
one's place. Structural checks come before costly ones: length and form, then time and network, then signatures, then enrolment.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import structlog

from yunhe.errors import (
    ExpiredError,
    GasLimitTooHighError,
    InvalidInputError,
    OverloadedError,
    UnavailableError,
    YunheError,
)
from yunhe.gateway.quotas import Quota
from yunhe.ledger.admission import check_suites, check_validity, decode_transaction, verify_signatures
from yunhe.ledger.enrolment import authorise
from yunhe.ledger.interfaces import StateReader
from yunhe.ledger.layouts import Parameters, read_parameters
from yunhe.ledger.transaction import Transaction
from yunhe.limits import COLLECTED_BYTES_MAX, COLLECTED_TRANSACTIONS_MAX, PENDING_TRANSACTIONS_MAX
from yunhe.node import Node, Placed
from yunhe.node.pending import too_many_waiting

_log = structlog.get_logger("yunhe.gateway")


@dataclass(frozen=True, slots=True)
class Accepted:
    """A transaction that was accepted, or is known already."""

    transaction_id: bytes
    placed: "asyncio.Future[Placed]"
    """Its place, as soon as it has one; or the error that it was dropped with."""


@dataclass(frozen=True, slots=True)
class _Known:
    """A transaction that has its receipt already."""

    transaction_id: bytes
    placed: Placed


Answer = Accepted | YunheError
"""What a submitted transaction gets."""
Checked = Transaction | _Known | YunheError
"""A transaction that may be accepted, one that was executed before, or a refusal."""


@dataclass(frozen=True, slots=True)
class _Submission:
    encoded: Sequence[bytes]
    quota: Quota
    """Of the first signer, beside that which all have."""
    answer: "asyncio.Future[list[Answer]]"


class Collector:
    """Gathers submissions of all connections for a few milliseconds, then admits them together."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._waiting: list[_Submission] = []
        self._count = 0
        self._bytes = 0
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @cached_property
    def _token_quota(self) -> Quota:
        return Quota("the token", self._node.folder.config.token_rate_max)

    @cached_property
    def _member_quota(self) -> Quota:
        return Quota("the member", self._node.folder.config.member_rate_max)

    @cached_property
    def _relay_quota(self) -> Quota:
        return Quota("without a token the member", self._node.folder.config.relay_rate_max)

    @cached_property
    def _no_quota(self) -> Quota:
        return Quota("", 0)

    @property
    def depth(self) -> int:
        """Transactions that wait to be verified."""
        return self._count

    def start(self) -> None:
        """Begin to collect; call from the running event loop."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """Stop collecting; what has gathered is refused by the node, which is stopping."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        for submission in self._waiting:
            submission.answer.cancel()

    async def submit(self, encoded: Sequence[bytes], caller: str | None) -> list[Answer]:
        """Verify and accept transactions; one answer for each, in order.

        Args:
            encoded: the transactions.
            caller: name of the token that they came by; None for those that members relay without one.

        Raises:
            QuotaExceededError: the caller hands in more than its share.
            OverloadedError: more has gathered than can be verified soon.
        """
        # API-020
        if caller is not None:
            self._token_quota.take(caller, len(encoded))
        size = sum(map(len, encoded))
        if self._count + len(encoded) > PENDING_TRANSACTIONS_MAX or self._bytes + size > COLLECTED_BYTES_MAX:
            self._node.metrics.count_transactions("refused", len(encoded))
            raise OverloadedError("too many transactions wait to be verified; try again in a second")
        quota = self._relay_quota if caller is None else self._no_quota
        submission = _Submission(encoded, quota, asyncio.get_running_loop().create_future())
        self._waiting.append(submission)
        self._count += len(encoded)
        self._bytes += size
        self._wake.set()
        answers = await submission.answer
        # Asked once for all: a message that is not wanted costs two microseconds, and there is one for each transaction.
        if _log.is_enabled_for(logging.DEBUG):
            _log_answers(answers)
        return answers

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            if self._count < COLLECTED_TRANSACTIONS_MAX:
                await asyncio.sleep(self._node.folder.config.collect_ms / 1000)
            gathered, self._waiting, self._count, self._bytes = self._waiting, [], 0, 0
            self._wake.clear()
            try:
                answers = await self._admit([(data, submission.quota) for submission in gathered for data in submission.encoded])
            except Exception as error:  # noqa: BLE001  # the task's edge: one fault of ours must not leave every later caller waiting
                _log.exception("the collector failed")
                failure = UnavailableError("the gateway failed to check the transaction; the node's log says why")
                failure.__cause__ = error
                answers = [failure for submission in gathered for _ in submission.encoded]
            position = 0
            for submission in gathered:
                count = len(submission.encoded)
                if not submission.answer.done():
                    submission.answer.set_result(answers[position : position + count])
                position += count

    async def _admit(self, encoded: Sequence[tuple[bytes, Quota]]) -> list[Answer]:
        with self._node.metrics.stage("verify"):
            # Only this task accepts transactions, so there is no less room when they have been checked.
            checked = await asyncio.to_thread(self._check, encoded, self._node.room)
        answers: dict[bytes, Answer] = {}
        fresh: dict[bytes, Transaction] = {}
        for verdict in checked:
            if isinstance(verdict, Transaction):
                # API-005
                waiting = self._node.find_waiting(verdict.id)
                if waiting is None:
                    fresh[verdict.id] = verdict
                else:
                    answers[verdict.id] = Accepted(verdict.id, waiting)
        answers |= self._accept(fresh)
        settled = [answers[verdict.id] if isinstance(verdict, Transaction) else _settled(verdict) for verdict in checked]
        self._node.metrics.count_transactions("refused", sum(isinstance(answer, YunheError) for answer in settled))
        return settled

    def _accept(self, fresh: Mapping[bytes, Transaction]) -> dict[bytes, Answer]:
        """Hand transactions that nobody has submitted before to the node."""
        if not fresh:
            return {}
        try:
            futures = self._node.submit(list(fresh.values()))
        except YunheError as error:
            # API-008: too much waits, or the node decides nothing more. What was accepted before keeps its place.
            return dict.fromkeys(fresh, error)
        return {identity: Accepted(identity, future) for identity, future in zip(fresh, futures, strict=True)}

    def _check(self, encoded: Sequence[tuple[bytes, Quota]], room: int) -> list[Checked]:
        """Check in a thread everything that does not change the queue of those that wait, the costly last; `room` is how many more can."""
        chain_hash = self._node.genesis.chain_hash
        state = self._node.reader()
        parameters = read_parameters(state)
        now_ms = self._node.block_time_ms()
        checked: list[Checked] = []
        fresh: set[bytes] | None = set() if len(encoded) > room else None
        # One for all: making thousands a second would take from what is accepted.
        full = too_many_waiting()
        for data, _ in encoded:
            places = 0 if fresh is None else len(fresh)
            identity = b"" if fresh is None else self._give_place(data, room, fresh, full)
            verdict = identity if isinstance(identity, YunheError) else decode_transaction(data, chain_hash)
            checked.append(self._check_time(verdict, now_ms, parameters) if isinstance(verdict, Transaction) else verdict)
            # A place is given back by whoever took it: a twin that is none has the id of a transaction that may be one.
            if fresh is not None and len(fresh) > places and isinstance(identity, bytes) and not isinstance(checked[-1], Transaction):
                fresh.discard(identity)
        decoded = [index for index, verdict in enumerate(checked) if isinstance(verdict, Transaction)]
        transactions = [verdict for verdict in checked if isinstance(verdict, Transaction)]
        for index, verdict in zip(decoded, verify_signatures(transactions), strict=True):
            checked[index] = verdict
            if isinstance(verdict, Transaction):
                try:
                    placed = self._node.find_placed(verdict.id)
                    checked[index] = (
                        _Known(verdict.id, placed) if placed else self._check_against_state(verdict, state, parameters, encoded[index][1])
                    )
                except YunheError as error:
                    checked[index] = error
        return checked

    def _give_place(self, data: bytes, room: int, fresh: set[bytes], full: OverloadedError) -> bytes | YunheError:
        """Return the id of a transaction for which there is room, or that has its place; else `full`, told from its id alone."""
        # API-008
        try:
            identity = Transaction.id_of(data, self._node.genesis.chain_hash)
        except InvalidInputError as error:
            return error
        if identity not in fresh and not self._is_known(identity):
            if len(fresh) >= room:
                return full
            fresh.add(identity)
        return identity

    def _is_known(self, transaction_id: bytes) -> bool:
        return self._node.find_waiting(transaction_id) is not None or self._node.store.locate(transaction_id) is not None

    def _check_time(self, transaction: Transaction, now_ms: int, parameters: Parameters) -> Checked:
        try:
            check_validity(transaction, self._node.network_id, now_ms, parameters.validity_window_ms)
        except ExpiredError as error:
            # A retry can come after the time that its first try was in: it gets the first receipt, once its signatures are verified.
            return error if self._node.store.locate(transaction.id) is None else transaction
        except YunheError as error:
            return error
        return transaction

    def _check_against_state(self, transaction: Transaction, state: StateReader, parameters: Parameters, quota: Quota) -> Transaction:
        check_suites(transaction, state)
        authorise(state, transaction.body.signers)
        # LED-021
        if transaction.body.gas_limit > parameters.gas_limit_max:
            raise GasLimitTooHighError(f"the gas limit is above this ledger's {parameters.gas_limit_max}")
        # API-020
        if (self._member_quota.is_set or quota.is_set) and self._node.find_waiting(transaction.id) is None:
            member = f"{transaction.sender.organisation}/{transaction.sender.member}"
            quota.take(member)
            self._member_quota.take(member)
        return transaction


def _log_answers(answers: Sequence[Answer]) -> None:
    for answer in answers:
        if isinstance(answer, YunheError):
            _log.debug("transaction refused", code=answer.code)
        else:
            _log.debug("transaction accepted", transaction=answer.transaction_id.hex())


def _settled(verdict: _Known | YunheError) -> Answer:
    """Answer for a transaction that is refused, or was executed before (API-005)."""
    if isinstance(verdict, YunheError):
        return verdict
    future: asyncio.Future[Placed] = asyncio.get_running_loop().create_future()
    future.set_result(verdict.placed)
    return Accepted(verdict.transaction_id, future)

"""The relay: transactions that members hand in without a token, so that no node can keep one from the ledger (API-021).

Whoever sends is known by the signatures alone. So form and enrolment are looked at before a signature is verified, each member has a quota,
and what all of them have under way at once is bounded; callers with tokens keep their room. Rules: docs/spec/http.md.
"""

import asyncio

import structlog

from yunhe.errors import OverloadedError, RelayOffError, YunheError
from yunhe.gateway.collector import Accepted, Answer, Collector
from yunhe.ledger.admission import decode_transaction
from yunhe.ledger.enrolment import authorise
from yunhe.limits import RELAYED_MAX
from yunhe.node import Node

_log = structlog.get_logger("yunhe.gateway")


class Relay:
    """Takes single transactions from strangers for the collector."""

    def __init__(self, node: Node, collector: Collector) -> None:
        self._node = node
        self._collector = collector
        self._under_way = 0

    async def submit(self, encoded: bytes) -> Answer:
        """Check a transaction and return what became of it.

        Raises:
            RelayOffError: this node takes none without a token.
            OverloadedError: `RELAYED_MAX` are under way.
        """
        # API-021
        if not self._node.folder.config.relay_rate_max:
            raise RelayOffError("this node takes no transactions without a token; hand it to another organisation's node, or get a token")
        if self._under_way >= RELAYED_MAX:
            self._node.metrics.count_relayed(is_accepted=False)
            raise OverloadedError("too many transactions without a token are under way; try again in a second")
        self._under_way += 1
        try:
            answer = await self._admit(encoded)
        except BaseException as error:
            self._end()
            self._node.metrics.count_relayed(is_accepted=False)
            if isinstance(error, YunheError):
                return error
            raise
        self._node.metrics.count_relayed(is_accepted=isinstance(answer, Accepted))
        if isinstance(answer, Accepted):
            answer.placed.add_done_callback(self._end)
        else:
            self._end()
        return answer

    async def _admit(self, encoded: bytes) -> Answer:
        verdict = decode_transaction(encoded, self._node.genesis.chain_hash)
        if isinstance(verdict, YunheError):
            return verdict
        # API-005: what was executed is answered with its receipt, whatever became of its signers since.
        # Where it is, not what became of it: nobody without a signature makes the node read a block.
        if await asyncio.to_thread(self._node.store.locate, verdict.id) is None:
            # API-021: before a signature is verified.
            await asyncio.to_thread(authorise, self._node.reader(), verdict.body.signers)
        answer = (await self._collector.submit([encoded], None))[0]
        if isinstance(answer, Accepted):
            _log.info("transaction relayed", transaction=verdict.id.hex(), organisation=verdict.sender.organisation)
        return answer

    def _end(self, _placed: object = None) -> None:
        self._under_way -= 1

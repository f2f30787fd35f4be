"""Check blocks that somebody else decided, one after the other, against the rules of the ledger, on a state that grows with them.

Whoever altered a block and made its checksums and the marker anew is found here: every header follows from the one below, transactions and
receipts from its roots, every signature verifies, every transaction could take effect when it did (LED-010), and the write sets lead from
the genesis state to every state root. Whether the contracts really did what receipts and write sets say is decided by running them again,
when an executor is given. Specification: docs/spec/storage.md, "Check" (STO-014).
"""

from collections.abc import Collection, Sequence
from typing import Protocol

from yunhe.crypto import invalid_signatures
from yunhe.errors import BlockInvalidError, CorruptionError, InvalidInputError, SkipOrderInvalidError, StateMismatchError
from yunhe.ledger.admission import check_suites, check_validity
from yunhe.ledger.codec import decode
from yunhe.ledger.execution import execute_block, receipts_of
from yunhe.ledger.genesis import Genesis
from yunhe.ledger.header import Header
from yunhe.ledger.interfaces import BlockContext, Execution, Executor, StateReader, Write
from yunhe.ledger.layouts import changes_certifiers, read_certifiers, read_parameters
from yunhe.ledger.merkle import merkle_root
from yunhe.ledger.receipt import Receipt
from yunhe.ledger.skip_order import SkipOrder, orders_in, require_valid
from yunhe.ledger.state_keys import decode_state_key
from yunhe.ledger.transaction import Transaction
from yunhe.ledger.transition import LedgerBlock
from yunhe.limits import BLOCK_BYTES_MAX, RECORD_BYTES_MAX
from yunhe.storage.block_record import BlockRecord, BlockStub
from yunhe.storage.readers import HeadReader
from yunhe.storage.state_store import StateStore
from yunhe.storage.transaction_index import index_entries, seen_ids


class CheckedState(StateReader, Protocol):
    """The state after the last block that was checked."""

    def seen(self, ids: Collection[bytes]) -> set[bytes]:
        """Return those of `ids` that took effect already (LED-011)."""

    def stage(self, height: int, writes: Sequence[Write]) -> bytes:
        """Return the state root after a block's writes; reads see them from then on."""


class Replica(HeadReader):
    """A state of its own that blocks are checked on, from nothing."""

    def __init__(self, store: StateStore) -> None:
        super().__init__(store)
        self._replica = store

    def seen(self, ids: Collection[bytes]) -> set[bytes]:
        """Return those of `ids` that took effect already (LED-011)."""
        return seen_ids(self._replica, ids)

    def stage(self, height: int, writes: Sequence[Write]) -> bytes:
        """Return the state root after a block's writes; reads see them from then on."""
        return self._replica.stage(height, list(writes))

    def keep(self, height: int, ids: Sequence[bytes]) -> None:
        """Take over what was staged, without a history."""
        self._replica.apply(index_entries(height, list(ids)), False)
        self._replica.prune(height)


class BlockChecker:
    """Checks blocks, each on the one before."""

    def __init__(
        self, genesis: Genesis, state: CheckedState, executor: Executor | None, previous: Header | None = None, engine_height: int = 0
    ) -> None:
        """Begin above a block.

        Args:
            genesis: of the network.
            state: after that block.
            executor: when given, all transactions are run again and compared.
            previous: header of that block; None to begin with block 0.
            engine_height: of that block.
        """
        self._genesis = genesis
        self._chain_hash = genesis.chain_hash
        self._state = state
        self._executor = executor
        self._previous = previous
        self._engine_height = engine_height

    def check(self, height: int, record: BlockRecord) -> LedgerBlock:
        """Check the next block and stage its write set; the caller keeps it.

        Args:
            height: where the block stands in the log.
            record: the block; its form is right.

        Raises:
            BlockInvalidError: it breaks a rule, which the message names.
            StateMismatchError: its write set does not lead to its state root.
        """
        try:
            return self._check(height, record)
        except (BlockInvalidError, StateMismatchError):
            raise
        except (InvalidInputError, CorruptionError) as error:
            raise BlockInvalidError(f"block {height}: {error.message}") from error

    def check_stub(self, height: int, stub: BlockStub) -> list[bytes]:
        """Check what is kept of the next block, which was pruned; returns the ids of its transactions.

        Raises:
            BlockInvalidError: it breaks a rule, which the message names.
        """
        header = Header.decode(stub.header)
        self._check_header(height, header, stub.engine_height)
        # STO-033
        if merkle_root(list(stub.leaves), self._chain_hash) != header.transactions_root:
            raise BlockInvalidError(f"block {height}: the leaves are not those of the header's root")
        self._previous, self._engine_height = header, stub.engine_height
        return stub.transaction_ids

    def run(self, executor: Executor, header: Header, transactions: Sequence[Transaction], orders: Sequence[SkipOrder] = ()) -> LedgerBlock:
        """Check the next block by its header and transactions alone: running these makes receipts and write set. Stages the latter.

        Args:
            executor: runs the transactions.
            header: of the block, certified.
            transactions: those of the header's root.
            orders: to pass over some of them, as whoever sent the block has them; checked here.

        Raises:
            BlockInvalidError: the block breaks a rule, or running it gives other receipts.
            StateMismatchError: running it leads to another state root.
            SkipOrderInvalidError: an order does not count.
        """
        height = header.height
        try:
            self._check_header(height, header, self._engine_height + 1)
            self._check_transactions(header, transactions)
            execution = self._execute(executor, header, transactions, orders)
            receipts = receipts_of(transactions, execution)
            if merkle_root([receipt.encoded for receipt in receipts], self._chain_hash) != header.receipts_root:
                raise BlockInvalidError(f"block {height}: running its transactions gives other receipts than those of the header's root")
            if self._state.stage(height, execution.writes) != header.state_root:
                raise StateMismatchError(f"block {height}: running its transactions leads to another state root than the header's")
            self._check_certifiers(header, execution.writes)
        except SkipOrderInvalidError:
            # What was handed in with the block, and not the block.
            raise
        except InvalidInputError as error:
            raise BlockInvalidError(f"block {height}: {error.message}") from error
        self._previous, self._engine_height = header, self._engine_height + 1
        return LedgerBlock(header, header.hash(self._chain_hash), tuple(transactions), receipts, execution.writes)

    def _check(self, height: int, record: BlockRecord) -> LedgerBlock:
        block = record.block(self._chain_hash)
        self._check_header(height, block.header, record.engine_height)
        self._check_transactions(block.header, block.transactions)
        self._check_receipts(block.header, [transaction.id for transaction in block.transactions], block.receipts)
        self._check_write_forms(height, block.writes)
        if self._executor is not None and height > 0:
            self._replay(self._executor, block.header, block.transactions, record)
        # STO-010
        if self._state.stage(height, block.writes) != block.header.state_root:
            raise StateMismatchError(f"block {height}: the write set does not lead to the state root in the header")
        self._check_certifiers(block.header, block.writes)
        self._previous, self._engine_height = block.header, record.engine_height
        return block

    def _check_header(self, height: int, header: Header, engine_height: int) -> None:
        previous = self._previous
        if previous is None:
            # LED-002
            if header != self._genesis.header(header.state_root) or engine_height != 0:
                raise BlockInvalidError("block 0: LED-002: the header does not follow from the genesis")
            return
        if (header.network_id, header.height) != (previous.network_id, height):
            raise BlockInvalidError(f"block {height}: the header is of another height or network")
        if header.previous != previous.hash(self._chain_hash):
            raise BlockInvalidError(f"block {height}: the header does not follow the one below it")
        # LED-013
        if header.time_ms <= previous.time_ms:
            raise BlockInvalidError(f"block {height}: LED-013: its time is not above the time of the block below it")
        # ENG-001
        if engine_height <= self._engine_height:
            raise BlockInvalidError(f"block {height}: ENG-001: its engine height is not above that of the block below it")

    def _check_transactions(self, header: Header, transactions: Sequence[Transaction]) -> None:
        if merkle_root([t.leaf(self._chain_hash) for t in transactions], self._chain_hash) != header.transactions_root:
            raise BlockInvalidError(f"block {header.height}: the transactions are not those of the header's root")
        if self._previous is None:
            return
        # LED-014
        if not transactions:
            raise BlockInvalidError(f"block {header.height}: LED-014: a ledger block has at least one transaction")
        # LED-015; their number is part of the record's form.
        if sum(len(transaction.encoded) for transaction in transactions) > BLOCK_BYTES_MAX:
            raise BlockInvalidError(f"block {header.height}: LED-015: its transactions have more than {BLOCK_BYTES_MAX} bytes together")
        ids = [transaction.id for transaction in transactions]
        # LED-011
        if len(set(ids)) != len(ids) or self._state.seen(ids):
            raise BlockInvalidError(f"block {header.height}: LED-011: a transaction took effect before")
        # LED-010
        window_ms = read_parameters(self._state).validity_window_ms
        for transaction in transactions:
            check_validity(transaction, header.network_id, header.time_ms, window_ms)
            check_suites(transaction, self._state)
        if invalid_signatures([item for transaction in transactions for item in transaction.signed_items()]):
            raise BlockInvalidError(f"block {header.height}: LED-010: a signature does not verify")

    def _check_receipts(self, header: Header, ids: Sequence[bytes], receipts: Sequence[Receipt]) -> None:
        if [receipt.transaction_id for receipt in receipts] != list(ids):
            raise BlockInvalidError(f"block {header.height}: a receipt is not that of its transaction")
        if merkle_root([receipt.encoded for receipt in receipts], self._chain_hash) != header.receipts_root:
            raise BlockInvalidError(f"block {header.height}: the receipts are not those of the header's root")

    def _check_write_forms(self, height: int, writes: Sequence[Write]) -> None:
        for key, value in writes:
            # COD-060, COD-061
            decode_state_key(key)
            if value is not None and not isinstance(decode(value, RECORD_BYTES_MAX), dict):
                raise BlockInvalidError(f"block {height}: COD-005: a record is not a map")

    def _check_certifiers(self, header: Header, writes: Sequence[Write]) -> None:
        # LED-041; header 0 follows from the genesis as a whole.
        if self._previous is None:
            return
        expected = self._previous.next_certifiers
        if changes_certifiers(writes):
            expected = read_certifiers(self._state).hash(self._chain_hash)
        if header.next_certifiers != expected:
            raise BlockInvalidError(f"block {header.height}: LED-041: the header names other certifiers than the state has")

    def _execute(self, executor: Executor, header: Header, transactions: Sequence[Transaction], orders: Sequence[SkipOrder]) -> Execution:
        for order in orders:
            # LED-063
            assert self._previous is not None
            require_valid(order, self._previous, self._previous.hash(self._chain_hash), self._state)
        context = BlockContext(header.height, header.time_ms)
        return execute_block(context, transactions, self._state, executor, self._chain_hash, orders)

    def _replay(self, executor: Executor, header: Header, transactions: Sequence[Transaction], record: BlockRecord) -> None:
        execution = self._execute(executor, header, transactions, orders_in(record.writes))
        if tuple(receipt.encoded for receipt in receipts_of(transactions, execution)) != record.receipts:
            raise BlockInvalidError(f"block {header.height}: running its transactions again gives other receipts")
        if tuple(execution.writes) != record.writes:
            raise BlockInvalidError(f"block {header.height}: running its transactions again gives another write set")

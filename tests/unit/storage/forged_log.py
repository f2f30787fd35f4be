"""Stores whose files are right in every checksum, while a block in them is not: what only the rules of the ledger can find."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tests.unit.storage.stored_chain import GENESIS
from yunhe.crypto import SHA256
from yunhe.crypto.hashes import TAG_HEADER
from yunhe.ledger.header import Header
from yunhe.ledger.interfaces import Write
from yunhe.ledger.merkle import merkle_root
from yunhe.ledger.receipt import Receipt
from yunhe.ledger.state_tree import state_root
from yunhe.ledger.transaction import Transaction
from yunhe.storage.block_files import BlockFiles, NewRecord
from yunhe.storage.block_record import BlockRecord
from yunhe.storage.cosigner_memory import Memory, SignedTree, write_memory
from yunhe.storage.data_folder import DataFolder
from yunhe.storage.marker import Mark, Marker

Records = dict[bytes, bytes]


def state_after(records: Sequence[BlockRecord]) -> Records:
    """The state that write sets lead to."""
    state: Records = {}
    for record in records:
        state = state_with(state, record.writes)
    return state


def state_with(state: Records, writes: Sequence[Write]) -> Records:
    """A state with a write set over it."""
    merged = {**state, **dict(writes)}
    return {key: value for key, value in merged.items() if value is not None}


def make_block(
    below: Sequence[BlockRecord],
    transactions: Sequence[Transaction],
    receipts: Sequence[Receipt],
    writes: Sequence[Write],
    *,
    engine_height: int | None = None,
    **header_changes: object,
) -> BlockRecord:
    """A block on top of others with roots that fit what is in it; `header_changes` are set afterwards."""
    previous = Header.decode(below[-1].header)
    header = Header(
        network_id=previous.network_id,
        height=previous.height + 1,
        time_ms=previous.time_ms + 10,
        previous=previous.hash(SHA256),
        transactions_root=merkle_root([transaction.leaf(SHA256) for transaction in transactions], SHA256),
        receipts_root=merkle_root([receipt.encoded for receipt in receipts], SHA256),
        state_root=state_root(state_with(state_after(below), writes), SHA256),
        next_certifiers=previous.next_certifiers,
    )
    return BlockRecord(
        replace(header, **header_changes).encode(),  # type: ignore[arg-type]  # the names of fields
        below[-1].engine_height + 1 if engine_height is None else engine_height,
        tuple(transaction.encoded for transaction in transactions),
        tuple(receipt.encoded for receipt in receipts),
        tuple(writes),
    )


def write_log(folder: Path, records: Sequence[BlockRecord]) -> Path:
    """Make a data folder, without derived state, that has these blocks and acknowledges them."""
    folder.mkdir()
    stored = DataFolder(folder)
    hashes = [SHA256.tagged(TAG_HEADER, record.header) for record in records]
    blocks = BlockFiles.create(stored.blocks, GENESIS.network_id, SHA256)
    blocks.append_many([NewRecord(header_hash, record.encode()) for header_hash, record in zip(hashes, records, strict=True)])
    blocks.close()
    Marker.create(
        stored.marker, Mark(GENESIS.network_id, len(hashes), merkle_root(hashes, SHA256), hashes[-1], records[-1].engine_height)
    ).close()
    write_memory(stored.cosigner, GENESIS.network_id, Memory(SignedTree(0, merkle_root([], SHA256))))
    stored.write_format(GENESIS.network_id)
    return folder

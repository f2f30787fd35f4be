"""The start of a store: compare the block log with the marker and the genesis, and move the marker over what a crash left whole.

Nothing is cut or written before the log is known to be the one that was acknowledged. The first block, from which a store begins, is made
here too. Specification: docs/spec/storage.md, "Start" (STO-007, STO-008).
"""

import shutil

import structlog

from yunhe.crypto import ChainHash
from yunhe.errors import BlockLogAlteredError, BlockLogShortenedError, InvalidInputError
from yunhe.ledger.genesis import Genesis
from yunhe.ledger.header import Header
from yunhe.ledger.interfaces import Write
from yunhe.ledger.merkle import MerkleLog
from yunhe.limits import HASH_BYTES
from yunhe.storage import files
from yunhe.storage.block_files import BlockFiles, NewRecord, read_header, read_record
from yunhe.storage.block_record import BlockRecord
from yunhe.storage.cosigner_memory import Memory, SignedTree, read_memory, write_memory
from yunhe.storage.data_folder import DataFolder
from yunhe.storage.log_scan import LogScan
from yunhe.storage.marker import Mark, Marker
from yunhe.storage.state_store import StateStoreOpener

_log = structlog.get_logger(__name__)


def log_of_scan(scan: LogScan, chain_hash: ChainHash) -> MerkleLog:
    """Return the block log's tree from the hashes that a walk found."""
    hashes = scan.header_hashes
    return MerkleLog(chain_hash, (bytes(hashes[start : start + HASH_BYTES]) for start in range(0, len(hashes), HASH_BYTES)))


def check_marked(mark: Mark, scan: LogScan, log: MerkleLog, genesis: Genesis) -> None:
    """Compare what the marker acknowledged, and the genesis, with what a walk found.

    Raises:
        BlockLogAlteredError: they are of different logs.
    """
    # STO-007
    same = mark.network_id == genesis.network_id and scan.header_hash(mark.height) == mark.header_hash
    if not same or not log.is_extension_of(mark.size, mark.root):
        raise BlockLogAlteredError(
            f"the headers up to block {mark.height} are not those that were acknowledged: the block log or its marker was altered; "
            "restore the ledger from a backup with `yunhe node restore`"
        )
    last = read_record(*scan.place(mark.height), mark.height, mark.header_hash, genesis.chain_hash)
    if last.engine_height > mark.engine_height:
        raise BlockLogAlteredError(
            "the marker names an older engine block than the last block; restore the ledger from a backup with `yunhe node restore`"
        )
    # LED-002
    first = Header.decode(read_header(*scan.place(0), 0, scan.header_hash(0), genesis.chain_hash))
    if first != genesis.header(first.state_root):
        raise BlockLogAlteredError("header 0 does not follow from the genesis; restore the ledger from a backup with `yunhe node restore`")


def check_cosigned(folder: DataFolder, network_id: bytes, log: MerkleLog) -> None:
    """Compare what this node cosigned with its block log, which had been durable before (LED-042).

    Raises:
        CosignerMemoryDamagedError: the memory is missing or not what was written.
        BlockLogShortenedError: the log was rolled back.
        BlockLogAlteredError: the log is another one.
    """
    # LED-042, STO-007
    signed = read_memory(folder.cosigner, network_id).last
    if signed.size > log.size:
        raise BlockLogShortenedError(
            f"this node cosigned a block log of {signed.size} headers; the one here has only {log.size}: it was cut, or put back from an "
            "older copy. Put the newer one back; or go on from here with `yunhe node backup` and `yunhe node restore --roll-back`, after "
            "which this node's ledger key cosigns nothing more"
        )
    if not log.is_extension_of(signed.size, signed.root):
        raise BlockLogAlteredError(
            f"this node cosigned another block log of {signed.size} headers than the one here: put the one that belongs to "
            f"{folder.cosigner} back"
        )


def acknowledge_whole(blocks: BlockFiles, marker: Marker, log: MerkleLog) -> None:
    """Move the marker over blocks that were durable and not yet acknowledged when the node stopped.

    Raises:
        BlockLogAlteredError: such a block does not continue the log.
    """
    mark = marker.mark
    engine_height = mark.engine_height
    # STO-008
    for height in range(mark.size, blocks.size):
        record = blocks.read(height)
        header = Header.decode(record.header)
        expected = (mark.network_id, height, blocks.header_hash(height - 1))
        if (header.network_id, header.height, header.previous) != expected or record.engine_height <= engine_height:
            raise BlockLogAlteredError(
                f"block {height} does not continue the block log; restore it from a backup with `yunhe node restore`"
            )
        engine_height = record.engine_height
    if blocks.size > mark.size:
        _log.warning("keeping blocks that were whole but not yet acknowledged", first=mark.size, last=blocks.size - 1)
        marker.write(Mark(mark.network_id, log.size, log.root(), blocks.header_hash(blocks.size - 1), engine_height))


def write_first_block(folder: DataFolder, genesis: Genesis, writes: tuple[Write, ...], opener: StateStoreOpener) -> None:
    """Fill a folder that is not yet in its place; what an earlier attempt left there goes.

    Raises:
        InvalidInputError: a key is there twice, or cannot be stored.
    """
    for left in (folder.blocks, folder.state):
        if left.exists():
            with files.named_refusals(left):
                shutil.rmtree(left)
    folder.marker.unlink(missing_ok=True)
    if len({key for key, _ in writes}) != len(writes):
        raise InvalidInputError("the genesis state has a key twice")
    state = opener(folder.state, genesis.chain_hash.name)
    try:
        header = genesis.header(state.stage(0, list(writes)))
        state.apply([], True)
    finally:
        state.close()
    chain_hash = genesis.chain_hash
    header_hash = header.hash(chain_hash)
    blocks = BlockFiles.create(folder.blocks, genesis.network_id, chain_hash)
    try:
        blocks.append_many([NewRecord(header_hash, BlockRecord(header.encode(), 0, (), (), writes).encode())])
    finally:
        blocks.close()
    Marker.create(folder.marker, Mark(genesis.network_id, 1, MerkleLog(chain_hash, [header_hash]).root(), header_hash, 0)).close()
    write_memory(folder.cosigner, genesis.network_id, Memory(SignedTree(0, MerkleLog(chain_hash).root())))
    folder.write_format(genesis.network_id)

"""Records without a ledger behind them, for the tests of files alone."""

from pathlib import Path

from yunhe.crypto import SHA256
from yunhe.crypto.hashes import TAG_HEADER
from yunhe.storage.block_files import BlockFiles, NewRecord
from yunhe.storage.block_record import BlockRecord
from yunhe.storage.log_scan import LogScan, scan_log

NETWORK = bytes(range(32))


def make_record(height: int, size: int = 0) -> BlockRecord:
    """A record whose header is as long as a header, with `size` bytes in a transaction."""
    header = height.to_bytes(8, "big") * 25
    return BlockRecord(header, height, (bytes([height % 256]) * size,), (b"receipt",), ((b"key", b"value"), (b"other", None)))


def new_record(record: BlockRecord) -> NewRecord:
    """A record as it is appended."""
    return NewRecord(SHA256.tagged(TAG_HEADER, record.header), record.encode())


def make_log(folder: Path, sizes: list[int], segment_bytes_max: int = 1 << 20) -> list[BlockRecord]:
    """A closed block log with one record for each size."""
    records = [make_record(height, size) for height, size in enumerate(sizes)]
    files = BlockFiles.create(folder, NETWORK, SHA256, segment_bytes_max)
    for record in records:
        files.append_many([new_record(record)])
    files.close()
    return records


def scan(folder: Path, acknowledged: int) -> LogScan:
    """Walk over the log."""
    return scan_log(folder, NETWORK, acknowledged)


def open_log(folder: Path, acknowledged: int, segment_bytes_max: int = 1 << 20) -> BlockFiles:
    """Open the log."""
    return BlockFiles.open(folder, scan(folder, acknowledged), SHA256, segment_bytes_max)

"""The store of one node: the block log on disk, its marker, the derived state, the cosigner's memory, and backups.

The node works through `LedgerStore`; `LogReader` and `past_state` look at what is on the disk beside it.
Specification: docs/spec/storage.md.
"""

from yunhe.storage.backup import Backup, Continuation, unpack_backup, write_backup
from yunhe.storage.block_files import block_pruned
from yunhe.storage.certificates import Certificates
from yunhe.storage.check import CheckReport, check_folder
from yunhe.storage.cosigner_memory import CosignerMemory, SignedTree
from yunhe.storage.data_folder import DataFolder
from yunhe.storage.ledger_store import LedgerStore
from yunhe.storage.log_reader import LogReader
from yunhe.storage.past_state import past_state
from yunhe.storage.prune import Pruned, PrunePolicy, prune_folder, prune_store
from yunhe.storage.readers import SnapshotReader
from yunhe.storage.record_versions import RecordVersion, VersionsRead, read_versions
from yunhe.storage.transaction_index import Location, Progress

__all__ = [
    "Backup",
    "Certificates",
    "CheckReport",
    "Continuation",
    "CosignerMemory",
    "DataFolder",
    "LedgerStore",
    "Location",
    "LogReader",
    "Progress",
    "PrunePolicy",
    "Pruned",
    "RecordVersion",
    "SignedTree",
    "SnapshotReader",
    "VersionsRead",
    "block_pruned",
    "check_folder",
    "past_state",
    "prune_folder",
    "prune_store",
    "read_versions",
    "unpack_backup",
    "write_backup",
]

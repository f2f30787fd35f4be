"""The store of one node: the block log on disk, its marker, the derived state, and the cosigner's memory.

Everything here is behind `LedgerStore`, which the node joins with the ledger. Specification: docs/spec/storage.md.
"""

from yunhe.storage.certificates import Certificates
from yunhe.storage.check import CheckReport, check_folder
from yunhe.storage.cosigner_memory import CosignerMemory, SignedTree
from yunhe.storage.data_folder import DataFolder
from yunhe.storage.derived_state import Location, Progress
from yunhe.storage.ledger_store import LedgerStore
from yunhe.storage.readers import SnapshotReader

__all__ = [
    "Certificates",
    "CheckReport",
    "CosignerMemory",
    "DataFolder",
    "LedgerStore",
    "Location",
    "Progress",
    "SignedTree",
    "SnapshotReader",
    "check_folder",
]

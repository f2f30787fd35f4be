"""The cosigner's memory: the last tree that it signed, durable before the signature is made (LED-042).

A cosigner that forgets could sign two histories, and its cosignature would be worth nothing. So `advance` is called before every
signature: it refuses a tree that is smaller than, or inconsistent with, the last one, and returns only when size and root are on the disk.
The file is replaced whole, never overwritten: after a crash the old or the new content is there, and anything else is damage and refused.
It is not part of a backup: an older memory would allow what it must prevent.

Specification: docs/spec/storage.md, "Cosigner's memory" (STO-015).
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from yunhe.errors import CosignatureRefusedError, CosignerMemoryDamagedError, InvalidInputError
from yunhe.ledger.codec import as_array, as_hash, as_int, as_text, decode, encode
from yunhe.ledger.merkle import MerkleLog
from yunhe.storage import files

_FORMAT: Final = "yunhe-cosigner"
_VERSION: Final = 1
_CHECKSUM_BYTES: Final = 32
_FILE_BYTES_MAX: Final = 512


@dataclass(frozen=True, slots=True)
class SignedTree:
    """Size and root of a block log that was signed, or was about to be."""

    size: int
    root: bytes


class CosignerMemory:
    """The memory in its file. Not thread-safe: one cosigner owns it."""

    def __init__(self, path: Path, network_id: bytes, last: SignedTree | None) -> None:
        self._path = path
        self._network_id = network_id
        self._last = last

    @classmethod
    def open(cls, path: Path, network_id: bytes) -> "CosignerMemory":
        """Read the memory; where there is no file, nothing was signed yet.

        Raises:
            CosignerMemoryDamagedError: the file is not what was written, or another network's.
        """
        return cls(path, network_id, read_signed_tree(path, network_id))

    @property
    def last(self) -> SignedTree | None:
        """The last tree that may have been signed."""
        return self._last

    def advance(self, log: MerkleLog, size: int) -> None:
        """Remember the first `size` headers of the block log before they are signed; durable on return.

        Raises:
            CosignatureRefusedError: it is smaller than, or inconsistent with, the last one. Do not sign.
            DiskFullError: no room. Do not sign.
            DiskFailedError: the system refused. Do not sign.
        """
        # LED-042
        tree = SignedTree(size, log.root(size))
        _check_extends(self._last, log, size)
        if tree == self._last:
            return
        files.replace(self._path, _encode(self._network_id, tree))
        self._last = tree


def _check_extends(last: SignedTree | None, log: MerkleLog, size: int) -> None:
    # LED-042
    if last is None:
        return
    if size < last.size:
        raise CosignatureRefusedError(
            f"this node cosigned a block log of {last.size} headers and this one has {size}: it was rolled back or restored; "
            "let the node catch up before it cosigns again"
        )
    if not log.is_extension_of(last.size, last.root):
        raise CosignatureRefusedError(
            f"this node cosigned another block log of {last.size} headers: there are two histories; find out which one the others hold"
        )


def read_signed_tree(path: Path, network_id: bytes) -> SignedTree | None:
    """Read what was signed last; None where there is no file.

    Raises:
        CosignerMemoryDamagedError: the file is not what was written, or another network's.
    """
    if not path.exists():
        return None
    with files.opened_for_reading(path) as descriptor:
        data = files.read_at(descriptor, path, 0, _FILE_BYTES_MAX + 1)
    content, checksum = data[:-_CHECKSUM_BYTES], data[-_CHECKSUM_BYTES:]
    # STO-015
    try:
        if hashlib.sha256(content).digest() != checksum:
            raise CosignerMemoryDamagedError(_damaged(path))
        name, version, network, size, root = as_array(decode(content, _FILE_BYTES_MAX), "a cosigner's memory", 5)
        known = (as_text(name, "format"), as_int(version, "version"), as_hash(network, "network id")) == (_FORMAT, _VERSION, network_id)
        tree = SignedTree(as_int(size, "size", 1), as_hash(root, "root"))
    except InvalidInputError as error:
        raise CosignerMemoryDamagedError(_damaged(path)) from error
    if not known:
        raise CosignerMemoryDamagedError(f"{path} is of another version or another network; put the right one back")
    return tree


def _damaged(path: Path) -> str:
    return (
        f"{path} is not what was written, so nobody can tell what this node cosigned last; "
        "remove it only if you are sure that the block log beside it was never rolled back"
    )


def _encode(network_id: bytes, tree: SignedTree) -> bytes:
    content = encode([_FORMAT, _VERSION, network_id, tree.size, tree.root])
    return content + hashlib.sha256(content).digest()

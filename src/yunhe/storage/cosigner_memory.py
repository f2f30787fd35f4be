"""The cosigner's memory: the last tree that it signed, durable before the signature is made (LED-042).

A cosigner that forgets could sign two histories, and its cosignature would be worth nothing. So `advance` is called before every
signature: it refuses a tree that is smaller than, or inconsistent with, the last one, and returns only when size and root are on the disk.
The file is made with the store and replaced whole, never overwritten: after a crash the old or the new content is there, and anything else,
its absence too, is damage and refused. It is in no backup: an older memory would allow what it must prevent. So in a restored store it says
what the backup held, and which keys may have signed more (STO-018).

Specification: docs/spec/storage.md, "Cosigner's memory" (STO-015, STO-018).
"""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from yunhe.errors import CosignatureRefusedError, CosignerBarredError, CosignerMemoryDamagedError, InvalidInputError
from yunhe.ledger.codec import Value, as_array, as_bytes, as_hash, as_int, as_text, decode, encode
from yunhe.ledger.merkle import MerkleLog
from yunhe.storage import files

_FORMAT: Final = "yunhe-cosigner"
_RESTORED_FORMAT: Final = "yunhe-cosigner-restored"
_VERSION: Final = 1
_CHECKSUM_BYTES: Final = 32
_FILE_BYTES_MAX: Final = 4096


@dataclass(frozen=True, slots=True)
class SignedTree:
    """Size and root of a block log that was signed, or was about to be; of size 0 when nothing was."""

    size: int
    root: bytes


@dataclass(frozen=True, slots=True)
class Restored:
    """What is not known of a store that came out of a backup."""

    is_held: bool
    """Whether nobody has said yet that the ledger may go on from the backup: nothing is decided or signed."""
    is_met: bool
    """Whether the node's ledger key was barred, which its first start does."""
    barred: tuple[bytes, ...]
    """Public keys that may have signed another continuation of the log, and so sign none here."""


@dataclass(frozen=True, slots=True)
class Memory:
    """Content of the file."""

    last: SignedTree
    """The last tree that may have been signed, as far as it is known; the block log must begin with it."""
    restored: Restored | None = None
    """None where everything that was signed is known."""


class CosignerMemory:
    """The memory in its file. Not thread-safe: one cosigner owns it."""

    def __init__(self, path: Path, network_id: bytes, memory: Memory) -> None:
        self._path = path
        self._network_id = network_id
        self._memory = memory

    @classmethod
    def open(cls, path: Path, network_id: bytes) -> "CosignerMemory":
        """Read the memory.

        Raises:
            CosignerMemoryDamagedError: the file is missing, not what was written, or another network's.
        """
        return cls(path, network_id, read_memory(path, network_id))

    @property
    def last(self) -> SignedTree:
        """The last tree that may have been signed."""
        return self._memory.last

    @property
    def is_held(self) -> bool:
        """Whether nothing may be decided or signed (STO-018)."""
        return self._memory.restored is not None and self._memory.restored.is_held

    def meet(self, public_key: bytes) -> None:
        """Bar the ledger key that a restored node starts with first: it may have signed what is in no backup."""
        restored = self._memory.restored
        # STO-018
        if restored is not None and not restored.is_met:
            self._replace(replace(self._memory, restored=_with_barred(replace(restored, is_met=True), public_key)))

    def bar(self, public_key: bytes) -> None:
        """Bar another key that may have signed what is in no backup; where all that was signed is known, nothing changes."""
        if self._memory.restored is not None:
            self._replace(replace(self._memory, restored=_with_barred(self._memory.restored, public_key)))

    def advance(self, log: MerkleLog, size: int, public_key: bytes) -> None:
        """Remember the first `size` headers of the block log before they are signed with a key; durable on return.

        Raises:
            CosignatureRefusedError: it is smaller than, or inconsistent with, the last one. Do not sign.
            CosignerBarredError: the key may have signed another continuation. Do not sign.
            DiskFullError: no room. Do not sign.
            DiskFailedError: the system refused. Do not sign.
        """
        restored = self._memory.restored
        # STO-018
        if restored is not None and (restored.is_held or public_key in restored.barred):
            raise CosignerBarredError(
                "this node was restored from a backup, and nobody knows what its ledger key cosigned after it was made, so it cosigns "
                "nothing: what it cosigned would be worth nothing if there were two histories. Proofs that were made before stay valid"
            )
        # LED-042
        tree = SignedTree(size, log.root(size))
        _check_extends(self.last, log, size)
        if tree != self.last:
            self._replace(replace(self._memory, last=tree))

    def _replace(self, memory: Memory) -> None:
        write_memory(self._path, self._network_id, memory)
        self._memory = memory


def _with_barred(restored: Restored, public_key: bytes) -> Restored:
    return replace(restored, barred=tuple(sorted({*restored.barred, public_key})))


def _check_extends(last: SignedTree, log: MerkleLog, size: int) -> None:
    # LED-042
    if size < last.size:
        raise CosignatureRefusedError(
            f"this node cosigned a block log of {last.size} headers and this one has {size}: it was rolled back or restored; "
            "let the node catch up before it cosigns again"
        )
    if not log.is_extension_of(last.size, last.root):
        raise CosignatureRefusedError(
            f"this node cosigned another block log of {last.size} headers: there are two histories; find out which one the others hold"
        )


def write_memory(path: Path, network_id: bytes, memory: Memory) -> None:
    """Replace the file; durable on return."""
    fields: list[Value] = [_FORMAT, _VERSION, network_id, memory.last.size, memory.last.root]
    if memory.restored is not None:
        fields[0] = _RESTORED_FORMAT
        fields += [int(memory.restored.is_held), int(memory.restored.is_met), list(memory.restored.barred)]
    content = encode(fields)
    files.replace(path, content + hashlib.sha256(content).digest())


def read_memory(path: Path, network_id: bytes) -> Memory:
    """Read what was signed last.

    Raises:
        CosignerMemoryDamagedError: the file is missing, not what was written, or another network's.
    """
    # STO-015
    if not path.exists():
        raise CosignerMemoryDamagedError(_damaged(path, "is missing"))
    with files.opened_for_reading(path) as descriptor:
        data = files.read_at(descriptor, path, 0, _FILE_BYTES_MAX + 1)
    content, checksum = data[:-_CHECKSUM_BYTES], data[-_CHECKSUM_BYTES:]
    try:
        if hashlib.sha256(content).digest() != checksum:
            raise CosignerMemoryDamagedError(_damaged(path, "is not what was written"))
        network, memory = _decode(content)
    except InvalidInputError as error:
        raise CosignerMemoryDamagedError(_damaged(path, "is not what was written")) from error
    if network != network_id or memory is None:
        raise CosignerMemoryDamagedError(f"{path} is of another version or another network; put the right one back")
    return memory


def _decode(content: bytes) -> tuple[bytes, Memory | None]:
    """Return network and content; no content where the version is unknown."""
    fields = as_array(decode(content, _FILE_BYTES_MAX), "a cosigner's memory")
    name = as_text(fields[0] if fields else None, "format")
    parts = as_array(fields, "a cosigner's memory", 8 if name == _RESTORED_FORMAT else 5)
    network, last = as_hash(parts[2], "network id"), SignedTree(as_int(parts[3], "size"), as_hash(parts[4], "root"))
    if name not in (_FORMAT, _RESTORED_FORMAT) or as_int(parts[1], "version") != _VERSION:
        return network, None
    if name == _FORMAT:
        return network, Memory(last)
    barred = tuple(as_bytes(key, "a public key") for key in as_array(parts[7], "barred keys"))
    held, met = (bool(as_int(part, "a restored memory's state")) for part in parts[5:7])
    return network, Memory(last, Restored(held, met, barred))


def _damaged(path: Path, fault: str) -> str:
    return (
        f"{path} {fault}, so nobody can tell what this node cosigned last; put the file back, or restore the ledger from a backup with "
        "`yunhe node restore`, which says how to go on without it"
    )

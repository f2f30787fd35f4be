"""RFC 6962 Merkle trees over the chain hash: a block's transactions and receipts, and the block log.

`merkle_root` and `inclusion_path` work on a list; `MerkleLog` is the append-only tree of the block log, which answers for its present and
for every earlier size. Whoever does not trust this side checks paths with `yunhe.verifier`. Rules: COD-011, LED-040.
"""

from collections.abc import Callable, Iterable, Sequence

from yunhe.crypto import ChainHash
from yunhe.limits import HASH_BYTES

_native_root: Callable[[str, list[bytes]], bytes] | None
try:
    from yunhe_native import merkle_root as _native_root
except ImportError:  # elsewhere than Linux x86-64: the reference does it
    _native_root = None


def merkle_root(leaves: Sequence[bytes], chain_hash: ChainHash) -> bytes:
    """Return the root over leaf data; of no leaves it is the hash of nothing.

    *Cost*: two hashes for each leaf, in the native core where it is installed. *Source*: RFC 6962 §2.1.
    """
    if _native_root is not None:
        return _native_root(chain_hash.name, list(leaves))
    return MerkleLog(chain_hash, leaves).root()


def inclusion_path(leaves: Sequence[bytes], index: int, chain_hash: ChainHash) -> tuple[bytes, ...]:
    """Return the inclusion path of a leaf, from leaf to root; `index` is from 0 to len(leaves) - 1. *Source*: RFC 6962 §2.1.1."""
    return MerkleLog(chain_hash, leaves).inclusion_path(index)


def path_sides(index: int, size: int) -> int:
    """Return which hashes of an inclusion path stand on the left: bit i for the i-th from the leaf.

    A bundle carries this and not (index, size), which the root does not commit to: several pairs give the same path (PRF-013).
    """
    sides, height, last = 0, 0, size - 1
    while last:
        # A last node without a right sibling has no hash at this level; it is handed up unchanged.
        if index & 1 or index != last:
            sides |= (index & 1) << height
            height += 1
        index, last = index >> 1, last >> 1
    return sides


class MerkleLog:
    """Append-only RFC 6962 tree.

    Level k keeps the hashes of all complete subtrees of 2^k leaves, one after the other in one byte array: 64 bytes for each leaf in all,
    and no object for each. One thread appends; others may read meanwhile.
    """

    def __init__(self, chain_hash: ChainHash, leaves: Iterable[bytes] = ()) -> None:
        self._chain_hash = chain_hash
        self._levels: list[bytearray] = [bytearray()]
        for leaf in leaves:
            self.append(leaf)

    @property
    def chain_hash(self) -> ChainHash:
        """The hash of the tree."""
        return self._chain_hash

    @property
    def size(self) -> int:
        """Leaves in the tree."""
        return len(self._levels[0]) // HASH_BYTES

    def append(self, leaf: bytes) -> None:
        """Add leaf data at the end. *Cost*: two hashes on average."""
        nodes = [_leaf(self._chain_hash, leaf)]
        # A complete subtree that stands alone at its level joins with the new one into one of the next level.
        while len(nodes) <= len(self._levels) and len(hashes := self._levels[len(nodes) - 1]) // HASH_BYTES % 2:
            nodes.append(_join(self._chain_hash, bytes(hashes[-HASH_BYTES:]), nodes[-1]))
        if len(nodes) > len(self._levels):
            self._levels.append(bytearray())
        # Top down: the leaves say how large the tree is, so whoever reads meanwhile finds all that belongs to that size.
        for level in reversed(range(len(nodes))):
            self._levels[level] += nodes[level]

    def root(self, size: int | None = None) -> bytes:
        """Return the root of the first `size` leaves, by default of all.

        Raises:
            IndexError: there are not so many leaves.
        """
        size = self._checked(size)
        return self._subtree(0, size) if size else self._chain_hash.digest(b"")

    def frontier(self) -> "MerkleFrontier":
        """Return the end of this log, to follow further without changing the log."""
        end, subtrees = self.size, []
        while end:
            count = end & -end
            subtrees.append((count, self._subtree(end - count, end)))
            end -= count
        return MerkleFrontier(self._chain_hash, subtrees[::-1])

    def is_extension_of(self, size: int, root: bytes) -> bool:
        """Return whether this log begins with the `size` leaves that had `root` (LED-042)."""
        return size <= self.size and self.root(size) == root

    def inclusion_path(self, index: int, size: int | None = None) -> tuple[bytes, ...]:
        """Return the path, from leaf to root, of leaf `index` in the tree of the first `size` leaves, by default of all.

        Raises:
            IndexError: there is no such leaf, or there are not so many leaves.
        """
        size = self._checked(size)
        if not 0 <= index < size:
            raise IndexError(f"there is no leaf {index} in a tree of {size}")
        path: list[bytes] = []
        start, end = 0, size
        while end - start > 1:
            middle = start + _left_size(end - start)
            if index < middle:
                path.append(self._subtree(middle, end))
                end = middle
            else:
                path.append(self._subtree(start, middle))
                start = middle
        return tuple(reversed(path))

    def _checked(self, size: int | None) -> int:
        if size is None:
            return self.size
        if not 0 <= size <= self.size:
            raise IndexError(f"the log has {self.size} leaves, not {size}")
        return size

    def _subtree(self, start: int, end: int) -> bytes:
        """Return the hash over leaves start to end - 1; `start` is a multiple of the next power of two of their number."""
        count = end - start
        if count & (count - 1) == 0:
            level = count.bit_length() - 1
            offset = (start >> level) * HASH_BYTES
            return bytes(self._levels[level][offset : offset + HASH_BYTES])
        middle = start + _left_size(count)
        return _join(self._chain_hash, self._subtree(start, middle), self._subtree(middle, end))


class MerkleFrontier:
    """The complete subtrees that a log ends with: enough to add leaves and to say the root, not to prove."""

    __slots__ = ("_chain_hash", "_subtrees")

    def __init__(self, chain_hash: ChainHash, subtrees: list[tuple[int, bytes]]) -> None:
        self._chain_hash = chain_hash
        self._subtrees = subtrees
        """Number of leaves, a power of two, and hash of each, from the first leaf on; ever smaller."""

    def append(self, leaf: bytes) -> None:
        """Add leaf data at the end."""
        count, node = 1, _leaf(self._chain_hash, leaf)
        while self._subtrees and self._subtrees[-1][0] == count:
            node = _join(self._chain_hash, self._subtrees.pop()[1], node)
            count *= 2
        self._subtrees.append((count, node))

    def root(self) -> bytes:
        """Return the root."""
        if not self._subtrees:
            return self._chain_hash.digest(b"")
        node = self._subtrees[-1][1]
        for _, left in reversed(self._subtrees[:-1]):
            node = _join(self._chain_hash, left, node)
        return node


def _leaf(chain_hash: ChainHash, data: bytes) -> bytes:
    return chain_hash.digest(b"\x00" + data)


def _join(chain_hash: ChainHash, left: bytes, right: bytes) -> bytes:
    return chain_hash.digest(b"\x01" + left + right)


def _left_size(count: int) -> int:
    """Return the largest power of two below `count`, which is at least 2: the leaves of the left subtree."""
    return 1 << (count - 1).bit_length() - 1

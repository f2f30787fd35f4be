"""Readable reference of the state tree (LED-030): root, and proofs of presence and absence.

It computes everything from the whole set of records, which is what makes it easy to read and to trust; the native core keeps the same tree
incrementally and is held equal to it by tests. It stores nothing. Specification: docs/spec/ledger.md, "State tree"; docs/spec/proofs.md.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from yunhe import verifier
from yunhe.crypto import ChainHash
from yunhe.crypto.hashes import TAG_STATE_KEY, TAG_STATE_VALUE
from yunhe.errors import ProofError
from yunhe.limits import HASH_BYTES, TREE_DEPTH

EMPTY: Final = bytes(HASH_BYTES)
"""Root of a tree, and hash of a subtree, without records."""

_Leaf = tuple[bytes, bytes]


@dataclass(frozen=True, slots=True)
class StateProof:
    """What leads from the place of a path to the root."""

    bitmap: bytes
    """32 bytes; bit i, most significant first, is set when level i has a sibling that is not empty."""
    siblings: tuple[bytes, ...]
    """These siblings, root first."""
    other: tuple[bytes, bytes] | None
    """For an absence: (path, value hash) of the leaf that stands in the place; None when the place is empty. None for a presence."""


def state_path(key: bytes, chain_hash: ChainHash) -> bytes:
    """Return the path of a state key in the tree; 32 bytes."""
    return chain_hash.tagged(TAG_STATE_KEY, key)


def state_value_hash(record: bytes, chain_hash: ChainHash) -> bytes:
    """Return the hash of an encoded record; 32 bytes."""
    return chain_hash.tagged(TAG_STATE_VALUE, record)


def leaf_hash(path: bytes, value_hash: bytes, chain_hash: ChainHash) -> bytes:
    """Return the hash of a leaf (COD-012); 32 bytes."""
    return chain_hash.digest(b"\x02" + path + value_hash)


def state_root(records: Mapping[bytes, bytes], chain_hash: ChainHash) -> bytes:
    """Return the root of a state: state key to encoded record. The order of the mapping does not matter."""
    # LED-030
    return _root(_leaves(records, chain_hash), 0, chain_hash)


def prove(records: Mapping[bytes, bytes], key: bytes, chain_hash: ChainHash) -> StateProof:
    """Prove that a state has the record of a key, or that it has none."""
    leaves: Sequence[_Leaf] = _leaves(records, chain_hash)
    path = state_path(key, chain_hash)
    bits, siblings, depth = 0, [], 0
    while len(leaves) > 1:
        left, right = _split(leaves, depth)
        leaves, others = (right, left) if _bit(path, depth) else (left, right)
        if others:
            bits |= 1 << TREE_DEPTH - 1 - depth
            siblings.append(_root(others, depth + 1, chain_hash))
        depth += 1
    other = leaves[0] if leaves and leaves[0][0] != path else None
    return StateProof(bits.to_bytes(TREE_DEPTH // 8, "big"), tuple(siblings), other)


def root_from_proof(key: bytes, record: bytes | None, proof: StateProof, chain_hash: ChainHash) -> bytes:
    """Return the root that a proof leads to, given the record of `key`, or None for its absence.

    Raises:
        ProofError: the proof is not in its one form, or its other leaf does not stand where the record would be (PRF-014).
    """
    path = state_path(key, chain_hash)
    place = EMPTY
    if record is not None:
        place = leaf_hash(path, state_value_hash(record, chain_hash), chain_hash)
    elif proof.other is not None:
        apart = int.from_bytes(path, "big") ^ int.from_bytes(proof.other[0], "big")
        depth = len(f"{int.from_bytes(proof.bitmap, 'big'):0{TREE_DEPTH}b}".rstrip("0"))
        # PRF-014
        if apart == 0 or TREE_DEPTH - apart.bit_length() < depth:
            raise ProofError("PRF-014: the other leaf does not stand where the record would be")
        place = leaf_hash(*proof.other, chain_hash)
    try:
        return verifier.root_from_siblings(place, path, [proof.bitmap, list(proof.siblings)], chain_hash.name)
    except verifier.VerificationError as error:
        raise ProofError(str(error)) from error


def _leaves(records: Mapping[bytes, bytes], chain_hash: ChainHash) -> list[_Leaf]:
    return sorted((state_path(key, chain_hash), state_value_hash(record, chain_hash)) for key, record in records.items())


def _root(leaves: Sequence[_Leaf], depth: int, chain_hash: ChainHash) -> bytes:
    """Return root(S, d) of LED-030 for leaves in order of path."""
    if not leaves:
        return EMPTY
    if len(leaves) == 1:
        return leaf_hash(*leaves[0], chain_hash)
    left, right = _split(leaves, depth)
    return chain_hash.digest(b"\x03" + _root(left, depth + 1, chain_hash) + _root(right, depth + 1, chain_hash))


def _split(leaves: Sequence[_Leaf], depth: int) -> tuple[Sequence[_Leaf], Sequence[_Leaf]]:
    middle = bisect_left(leaves, 1, key=lambda leaf: _bit(leaf[0], depth))
    return leaves[:middle], leaves[middle:]


def _bit(path: bytes, depth: int) -> int:
    return path[depth // 8] >> 7 - depth % 8 & 1

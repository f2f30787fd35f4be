//! Pages of the state tree: four binary levels of it, or a few leaves.
//!
//! The tree's hash (LED-030) is binary and knows no pages. What is stored is coarser, so that a change rewrites few rows: the part
//! of the tree below a prefix is a `Bucket` with all its leaves while these are at most `BUCKET_LEAVES_MAX`, and above that a
//! `Branch` with sixteen slots, one for each next nibble. Which of the two follows from the number of leaves alone, so the stored
//! pages depend on the records only, like the root, and `verify` can demand them to the byte.

use super::error::StateError;
use super::hashing::{EMPTY, TreeHasher};
use super::prefix::{PATH_BITS, Prefix, bit};
use crate::hash::Digest;

/// Leaves of a bucket; with one more it is a branch. Measured in ADR 0003.
pub const BUCKET_LEAVES_MAX: usize = 32;

/// Slots of a branch.
pub const SLOTS: usize = 16;

/// What a part of the tree amounts to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subtree {
    /// Records in it.
    pub count: u64,
    /// Its root (LED-030).
    pub hash: Digest,
}

impl Subtree {
    /// No records.
    pub const EMPTY: Self = Self { count: 0, hash: EMPTY };

    /// The subtree over two halves: a single record's hash is its leaf hash at whatever depth (LED-030).
    pub fn join(hasher: TreeHasher, left: &Self, right: &Self) -> Self {
        match (left.count, right.count) {
            (0, 0) => Self::EMPTY,
            (1, 0) => *left,
            (0, 1) => *right,
            _ => Self { count: left.count.saturating_add(right.count), hash: hasher.node(&left.hash, &right.hash) },
        }
    }

    /// The subtree over neighbouring slots, of which there are a power of two.
    pub fn fold(hasher: TreeHasher, slots: &[Self]) -> Self {
        match slots {
            [] => Self::EMPTY,
            [one] => *one,
            _ => {
                let (left, right) = slots.split_at(slots.len() / 2);
                Self::join(hasher, &Self::fold(hasher, left), &Self::fold(hasher, right))
            }
        }
    }
}

/// A record as the tree sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// Hash of the state key.
    pub path: Digest,
    /// Hash of the value.
    pub value_hash: Digest,
    /// Hash of both. It is not stored, but kept while the leaf is in memory: its neighbours change more often than it does.
    pub hash: Digest,
}

impl Leaf {
    /// The leaf of a record.
    pub fn new(hasher: TreeHasher, path: Digest, value_hash: Digest) -> Self {
        Self { path, value_hash, hash: hasher.leaf(&path, &value_hash) }
    }

    /// The subtree that holds only this leaf.
    pub fn subtree(&self) -> Subtree {
        Subtree { count: 1, hash: self.hash }
    }
}

/// The subtree of leaves that are sorted by path and share their first `depth` bits.
pub fn fold_leaves(hasher: TreeHasher, leaves: &[Leaf], depth: usize) -> Subtree {
    match leaves {
        [] => Subtree::EMPTY,
        [one] => one.subtree(),
        // Only a damaged page has leaves that no bit tells apart: no tree has the hash that follows from this.
        _ if depth == PATH_BITS => Subtree { count: leaves.len() as u64, hash: EMPTY },
        _ => {
            let (left, right) = split_at_bit(leaves, depth);
            Subtree::join(hasher, &fold_leaves(hasher, left, depth + 1), &fold_leaves(hasher, right, depth + 1))
        }
    }
}

/// Sorted leaves that share their first `depth` bits, parted by the next one.
pub fn split_at_bit(leaves: &[Leaf], depth: usize) -> (&[Leaf], &[Leaf]) {
    leaves.split_at(leaves.partition_point(|leaf| !bit(&leaf.path, depth)))
}

/// A stored part of the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Page {
    /// Sixteen subtrees, by next nibble; each that is not empty has a page of its own.
    Branch(Box<[Subtree; SLOTS]>),
    /// All leaves below the prefix, ascending by path, at least one.
    Bucket(Vec<Leaf>),
}

const TAG_BRANCH: u8 = 1;
const TAG_BUCKET: u8 = 2;

impl Page {
    /// What the page at `prefix` amounts to.
    pub fn subtree(&self, hasher: TreeHasher, prefix: &Prefix) -> Subtree {
        match self {
            Self::Branch(slots) => Subtree::fold(hasher, slots.as_slice()),
            Self::Bucket(leaves) => fold_leaves(hasher, leaves, prefix.bits()),
        }
    }

    /// Memory that the page's contents take.
    pub fn held_bytes(&self) -> usize {
        match self {
            Self::Branch(_) => size_of::<[Subtree; SLOTS]>(),
            Self::Bucket(leaves) => leaves.capacity() * size_of::<Leaf>(),
        }
    }

    /// Bytes that are stored.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Branch(slots) => {
                let mut out = Vec::with_capacity(1 + 2 + SLOTS * 36);
                out.push(TAG_BRANCH);
                let mask = slots.iter().enumerate().fold(0_u16, |mask, (slot, part)| mask | u16::from(part.count > 0) << slot);
                out.extend_from_slice(&mask.to_be_bytes());
                for part in slots.iter().filter(|part| part.count > 0) {
                    write_subtree(&mut out, part);
                }
                out
            }
            Self::Bucket(leaves) => {
                let mut out = Vec::with_capacity(1 + leaves.len() * 64);
                out.push(TAG_BUCKET);
                for leaf in leaves {
                    out.extend_from_slice(&leaf.path);
                    out.extend_from_slice(&leaf.value_hash);
                }
                out
            }
        }
    }

    /// Read a page that `encode` wrote.
    pub fn decode(hasher: TreeHasher, bytes: &[u8]) -> Result<Self, StateError> {
        Self::read(hasher, bytes).ok_or_else(|| StateError::corrupt("a page of the tree cannot be read"))
    }

    fn read(hasher: TreeHasher, bytes: &[u8]) -> Option<Self> {
        match bytes.split_first()? {
            (&TAG_BRANCH, rest) => {
                let (mask, mut rest) = rest.split_first_chunk::<2>()?;
                let mask = u16::from_be_bytes(*mask);
                let mut slots = Box::new([Subtree::EMPTY; SLOTS]);
                for (slot, part) in slots.iter_mut().enumerate() {
                    if mask >> slot & 1 == 1 {
                        (*part, rest) = read_subtree(rest)?;
                    }
                }
                rest.is_empty().then_some(Self::Branch(slots))
            }
            (&TAG_BUCKET, rest) => {
                let (pairs, rest) = rest.as_chunks::<64>();
                let leaves = pairs.iter().map(|pair| leaf_of(hasher, pair)).collect::<Option<Vec<_>>>()?;
                (rest.is_empty() && !leaves.is_empty()).then_some(Self::Bucket(leaves))
            }
            _ => None,
        }
    }
}

fn leaf_of(hasher: TreeHasher, pair: &[u8; 64]) -> Option<Leaf> {
    let (path, value_hash) = pair.split_first_chunk::<32>()?;
    Some(Leaf::new(hasher, *path, *value_hash.first_chunk::<32>()?))
}

/// Append a subtree that is not empty: its count, seven bits a byte, least first, then its hash.
pub fn write_subtree(out: &mut Vec<u8>, part: &Subtree) {
    write_number(out, part.count);
    out.extend_from_slice(&part.hash);
}

/// Read what `write_subtree` wrote.
pub fn read_subtree(bytes: &[u8]) -> Option<(Subtree, &[u8])> {
    let (count, rest) = read_number(bytes)?;
    let (hash, rest) = rest.split_first_chunk::<32>()?;
    (count > 0).then_some((Subtree { count, hash: *hash }, rest))
}

/// Append a number, seven bits a byte, least first.
pub fn write_number(out: &mut Vec<u8>, mut number: u64) {
    loop {
        let [low, ..] = (number & 0x7F).to_le_bytes();
        number >>= 7;
        if number == 0 {
            out.push(low);
            return;
        }
        out.push(low | 0x80);
    }
}

/// Read what `write_number` wrote; None if it is cut short, over 63 bits or not the shortest form.
pub fn read_number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut number = 0_u64;
    for (index, &byte) in bytes.iter().enumerate().take(9) {
        number |= u64::from(byte & 0x7F) << (7 * index);
        if byte & 0x80 == 0 {
            return (byte != 0 || index == 0).then_some((number, &bytes[index + 1..]));
        }
    }
    None
}

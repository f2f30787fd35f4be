//! Hashes of lists: the Merkle trees of RFC 6962 §2.1 (docs/spec/encoding.md, COD-011).
//!
//! The tree is built level by level: pairs are joined from the left, and a last node without a partner goes up as it is. That is the
//! tree which the RFC defines from the top, by splitting at the largest power of two below the size.

use std::fmt;

use crate::hash::{ChainHash, Digest};

/// An index at or beyond the number of leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoSuchLeaf {
    /// The index.
    pub index: usize,
    /// Leaves of the tree.
    pub size: usize,
}

impl fmt::Display for NoSuchLeaf {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "COD-011: there is no leaf {} in a tree of {}", self.index, self.size)
    }
}

impl std::error::Error for NoSuchLeaf {}

/// Returns the root over leaf data; `H("")` for no leaves.
pub fn root<L: AsRef<[u8]>>(hash: ChainHash, leaves: &[L]) -> Digest {
    let mut level = leaf_hashes(hash, leaves);
    while level.len() > 1 {
        join(hash, &mut level);
    }
    level.pop().unwrap_or_else(|| hash.digest(&[]))
}

/// Returns the inclusion path of a leaf, from the leaf to the root.
pub fn path<L: AsRef<[u8]>>(hash: ChainHash, leaves: &[L], index: usize) -> Result<Vec<Digest>, NoSuchLeaf> {
    // COD-011
    if index >= leaves.len() {
        return Err(NoSuchLeaf { index, size: leaves.len() });
    }
    let mut level = leaf_hashes(hash, leaves);
    let mut node = index;
    let mut path = Vec::new();
    while level.len() > 1 {
        path.extend(level.get(node ^ 1));
        join(hash, &mut level);
        node >>= 1;
    }
    Ok(path)
}

fn leaf_hashes<L: AsRef<[u8]>>(hash: ChainHash, leaves: &[L]) -> Vec<Digest> {
    leaves.iter().map(|leaf| hash.digest(&[&[0x00], leaf.as_ref()])).collect()
}

/// Replaces a level by the one above it.
fn join(hash: ChainHash, level: &mut Vec<Digest>) {
    let pairs = level.len() / 2;
    for index in 0..pairs {
        level[index] = hash.digest(&[&[0x01], &level[2 * index], &level[2 * index + 1]]);
    }
    if level.len() % 2 == 1 {
        level.swap(pairs, 2 * pairs);
    }
    level.truncate(level.len().div_ceil(2));
}

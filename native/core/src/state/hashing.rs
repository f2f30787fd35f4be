//! The hashes of the state tree (LED-030, COD-010, COD-012).

use sha2::{Digest as _, Sha256};

/// A 32-byte hash, or a path in the tree.
pub type Digest = [u8; 32];

/// Root of no records.
pub const EMPTY: Digest = [0; 32];

/// The chain hash as the tree uses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TreeHasher;

impl TreeHasher {
    /// Path of a record: tagged hash of its state key.
    pub fn path(self, key: &[u8]) -> Digest {
        tagged(b"yunhe/state-key/1\0", key)
    }

    /// Value hash of a record: tagged hash of its value.
    pub fn value(self, value: &[u8]) -> Digest {
        tagged(b"yunhe/state-value/1\0", value)
    }

    /// Hash of a subtree with one record.
    pub fn leaf(self, path: &Digest, value_hash: &Digest) -> Digest {
        pair(0x02, path, value_hash)
    }

    /// Hash of a subtree with two records or more.
    pub fn node(self, left: &Digest, right: &Digest) -> Digest {
        pair(0x03, left, right)
    }
}

fn tagged(tag: &[u8], data: &[u8]) -> Digest {
    let mut state = Sha256::new();
    state.update(tag);
    state.update(data);
    state.finalize().into()
}

fn pair(prefix: u8, first: &Digest, second: &Digest) -> Digest {
    let mut block = [prefix; 65];
    block[1..33].copy_from_slice(first);
    block[33..].copy_from_slice(second);
    Sha256::digest(block).into()
}

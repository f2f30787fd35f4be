//! The hashes of the state tree (LED-030, COD-010, COD-012).

use sha2::block_api::compress256;

use crate::hash::{ChainHash, Digest};

/// Root of no records.
pub const EMPTY: Digest = [0; 32];

/// The chain hash as the tree uses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TreeHasher(ChainHash);

impl TreeHasher {
    /// The tree's hashes with this chain hash.
    pub fn new(chain_hash: ChainHash) -> Self {
        Self(chain_hash)
    }

    /// Name of the chain hash in genesis.
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// Path of a record: tagged hash of its state key.
    pub fn path(self, key: &[u8]) -> Digest {
        self.0.tagged(b"yunhe/state-key/1", key)
    }

    /// Value hash of a record: tagged hash of its value.
    pub fn value(self, value: &[u8]) -> Digest {
        self.0.tagged(b"yunhe/state-value/1", value)
    }

    /// Hash of a subtree with one record.
    pub fn leaf(self, path: &Digest, value_hash: &Digest) -> Digest {
        self.pair(0x02, path, value_hash)
    }

    /// Hash of a subtree with two records or more.
    pub fn node(self, left: &Digest, right: &Digest) -> Digest {
        self.pair(0x03, left, right)
    }

    fn pair(self, prefix: u8, first: &Digest, second: &Digest) -> Digest {
        match self.0 {
            ChainHash::Sha256 => sha256_pair(prefix, first, second),
            hash @ ChainHash::Sm3 => hash.digest(&[&[prefix], first, second]),
        }
    }
}

/// SHA-256 of `prefix ‖ first ‖ second`, which is 65 bytes: two blocks, the padding known beforehand.
///
/// Most of a block's hashes are these. Without the buffer of the general interface they take two thirds of the time.
fn sha256_pair(prefix: u8, first: &Digest, second: &Digest) -> Digest {
    const INITIAL: [u32; 8] = [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];
    const MESSAGE_BITS: u16 = 65 * 8;
    let mut blocks = [[0_u8; 64]; 2];
    let [head, tail] = &mut blocks;
    head[0] = prefix;
    head[1..33].copy_from_slice(first);
    head[33..].copy_from_slice(&second[..31]);
    tail[0] = second[31];
    tail[1] = 0x80;
    tail[62..].copy_from_slice(&MESSAGE_BITS.to_be_bytes());
    let mut state = INITIAL;
    compress256(&mut state, &blocks);
    let mut digest = [0; 32];
    for (bytes, word) in digest.chunks_exact_mut(4).zip(state) {
        bytes.copy_from_slice(&word.to_be_bytes());
    }
    digest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pair_of_any_bytes_is_the_hash_of_their_concatenation() {
        let mut first = [0x5A; 32];
        let mut second = [0xC3; 32];
        for round in 0..=255_u8 {
            let expected = ChainHash::Sha256.digest(&[&[round], &first, &second]);
            assert_eq!(sha256_pair(round, &first, &second), expected);
            second = first;
            first = expected;
        }
    }
}

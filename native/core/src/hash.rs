//! The chain hash: one per ledger, fixed in its genesis (docs/spec/encoding.md, COD-010).
//!
//! A further hash is a further variant of [`ChainHash`]; every other module takes the hash as an argument.

use std::fmt;

use sha2::{Digest as _, Sha256};
use sm3::Sm3;

/// A hash, 32 bytes with every chain hash.
pub type Digest = [u8; 32];

/// A hash function by its registered name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChainHash {
    /// FIPS 180-4; uses the processor's SHA instructions when it has them.
    Sha256,
    /// GB/T 32905.
    Sm3,
}

/// A name that this version has no hash for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownHash(pub String);

impl fmt::Display for UnknownHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the chain hash {:?} is unknown; this version knows {}", self.0, ChainHash::ALL.map(ChainHash::name).join(", "))
    }
}

impl std::error::Error for UnknownHash {}

impl ChainHash {
    /// All chain hashes.
    pub const ALL: [Self; 2] = [Self::Sha256, Self::Sm3];

    /// Finds a hash by its name in the genesis.
    pub fn by_name(name: &str) -> Result<Self, UnknownHash> {
        Self::ALL.into_iter().find(|hash| hash.name() == name).ok_or_else(|| UnknownHash(name.to_owned()))
    }

    /// Name in the genesis.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sm3 => "sm3",
        }
    }

    /// Hashes the concatenation of `parts`.
    pub fn digest(self, parts: &[&[u8]]) -> Digest {
        match self {
            Self::Sha256 => parts.iter().fold(Sha256::new(), Sha256::chain_update).finalize().into(),
            Self::Sm3 => parts.iter().fold(Sm3::new(), Sm3::chain_update).finalize().into(),
        }
    }

    /// Hashes `tag ‖ 0x00 ‖ data` (COD-010).
    pub fn tagged(self, tag: &[u8], data: &[u8]) -> Digest {
        self.digest(&[tag, &[0], data])
    }
}

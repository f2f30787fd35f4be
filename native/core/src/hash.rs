//! The chain hash: one per ledger, fixed in its genesis (docs/spec/encoding.md, COD-010).
//!
//! A further hash (SM3) is a further variant of [`ChainHash`]; every other module takes the hash as an argument.

use std::fmt;

use sha2::{Digest as _, Sha256};

/// A hash, 32 bytes with every chain hash.
pub type Digest = [u8; 32];

/// A hash function by its registered name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChainHash {
    /// FIPS 180-4; uses the processor's SHA instructions when it has them.
    Sha256,
}

/// A name that this version has no hash for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownHash(pub String);

impl fmt::Display for UnknownHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the chain hash {:?} is unknown; this version knows sha256", self.0)
    }
}

impl std::error::Error for UnknownHash {}

impl ChainHash {
    /// Finds a hash by its name in the genesis.
    pub fn by_name(name: &str) -> Result<Self, UnknownHash> {
        match name {
            "sha256" => Ok(Self::Sha256),
            _ => Err(UnknownHash(name.to_owned())),
        }
    }

    /// Hashes the concatenation of `parts`.
    pub fn digest(self, parts: &[&[u8]]) -> Digest {
        match self {
            Self::Sha256 => {
                let mut state = Sha256::new();
                for part in parts {
                    state.update(part);
                }
                state.finalize().into()
            }
        }
    }

    /// Hashes `tag ‖ 0x00 ‖ data` (COD-010).
    pub fn tagged(self, tag: &[u8], data: &[u8]) -> Digest {
        self.digest(&[tag, &[0], data])
    }
}

//! Signatures of any suites, decided in one call on all cores (docs/spec/encoding.md, "Signatures").
//!
//! A further suite is a further variant of [`Suite`] and a module that decides a share of its items; each share is of one suite, so a call
//! may mix them as it likes.

mod ed25519;
pub mod sm2;

use rayon::prelude::*;

/// A signature suite of this version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suite {
    /// Ed25519 by ZIP-215 (COD-021).
    Ed25519Sha256,
    /// SM2 with SM3 (COD-022).
    Sm2Sm3,
}

impl Suite {
    /// All suites.
    pub const ALL: [Self; 2] = [Self::Ed25519Sha256, Self::Sm2Sm3];

    /// Finds a suite by its registered name.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|suite| suite.name() == name)
    }

    /// Registered name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ed25519Sha256 => "ed25519-sha256",
            Self::Sm2Sm3 => "sm2-sm3",
        }
    }

    /// Items of a share when there are so many: fewer do not pay for waking another core, and more gain nothing.
    fn share_of(self, items: usize) -> usize {
        let (fewest, most) = match self {
            Self::Ed25519Sha256 => (32, 256),
            Self::Sm2Sm3 => (8, 64),
        };
        // Asking for the number of threads starts them.
        if items <= fewest { fewest } else { items.div_ceil(rayon::current_num_threads()).clamp(fewest, most) }
    }

    /// Returns the positions, ascending, of the items of one share that are not valid.
    pub fn invalid(self, share: &[Item<'_>]) -> Vec<usize> {
        match self {
            Self::Ed25519Sha256 => ed25519::invalid(share),
            Self::Sm2Sm3 => sm2::invalid(share),
        }
    }
}

/// A signature to decide.
#[derive(Clone, Copy, Debug)]
pub struct Item<'a> {
    /// The suite that it names; None when this version knows none of that name, so that it is not valid.
    pub suite: Option<Suite>,
    /// Public key in the suite's encoding, if it is one.
    pub public_key: &'a [u8],
    /// Signed message.
    pub message: &'a [u8],
    /// Signature in the suite's encoding, if it is one.
    pub signature: &'a [u8],
}

impl Item<'_> {
    /// Decides this item alone; wrong lengths are simply not valid.
    pub fn is_valid(&self) -> bool {
        self.suite.is_some_and(|suite| suite.invalid(&[*self]).is_empty())
    }
}

/// Returns the indices of the items that are not valid, ascending. Decides each exactly as [`Item::is_valid`] does, on all cores.
///
/// The threads belong to the process: a child that it forks, without starting another program, must not call this.
pub fn invalid(items: &[Item<'_>]) -> Vec<usize> {
    let of_suite = |suite| items.iter().enumerate().filter(move |(_, item)| item.suite == suite).map(|(index, _)| index);
    let mut invalid: Vec<usize> = of_suite(None).collect();
    let mut shares: Vec<(Suite, Vec<usize>)> = Vec::new();
    for suite in Suite::ALL {
        let indices: Vec<usize> = of_suite(Some(suite)).collect();
        let share = suite.share_of(indices.len());
        shares.extend(indices.chunks(share).map(|indices| (suite, indices.to_vec())));
    }
    let decide = |(suite, indices): &(Suite, Vec<usize>)| -> Vec<usize> {
        let share: Vec<Item<'_>> = indices.iter().map(|index| items[*index]).collect();
        suite.invalid(&share).into_iter().map(|position| indices[position]).collect()
    };
    if shares.len() <= 1 {
        invalid.extend(shares.iter().flat_map(decide));
    } else {
        invalid.par_extend(shares.par_iter().flat_map_iter(decide));
    }
    invalid.sort_unstable();
    invalid
}

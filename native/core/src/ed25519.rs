//! Suite `ed25519-sha256`: Ed25519 decided by ZIP-215, singly and in batches alike (docs/spec/encoding.md, COD-021).
//!
//! A batch is one random linear combination of its items' equations, so it costs well under half of the single checks. Under ZIP-215,
//! whose equation has the cofactor in it, a batch of valid items always holds, and one with an invalid item fails but for a chance of
//! 2⁻¹²⁸; then its items are checked singly. Only verification is here: keys and signatures are made in Python.

use chacha20::ChaCha12Rng;
use ed25519_zebra::{Signature, VerificationKey, VerificationKeyBytes, batch};
use rand_core::SeedableRng as _;
use rayon::prelude::*;

/// Items of one combination: more of them gain nothing, and one bad item costs this many single checks.
const BATCH_ITEMS: usize = 256;
/// Items for which it pays to wake another core.
const SHARE_ITEMS: usize = 32;
/// Fewest items for which a combination is cheaper than single checks.
const COMBINED_ITEMS: usize = 4;

/// A signature to decide.
#[derive(Clone, Copy, Debug)]
pub struct Item<'a> {
    /// Public key, 32 bytes if it is one.
    pub public_key: &'a [u8],
    /// Signed message.
    pub message: &'a [u8],
    /// Signature, 64 bytes if it is one.
    pub signature: &'a [u8],
}

impl Item<'_> {
    /// Decides this item alone; wrong lengths are simply not valid.
    pub fn is_valid(&self) -> bool {
        self.parts()
            .is_some_and(|(key, signature)| VerificationKey::try_from(key).is_ok_and(|key| key.verify(&signature, self.message).is_ok()))
    }

    // COD-021: the lengths; everything else of the rule is in `ed25519_zebra`.
    fn parts(&self) -> Option<(VerificationKeyBytes, Signature)> {
        let key = <[u8; 32]>::try_from(self.public_key).ok()?;
        let signature = <[u8; 64]>::try_from(self.signature).ok()?;
        Some((VerificationKeyBytes::from(key), Signature::from_bytes(&signature)))
    }
}

/// Returns the indices of the items that are not valid, ascending. Decides each exactly as [`Item::is_valid`] does, on all cores.
///
/// The threads belong to the process: a child that it forks, without starting another program, must not call this.
pub fn invalid(items: &[Item<'_>]) -> Vec<usize> {
    if items.len() <= SHARE_ITEMS {
        return invalid_of_share(items, 0);
    }
    let share = items.len().div_ceil(rayon::current_num_threads()).clamp(SHARE_ITEMS, BATCH_ITEMS);
    items.par_chunks(share).enumerate().flat_map_iter(|(number, items)| invalid_of_share(items, number * share)).collect()
}

/// Returns the indices, counted from `first`, of the items of one share that are not valid.
fn invalid_of_share(items: &[Item<'_>], first: usize) -> Vec<usize> {
    if items.len() >= COMBINED_ITEMS && all_valid(items) {
        return Vec::new();
    }
    items.iter().enumerate().filter(|(_, item)| !item.is_valid()).map(|(offset, _)| first + offset).collect()
}

/// Decides whether all items are valid. `false` may also mean that this could not be found out.
fn all_valid(items: &[Item<'_>]) -> bool {
    let mut batch = batch::Verifier::new();
    for item in items {
        let Some((key, signature)) = item.parts() else { return false };
        batch.queue((key, signature, item.message));
    }
    // The factors must be unknown to whoever chose the signatures, or bad ones could be made to cancel out.
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).is_ok() && batch.verify(ChaCha12Rng::from_seed(seed)).is_ok()
}

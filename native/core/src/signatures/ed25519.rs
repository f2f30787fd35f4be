//! Suite `ed25519-sha256`: Ed25519 decided by ZIP-215, singly and in batches alike (docs/spec/encoding.md, COD-021).
//!
//! A batch is one random linear combination of its items' equations, so it costs well under half of the single checks. Under ZIP-215,
//! whose equation has the cofactor in it, a batch of valid items always holds, and one with an invalid item fails but for a chance of
//! 2⁻¹²⁸; then its items are checked singly. Only verification is here: keys and signatures are made in Python.

use chacha20::ChaCha12Rng;
use ed25519_zebra::{Signature, VerificationKey, VerificationKeyBytes, batch};
use rand_core::SeedableRng as _;

use super::Item;

/// Fewest items for which a combination is cheaper than single checks.
const COMBINED_ITEMS: usize = 4;

/// Returns the positions of the items that are not valid, ascending.
pub fn invalid(items: &[Item<'_>]) -> Vec<usize> {
    if items.len() >= COMBINED_ITEMS && all_valid(items) {
        return Vec::new();
    }
    items.iter().enumerate().filter(|(_, item)| !is_valid(item)).map(|(position, _)| position).collect()
}

fn is_valid(item: &Item<'_>) -> bool {
    parts(item).is_some_and(|(key, signature)| VerificationKey::try_from(key).is_ok_and(|key| key.verify(&signature, item.message).is_ok()))
}

// COD-021: the lengths; everything else of the rule is in `ed25519_zebra`.
fn parts(item: &Item<'_>) -> Option<(VerificationKeyBytes, Signature)> {
    let key = <[u8; 32]>::try_from(item.public_key).ok()?;
    let signature = <[u8; 64]>::try_from(item.signature).ok()?;
    Some((VerificationKeyBytes::from(key), Signature::from_bytes(&signature)))
}

/// Decides whether all items are valid. `false` may also mean that this could not be found out.
fn all_valid(items: &[Item<'_>]) -> bool {
    let mut batch = batch::Verifier::new();
    for item in items {
        let Some((key, signature)) = parts(item) else { return false };
        batch.queue((key, signature, item.message));
    }
    // The factors must be unknown to whoever chose the signatures, or bad ones could be made to cancel out.
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).is_ok() && batch.verify(ChaCha12Rng::from_seed(seed)).is_ok()
}

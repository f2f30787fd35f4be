//! What one SM2 verification takes: the core's, alone and in shares, beside the crate `sm2`'s own and `efficient-sm2`'s.
//!
//!     cargo run --release --manifest-path native/Cargo.toml -p yunhe-core --example sm2_verification
//!
//! All take their turn in every round, so that a busy machine slows them alike; read the ratios.

use std::error::Error;
use std::time::Instant;

use sm2::dsa::signature::Verifier as _;
use sm2::dsa::{Signature, VerifyingKey};
use yunhe_core::signatures::sm2::SIGNER_ID;
use yunhe_core::signatures::{Item, Suite};
use yunhe_core::sm2_keys::PrivateKey;

const ROUNDS: usize = 8;
const ITEMS: usize = 256;
const SHARE: usize = 64;
const MESSAGE: &[u8] = &[7; 57];

type Sample = ([u8; 65], [u8; 64]);

fn main() -> Result<(), Box<dyn Error>> {
    let mut samples: Vec<Sample> = Vec::new();
    for _ in 0..ITEMS {
        let key = PrivateKey::generate()?;
        samples.push((key.public_key(), key.sign(MESSAGE)?));
    }
    let items: Vec<Item<'_>> =
        samples.iter().map(|(key, signature)| Item { suite: Some(Suite::Sm2Sm3), public_key: key, message: MESSAGE, signature }).collect();
    let ways: [(&str, &dyn Fn() -> bool); 4] = [
        ("yunhe-core, one by one", &|| items.iter().all(Item::is_valid)),
        ("yunhe-core, in shares", &|| items.chunks(SHARE).all(|share| Suite::Sm2Sm3.invalid(share).is_empty())),
        ("sm2", &|| samples.iter().all(|sample| by_sm2(sample).unwrap_or(false))),
        ("efficient-sm2", &|| samples.iter().all(by_efficient_sm2)),
    ];
    let mut best = [f64::MAX; 4];
    for _ in 0..ROUNDS {
        for ((name, verify), best) in ways.iter().zip(&mut best) {
            let begun = Instant::now();
            if !verify() {
                return Err(format!("{name} refused an honest signature").into());
            }
            *best = best.min(begun.elapsed().as_secs_f64() / 256.0);
        }
    }
    for ((name, _), seconds) in ways.iter().zip(best) {
        println!("{name:24} {:6.1} us  {:4.2}", seconds * 1e6, seconds / best[0]);
    }
    Ok(())
}

fn by_sm2((key, signature): &Sample) -> Result<bool, sm2::dsa::signature::Error> {
    let key = VerifyingKey::from_sec1_bytes(SIGNER_ID, key)?;
    Ok(key.verify(MESSAGE, &Signature::from_slice(signature)?).is_ok())
}

fn by_efficient_sm2((key, signature): &Sample) -> bool {
    let key = efficient_sm2::PublicKey::from_slice(&key[1..]);
    efficient_sm2::Signature::from_slice(signature).is_ok_and(|signature| signature.verify(&key, MESSAGE).is_ok())
}

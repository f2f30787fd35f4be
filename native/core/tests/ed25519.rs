//! Ed25519 by ZIP-215 (COD-021): the same verdict singly, in batches and from `ed25519-consensus`, an independent implementation.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::verbose_bit_mask)]

use curve25519_dalek::constants::{ED25519_BASEPOINT_POINT, EIGHT_TORSION};
use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::scalar::Scalar;
use yunhe_core::signatures::{Item, Suite, invalid};

const SUITE: Option<Suite> = Some(Suite::Ed25519Sha256);

struct Signed {
    key: Vec<u8>,
    message: Vec<u8>,
    signature: Vec<u8>,
}

impl Signed {
    fn new(key: &[u8], message: &[u8], nonce: &[u8], scalar: &[u8]) -> Self {
        Self { key: key.to_vec(), message: message.to_vec(), signature: [nonce, scalar].concat() }
    }

    fn item(&self) -> Item<'_> {
        Item { suite: SUITE, public_key: &self.key, message: &self.message, signature: &self.signature }
    }

    fn oracle(&self) -> bool {
        let key = ed25519_consensus::VerificationKey::try_from(&self.key[..]);
        let signature = ed25519_consensus::Signature::try_from(&self.signature[..]);
        matches!((key, signature), (Ok(key), Ok(signature)) if key.verify(&signature, &self.message).is_ok())
    }
}

fn bytes(hexadecimal: &str) -> Vec<u8> {
    (0..hexadecimal.len()).step_by(2).map(|at| u8::from_str_radix(&hexadecimal[at..at + 2], 16).unwrap()).collect()
}

fn honest(seed: u8, message: &[u8]) -> Signed {
    let key = ed25519_consensus::SigningKey::from([seed; 32]);
    Signed { key: key.verification_key().to_bytes().to_vec(), message: message.to_vec(), signature: key.sign(message).to_bytes().to_vec() }
}

/// Singly, in a batch, and by the oracle: all must say `expected`.
fn assert_decided(signed: &[Signed], expected: bool) {
    let items: Vec<Item<'_>> = signed.iter().map(Signed::item).collect();
    for (index, (item, signed)) in items.iter().zip(signed).enumerate() {
        assert_eq!(item.is_valid(), expected, "singly, item {index}");
        assert_eq!(signed.oracle(), expected, "the oracle, item {index}");
    }
    assert_eq!(invalid(&items), if expected { Vec::new() } else { (0..items.len()).collect() });
}

/// The encodings of the eight points of small order: besides the canonical ones, those with y + p where y < 19, and, where x = 0, those
/// with the sign bit set. Origin: ZIP-215; Henry de Valence, "It's 255:19AM. Do you know what your validation criteria are?" (2020).
fn small_order_encodings() -> Vec<[u8; 32]> {
    let mut encodings = Vec::new();
    for point in EIGHT_TORSION {
        let canonical = point.compress().to_bytes();
        let mut same_y = vec![canonical];
        let (first, rest) = (canonical[0], &canonical[1..31]);
        if first < 19 && rest.iter().all(|byte| *byte == 0) && canonical[31] & 0x7f == 0 {
            // p = 2^255 - 19, so y + p is 2^255 - (19 - y).
            let mut shifted = [0xff; 32];
            shifted[0] = first.wrapping_sub(19);
            shifted[31] = canonical[31] | 0x7f;
            same_y.push(shifted);
        }
        let x_is_zero = (point + point) == EdwardsPoint::default();
        for encoding in same_y {
            encodings.push(encoding);
            if x_is_zero {
                let mut signed = encoding;
                signed[31] ^= 0x80;
                encodings.push(signed);
            }
        }
    }
    encodings
}

#[test]
fn eight_points_of_small_order_have_fourteen_encodings() {
    let encodings = small_order_encodings();
    assert_eq!(encodings.len(), 14);
    let mut points: Vec<[u8; 32]> = encodings
        .iter()
        .map(|encoding| CompressedEdwardsY(*encoding).decompress().unwrap())
        .inspect(|point| assert!(point.is_small_order()))
        .map(|point| point.compress().to_bytes())
        .collect();
    points.sort_unstable();
    points.dedup();
    assert_eq!(points.len(), 8);
}

// COD-021: the 196 edge cases of ZIP-215.
#[test]
fn small_order_keys_and_nonces_with_scalar_zero_are_valid() {
    let encodings = small_order_encodings();
    let pairs = encodings.iter().flat_map(|key| encodings.iter().map(move |nonce| Signed::new(key, b"Zcash", nonce, &[0; 32])));
    let signed: Vec<Signed> = pairs.collect();
    assert_eq!(signed.len(), 196);
    assert_decided(&signed, true);
}

// COD-021
#[test]
fn small_order_keys_with_another_scalar_are_not_valid() {
    let encodings = small_order_encodings();
    let mut one = [0; 32];
    one[0] = 1;
    let pairs = encodings.iter().flat_map(|key| encodings.iter().map(move |nonce| Signed::new(key, b"Zcash", nonce, &one)));
    assert_decided(&pairs.collect::<Vec<Signed>>(), false);
}

// COD-021: [8][S]B = [8]R + [8][k]A holds whatever parts of small order R and A have.
#[test]
fn keys_and_nonces_with_a_small_order_part_are_valid() {
    let (secret, nonce) = (Scalar::from(123_456_789_u64), Scalar::from(987_654_321_u64));
    let mut signed = Vec::new();
    for (key_part, nonce_part) in EIGHT_TORSION.iter().flat_map(|key| EIGHT_TORSION.iter().map(move |nonce| (key, nonce))) {
        let key = (ED25519_BASEPOINT_POINT * secret + key_part).compress().to_bytes();
        let commitment = (ED25519_BASEPOINT_POINT * nonce + nonce_part).compress().to_bytes();
        let challenge = challenge(&commitment, &key, b"message");
        signed.push(Signed::new(&key, b"message", &commitment, &(nonce + challenge * secret).to_bytes()));
    }
    assert_eq!(signed.len(), 64);
    assert_decided(&signed, true);
}

fn challenge(nonce: &[u8; 32], key: &[u8; 32], message: &[u8]) -> Scalar {
    use sha2::Digest as _;
    let hash = sha2::Sha512::new().chain_update(nonce).chain_update(key).chain_update(message).finalize();
    Scalar::from_bytes_mod_order_wide(&hash.into())
}

#[test]
fn rfc8032_vectors_are_valid_and_not_with_another_message() {
    let vectors: serde_json::Value = serde_json::from_str(include_str!("../../../tests/vectors/ed25519_rfc8032.json")).unwrap();
    let cases = vectors["vectors"].as_array().unwrap();
    let field = |case: &serde_json::Value, name: &str| bytes(case[name].as_str().unwrap());
    let mut signed: Vec<Signed> = cases
        .iter()
        .map(|case| Signed { key: field(case, "public_key"), message: field(case, "message"), signature: field(case, "signature") })
        .collect();
    assert!(signed.len() >= 4);
    assert_decided(&signed, true);
    for signed in &mut signed {
        signed.message.push(0);
    }
    assert_decided(&signed, false);
}

// COD-021: S must be below the group order, else every signature would have a second form.
#[test]
fn scalar_of_the_group_order_or_more_is_not_valid() {
    let order = bytes("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
    let mut signed = honest(1, b"m");
    assert!(signed.item().is_valid());
    let mut carry = 0;
    for (byte, added) in signed.signature[32..].iter_mut().zip(&order) {
        let sum = u16::from(*byte) + u16::from(*added) + carry;
        *byte = (sum & 0xff) as u8;
        carry = sum >> 8;
    }
    assert_eq!(carry, 0);
    let small = small_order_encodings();
    assert_decided(&[signed, Signed::new(&small[0], b"Zcash", &small[0], &order)], false);
}

#[test]
fn encodings_of_no_point_are_not_valid() {
    let mut no_point = [0; 32];
    no_point[0] = 2;
    assert!(CompressedEdwardsY(no_point).decompress().is_none());
    let small = small_order_encodings()[0];
    assert_decided(&[Signed::new(&no_point, b"", &small, &[0; 32]), Signed::new(&small, b"", &no_point, &[0; 32])], false);
}

#[test]
fn wrong_lengths_are_not_valid() {
    let valid = honest(1, b"m");
    for (key_length, signature_length) in [(0, 0), (31, 64), (32, 63), (0, 64), (32, 0)] {
        let item =
            Item { suite: SUITE, public_key: &valid.key[..key_length], message: b"m", signature: &valid.signature[..signature_length] };
        assert!(!item.is_valid());
        assert_eq!(invalid(&[item]), [0]);
    }
    let (long_key, long_signature) = ([&valid.key[..], &[0]].concat(), [&valid.signature[..], &[0]].concat());
    let long = [
        Item { suite: SUITE, public_key: &long_key, message: b"m", signature: &valid.signature },
        Item { suite: SUITE, public_key: &valid.key, message: b"m", signature: &long_signature },
    ];
    assert_eq!(invalid(&long), [0, 1]);
}

#[test]
fn batch_of_any_size_names_exactly_the_items_that_are_not_valid() {
    let mut signed: Vec<Signed> = (0..600_u16).map(|number| honest((number % 250) as u8, &number.to_be_bytes())).collect();
    let bad = [0, 3, 31, 32, 33, 255, 256, 511, 512, 599];
    for index in bad {
        signed[index].message.push(0);
    }
    let items: Vec<Item<'_>> = signed.iter().map(Signed::item).collect();
    for size in [0, 1, 3, 4, 5, 31, 32, 33, 34, 64, 65, 256, 257, 513, 600] {
        let expected: Vec<usize> = bad.into_iter().filter(|index| *index < size).collect();
        assert_eq!(invalid(&items[..size]), expected, "{size}");
    }
    assert!(invalid(&items[34..255]).is_empty());
}

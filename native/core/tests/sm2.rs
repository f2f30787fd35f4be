//! Suite `sm2-sm3` (COD-022 to COD-024): the published example, hostile input, and the same verdict from `efficient-sm2`, which has a
//! field arithmetic, point arithmetic and SM3 of its own.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use sm2::PublicKey;
use sm2::dsa::{Signature, SigningKey, signature::Signer as _};
use sm2::elliptic_curve::sec1::ToSec1Point as _;
use yunhe_core::hash::ChainHash;
use yunhe_core::signatures::sm2::{SIGNER_ID, is_public_key};
use yunhe_core::signatures::{Item, Suite, invalid};
use yunhe_core::sm2_keys::{KeyError, PrivateKey};

const SUITE: Option<Suite> = Some(Suite::Sm2Sm3);
/// Order of the curve's group.
const N: &str = "fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123";
/// Modulus of its field.
const P: &str = "fffffffeffffffffffffffffffffffffffffffff00000000ffffffffffffffff";

fn bytes(hexadecimal: &str) -> Vec<u8> {
    (0..hexadecimal.len()).step_by(2).map(|at| u8::from_str_radix(&hexadecimal[at..at + 2], 16).unwrap()).collect()
}

fn published() -> serde_json::Value {
    let vectors: serde_json::Value = serde_json::from_str(include_str!("../../../tests/vectors/sm2_gbt32918.json")).unwrap();
    vectors["vectors"][0].clone()
}

/// Adds or subtracts numbers of 32 bytes modulo 2^256.
fn combine(first: &[u8], second: &[u8], subtract: bool) -> Vec<u8> {
    let mut result = vec![0; 32];
    let mut carry = 0;
    for at in (0..32).rev() {
        let second = if subtract { -i16::from(second[at]) } else { i16::from(second[at]) };
        let sum = i16::from(first[at]) + second + carry;
        result[at] = u8::try_from(sum.rem_euclid(256)).unwrap();
        carry = sum.div_euclid(256);
    }
    result
}

#[derive(Clone)]
struct Signed {
    key: Vec<u8>,
    message: Vec<u8>,
    signature: Vec<u8>,
}

impl Signed {
    fn honest(seed: u16, message: &[u8]) -> Self {
        let key = private_key(seed);
        Self { key: key.public_key().to_vec(), message: message.to_vec(), signature: key.sign(message).unwrap().to_vec() }
    }

    fn with_signature(&self, r: &[u8], s: &[u8]) -> Self {
        Self { signature: [r, s].concat(), ..self.clone() }
    }

    fn item(&self) -> Item<'_> {
        Item { suite: SUITE, public_key: &self.key, message: &self.message, signature: &self.signature }
    }

    /// The verdict of `efficient-sm2`, which leaves the ranges and the key's form to its caller.
    fn oracle(&self) -> bool {
        let key = efficient_sm2::PublicKey::from_slice(&self.key[1..]);
        efficient_sm2::Signature::from_slice(&self.signature).unwrap().verify(&key, &self.message).is_ok()
    }
}

fn private_key(seed: u16) -> PrivateKey {
    PrivateKey::from_bytes(&ChainHash::Sm3.digest(&[&seed.to_be_bytes()])).unwrap()
}

/// Singly and in a batch: all must be refused.
fn assert_refused(signed: &[Signed]) {
    for (index, signed) in signed.iter().enumerate() {
        assert!(!signed.item().is_valid(), "item {index}");
    }
    let items: Vec<Item<'_>> = signed.iter().map(Signed::item).collect();
    assert_eq!(invalid(&items), (0..items.len()).collect::<Vec<_>>());
}

// COD-022, COD-023
#[test]
fn published_example_is_valid_and_its_key_follows() {
    let vector = published();
    let field = |name: &str| bytes(vector[name].as_str().unwrap());
    let key = PrivateKey::from_bytes(&field("private_key")).unwrap();
    assert_eq!(key.public_key().to_vec(), field("public_key"));
    assert_eq!(vector["signer_id"].as_str().unwrap(), SIGNER_ID);
    let signed = Signed { key: field("public_key"), message: field("message"), signature: field("signature") };
    assert!(signed.item().is_valid());
    assert!(signed.oracle());
    assert_refused(&[Signed { message: b"message digesu".to_vec(), ..signed }]);
}

// COD-022
#[test]
fn any_changed_bit_is_decided_as_the_oracle_does() {
    for seed in 0..20 {
        let signed = Signed::honest(seed, &[7; 57]);
        assert!(signed.item().is_valid() && signed.oracle(), "{seed}");
        for bit in [0, 1, 100, 255, 256, 300, 511] {
            let mut changed = signed.clone();
            changed.signature[bit / 8] ^= 0x80 >> (bit % 8);
            assert!(!changed.item().is_valid() && !changed.oracle(), "{seed}, bit {bit}");
        }
    }
}

#[test]
fn signature_of_the_oracle_is_valid() {
    for seed in 0..20 {
        let key = efficient_sm2::KeyPair::new(&private_key(seed).to_bytes()).unwrap();
        let signature = key.sign(b"message").unwrap();
        let signed = Signed {
            key: key.public_key().bytes_less_safe().to_vec(),
            message: b"message".to_vec(),
            signature: [signature.r(), signature.s()].concat(),
        };
        assert_eq!(signed.key, private_key(seed).public_key());
        assert!(signed.item().is_valid(), "{seed}");
    }
}

// COD-022: numbers out of range, and r + s = n, for which [r + s]P would not depend on the key.
#[test]
fn numbers_out_of_range_are_not_valid() {
    let signed = Signed::honest(1, b"m");
    let (r, s) = signed.signature.split_at(32);
    let (zero, order) = (vec![0; 32], bytes(N));
    let mut forged: Vec<Signed> = [&zero, &order, &bytes(P), &vec![0xff; 32]]
        .into_iter()
        .flat_map(|number| [signed.with_signature(number, s), signed.with_signature(r, number), signed.with_signature(number, number)])
        .collect();
    forged.push(signed.with_signature(r, &combine(&order, r, true)));
    forged.push(signed.with_signature(&combine(&order, s, true), s));
    assert_refused(&forged);
}

// COD-022: unlike in ECDSA, the negative of s is no second form, nor is any other sign.
#[test]
fn negated_number_is_not_valid() {
    let order = bytes(N);
    for seed in 0..20 {
        let signed = Signed::honest(seed, b"m");
        let (r, s) = signed.signature.split_at(32);
        let (minus_r, minus_s) = (combine(&order, r, true), combine(&order, s, true));
        assert_refused(&[
            signed.with_signature(r, &minus_s),
            signed.with_signature(&minus_r, s),
            signed.with_signature(&minus_r, &minus_s),
        ]);
    }
}

// COD-022
#[test]
fn key_in_another_form_is_none() {
    let signed = Signed::honest(3, b"m");
    let [compressed, hybrid, infinity] =
        [[&[2 + (signed.key[64] & 1)], &signed.key[1..33]].concat(), [&[6 + (signed.key[64] & 1)], &signed.key[1..]].concat(), vec![0]];
    assert!(PublicKey::from_sec1_bytes(&compressed).is_ok());
    let mut off_the_curve = signed.key.clone();
    off_the_curve[64] ^= 1;
    let zero = [&[4], &[0_u8; 64][..]].concat();
    let longer = [&signed.key[..], &[0]].concat();
    let bare = signed.key[1..].to_vec();
    assert!(is_public_key(&signed.key));
    let keys = [compressed, hybrid, infinity, off_the_curve, zero, longer, bare, Vec::new()];
    for key in &keys {
        assert!(!is_public_key(key), "{key:02x?}");
    }
    assert_refused(&keys.map(|key| Signed { key, ..signed.clone() }));
}

// COD-022: a coordinate below 2^256 − p has a second form of 32 bytes.
#[test]
fn coordinate_that_is_not_reduced_is_no_key() {
    let small = (1..=255_u8)
        .map(|x| [&[2][..], &[0; 31], &[x]].concat())
        .find_map(|compressed| PublicKey::from_sec1_bytes(&compressed).ok())
        .expect("half of all numbers are coordinates of a point");
    let reduced = small.to_sec1_point(false).as_bytes().to_vec();
    assert!(is_public_key(&reduced));
    assert!(!is_public_key(&[&[4], &combine(&reduced[1..33], &bytes(P), false)[..], &reduced[33..]].concat()));
}

#[test]
fn wrong_length_of_a_signature_is_not_valid() {
    let signed = Signed::honest(4, b"m");
    let lengths = [0, 1, 32, 63].map(|length| Signed { signature: signed.signature[..length].to_vec(), ..signed.clone() });
    assert_refused(&lengths);
    assert_refused(&[Signed { signature: [&signed.signature[..], &[0]].concat(), ..signed }]);
}

// COD-023
#[test]
fn signature_under_another_signer_id_is_not_valid() {
    let secret = private_key(5).to_bytes();
    for (id, expected) in [(SIGNER_ID, true), ("ALICE123@YAHOO.COM", false), ("", false), ("12345678123456780", false)] {
        let signature: Signature = SigningKey::from_slice(id, &secret).unwrap().sign(b"m");
        let signed = Signed { key: private_key(5).public_key().to_vec(), message: b"m".to_vec(), signature: signature.to_bytes().to_vec() };
        assert_eq!(signed.item().is_valid(), expected, "{id:?}");
    }
}

#[test]
fn batch_of_both_suites_names_exactly_the_items_that_are_not_valid() {
    let ed25519 = ed25519_consensus::SigningKey::from([7; 32]);
    let mut signed: Vec<(Option<Suite>, Signed)> = (0..150_u16)
        .map(|number| {
            let message = number.to_be_bytes();
            if number % 3 == 1 {
                let (key, signature) = (ed25519.verification_key().to_bytes().to_vec(), ed25519.sign(&message).to_bytes().to_vec());
                return (Some(Suite::Ed25519Sha256), Signed { key, message: message.to_vec(), signature });
            }
            (SUITE, Signed::honest(number, &message))
        })
        .collect();
    let bad = [0, 1, 2, 30, 31, 60, 77, 100, 149];
    for index in bad {
        signed[index].1.message.push(0);
    }
    signed[5].0 = None;
    // Each other's signatures: a suite never decides an item of another one.
    signed[6].0 = Some(Suite::Ed25519Sha256);
    signed[7].0 = SUITE;
    let expected: Vec<usize> = [0, 1, 2, 5, 6, 7, 30, 31, 60, 77, 100, 149].to_vec();
    let items: Vec<Item<'_>> = signed.iter().map(|(suite, signed)| Item { suite: *suite, ..signed.item() }).collect();
    for size in [0, 1, 2, 3, 8, 9, 17, 32, 64, 65, 150] {
        let expected: Vec<usize> = expected.iter().copied().filter(|index| *index < size).collect();
        assert_eq!(invalid(&items[..size]), expected, "{size}");
    }
    assert!(invalid(&items[8..30]).is_empty());
}

#[test]
fn suite_is_found_by_its_exact_name_only() {
    assert_eq!(Suite::by_name("sm2-sm3"), SUITE);
    for name in ["", "sm2", "SM2-SM3", "sm2-sm3 ", "rsa"] {
        assert_eq!(Suite::by_name(name), None);
    }
}

// COD-022
#[test]
fn private_key_out_of_range_is_refused() {
    let order = bytes(N);
    let mut two = vec![0; 32];
    two[31] = 2;
    let mut one = vec![0; 32];
    one[31] = 1;
    assert!(PrivateKey::from_bytes(&combine(&order, &two, true)).is_ok());
    assert!(PrivateKey::from_bytes(&one).is_ok());
    for number in [vec![0; 32], combine(&order, &one, true), order, vec![0xff; 32], vec![1; 31], vec![1; 33], Vec::new()] {
        assert_eq!(PrivateKey::from_bytes(&number).err(), Some(KeyError::NotAKey), "{number:02x?}");
    }
}

#[test]
fn generated_keys_and_signatures_differ() {
    let (first, second) = (PrivateKey::generate().unwrap(), PrivateKey::generate().unwrap());
    assert_ne!(first.to_bytes(), second.to_bytes());
    assert_ne!(first.sign(b"m").unwrap(), first.sign(b"m").unwrap());
    assert_eq!(format!("{first:?}"), "PrivateKey");
}

// COD-024
#[test]
fn key_file_opens_with_its_passphrase_only() {
    let key = private_key(6);
    let pem = key.to_pem(b"correct horse").unwrap();
    assert!(pem.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"));
    let preceded = format!("Yunhe key\nMember: carrier/clerk\n{pem}");
    assert_eq!(PrivateKey::from_pem(&preceded, b"correct horse").unwrap().to_bytes(), key.to_bytes());
    for passphrase in [&b"correct horsf"[..], b""] {
        assert_eq!(PrivateKey::from_pem(&pem, passphrase).err(), Some(KeyError::WrongPassphrase));
    }
    for text in ["", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nxx\n-----END ENCRYPTED PRIVATE KEY-----\n", &pem[..200]] {
        assert_eq!(PrivateKey::from_pem(text, b"correct horse").err(), Some(KeyError::NotAKeyFile));
    }
}

#[test]
fn key_file_with_a_key_of_another_kind_is_refused_by_name() {
    // Made by OpenSSL 3.0: `openssl genpkey -algorithm ed25519 | openssl pkcs8 -topk8 -iter 1000 -passout pass:one`.
    let pem = include_str!("another_kind.pem");
    assert_eq!(PrivateKey::from_pem(pem, b"one").err(), Some(KeyError::AnotherKind));
    assert_eq!(PrivateKey::from_pem(pem, b"two").err(), Some(KeyError::WrongPassphrase));
}

//! Suite `sm2-sm3`: SM2 signatures over the recommended curve, with SM3 (docs/spec/encoding.md, COD-022 and COD-023).
//!
//! SM2 has no batch equation: the signature holds no point, only the remainder of one coordinate. What a share of items saves is the
//! inversion that turns each point into coordinates, which is done once for all of them. The curve is that of the crate `sm2`, whose
//! addition has no exceptional cases; verification handles public data and is in variable time.

use ::sm2::dsa::Signature;
use ::sm2::elliptic_curve::BatchNormalize as _;
use ::sm2::elliptic_curve::group::Group as _;
use ::sm2::elliptic_curve::ops::{MulByGeneratorVartime as _, MulVartime as _, Reduce as _};
use ::sm2::elliptic_curve::point::AffineCoordinates as _;
use ::sm2::{AffinePoint, ProjectivePoint, PublicKey, Scalar};
use sm3::{Digest as _, Sm3};

use super::Item;

/// The signer id of the suite (COD-023).
pub const SIGNER_ID: &str = "1234567812345678";
/// Length of a public key: 0x04 ‖ X ‖ Y.
pub const PUBLIC_KEY_BYTES: usize = 65;

/// What is hashed before a signer's coordinates: length of its id in bits ‖ id ‖ a ‖ b ‖ Gx ‖ Gy (GB/T 32918.2 §5.5, GB/T 32918.5).
const SIGNER: [u8; 146] = *b"\x00\x80\
    1234567812345678\
    \xff\xff\xff\xfe\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xfc\
    \x28\xe9\xfa\x9e\x9d\x9f\x5e\x34\x4d\x5a\x9e\x4b\xcf\x65\x09\xa7\xf3\x97\x89\xf5\x15\xab\x8f\x92\xdd\xbc\xbd\x41\x4d\x94\x0e\x93\
    \x32\xc4\xae\x2c\x1f\x19\x81\x19\x5f\x99\x04\x46\x6a\x39\xc9\x94\x8f\xe3\x0b\xbf\xf2\x66\x0b\xe1\x71\x5a\x45\x89\x33\x4c\x74\xc7\
    \xbc\x37\x36\xa2\xf4\xf6\x77\x9c\x59\xbd\xce\xe3\x6b\x69\x21\x53\xd0\xa9\x87\x7c\xc6\x2a\x47\x40\x02\xdf\x32\xe5\x21\x39\xf0\xa0";

/// Says whether the bytes are a public key: the right form, reduced coordinates, a point of the curve.
///
/// The curve has prime order, so every point but the one at infinity, which has no such form, generates the whole group.
pub fn is_public_key(bytes: &[u8]) -> bool {
    public_key(bytes).is_some()
}

fn public_key(bytes: &[u8]) -> Option<PublicKey> {
    // COD-022: this length leaves the uncompressed form alone.
    if bytes.len() != PUBLIC_KEY_BYTES {
        return None;
    }
    PublicKey::from_sec1_bytes(bytes).ok()
}

/// Returns the positions of the items that are not valid, ascending.
pub(super) fn invalid(items: &[Item<'_>]) -> Vec<usize> {
    let claims: Vec<(usize, Claim)> = items.iter().enumerate().filter_map(|(position, item)| Some((position, Claim::of(item)?))).collect();
    let points: Vec<ProjectivePoint> = claims.iter().map(|(_, claim)| claim.point).collect();
    let mut is_valid = vec![false; items.len()];
    for ((position, claim), point) in claims.iter().zip(ProjectivePoint::batch_normalize(points.as_slice())) {
        is_valid[*position] = claim.holds(&point);
    }
    (0..items.len()).filter(|position| !is_valid[*position]).collect()
}

/// What is left to compare of a signature whose parts are in range.
struct Claim {
    /// [s]G + [r + s]P, not at infinity.
    point: ProjectivePoint,
    /// r − e, which the point's x must be equal to modulo the order.
    x: Scalar,
}

impl Claim {
    /// Does the steps of GB/T 32918.2 §7.1 up to the point.
    fn of(item: &Item<'_>) -> Option<Self> {
        let key = public_key(item.public_key)?;
        // COD-022: two numbers of 32 bytes from 1 to n − 1, and r + s not 0.
        let signature = Signature::from_slice(item.signature).ok()?;
        let (r, s) = (*signature.r(), *signature.s());
        let t = r + s;
        if t.is_zero().into() {
            return None;
        }
        let point = ProjectivePoint::mul_by_generator_vartime(&s) + ProjectivePoint::from(&key).mul_vartime(&t);
        if point.is_identity().into() {
            return None;
        }
        Some(Self { point, x: r - digest(item.public_key, item.message) })
    }

    fn holds(&self, point: &AffinePoint) -> bool {
        Scalar::reduce(&point.x()) == self.x
    }
}

/// Returns e = SM3(Z ‖ message) modulo the order, with Z = SM3(signer ‖ X ‖ Y); the key has been checked.
fn digest(public_key: &[u8], message: &[u8]) -> Scalar {
    // COD-023
    let signer = Sm3::new().chain_update(SIGNER).chain_update(&public_key[1..]).finalize();
    Scalar::reduce(&Sm3::new().chain_update(signer).chain_update(message).finalize())
}

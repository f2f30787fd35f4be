//! Private keys of the suite `sm2-sm3`: make, sign, and the encrypted key file (docs/spec/encoding.md, COD-022 to COD-024).
//!
//! Nothing else is done with a secret: the crate `sm2` multiplies by it, and inverts 1 + d, in constant time. A nonce comes from RFC 6979
//! with SM3 and 32 fresh random bytes, so neither a weak generator nor a fault during one signature gives the key away.

use std::fmt;

use getrandom::SysRng;
use pkcs8::der::SecretDocument;
use pkcs8::der::pem::{LineEnding, PemLabel as _};
use pkcs8::pkcs5::pbes2;
use pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, EncryptedPrivateKeyInfoRef, PrivateKeyInfoRef};
use sm2::SecretKey;
use sm2::dsa::signature::RandomizedSigner as _;
use sm2::dsa::{Signature, SigningKey};
use sm2::elliptic_curve::Generate as _;
use sm2::elliptic_curve::sec1::ToSec1Point as _;

use crate::signatures::sm2::{PUBLIC_KEY_BYTES, SIGNER_ID};

/// Tries of a step that fails for one random number in 2^32 or fewer.
const ATTEMPTS: usize = 4;

/// Why a key or a key file cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyError {
    /// The bytes are no private key: not 32, or not from 1 to n − 2; or no `PrivateKeyInfo`.
    NotAKey,
    /// The file is no encrypted PKCS#8 file, or is encrypted in a way that is not supported.
    NotAKeyFile,
    /// The passphrase is wrong, or the file is damaged.
    WrongPassphrase,
    /// The file holds a key, but not one of SM2.
    AnotherKind,
    /// The operating system gave no random numbers.
    NoRandomNumbers,
}

impl fmt::Display for KeyError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::NotAKey => "an SM2 private key is a number of 32 bytes from 1 to n - 2",
            Self::NotAKeyFile => "this is not an encrypted PKCS#8 key file, or its encryption is not supported",
            Self::WrongPassphrase => "the passphrase is wrong, or the key file is damaged",
            Self::AnotherKind => "the key file holds a key of another kind than SM2",
            Self::NoRandomNumbers => "the operating system gave no random numbers",
        })
    }
}

impl std::error::Error for KeyError {}

/// A private key. Its memory is cleared when it is dropped.
pub struct PrivateKey(SecretKey);

impl PrivateKey {
    /// Makes a new key from the operating system's generator.
    pub fn generate() -> Result<Self, KeyError> {
        for _ in 0..ATTEMPTS {
            let key = SecretKey::try_generate_from_rng(&mut SysRng).map_err(|_| KeyError::NoRandomNumbers)?;
            if let Ok(key) = Self::of(key) {
                return Ok(key);
            }
        }
        Err(KeyError::NoRandomNumbers)
    }

    /// Takes the key's number, 32 bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
        // COD-022
        if bytes.len() != 32 {
            return Err(KeyError::NotAKey);
        }
        Self::of(SecretKey::from_slice(bytes).map_err(|_| KeyError::NotAKey)?)
    }

    /// Refuses n − 1, for which 1 + d has no inverse (GB/T 32918.1 §6.1).
    fn of(key: SecretKey) -> Result<Self, KeyError> {
        let successor = *key.to_nonzero_scalar() + sm2::Scalar::ONE;
        if successor.is_zero().into() { Err(KeyError::NotAKey) } else { Ok(Self(key)) }
    }

    /// Returns the key's number.
    pub fn to_bytes(&self) -> [u8; 32] {
        self.0.to_bytes().into()
    }

    /// Returns the public key: 0x04 ‖ X ‖ Y.
    pub fn public_key(&self) -> [u8; PUBLIC_KEY_BYTES] {
        let mut bytes = [0; PUBLIC_KEY_BYTES];
        bytes.copy_from_slice(self.0.public_key().to_sec1_point(false).as_bytes());
        bytes
    }

    /// Signs a message: r ‖ s.
    pub fn sign(&self, message: &[u8]) -> Result<[u8; 64], KeyError> {
        // COD-023
        let key = SigningKey::new(SIGNER_ID, &self.0).map_err(|_| KeyError::NotAKey)?;
        for _ in 0..ATTEMPTS {
            let signature: Result<Signature, _> = key.try_sign_with_rng(&mut SysRng, message);
            if let Ok(signature) = signature {
                return Ok(signature.to_bytes().into());
            }
        }
        Err(KeyError::NoRandomNumbers)
    }

    /// Encrypts the key into a PEM file (COD-024).
    pub fn to_pem(&self, passphrase: &[u8]) -> Result<String, KeyError> {
        let document = self.0.to_pkcs8_der().map_err(|_| KeyError::NotAKey)?;
        encrypt_key_file(document.as_bytes(), passphrase)
    }

    /// Decrypts a PEM file; text before the PEM block is passed over.
    pub fn from_pem(pem: &str, passphrase: &[u8]) -> Result<Self, KeyError> {
        // COD-024
        let (label, document) = SecretDocument::from_pem(pem).map_err(|_| KeyError::NotAKeyFile)?;
        EncryptedPrivateKeyInfoRef::validate_pem_label(label).map_err(|_| KeyError::NotAKeyFile)?;
        let encrypted = EncryptedPrivateKeyInfoRef::try_from(document.as_bytes()).map_err(|_| KeyError::NotAKeyFile)?;
        let decrypted = encrypted.decrypt(passphrase).map_err(|error| match error {
            pkcs8::Error::EncryptedPrivateKey(pkcs8::pkcs5::Error::DecryptFailed) | pkcs8::Error::Asn1(_) => KeyError::WrongPassphrase,
            _ => KeyError::NotAKeyFile,
        })?;
        Self::of(SecretKey::from_pkcs8_der(decrypted.as_bytes()).map_err(|_| KeyError::AnotherKind)?)
    }
}

/// Encrypts a PKCS#8 `PrivateKeyInfo` of any suite into a PEM file: PBES2 with PBKDF2-HMAC-SHA-256, 600,000 rounds, and AES-256-CBC (COD-024).
pub fn encrypt_key_file(private_key_info: &[u8], passphrase: &[u8]) -> Result<String, KeyError> {
    let parameters = pbes2::Parameters::generate_pbkdf2(&mut SysRng).map_err(|_| KeyError::NoRandomNumbers)?;
    PrivateKeyInfoRef::try_from(private_key_info)
        .and_then(|info| info.encrypt_with_params(parameters, passphrase))
        .and_then(|document| Ok(document.to_pem(EncryptedPrivateKeyInfoRef::PEM_LABEL, LineEnding::LF)?))
        .map(|pem| pem.to_string())
        .map_err(|_| KeyError::NotAKey)
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PrivateKey")
    }
}

"""Hashes, signature suites and keys. No protocol types, no files, no clock."""

from yunhe.crypto.hashes import SHA256, SM3, ChainHash, chain_hash, chain_hash_names
from yunhe.crypto.keys import PrivateKey, PublicKey
from yunhe.crypto.signatures import SignedItem, invalid_signatures
from yunhe.crypto.sm2 import sm2_signature_from_der, sm2_signature_to_der
from yunhe.crypto.suites import ED25519_SHA256, SM2_SM3, Suite, suite, suite_names

__all__ = [
    "ED25519_SHA256",
    "SHA256",
    "SM2_SM3",
    "SM3",
    "ChainHash",
    "PrivateKey",
    "PublicKey",
    "SignedItem",
    "Suite",
    "chain_hash",
    "chain_hash_names",
    "invalid_signatures",
    "sm2_signature_from_der",
    "sm2_signature_to_der",
    "suite",
    "suite_names",
]

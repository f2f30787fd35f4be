"""Hashes, signature suites and keys. No protocol types, no files, no clock."""

from yunhe.crypto.hashes import SHA256, ChainHash, chain_hash
from yunhe.crypto.keys import ED25519_SHA256, PrivateKey, PublicKey, invalid_signatures, suite, suite_names
from yunhe.crypto.suites import SignedItem, Suite

__all__ = [
    "ED25519_SHA256",
    "SHA256",
    "ChainHash",
    "PrivateKey",
    "PublicKey",
    "SignedItem",
    "Suite",
    "chain_hash",
    "invalid_signatures",
    "suite",
    "suite_names",
]

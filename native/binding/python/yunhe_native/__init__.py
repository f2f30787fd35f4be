"""Native core of Yunhe: what is done for every transaction, in batches, with the interpreter lock released.

Python defines the meaning (`yunhe.verifier`, `yunhe.ledger`); this package repeats it faster and is held equal to it by tests.
Errors are the classes of `yunhe.errors`. Specification: docs/spec/encoding.md; why so: docs/adr/0002-signatures.md and
docs/adr/0003-state-tree.md.
"""

from yunhe_native._core import (
    StateSnapshot,
    StateStore,
    __version__,
    decode,
    digest,
    encode,
    encrypt_key_file,
    invalid_signatures,
    merkle_path,
    merkle_root,
    signature_is_valid,
    sm2_decrypt_key,
    sm2_encrypt_key,
    sm2_generate,
    sm2_is_public_key,
    sm2_public_key,
    sm2_sign,
    tagged_digests,
)

__all__ = [
    "StateSnapshot",
    "StateStore",
    "__version__",
    "decode",
    "digest",
    "encode",
    "encrypt_key_file",
    "invalid_signatures",
    "merkle_path",
    "merkle_root",
    "signature_is_valid",
    "sm2_decrypt_key",
    "sm2_encrypt_key",
    "sm2_generate",
    "sm2_is_public_key",
    "sm2_public_key",
    "sm2_sign",
    "tagged_digests",
]

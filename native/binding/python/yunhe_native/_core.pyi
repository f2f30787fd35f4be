"""Native core of Yunhe: what is done for every transaction, in batches, with the interpreter lock released.

Python defines the meaning (`yunhe.verifier`, `yunhe.ledger`); this module repeats it faster and is held equal to it by tests.
Errors are the classes of `yunhe.errors`.
"""

from typing import Final, TypeAlias, final

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

_Value: TypeAlias = "bool | int | str | bytes | list[_Value] | dict[str, _Value] | dict[int, _Value] | None"

__version__: Final[str]

def encode(value: object) -> bytes:
    """Encode a value canonically (COD-001 to COD-003); lists and tuples become arrays.

    Raises:
        ValueNotEncodableError: the value, or a part of it, has no canonical encoding.
    """

def decode(data: bytes) -> _Value:
    """Decode exactly one canonical item (COD-001 to COD-004).

    Raises:
        EncodingError: the bytes are not canonical; the message gives the offset.
    """

def digest(hash_name: str, data: bytes) -> bytes:
    """Hash `data` with the named chain hash (`sha256` or `sm3`). Returns 32 bytes."""

def tagged_digests(hash_name: str, tag: bytes, items: list[bytes]) -> list[bytes]:
    """Return `H(tag ‖ 0x00 ‖ item)` for each item (COD-010)."""

def merkle_root(hash_name: str, leaves: list[bytes]) -> bytes:
    """Return the RFC 6962 root over leaf data (COD-011)."""

def merkle_path(hash_name: str, leaves: list[bytes], index: int) -> list[bytes]:
    """Return the RFC 6962 inclusion path of leaf `index`, leaf to root."""

def signature_is_valid(suite: str, public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Decide one signature by its suite (COD-021, COD-022). An unknown suite and wrong lengths are simply not valid."""

def invalid_signatures(items: list[tuple[str, bytes, bytes, bytes]]) -> list[int]:
    """Verify (suite, public key, message, signature) of any suites on all cores; return the indices that fail, ascending.

    Decides each item exactly as `signature_is_valid`. Ed25519 items are combined; when a combination fails, its items are checked singly.
    """

def encrypt_key_file(private_key_info: bytes, passphrase: bytes) -> bytes:
    """Encrypt a PKCS#8 `PrivateKeyInfo` in DER into a key file in PEM (COD-024). Takes a fraction of a second on purpose.

    Raises:
        InvalidKeyError: the bytes are no `PrivateKeyInfo`.
    """

def sm2_is_public_key(public_key: bytes) -> bool:
    """Say whether the bytes are an SM2 public key: 0x04 ‖ X ‖ Y of a point of the curve (COD-022)."""

def sm2_generate() -> bytes:
    """Return a new SM2 private key, 32 bytes, from the operating system's generator."""

def sm2_public_key(private_key: bytes) -> bytes:
    """Return the 65-byte public key.

    Raises:
        InvalidKeyError: the private key is not a number of 32 bytes from 1 to n - 2.
    """

def sm2_sign(private_key: bytes, message: bytes) -> bytes:
    """Return the 64-byte signature, in constant time; another one for each call (COD-022, COD-023).

    Raises:
        InvalidKeyError: the private key is not a number of 32 bytes from 1 to n - 2.
    """

def sm2_encrypt_key(private_key: bytes, passphrase: bytes) -> bytes:
    """Return an encrypted PKCS#8 file in PEM (COD-024). Takes a fraction of a second on purpose.

    Raises:
        InvalidKeyError: the private key is not a number of 32 bytes from 1 to n - 2.
    """

def sm2_decrypt_key(pem: bytes, passphrase: bytes) -> bytes:
    """Return the private key of an encrypted PKCS#8 file in PEM; text before the PEM block is passed over.

    Raises:
        InvalidKeyError: it is no such file, or holds a key of another kind.
        WrongPassphraseError: the passphrase does not decrypt it.
    """

@final
class StateStore:
    """Records with their authenticated tree, and small derived tables, in one directory (fjall).

    Everything here is derived from the block log. Heights only grow. Thread-safe; long work releases the interpreter lock.
    """

    @staticmethod
    def open(path: str, hash_name: str, cache_bytes: int) -> StateStore:
        """Open or create the store.

        Raises:
            ConflictError: another process has it open.
            CorruptionError: the directory is damaged.
        """

    def head(self) -> tuple[int, bytes]:
        """Return the last applied height and state root; (-1, 32 zero bytes) when empty."""

    def get(self, key: bytes) -> bytes | None:
        """Return the record at the head, staged writes included."""

    def get_many(self, keys: list[bytes]) -> list[bytes | None]:
        """Return several records at the head, staged writes included."""

    def scan(self, start: bytes, end: bytes, limit: int, reverse: bool) -> list[tuple[bytes, bytes]]:
        """Return up to `limit` records with start <= key < end at the head, in key order (descending when `reverse`)."""

    def stage(self, height: int, writes: list[tuple[bytes, bytes | None]]) -> bytes:
        """Compute the state root after `writes` (None deletes) at `height` (head + 1 or later) and keep it in memory.

        Nothing reaches the disk before `apply`. A second `stage` replaces the first.
        """

    def apply(self, index: list[tuple[bytes, bytes]], sync: bool) -> None:
        """Write what is staged, with entries for the small index (key -> value), as one atomic batch; `sync` makes it durable."""

    def discard(self) -> None:
        """Forget what is staged."""

    def index_get_many(self, keys: list[bytes]) -> list[bytes | None]:
        """Return entries of the small index."""

    def snapshot(self) -> StateSnapshot:
        """Return the records as the last `apply` left them, whatever is staged or applied afterwards; cheap, any number at a time."""

    def prove(self, height: int, key: bytes) -> tuple[bytes | None, bytes, list[bytes], tuple[bytes, bytes] | None]:
        """Return (value, bitmap of 32 bytes, siblings root first, other leaf) for `key` at `height` (docs/spec/proofs.md).

        Raises:
            HistoryGoneError: the height is not kept.
        """

    def prune(self, keep_from_height: int) -> int:
        """Drop tree nodes that only heights below `keep_from_height` need; return how many."""

    def sync(self) -> None:
        """Make everything applied so far durable."""

    def verify(self) -> bytes:
        """Recompute the state root from every record and compare it with the tree; return it.

        Raises:
            CorruptionError: they differ.
        """

    def close(self) -> None:
        """Close the store; later calls raise `UnavailableError`."""

@final
class StateSnapshot:
    """The records of one applied block, for views and queries: staged writes and later blocks are not in it. Thread-safe."""

    def height(self) -> int:
        """Return the height of the block, -1 before the first."""

    def get(self, key: bytes) -> bytes | None:
        """Return a record."""

    def get_many(self, keys: list[bytes]) -> list[bytes | None]:
        """Return several records."""

    def scan(self, start: bytes, end: bytes, limit: int, reverse: bool) -> list[tuple[bytes, bytes]]:
        """Return up to `limit` records with start <= key < end, in key order (descending when `reverse`)."""

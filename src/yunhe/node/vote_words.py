"""What a node's vote carries for the others, as bytes: `[note, asked, certificate]`, canonical, or nothing at all.

`note` is the newest checkpoint with this node's cosignature; `asked` is where the node's certificates of changes end when the next one is
missing, else null; `certificate` is the one that another node asked for. Nothing here is verified. Specification: docs/spec/proofs.md,
"How certificates come about between organisations".
"""

from yunhe.ledger.codec import as_array, as_bytes, as_int, decode, encode
from yunhe.limits import VOTE_EXTENSION_BYTES_MAX


def vote_words(note: bytes, asked: int | None, certificate: bytes) -> bytes:
    """Return the bytes; none when there is nothing to say."""
    return encode([note, asked, certificate]) if note or asked is not None or certificate else b""


def read_vote_words(data: bytes) -> tuple[bytes, int | None, bytes]:
    """Take the bytes of another node apart.

    Raises:
        InvalidInputError: they are not what a vote says.
    """
    note, asked, certificate = as_array(decode(data, VOTE_EXTENSION_BYTES_MAX), "what a vote says", 3)
    return as_bytes(note, "a note"), None if asked is None else as_int(asked, "a size", 0), as_bytes(certificate, "a certificate")

"""Checkpoints and cosignatures in the C2SP text forms (`tlog-checkpoint`, `tlog-cosignature`, `signed-note`).

This is the producing side and what a node needs to read its own; whoever does not trust the node reads them with `yunhe.verifier`.
Specification: docs/spec/proofs.md, PRF-001 to PRF-003.
"""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from typing import Final

from yunhe.crypto import PrivateKey
from yunhe.errors import MalformedError
from yunhe.limits import CERTIFIERS_MAX, HASH_BYTES, INTEGER_MAX
from yunhe.verifier import COSIGNATURE_TYPES

_SIGNATURE_PREFIX = "\N{EM DASH} "
_HEAD_BYTES: Final = 12
"""Of a signature: key id and time."""
_SIZE: Final = re.compile(r"[1-9][0-9]{0,15}", re.ASCII)


def origin(network_id: bytes) -> str:
    """Return the checkpoint origin of a network."""
    return f"yunhe/{network_id.hex()}"


def cosigner_name(network_id: bytes, organisation: str) -> str:
    """Return the key name of an organisation's cosignatures."""
    return f"{origin(network_id)}/{organisation}"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Size and root of a block log."""

    network_id: bytes
    size: int
    """Headers in the log; the last one has height size - 1."""
    root: bytes
    """RFC 6962 root over the header hashes."""

    def text(self) -> str:
        """Return the note text, which ends with a line feed."""
        return f"{origin(self.network_id)}\n{self.size}\n{base64.b64encode(self.root).decode('ascii')}\n"


@dataclass(frozen=True, slots=True)
class Cosignature:
    """One organisation's cosignature of a checkpoint."""

    organisation: str
    suite: str
    public_key: bytes
    time_s: int
    """When it was made, seconds since 1970-01-01 UTC, by the cosigner's clock."""
    signature: bytes

    def line(self, name: str) -> str:
        """Return the signature line of the note under a key's name, with its line feed."""
        blob = key_id(name, self.suite, self.public_key) + self.time_s.to_bytes(8, "big") + self.signature
        return f"{_SIGNATURE_PREFIX}{name} {base64.b64encode(blob).decode('ascii')}\n"


def key_id(name: str, suite: str, public_key: bytes) -> bytes:
    """Return the 4-byte key id of a cosigner (C2SP; SHA-256 whatever the chain hash)."""
    # PRF-001, PRF-003
    return hashlib.sha256(name.encode("ascii") + b"\n" + COSIGNATURE_TYPES[suite] + public_key).digest()[:4]


def cosignature_message(checkpoint: Checkpoint, time_s: int) -> bytes:
    """Return what a cosignature signs (PRF-001)."""
    return f"cosignature/v1\ntime {time_s}\n{checkpoint.text()}".encode("ascii")


def cosign(checkpoint: Checkpoint, organisation: str, key: PrivateKey, time_s: int) -> Cosignature:
    """Sign a checkpoint. Whether it may be signed (LED-042) is the cosigner's decision, not made here."""
    signature = key.sign(cosignature_message(checkpoint, time_s))
    return Cosignature(organisation, key.suite, key.public_key.raw, time_s, signature)


def note(checkpoint: Checkpoint, cosignatures: list[Cosignature]) -> bytes:
    """Return the signed note: the checkpoint, an empty line, and one line for each cosignature in order of organisation."""
    ordered = sorted(cosignatures, key=lambda c: c.organisation)
    lines = [c.line(cosigner_name(checkpoint.network_id, c.organisation)) for c in ordered]
    return (checkpoint.text() + "\n" + "".join(lines)).encode("utf-8")


def witness_note(checkpoint: Checkpoint, cosignature: Cosignature, name: str) -> str:
    """Return a checkpoint with the cosignature of a witness, who signs under a name of its own (PRF-030)."""
    return f"{checkpoint.text()}\n{cosignature.line(name)}"


def key_line(name: str, suite: str, public_key: bytes) -> str:
    """Return a witness's public key as the line that people hand on (C2SP `signed-note`, PRF-030)."""
    # PRF-030
    key = base64.b64encode(COSIGNATURE_TYPES[suite] + public_key).decode("ascii")
    return f"{name}+{key_id(name, suite, public_key).hex()}+{key}"


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """A signature line of a note; whether it is a cosignature that counts is not known yet."""

    name: str
    """Of the key."""
    key_id: bytes
    time_s: int
    signature: bytes


def read_note(data: bytes, network_id: bytes) -> tuple[Checkpoint, list[NoteSignature]]:
    """Take a signed note of another node apart; nothing in it is verified.

    Raises:
        MalformedError: it is no signed note of a checkpoint of this network.
    """
    try:
        text, separator, signatures = data.decode("utf-8").partition("\n\n")
        named, size, root = text.split("\n")
        lines = signatures.splitlines()
        if not separator or named != origin(network_id) or not _SIZE.fullmatch(size) or len(lines) > CERTIFIERS_MAX:
            raise MalformedError("this is no signed checkpoint of this network")
        checkpoint = Checkpoint(network_id, int(size), base64.b64decode(root, validate=True))
        read = [_read_line(line) for line in lines]
    except (ValueError, binascii.Error) as error:
        raise MalformedError("this is no signed checkpoint") from error
    if len(checkpoint.root) != HASH_BYTES:
        raise MalformedError("the root of a checkpoint is a hash")
    return checkpoint, read


def _read_line(line: str) -> NoteSignature:
    prefix, name, encoded = line.split(" ")
    blob = base64.b64decode(encoded, validate=True)
    if f"{prefix} " != _SIGNATURE_PREFIX or len(blob) <= _HEAD_BYTES:
        raise MalformedError("this is no line of a signed checkpoint")
    time_s = int.from_bytes(blob[4:_HEAD_BYTES], "big")
    # PRF-001
    if time_s > INTEGER_MAX:
        raise MalformedError("the time of a cosignature is none")
    return NoteSignature(name, blob[:4], time_s, blob[_HEAD_BYTES:])

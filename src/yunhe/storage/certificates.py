"""Certified checkpoints that proofs need for ever: one for each change of the certifier set (PRF-012).

Only the set in force can certify the checkpoint that ends with the header which changes it, and its keys may be gone later, so these files
are not derived: they are kept beside the block log and belong in a backup. Everything in one is verifiable against the log and by its
cosignatures, and is verified whenever it is read, so it carries no checksum of its own.

Specification: docs/spec/storage.md, "Certificates" (STO-016).
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

from yunhe.crypto import SignedItem, invalid_signatures
from yunhe.errors import BlockLogShortenedError, CertificateDamagedError, InvalidInputError
from yunhe.ledger.certifiers import CertifierSet
from yunhe.ledger.checkpoint import Checkpoint, Cosignature, cosignature_message
from yunhe.ledger.codec import as_array, as_bytes, as_hash, as_int, as_name, as_text, decode, encode
from yunhe.ledger.header import Header
from yunhe.ledger.merkle import MerkleLog
from yunhe.ledger.proof import CertifiedCheckpoint
from yunhe.storage import files

CERTIFICATE_NAME: Final = re.compile(r"([0-9]{20})\.certificate", re.ASCII)
"""Name of a certificate's file: the size of its checkpoint."""
NEWEST_NAME: Final = "newest.certificate"
"""Name of the file of the newest certificate, between organisations; it follows from no change, and a later one takes its place."""

_FORMAT: Final = "yunhe-certificate"
_VERSION: Final = 1
_FILE_BYTES_MAX: Final = 1024 * 1024
_ADVICE: Final = "put back what a backup has"


class Certificates:
    """A folder with one file for each kept checkpoint, named by its size; made with the first one."""

    def __init__(self, folder: Path, network_id: bytes, log: MerkleLog, header_at: Callable[[int], Header]) -> None:
        """Name the folder and what its content is verified against.

        Args:
            folder: where the files are.
            network_id: whose they must be.
            log: the block log.
            header_at: returns the header of a height that is in the log.
        """
        self._folder = folder
        self._network_id = network_id
        self._log = log
        self._header_at = header_at

    def sizes(self) -> tuple[int, ...]:
        """Return the sizes of the kept checkpoints, ascending."""
        if not self._folder.exists():
            return ()
        with files.named_refusals(self._folder):
            names = [match[1] for path in self._folder.iterdir() if (match := CERTIFICATE_NAME.fullmatch(path.name))]
        return tuple(sorted(int(name) for name in names))

    def keep(self, certified: CertifiedCheckpoint) -> None:
        """Keep a certified checkpoint; durable on return."""
        self._write(self._path(certified.checkpoint.size), certified)

    def keep_newest(self, certified: CertifiedCheckpoint) -> None:
        """Keep the newest certified checkpoint, of 2 headers or more, in the place of the one before; durable on return."""
        self._write(self._folder / NEWEST_NAME, certified)

    def read_newest(self) -> CertifiedCheckpoint | None:
        """Return the newest certified checkpoint that was kept, verified, or None.

        Raises:
            BlockLogShortenedError: it is one of a longer block log.
            CertificateDamagedError: the file is not what was written, or does not certify this block log.
        """
        path = self._folder / NEWEST_NAME
        # STO-016
        return self._read(path, None) if path.is_file() else None

    def after(self, size: int) -> bytes | None:
        """Return the first kept certificate of a larger checkpoint, as it is kept, or None.

        Raises:
            CertificateDamagedError: it is not what was written, or does not certify this block log.
        """
        found = next((kept for kept in self.sizes() if kept > size), None)
        return None if found is None else _encode(self.read(found), self._network_id)

    def adopt(self, data: bytes) -> bool:
        """Keep a certificate that another node has kept, if it is of a change in this block log and verifies; return whether it is.

        Raises:
            InvalidInputError: the bytes are no certificate.
            BlockLogShortenedError: it is of a longer block log than this one.
            CertificateDamagedError: it does not certify this block log.
        """
        place = Path("the certificate of another node")
        certified = self._decode(data, place)
        size = certified.checkpoint.size
        if size > self._log.size:
            raise BlockLogShortenedError(f"{place} is of {size} headers; the block log here has {self._log.size}")
        # CER-005
        self._verify(certified, place)
        is_change = self._header_at(size - 1).next_certifiers != self._header_at(size - 2).next_certifiers
        if is_change and size not in self.sizes():
            self.keep(certified)
        return is_change

    def _write(self, path: Path, certified: CertifiedCheckpoint) -> None:
        files.make_folders(self._folder)
        files.replace(path, _encode(certified, self._network_id))

    def read(self, size: int) -> CertifiedCheckpoint:
        """Return the kept checkpoint of a size, which is in the log and ends with a change, and verify it.

        Raises:
            BlockLogShortenedError: it is one of a longer block log.
            CertificateDamagedError: the file is missing, not what was written, or does not certify this block log.
        """
        path = self._path(size)
        # STO-016
        if not path.is_file():
            raise CertificateDamagedError(f"the certificate {path} is missing; {_ADVICE}")
        return self._read(path, size)

    def _read(self, path: Path, size: int | None) -> CertifiedCheckpoint:
        with files.opened_for_reading(path) as descriptor:
            data = files.read_at(descriptor, path, 0, _FILE_BYTES_MAX + 1)
        try:
            certified = self._decode(data, path)
        except InvalidInputError as error:
            raise CertificateDamagedError(f"{path} is not what was written ({error.message}); {_ADVICE}") from error
        found = certified.checkpoint.size
        if size is not None and found != size:
            raise CertificateDamagedError(f"{path} is of another version, network or size; {_ADVICE}")
        if found > self._log.size:
            raise BlockLogShortenedError(f"{path} certifies a block log of {found} headers; the one here has only {self._log.size}")
        self._verify(certified, path)
        return certified

    def chain(self, size: int) -> tuple[CertifiedCheckpoint, ...]:
        """Return the kept checkpoints below `size`, each verified.

        Args:
            size: of a checkpoint of this block log, 1 or more.

        Raises:
            CertificateDamagedError: one is not what was written, or does not certify this block log.
        """
        return tuple(self.read(kept) for kept in self.sizes() if kept < size)

    def first_gap(self, size: int) -> int | None:
        """Return the size of the first checkpoint, up to `size`, to which the kept ones do not lead from the genesis, or None.

        The set that counts for a checkpoint must be the one that the certified change before it named. One that is missing was not
        certified by this node, or is lost.
        """
        # STO-016
        named = self._header_at(0).next_certifiers
        for reached in (*(kept for kept in self.sizes() if kept < size), size):
            if reached > 1 and self._header_at(reached - 2).next_certifiers != named:
                return reached
            named = self._header_at(reached - 1).next_certifiers
        return None

    def _decode(self, data: bytes, path: Path) -> CertifiedCheckpoint:
        name, version, network_id, size_item, root, certifiers, items = as_array(decode(data, _FILE_BYTES_MAX), "a certificate", 7)
        size = as_int(size_item, "size", 0)
        if (as_text(name, "format"), as_int(version, "version"), network_id) != (_FORMAT, _VERSION, self._network_id):
            raise CertificateDamagedError(f"{path} is of another version, network or size; {_ADVICE}")
        cosignatures = []
        for item in as_array(items, "cosignatures"):
            organisation, suite, public_key, time_s, signature = as_array(item, "a cosignature", 5)
            cosignatures.append(
                Cosignature(
                    as_name(organisation, "organisation"),
                    as_text(suite, "suite"),
                    as_bytes(public_key, "public key"),
                    as_int(time_s, "time"),
                    as_bytes(signature, "signature"),
                )
            )
        checkpoint = Checkpoint(self._network_id, size, as_hash(root, "root"))
        return CertifiedCheckpoint(checkpoint, CertifierSet.decode(as_bytes(certifiers, "certifier set")), tuple(cosignatures))

    def _verify(self, certified: CertifiedCheckpoint, path: Path) -> None:
        checkpoint, members = certified.checkpoint, certified.certifiers
        # STO-016
        if checkpoint.size < 2 or self._log.root(checkpoint.size) != checkpoint.root:
            raise CertificateDamagedError(f"{path} does not certify this block log; {_ADVICE}")
        if members.hash(self._log.chain_hash) != self._header_at(checkpoint.size - 2).next_certifiers:
            raise CertificateDamagedError(f"{path} names another certifier set than the one that counts; {_ADVICE}")
        signers = [(c.organisation, c.suite, c.public_key) for c in certified.cosignatures]
        counting = [m for m in members.members if (m.organisation, m.suite, m.public_key) in signers]
        power = sum(member.power for member in counting)
        # PRF-002
        if [(m.organisation, m.suite, m.public_key) for m in counting] != signers or 3 * power <= 2 * members.power:
            raise CertificateDamagedError(f"{path} does not hold the cosignatures that count; {_ADVICE}")
        items = [SignedItem(c.suite, c.public_key, cosignature_message(checkpoint, c.time_s), c.signature) for c in certified.cosignatures]
        if invalid_signatures(items):
            raise CertificateDamagedError(f"{path} has a cosignature that does not verify; {_ADVICE}")

    def _path(self, size: int) -> Path:
        return self._folder / f"{size:020d}.certificate"


def _encode(certified: CertifiedCheckpoint, network_id: bytes) -> bytes:
    ordered = sorted(certified.cosignatures, key=lambda c: c.organisation)
    cosignatures = [[c.organisation, c.suite, c.public_key, c.time_s, c.signature] for c in ordered]
    checkpoint = certified.checkpoint
    return encode([_FORMAT, _VERSION, network_id, checkpoint.size, checkpoint.root, certified.certifiers.encode(), cosignatures])

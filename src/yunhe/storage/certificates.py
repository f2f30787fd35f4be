"""Certified checkpoints that proofs need for ever: one for each change of the certifier set (PRF-012).

Only the set in force can certify the checkpoint that ends with the header which changes it, and its keys may be gone later, so these files
are not derived: they are kept beside the block log and belong in a backup. Everything in one is verifiable, so it carries no checksum of
its own. Specification: docs/spec/storage.md, "Certificates" (STO-016).
"""

from pathlib import Path
from typing import Final

from yunhe.errors import CertificateDamagedError, InvalidInputError
from yunhe.ledger.certifiers import CertifierSet
from yunhe.ledger.checkpoint import Checkpoint, Cosignature
from yunhe.ledger.codec import as_array, as_bytes, as_hash, as_int, as_name, as_text, decode, encode
from yunhe.ledger.proof import CertifiedCheckpoint
from yunhe.storage import files

_FORMAT: Final = "yunhe-certificate"
_VERSION: Final = 1
_FILE_BYTES_MAX: Final = 1024 * 1024
_SUFFIX: Final = ".certificate"


class Certificates:
    """A folder with one file for each kept checkpoint, named by its size."""

    def __init__(self, folder: Path, network_id: bytes) -> None:
        self._folder = folder
        self._network_id = network_id
        if not folder.exists():
            with files.named_refusals(folder):
                folder.mkdir()
            files.sync_directory(folder.parent)

    def sizes(self) -> tuple[int, ...]:
        """Return the sizes of the kept checkpoints, ascending."""
        return tuple(sorted(int(path.name.removesuffix(_SUFFIX)) for path in self._folder.glob(f"*{_SUFFIX}")))

    def keep(self, certified: CertifiedCheckpoint) -> None:
        """Keep a certified checkpoint; durable on return."""
        cosignatures = [[c.organisation, c.suite, c.public_key, c.time_s, c.signature] for c in certified.cosignatures]
        checkpoint = certified.checkpoint
        fields = [_FORMAT, _VERSION, self._network_id, checkpoint.size, checkpoint.root, certified.certifiers.encode(), cosignatures]
        files.replace(self._path(checkpoint.size), encode(fields))

    def read(self, size: int) -> CertifiedCheckpoint:
        """Return the kept checkpoint of a size.

        Raises:
            CertificateDamagedError: the file is missing or not what was written.
        """
        path = self._path(size)
        try:
            with files.opened_for_reading(path) as descriptor:
                return self._decode(files.read_at(descriptor, path, 0, _FILE_BYTES_MAX + 1), size)
        except InvalidInputError as error:
            raise CertificateDamagedError(f"{path} is not what was written; put it back from a backup") from error

    def _decode(self, data: bytes, size: int) -> CertifiedCheckpoint:
        name, version, network_id, kept_size, root, certifiers, items = as_array(decode(data, _FILE_BYTES_MAX), "a certificate", 7)
        # STO-016
        if (as_text(name, "format"), as_int(version, "version"), network_id, kept_size) != (_FORMAT, _VERSION, self._network_id, size):
            raise CertificateDamagedError(f"{self._path(size)} is of another version, network or size")
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

    def _path(self, size: int) -> Path:
        return self._folder / f"{size:020d}{_SUFFIX}"

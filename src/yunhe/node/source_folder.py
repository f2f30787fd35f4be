"""Contracts' sources as files, for debuggers and editors to show and to stop in.

A file is named by contract and code hash, `counters-1f0c2a9b.py`: two versions of a contract are two files, a file of that name that is
there already is of the same source or was altered, and a developer's own files are never written over.
"""

from pathlib import Path
from typing import Final

from yunhe.contracts.loader import source_hash
from yunhe.crypto import ChainHash
from yunhe.errors import InvalidConfigurationError

_HASH_DIGITS: Final = 8


class SourceFolder:
    """A folder that sources are put into."""

    def __init__(self, path: Path, chain_hash: ChainHash) -> None:
        self._path = path
        self._chain_hash = chain_hash
        self.files: dict[str, list[Path]] = {}
        """Files put here, by contract."""

    def place(self, name: str, source: str) -> str:
        """Put a source into its file and return the file's absolute path.

        Raises:
            InvalidConfigurationError: the file cannot be written.
        """
        digest = source_hash(source, self._chain_hash).hex()[:_HASH_DIGITS]
        # The path is the one that breakpoints are compared by, so links on the way to it are followed once, here.
        file = self._path.resolve() / f"{name}-{digest}.py"
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(source, encoding="utf-8", newline="\n")
        except OSError as error:
            raise InvalidConfigurationError(f"{file} cannot be written: {error.strerror}") from error
        placed = self.files.setdefault(name, [])
        if file not in placed:
            placed.append(file)
        return str(file)

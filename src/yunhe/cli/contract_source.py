"""A contract's source from a file: read, and checked as deployment does it."""

import os
import stat
from dataclasses import asdict
from pathlib import Path
from typing import Final

import typer

from yunhe.cli.findings import listed
from yunhe.cli.output import EXIT_REFUSED, output
from yunhe.contracts.checker import check
from yunhe.contracts.loader import inspect_source
from yunhe.errors import ContractRefusedError, InvalidInputError
from yunhe.limits import CONTRACT_SOURCE_BYTES_MAX

_KINDS: Final = {stat.S_IFIFO: "a FIFO", stat.S_IFSOCK: "a socket"}


def checked_source(path: Path) -> str:
    """Return a contract's source, or print what is wrong with it and end.

    Raises:
        InvalidInputError: the file cannot be read.
    """
    raw = _read(path)
    try:
        source = check(raw).source
        # What a source says of itself can be within the subset and yet not load; deployment loads it.
        inspect_source(source, name=path.stem)
    except ContractRefusedError as error:
        findings = [asdict(finding) for finding in error.findings]
        told = {"file": str(path), "accepted": False, "code": error.code, "findings": findings}
        output.result(told, listed(path, raw, error.findings))
        raise typer.Exit(EXIT_REFUSED) from error
    return source


def _read(path: Path) -> bytes:
    try:
        # Without waiting: a FIFO opened for reading waits for a writer that may never come.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            kind = stat.S_IFMT(os.fstat(file.fileno()).st_mode)
            if kind != stat.S_IFREG:
                raise InvalidInputError(
                    f"{path} is {_KINDS.get(kind, 'a device')} and no regular file; name a file with a contract's source"
                )
            return file.read(CONTRACT_SOURCE_BYTES_MAX + 1)
    except OSError as error:
        raise InvalidInputError(f"{path} cannot be read: {error.strerror}") from error

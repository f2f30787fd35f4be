"""A contract's source from a file: read, and checked as deployment does it."""

from dataclasses import asdict
from pathlib import Path

import typer

from yunhe.cli.findings import listed
from yunhe.cli.output import EXIT_REFUSED, output
from yunhe.contracts.checker import check
from yunhe.contracts.loader import inspect_source
from yunhe.errors import ContractRefusedError, InvalidInputError
from yunhe.limits import CONTRACT_SOURCE_BYTES_MAX


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
        with path.open("rb") as file:
            return file.read(CONTRACT_SOURCE_BYTES_MAX + 1)
    except OSError as error:
        raise InvalidInputError(f"{path} cannot be read: {error.strerror}") from error

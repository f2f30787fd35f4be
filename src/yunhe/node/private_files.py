"""Files of a folder that somebody runs a service from: written once, durable, secrets for the owner alone; read in bounds."""

import os
from pathlib import Path

from yunhe.errors import InvalidConfigurationError


def write_secret(path: Path, data: bytes) -> None:
    """Write a new file that the owner alone can read; durable on return."""
    write_durably(path, data, 0o600)


def write_durably(path: Path, data: bytes, mode: int) -> None:
    """Write a new file whose content is on the disk before the folder's name is: a key that a power cut took is lost for ever."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def read_bounded(path: Path, bytes_max: int, advice: str = "") -> bytes:
    """Return a small file's content.

    Args:
        path: of the file.
        bytes_max: most bytes that it may have.
        advice: what the error says to do, after a semicolon.

    Raises:
        InvalidConfigurationError: it cannot be read, or is larger.
    """
    try:
        with path.open("rb") as file:
            data = file.read(bytes_max + 1)
    except OSError as error:
        raise InvalidConfigurationError(f"{path} cannot be read: {error.strerror}{advice}") from error
    if len(data) > bytes_max:
        raise InvalidConfigurationError(f"{path} is larger than {bytes_max} bytes")
    return data

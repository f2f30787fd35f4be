"""Certificate and key of a node's HTTP API, as files (API-023)."""

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography import x509

from yunhe.errors import InvalidConfigurationError

_CERTIFICATE_BYTES_MAX: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class TlsPair:
    """A certificate with its key, ready to be used."""

    context: ssl.SSLContext
    expires_ms: int
    """Milliseconds since 1970-01-01 UTC."""


def read_pair(certificate: Path, key: Path) -> TlsPair:
    """Read a certificate and its key.

    Args:
        certificate: PEM file, the node's own certificate first, then those that lead to its authority.
        key: PEM file, without a passphrase.

    Raises:
        InvalidConfigurationError: a file cannot be read, is none, or they do not belong together.
    """
    # API-023
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        with certificate.open("rb") as file:
            first, *_ = x509.load_pem_x509_certificates(file.read(_CERTIFICATE_BYTES_MAX))
        # Without a passphrase the key is readable by who owns its file, as the node's other secrets are.
        context.load_cert_chain(certificate, key, password=_no_passphrase)
    except ssl.SSLError as error:
        raise InvalidConfigurationError(f"{certificate} and {key} are no pair of certificate and key: {error.reason or error}") from error
    except OSError as error:
        raise InvalidConfigurationError(f"{error.filename or certificate} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise InvalidConfigurationError(f"{certificate} holds no certificate in PEM, or {key} has a passphrase: {error}") from error
    return TlsPair(context, int(first.not_valid_after_utc.timestamp() * 1000))


def _no_passphrase() -> str:
    raise ValueError("a key with a passphrase cannot be loaded without anybody to type it; store it without one")

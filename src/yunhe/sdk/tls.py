"""Whose certificates a client accepts when it asks a node by `https`."""

import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from yunhe.errors import InvalidConfigurationError


def trusting(authority: Path) -> ssl.SSLContext:
    """Accept what a consortium's own authority signed for the node's name, instead of what the system trusts.

    Args:
        authority: PEM file with one certificate or more.

    Raises:
        InvalidConfigurationError: it cannot be read, or holds none.
    """
    context = _context()
    try:
        context.load_verify_locations(authority)
    except ssl.SSLError as error:
        raise InvalidConfigurationError(f"{authority} holds no certificate in PEM: {error.reason or error}") from error
    except OSError as error:
        raise InvalidConfigurationError(f"{authority} cannot be read: {error.strerror}") from error
    return context


def pinned_to(certificate: Path) -> ssl.SSLContext:
    """Accept one certificate, whatever name is in it and whoever signed it: that of a node whose folder one can read.

    Args:
        certificate: PEM file, the node's own certificate first.

    Raises:
        InvalidConfigurationError: it cannot be read, or holds none.
    """
    try:
        first = x509.load_pem_x509_certificates(certificate.read_bytes())[0]
    except (OSError, ValueError) as error:
        raise InvalidConfigurationError(f"{certificate} holds no certificate in PEM, or cannot be read: {error}") from error
    context = _context()
    # The file may go on with the authority's, which signed others as well.
    context.load_verify_locations(cadata=first.public_bytes(Encoding.DER))
    context.check_hostname = False
    # The node's own is enough, without the authority that signed it.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context

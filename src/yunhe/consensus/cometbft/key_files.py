"""The two keys of a CometBFT process, in the files that it reads.

The validator key signs votes; the peer key authenticates the process to the others, which know it by its id. Both are Ed25519, whatever
suite the ledger uses, and neither signs anything of the ledger. They lie unencrypted, readable by the owner alone, because the process
reads them itself. Specification: docs/spec/network.md, "The engine's home".
"""

import base64
import hashlib
import json
from typing import Any, Final

from yunhe.crypto import ED25519_SHA256, PrivateKey, PublicKey
from yunhe.errors import EngineFilesError, InvalidKeyError

_PUBLIC_TYPE: Final = "tendermint/PubKeyEd25519"
_PRIVATE_TYPE: Final = "tendermint/PrivKeyEd25519"
_ADDRESS_BYTES: Final = 20
_SECRET_BYTES: Final = 32


def address(public_key: bytes) -> bytes:
    """Return the 20 bytes by which CometBFT names a key."""
    return hashlib.sha256(public_key).digest()[:_ADDRESS_BYTES]


def peer_id(public_key: bytes) -> str:
    """Return the id by which other processes know the holder of a peer key; 40 hexadecimal digits."""
    return address(public_key).hex()


def public_key_value(public_key: bytes) -> dict[str, str]:
    """Return a public key as CometBFT's JSON has it."""
    return {"type": _PUBLIC_TYPE, "value": base64.b64encode(public_key).decode("ascii")}


def validator_key_file(key: PrivateKey) -> str:
    """Return the text of the validator key's file."""
    raw = key.public_key.raw
    return _text({"address": address(raw).hex().upper(), "pub_key": public_key_value(raw), "priv_key": _private_value(key)})


def peer_key_file(key: PrivateKey) -> str:
    """Return the text of the peer key's file."""
    return _text({"priv_key": _private_value(key)})


def read_public_key(text: str, where: str) -> PublicKey:
    """Return the public half of the key in either file.

    Raises:
        EngineFilesError: the text is no such file.
    """
    try:
        raw = base64.b64decode(json.loads(text)["priv_key"]["value"], validate=True)
        return PrivateKey(ED25519_SHA256.name, raw[:_SECRET_BYTES]).public_key
    except (ValueError, KeyError, TypeError, RecursionError, InvalidKeyError) as error:
        raise EngineFilesError(f"{where} is no key file of the engine; put back the one that was there") from error


def _private_value(key: PrivateKey) -> dict[str, str]:
    # The form is the secret followed by the public half.
    return {"type": _PRIVATE_TYPE, "value": base64.b64encode(key.raw + key.public_key.raw).decode("ascii")}


def _text(value: dict[str, Any]) -> str:
    return json.dumps(value, indent=2) + "\n"

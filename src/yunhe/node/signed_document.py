"""JSON documents that nodes hand to one another by people's hands, each signed by the node that wrote it.

The signature covers the canonical encoding of all fields but itself under a tag of the document's kind, so layout does not matter and
content does. Specification: docs/spec/network.md, "Joining".
"""

import json
from pathlib import Path
from typing import Any, Final, TypeVar

from yunhe.crypto import PrivateKey, PublicKey
from yunhe.errors import InvalidConfigurationError, InvitationInvalidError, YunheError
from yunhe.ledger.codec import encode
from yunhe.ledger.envelope import NodeIdentity
from yunhe.limits import JOINING_FILE_BYTES_MAX

_SIGNATURE: Final = "signature"
_IDENTITY: Final = ("organisation", "node", "suite", "public_key")

Field = TypeVar("Field", str, int, list[Any], dict[str, Any])


def identity_value(identity: NodeIdentity) -> dict[str, str]:
    """Return a node as documents name it."""
    return {
        "organisation": identity.organisation,
        "node": identity.node,
        "suite": identity.suite,
        "public_key": identity.public_key.hex(),
    }


def sign_document(value: dict[str, Any], tag: bytes, key: PrivateKey) -> str:
    """Return the text of a document with its signature."""
    signature = key.sign(_message(value, tag))
    return json.dumps(value | {_SIGNATURE: signature.hex()}, indent=2, ensure_ascii=False) + "\n"


def read_document(path: Path, kind: str, version: int) -> "Document":
    """Read a document of a kind.

    Raises:
        InvalidConfigurationError: the file cannot be read.
        InvitationInvalidError: it is no document of the kind and version.
    """
    try:
        with path.open("rb") as file:
            data = file.read(JOINING_FILE_BYTES_MAX + 1)
    except OSError as error:
        raise InvalidConfigurationError(f"{path} cannot be read: {error.strerror}") from error
    if len(data) > JOINING_FILE_BYTES_MAX:
        raise InvitationInvalidError(f"{path} is larger than {JOINING_FILE_BYTES_MAX} bytes, and so is no {kind}")
    try:
        value = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise InvitationInvalidError(f"{path} is no {kind}: it is not JSON; ask for it again") from error
    if not isinstance(value, dict) or (value.get("format"), value.get("version")) != (kind, version):
        raise InvitationInvalidError(f"{path} is no {kind} of version {version}; ask for one that was made with this version of Yunhe")
    return Document(path, kind, value)


class Document:
    """A document that was read; nothing in it is believed before `verify`."""

    def __init__(self, path: Path, kind: str, value: dict[str, Any]) -> None:
        self._path = path
        self._kind = kind
        self._value = value

    def verify(self, tag: bytes, signer: NodeIdentity, names: tuple[str, ...]) -> None:
        """Check that the node that the document names signed it as it is, and that it has the fields of its kind.

        Raises:
            InvitationInvalidError: it was altered, or has other fields.
        """
        value = dict(self._value)
        try:
            signature = bytes.fromhex(value.pop(_SIGNATURE))
            PublicKey(signer.suite, signer.public_key).verify(_message(value, tag), signature)
        except (KeyError, TypeError, ValueError, RecursionError, YunheError) as error:
            raise self.refusal(f"was altered: the signature of {signer.name} does not verify; ask for it again, by another way") from error
        if value.keys() != {"format", "version", *names}:
            raise self.refusal("has other fields than this version of Yunhe knows; use the version that made it")

    def get(self, name: str, kind: type[Field]) -> Field:
        """Return a field.

        Raises:
            InvitationInvalidError: it is missing or of another type.
        """
        found = self._value.get(name)
        if not isinstance(found, kind) or isinstance(found, bool):
            raise self.refusal(f"has no proper {name!r}; ask for it again")
        return found

    def hex(self, name: str) -> bytes:
        """Return a field in hexadecimal digits; raises as `get`."""
        try:
            return bytes.fromhex(self.get(name, str))
        except ValueError as error:
            raise self.refusal(f"has no proper {name!r}; ask for it again") from error

    def identity(self, name: str) -> NodeIdentity:
        """Return a node that it names; raises as `get`."""
        value = self.get(name, dict)
        try:
            organisation, node, suite, public_key = (value[part] for part in _IDENTITY)
            identity = NodeIdentity(str(organisation), str(node), str(suite), bytes.fromhex(public_key))
            PublicKey(identity.suite, identity.public_key)
        except (KeyError, TypeError, ValueError, YunheError) as error:
            raise self.refusal(f"has no proper {name!r}; ask for it again") from error
        return identity

    def refusal(self, fault: str) -> InvitationInvalidError:
        """Return the error for what is wrong with it."""
        return InvitationInvalidError(f"{self._path} {fault}")


def _message(value: dict[str, Any], tag: bytes) -> bytes:
    return tag + b"\x00" + encode(value)

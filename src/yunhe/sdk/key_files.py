"""Key files: one encrypted PKCS#8 file for each member's key, which says whose it is.

```
Yunhe key
Member: carrier/clerk
Suite: ed25519-sha256
Public-Key: 5c0e…
-----BEGIN ENCRYPTED PRIVATE KEY-----
```

A key of `sm2-sm3` has one line more, `Signer-Id: 1234567812345678` (COD-023). The lines before the PEM block are explanatory text (RFC 7468
§2), which other tools skip. They are for people and for finding a key; what they say of the key is compared with the key itself when the
file is opened.
"""

import contextlib
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from yunhe.crypto import ED25519_SHA256, PrivateKey, PublicKey
from yunhe.crypto import suite as suite_named
from yunhe.errors import InvalidKeyError, KeyFileExistsError, KeyFileNotFoundError, MalformedError
from yunhe.ledger.codec import as_name
from yunhe.ledger.transaction import Signer
from yunhe.limits import KEY_FILE_BYTES_MAX

_TITLE: Final = "Yunhe key"


@dataclass(frozen=True, slots=True)
class Member:
    """A member's identity as the registry knows it."""

    organisation: str
    member: str

    @classmethod
    def parse(cls, text: str) -> "Member":
        """Read `organisation/member`.

        Raises:
            MalformedError: it is something else.
        """
        organisation, slash, member = text.partition("/")
        if not slash:
            raise MalformedError(f"{text!r} is no member: write ORGANISATION/MEMBER, such as port/admin")
        return cls(as_name(organisation, "the organisation in organisation/member"), as_name(member, "the member in organisation/member"))

    def __str__(self) -> str:
        """Return `organisation/member`."""
        return f"{self.organisation}/{self.member}"


@dataclass(frozen=True, slots=True)
class MemberKey:
    """A member with an opened private key: what signs transactions."""

    member: Member
    key: PrivateKey = field(repr=False)

    @property
    def signer(self) -> Signer:
        """The member as a transaction lists it."""
        return Signer(self.member.organisation, self.member.member, self.key.suite, self.key.public_key.raw)


@dataclass(frozen=True, slots=True)
class KeyFile:
    """A key file that is not opened: what can be read without the passphrase."""

    path: Path
    member: Member
    public_key: PublicKey
    pem: bytes = field(repr=False)

    @property
    def signer_id(self) -> str | None:
        """Id that is hashed with the key when it signs; None where its suite has no such thing (COD-023)."""
        return suite_named(self.public_key.suite).signer_id

    def open(self, passphrase: str) -> MemberKey:
        """Decrypt the key.

        Raises:
            WrongPassphraseError: the passphrase does not open it.
            InvalidKeyError: the key is not the one that the file names, or the passphrase is not text.
        """
        key = PrivateKey.from_pem(self.pem, _passphrase_bytes(passphrase))
        if key.public_key != self.public_key:
            raise InvalidKeyError(f"{self.path} holds another key than the public key that it names")
        return MemberKey(self.member, key)


def create_key_file(path: Path, member: Member, passphrase: str, suite: str = ED25519_SHA256.name) -> KeyFile:
    """Make a new key and write its file, readable by the owner alone.

    Raises:
        KeyFileExistsError: the file is there already; it was not touched.
        InvalidKeyError: the passphrase is empty or not text, or the file cannot be written.
    """
    key = PrivateKey.generate(suite)
    lines = [_TITLE, f"Member: {member}", f"Suite: {suite}", f"Public-Key: {key.public_key.raw.hex()}"]
    signer_id = suite_named(suite).signer_id
    if signer_id is not None:
        lines.append(f"Signer-Id: {signer_id}")
    data = "\n".join([*lines, ""]).encode() + key.to_pem(_passphrase_bytes(passphrase))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise KeyFileExistsError(f"{path} exists; a key is never overwritten: choose another name or move the file away") from error
    except OSError as error:
        raise InvalidKeyError(f"{path} cannot be written: {error.strerror}") from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    return read_key_file(path)


def read_key_file(path: Path) -> KeyFile:
    """Read what a key file says without its passphrase.

    Raises:
        KeyFileNotFoundError: there is none.
        InvalidKeyError: it is no key file of Yunhe.
    """
    try:
        with path.open("rb") as file:
            data = file.read(KEY_FILE_BYTES_MAX + 1)
    except FileNotFoundError as error:
        raise KeyFileNotFoundError(f"there is no key file {path}; `yunhe key new` makes one") from error
    except OSError as error:
        raise InvalidKeyError(f"{path} cannot be read: {error.strerror}") from error
    head, marker, _ = data.partition(b"-----BEGIN")
    fields: dict[str, str] = {}
    for line in head.decode("utf-8", "replace").splitlines()[1:]:
        name, _, value = line.partition(":")
        fields[name.strip()] = value.strip()
    if not marker or len(data) > KEY_FILE_BYTES_MAX or not head.startswith(_TITLE.encode()):
        raise InvalidKeyError(f"{path} is not a key file of Yunhe (`yunhe key new` makes one)")
    with contextlib.suppress(KeyError, ValueError, MalformedError):
        public_key = PublicKey(fields["Suite"], bytes.fromhex(fields["Public-Key"]))
        key_file = KeyFile(path, Member.parse(fields["Member"]), public_key, data)
        # COD-023
        if fields.get("Signer-Id") != key_file.signer_id:
            raise InvalidKeyError(
                f"{path} is for the signer id {fields.get('Signer-Id')!r}; a key of {public_key.suite} has {key_file.signer_id!r}"
            )
        return key_file
    raise InvalidKeyError(f"{path} does not say whose key it holds; its first lines were changed")


def _passphrase_bytes(passphrase: str) -> bytes:
    try:
        return passphrase.encode()
    except UnicodeEncodeError as error:
        raise InvalidKeyError("the passphrase is not text in UTF-8") from error


class Wallet:
    """A folder of key files, named `<organisation>.<member>.pem`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def create(self, member: Member, passphrase: str, suite: str = ED25519_SHA256.name) -> KeyFile:
        """Make a new key for a member; raises as `create_key_file`."""
        return create_key_file(self.path(member), member, passphrase, suite)

    def find(self, member: Member) -> KeyFile:
        """Return a member's key file; raises as `read_key_file`."""
        return read_key_file(self.path(member))

    def key_files(self) -> list[KeyFile]:
        """Return all key files of the folder, by name; other files are passed over."""
        found = []
        for path in sorted(self._folder.glob("*.pem")):
            with contextlib.suppress(InvalidKeyError):
                found.append(read_key_file(path))
        return found

    def path(self, member: Member) -> Path:
        """Return where a member's key file is."""
        return self._folder / f"{member.organisation}.{member.member}.pem"

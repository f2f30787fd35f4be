"""Certifier sets: whose cosignatures make a checkpoint count, and with what power (LED-041, PRF-002)."""

from collections.abc import Sequence
from dataclasses import dataclass

from yunhe.crypto import ChainHash, PublicKey
from yunhe.crypto.hashes import TAG_CERTIFIERS
from yunhe.errors import MalformedError
from yunhe.ledger.codec import Value, as_array, as_bytes, as_int, as_name, as_text, decode, encode
from yunhe.limits import CERTIFIER_POWER_MAX, CERTIFIERS_MAX

_SET_BYTES_MAX = 64 * 1024


@dataclass(frozen=True, slots=True)
class Certifier:
    """An organisation's ledger key and its weight."""

    organisation: str
    suite: str
    public_key: bytes
    power: int
    """1 to `CERTIFIER_POWER_MAX`."""

    def __post_init__(self) -> None:
        PublicKey(self.suite, self.public_key)
        if not 1 <= self.power <= CERTIFIER_POWER_MAX:
            raise MalformedError(f"a certifier's power is 1 to {CERTIFIER_POWER_MAX}, not {self.power}")


@dataclass(frozen=True, slots=True)
class CertifierSet:
    """Certifiers in order of organisation, each organisation once."""

    members: tuple[Certifier, ...]

    @classmethod
    def of(cls, members: Sequence[Certifier]) -> "CertifierSet":
        """Sort certifiers into a set.

        Raises:
            MalformedError: none, too many, or an organisation twice.
        """
        ordered = tuple(sorted(members, key=lambda member: member.organisation))
        if not 1 <= len(ordered) <= CERTIFIERS_MAX or len({member.organisation for member in ordered}) != len(ordered):
            raise MalformedError(f"a certifier set has 1 to {CERTIFIERS_MAX} certifiers, each organisation once")
        return cls(ordered)

    @property
    def power(self) -> int:
        """Sum of all powers."""
        return sum(member.power for member in self.members)

    def find(self, organisation: str) -> Certifier | None:
        """Return an organisation's certifier, if it has one."""
        return next((member for member in self.members if member.organisation == organisation), None)

    def encode(self) -> bytes:
        """Return the canonical set."""
        return encode([[m.organisation, m.suite, m.public_key, m.power] for m in self.members])

    def hash(self, chain_hash: ChainHash) -> bytes:
        """Return what a header's `next_certifiers` holds."""
        return chain_hash.tagged(TAG_CERTIFIERS, self.encode())

    @classmethod
    def decode(cls, data: bytes) -> "CertifierSet":
        """Take an encoded set apart.

        Raises:
            EncodingError: not canonical.
            MalformedError: not a certifier set, or not in order.
        """
        members = tuple(_certifier(item) for item in as_array(decode(data, _SET_BYTES_MAX), "a certifier set", length_max=CERTIFIERS_MAX))
        if cls.of(members).members != members:
            raise MalformedError("a certifier set is sorted by organisation")
        return cls(members)


def _certifier(item: Value) -> Certifier:
    organisation, suite_name, public_key, power = as_array(item, "a certifier", 4)
    return Certifier(
        as_name(organisation, "a certifier's organisation"),
        as_text(suite_name, "a certifier's suite"),
        as_bytes(public_key, "a certifier's public key"),
        as_int(power, "a certifier's power", 1),
    )

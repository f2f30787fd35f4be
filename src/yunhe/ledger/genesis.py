"""The genesis: what a network's founders agree on, and what its id is the hash of.

The file is JSON for people; the network id is over its canonical value, so layout does not matter and content does (LED-001). This
module knows the fields and nothing of files. The genesis state itself is written by the system contracts (`yunhe.contracts.system`).
Specification: docs/spec/ledger.md, "Genesis".
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from yunhe.crypto import ED25519_SHA256, ChainHash, PublicKey, chain_hash, suite_names
from yunhe.crypto.hashes import TAG_GENESIS
from yunhe.errors import InvalidGenesisError, YunheError
from yunhe.ledger.certifiers import Certifier, CertifierSet
from yunhe.ledger.codec import as_name, encode
from yunhe.ledger.envelope import NodeIdentity
from yunhe.ledger.header import Header
from yunhe.ledger.layouts import DEFAULT_PARAMETERS, PARAMETER_BOUNDS, SYSTEM_CONTRACTS
from yunhe.ledger.merkle import merkle_root
from yunhe.ledger.validators import Validator
from yunhe.limits import GENESIS_BYTES_MAX, HASH_BYTES, INTEGER_MAX

FORMAT: Final = "yunhe-genesis"
VERSION: Final = 1
PROTOCOL_VERSION: Final = 1
"""Version of the ledger's rules that this code runs."""

THRESHOLD_KINDS: Final = ("certifier", "contract", "organisation", "parameter", "protocol", "suite")
"""Kinds of proposals, each with its threshold."""
THRESHOLDS: Final = ("majority", "two_thirds", "all")
"""More than half, more than two thirds, or all of the active organisations."""


@dataclass(frozen=True, slots=True)
class FoundingMember:
    """A member that is enrolled from the beginning."""

    member: str
    roles: tuple[str, ...]
    keys: tuple[PublicKey, ...]


@dataclass(frozen=True, slots=True)
class FoundingOrganisation:
    """An organisation that is enrolled from the beginning."""

    organisation: str
    title: str
    """Its name for people."""
    members: tuple[FoundingMember, ...]
    nodes: tuple[NodeIdentity, ...]


@dataclass(frozen=True, slots=True)
class Genesis:
    """A genesis that has been checked."""

    name: str
    """The network's name for people; two networks may share it."""
    time_ms: int
    """Time of header 0."""
    chain_hash: ChainHash
    python: str
    """CPython minor version that runs the contracts, such as `3.11`."""
    protocol_version: int
    suites: tuple[str, ...]
    """Suites allowed from the beginning, sorted."""
    parameters: Mapping[str, int]
    thresholds: Mapping[str, str]
    """Kind of proposal to threshold."""
    organisations: tuple[FoundingOrganisation, ...]
    certifiers: CertifierSet
    system_contracts: Mapping[str, bytes]
    """Name to code hash."""
    validators: tuple[Validator, ...] = ()
    """Of the engine between organisations, in order of organisation; none where one node orders its own envelopes."""

    def to_json(self) -> str:
        """Return the genesis file."""
        return json.dumps(self._value(), indent=2, ensure_ascii=False) + "\n"

    @property
    def network_id(self) -> bytes:
        """Tagged hash of the genesis value; 32 bytes."""
        return self.chain_hash.tagged(TAG_GENESIS, encode(self._value()))

    def header(self, state_root: bytes) -> Header:
        """Return header 0, given the root of the genesis state (LED-002)."""
        # LED-002
        nothing = merkle_root([], self.chain_hash)
        return Header(
            network_id=self.network_id,
            height=0,
            time_ms=self.time_ms,
            previous=bytes(HASH_BYTES),
            transactions_root=nothing,
            receipts_root=nothing,
            state_root=state_root,
            next_certifiers=self.certifiers.hash(self.chain_hash),
        )

    @classmethod
    def from_json(cls, text: bytes) -> "Genesis":
        """Read a genesis file.

        Raises:
            InvalidGenesisError: it is not one; the message names the field (LED-001).
        """
        # LED-001
        if len(text) > GENESIS_BYTES_MAX:
            raise InvalidGenesisError(f"a genesis file is at most {GENESIS_BYTES_MAX} bytes")
        try:
            value = json.loads(text.decode("utf-8"), object_pairs_hook=_unique_names, parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            raise InvalidGenesisError(f"the genesis file is not JSON: {error}") from error
        try:
            genesis = _genesis(value)
        except InvalidGenesisError:
            raise
        except YunheError as error:
            raise InvalidGenesisError(f"the genesis file is not valid: {error.message}") from error
        if genesis._value() != value:
            raise InvalidGenesisError("the genesis file has its certifiers or suites unsorted, or a field in a form of its own")
        return genesis

    def _value(self) -> dict[str, Any]:
        # Only a network of several has validators, and the file of one that has none says nothing of them.
        validators = [{"organisation": v.organisation, "public_key": v.public_key.hex(), "power": v.power} for v in self.validators]
        return ({"validators": validators} if validators else {}) | {
            "format": FORMAT,
            "version": VERSION,
            "name": self.name,
            "time_ms": self.time_ms,
            "hash": self.chain_hash.name,
            "python": self.python,
            "protocol_version": self.protocol_version,
            "suites": list(self.suites),
            "parameters": dict(self.parameters),
            "thresholds": dict(self.thresholds),
            "organisations": [_organisation_value(organisation) for organisation in self.organisations],
            "certifiers": [
                {"organisation": c.organisation, "suite": c.suite, "public_key": c.public_key.hex(), "power": c.power}
                for c in self.certifiers.members
            ],
            "system_contracts": {name: code_hash.hex() for name, code_hash in self.system_contracts.items()},
        }


def _organisation_value(organisation: FoundingOrganisation) -> dict[str, Any]:
    return {
        "organisation": organisation.organisation,
        "title": organisation.title,
        "members": [
            {
                "member": member.member,
                "roles": list(member.roles),
                "keys": [{"suite": key.suite, "public_key": key.raw.hex()} for key in member.keys],
            }
            for member in organisation.members
        ],
        "nodes": [{"node": n.node, "suite": n.suite, "public_key": n.public_key.hex()} for n in organisation.nodes],
    }


def _unique_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a name occurs twice in one object")
    return fields


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")


class _Fields:
    """One object of the file: every field is taken once, by type, and none may be left."""

    def __init__(self, value: object, where: str) -> None:
        if not isinstance(value, dict):
            raise InvalidGenesisError(f"{where} must be an object")
        self._left = dict(value)
        self._where = where

    def _take(self, name: str, kind: type, description: str) -> Any:  # noqa: ANN401  # the caller names the type
        if name not in self._left:
            raise InvalidGenesisError(f"{self._where} lacks the field {name!r}")
        value = self._left.pop(name)
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise InvalidGenesisError(f"{self._where}: {name!r} must be {description}")
        return value

    def text(self, name: str) -> str:
        value = self._take(name, str, "text")
        try:
            value.encode("utf-8")
        except UnicodeEncodeError as error:
            raise InvalidGenesisError(f"{self._where}: {name!r} is not valid Unicode") from error
        return str(value)

    def name(self, name: str) -> str:
        return as_name(self.text(name), f"{self._where}: {name!r}")

    def integer(self, name: str, minimum: int, maximum: int = INTEGER_MAX) -> int:
        value: int = self._take(name, int, "an integer")
        if not minimum <= value <= maximum:
            raise InvalidGenesisError(f"{self._where}: {name!r} must be from {minimum} to {maximum}")
        return value

    def hex(self, name: str) -> bytes:
        text = self.text(name)
        try:
            raw = bytes.fromhex(text)
        except ValueError:
            raw = b""
        if not raw or raw.hex() != text:
            raise InvalidGenesisError(f"{self._where}: {name!r} must be lower-case hexadecimal")
        return raw

    def has(self, name: str) -> bool:
        return name in self._left

    def items(self, name: str) -> list[Any]:
        return list(self._take(name, list, "a list"))

    def object(self, name: str) -> "_Fields":
        return _Fields(self._take(name, dict, "an object"), f"{self._where}.{name}")

    def names(self) -> list[str]:
        return list(self._left)

    def done(self) -> None:
        if self._left:
            raise InvalidGenesisError(f"{self._where} has the unknown field {min(self._left)!r}; this version of Yunhe does not know it")


def _genesis(value: object) -> Genesis:
    fields = _Fields(value, "genesis")
    if fields.text("format") != FORMAT or fields.integer("version", 1) != VERSION:
        raise InvalidGenesisError(f"genesis: 'format' must be {FORMAT!r} and 'version' {VERSION}")
    genesis = Genesis(
        name=fields.text("name"),
        time_ms=fields.integer("time_ms", 1),
        chain_hash=chain_hash(fields.text("hash")),
        python=fields.text("python"),
        protocol_version=fields.integer("protocol_version", PROTOCOL_VERSION, PROTOCOL_VERSION),
        suites=_suites(fields.items("suites")),
        parameters=_parameters(fields.object("parameters")),
        thresholds=_thresholds(fields.object("thresholds")),
        organisations=tuple(_organisation(item) for item in fields.items("organisations")),
        certifiers=CertifierSet.of([_certifier(item) for item in fields.items("certifiers")]),
        system_contracts=_code_hashes(fields.object("system_contracts")),
        validators=tuple(_validator(item) for item in fields.items("validators")) if fields.has("validators") else (),
    )
    fields.done()
    _check_founders(genesis)
    _check_validators(genesis)
    return genesis


def _check_founders(genesis: Genesis) -> None:
    names = [organisation.organisation for organisation in genesis.organisations]
    if not names or len(set(names)) != len(names):
        raise InvalidGenesisError("genesis: 'organisations' must name at least one organisation, and each once")
    if not any("admin" in m.roles and m.keys for o in genesis.organisations for m in o.members):
        raise InvalidGenesisError("genesis: no founding organisation has a member with the role admin and a key; nobody could ever vote")
    for certifier in genesis.certifiers.members:
        if certifier.organisation not in names:
            raise InvalidGenesisError(f"genesis: the certifier {certifier.organisation!r} is not one of the organisations")
    used = {certifier.suite for certifier in genesis.certifiers.members}
    for organisation in genesis.organisations:
        used |= {key.suite for member in organisation.members for key in member.keys} | {node.suite for node in organisation.nodes}
    strange = used - set(genesis.suites)
    # LED-003
    if strange:
        raise InvalidGenesisError(f"genesis: a key is of the suite {min(strange)!r}; add that to 'suites', or take other keys")


def _check_validators(genesis: Genesis) -> None:
    # LED-004
    if not genesis.validators:
        return
    certifying = [(certifier.organisation, certifier.power) for certifier in genesis.certifiers.members]
    if [(validator.organisation, validator.power) for validator in genesis.validators] != certifying:
        raise InvalidGenesisError("genesis: 'validators' must name the organisations of 'certifiers', in order and with the same powers")
    if len({validator.public_key for validator in genesis.validators}) != len(genesis.validators):
        raise InvalidGenesisError("genesis: two of the 'validators' have one key; each engine has a key of its own")


def _suites(items: Sequence[Any]) -> tuple[str, ...]:
    for item in items:
        if item not in suite_names():
            raise InvalidGenesisError(f"genesis: the suite {item!r} is unknown; this version knows {', '.join(suite_names())}")
    if not items or list(items) != sorted(set(items)):
        raise InvalidGenesisError("genesis: 'suites' must name at least one suite, sorted, each once")
    return tuple(items)


def _parameters(fields: _Fields) -> dict[str, int]:
    # SYS-013
    parameters = {name: fields.integer(name, *PARAMETER_BOUNDS[name]) for name in DEFAULT_PARAMETERS}
    fields.done()
    return parameters


def _thresholds(fields: _Fields) -> dict[str, str]:
    thresholds = {kind: fields.text(kind) for kind in THRESHOLD_KINDS}
    fields.done()
    for kind, threshold in thresholds.items():
        if threshold not in THRESHOLDS:
            raise InvalidGenesisError(f"genesis.thresholds: {kind!r} must be one of {', '.join(THRESHOLDS)}")
    return thresholds


def _code_hashes(fields: _Fields) -> dict[str, bytes]:
    hashes = {name: fields.hex(name) for name in SYSTEM_CONTRACTS}
    fields.done()
    return hashes


def _public_key(fields: _Fields) -> PublicKey:
    key = PublicKey(fields.text("suite"), fields.hex("public_key"))
    fields.done()
    return key


def _organisation(item: object) -> FoundingOrganisation:
    fields = _Fields(item, "genesis.organisations")
    name = fields.name("organisation")
    organisation = FoundingOrganisation(
        name,
        fields.text("title"),
        tuple(_member(member) for member in fields.items("members")),
        tuple(_node(name, node) for node in fields.items("nodes")),
    )
    fields.done()
    for what, names in (("member", [m.member for m in organisation.members]), ("node", [n.node for n in organisation.nodes])):
        if len(set(names)) != len(names):
            raise InvalidGenesisError(f"genesis.organisations: {name} names a {what} twice")
    return organisation


def _member(item: object) -> FoundingMember:
    fields = _Fields(item, "genesis.organisations.members")
    member = FoundingMember(
        fields.name("member"),
        tuple(as_name(role, "a role in the genesis") for role in fields.items("roles")),
        tuple(_public_key(_Fields(key, "genesis.organisations.members.keys")) for key in fields.items("keys")),
    )
    fields.done()
    if len(set(member.keys)) != len(member.keys) or list(member.roles) != sorted(set(member.roles)):
        raise InvalidGenesisError(f"genesis: {member.member} lists a key twice, or its roles unsorted or twice")
    return member


def _node(organisation: str, item: object) -> NodeIdentity:
    fields = _Fields(item, "genesis.organisations.nodes")
    node = NodeIdentity(organisation, fields.name("node"), fields.text("suite"), fields.hex("public_key"))
    fields.done()
    PublicKey(node.suite, node.public_key)
    return node


def _certifier(item: object) -> Certifier:
    fields = _Fields(item, "genesis.certifiers")
    certifier = Certifier(fields.name("organisation"), fields.text("suite"), fields.hex("public_key"), fields.integer("power", 1))
    fields.done()
    return certifier


def _validator(item: object) -> Validator:
    fields = _Fields(item, "genesis.validators")
    validator = Validator(fields.name("organisation"), fields.hex("public_key"), fields.integer("power", 1))
    fields.done()
    PublicKey(ED25519_SHA256.name, validator.public_key)
    return validator

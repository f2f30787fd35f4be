"""Tables of the system contracts that the ledger itself reads: enrolment, parameters, suites, certifiers, validators.

The ledger does not run contracts to check a signer; it reads the records. The system contracts conform to these layouts, and a test holds
the two together. Specification: docs/spec/system-contracts.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from yunhe import limits
from yunhe.errors import CorruptionError
from yunhe.ledger.certifiers import Certifier, CertifierSet
from yunhe.ledger.codec import Value, decode, encode
from yunhe.ledger.interfaces import StateReader, Write
from yunhe.ledger.state_keys import prefix_end, state_key, table_prefix
from yunhe.ledger.validators import Validator
from yunhe.limits import CERTIFIERS_MAX, RECORD_BYTES_MAX

REGISTRY: Final = "registry"
GOVERNANCE: Final = "governance"
LIFECYCLE: Final = "lifecycle"
SYSTEM_CONTRACTS: Final = (REGISTRY, GOVERNANCE, LIFECYCLE)
"""Contracts that exist from genesis, in the order in which they are written."""

ACTIVE: Final = "active"
SUSPENDED: Final = "suspended"
REVOKED: Final = "revoked"

VALIDITY_WINDOW_MS: Final = "validity_window_ms"
GAS_LIMIT_MAX: Final = "gas_limit_max"
BLOCK_GAS_MAX: Final = "block_gas_max"
STATE_HISTORY_BLOCKS: Final = "state_history_blocks"

DEFAULT_PARAMETERS: Final = {
    VALIDITY_WINDOW_MS: 600_000,
    GAS_LIMIT_MAX: 50_000_000,
    BLOCK_GAS_MAX: 2_000_000_000,
    STATE_HISTORY_BLOCKS: 1000,
}
"""Parameters of a new ledger, by name."""
PARAMETER_BOUNDS: Final = {
    VALIDITY_WINDOW_MS: (10_000, limits.VALIDITY_WINDOW_MS_MAX),
    GAS_LIMIT_MAX: (20_000_000, limits.GAS_LIMIT_MAX),
    BLOCK_GAS_MAX: (20_000_000, limits.BLOCK_GAS_MAX),
    STATE_HISTORY_BLOCKS: (1, 1_000_000),
}
"""Lowest and highest value of each (SYS-013); below the lowest ones a ledger could hardly run the vote that puts them right."""

CERTIFIERS_PREFIX: Final = table_prefix(GOVERNANCE, "certifiers")
"""What all state keys of the certifier table begin with."""
VALIDATORS_PREFIX: Final = table_prefix(GOVERNANCE, "validators")
"""What all state keys of the validator table begin with."""
PROTOCOLS_PREFIX: Final = table_prefix(GOVERNANCE, "protocols")
"""What all state keys of the table of voted protocol versions begin with."""
SKIPS_PREFIX: Final = table_prefix(GOVERNANCE, "skips")
"""What all state keys of the table of skipped transactions begin with."""
ORGANISATIONS_PREFIX: Final = table_prefix(REGISTRY, "organisations")
"""What all state keys of the table of organisations begin with."""


def organisation_key(organisation: str) -> bytes:
    """Key of {organisation, title, status}; status is `active` or `suspended`."""
    return state_key(REGISTRY, "organisations", (organisation,))


def member_key(organisation: str, member: str) -> bytes:
    """Key of {organisation, member, roles, status}."""
    return state_key(REGISTRY, "members", (organisation, member))


def member_public_key_key(organisation: str, member: str, public_key: bytes) -> bytes:
    """Key of {organisation, member, public_key, suite, status, since_height, revoked_height}; status is `active` or `revoked`."""
    return state_key(REGISTRY, "member_keys", (organisation, member, public_key))


def node_key(organisation: str, node: str) -> bytes:
    """Key of {organisation, node, suite, public_key, status}."""
    return state_key(REGISTRY, "nodes", (organisation, node))


def parameter_key(name: str) -> bytes:
    """Key of {name, value}."""
    return state_key(GOVERNANCE, "parameters", (name,))


def suite_key(name: str) -> bytes:
    """Key of {suite, since_height}; present when the suite is allowed."""
    return state_key(GOVERNANCE, "suites", (name,))


def contract_key(name: str) -> bytes:
    """Key of {name, code_hash, status, version, system}; status is `active`, `frozen` or `retired`."""
    return state_key(LIFECYCLE, "contracts", (name,))


def source_key(code_hash: bytes) -> bytes:
    """Key of {code_hash, source}."""
    return state_key(LIFECYCLE, "sources", (code_hash,))


def encode_record(fields: dict[str, Value]) -> bytes:
    """Encode a record as the contract runtime stores it."""
    return encode(fields)


def read_record(state: StateReader, key: bytes) -> dict[str, Value] | None:
    """Return a record's fields, or None.

    Raises:
        CorruptionError: what is stored is no record.
    """
    stored = state.get(key)
    if stored is None:
        return None
    fields = decode(stored, RECORD_BYTES_MAX)
    if not isinstance(fields, dict):
        raise CorruptionError("a record of a system contract is not a map; run `yunhe node check`")
    return fields  # type: ignore[return-value]  # names only, by the layouts above


@dataclass(frozen=True, slots=True)
class Parameters:
    """The parameters that the ledger obeys."""

    validity_window_ms: int
    """W: how far ahead `valid_until_ms` may be, milliseconds."""
    gas_limit_max: int
    """Largest gas limit of a transaction."""
    block_gas_max: int
    """Gas that one block may use."""
    state_history_blocks: int
    """Heights below the head for which proofs can be made."""


def read_parameters(state: StateReader) -> Parameters:
    """Read the parameters in force.

    Raises:
        CorruptionError: one is missing.
    """

    def value(name: str) -> int:
        record = read_record(state, parameter_key(name))
        if record is None or not isinstance(record.get("value"), int):
            raise CorruptionError(f"the parameter {name} is missing from the state; run `yunhe node check`")
        return int(record["value"])  # type: ignore[arg-type]  # checked above

    return Parameters(value(VALIDITY_WINDOW_MS), value(GAS_LIMIT_MAX), value(BLOCK_GAS_MAX), value(STATE_HISTORY_BLOCKS))


def read_certifiers(state: StateReader) -> CertifierSet:
    """Read the certifier set in force."""
    rows = state.scan(CERTIFIERS_PREFIX, prefix_end(CERTIFIERS_PREFIX), CERTIFIERS_MAX + 1)
    return certifiers_of_rows([stored for _, stored in rows])


def changes_certifiers(writes: Sequence[Write]) -> bool:
    """Return whether a block with these writes names other certifiers (LED-041)."""
    return any(key.startswith(CERTIFIERS_PREFIX) for key, _ in writes)


def validator_key(organisation: str) -> bytes:
    """Key of {organisation, public_key}: the key of the engine of a certifier, whose power is its power."""
    return state_key(GOVERNANCE, "validators", (organisation,))


def read_validators(state: StateReader) -> tuple[Validator, ...]:
    """Read who votes on the order of blocks, in order of organisation; nobody where one node orders its own envelopes.

    Raises:
        CorruptionError: the validators are not those of the certifiers.
    """
    # SYS-031
    rows = state.scan(VALIDATORS_PREFIX, prefix_end(VALIDATORS_PREFIX), CERTIFIERS_MAX + 1)
    if not rows:
        return ()
    keys: dict[str, bytes] = {}
    for _, stored in rows:
        match decode(stored, RECORD_BYTES_MAX):
            case {"organisation": str(organisation), "public_key": bytes(public_key)}:
                keys[organisation] = public_key
            case _:
                raise CorruptionError("a validator's record is malformed; run `yunhe node check`")
    certifiers = read_certifiers(state).members
    if [certifier.organisation for certifier in certifiers] != sorted(keys):
        raise CorruptionError("the validators are other organisations than the certifiers; run `yunhe node check`")
    return tuple(Validator(c.organisation, keys[c.organisation], c.power) for c in certifiers)


def protocol_key(version: int) -> bytes:
    """Key of {version, height, release, contracts_hash}: a version of the ledger's rules and its first block."""
    return state_key(GOVERNANCE, "protocols", (version,))


def changes_protocol(writes: Sequence[Write]) -> bool:
    """Return whether a block with these writes changes which version of the rules counts from a block to come on."""
    return any(key.startswith(PROTOCOLS_PREFIX) for key, _ in writes)


def skip_key(height: int, transaction_id: bytes) -> bytes:
    """Key of {height, transaction_id, order}: the order by which a block passed over a transaction."""
    return state_key(GOVERNANCE, "skips", (height, transaction_id))


def changes_validators(writes: Sequence[Write]) -> bool:
    """Return whether a block with these writes changes who votes on the order of blocks, or with what power."""
    return any(key.startswith((VALIDATORS_PREFIX, CERTIFIERS_PREFIX)) for key, _ in writes)


def certifiers_of_rows(rows: Sequence[bytes]) -> CertifierSet:
    """Return the certifier set of encoded records.

    Raises:
        CorruptionError: one is malformed.
    """
    members = []
    for stored in rows:
        match decode(stored, RECORD_BYTES_MAX):
            case {"organisation": str(organisation), "suite": str(suite), "public_key": bytes(public_key), "power": int(power)}:
                members.append(Certifier(organisation, suite, public_key, power))
            case _:
                raise CorruptionError("a certifier's record is malformed; run `yunhe node check`")
    return CertifierSet.of(members)

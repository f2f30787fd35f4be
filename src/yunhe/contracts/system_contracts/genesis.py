"""The genesis state: what the system contracts' tables hold before the first block (LED-002).

Written through the layouts that the ledger reads; the system contracts' own records decode from it, which a test holds.
"""

from importlib import resources
from typing import Final

from yunhe.crypto import ChainHash
from yunhe.crypto.hashes import TAG_CODE
from yunhe.errors import InvalidGenesisError
from yunhe.ledger.codec import Value
from yunhe.ledger.genesis import FoundingOrganisation, Genesis
from yunhe.ledger.interfaces import Write
from yunhe.ledger.layouts import (
    ACTIVE,
    GOVERNANCE,
    LIFECYCLE,
    REGISTRY,
    SYSTEM_CONTRACTS,
    contract_key,
    encode_record,
    member_key,
    member_public_key_key,
    node_key,
    organisation_key,
    parameter_key,
    source_key,
    suite_key,
    validator_key,
)
from yunhe.ledger.state_keys import state_key

_PACKAGE: Final = "yunhe.contracts.system_contracts"


def system_source(name: str) -> str:
    """Return the source of a system contract as this version ships it."""
    return resources.files(_PACKAGE).joinpath(f"{name}.py").read_text(encoding="utf-8")


def system_code_hashes(chain_hash: ChainHash) -> dict[str, bytes]:
    """Return the code hash of each system contract as this version ships it."""
    return {name: chain_hash.tagged(TAG_CODE, system_source(name).encode()) for name in SYSTEM_CONTRACTS}


def genesis_writes(genesis: Genesis) -> tuple[Write, ...]:
    """Return the records of the genesis state, ascending by key.

    Raises:
        InvalidGenesisError: the genesis was made with other system contracts than this version ships, or gives one key to two members of
            an organisation.
    """
    records: dict[bytes, bytes] = {}

    def put(key: bytes, fields: dict[str, Value]) -> None:
        records[key] = encode_record(fields)

    shipped = system_code_hashes(genesis.chain_hash)
    for name, code_hash in genesis.system_contracts.items():
        # SYS-030
        if shipped[name] != code_hash:
            raise InvalidGenesisError(
                f"the genesis was made with another version of the system contract {name}; run the version of Yunhe that made it"
            )
        put(source_key(code_hash), {"code_hash": code_hash, "source": system_source(name)})
        put(contract_key(name), {"name": name, "code_hash": code_hash, "status": ACTIVE, "version": 1, "system": True})
        put(
            state_key(LIFECYCLE, "steps", (name, 1)),
            {
                "contract": name,
                "number": 1,
                "operation": "deploy",
                "code_hash": code_hash,
                "version": 1,
                "height": 0,
                "time_ms": genesis.time_ms,
            },
        )
    for organisation in genesis.organisations:
        records.update(_organisation_records(organisation))
    for parameter, value in genesis.parameters.items():
        put(parameter_key(parameter), {"name": parameter, "value": value})
    for suite in genesis.suites:
        put(suite_key(suite), {"suite": suite, "since_height": 0})
    for kind, threshold in genesis.thresholds.items():
        put(state_key(GOVERNANCE, "thresholds", (kind,)), {"kind": kind, "threshold": threshold})
    for certifier in genesis.certifiers.members:
        put(
            state_key(GOVERNANCE, "certifiers", (certifier.organisation,)),
            {
                "organisation": certifier.organisation,
                "suite": certifier.suite,
                "public_key": certifier.public_key,
                "power": certifier.power,
            },
        )
    for validator in genesis.validators:
        put(validator_key(validator.organisation), {"organisation": validator.organisation, "public_key": validator.public_key})
    return tuple(sorted(records.items()))


def _organisation_records(organisation: FoundingOrganisation) -> dict[bytes, bytes]:
    name = organisation.organisation
    records = {organisation_key(name): encode_record({"organisation": name, "title": organisation.title, "status": ACTIVE})}
    for member in organisation.members:
        records[member_key(name, member.member)] = encode_record(
            {"organisation": name, "member": member.member, "roles": list(member.roles), "status": ACTIVE}
        )
        for key in member.keys:
            owner = state_key(REGISTRY, "key_owners", (name, key.raw))
            # SYS-003
            if owner in records:
                raise InvalidGenesisError(f"genesis: two members of {name} have the same key; a key belongs to one member")
            records[owner] = encode_record({"organisation": name, "public_key": key.raw, "member": member.member})
            records[member_public_key_key(name, member.member, key.raw)] = encode_record(
                {
                    "organisation": name,
                    "member": member.member,
                    "public_key": key.raw,
                    "suite": key.suite,
                    "since_height": 0,
                    "status": ACTIVE,
                    "revoked_height": None,
                }
            )
    for node in organisation.nodes:
        records[node_key(name, node.node)] = encode_record(
            {"organisation": name, "node": node.node, "suite": node.suite, "public_key": node.public_key, "status": ACTIVE}
        )
    return records

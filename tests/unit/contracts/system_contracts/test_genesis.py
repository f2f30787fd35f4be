"""The founding state: SYS-030, SYS-003, and that the layouts of the ledger are those of the contracts' tables."""

from dataclasses import replace

import pytest

from tests.unit.contracts.system_contracts.consortium import FOUNDERS, SUITE, Consortium, founder, key, make_genesis, system_module
from yunhe.contracts.keys import Key
from yunhe.contracts.system_contracts import genesis_writes, governance, system_code_hashes, system_source
from yunhe.contracts.tables import Table
from yunhe.contracts.value_types import Room
from yunhe.crypto import SHA256, PublicKey
from yunhe.errors import InvalidGenesisError
from yunhe.ledger import layouts
from yunhe.ledger.codec import decode, encode
from yunhe.ledger.enrolment import authorise, authorise_node
from yunhe.ledger.genesis import FoundingMember
from yunhe.ledger.layouts import SYSTEM_CONTRACTS, Parameters, read_certifiers, read_parameters
from yunhe.ledger.state_keys import decode_state_key
from yunhe.ledger.transaction import Signer
from yunhe.limits import BLOCK_GAS_MAX, CERTIFIER_POWER_MAX, CERTIFIERS_MAX, GAS_LIMIT_MAX, RECORD_BYTES_MAX, VALIDITY_WINDOW_MS_MAX

MODULES = {name: system_module(name) for name in SYSTEM_CONTRACTS}


def table_of(contract: str, name: str) -> Table:
    """Return a table that a system contract declares."""
    return MODULES[contract].tables[name]


# --- Layouts --------------------------------------------------------------------------------------------------------

LAYOUTS = {
    "an organisation": ("registry", "organisations", ("carrier",), layouts.organisation_key),
    "a member": ("registry", "members", ("carrier", "admin"), layouts.member_key),
    "a member's key": ("registry", "member_keys", ("carrier", "admin", b"k" * 32), layouts.member_public_key_key),
    "a node": ("registry", "nodes", ("carrier", "node"), layouts.node_key),
    "a parameter": ("governance", "parameters", ("gas_limit_max",), layouts.parameter_key),
    "a suite": ("governance", "suites", (SUITE,), layouts.suite_key),
    "a contract": ("lifecycle", "contracts", ("bill",), layouts.contract_key),
    "a validator": ("governance", "validators", ("carrier",), layouts.validator_key),
    "a version of the rules": ("governance", "protocols", (2,), layouts.protocol_key),
    "a source": ("lifecycle", "sources", (b"h" * 32,), layouts.source_key),
}


@pytest.mark.parametrize(("contract", "table", "components", "layout"), LAYOUTS.values(), ids=LAYOUTS)
def test_layout_of_a_table_has_the_key_that_the_contract_uses(contract, table, components, layout):
    """SYS-030: the ledger reads where the contract writes."""
    key_in_contract: Key = components if len(components) > 1 else components[0]
    assert layout(*components) == table_of(contract, table).keys.state_key(key_in_contract)


def test_layout_of_the_certifier_table_has_the_prefix_that_the_contract_uses():
    assert table_of("governance", "certifiers").keys.state_key("carrier").startswith(layouts.CERTIFIERS_PREFIX)


def test_layout_of_the_validator_table_has_the_prefix_that_the_contract_uses():
    assert table_of("governance", "validators").keys.state_key("carrier").startswith(layouts.VALIDATORS_PREFIX)


FIELDS = {
    "organisations": {"organisation", "title", "status"},
    "members": {"organisation", "member", "roles", "status"},
    "member_keys": {"organisation", "member", "public_key", "suite", "status", "since_height", "revoked_height"},
    "nodes": {"organisation", "node", "suite", "public_key", "status"},
    "parameters": {"name", "value"},
    "suites": {"suite", "since_height"},
    "certifiers": {"organisation", "suite", "public_key", "power"},
    "validators": {"organisation", "public_key"},
    "protocols": {"version", "height", "release", "contracts_hash"},
    "contracts": {"name", "code_hash", "status", "version", "system"},
    "sources": {"code_hash", "source"},
}
"""Fields that docs of the layouts name, by table."""


@pytest.mark.parametrize("table", FIELDS)
def test_record_of_a_table_has_the_fields_of_the_layout(table):
    """SYS-030: field by field."""
    owner = next(name for name, module in MODULES.items() if table in module.tables)
    assert set(table_of(owner, table).kind.fields) == FIELDS[table]


def test_statuses_of_the_contracts_are_those_that_the_ledger_knows():
    """SYS-030"""
    registry = table_of("registry", "organisations").kind
    keys = table_of("registry", "member_keys").kind
    assert set(registry.fields["status"].members) == {layouts.ACTIVE, layouts.SUSPENDED}
    assert set(keys.fields["status"].members) == {layouts.ACTIVE, layouts.REVOKED}


def test_genesis_records_decode_and_encode_as_the_contracts_own_records():
    """SYS-030: each record of the founding state is one that the contract itself could have written."""
    writes = genesis_writes(make_genesis(validators=True))
    for state_key, stored in writes:
        contract, table_name, _ = decode_state_key(state_key)
        table = table_of(contract, table_name)
        plain = decode(stored, RECORD_BYTES_MAX)
        assert set(plain) == set(table.kind.fields)
        record = table.kind.from_plain(plain)
        assert encode(table.kind.to_plain(record, Room(RECORD_BYTES_MAX))) == stored
        assert table.keys.state_key(table.key_of(record)) == state_key
    assert {decode_state_key(state_key)[1] for state_key, _ in writes} == (set(FIELDS) - {"protocols"}) | {
        "key_owners",
        "steps",
        "thresholds",
    }


def test_genesis_writes_are_ascending_and_once_each():
    keys = [state_key for state_key, _ in genesis_writes(make_genesis())]
    assert keys == sorted(set(keys))


# --- What the founding state says -----------------------------------------------------------------------------------


def test_genesis_state_enrols_the_founders():
    """SYS-030, LED-020: their members may sign and their nodes may send, and nobody else."""
    consortium = Consortium()
    for name in FOUNDERS:
        for member, roles in (("admin", ("admin",)), ("clerk", ("operator",))):
            enrolled = authorise(consortium.state, (Signer(name, member, SUITE, key(f"{name}/{member}")),))
            assert enrolled[0].roles == roles
        authorise_node(consortium.state, founder(name).nodes[0])
    assert consortium.view("registry.active_organisations") == sorted(FOUNDERS)


def test_genesis_state_holds_parameters_suites_thresholds_and_certifiers():
    """SYS-030"""
    consortium = Consortium(certifiers=("bank", "carrier"), thresholds={"suite": "all"})
    assert read_parameters(consortium.state) == Parameters(**consortium.genesis.parameters)
    assert read_certifiers(consortium.state) == consortium.genesis.certifiers
    assert consortium.record("governance.suites", SUITE) == {"suite": SUITE, "since_height": 0}
    for kind, threshold in consortium.genesis.thresholds.items():
        assert consortium.record("governance.thresholds", kind) == {"kind": kind, "threshold": threshold}


def test_genesis_state_holds_the_system_contracts_with_their_sources_and_history():
    """SYS-030, SYS-021"""
    consortium = Consortium()
    for name, code_hash in system_code_hashes(SHA256).items():
        assert consortium.view("lifecycle.contract", contract=name) == {
            "name": name,
            "code_hash": code_hash,
            "status": "active",
            "version": 1,
            "system": True,
        }
        assert consortium.view("lifecycle.source", contract=name) == system_source(name)
        assert [step["operation"] for step in consortium.view("lifecycle.history", contract=name)] == ["deploy"]


@pytest.mark.parametrize("name", SYSTEM_CONTRACTS)
def test_genesis_with_another_system_contract_is_refused(name):
    """SYS-030"""
    genesis = make_genesis()
    other = replace(genesis, system_contracts={**genesis.system_contracts, name: bytes(32)})
    with pytest.raises(InvalidGenesisError, match=name):
        genesis_writes(other)


def test_genesis_with_one_key_for_two_members_is_refused():
    """SYS-003"""
    shared = PublicKey(SUITE, key("carrier/admin"))
    twins = tuple(FoundingMember(member, ("admin",), (shared,)) for member in ("admin", "deputy"))
    with pytest.raises(InvalidGenesisError, match="same key"):
        genesis_writes(make_genesis([replace(founder("carrier"), members=twins)]))


def test_genesis_with_one_key_in_two_organisations_is_accepted():
    """SYS-003: one organisation cannot keep another one from a key."""
    shared = FoundingMember("admin", ("admin",), (PublicKey(SUITE, key("carrier/admin")),))
    genesis = make_genesis([replace(founder(name), members=(shared,)) for name in ("carrier", "bank")])
    assert len(genesis_writes(genesis)) > 0


# --- Numbers that the contracts repeat, because they can import none of ours ----------------------------------------


def test_bounds_of_governance_are_those_of_the_ledger():
    """SYS-013: what a vote can set, the ledger can obey; and a new ledger begins within the bounds."""
    bounds = governance.PARAMETER_BOUNDS
    assert bounds == layouts.PARAMETER_BOUNDS
    assert set(bounds) == set(layouts.DEFAULT_PARAMETERS)
    assert all(bounds[name][0] <= value <= bounds[name][1] for name, value in layouts.DEFAULT_PARAMETERS.items())
    assert bounds["validity_window_ms"][1] == VALIDITY_WINDOW_MS_MAX
    assert bounds["gas_limit_max"][1] == GAS_LIMIT_MAX
    assert bounds["block_gas_max"][1] == BLOCK_GAS_MAX
    assert (governance.CERTIFIERS_MAX, governance.CERTIFIER_POWER_MAX) == (CERTIFIERS_MAX, CERTIFIER_POWER_MAX)


@pytest.mark.parametrize("contract", SYSTEM_CONTRACTS)
def test_every_entry_of_a_system_contract_has_a_summary(contract):
    """What `yunhe contract show` prints."""
    module = MODULES[contract]
    assert all(entry.summary.endswith(".") for entry in (*module.actions.values(), *module.views.values()))

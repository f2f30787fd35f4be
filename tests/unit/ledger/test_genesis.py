"""LED-001 to LED-004: the genesis file, its id, and header 0."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.ledger.chain_in_memory import SM2, SUITE, key
from yunhe.crypto import SHA256, SM3, PublicKey
from yunhe.errors import InvalidGenesisError
from yunhe.ledger.certifiers import Certifier, CertifierSet
from yunhe.ledger.codec import encode
from yunhe.ledger.envelope import NodeIdentity
from yunhe.ledger.genesis import THRESHOLD_KINDS, FoundingMember, FoundingOrganisation, Genesis
from yunhe.ledger.layouts import DEFAULT_PARAMETERS, SYSTEM_CONTRACTS
from yunhe.ledger.merkle import merkle_root
from yunhe.ledger.validators import Validator

GENESIS = Genesis(
    name="港口 demo",
    time_ms=1_700_000_000_000,
    chain_hash=SHA256,
    python="3.11",
    protocol_version=1,
    suites=(SUITE,),
    parameters=dict(DEFAULT_PARAMETERS),
    thresholds=dict.fromkeys(THRESHOLD_KINDS, "majority"),
    organisations=(
        FoundingOrganisation(
            "port",
            "Port of Departure",
            (FoundingMember("admin", ("admin",), (key(1).public_key,)),),
            (NodeIdentity("port", "node1", SUITE, key(2).public_key.raw),),
        ),
    ),
    certifiers=CertifierSet.of([Certifier("port", SUITE, key(3).public_key.raw, 1)]),
    system_contracts={name: bytes(32) for name in SYSTEM_CONTRACTS},
)
VALUE = json.loads(GENESIS.to_json())


def test_genesis_round_trip_keeps_the_id():
    """LED-001 accepted."""
    again = Genesis.from_json(GENESIS.to_json().encode())
    assert again == GENESIS
    assert again.network_id == GENESIS.network_id


def test_genesis_id_does_not_depend_on_layout_or_key_order():
    turned = json.dumps(dict(reversed(VALUE.items())), indent=7, ensure_ascii=True).encode()
    assert Genesis.from_json(turned).network_id == GENESIS.network_id


def test_header_zero_commits_to_the_genesis_state():
    """LED-002."""
    header = GENESIS.header(bytes([5]) * 32)
    assert (header.height, header.time_ms, header.previous) == (0, GENESIS.time_ms, bytes(32))
    assert header.transactions_root == header.receipts_root == merkle_root([], SHA256)
    assert header.state_root == bytes([5]) * 32
    assert header.network_id == GENESIS.network_id
    assert header.next_certifiers == GENESIS.certifiers.hash(SHA256)


def changed(path: str, value: object) -> bytes:
    copy = json.loads(json.dumps(VALUE))
    *parents, last = path.split(".")
    place = copy
    for name in parents:
        place = place[int(name) if name.isdigit() else name]
    if value is ...:
        del place[last]
    elif last == "append":
        place.append(value)
    else:
        place[int(last) if last.isdigit() else last] = value
    return json.dumps(copy).encode()


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        ("format", "other", "format"),
        ("version", 2, "version"),
        ("version", True, "version"),
        ("name", 5, "name"),
        ("name", ..., "name"),
        ("hash", "md5", "md5"),
        ("time_ms", 0, "time_ms"),
        ("time_ms", 1.5, "time_ms"),
        ("protocol_version", 2, "protocol_version"),
        ("suites", [], "suites"),
        ("suites", ["rsa"], "rsa"),
        ("colour", "blue", "colour"),
        ("parameters.colour", 1, "colour"),
        ("parameters.gas_limit_max", 10**10, "gas_limit_max"),
        ("parameters.block_gas_max", 3 * 10**9 + 1, "block_gas_max"),
        ("parameters.validity_window_ms", ..., "validity_window_ms"),
        ("parameters.validity_window_ms", 3_600_001, "validity_window_ms"),
        ("parameters.validity_window_ms", 9_999, "validity_window_ms"),
        ("parameters.gas_limit_max", 19_999_999, "gas_limit_max"),
        ("parameters.block_gas_max", 19_999_999, "block_gas_max"),
        ("parameters.state_history_blocks", 0, "state_history_blocks"),
        ("thresholds.contract", "some", "contract"),
        ("organisations", [], "organisations"),
        ("organisations.append", VALUE["organisations"][0], "once"),
        ("organisations.0.organisation", "Port", "organisation"),
        ("organisations.0.members.0.roles", [], "admin"),
        ("organisations.0.members.0.roles", ["b", "admin"], "unsorted"),
        ("organisations.0.members.0.keys.0.public_key", "AB" * 32, "hexadecimal"),
        ("organisations.0.members.0.keys.0.public_key", "ab" * 31, "32"),
        ("organisations.0.nodes.append", VALUE["organisations"][0]["nodes"][0], "node twice"),
        ("certifiers", [], "certifier"),
        ("certifiers.0.power", 0, "power"),
        ("certifiers.0.organisation", "bank", "bank"),
        ("system_contracts.registry", ..., "registry"),
        ("system_contracts.registry", "", "registry"),
    ],
)
def test_genesis_wrong_field_is_refused_by_name(path, value, named):
    """LED-001 refused."""
    with pytest.raises(InvalidGenesisError, match=named):
        Genesis.from_json(changed(path, value))


def keyed(suite: str, suites: tuple[str, ...], *, only: str = "") -> Genesis:
    """The genesis with keys of a suite everywhere, or in one place only."""

    def place(name: str, number: int) -> PublicKey:
        return key(number, suite if only in ("", name) else SUITE).public_key

    member, node, certifier = place("member", 1), place("node", 2), place("certifier", 3)
    organisation = FoundingOrganisation(
        "port",
        "Port of Departure",
        (FoundingMember("admin", ("admin",), (member,)),),
        (NodeIdentity("port", "node1", node.suite, node.raw),),
    )
    certifiers = CertifierSet.of([Certifier("port", certifier.suite, certifier.raw, 1)])
    return replace(GENESIS, suites=suites, organisations=(organisation,), certifiers=certifiers)


@pytest.mark.parametrize(("suite", "chain_hash"), [(SUITE, SM3), (SM2, SHA256), (SM2, SM3)])
def test_genesis_with_sm2_or_sm3_round_trip(suite, chain_hash):
    """LED-003 accepted, COD-022."""
    genesis = replace(keyed(suite, (suite,)), chain_hash=chain_hash)
    assert Genesis.from_json(genesis.to_json().encode()) == genesis
    assert genesis.network_id == chain_hash.tagged(b"yunhe/genesis/1", encode(json.loads(genesis.to_json())))
    assert Genesis.from_json(keyed(SM2, (SUITE, SM2), only="node").to_json().encode())


@pytest.mark.parametrize("only", ["member", "node", "certifier"])
def test_genesis_with_a_key_of_a_suite_that_it_does_not_allow_is_refused(only):
    """LED-003 refused."""
    with pytest.raises(InvalidGenesisError, match=SM2):
        Genesis.from_json(keyed(SM2, (SUITE,), only=only).to_json().encode())


VALIDATOR = Validator("port", key(4).public_key.raw, 1)


def test_genesis_with_validators_round_trip():
    """LED-004 accepted; another validator is another network."""
    genesis = replace(GENESIS, validators=(VALIDATOR,))
    assert Genesis.from_json(genesis.to_json().encode()) == genesis
    other = replace(genesis, validators=(replace(VALIDATOR, public_key=key(5).public_key.raw),))
    assert len({GENESIS.network_id, genesis.network_id, other.network_id}) == 3


@pytest.mark.parametrize(
    ("validators", "named"),
    [
        ([], "form of its own"),
        ({}, "validators"),
        ([{"organisation": "bank", "public_key": "ab" * 32, "power": 1}], "organisations of 'certifiers'"),
        ([{"organisation": "port", "public_key": "ab" * 32, "power": 2}], "same powers"),
        ([{"organisation": "port", "public_key": "ab" * 31, "power": 1}], "32 bytes"),
        ([{"organisation": "port", "public_key": "ab" * 32}], "power"),
        ([{"organisation": "port", "public_key": "ab" * 32, "power": 1, "colour": "blue"}], "colour"),
        ([{"organisation": "port", "public_key": "ab" * 32, "power": 1}] * 2, "in order"),
    ],
)
def test_genesis_with_other_validators_than_its_certifiers_is_refused(validators, named):
    """LED-004 refused."""
    with pytest.raises(InvalidGenesisError, match=named):
        Genesis.from_json(json.dumps(VALUE | {"validators": validators}).encode())


def test_genesis_with_one_key_for_two_validators_is_refused():
    """LED-004 refused."""
    bank = FoundingOrganisation("bank", "Bank", (), ())
    genesis = replace(
        GENESIS,
        organisations=(bank, *GENESIS.organisations),
        certifiers=CertifierSet.of([*GENESIS.certifiers.members, Certifier("bank", SUITE, key(6).public_key.raw, 1)]),
        validators=(replace(VALIDATOR, organisation="bank"), VALIDATOR),
    )
    with pytest.raises(InvalidGenesisError, match="one key"):
        Genesis.from_json(genesis.to_json().encode())
    apart = replace(genesis, validators=(Validator("bank", key(5).public_key.raw, 1), VALIDATOR))
    assert Genesis.from_json(apart.to_json().encode()) == apart


@pytest.mark.parametrize("where", ["organisations.0.members.0.keys.0", "organisations.0.nodes.0", "certifiers.0"])
def test_genesis_with_a_key_that_is_no_point_is_refused(where):
    """COD-022 refused."""
    value = json.loads(keyed(SM2, (SM2,)).to_json())
    place = value
    for name in where.split("."):
        place = place[int(name) if name.isdigit() else name]
    for wrong in (place["public_key"][:-2] + "00", place["public_key"][2:], "04" + "00" * 64):
        place["public_key"] = wrong
        with pytest.raises(InvalidGenesisError, match="65 bytes"):
            Genesis.from_json(json.dumps(value).encode())


@pytest.mark.parametrize(
    "text",
    [b"", b"[]", b"{", b"\xff\xfe", b'{"format": NaN}', b'{"name": "a", "name": "b"}', b"[" * 100_000, b" " * (1024 * 1024 + 1)],
)
def test_genesis_that_is_no_json_object_is_refused(text):
    with pytest.raises(InvalidGenesisError):
        Genesis.from_json(text)


@given(
    st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))
)
def test_genesis_any_json_gives_only_our_errors(value):
    with pytest.raises(InvalidGenesisError):
        Genesis.from_json(json.dumps(value).encode())
    for name in VALUE:
        if value != VALUE[name] and name not in ("name", "time_ms", "python"):
            with pytest.raises(InvalidGenesisError):
                Genesis.from_json(json.dumps(VALUE | {name: value}).encode())

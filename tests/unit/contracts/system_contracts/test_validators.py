"""Validators by vote: who votes on the order of blocks, SYS-031 to SYS-034."""

import pytest

from tests.unit.contracts.system_contracts.consortium import SM2, SUITE, Consortium, key
from yunhe.errors import CorruptionError
from yunhe.ledger.layouts import (
    CERTIFIERS_PREFIX,
    VALIDATORS_PREFIX,
    changes_validators,
    read_certifiers,
    read_validators,
    validator_key,
)
from yunhe.ledger.state_keys import state_key
from yunhe.ledger.validators import Validator

FOUR = ("bank", "carrier", "customs", "port")
VOTERS = ("carrier", "bank", "port")


def consortium_of(*certifiers: str, besides: tuple[str, ...] = ()) -> Consortium:
    """Make a ledger on which some organisations vote on blocks, each with power 1, and others do not."""
    return Consortium(*certifiers, *besides, certifiers=certifiers, validators=True)


@pytest.fixture
def consortium() -> Consortium:
    return consortium_of(*FOUR, besides=("yard",))


def validator(organisation: str, **changes) -> dict:
    keys = {"suite": SUITE, "public_key": key(f"{organisation}/ledger"), "engine_key": key(f"{organisation}/engine")}
    return {"organisation": organisation, "power": 1} | keys | changes


def without_engine(organisation: str, **changes) -> dict:
    return {name: value for name, value in validator(organisation, **changes).items() if name != "engine_key"}


def powers(consortium: Consortium) -> dict[str, int]:
    return {row.organisation: row.power for row in read_validators(consortium.state)}


def set_powers(consortium: Consortium, **wanted: int) -> None:
    for organisation, power in wanted.items():
        assert consortium.agree("propose_certifier", VOTERS, **without_engine(organisation, power=power)) == "accepted"


def test_validators_of_the_genesis_are_those_of_the_state(consortium):
    """SYS-031, LED-004"""
    assert read_validators(consortium.state) == tuple(Validator(name, key(f"{name}/engine"), 1) for name in FOUR)
    assert read_validators(Consortium().state) == ()


def test_validator_comes_and_goes_with_its_certifier(consortium):
    """SYS-031"""
    assert consortium.agree("propose_validator", VOTERS, **validator("yard")) == "accepted"
    assert read_validators(consortium.state)[-1] == Validator("yard", key("yard/engine"), 1)
    assert [member.organisation for member in read_certifiers(consortium.state).members] == [*FOUR, "yard"]
    assert consortium.agree("propose_certifier_removal", VOTERS, organisation="port") == "accepted"
    assert list(powers(consortium)) == ["bank", "carrier", "customs", "yard"]
    assert [member.organisation for member in read_certifiers(consortium.state).members] == ["bank", "carrier", "customs", "yard"]


def test_certifier_of_a_ledger_with_validators_needs_an_engine(consortium):
    """SYS-031: of one that has an engine, key and power change alone."""
    consortium.refuses("ENGINE_KEY_MISSING", "carrier/admin", "governance.propose_certifier", **without_engine("yard"))
    consortium.refuses("ENGINE_KEY_INVALID", "carrier/admin", "governance.propose_validator", **validator("yard", engine_key=b""))
    changed = without_engine("port", public_key=key("port/ledger#2"), power=2)
    assert consortium.agree("propose_certifier", VOTERS, **changed) == "accepted"
    assert read_validators(consortium.state)[3] == Validator("port", key("port/engine"), 2)
    assert read_certifiers(consortium.state).members[3].public_key == key("port/ledger#2")


def test_ledger_of_one_node_gets_no_validators():
    """SYS-031: its engine asks nobody."""
    consortium = Consortium()
    consortium.refuses("NO_VALIDATORS", "carrier/admin", "governance.propose_validator", **validator("bank"))
    assert consortium.agree("propose_certifier", **without_engine("bank")) == "accepted"


def test_state_with_other_validators_than_certifiers_is_corrupt(consortium):
    """SYS-031 refused: no vote makes such a state."""
    consortium.state.apply([(validator_key("port"), None)])
    with pytest.raises(CorruptionError, match="other organisations"):
        read_validators(consortium.state)
    consortium.write("governance.validators", "port", organisation="port")
    with pytest.raises(CorruptionError, match="malformed"):
        read_validators(consortium.state)


def test_block_changes_validators_by_key_or_by_power():
    assert changes_validators([(VALIDATORS_PREFIX + b"x", b"")])
    assert changes_validators([(CERTIFIERS_PREFIX + b"x", None)])
    assert not changes_validators([(state_key("governance", "votes", (1, "port")), b"")])


NO_ENGINE = {
    "a key too short": (validator("yard", engine_key=key("yard/engine")[1:]), "ENGINE_KEY_INVALID"),
    "a key of another suite": (validator("yard", engine_key=key("yard/engine", SM2)), "ENGINE_KEY_INVALID"),
    "the key of another validator": (validator("yard", engine_key=key("port/engine")), "ENGINE_KEY_USED"),
    "an organisation that nobody knows": (validator("agent"), "NOT_AN_ACTIVE_ORGANISATION"),
    "no power": (validator("yard", power=0), "POWER_OUT_OF_RANGE"),
    "too much power": (validator("yard", power=1_000_001), "POWER_OUT_OF_RANGE"),
}


@pytest.mark.parametrize(("arguments", "code"), NO_ENGINE.values(), ids=NO_ENGINE)
def test_validator_with_a_fault_is_refused(consortium, arguments, code):
    """SYS-032, SYS-014"""
    consortium.refuses(code, "carrier/admin", "governance.propose_validator", **arguments)


def test_validator_without_an_active_node_is_refused(consortium):
    """SYS-032: nor is one that lost it before the deciding vote."""
    number = consortium.does("carrier/admin", "governance.propose_validator", **validator("yard"))
    consortium.does("bank/admin", "governance.vote", proposal_id=number, approve=True)
    node = {"node": "node", "suite": SUITE, "public_key": key("yard/node")}
    consortium.does("yard/admin", "registry.set_node", status="suspended", **node)
    consortium.refuses("NO_NODE", "port/admin", "governance.vote", proposal_id=number, approve=True)
    consortium.refuses("NO_NODE", "carrier/admin", "governance.propose_validator", **validator("yard"))
    consortium.does("yard/admin", "registry.set_node", status="active", **node)
    assert consortium.does("port/admin", "governance.vote", proposal_id=number, approve=True) == "accepted"


def test_engine_key_of_a_validator_is_rotated_by_vote(consortium):
    """SYS-032: and what it had may be another's then."""
    assert consortium.agree("propose_validator", VOTERS, **validator("port", engine_key=key("new"))) == "accepted"
    assert read_validators(consortium.state)[3].public_key == key("new")
    assert consortium.agree("propose_validator", VOTERS, **validator("yard", engine_key=key("port/engine"))) == "accepted"


def test_last_validator_stays():
    """SYS-014 refused, SYS-031"""
    consortium = consortium_of("bank", besides=("port",))
    consortium.refuses("LAST_CERTIFIER", "bank/admin", "governance.propose_certifier_removal", organisation="bank")


def test_new_engine_with_a_third_of_the_power_is_refused():
    """SYS-033: should it never start, nothing would be decided any more."""
    consortium = consortium_of("bank", "port", besides=("yard",))
    consortium.refuses("NO_QUORUM", "bank/admin", "governance.propose_validator", **validator("yard"))
    consortium.agree("propose_certifier", ("bank", "port"), **without_engine("bank", power=2))
    consortium.agree("propose_certifier", ("bank", "port"), **without_engine("port", power=2))
    assert consortium.agree("propose_validator", ("bank", "port"), **validator("yard")) == "accepted"
    assert powers(consortium) == {"bank": 2, "port": 2, "yard": 1}


def test_new_engine_of_a_validator_counts_as_one_that_may_never_start():
    """SYS-033: one of three has a third; with the key that it has, its power may be any."""
    consortium = consortium_of("bank", "port", "yard")
    voters = ("bank", "port")
    consortium.refuses("NO_QUORUM", "bank/admin", "governance.propose_validator", **validator("yard", engine_key=key("new")))
    assert consortium.agree("propose_validator", voters, **validator("yard", public_key=key("new"))) == "accepted"
    for name in voters:
        assert consortium.agree("propose_certifier", voters, **without_engine(name, power=2)) == "accepted"
    assert consortium.agree("propose_validator", voters, **validator("yard", engine_key=key("new"))) == "accepted"


def test_ledger_grows_from_one_validator():
    """SYS-033, SYS-034: its power is raised first, and lowered when the other engine votes."""
    consortium = consortium_of("bank", besides=("port",))
    consortium.refuses("NO_QUORUM", "bank/admin", "governance.propose_validator", **validator("port"))
    assert consortium.agree("propose_certifier", ("bank", "port"), **without_engine("bank", power=3)) == "accepted"
    assert consortium.agree("propose_validator", ("bank", "port"), **validator("port")) == "accepted"
    assert consortium.agree("propose_certifier", ("bank", "port"), **without_engine("bank")) == "accepted"
    assert powers(consortium) == {"bank": 1, "port": 1}


def test_more_than_half_of_the_power_is_refused(consortium):
    """SYS-034: by a vote for it, and by removing others."""
    consortium.refuses("TOO_MUCH_POWER", "carrier/admin", "governance.propose_certifier", **without_engine("port", power=4))
    consortium.refuses("TOO_MUCH_POWER", "carrier/admin", "governance.propose_validator", **validator("port", power=4))
    set_powers(consortium, port=3)
    consortium.refuses("TOO_MUCH_POWER", "carrier/admin", "governance.propose_certifier_removal", organisation="bank")
    assert consortium.agree("propose_certifier_removal", VOTERS, organisation="port") == "accepted"


def test_powers_were_changed_since_and_the_deciding_vote_is_refused(consortium):
    """SYS-012, SYS-034"""
    number = consortium.does("carrier/admin", "governance.propose_certifier_removal", organisation="bank")
    consortium.does("bank/admin", "governance.vote", proposal_id=number, approve=True)
    set_powers(consortium, port=3)
    consortium.refuses("TOO_MUCH_POWER", "port/admin", "governance.vote", proposal_id=number, approve=True)

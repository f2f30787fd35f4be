"""Proposals, votes and what they change: SYS-010 to SYS-016."""

import pytest

from tests.unit.contracts.system_contracts.consortium import SM2, SUITE, Consortium, founder, key
from yunhe.ledger.layouts import CERTIFIERS_PREFIX, read_certifiers, read_parameters
from yunhe.ledger.state_keys import prefix_end

HISTORY = {"name": "state_history_blocks", "value": 5}


@pytest.fixture
def consortium() -> Consortium:
    return Consortium()


def propose(consortium: Consortium, voter: str = "carrier", **parameter) -> int:
    """Propose a parameter, which nothing else depends on."""
    number: int = consortium.does(f"{voter}/admin", "governance.propose_parameter", **HISTORY | parameter)
    return number


def vote(consortium: Consortium, voter: str, number: int, *, approve: bool = True) -> str:
    status: str = consortium.does(f"{voter}/admin", "governance.vote", proposal_id=number, approve=approve)
    return status


def status(consortium: Consortium, number: int) -> str:
    return str(consortium.view("governance.proposal", proposal_id=number)["status"])


def certifier(organisation: str, **changes) -> dict:
    return {"organisation": organisation, "suite": SUITE, "public_key": key(f"{organisation}/ledger"), "power": 1} | changes


# --- Who votes ------------------------------------------------------------------------------------------------------

PROPOSALS = {
    "propose_admission": {"organisation": "yard", "title": "Yard", "admin": "admin", "suite": SUITE, "public_key": key("yard/admin")},
    "propose_suspension": {"organisation": "port"},
    "propose_restoration": {"organisation": "port"},
    "propose_parameter": HISTORY,
    "propose_suite": {"suite": SM2},
    "propose_certifier": certifier("port"),
    "propose_certifier_removal": {"organisation": "port"},
    "propose_validator": certifier("port") | {"engine_key": key("port/engine")},
    "propose_protocol": {"version": 2, "height": 100, "release": "0.2.0", "contracts_hash": bytes(32)},
    "propose_protocol_call_off": {"version": 2},
    "propose_deployment": {"contract": "bill", "code_hash": bytes(32)},
    "propose_upgrade": {"contract": "bill", "code_hash": bytes(32)},
    "propose_contract_status": {"contract": "bill", "operation": "freeze"},
}


@pytest.mark.parametrize("signers", ["carrier/clerk", "carrier/clerk bank/admin"])
@pytest.mark.parametrize("action", PROPOSALS)
def test_proposal_of_someone_who_does_not_speak_for_the_sender_is_refused(consortium, action, signers):
    """SYS-010: an admin of another organisation that signs as well does not lend its role."""
    consortium.refuses("ROLE_REQUIRED", signers, f"governance.{action}", **PROPOSALS[action])


@pytest.mark.parametrize("action", ["vote", "withdraw", "recount"])
@pytest.mark.parametrize("signers", ["carrier/clerk", "carrier/clerk bank/admin"])
def test_vote_of_someone_who_does_not_speak_for_the_sender_is_refused(consortium, action, signers):
    """SYS-010"""
    arguments = {"proposal_id": propose(consortium)} | ({"approve": True} if action == "vote" else {})
    consortium.refuses("ROLE_REQUIRED", signers, f"governance.{action}", **arguments)


def test_proposing_counts_as_voting_for(consortium):
    """SYS-010"""
    number = propose(consortium)
    assert consortium.record("governance.votes", number, "carrier") == {
        "proposal_id": number,
        "organisation": "carrier",
        "approve": True,
        "height": 1,
    }
    consortium.refuses("ALREADY_VOTED", "carrier/admin", "governance.vote", proposal_id=number, approve=False)


def test_second_vote_of_an_organisation_is_refused_whoever_casts_it(consortium):
    """SYS-010: one vote for each organisation, not for each admin."""
    deputy = {"member": "deputy", "roles": ["admin"], "suite": SUITE, "public_key": key("carrier/deputy")}
    consortium.does("carrier/admin", "registry.enrol_member", **deputy)
    number = propose(consortium)
    consortium.refuses("ALREADY_VOTED", "carrier/deputy", "governance.vote", proposal_id=number, approve=True)


def test_vote_signed_for_two_organisations_is_that_of_the_sender(consortium):
    """SYS-010"""
    number = propose(consortium)
    outcome = consortium.call("bank/admin port/admin", "governance.vote", proposal_id=number, approve=False)
    assert outcome.results == ("open",)
    assert consortium.record("governance.votes", number, "port") == {}


def test_vote_on_what_nobody_proposed_is_refused(consortium):
    """SYS-010"""
    consortium.refuses("NOT_FOUND", "carrier/admin", "governance.vote", proposal_id=1, approve=True)


def test_proposals_are_numbered_from_one(consortium):
    assert [propose(consortium), propose(consortium), propose(consortium, "bank")] == [1, 2, 3]


# --- Thresholds -----------------------------------------------------------------------------------------------------

NEEDED = {
    ("majority", 1): 1,
    ("majority", 2): 2,
    ("majority", 3): 2,
    ("majority", 4): 3,
    ("majority", 5): 3,
    ("two_thirds", 1): 1,
    ("two_thirds", 2): 2,
    ("two_thirds", 3): 3,
    ("two_thirds", 4): 3,
    ("two_thirds", 5): 4,
    ("two_thirds", 6): 5,
    ("all", 1): 1,
    ("all", 2): 2,
    ("all", 3): 3,
}
"""Votes for that a proposal needs, by threshold and number of active organisations."""
NAMES = ("a", "b", "c", "d", "e", "f")


@pytest.mark.parametrize(("threshold", "organisations", "needed"), [(*case, needed) for case, needed in NEEDED.items()])
def test_organisation_is_admitted_by_as_many_votes_as_the_threshold_says(threshold, organisations, needed):
    """SYS-001, SYS-011, SYS-012"""
    names = NAMES[:organisations]
    consortium = Consortium(*names, certifiers=("a",), thresholds={"organisation": threshold})
    number = consortium.does("a/admin", "governance.propose_admission", **consortium.admission("yard"))
    for name in names[1:needed]:
        assert status(consortium, number) == "open"
        assert consortium.record("registry.organisations", "yard") == {}
        vote(consortium, name, number)
    assert status(consortium, number) == "accepted"
    assert consortium.record("registry.organisations", "yard")["status"] == "active"


@pytest.mark.parametrize(("threshold", "organisations", "needed"), [(*case, needed) for case, needed in NEEDED.items() if needed > 1])
def test_proposal_is_rejected_as_soon_as_the_threshold_is_out_of_reach(threshold, organisations, needed):
    """SYS-011, SYS-012"""
    names = NAMES[:organisations]
    consortium = Consortium(*names, certifiers=("a",), thresholds={"organisation": threshold})
    number = consortium.does("a/admin", "governance.propose_admission", **consortium.admission("yard"))
    opposing_needed = organisations - needed + 1
    for count, name in enumerate(names[1 : 1 + opposing_needed], start=1):
        assert status(consortium, number) == "open"
        assert vote(consortium, name, number, approve=False) == ("rejected" if count == opposing_needed else "open")
    assert consortium.record("registry.organisations", "yard") == {}


def test_each_kind_has_its_own_threshold():
    """SYS-011"""
    consortium = Consortium(thresholds={"parameter": "all", "certifier": "majority"})
    assert consortium.agree("propose_certifier", **certifier("bank")) == "accepted"
    assert consortium.agree("propose_parameter", **HISTORY) == "open"


def test_vote_of_an_organisation_that_was_suspended_since_does_not_count():
    """SYS-011: nor does the organisation itself."""
    consortium = Consortium("carrier", "bank", "port", "yard", "agent")
    number = propose(consortium, "port")
    vote(consortium, "yard", number)
    assert consortium.agree("propose_suspension", ("carrier", "bank", "agent"), organisation="port") == "accepted"
    # Two of four are for it; with port's vote it would be three.
    assert vote(consortium, "bank", number) == "open"
    assert vote(consortium, "carrier", number) == "accepted"


def test_vote_of_an_organisation_that_was_restored_counts_again():
    """SYS-011: the votes are counted as the organisations are when they are counted."""
    consortium = Consortium("carrier", "bank", "port")
    number = propose(consortium, "port")
    consortium.agree("propose_suspension", organisation="port")
    consortium.agree("propose_restoration", organisation="port")
    assert vote(consortium, "bank", number) == "accepted"


def test_opposing_vote_of_an_organisation_that_was_suspended_since_does_not_count():
    """SYS-011"""
    consortium = Consortium("carrier", "bank", "port", thresholds={"parameter": "all"})
    number = propose(consortium)
    consortium.agree("propose_suspension", organisation="port")
    assert vote(consortium, "bank", number) == "accepted"


def test_organisation_admitted_after_the_proposal_has_a_vote():
    """SYS-011"""
    consortium = Consortium("carrier", "bank", thresholds={"organisation": "majority", "parameter": "all"})
    number = propose(consortium)
    consortium.agree("propose_admission", **consortium.admission("yard"))
    assert vote(consortium, "bank", number) == "open"
    assert vote(consortium, "yard", number) == "accepted"


# --- Deciding -------------------------------------------------------------------------------------------------------


def test_change_is_made_in_the_transaction_of_the_deciding_vote(consortium):
    """SYS-012"""
    number = propose(consortium)
    before = read_parameters(consortium.state).state_history_blocks
    outcome = consortium.call("bank/admin", "governance.vote", proposal_id=number, approve=True)
    assert before != read_parameters(consortium.state).state_history_blocks == 5
    assert [event.name for event in outcome.events] == ["Voted", "Decided"]
    assert outcome.events[1].fields["status"] == "accepted"
    assert consortium.view("governance.proposal", proposal_id=number)["decided_height"] == consortium.height
    consortium.refuses("ALREADY_DECIDED", "port/admin", "governance.vote", proposal_id=number, approve=True)


def test_change_that_cannot_be_made_any_more_refuses_the_vote_and_leaves_the_proposal_open(consortium):
    """SYS-012"""
    first = consortium.does("carrier/admin", "governance.propose_admission", **consortium.admission("yard"))
    second = consortium.does("bank/admin", "governance.propose_admission", **consortium.admission("yard"))
    vote(consortium, "port", first)
    # With the new organisation there are four, and three must be for it.
    assert vote(consortium, "port", second) == "open"
    consortium.refuses("ALREADY_EXISTS", "carrier/admin", "governance.vote", proposal_id=second, approve=True)
    consortium.refuses("ALREADY_EXISTS", "yard/admin", "governance.vote", proposal_id=second, approve=True)
    assert vote(consortium, "carrier", second, approve=False) == "open"
    assert vote(consortium, "yard", second, approve=False) == "rejected"


def test_rejected_proposal_takes_no_more_votes(consortium):
    """SYS-012"""
    number = propose(consortium)
    vote(consortium, "bank", number, approve=False)
    assert vote(consortium, "port", number, approve=False) == "rejected"
    consortium.refuses("ALREADY_DECIDED", "port/admin", "governance.vote", proposal_id=number, approve=True)
    consortium.refuses("ALREADY_DECIDED", "port/admin", "governance.recount", proposal_id=number)


def test_proposal_withdrawn_by_its_proposer_is_closed(consortium):
    """SYS-015"""
    number = propose(consortium)
    consortium.does("carrier/admin", "governance.withdraw", proposal_id=number)
    assert status(consortium, number) == "withdrawn"
    consortium.refuses("ALREADY_DECIDED", "bank/admin", "governance.vote", proposal_id=number, approve=True)
    consortium.refuses("ALREADY_DECIDED", "carrier/admin", "governance.withdraw", proposal_id=number)


@pytest.mark.parametrize("signers", ["bank/admin", "bank/admin carrier/admin"])
def test_proposal_withdrawn_by_another_organisation_is_refused(consortium, signers):
    """SYS-015"""
    consortium.refuses("NOT_THE_PROPOSER", signers, "governance.withdraw", proposal_id=propose(consortium))


def test_proposal_decided_cannot_be_withdrawn(consortium):
    """SYS-015"""
    number = propose(consortium)
    vote(consortium, "bank", number)
    consortium.refuses("ALREADY_DECIDED", "carrier/admin", "governance.withdraw", proposal_id=number)


def test_recount_after_a_suspension_decides_what_nobody_is_left_to_vote_on():
    """SYS-016"""
    consortium = Consortium("carrier", "bank", "port", thresholds={"parameter": "all"})
    number = propose(consortium)
    assert vote(consortium, "bank", number) == "open"
    assert consortium.does("carrier/admin", "governance.recount", proposal_id=number) == "open"
    consortium.agree("propose_suspension", organisation="port")
    assert consortium.does("carrier/admin", "governance.recount", proposal_id=number) == "accepted"
    assert read_parameters(consortium.state).state_history_blocks == 5


def test_recount_changes_nothing_while_the_votes_do_not_suffice(consortium):
    """SYS-016: asking often is no vote."""
    number = propose(consortium)
    before = consortium.state.records()
    for name in ("carrier", "bank", "bank"):
        assert consortium.does(f"{name}/admin", "governance.recount", proposal_id=number) == "open"
    assert consortium.state.records() == before


# --- Parameters and suites ------------------------------------------------------------------------------------------

BOUNDS = {
    "validity_window_ms": (10_000, 3_600_000),
    "gas_limit_max": (20_000_000, 1_000_000_000),
    "block_gas_max": (20_000_000, 3_000_000_000),
    "state_history_blocks": (1, 1_000_000),
}


@pytest.mark.parametrize("end", [0, 1], ids=["lowest", "highest"])
@pytest.mark.parametrize("name", BOUNDS)
def test_parameter_at_its_bound_is_accepted(consortium, name, end):
    """SYS-013: and the ledger still decides, so it can be changed back."""
    assert consortium.agree("propose_parameter", name=name, value=BOUNDS[name][end]) == "accepted"
    assert consortium.view("governance.parameter", name=name) == BOUNDS[name][end]
    assert getattr(read_parameters(consortium.state), name) == BOUNDS[name][end]


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, value) for name, (low, high) in BOUNDS.items() for value in (0, -1, low - 1, high + 1) if value < 2**63],
)
def test_parameter_outside_its_bounds_is_refused(consortium, name, value):
    """SYS-013"""
    consortium.refuses("PARAMETER_OUT_OF_RANGE", "carrier/admin", "governance.propose_parameter", name=name, value=value)


def test_parameter_unknown_is_refused(consortium):
    """SYS-013"""
    consortium.refuses("PARAMETER_UNKNOWN", "carrier/admin", "governance.propose_parameter", name="block_time_ms", value=1)


def test_suite_known_to_this_version_is_allowed_by_vote(consortium):
    """SYS-013, COD-022"""
    added = {"member": "clerk", "suite": SM2, "public_key": key("x", SM2)}
    consortium.refuses("SUITE_NOT_ALLOWED", "carrier/admin", "registry.add_key", **added)
    assert consortium.agree("propose_suite", suite=SM2) == "accepted"
    assert consortium.record("governance.suites", SM2) == {"suite": SM2, "since_height": consortium.height}
    # A key of one suite is none of the other.
    for wrong in ({"suite": SUITE}, {"public_key": key("x")}, {"public_key": key("x", SM2)[:-1] + b"\0"}):
        consortium.refuses("KEY_DOES_NOT_FIT_SUITE", "carrier/admin", "registry.add_key", **added | wrong)
    consortium.does("carrier/admin", "registry.add_key", **added)


def test_suite_unknown_or_allowed_already_is_refused(consortium):
    """SYS-013"""
    consortium.refuses("SUITE_UNKNOWN_HERE", "carrier/admin", "governance.propose_suite", suite="rot13")
    consortium.refuses("SUITE_ALLOWED_ALREADY", "carrier/admin", "governance.propose_suite", suite=SUITE)


# --- Certifiers -----------------------------------------------------------------------------------------------------


def test_certifier_set_by_vote_is_in_the_certifier_set(consortium):
    """SYS-014, LED-041"""
    assert consortium.agree("propose_certifier", **certifier("bank", power=3)) == "accepted"
    members = read_certifiers(consortium.state).members
    assert [(member.organisation, member.power) for member in members] == [("bank", 3), ("carrier", 1)]
    assert consortium.agree("propose_certifier", **certifier("bank", public_key=key("new"), power=1)) == "accepted"
    assert read_certifiers(consortium.state).members[0].public_key == key("new")


NO_CERTIFIER = {
    "no power": (certifier("bank", power=0), "POWER_OUT_OF_RANGE"),
    "too much power": (certifier("bank", power=1_000_001), "POWER_OUT_OF_RANGE"),
    "an unknown organisation": (certifier("yard"), "NOT_AN_ACTIVE_ORGANISATION"),
    "a suite that is not allowed": (certifier("bank", suite="rot13"), "SUITE_NOT_ALLOWED"),
    "a key too short": (certifier("bank", public_key=b"k"), "KEY_DOES_NOT_FIT_SUITE"),
}


@pytest.mark.parametrize(("arguments", "code"), NO_CERTIFIER.values(), ids=NO_CERTIFIER)
def test_certifier_with_a_fault_is_refused(consortium, arguments, code):
    """SYS-014"""
    consortium.refuses(code, "carrier/admin", "governance.propose_certifier", **arguments)


def test_certifiers_over_the_limit_are_refused():
    """SYS-014: a set that the ledger could not read must not come about."""
    names = [f"org{number}" for number in range(256)]
    consortium = Consortium(*(founder(name) for name in names), "late", certifiers=names, thresholds={"certifier": "majority"})
    consortium.refuses("TOO_MANY_CERTIFIERS", "org0/admin", "governance.propose_certifier", **certifier("late"))
    consortium.does("org0/admin", "governance.propose_certifier", **certifier("org255", power=2))


def test_certifier_removed_by_vote_is_out_of_the_certifier_set():
    """SYS-014"""
    consortium = Consortium(certifiers=("carrier", "bank"))
    assert consortium.agree("propose_certifier_removal", organisation="bank") == "accepted"
    assert [member.organisation for member in read_certifiers(consortium.state).members] == ["carrier"]


def test_last_certifier_stays(consortium):
    """SYS-014"""
    consortium.refuses("LAST_CERTIFIER", "carrier/admin", "governance.propose_certifier_removal", organisation="carrier")
    consortium.refuses("NOT_A_CERTIFIER", "carrier/admin", "governance.propose_certifier_removal", organisation="bank")


def test_last_certifier_stays_when_two_removals_are_under_way():
    """SYS-012, SYS-014: the check is made again when the change is made."""
    consortium = Consortium(certifiers=("carrier", "bank"))
    first = consortium.does("carrier/admin", "governance.propose_certifier_removal", organisation="carrier")
    second = consortium.does("carrier/admin", "governance.propose_certifier_removal", organisation="bank")
    vote(consortium, "port", first)
    consortium.refuses("LAST_CERTIFIER", "port/admin", "governance.vote", proposal_id=second, approve=True)
    assert len(consortium.state.scan(CERTIFIERS_PREFIX, prefix_end(CERTIFIERS_PREFIX), 9)) == 1


# --- Suspension -----------------------------------------------------------------------------------------------------


def test_organisation_of_a_certifier_is_not_suspended_before_it_is_removed():
    """SYS-014"""
    consortium = Consortium(certifiers=("carrier", "port"))
    consortium.refuses("IS_CERTIFIER", "carrier/admin", "governance.propose_suspension", organisation="port")
    consortium.agree("propose_certifier_removal", organisation="port")
    assert consortium.agree("propose_suspension", organisation="port") == "accepted"
    consortium.refuses("NOT_AN_ACTIVE_ORGANISATION", "carrier/admin", "governance.propose_certifier", **certifier("port"))


def test_organisation_that_became_certifier_since_is_not_suspended(consortium):
    """SYS-012, SYS-014"""
    number = consortium.does("carrier/admin", "governance.propose_suspension", organisation="port")
    consortium.agree("propose_certifier", **certifier("port"))
    consortium.refuses("IS_CERTIFIER", "bank/admin", "governance.vote", proposal_id=number, approve=True)


def test_last_active_organisation_is_not_suspended():
    """SYS-014: the certifiers of this state are another organisation's, or the rule before would refuse."""
    consortium = Consortium("carrier", "bank")
    consortium.write("registry.organisations", "carrier", organisation="carrier", title="Carrier", status="suspended")
    consortium.refuses("LAST_ORGANISATION", "bank/admin", "governance.propose_suspension", organisation="bank")


def test_organisation_of_the_last_active_node_is_not_suspended():
    """SYS-009, SYS-012"""
    consortium = Consortium("carrier", "bank")
    bank = {"node": "node", "suite": SUITE, "public_key": key("bank/node")}
    consortium.does("bank/admin", "registry.set_node", status="suspended", **bank)
    consortium.agree("propose_certifier", **certifier("bank"))
    consortium.agree("propose_certifier_removal", organisation="carrier")
    consortium.refuses("LAST_NODE", "bank/admin", "governance.propose_suspension", organisation="carrier")
    consortium.does("bank/admin", "registry.set_node", status="active", **bank)
    assert consortium.agree("propose_suspension", organisation="carrier") == "accepted"


def test_organisation_beside_another_active_one_is_suspended():
    """SYS-014"""
    consortium = Consortium("carrier", "bank")
    assert consortium.agree("propose_suspension", organisation="bank") == "accepted"


def test_organisation_in_the_status_already_is_refused(consortium):
    """SYS-012"""
    consortium.refuses("UNCHANGED", "carrier/admin", "governance.propose_restoration", organisation="port")
    consortium.refuses("NOT_FOUND", "carrier/admin", "governance.propose_restoration", organisation="yard")
    consortium.refuses("NOT_FOUND", "carrier/admin", "governance.propose_suspension", organisation="yard")
    consortium.agree("propose_suspension", organisation="port")
    consortium.refuses("UNCHANGED", "carrier/admin", "governance.propose_suspension", organisation="port")

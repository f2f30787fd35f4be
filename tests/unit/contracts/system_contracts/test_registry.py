"""Organisations, members, keys and nodes: SYS-001 to SYS-008."""

from dataclasses import replace

import pytest

from tests.unit.contracts.system_contracts.consortium import SUITE, TIME_MS, Consortium, founder, key
from yunhe.contracts.runner import BlockRunner
from yunhe.contracts.system_contracts import registry
from yunhe.crypto import SHA256
from yunhe.errors import NotPermittedError
from yunhe.ledger.enrolment import authorise_node
from yunhe.ledger.envelope import NodeIdentity
from yunhe.ledger.interfaces import BlockContext

RELAY = """\"\"\"A contract that asks the system contracts for more than its callers know.\"\"\"
from yunhe.contracts import Context, action, call

@action
def enrol(ctx: Context, member: str, public_key: bytes) -> None:
    call("registry", "enrol_member", member=member, roles=["admin"], suite="ed25519-sha256", public_key=public_key)

@action
def add_key(ctx: Context, member: str, public_key: bytes) -> None:
    call("registry", "add_key", member=member, suite="ed25519-sha256", public_key=public_key)

@action
def admit(ctx: Context) -> None:
    call("registry", "set_organisation_status", organisation="bank", status="suspended")

@action
def vote(ctx: Context, proposal_id: int) -> None:
    call("governance", "vote", proposal_id=proposal_id, approve=True)

@action
def propose(ctx: Context) -> None:
    call("governance", "propose_suspension", organisation="bank")

@action
def recount(ctx: Context, proposal_id: int) -> None:
    call("governance", "recount", proposal_id=proposal_id)

@action
def withdraw(ctx: Context, proposal_id: int) -> None:
    call("governance", "withdraw", proposal_id=proposal_id)

@action
def submit(ctx: Context) -> None:
    call("lifecycle", "submit", source="")

@action
def retire(ctx: Context, contract: str) -> None:
    call("lifecycle", "retire", contract=contract)
"""


def enrolment(member: str, *roles: str, organisation: str = "carrier") -> dict:
    return {"member": member, "roles": list(roles), "suite": SUITE, "public_key": key(f"{organisation}/{member}")}


def new_key(member: str, number: int = 2, organisation: str = "carrier") -> dict:
    return {"member": member, "suite": SUITE, "public_key": key(f"{organisation}/{member}#{number}")}


def rotation(member: str, organisation: str = "carrier") -> dict:
    return new_key(member, 2, organisation) | {"old_public_key": key(f"{organisation}/{member}")}


@pytest.fixture
def consortium() -> Consortium:
    return Consortium()


# --- Organisations --------------------------------------------------------------------------------------------------

BY_VOTE = {
    "admit": {"organisation": "yard", "title": "Yard", "admin": "admin", "suite": SUITE, "public_key": key("yard/admin")},
    "set_organisation_status": {"organisation": "bank", "status": "suspended"},
}


@pytest.mark.parametrize("action", BY_VOTE)
def test_organisation_changed_without_a_vote_is_refused(consortium, action):
    """SYS-001"""
    consortium.refuses("BY_VOTE_ONLY", "carrier/admin", f"registry.{action}", **BY_VOTE[action])


def test_organisation_admitted_by_vote_can_act_with_its_first_admin(consortium):
    """SYS-001"""
    assert consortium.agree("propose_admission", **consortium.admission("yard")) == "accepted"
    assert consortium.record("registry.organisations", "yard") == {"organisation": "yard", "title": "Yard", "status": "active"}
    consortium.does("yard/admin", "registry.enrol_member", **enrolment("clerk", organisation="yard"))


def test_organisation_suspended_and_restored_keeps_its_records(consortium):
    """SYS-001, LED-020"""
    members = consortium.view("registry.organisation_members", organisation="port")
    assert consortium.agree("propose_suspension", organisation="port") == "accepted"
    assert consortium.call("port/admin", "registry.enrol_member", **enrolment("x")).code == "ORGANISATION_SUSPENDED"
    assert consortium.view("registry.organisation_members", organisation="port") == members
    assert not consortium.view("registry.is_active", organisation="port")
    with pytest.raises(NotPermittedError):
        authorise_node(consortium.state, founder("port").nodes[0])
    assert consortium.agree("propose_restoration", organisation="port") == "accepted"
    consortium.does("port/admin", "registry.enrol_member", **enrolment("helper", organisation="port"))
    assert consortium.view("registry.is_active", organisation="port")


def test_organisation_that_never_was_is_not_active(consortium):
    assert not consortium.view("registry.is_active", organisation="yard")


NOT_ADMITTED = {
    "a name that is none": ({"organisation": "Yard"}, "ARGUMENTS_INVALID"),
    "an admin's name that is none": ({"admin": "The Admin"}, "NOT_A_NAME"),
    "an admin without a name": ({"admin": ""}, "NOT_A_NAME"),
    "an admin's name too long": ({"admin": "a" * 41}, "NOT_A_NAME"),
    "no title": ({"title": ""}, "TITLE_LENGTH"),
    "a title too long": ({"title": "t" * 201}, "TITLE_LENGTH"),
    "a key too short": ({"public_key": b"k" * 31}, "KEY_DOES_NOT_FIT_SUITE"),
    "an unknown suite": ({"suite": "rot13"}, "SUITE_NOT_ALLOWED"),
    "an organisation that is there": ({"organisation": "bank"}, "ALREADY_EXISTS"),
}


@pytest.mark.parametrize(("changes", "code"), NOT_ADMITTED.values(), ids=NOT_ADMITTED)
def test_admission_with_a_fault_is_refused_when_it_is_proposed(consortium, changes, code):
    """SYS-012: nobody votes on what cannot be done."""
    consortium.refuses(code, "carrier/admin", "governance.propose_admission", **consortium.admission("yard") | changes)


def fill(consortium: Consortium, total: int, status: str = "suspended") -> list[str]:
    """Enrol organisations straight in the state until there are so many."""
    names = [f"filler{number}" for number in range(total - len(consortium.genesis.organisations))]
    for name in names:
        consortium.write("registry.organisations", name, organisation=name, title="t" * 200, status=status)
    return names


def test_organisations_up_to_the_limit_are_admitted():
    """SYS-008"""
    consortium = Consortium("carrier")
    fill(consortium, 1999)
    assert consortium.agree("propose_admission", ["carrier"], **consortium.admission("yard")) == "accepted"


def test_organisations_over_the_limit_are_refused():
    """SYS-008"""
    consortium = Consortium("carrier")
    fill(consortium, 2000)
    consortium.refuses("TOO_MANY_ORGANISATIONS", "carrier/admin", "governance.propose_admission", **consortium.admission("yard"))


def test_decision_of_as_many_organisations_as_can_be_fits_the_lowest_gas_limit():
    """SYS-008, SYS-013: whatever was voted, a vote can put it right."""
    consortium = Consortium("carrier", thresholds={"certifier": "all"})
    names = fill(consortium, 2000, "active")
    arguments = {"organisation": "filler0", "suite": SUITE, "public_key": key("x"), "power": 1}
    number = consortium.does("carrier/admin", "governance.propose_certifier", **arguments)
    for name in names:
        consortium.write("governance.votes", number, name, proposal_id=number, organisation=name, approve=True, height=1)
    outcome = consortium.call("carrier/admin", "governance.recount", proposal_id=number)
    assert outcome.results == ("accepted",)
    assert outcome.gas_used < 20_000_000


# --- Members --------------------------------------------------------------------------------------------------------


def test_member_enrolled_by_an_admin_can_sign_from_the_next_transaction_on(consortium):
    """SYS-002, SYS-003"""
    enrol = consortium.transaction("carrier/admin", ("registry.enrol_member", enrolment("mate", "operator", "tallier")))
    uses = consortium.transaction("carrier/mate", ("registry.add_key", new_key("mate")))
    assert [outcome.code for outcome in consortium.block(uses, enrol, replace(uses, id=bytes(32)))] == ["NOT_ENROLLED", "OK", "OK"]
    assert consortium.record("registry.members", "carrier", "mate")["roles"] == ["operator", "tallier"]


def test_member_enrolled_by_someone_without_the_role_is_refused(consortium):
    """SYS-002"""
    consortium.refuses("ROLE_REQUIRED", "carrier/clerk", "registry.enrol_member", **enrolment("mate"))


NOT_ENROLLED = {
    "a name that is none": ({"member": "Mate"}, "NOT_A_NAME"),
    "a member that is there": ({"member": "clerk"}, "ALREADY_EXISTS"),
    "a role that is no name": ({"roles": ["Operator"]}, "NOT_A_NAME"),
    "roles in another order": ({"roles": ["b", "a"]}, "ROLES_NOT_SORTED"),
    "a role twice": ({"roles": ["a", "a"]}, "ROLES_NOT_SORTED"),
    "too many roles": ({"roles": [f"r{number:02}" for number in range(33)]}, "TOO_MANY_ROLES"),
    "a key too long": ({"public_key": b"k" * 33}, "KEY_DOES_NOT_FIT_SUITE"),
    "a suite that is not allowed": ({"suite": "rot13"}, "SUITE_NOT_ALLOWED"),
}


@pytest.mark.parametrize(("changes", "code"), NOT_ENROLLED.values(), ids=NOT_ENROLLED)
def test_enrolment_with_a_fault_is_refused(consortium, changes, code):
    """SYS-002"""
    consortium.refuses(code, "carrier/admin", "registry.enrol_member", **enrolment("mate") | changes)


def test_member_changed_by_its_admin_has_new_roles_and_status(consortium):
    """SYS-002, LED-020"""
    consortium.does("carrier/admin", "registry.set_member", member="clerk", roles=["auditor"], status="suspended")
    assert consortium.call("carrier/clerk", "registry.add_key", **new_key("clerk")).code == "MEMBER_SUSPENDED"
    consortium.does("carrier/admin", "registry.set_member", member="clerk", roles=["auditor"], status="active")
    consortium.does("carrier/clerk", "registry.add_key", **new_key("clerk"))


def test_member_unknown_is_not_changed(consortium):
    """SYS-002"""
    consortium.refuses("NOT_FOUND", "carrier/admin", "registry.set_member", member="mate", roles=[], status="active")


def test_admin_acts_on_its_own_organisation_only(consortium):
    """SYS-002: the same names in another organisation are other members."""
    consortium.does("carrier/admin", "registry.set_member", member="clerk", roles=["auditor"], status="active")
    assert consortium.record("registry.members", "bank", "clerk")["roles"] == ["operator"]
    consortium.refuses("NOT_FOUND", "carrier/admin", "registry.revoke_key", member="clerk", public_key=key("bank/clerk"))


def test_admin_of_another_organisation_beside_a_sender_without_the_role_is_refused(consortium):
    """SYS-002: the sender is the first signer's organisation, and its admin is asked for."""
    for action, arguments in (
        ("enrol_member", enrolment("mate")),
        ("set_member", {"member": "clerk", "roles": ["admin"], "status": "active"}),
        ("add_key", new_key("admin")),
        ("revoke_key", {"member": "admin", "public_key": key("carrier/admin")}),
        ("rotate_key", rotation("admin")),
        ("enrol_node", {"node": "spare", "suite": SUITE, "public_key": key("x")}),
        ("set_node", {"node": "node", "suite": SUITE, "public_key": key("x"), "status": "active"}),
    ):
        consortium.refuses("ROLE_REQUIRED", "carrier/clerk bank/admin", f"registry.{action}", **arguments)


def test_admin_as_second_signer_of_the_senders_organisation_is_enough(consortium):
    """SYS-002"""
    consortium.does("carrier/clerk carrier/admin", "registry.enrol_member", **enrolment("mate"))
    consortium.does("carrier/admin bank/admin", "registry.enrol_member", **enrolment("cook"))
    assert consortium.record("registry.members", "bank", "cook") == {}


# --- Keys -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("signer", ["carrier/clerk", "carrier/admin"])
def test_key_added_by_the_member_or_an_admin_counts(consortium, signer):
    """SYS-003"""
    consortium.does(signer, "registry.add_key", **new_key("clerk"))
    consortium.does("carrier/clerk#2", "registry.add_key", **new_key("clerk", 3))
    assert consortium.record("registry.member_keys", "carrier", "clerk", key("carrier/clerk#2")) == {
        "organisation": "carrier",
        "member": "clerk",
        "public_key": key("carrier/clerk#2"),
        "suite": SUITE,
        "since_height": 1,
        "status": "active",
        "revoked_height": None,
    }


@pytest.mark.parametrize("signers", ["carrier/clerk", "bank/admin", "carrier/clerk bank/admin", "bank/clerk carrier/admin"])
def test_key_added_by_someone_else_is_refused(consortium, signers):
    """SYS-003: `bank/admin` asks for a member of the bank, which has no key of the carrier's to lose."""
    before = consortium.view("registry.keys", organisation="carrier", member="admin")
    consortium.call(signers, "registry.add_key", **new_key("admin"))
    assert consortium.view("registry.keys", organisation="carrier", member="admin") == before


def test_key_of_an_unknown_member_is_refused(consortium):
    """SYS-003"""
    consortium.refuses("MEMBER_NOT_FOUND", "carrier/admin", "registry.add_key", **new_key("mate"))


def test_key_that_a_member_has_already_is_refused(consortium):
    """SYS-003"""
    arguments = {"member": "clerk", "suite": SUITE, "public_key": key("carrier/clerk")}
    consortium.refuses("ALREADY_EXISTS", "carrier/admin", "registry.add_key", **arguments)


def test_key_of_another_member_of_the_organisation_is_refused(consortium):
    """SYS-003: one member, also after its revocation."""
    arguments = {"member": "admin", "suite": SUITE, "public_key": key("carrier/clerk")}
    consortium.refuses("ALREADY_EXISTS", "carrier/admin", "registry.add_key", **arguments)
    consortium.does("carrier/admin", "registry.revoke_key", member="clerk", public_key=key("carrier/clerk"))
    consortium.refuses("ALREADY_EXISTS", "carrier/admin", "registry.add_key", **arguments)
    consortium.refuses(
        "ALREADY_EXISTS", "carrier/admin", "registry.enrol_member", **enrolment("mate") | {"public_key": key("carrier/clerk")}
    )


def test_key_of_a_member_of_another_organisation_is_accepted(consortium):
    """SYS-003: nobody can keep another organisation from a key by enrolling it first."""
    consortium.does("bank/admin", "registry.add_key", member="clerk", suite=SUITE, public_key=key("carrier/clerk"))


@pytest.mark.parametrize("signer", ["carrier/clerk", "carrier/admin"])
def test_key_revoked_never_counts_again(consortium, signer):
    """SYS-003, SYS-004"""
    consortium.does(signer, "registry.revoke_key", member="clerk", public_key=key("carrier/clerk"))
    assert consortium.call("carrier/clerk", "registry.add_key", **new_key("clerk")).code == "KEY_REVOKED"
    record = consortium.record("registry.member_keys", "carrier", "clerk", key("carrier/clerk"))
    assert (record["status"], record["since_height"], record["revoked_height"]) == ("revoked", 0, 1)
    again = {"member": "clerk", "public_key": key("carrier/clerk")}
    consortium.refuses("ALREADY_EXISTS", "carrier/admin", "registry.add_key", suite=SUITE, **again)
    consortium.refuses("ALREADY_REVOKED", "carrier/admin", "registry.revoke_key", **again)


def test_key_revoked_earlier_in_the_block_does_not_count(consortium):
    """SYS-003, LED-020, CON-140"""
    revokes = consortium.transaction("carrier/admin", ("registry.revoke_key", {"member": "clerk", "public_key": key("carrier/clerk")}))
    uses = consortium.transaction("carrier/clerk", ("registry.add_key", new_key("clerk")))
    assert [outcome.code for outcome in consortium.block(revokes, uses)] == ["OK", "KEY_REVOKED"]


def test_key_added_earlier_in_the_block_counts(consortium):
    """SYS-003"""
    adds = consortium.transaction("carrier/admin", ("registry.add_key", new_key("clerk")))
    uses = consortium.transaction("carrier/clerk#2", ("registry.add_key", new_key("clerk", 3)))
    assert [outcome.code for outcome in consortium.block(uses, adds, uses)] == ["KEY_REVOKED", "OK", "OK"]


def test_key_revoked_by_a_refused_transaction_counts_on(consortium):
    """SYS-003, LED-022: all calls of a transaction or none."""
    revoke = ("registry.revoke_key", {"member": "clerk", "public_key": key("carrier/clerk")})
    refused = ("registry.enrol_member", enrolment("Mate"))
    outcomes = consortium.block(
        consortium.transaction("carrier/admin", revoke, refused),
        consortium.transaction("carrier/clerk", ("registry.add_key", new_key("clerk"))),
    )
    assert [outcome.code for outcome in outcomes] == ["NOT_A_NAME", "OK"]


def test_key_revoked_by_another_member_is_refused(consortium):
    """SYS-004"""
    consortium.refuses("ROLE_REQUIRED", "carrier/clerk", "registry.revoke_key", member="admin", public_key=key("carrier/admin"))


@pytest.mark.parametrize("signer", ["carrier/clerk", "carrier/admin"])
def test_key_rotated_replaces_the_old_one(consortium, signer):
    """SYS-004"""
    consortium.does(signer, "registry.rotate_key", **rotation("clerk"))
    assert consortium.call("carrier/clerk", "registry.add_key", **new_key("clerk", 3)).code == "KEY_REVOKED"
    consortium.does("carrier/clerk#2", "registry.add_key", **new_key("clerk", 3))


def test_key_rotated_by_the_only_admin_is_accepted(consortium):
    """SYS-004, SYS-005"""
    consortium.does("carrier/admin", "registry.rotate_key", **rotation("admin"))
    consortium.does("carrier/admin#2", "registry.enrol_member", **enrolment("mate"))


def test_key_rotated_for_one_that_is_not_the_members_is_refused(consortium):
    """SYS-004"""
    arguments = rotation("clerk") | {"old_public_key": key("carrier/admin")}
    consortium.refuses("NOT_FOUND", "carrier/admin", "registry.rotate_key", **arguments)


def test_key_rotated_to_itself_is_refused(consortium):
    """SYS-004"""
    arguments = rotation("clerk") | {"public_key": key("carrier/clerk")}
    consortium.refuses("ALREADY_EXISTS", "carrier/clerk", "registry.rotate_key", **arguments)


def test_key_rotated_by_another_member_is_refused(consortium):
    """SYS-004"""
    consortium.refuses("ROLE_REQUIRED", "carrier/clerk", "registry.rotate_key", **rotation("admin"))


# --- The last admin -------------------------------------------------------------------------------------------------

LAST_ADMIN = {
    "loses the role": ("set_member", {"member": "admin", "roles": [], "status": "active"}),
    "is suspended": ("set_member", {"member": "admin", "roles": ["admin"], "status": "suspended"}),
    "loses the last key": ("revoke_key", {"member": "admin", "public_key": key("carrier/admin")}),
}


@pytest.mark.parametrize(("action", "arguments"), LAST_ADMIN.values(), ids=LAST_ADMIN)
def test_last_admin_stays(consortium, action, arguments):
    """SYS-005"""
    consortium.refuses("LAST_ADMIN", "carrier/admin", f"registry.{action}", **arguments)


@pytest.mark.parametrize(("action", "arguments"), LAST_ADMIN.values(), ids=LAST_ADMIN)
@pytest.mark.parametrize("signer", ["carrier/admin", "carrier/deputy"])
def test_admin_beside_another_one_can_go(consortium, action, arguments, signer):
    """SYS-005"""
    consortium.does("carrier/admin", "registry.enrol_member", **enrolment("deputy", "admin"))
    consortium.does(signer, f"registry.{action}", **arguments)


def test_admin_beside_another_one_without_a_key_stays(consortium):
    """SYS-005: an admin that cannot sign is none."""
    consortium.does("carrier/admin", "registry.enrol_member", **enrolment("deputy", "admin"))
    consortium.does("carrier/admin", "registry.revoke_key", member="deputy", public_key=key("carrier/deputy"))
    consortium.refuses("LAST_ADMIN", "carrier/admin", "registry.revoke_key", member="admin", public_key=key("carrier/admin"))


def test_admin_with_a_second_key_can_lose_the_first(consortium):
    """SYS-005"""
    consortium.does("carrier/admin", "registry.add_key", **new_key("admin"))
    consortium.does("carrier/admin", "registry.revoke_key", member="admin", public_key=key("carrier/admin"))


def test_last_key_of_a_member_without_the_role_can_go(consortium):
    """SYS-005"""
    consortium.does("carrier/clerk", "registry.revoke_key", member="clerk", public_key=key("carrier/clerk"))


def test_member_of_an_organisation_that_never_had_an_admin_can_revoke_its_key():
    """SYS-005: it has none to lose, and a stolen key must be revocable."""
    clerk = founder("yard").members[1]
    consortium = Consortium("carrier", replace(founder("yard"), members=(clerk,)))
    consortium.does("yard/clerk", "registry.revoke_key", member="clerk", public_key=key("yard/clerk"))


# --- Time, and contracts in between ---------------------------------------------------------------------------------


def test_enrolment_of_long_ago_still_counts(consortium):
    """SYS-006: ten years and ten million blocks later."""
    later = BlockContext(10**7, TIME_MS + 10 * 365 * 86_400_000)
    clerk = consortium.transaction("carrier/clerk", ("registry.add_key", new_key("clerk")))
    assert BlockRunner(SHA256).execute(later, [clerk], consortium.state).outcomes[0].code == "OK"


def test_enrolment_revoked_long_ago_still_does_not_count(consortium):
    """SYS-006"""
    consortium.does("carrier/clerk", "registry.revoke_key", member="clerk", public_key=key("carrier/clerk"))
    later = BlockContext(10**7, TIME_MS + 10 * 365 * 86_400_000)
    clerk = consortium.transaction("carrier/clerk", ("registry.add_key", new_key("clerk")))
    assert BlockRunner(SHA256).execute(later, [clerk], consortium.state).outcomes[0].code == "KEY_REVOKED"


def test_contract_that_an_admin_calls_cannot_act_in_its_name(consortium):
    """SYS-007"""
    consortium.deploy("relay", RELAY)
    number = consortium.does("bank/admin", "governance.propose_parameter", name="state_history_blocks", value=5)
    own = consortium.does("carrier/admin", "governance.propose_parameter", name="state_history_blocks", value=6)
    for action, arguments in (
        ("enrol", {"member": "mole", "public_key": key("mole")}),
        ("add_key", {"member": "admin", "public_key": key("mole")}),
        ("vote", {"proposal_id": number}),
        ("recount", {"proposal_id": number}),
        ("withdraw", {"proposal_id": own}),
        ("propose", {}),
        ("submit", {}),
    ):
        consortium.refuses("DIRECT_CALL_ONLY", "carrier/admin", f"relay.{action}", **arguments)


def test_contract_that_is_not_governance_cannot_change_what_is_voted_on(consortium):
    """SYS-001, SYS-021"""
    consortium.deploy("relay", RELAY)
    consortium.refuses("BY_VOTE_ONLY", "carrier/admin", "relay.admit")
    consortium.refuses("BY_VOTE_ONLY", "carrier/admin", "relay.retire", contract="relay")


def test_transaction_with_several_calls_acts_by_each(consortium):
    """SYS-007: all calls that the transaction itself lists are its own."""
    calls = [("registry.enrol_member", enrolment(name)) for name in ("mate", "cook")]
    assert consortium.block(consortium.transaction("carrier/admin", *calls))[0].code == "OK"


# --- Nodes ----------------------------------------------------------------------------------------------------------


def test_node_enrolled_by_an_admin_may_send(consortium):
    """SYS-002, COD-041"""
    consortium.does("carrier/admin", "registry.enrol_node", node="spare", suite=SUITE, public_key=key("spare"))
    authorise_node(consortium.state, NodeIdentity("carrier", "spare", SUITE, key("spare")))


def test_node_changed_by_an_admin_has_the_new_key_and_status(consortium):
    """SYS-002, COD-041"""
    consortium.does("carrier/admin", "registry.set_node", node="node", suite=SUITE, public_key=key("new"), status="active")
    authorise_node(consortium.state, NodeIdentity("carrier", "node", SUITE, key("new")))
    with pytest.raises(NotPermittedError):
        authorise_node(consortium.state, founder("carrier").nodes[0])
    consortium.does("carrier/admin", "registry.set_node", node="node", suite=SUITE, public_key=key("new"), status="suspended")
    with pytest.raises(NotPermittedError):
        authorise_node(consortium.state, NodeIdentity("carrier", "node", SUITE, key("new")))


def test_last_active_node_is_not_suspended():
    """SYS-009: counted are nodes of active organisations alone, in whatever order and however many there are."""
    consortium = Consortium("bank", "carrier")
    own = {"node": "node", "suite": SUITE, "public_key": key("carrier/node")}
    consortium.write("registry.organisations", "bank", organisation="bank", title="Bank", status="suspended")
    for number in range(registry.PAGE_ROWS + 1):
        spare = f"spare{number:03}"
        consortium.write(
            "registry.nodes", "bank", spare, organisation="bank", node=spare, suite=SUITE, public_key=key("x"), status="active"
        )
    consortium.refuses("LAST_NODE", "carrier/admin", "registry.set_node", status="suspended", **own)
    consortium.does("carrier/admin", "registry.set_node", status="active", **own)
    consortium.does("carrier/admin", "registry.enrol_node", node="spare", suite=SUITE, public_key=key("spare"))
    consortium.does("carrier/admin", "registry.set_node", status="suspended", **own)
    consortium.refuses("LAST_NODE", "carrier/admin", "registry.set_node", status="suspended", **own | {"node": "spare"})


def test_node_with_a_fault_is_refused(consortium):
    """SYS-002"""
    node = {"node": "spare", "suite": SUITE, "public_key": key("spare")}
    consortium.refuses("ROLE_REQUIRED", "carrier/clerk", "registry.enrol_node", **node)
    consortium.refuses("NOT_A_NAME", "carrier/admin", "registry.enrol_node", **node | {"node": "9"})
    consortium.refuses("ALREADY_EXISTS", "carrier/admin", "registry.enrol_node", **node | {"node": "node"})
    consortium.refuses("KEY_DOES_NOT_FIT_SUITE", "carrier/admin", "registry.enrol_node", **node | {"public_key": b""})
    consortium.refuses("NOT_FOUND", "carrier/admin", "registry.set_node", status="active", **node)

"""LED-020: who may sign, by the records of the registry."""

import pytest

from tests.unit.ledger.chain_in_memory import SUITE, MemoryState, key
from yunhe.errors import KeyRevokedError, MemberSuspendedError, NotEnrolledError, OrganisationSuspendedError
from yunhe.ledger.enrolment import EnrolledSigner, authorise
from yunhe.ledger.layouts import member_key, organisation_key
from yunhe.ledger.transaction import Signer


def enrolled() -> MemoryState:
    state = MemoryState()
    state.enrol("carrier", "clerk", key(1))
    state.enrol("bank", "officer", key(2))
    return state


def signer(organisation="carrier", member="clerk", number=1, suite=SUITE) -> Signer:
    return Signer(organisation, member, suite, key(number).public_key.raw)


def test_authorise_enrolled_signers_returns_their_roles_in_order():
    """LED-020 accepted."""
    signers = authorise(enrolled(), (signer("bank", "officer", 2), signer()))
    assert signers == (EnrolledSigner("bank", "officer", ("admin",)), EnrolledSigner("carrier", "clerk", ("admin",)))


@pytest.mark.parametrize(
    ("who", "error"),
    [
        (signer("port"), NotEnrolledError),
        (signer(member="master"), NotEnrolledError),
        (signer(number=3), KeyRevokedError),
        (signer(number=2), KeyRevokedError),
        (signer(suite="sm2-sm3"), KeyRevokedError),
    ],
)
def test_authorise_unknown_is_refused_by_name(who, error):
    """LED-020 refused; a second signer is checked like the first."""
    with pytest.raises(error):
        authorise(enrolled(), (who,))
    with pytest.raises(error):
        authorise(enrolled(), (signer("bank", "officer", 2), who))


def test_authorise_revoked_key_is_refused():
    state = enrolled()
    state.enrol("carrier", "clerk", key(1), status="revoked")
    with pytest.raises(KeyRevokedError):
        authorise(state, (signer(),))


def test_authorise_suspended_organisation_is_refused():
    state = enrolled()
    state.put(organisation_key("carrier"), organisation="carrier", title="", status="suspended")
    with pytest.raises(OrganisationSuspendedError):
        authorise(state, (signer(),))


def test_authorise_suspended_member_is_refused():
    state = enrolled()
    state.put(member_key("carrier", "clerk"), organisation="carrier", member="clerk", roles=["admin"], status="suspended")
    with pytest.raises(MemberSuspendedError):
        authorise(state, (signer(),))

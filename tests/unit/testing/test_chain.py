"""The chain of tests: several calls in one transaction, rows, changes, snapshots and invariants."""

from types import ModuleType

import pytest

from tests.unit.testing import guests, points
from yunhe.contracts import Org
from yunhe.contracts.faults import ContractStop
from yunhe.contracts.system_contracts import registry
from yunhe.testing import Call, Chain, InvariantError, Member, invariant

ALPHA, BETA = Org("alpha"), Org("beta")


@pytest.fixture
def issuer(chain: Chain) -> Member:
    chain.deploy(points)
    return chain.member("alpha", roles=["issuer"])


@invariant
def nothing_is_lost(chain: Chain) -> None:
    assert sum(account.points for account in chain.rows(points.accounts).values()) == chain.rows(points.totals).get("issued", 0)


# --- Deploying ----------------------------------------------------------------------------------------------------------


def test_registry_is_there_already_and_its_name_is_taken(chain: Chain) -> None:
    chain.deploy(registry)
    with chain.refuses("SYSTEM_CONTRACT"):
        chain.deploy(guests, "registry")


def test_module_that_has_no_source_file_is_refused(chain: Chain) -> None:
    with pytest.raises(ValueError, match="typed has no source file"):
        chain.deploy(ModuleType("typed"))


# --- Several calls in one transaction -----------------------------------------------------------------------------------


def test_transact_several_calls_returns_the_results_and_makes_one_block(chain: Chain, issuer: Member) -> None:
    height = chain.height
    assert issuer.transact(Call(points.issue, ALPHA, 3), Call(points.issue, ALPHA, points=4)) == [3, 7]
    assert chain.height == height + 1


def test_transact_with_a_refused_call_changes_nothing_and_names_the_call(chain: Chain, issuer: Member) -> None:
    with pytest.raises(Exception, match="NOT_ENOUGH") as caught:
        issuer.transact(Call(points.issue, ALPHA, 3), Call(points.move, BETA, 4))
    assert caught.value.__notes__ == ["in call 2 of 2 of the transaction: points.move"]
    assert chain.rows(points.accounts) == {}
    with chain.refuses("NOT_ENOUGH"):
        issuer.transact(Call(points.issue, ALPHA, 3), Call(points.move, BETA, 4))


# --- Rows and changes ---------------------------------------------------------------------------------------------------


def test_rows_are_typed_and_in_the_order_of_their_keys(chain: Chain, issuer: Member) -> None:
    issuer.transact(Call(points.issue, BETA, 1), Call(points.issue, ALPHA, 5), Call(points.move, BETA, 2))
    assert list(chain.rows(points.accounts).items()) == [
        ("alpha", points.Account(owner=ALPHA, points=3)),
        ("beta", points.Account(owner=BETA, points=3)),
    ]
    assert chain.rows(points.totals) == {"issued": 6}
    assert chain.rows(points.movements) == {BETA: [points.Movement(points=2, time_ms=chain.time_ms)]}


def test_rows_of_a_contract_that_is_not_deployed_says_what_to_do() -> None:
    with pytest.raises(LookupError, match=r"chain\.deploy"):
        Chain().rows(points.accounts)


def test_changes_tell_what_the_last_call_did(chain: Chain, issuer: Member) -> None:
    issuer.transact(Call(points.issue, ALPHA, 5), Call(points.issue, BETA, 1))
    assert [str(change) for change in chain.changes][-1] == "points.totals['issued'] added: 6"
    issuer.call(points.move, BETA, 2)
    assert [str(change) for change in chain.changes] == [
        "points.accounts['alpha']: points 5 -> 3",
        "points.accounts['beta']: points 1 -> 3",
        f"points.movements[('beta', 0)] added: Movement(points=2, time_ms={chain.time_ms})",
    ]
    assert (chain.changes[0].before.points, chain.changes[0].after.points) == (5, 3)


# --- Snapshots ----------------------------------------------------------------------------------------------------------


def test_rewind_restores_state_time_and_height_more_than_once(chain: Chain, issuer: Member) -> None:
    issuer.call(points.issue, ALPHA, 5)
    moment, records, time_ms, height = chain.snapshot(), chain.state.records(), chain.time_ms, chain.height
    for amount in (1, 2):
        chain.advance(1000)
        assert issuer.call(points.issue, ALPHA, amount) == 5 + amount
        chain.rewind(moment)
        assert (chain.state.records(), chain.time_ms, chain.height, chain.changes) == (records, time_ms, height, [])


def test_rewind_before_a_deployment_forgets_the_contract() -> None:
    chain = Chain()
    moment = chain.snapshot()
    chain.deploy(points)
    chain.rewind(moment)
    with pytest.raises(LookupError, match="not deployed"):
        chain.member("alpha").call(points.lose, 1)


# --- Invariants ---------------------------------------------------------------------------------------------------------


def test_keep_lets_calls_pass_that_keep_the_invariant(chain: Chain, issuer: Member) -> None:
    chain.keep(nothing_is_lost)
    issuer.transact(Call(points.issue, ALPHA, 5), Call(points.issue, BETA, 1), Call(points.move, BETA, 2))
    assert chain.rows(points.accounts)[ALPHA].points == 3


def test_keep_fails_the_call_that_breaks_the_invariant_and_shows_its_changes(chain: Chain, issuer: Member) -> None:
    chain.keep(nothing_is_lost)
    issuer.call(points.issue, ALPHA, 5)
    with pytest.raises(InvariantError, match=r"nothing_is_lost does not hold after points\.lose(.|\n)*points 5 -> 4"):
        issuer.call(points.lose, 1)


def test_keep_fails_at_once_when_the_invariant_is_broken_already(chain: Chain, issuer: Member) -> None:
    issuer.transact(Call(points.issue, ALPHA, 5), Call(points.lose, 1))
    with pytest.raises(InvariantError, match="before any call"):
        chain.keep(nothing_is_lost)


# --- Blocks, time and the registry ----------------------------------------------------------------------------------------


def test_each_transaction_has_a_block_with_a_later_time_and_the_time_of_the_chain_is_that_of_the_last(chain: Chain) -> None:
    chain.deploy(guests)
    alpha, beta = chain.member("alpha"), chain.member("beta")
    height, time_ms = chain.height, chain.time_ms
    alpha.call(guests.invite, ALPHA)
    alpha.call(guests.invite, BETA)
    first, second = chain.rows(guests.guests).values()
    assert (first.height, second.height, chain.height) == (height, height + 1, height + 2)
    assert (first.time_ms, second.time_ms, chain.time_ms) == (time_ms, time_ms + 1, time_ms + 1)
    chain.advance(86_400_000)
    with chain.refuses("ALREADY_EXISTS"):
        beta.call(guests.invite, BETA)
    assert (chain.height, chain.time_ms) == (height + 3, time_ms + 86_400_001)


def test_view_sees_the_last_block_whatever_the_time_is_now(chain: Chain) -> None:
    chain.deploy(guests)
    chain.member("alpha").call(guests.invite, ALPHA)
    seen = [chain.height - 1, chain.time_ms]
    chain.advance(86_400_000)
    assert chain.view(guests.block) == seen


def test_members_are_in_the_registry_that_contracts_ask(chain: Chain) -> None:
    chain.deploy(guests)
    alpha = chain.member("alpha")
    with chain.refuses("GUEST_UNKNOWN"):
        alpha.call(guests.invite, BETA)
    chain.member("beta", roles=["clerk"])
    alpha.call(guests.invite, BETA)
    assert list(chain.rows(guests.guests)) == [BETA]


def test_members_are_in_the_registry_after_going_back_before_they_were_made() -> None:
    chain = Chain()
    chain.deploy(guests)
    moment = chain.snapshot()
    alpha = chain.member("alpha")
    chain.rewind(moment)
    alpha.call(guests.invite, ALPHA)
    assert list(chain.rows(guests.guests)) == [ALPHA]


ROLES = {
    "a space": (["x y"], "NOT_A_NAME"),
    "a capital": (["Bank"], "NOT_A_NAME"),
    "nothing": ([""], "NOT_A_NAME"),
    "too long": (["b" * 41], "NOT_A_NAME"),
    "not ASCII": (["b\u00e4nk"], "NOT_A_NAME"),
    "too many": (sorted(f"role_{number}" for number in range(registry.ROLES_MAX + 1)), "TOO_MANY_ROLES"),
}


@pytest.mark.parametrize("roles", ROLES)
def test_roles_that_the_registry_refuses_are_refused_with_its_code(roles: str) -> None:
    names, code = ROLES[roles]
    chain = Chain()
    with chain.refuses(code):
        chain.member("port", roles=names)
    admin = chain.member("port", roles=["admin"])
    with chain.refuses(code):
        admin.call(registry.set_member, "operator", names, registry.Status.ACTIVE)


def test_member_whose_name_the_registry_refuses_is_refused_with_its_code() -> None:
    chain = Chain()
    with chain.refuses("NOT_A_NAME"):
        chain.member("port", "B C")


def test_roles_as_one_text_are_refused_and_not_taken_for_letters() -> None:
    with pytest.raises(TypeError, match="list of names"):
        Chain().member("port", roles="bank")


def test_contract_under_a_name_that_no_ledger_deploys_is_refused_with_its_code() -> None:
    chain = Chain()
    with chain.refuses("NOT_A_NAME"):
        chain.deploy(points, "Bad Name")


@pytest.mark.parametrize("milliseconds", [-1, 1.5, True, "1"])
def test_time_that_does_not_move_ahead_by_whole_milliseconds_is_refused(milliseconds: int) -> None:
    with pytest.raises(ValueError, match="whole milliseconds"):
        Chain().advance(milliseconds)


def test_transaction_that_no_ledger_takes_is_refused(chain: Chain, issuer: Member) -> None:
    for members in ((), (issuer, issuer)):
        with pytest.raises(ValueError, match="1 to 16 signers, each once"):
            chain.together(*members)
    for calls in (0, 17):
        with pytest.raises(ValueError, match="1 to 16 calls"):
            issuer.transact(*[Call(points.issue, Org("alpha"), 1)] * calls)


def test_argument_of_another_type_is_named(chain: Chain, issuer: Member) -> None:
    with pytest.raises(ContractStop) as caught:
        issuer.call(points.issue, Org("alpha"), "many")  # type: ignore[arg-type]  # the mistake
    assert caught.value.__notes__ == ["in the argument points of issue"]


def test_view_that_is_called_and_action_that_is_asked_are_told_what_they_are(chain: Chain, issuer: Member) -> None:
    with pytest.raises(ContractStop, match="has no action points_of; it is a view"):
        issuer.call(points.points_of, Org("alpha"))
    with pytest.raises(ContractStop, match="has no view issue; it is an action"):
        chain.view(points.issue, Org("alpha"), 1)

"""The chain on a real node does what the chain in memory does, and says what a node cannot do."""

import unittest
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.imported_module import imported
from tests.unit.testing import canary, guests, points
from yunhe.contracts import Org
from yunhe.errors import ContractRefusedError
from yunhe.testing import Call, Chain, MeteredDifferenceError, UnsavedChangeError
from yunhe.testing.node_chain import NodeChain

ALPHA, BETA = Org("alpha"), Org("beta")


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeChain]:
    """A node that tests share which do not care what others left in it."""
    with NodeChain(tmp_path_factory.mktemp("ledger") / "node") as chain:
        for contract in (canary, guests, points):
            chain.deploy(contract)
        yield chain


def _played(chain: Chain) -> list[object]:
    """Play a story and return everything that a test can see of it but heights, which depend on the votes before it."""
    chain.deploy(points)
    chain.deploy(canary)
    alpha, beta, gamma = chain.member("alpha", roles=["issuer"]), chain.member("beta", roles=["bank", "auditor"]), chain.member("gamma")
    seen: list[object] = [alpha.transact(Call(points.issue, ALPHA, 5), Call(points.issue, owner=BETA, points=1)), chain.changes]
    chain.advance(86_400_000)
    alpha.call(points.move, BETA, 2)
    seen += [chain.gas_used, chain.events, chain.emitted(points.Moved), chain.changes, chain.time_ms, chain.rows(points.movements)]
    with chain.refuses("NOT_ENOUGH"):
        alpha.transact(Call(points.issue, ALPHA, 3), Call(points.move, BETA, 40))
    with chain.refuses("ROLE_REQUIRED"):
        gamma.call(points.issue, ALPHA, 3)
    with chain.refuses("CONTRACT_FAULT"):
        alpha.call(points.share, 0)
    chain.together(beta, gamma).call(canary.issue, BETA, 9)
    beta.call(canary.open_deposit, "D", gamma.organisation, 4)
    return [*seen, chain.view(canary.deposit, "D"), chain.view(points.points_of, BETA), chain.rows(canary.balances), chain.time_ms]


def test_story_goes_on_a_node_as_it_goes_in_memory(tmp_path: Path) -> None:
    with NodeChain(tmp_path / "node") as node:
        assert _played(node) == _played(Chain())


def test_exception_on_a_node_comes_from_the_contracts_line(node: NodeChain) -> None:
    alpha = node.member("alpha", roles=["issuer"])
    alpha.call(points.issue, ALPHA, 1)
    with pytest.raises(ZeroDivisionError) as caught:
        alpha.call(points.share, 0)
    assert caught.traceback[-1].path == Path(points.__file__)


def test_call_that_forgets_to_save_fails_on_a_node_too(node: NodeChain) -> None:
    bank = node.member("bank", roles=["bank"])
    bank.transact(Call(canary.issue, bank.organisation, 5), Call(canary.open_deposit, "unsaved", ALPHA, 5), Call(canary.release, "unsaved"))
    with pytest.raises(UnsavedChangeError):
        bank.call(canary.set_payee, "unsaved", BETA)


def test_call_that_a_node_decides_otherwise_fails(node: NodeChain, monkeypatch: pytest.MonkeyPatch) -> None:
    """The module in memory is not the text that was deployed, which stands for whatever may differ on a node."""
    bank = node.member("bank", roles=["bank"])
    monkeypatch.setattr(canary, "AMOUNT_MAX", 6)
    with pytest.raises(MeteredDifferenceError, match="ends with AMOUNT_INVALID as plain Python and with OK on a node"):
        bank.call(canary.issue, bank.organisation, 7)


def test_view_that_is_refused_on_a_node_is_refused_in_the_test(node: NodeChain) -> None:
    with node.refuses("NOT_FOUND"):
        node.view(canary.deposit, "no such deposit")


def test_roles_given_later_replace_those_on_record(node: NodeChain) -> None:
    late = node.member("late")
    with node.refuses("ROLE_REQUIRED"):
        late.call(points.issue, ALPHA, 1)
    node.member("late", roles=["issuer"])
    assert late.call(points.issue, late.organisation, 1) == 1


def test_contract_is_upgraded_by_the_votes_of_organisations_that_were_admitted(node: NodeChain, tmp_path: Path) -> None:
    for organisation in ("alpha", "beta", "gamma"):
        node.member(organisation)
    first, second = _module(tmp_path, "return 1"), _module(tmp_path, "return 2")
    node.deploy(first, "number")
    assert node.view(first.number) == 1
    node.deploy(second, "number")
    assert node.view(second.number) == 2


def test_contract_that_a_node_would_refuse_is_refused_with_the_reason(node: NodeChain, tmp_path: Path) -> None:
    with pytest.raises(ContractRefusedError, match="CON-029"):
        node.deploy(_module(tmp_path, "return int(1 / 1)"), "refused")


def test_name_of_a_system_contract_is_refused(node: NodeChain, tmp_path: Path) -> None:
    with node.refuses("SYSTEM_CONTRACT"):
        node.deploy(_module(tmp_path, "return 1"), "governance")


@pytest.mark.parametrize(
    "attempt",
    [lambda chain: chain.snapshot(), lambda chain: chain.state, lambda chain: chain.deploy(points, "mine", is_system=True)],
    ids=["go back", "write without a transaction", "deploy a system contract"],
)
def test_what_a_node_cannot_do_ends_the_test_as_skipped(node: NodeChain, attempt: Callable[[NodeChain], object]) -> None:
    with pytest.raises(unittest.SkipTest, match=r"a node cannot .*; this test runs with --chain plain or metered"):
        attempt(node)


def _module(folder: Path, body: str):
    """Import a contract with one view of this body; each is a module of its own."""
    path = folder / f"number_{len(list(folder.iterdir()))}.py"
    path.write_text(
        f'"""Numbers."""\n\nfrom yunhe.contracts import Context, view\n\n\n@view\ndef number(ctx: Context) -> int:\n    {body}\n'
    )
    return imported(path)

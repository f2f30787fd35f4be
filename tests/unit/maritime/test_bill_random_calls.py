"""Random calls by random parties never break an invariant of bills, and end with nothing but the codes of the contract."""

import subprocess
import sys

import pytest

from tests.unit.maritime.trade import PARTIES
from tools.tidy.checkout import ROOT
from yunhe.contracts import Org
from yunhe.testing import Chain, InvariantError, invariants_of, stateful_test
from yunhe_maritime import bill_invariants, bill_of_lading
from yunhe_maritime.bill_of_lading import Status

ROLES = {party: ["carrier"] if party == "carrier" else [] for party in PARTIES} | {"rival": ["carrier"]}


def bills_in_three_situations(chain: Chain) -> None:
    """Begin with a bill to order, one in blank that was surrendered for amendment, and one of another carrier."""
    shipper, carrier = chain.member("shipper"), chain.member("carrier")
    for bill_id, digits, endorsee in (("B-1", "01", shipper.organisation), ("B-2", "02", None)):
        carrier.call(bill_of_lading.issue, bill_id, digits * 32, shipper.organisation, None, endorsee)
    shipper.call(bill_of_lading.surrender, carrier.organisation, "B-2", for_amendment=True)
    chain.member("rival").call(bill_of_lading.issue, "B-1", "03" * 32, shipper.organisation, Org("consignee"), None)


TestRandomCalls = stateful_test(
    bill_of_lading, members=ROLES, invariants=invariants_of(bill_invariants), prepare=bills_in_three_situations
).TestCase


@pytest.mark.parametrize("change", [{"holder": Org("port")}, {"status": Status.VOID}, {"title_holder": None}, {"replaced_by": "B-9"}])
def test_bill_that_says_something_else_than_its_back_breaks_an_invariant(change: dict[str, object]) -> None:
    chain = Chain()
    chain.deploy(bill_of_lading)
    for party, roles in ROLES.items():
        chain.member(party, roles=roles)
    bills_in_three_situations(chain)
    bill = chain.rows(bill_of_lading.bills)["carrier", "B-1"]
    for name, value in change.items():
        setattr(bill, name, value)
    rows = chain.rows(bill_of_lading.bills) | {("carrier", "B-1"): bill}
    chain.rows = lambda _: rows  # type: ignore[method-assign,assignment]
    with pytest.raises(InvariantError):
        chain.keep(*invariants_of(bill_invariants))


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_random_trade_is_the_same_on_a_node() -> None:
    tests = ["tests/unit/maritime/test_bill_of_lading.py", "-k", "any_actions", "--chain", "node"]
    command = [sys.executable, "-m", "yunhe.cli", "contract", "test", "-q", "-p", "no:cacheprovider", *tests]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=1700, check=False)
    assert "1 passed" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize("kind", ["plain", "metered"])
def test_scenario_goes_as_it_says(kind: str) -> None:
    command = [sys.executable, "-m", "yunhe.cli", "contract", "run", "--chain", kind, "scenario.py"]
    done = subprocess.run(
        command, cwd=ROOT / "apps" / "maritime", capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60, check=False
    )
    assert "scenario.py: passed" in done.stdout, done.stdout + done.stderr

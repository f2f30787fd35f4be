"""Skip orders, LED-060 to LED-063 and LED-024: which ones count, and what a block makes of them."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.contracts.system_contracts.consortium import FOUNDERS, SUITE, TIME_MS, Consortium, key, private_key
from yunhe.crypto import SHA256
from yunhe.errors import BlockStuckError, SkipOrderInvalidError, WorkerFailedError, WorkerHungError
from yunhe.ledger.execution import execute_block
from yunhe.ledger.header import Header
from yunhe.ledger.interfaces import BlockContext, Execution, Outcome, StateReader
from yunhe.ledger.layouts import encode_record, skip_key
from yunhe.ledger.skip_order import SkipOrder, orders_in, require_valid
from yunhe.ledger.transaction import Signer, Transaction

NETWORK = bytes([1]) * 32
PREVIOUS = Header(NETWORK, 6, TIME_MS, bytes(32), bytes(32), bytes(32), bytes(32), bytes(32))
PREVIOUS_HASH = PREVIOUS.hash(SHA256)
ORDER = SkipOrder(NETWORK, 7, PREVIOUS_HASH, bytes([2]) * 32)
FIVE = ("bank", "carrier", "customs", "port", "yard")


def sign(order: SkipOrder, *owners: str) -> SkipOrder:
    """Sign an order by members such as `bank/admin`; `bank/admin#2` signs with a key that nobody enrolled."""
    for owner in owners:
        organisation, member = owner.partition("#")[0].split("/")
        order = order.signed(Signer(organisation, member, SUITE, key(owner)), private_key(owner))
    return order


def by_admins(order: SkipOrder, *organisations: str) -> SkipOrder:
    return sign(order, *(f"{name}/admin" for name in organisations))


def require(order: SkipOrder, consortium: Consortium) -> None:
    require_valid(order, PREVIOUS, PREVIOUS_HASH, consortium.state)


@pytest.fixture(scope="module")
def consortium() -> Consortium:
    return Consortium(*FIVE, certifiers=("bank",))


# --- Which ones count -------------------------------------------------------------------------------------------------


def test_order_signed_by_more_than_two_thirds_counts(consortium):
    """LED-060 and LED-061 accepted"""
    require(by_admins(ORDER, "yard", "bank", "port", "carrier"), consortium)
    require(by_admins(ORDER, *FIVE), consortium)


def test_order_of_suspended_organisations_is_counted_without_them():
    """LED-061: two of two are enough, when the third is suspended, and its own signature does not count."""
    consortium = Consortium(*FOUNDERS)
    consortium.agree("propose_suspension", organisation="port")
    require(by_admins(ORDER, "bank", "carrier"), consortium)
    with pytest.raises(SkipOrderInvalidError, match="does not count"):
        require(by_admins(ORDER, *FOUNDERS), consortium)


OTHERS = {
    "of another network": replace(ORDER, network_id=bytes(32)),
    "for the block that is made": replace(ORDER, height=6),
    "for a later block": replace(ORDER, height=8),
    "on another history": replace(ORDER, previous=bytes(32)),
}


@pytest.mark.parametrize("order", OTHERS.values(), ids=OTHERS)
def test_order_for_something_else_does_not_count(consortium, order):
    """LED-060 refused"""
    with pytest.raises(SkipOrderInvalidError, match="the next block is 7"):
        require(by_admins(order, *FIVE), consortium)


TOO_FEW = {
    "nobody": (),
    "one": ("bank/admin",),
    "three of five": ("bank/admin", "carrier/admin", "port/admin"),
    "one twice": ("bank/admin", "bank/admin", "carrier/admin", "port/admin"),
}


@pytest.mark.parametrize("owners", TOO_FEW.values(), ids=TOO_FEW)
def test_order_signed_by_two_thirds_or_fewer_does_not_count(consortium, owners):
    """LED-061 refused"""
    with pytest.raises(SkipOrderInvalidError, match="of 5 organisations; more than two thirds"):
        require(sign(ORDER, *owners), consortium)


STRANGERS = {
    "no admin": ("bank/clerk", "is no admin"),
    "a key that nobody enrolled": ("bank/admin#2", "does not count"),
    "nobody that is known": ("agent/admin", "does not count"),
    "an unknown member": ("bank/captain", "does not count"),
}


@pytest.mark.parametrize(("owner", "reason"), STRANGERS.values(), ids=STRANGERS)
def test_order_with_a_signature_that_does_not_count_is_refused_whatever_else_it_has(consortium, owner, reason):
    """LED-061 refused: an order is what its signers saw, and no more."""
    others = [name for name in FIVE if name != "bank"]
    with pytest.raises(SkipOrderInvalidError, match=reason):
        require(sign(by_admins(ORDER, *others), owner), consortium)


def test_order_that_was_altered_or_signed_for_another_does_not_count(consortium):
    """LED-060 and LED-061 refused: a signature is for one block and one transaction."""
    signed = by_admins(ORDER, *FIVE)
    first = signed.signatures[0]
    altered = {
        "another transaction": replace(signed, transaction_id=bytes(32)),
        "another signature": replace(signed, signatures=(replace(first, signature=bytes(64)), *signed.signatures[1:])),
        "out of order": replace(signed, signatures=signed.signatures[::-1]),
        "one twice": replace(signed, signatures=(first, *signed.signatures)),
        "another's name": replace(signed, signatures=(replace(first, signer=replace(first.signer, organisation="agent")),)),
    }
    for order in altered.values():
        with pytest.raises(SkipOrderInvalidError):
            require(order, consortium)


def test_order_reads_as_it_was_written():
    signed = by_admins(ORDER, *FIVE)
    assert SkipOrder.decode(signed.encode()) == signed


@given(st.binary(max_size=300) | st.integers(0, 250).map(lambda cut: by_admins(ORDER, "bank").encode()[:cut]))
def test_any_bytes_are_an_order_or_refused_by_name(data):
    with suppress(SkipOrderInvalidError):
        assert SkipOrder.decode(data).encode() == data


# --- What a block makes of them --------------------------------------------------------------------------------------


class Failing:
    """Runs transactions as the ledger does, but for one that it cannot run: as on a node whose worker dies."""

    def __init__(self, consortium: Consortium, *stuck: bytes, error: type[WorkerFailedError] = WorkerFailedError) -> None:
        self.runner, self.stuck, self.error, self.asked = consortium.runner, stuck, error, 0

    def execute(self, context: BlockContext, transactions: Sequence[Transaction], state: StateReader) -> Execution:
        self.asked += 1
        if any(transaction.id in self.stuck for transaction in transactions):
            raise self.error("the worker died, twice")
        return self.runner.execute(context, transactions, state)

    def view(self, *arguments: object) -> None:
        raise AssertionError


def transactions(consortium: Consortium, count: int) -> list[Transaction]:
    """Make transactions of which each says something else."""
    return [
        consortium.transaction("bank/admin", ("registry.enrol_member", member), gas_limit=20_000_000)
        for member in (
            {"member": f"clerk{number}", "roles": [], "suite": SUITE, "public_key": key(f"bank/clerk{number}")} for number in range(count)
        )
    ]


CONTEXT = BlockContext(7, TIME_MS)


@pytest.mark.parametrize("position", [0, 3, 6])
def test_transaction_that_cannot_be_run_is_named_and_nothing_is_decided(position):
    """LED-024 refused"""
    consortium = Consortium(*FOUNDERS)
    sent = transactions(consortium, 7)
    failing = Failing(consortium, sent[position].id)
    with pytest.raises(BlockStuckError, match=f"block 7 .* transaction {sent[position].id.hex()}: .*sign-skip 7"):
        execute_block(CONTEXT, sent, consortium.state, failing, SHA256)
    assert failing.asked <= 5


def test_block_that_hangs_is_not_run_again_to_find_out_where():
    """LED-024 refused: each time would take as long; all that it can be are named."""
    consortium = Consortium(*FOUNDERS)
    sent = transactions(consortium, 3)
    failing = Failing(consortium, sent[1].id, error=WorkerHungError)
    with pytest.raises(BlockStuckError, match="one of 3 transactions, " + ", ".join(one.id.hex() for one in sent)):
        execute_block(CONTEXT, sent, consortium.state, failing, SHA256)
    assert failing.asked == 1


@pytest.mark.parametrize("position", [0, 1, 2])
def test_transaction_that_is_passed_over_has_a_receipt_and_no_effect(position):
    """LED-062, LED-024 accepted: the others run as without it, and the order is in the write set."""
    consortium = Consortium(*FOUNDERS)
    sent = transactions(consortium, 3)
    order = by_admins(replace(ORDER, transaction_id=sent[position].id), *FOUNDERS)
    failing = Failing(consortium, sent[position].id)
    done = execute_block(CONTEXT, sent, consortium.state, failing, SHA256, [order])
    assert [outcome.code for outcome in done.outcomes] == ["SKIPPED_BY_ORDER" if at == position else "OK" for at in range(3)]
    assert done.outcomes[position] == Outcome("SKIPPED_BY_ORDER", -1, 0)
    others = [one for at, one in enumerate(sent) if at != position]
    without = consortium.runner.execute(CONTEXT, others, consortium.state)
    record = encode_record({"height": 7, "transaction_id": order.transaction_id, "order": order.encode()})
    assert done.writes == tuple(sorted([*without.writes, (skip_key(7, order.transaction_id), record)]))
    assert orders_in(done.writes) == (order,)


def test_block_of_nothing_else_is_made():
    """LED-062"""
    consortium = Consortium(*FOUNDERS)
    (sent,) = transactions(consortium, 1)
    order = by_admins(replace(ORDER, transaction_id=sent.id), *FOUNDERS)
    done = execute_block(CONTEXT, [sent], consortium.state, Failing(consortium, sent.id), SHA256, [order])
    assert [outcome.code for outcome in done.outcomes] == ["SKIPPED_BY_ORDER"]
    assert [key for key, _ in done.writes] == [skip_key(7, sent.id)]


def test_order_about_a_transaction_that_the_block_does_not_have_changes_nothing():
    """LED-062 refused: it is not in the write set either."""
    consortium = Consortium(*FOUNDERS)
    sent = transactions(consortium, 2)
    order = by_admins(ORDER, *FOUNDERS)
    assert execute_block(CONTEXT, sent, consortium.state, consortium.runner, SHA256, [order]) == consortium.runner.execute(
        CONTEXT, sent, consortium.state
    )


def test_record_that_holds_no_order_is_refused():
    """LED-063 refused"""
    for stored in (encode_record({"order": b"none"}), encode_record({"height": 7})):
        with pytest.raises(SkipOrderInvalidError):
            orders_in([(skip_key(7, bytes(32)), stored)])

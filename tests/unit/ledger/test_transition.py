"""LED-010 to LED-023, LED-041: what an engine block does to the ledger."""

from dataclasses import replace

import pytest

from tests.unit.ledger.chain_in_memory import FLAVOURS, NETWORK, TIME_MS, MemoryChain, key
from yunhe.crypto import SHA256
from yunhe.errors import AlreadyUsedError, CorruptionError, NotPermittedError, UnavailableError, WrongNetworkError, YunheError
from yunhe.ledger import transition as transition_module
from yunhe.ledger.admission import open_envelope
from yunhe.ledger.certifiers import Certifier, CertifierSet
from yunhe.ledger.codec import encode
from yunhe.ledger.envelope import seal_envelope
from yunhe.ledger.interfaces import Execution, Outcome
from yunhe.ledger.layouts import encode_record, node_key, organisation_key, read_parameters, suite_key
from yunhe.ledger.merkle import merkle_root
from yunhe.ledger.state_keys import state_key
from yunhe.ledger.transaction import Call, Transaction, assemble_transaction
from yunhe.ledger.transition import require_viable


@pytest.fixture(params=FLAVOURS)
def chain(request) -> MemoryChain:
    return MemoryChain(*FLAVOURS[request.param])


def garbled(transaction: Transaction) -> bytes:
    """The same id with a signature that does not verify."""
    signature = bytes(64)
    return assemble_transaction(transaction.body_bytes, [signature], SHA256).encoded


def codes(transition) -> list[str]:
    return [dropped.error.code for dropped in transition.dropped]


def test_apply_block_valid_transaction_makes_header_over_everything(chain):
    one, two = chain.transaction(1), chain.transaction(2)
    block = chain.apply(chain.open(one, two)).block
    assert block is not None
    header = block.header
    assert (header.network_id, header.height, header.time_ms) == (NETWORK, 8, TIME_MS + 1)
    assert header.previous == chain.head.hash(chain.hash)
    assert header.transactions_root == merkle_root([one.leaf(chain.hash), two.leaf(chain.hash)], chain.hash)
    assert header.receipts_root == merkle_root([receipt.encoded for receipt in block.receipts], chain.hash)
    assert [receipt.transaction_id for receipt in block.receipts] == [one.id, two.id]
    assert header.next_certifiers == chain.head.next_certifiers


def test_apply_block_no_effective_transaction_makes_no_block(chain):
    """LED-014."""
    before = dict(chain.state.records)
    assert chain.apply().block is None
    transition = chain.apply(chain.open(garbled(chain.transaction())))
    assert transition.block is None
    assert codes(transition) == ["SIGNATURE_INVALID"]
    assert chain.state.records == before
    assert chain.executor.blocks == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"valid_until_ms": TIME_MS + 1}, "EXPIRED"),
        ({"valid_until_ms": TIME_MS}, "EXPIRED"),
        ({"valid_until_ms": TIME_MS + 2 + 600_000}, "VALIDITY_TOO_FAR"),
        ({"network_id": bytes(32)}, "WRONG_NETWORK"),
    ],
)
def test_apply_block_outside_validity_is_dropped(chain, changes, code):
    """LED-010 refused."""
    transition = chain.apply(chain.open(chain.transaction(**changes)))
    assert (transition.block, codes(transition)) == (None, [code])


@pytest.mark.parametrize("valid_until_ms", [TIME_MS + 2, TIME_MS + 1 + 600_000])
def test_apply_block_at_the_edges_of_validity_takes_effect(chain, valid_until_ms):
    """LED-010 accepted: time < valid_until_ms <= time + W."""
    assert chain.apply(chain.open(chain.transaction(valid_until_ms=valid_until_ms))).block is not None


def test_apply_block_suite_not_allowed_is_dropped(chain):
    del chain.state.records[suite_key(chain.suite)]
    transition = chain.apply(chain.open(chain.transaction()))
    assert (transition.block, codes(transition)) == (None, ["SUITE_UNKNOWN"])


def test_apply_block_garbled_copy_first_leaves_the_id_to_the_real_transaction(chain):
    """LED-012: nobody can burn another's id, not even in the same block or envelope."""
    real = chain.transaction()
    transition = chain.apply(chain.open(garbled(real), real))
    assert transition.block is not None
    assert [t.encoded for t in transition.block.transactions] == [real.encoded]
    assert codes(transition) == ["SIGNATURE_INVALID"]


def test_apply_block_same_transaction_twice_is_executed_once(chain):
    """LED-011 within one block, across envelopes."""
    real = chain.transaction()
    transition = chain.apply(chain.open(real, real), chain.open(real))
    assert transition.block is not None
    assert len(transition.block.receipts) == 1
    assert codes(transition) == ["ALREADY_USED", "ALREADY_USED"]


def test_apply_block_seen_id_is_dropped(chain):
    """LED-011 across blocks."""
    real = chain.transaction()
    chain.state.ids.add(real.id)
    transition = chain.apply(chain.open(real))
    assert (transition.block, codes(transition)) == (None, ["ALREADY_USED"])


def large(chain: MemoryChain, number: int, size: int) -> Transaction:
    """A transaction of about `size` bytes."""
    return chain.transaction(number, calls=(Call("bill", "issue", {"n": bytes(size)}),))


def test_apply_block_full_to_the_byte_takes_every_transaction(monkeypatch):
    """LED-015 accepted."""
    chain = MemoryChain()
    block = [large(chain, number, 1000) for number in range(5)]
    monkeypatch.setattr(transition_module, "BLOCK_BYTES_MAX", sum(len(t.encoded) for t in block))
    transition = chain.apply(chain.open(*block[:2]), chain.open(*block[2:]))
    assert transition.block is not None
    assert len(transition.block.receipts) == 5


def test_apply_block_over_the_bytes_of_a_block_drops_what_does_not_fit_and_leaves_its_id(monkeypatch):
    """LED-015 refused: across envelopes, in order, and what is smaller still fits."""
    chain = MemoryChain()
    first, second, small = large(chain, 1, 1000), large(chain, 2, 1000), large(chain, 3, 0)
    monkeypatch.setattr(transition_module, "BLOCK_BYTES_MAX", len(first.encoded) + len(small.encoded))
    transition = chain.apply(chain.open(first), chain.open(second, small))
    assert transition.block is not None
    assert [receipt.transaction_id for receipt in transition.block.receipts] == [first.id, small.id]
    assert [(dropped.transaction_id, dropped.error.code) for dropped in transition.dropped] == [(second.id, "OVERLOADED")]
    chain.head = transition.block.header
    again = chain.apply(chain.open(second), time_ms=TIME_MS + 2)
    assert again.block is not None


def test_apply_block_time_one_above_the_last_is_the_time_of_the_header(chain):
    """LED-013 accepted, and it is the engine's time that counts."""
    block = chain.apply(chain.open(chain.transaction()), time_ms=TIME_MS + 1).block
    assert block is not None
    assert block.header.time_ms == chain.executor.blocks[0][0].time_ms == TIME_MS + 1


@pytest.mark.parametrize("time_ms", [TIME_MS, TIME_MS - 1])
def test_apply_block_time_not_above_the_last_is_an_engine_fault(chain, time_ms):
    """LED-013 refused."""
    with pytest.raises(CorruptionError):
        chain.apply(chain.open(chain.transaction()), time_ms=time_ms)


@pytest.mark.parametrize("fault", ["node unknown", "node suspended", "organisation suspended", "other key"])
def test_apply_block_envelope_of_a_node_that_is_not_enrolled_is_dropped_whole(chain, fault):
    """COD-041 refused."""
    if fault == "node unknown":
        del chain.state.records[node_key("carrier", "node1")]
    elif fault == "organisation suspended":
        chain.state.put(organisation_key("carrier"), organisation="carrier", title="", status="suspended")
    else:
        public_key = chain.node.public_key.raw if fault == "node suspended" else key(3, chain.suite).public_key.raw
        status = "suspended" if fault == "node suspended" else "active"
        chain.state.put(
            node_key("carrier", "node1"), organisation="carrier", node="node1", suite=chain.suite, public_key=public_key, status=status
        )
    inside = [chain.transaction(1), chain.transaction(2)]
    transition = chain.apply(chain.open(*inside))
    assert (transition.block, codes(transition)) == (None, ["NOT_PERMITTED"] * 2)
    assert [dropped.transaction_id for dropped in transition.dropped] == [transaction.id for transaction in inside]


def test_apply_block_runs_transactions_in_order_with_the_block_context(chain):
    """LED-022, LED-023: one executor call with everything in order."""
    transactions = [chain.transaction(salt) for salt in (3, 1, 2)]
    chain.apply(chain.open(*transactions[:2]), chain.open(transactions[2]))
    ((context, executed),) = chain.executor.blocks
    assert (context.height, context.time_ms) == (8, TIME_MS + 1)
    assert [t.id for t in executed] == [t.id for t in transactions]


def test_apply_block_failed_outcome_becomes_a_receipt(chain):
    chain.executor.run = lambda context, transactions: Execution((Outcome("NOT_HOLDER", 0, 5),), ())
    block = chain.apply(chain.open(chain.transaction())).block
    assert block is not None
    assert (block.receipts[0].outcome.code, block.receipts[0].succeeded) == ("NOT_HOLDER", False)


def test_apply_block_executor_with_missing_outcomes_decides_nothing(chain):
    chain.executor.run = lambda context, transactions: Execution((), ())
    with pytest.raises(UnavailableError):
        chain.apply(chain.open(chain.transaction()))


def test_apply_block_executor_fault_is_never_a_receipt(chain):
    """LED-024."""

    def fail(context, transactions):
        raise UnavailableError("the worker died twice")

    chain.executor.run = fail
    before = dict(chain.state.records)
    with pytest.raises(UnavailableError):
        chain.apply(chain.open(chain.transaction()))
    assert chain.state.records == before


def test_apply_block_change_of_certifiers_shows_in_the_header(chain):
    """LED-041."""
    certifier = Certifier("carrier", chain.suite, key(5, chain.suite).public_key.raw, 3)
    record = {"organisation": "carrier", "suite": chain.suite, "public_key": certifier.public_key, "power": 3}
    write = (state_key("governance", "certifiers", ("carrier",)), encode_record(record))
    chain.executor.run = lambda context, transactions: Execution((Outcome("OK", -1, 5, (None,)),), (write,))
    block = chain.apply(chain.open(chain.transaction())).block
    assert block is not None
    assert block.header.next_certifiers == CertifierSet.of([certifier]).hash(chain.hash)


def test_header_round_trip_and_any_change_changes_the_hash(chain):
    header = chain.head
    assert type(header).decode(header.encode()) == header
    assert replace(header, height=8).hash(chain.hash) != header.hash(chain.hash)


def test_signatures_are_part_of_the_transactions_leaf(chain):
    """COD-011: the leaf binds the signatures although the id does not."""
    real = chain.transaction()
    other = assemble_transaction(real.body_bytes, [bytes(64)], chain.hash)
    assert other.id == real.id
    assert other.leaf(chain.hash) != real.leaf(chain.hash)
    assert real.leaf(chain.hash) == real.id + chain.hash.tagged(b"yunhe/signatures/1", encode(list(real.signatures)))


@pytest.mark.parametrize(
    "changes", [{}, {"valid_until_ms": TIME_MS + 2}, {"valid_until_ms": TIME_MS + 10**12}], ids=["plain", "soon over", "valid for too long"]
)
def test_require_viable_envelope_with_one_transaction_that_can_have_an_effect_passes(chain, changes):
    """LED-016 accepted: the others may be of no use."""
    expired = chain.transaction(1, valid_until_ms=TIME_MS)
    opened = chain.open(garbled(chain.transaction(2)), expired, chain.transaction(3, **changes))
    window_ms = read_parameters(chain.state).validity_window_ms
    since_ms = max(TIME_MS + 1, changes.get("valid_until_ms", 0) - window_ms)
    assert require_viable(NETWORK, opened, TIME_MS + 1, chain.state) == since_ms


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"valid_until_ms": TIME_MS + 1}, "EXPIRED"),
        ({"network_id": bytes(32)}, "WRONG_NETWORK"),
    ],
)
def test_require_viable_envelope_of_no_use_is_refused_with_the_reason_of_its_first(chain, changes, code):
    """LED-016 refused."""
    opened = chain.open(chain.transaction(1, **changes), garbled(chain.transaction(2)))
    with pytest.raises(YunheError) as refusal:
        require_viable(NETWORK, opened, TIME_MS + 1, chain.state)
    assert refusal.value.code == code


def test_require_viable_envelope_whose_transactions_have_receipts_is_refused(chain):
    """LED-016 refused."""
    opened = chain.open(chain.transaction(1), chain.transaction(2))
    chain.state.ids = {chain.transaction(1).id}
    require_viable(NETWORK, opened, TIME_MS + 1, chain.state)
    chain.state.ids.add(chain.transaction(2).id)
    with pytest.raises(AlreadyUsedError):
        require_viable(NETWORK, opened, TIME_MS + 1, chain.state)


def test_require_viable_envelope_of_a_node_that_is_not_enrolled_is_refused(chain):
    """LED-016 refused."""
    opened = chain.open(chain.transaction(1))
    del chain.state.records[node_key(opened.envelope.node.organisation, opened.envelope.node.node)]
    with pytest.raises(NotPermittedError):
        require_viable(NETWORK, opened, TIME_MS + 1, chain.state)


def test_envelope_for_another_network_is_dropped_whole(chain):
    """COD-041 and LED-016 refused: its node's key may be enrolled on both."""
    inside = chain.transaction(1)
    elsewhere = open_envelope(seal_envelope(bytes(32), chain.identity, 1, [inside.encoded], chain.node, chain.hash).encoded, chain.hash)
    with pytest.raises(WrongNetworkError):
        require_viable(NETWORK, elsewhere, TIME_MS + 1, chain.state)
    transition = chain.apply(elsewhere)
    assert (transition.block, [dropped.transaction_id for dropped in transition.dropped]) == (None, [inside.id])

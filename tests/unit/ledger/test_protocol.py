"""Versions of the ledger's rules, LED-050 to LED-053: the second one of these tests is in no release."""

import pytest

from tests.unit.contracts.system_contracts.consortium import TIME_MS, Consortium
from yunhe.contracts.system_contracts import system_source
from yunhe.crypto import SHA256
from yunhe.crypto.hashes import TAG_CODE
from yunhe.errors import CorruptionError, ProtocolUnknownError
from yunhe.ledger.execution import WrittenState, execute_block, merged
from yunhe.ledger.interfaces import BlockContext, Execution
from yunhe.ledger.layouts import SYSTEM_CONTRACTS
from yunhe.ledger.protocol import RULES, Rules, activation_at, contracts_hash, rules_at
from yunhe.ledger.state_keys import prefix_end, state_key, table_prefix
from yunhe.testing import MemoryState

SECOND_REGISTRY = system_source("registry") + '\n\n@view\ndef version(ctx: Context) -> int:\n    """Tell."""\n    return 2\n'
FIRST_BLOCK = 20
SECOND = Rules(2, "0.2.0", {"registry": SECOND_REGISTRY})


def voted_hash(**sources: str) -> bytes:
    """Return the hash of the system contracts of a version with some other sources."""
    texts = {name: system_source(name) for name in SYSTEM_CONTRACTS} | sources
    return contracts_hash({name: SHA256.tagged(TAG_CODE, text.encode()) for name, text in texts.items()}, SHA256)


PROPOSAL = {"version": 2, "height": FIRST_BLOCK, "release": "0.2.0", "contracts_hash": voted_hash(registry=SECOND_REGISTRY)}


@pytest.fixture
def second(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this release know a second version."""
    monkeypatch.setitem(RULES, 2, SECOND)


@pytest.fixture
def consortium() -> Consortium:
    """A ledger that has voted for the second version."""
    made = Consortium()
    assert made.agree("propose_protocol", **PROPOSAL) == "accepted"
    return made


def block(consortium: Consortium, height: int) -> Execution:
    """Run a block in which an admin says again what it is, as everyone runs blocks, and take its writes over."""
    consortium.height = height
    members = {"member": "admin", "roles": ["admin"], "status": "active"}
    sent = consortium.transaction("bank/admin", ("registry.set_member", members))
    context = BlockContext(height, TIME_MS + height)
    execution = execute_block(context, [sent], consortium.state, consortium.runner, SHA256)
    consortium.state.apply(execution.writes)
    return execution


def changed(execution: Execution) -> set[tuple[str, str]]:
    """Return contract and table of what a block wrote."""
    names = [key.split(b"\0")[:2] for key, _ in execution.writes]
    return {(contract.decode(), table.decode()) for contract, table in names}


def test_ledger_that_voted_nothing_has_the_first_version():
    """LED-050"""
    state = Consortium().state
    assert [rules_at(state, height).version for height in (1, 10**6)] == [1, 1]


def test_version_counts_from_its_first_block_on(consortium, second):
    """LED-050, LED-051 accepted"""
    heights = (1, FIRST_BLOCK - 1, FIRST_BLOCK, FIRST_BLOCK + 1)
    assert [rules_at(consortium.state, height).version for height in heights] == [1, 1, 2, 2]


def test_version_that_the_release_does_not_know_executes_nothing(consortium):
    """LED-051 refused: the block before it is as every other, and the refusal says what to install."""
    assert block(consortium, FIRST_BLOCK - 1).outcomes[0].code == "OK"
    before = consortium.state.records()
    with pytest.raises(ProtocolUnknownError, match=r"from block 20 on .* version 2 .* knows 1; install Yunhe 0\.2\.0"):
        block(consortium, FIRST_BLOCK)
    assert consortium.state.records() == before


def test_system_contracts_of_a_version_are_in_place_for_its_first_transaction_and_not_before(consortium, second):
    """LED-052: in exactly that block, as a step on record, and once."""
    before = consortium.record("lifecycle.contracts", "registry")
    assert changed(block(consortium, FIRST_BLOCK - 1)) == {("registry", "members")}
    assert consortium.record("lifecycle.contracts", "registry") == before
    first = block(consortium, FIRST_BLOCK)
    assert changed(first) == {("lifecycle", "contracts"), ("lifecycle", "sources"), ("lifecycle", "steps"), ("registry", "members")}
    assert list(first.writes) == sorted(first.writes)
    code_hash = SHA256.tagged(TAG_CODE, SECOND_REGISTRY.encode())
    assert consortium.record("lifecycle.contracts", "registry") == before | {"code_hash": code_hash, "version": 2}
    step = consortium.record("lifecycle.steps", "registry", 2)
    assert (step["operation"], step["version"], step["height"], step["code_hash"]) == ("upgrade", 2, FIRST_BLOCK, code_hash)
    assert consortium.view("registry.version") == 2
    assert changed(block(consortium, FIRST_BLOCK + 1)) == {("registry", "members")}


def test_version_without_other_system_contracts_writes_nothing_of_its_own(monkeypatch):
    """LED-052"""
    monkeypatch.setitem(RULES, 2, Rules(2, "0.2.0"))
    consortium = Consortium()
    consortium.agree("propose_protocol", **PROPOSAL | {"contracts_hash": voted_hash()})
    assert changed(block(consortium, FIRST_BLOCK)) == {("registry", "members")}


@pytest.mark.parametrize(
    "sources", [{}, {"registry": SECOND_REGISTRY + "\n"}, {"governance": SECOND_REGISTRY}], ids=["none", "else", "where"]
)
def test_release_with_other_system_contracts_than_were_voted_for_executes_nothing(consortium, monkeypatch, sources):
    """LED-053 refused"""
    monkeypatch.setitem(RULES, 2, Rules(2, "0.2.0", sources))
    before = consortium.state.records()
    with pytest.raises(ProtocolUnknownError, match="other system contracts for version 2"):
        block(consortium, FIRST_BLOCK)
    assert consortium.state.records() == before


def test_release_with_the_system_contracts_that_were_voted_for_goes_on(consortium, second):
    """LED-053 accepted"""
    assert block(consortium, FIRST_BLOCK).outcomes[0].code == "OK"


def test_record_that_is_no_version_is_corrupt(consortium):
    consortium.write("governance.protocols", 2, version=2)
    with pytest.raises(CorruptionError, match="malformed"):
        activation_at(consortium.state, 1)


# --- Votes ----------------------------------------------------------------------------------------------------------

NO_PROTOCOL = {
    "the version that counts": (PROPOSAL | {"version": 1}, "NOT_THE_NEXT_PROTOCOL"),
    "a version too far": (PROPOSAL | {"version": 3}, "NOT_THE_NEXT_PROTOCOL"),
    "a block too soon": (PROPOSAL | {"height": 10}, "PROTOCOL_TOO_SOON"),
    "no release": (PROPOSAL | {"release": ""}, "RELEASE_MISSING"),
    "a long release": (PROPOSAL | {"release": "0" * 41}, "RELEASE_MISSING"),
    "no hash": (PROPOSAL | {"contracts_hash": bytes(31)}, "NOT_A_HASH"),
}


@pytest.mark.parametrize(("arguments", "code"), NO_PROTOCOL.values(), ids=NO_PROTOCOL)
def test_version_with_a_fault_is_refused(arguments, code):
    """SYS-035 refused"""
    Consortium().refuses(code, "carrier/admin", "governance.propose_protocol", **arguments)


def test_version_that_comes_too_soon_by_the_deciding_vote_is_refused():
    """SYS-035, SYS-012: ten blocks before its first one at the latest."""
    consortium = Consortium()
    number = consortium.does("carrier/admin", "governance.propose_protocol", **PROPOSAL)
    consortium.height = FIRST_BLOCK - 10
    consortium.refuses("PROTOCOL_TOO_SOON", "bank/admin", "governance.vote", proposal_id=number, approve=True)
    later = consortium.does("carrier/admin", "governance.propose_protocol", **PROPOSAL | {"height": 40})
    consortium.height = 29
    assert consortium.does("bank/admin", "governance.vote", proposal_id=later, approve=True) == "accepted"


def test_versions_come_one_after_the_other(consortium, second):
    """SYS-035: the next is voted for when the one before counts."""
    third = PROPOSAL | {"version": 3, "height": 60}
    consortium.refuses("PROTOCOL_AHEAD", "carrier/admin", "governance.propose_protocol", **third)
    consortium.height = FIRST_BLOCK
    assert consortium.agree("propose_protocol", **third) == "accepted"
    assert [activation_at(consortium.state, height).version for height in (FIRST_BLOCK, 59, 60)] == [2, 2, 3]


def test_version_is_called_off_before_its_first_block(consortium):
    """SYS-036: so a network that voted by mistake for what nobody has does not stop."""
    consortium.refuses("NOT_THE_NEXT_PROTOCOL", "carrier/admin", "governance.propose_protocol_call_off", version=1)
    assert consortium.agree("propose_protocol_call_off", version=2) == "accepted"
    assert rules_at(consortium.state, FIRST_BLOCK).version == 1
    assert block(consortium, FIRST_BLOCK).outcomes[0].code == "OK"
    consortium.refuses("NO_PROTOCOL_AHEAD", "carrier/admin", "governance.propose_protocol_call_off", version=2)


def test_version_that_counts_is_not_called_off(consortium, second):
    """SYS-036 refused"""
    consortium.height = FIRST_BLOCK - 1
    consortium.refuses("NO_PROTOCOL_AHEAD", "carrier/admin", "governance.propose_protocol_call_off", version=2)


def test_protocol_has_a_threshold_of_its_own():
    """SYS-011"""
    consortium = Consortium(thresholds={"protocol": "all"})
    assert consortium.agree("propose_protocol", **PROPOSAL) == "open"
    assert consortium.agree("propose_protocol", ("carrier", "bank", "port"), **PROPOSAL) == "accepted"


# --- A state with writes over it ------------------------------------------------------------------------------------


def test_state_with_writes_over_it_reads_as_the_state_after_them():
    keys = [state_key("bill", "items", (number,)) for number in range(8)]
    below = MemoryState({key: bytes([number]) for number, key in enumerate(keys[:6])})
    writes = [(keys[0], None), (keys[2], b"new"), (keys[7], b"last")]
    over = WrittenState(below, writes)
    after = MemoryState(below.records())
    after.apply(writes)
    assert over.get_many(keys) == [over.get(key) for key in keys] == after.get_many(keys)
    start = table_prefix("bill", "items")
    for reverse in (False, True):
        for limit in range(9):
            found = over.scan(start, prefix_end(start), limit, reverse=reverse)
            assert found == after.scan(start, prefix_end(start), limit, reverse=reverse)
    assert merged(writes, [(keys[2], None), (keys[1], b"x")]) == ((keys[0], None), (keys[1], b"x"), (keys[2], None), (keys[7], b"last"))

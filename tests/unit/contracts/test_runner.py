"""Blocks of transactions: CON-107 to CON-109, CON-111, CON-112, CON-125, CON-140 to CON-148 and LED-020 to LED-024."""

import sys

import pytest

from tests.contract_ledger import GAS_LIMIT, Ledger, contract, transaction
from tests.vectors_file import vectors
from yunhe.contracts.runner import BlockRunner
from yunhe.crypto import SHA256
from yunhe.errors import CorruptionError, UnavailableError, ViewRefusedError
from yunhe.ledger.interfaces import BlockContext
from yunhe.ledger.layouts import contract_key, member_public_key_key, parameter_key
from yunhe.limits import EVENTS_MAX

COUNTER = contract("""
class Count(Record):
    name: str
    value: int

class Counted(Event):
    name: str
    value: int

counts: Table[Count] = Table(key="name")

@action
def add(ctx: Context, name: str, step: int = 1) -> int:
    count = counts.get(name)
    if count is None:
        count = Count(name=name, value=0)
        counts.add(count)
    count.value += step
    counts.save(count)
    emit(Counted(name=name, value=count.value))
    return count.value

@action
def claim(ctx: Context, name: str) -> None:
    require(name not in counts, "TAKEN")
    counts.add(Count(name=name, value=0))

@action
def refuse_after_adding(ctx: Context, name: str) -> None:
    add(ctx, name)
    refuse("CHANGED_MY_MIND")

@action
def fail_after_adding(ctx: Context, name: str) -> None:
    add(ctx, name)
    xs: list[int] = []
    xs[0] = 1

@action
def spin(ctx: Context) -> None:
    while True:
        pass

@action
def double(ctx: Context, text: str) -> None:
    grown = text
    while True:
        grown = grown + grown

@action
def announce(ctx: Context, times: int, text: str = "") -> None:
    for n in range(times):
        emit(Counted(name=text, value=n))

@action
def who(ctx: Context) -> list[str]:
    signers = [f"{signer.organisation}/{signer.member}:{signer.roles[0]}" for signer in ctx.signers]
    return [ctx.sender, ctx.contract, "" if ctx.caller is None else ctx.caller, str(ctx.time_ms), str(ctx.height)] + signers

@action
def signed_by(ctx: Context, organisation: Org) -> None:
    require_signer(ctx, organisation)

@action
def as_role(ctx: Context, role: str, organisation: Org | None = None) -> None:
    require_role(ctx, role, organisation)

@action
def too_big(ctx: Context) -> None:
    add(ctx, "x", 2**63)

@view
def value(ctx: Context, name: str) -> int:
    return counts[name].value

@view
def context(ctx: Context) -> list[str]:
    return [ctx.sender, str(len(ctx.signers)), str(ctx.height)]

@view
def endless(ctx: Context) -> int:
    n = 0
    while True:
        n += 1
    return n
""")

CALLER = contract("""
@action
def relay(ctx: Context, to: str, name: str, step: int = 1) -> int:
    result: int = call("counter", "add", name=name, step=step)
    return result

@action
def relay_who(ctx: Context) -> list[str]:
    result: list[str] = call("counter", "who")
    return result

@action
def any_call(ctx: Context, other: str, entry: str) -> None:
    call(other, entry)

@action
def self_call(ctx: Context) -> None:
    call("caller", "any_call", other="counter", entry="who")

@action
def ask(ctx: Context, name: str) -> int:
    result: int = call_view("counter", "value", name=name)
    return result

@action
def refuse_there(ctx: Context) -> None:
    call("counter", "refuse_after_adding", name="x")

@action
def huge(ctx: Context) -> None:
    call("counter", "add", name="x", step=2**200)

@action
def wrong(ctx: Context) -> None:
    call("counter", "add", name=["x"])

@view
def ask_view(ctx: Context, name: str) -> int:
    result: int = call_view("counter", "value", name=name)
    return result
""")


@pytest.fixture
def ledger() -> Ledger:
    return Ledger(counter=COUNTER, caller=CALLER)


def codes(execution) -> list[str]:
    return [outcome.code for outcome in execution.outcomes]


def test_con_140_transactions_see_what_earlier_ones_of_the_block_wrote(ledger) -> None:
    execution = ledger.execute(*[transaction("bank", ("counter", "add", {"name": "x"})) for _ in range(3)])
    assert [outcome.results for outcome in execution.outcomes] == [(1,), (2,), (3,)]
    assert ledger.view("counter", "value", name="x") == 3


def test_led_023_transactions_on_one_record_all_count_in_their_order(ledger) -> None:
    execution = ledger.execute(*[transaction(("bank", "port")[number % 2], ("counter", "add", {"name": "x"})) for number in range(40)])
    assert [outcome.results for outcome in execution.outcomes] == [(number,) for number in range(1, 41)]


def test_led_023_transaction_that_comes_too_late_is_refused_by_the_contract_and_not_thrown_away(ledger) -> None:
    one, two = (transaction(organisation, ("counter", "claim", {"name": "x"})) for organisation in ("bank", "port"))
    assert codes(ledger.execute(one, two)) == ["OK", "TAKEN"]


def test_led_022_calls_succeed_together_with_a_result_for_each(ledger) -> None:
    outcome = ledger.execute(transaction("bank", *[("counter", "add", {"name": name}) for name in "xyx"])).outcomes[0]
    assert (outcome.code, outcome.call_index, outcome.results) == ("OK", -1, (1, 1, 2))
    assert [event.fields for event in outcome.events] == [{"name": n, "value": v} for n, v in (("x", 1), ("y", 1), ("x", 2))]
    assert {event.contract for event in outcome.events} == {"counter"}


@pytest.mark.parametrize(("action", "code"), [("refuse_after_adding", "CHANGED_MY_MIND"), ("fail_after_adding", "CONTRACT_FAULT")])
def test_led_022_failed_call_undoes_the_whole_transaction(ledger, action, code) -> None:
    calls = [("counter", "add", {"name": "y"}), ("counter", action, {"name": "x"}), ("counter", "add", {"name": "z"})]
    outcome = ledger.execute(transaction("bank", *calls)).outcomes[0]
    assert (outcome.code, outcome.call_index, outcome.results, outcome.events) == (code, 1, (), ())
    assert ledger.keys("counter") == []


def test_led_022_failed_transaction_leaves_the_others_of_its_block_alone(ledger) -> None:
    execution = ledger.execute(
        transaction("bank", ("counter", "add", {"name": "x"})),
        transaction("bank", ("counter", "fail_after_adding", {"name": "x"})),
        transaction("bank", ("counter", "spin", {})),
        transaction("bank", ("counter", "add", {"name": "x"})),
    )
    assert codes(execution) == ["OK", "CONTRACT_FAULT", "OUT_OF_GAS", "OK"]
    assert ledger.view("counter", "value", name="x") == 2


def test_con_143_fault_shows_its_line_to_people_and_one_code_to_the_receipt(ledger) -> None:
    outcome = ledger.call("bank", "counter", "fail_after_adding", name="x")
    assert outcome.code == "CONTRACT_FAULT"
    line = COUNTER.split("\n").index("    xs[0] = 1") + 1
    assert ledger.runner.faults == {0: f"IndexError: list assignment index out of range (contract counter, line {line})"}


def test_con_125_spent_gas_ends_the_call_and_uses_the_whole_limit(ledger) -> None:
    outcome = ledger.call("bank", "counter", "spin", gas_limit=1_000_000)
    assert (outcome.code, outcome.gas_used, outcome.call_index) == ("OUT_OF_GAS", 1_000_000, 0)


def test_con_125_gas_below_the_price_of_a_transaction_fails_before_its_calls(ledger) -> None:
    outcome = ledger.call("bank", "counter", "add", name="x", gas_limit=100)
    assert (outcome.code, outcome.gas_used, outcome.call_index) == ("OUT_OF_GAS", 100, -1)


def test_con_125_every_limit_below_the_need_ends_out_of_gas_and_the_need_suffices(ledger) -> None:
    ledger.call("bank", "counter", "add", name="x")
    # The limit is part of what is encoded and paid for: look for what is needed when a limit of as many bytes is given.
    needed = ledger.call("bank", "counter", "add", name="x", gas_limit=GAS_LIMIT).gas_used
    assert needed >= 2**16
    for limit in range(1, needed, 997):
        outcome = ledger.call("bank", "counter", "add", name="x", gas_limit=limit)
        assert (outcome.code, outcome.gas_used) == ("OUT_OF_GAS", limit)
    assert ledger.call("bank", "counter", "add", name="x", gas_limit=needed - 1).code == "OUT_OF_GAS"
    outcome = ledger.call("bank", "counter", "add", name="x", gas_limit=needed)
    assert (outcome.code, outcome.gas_used) == ("OK", needed)
    assert ledger.view("counter", "value", name="x") == 3


def test_con_124_memory_ends_the_call(ledger) -> None:
    assert ledger.call("bank", "counter", "double", text="x" * 64, gas_limit=50_000_000).code == "OUT_OF_MEMORY"


def test_con_107_events_up_to_the_limit_are_announced_in_order(ledger) -> None:
    outcome = ledger.call("bank", "counter", "announce", times=EVENTS_MAX)
    assert [event.fields["value"] for event in outcome.events] == list(range(EVENTS_MAX))
    assert ledger.call("bank", "counter", "announce", times=EVENTS_MAX + 1).code == "VALUE_TOO_LARGE"


def test_con_107_events_must_fit_into_a_receipt(ledger) -> None:
    ledger.set_parameter("gas_limit_max", 10**9)
    outcome = ledger.call("bank", "counter", "announce", times=50, text="x" * 11_000, gas_limit=10**9)
    assert outcome.code == "VALUE_TOO_LARGE"
    assert ledger.call("bank", "counter", "announce", times=40, text="x" * 11_000, gas_limit=10**9).code == "OK"


def test_con_109_context_names_signers_in_order_with_their_roles(ledger) -> None:
    ledger.enrol("bank", "clerk", ("auditor",))
    outcome = ledger.execute(transaction("bank/clerk", ("counter", "who", {}), others=("port",))).outcomes[0]
    assert outcome.results == (["bank", "counter", "", "1000", "1", "bank/clerk:auditor", "port/operator:operator"],)


def test_con_109_required_signer_may_be_any_of_them(ledger) -> None:
    call = ("counter", "signed_by", {"organisation": "port"})
    assert codes(ledger.execute(transaction("bank", call, others=("port",)), transaction("bank", call))) == ["OK", "SIGNER_REQUIRED"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"role": "operator"}, "OK"),
        ({"role": "admin"}, "ROLE_REQUIRED"),
        ({"role": "admin", "organisation": "port"}, "OK"),
        ({"role": "operator", "organisation": "carrier"}, "ROLE_REQUIRED"),
    ],
)
def test_con_109_required_role_is_one_of_the_organisation_that_is_named(ledger, arguments, code) -> None:
    ledger.enrol("port", "chief", ("admin",))
    assert codes(ledger.execute(transaction("bank", ("counter", "as_role", arguments), others=("port/chief",)))) == [code]


def test_con_111_view_answers_from_the_state_and_knows_no_sender(ledger) -> None:
    ledger.call("bank", "counter", "add", name="x", step=5)
    assert ledger.view("counter", "value", name="x") == 5
    assert ledger.view("counter", "context") == ["", "0", "2"]
    assert ledger.view("caller", "ask_view", name="x") == 5


@pytest.mark.parametrize(
    ("contract_name", "view", "arguments", "refusal"),
    [
        ("counter", "value", {"name": "nowhere"}, "NOT_FOUND"),
        ("counter", "add", {"name": "x"}, "ACTION_NOT_FOUND"),
        ("counter", "value", {}, "ARGUMENTS_INVALID"),
        ("counter", "value", {"name": 1}, "ARGUMENTS_INVALID"),
        ("counter", "value", {"name": "x" * 300_000}, "ARGUMENTS_INVALID"),
        ("counter", "value", {"name": 2**70}, "ARGUMENTS_INVALID"),
        ("counter", "endless", {}, "OUT_OF_GAS"),
        ("nobody", "value", {}, "CONTRACT_NOT_FOUND"),
        ("x" * 600, "value", {}, "CONTRACT_NOT_FOUND"),
        ("é\ud800", "value", {}, "CONTRACT_NOT_FOUND"),
    ],
)
def test_con_111_view_that_cannot_answer_is_refused_by_code(ledger, contract_name, view, arguments, refusal) -> None:
    with pytest.raises(ViewRefusedError) as refused:
        ledger.view(contract_name, view, **arguments)
    assert refused.value.refusal == refusal


def test_con_112_called_contract_sees_caller_and_sender(ledger) -> None:
    assert ledger.call("bank", "caller", "relay_who").results[0][:3] == ["bank", "counter", "caller"]


def test_con_112_call_writes_and_announces_as_the_called_contract(ledger) -> None:
    outcome = ledger.call("bank", "caller", "relay", to="counter", name="x", step=3)
    assert (outcome.results, outcome.events[0].contract) == ((3,), "counter")
    assert ledger.call("bank", "caller", "ask", name="x").results == (3,)
    assert ledger.keys("caller") == []


@pytest.mark.parametrize(
    ("action", "arguments", "code"),
    [
        ("refuse_there", {}, "CHANGED_MY_MIND"),
        ("self_call", {}, "REENTRANT_CALL"),
        ("huge", {}, "INTEGER_OUT_OF_RANGE"),
        ("wrong", {}, "ARGUMENTS_INVALID"),
        ("any_call", {"other": "nobody", "entry": "x"}, "CONTRACT_NOT_FOUND"),
        ("any_call", {"other": "", "entry": "x"}, "CONTRACT_NOT_FOUND"),
        ("any_call", {"other": "counter", "entry": "nothing"}, "ACTION_NOT_FOUND"),
        ("any_call", {"other": "counter", "entry": "value"}, "ACTION_NOT_FOUND"),
        ("any_call", {"other": "caller", "entry": "ask"}, "REENTRANT_CALL"),
    ],
)
def test_con_112_call_that_fails_ends_the_transaction_with_its_code(ledger, action, arguments, code) -> None:
    assert ledger.call("bank", "caller", action, **arguments).code == code
    assert ledger.keys("counter") == []


def chain_of(length: int) -> Ledger:
    sources = {
        f"c{n}": contract(f'@action\ndef go(ctx: Context) -> int:\n    depth: int = call("c{n + 1}", "go")\n    return depth + 1\n')
        for n in range(1, length)
    }
    return Ledger(**sources, **{f"c{length}": contract("@action\ndef go(ctx: Context) -> int:\n    return 1\n")})


def test_con_112_contracts_call_as_deep_as_allowed_and_no_deeper() -> None:
    assert chain_of(8).call("bank", "c1", "go").results == (8,)
    assert chain_of(9).call("bank", "c1", "go").code == "CALL_DEPTH"


def test_con_111_view_cannot_write_through_another_contract() -> None:
    # The checker sees what a contract itself does; what it calls is known only when it runs.
    asking = contract("""
@action
def go(ctx: Context) -> int:
    answer: int = call_view("middle", "look")
    return answer
""")
    middle = contract("""
@action
def write(ctx: Context) -> int:
    return 1

@view
def look(ctx: Context) -> int:
    answer: int = call_view("counter", "value", name="x")
    return answer
""")
    ledger = Ledger(counter=COUNTER, asking=asking, middle=middle)
    ledger.call("bank", "counter", "add", name="x", step=4)
    assert ledger.call("bank", "asking", "go").results == (4,)


def test_con_143_integer_that_is_stored_has_64_bits(ledger) -> None:
    assert ledger.call("bank", "counter", "too_big").code == "INTEGER_OUT_OF_RANGE"


# --- Authorisation and limits of the ledger -------------------------------------------------------------------------


def test_led_020_unknown_signer_gets_a_receipt_and_runs_nothing(ledger) -> None:
    call = ("counter", "add", {"name": "x"})
    execution = ledger.execute(transaction("nobody", call), transaction("bank", call, others=("bank/ghost",)), transaction("bank", call))
    assert [(o.code, o.call_index, o.gas_used) for o in execution.outcomes[:2]] == [("NOT_ENROLLED", -1, 0)] * 2
    assert execution.outcomes[2].results == (1,)


def test_led_020_key_revoked_earlier_in_the_block_counts_as_revoked() -> None:
    registry = contract("""
class Key(Record):
    organisation: Org
    member: str
    public_key: bytes
    suite: str
    status: str

member_keys: Table[Key] = Table(key=("organisation", "member", "public_key"))

@action
def revoke(ctx: Context, organisation: Org, member: str, public_key: bytes) -> None:
    key = member_keys[(organisation, member, public_key)]
    key.status = "revoked"
    member_keys.save(key)
""")
    ledger = Ledger(registry=registry, counter=COUNTER)
    call = ("counter", "add", {"name": "x"})
    revocation = ("registry", "revoke", {"organisation": "port", "member": "operator", "public_key": b"port/operator".ljust(32, b".")})
    execution = ledger.execute(transaction("port", call), transaction("bank", revocation), transaction("port", call))
    assert codes(execution) == ["OK", "OK", "KEY_REVOKED"]
    assert ledger.state.get(member_public_key_key("port", "operator", b"port/operator".ljust(32, b"."))) is not None


def test_led_021_gas_limit_above_the_parameter_is_refused(ledger) -> None:
    ledger.set_parameter("gas_limit_max", 1_000_000)
    call = ("counter", "add", {"name": "x"})
    execution = ledger.execute(transaction("bank", call, gas_limit=1_000_000), transaction("bank", call, gas_limit=1_000_001))
    assert codes(execution) == ["OK", "GAS_LIMIT_TOO_HIGH"]


def test_led_021_block_whose_gas_is_used_up_refuses_what_follows(ledger) -> None:
    ledger.set_parameter("block_gas_max", 1_500_000)
    spin, add = ("counter", "spin", {}), ("counter", "add", {"name": "x"})
    transactions = [transaction("bank", call, gas_limit=1_000_000) for call in (spin, add, spin, add)]
    assert codes(ledger.execute(*transactions)) == ["OUT_OF_GAS", "OK", "OUT_OF_GAS", "BLOCK_GAS_USED_UP"]
    assert codes(ledger.execute(transactions[1])) == ["OK"]


def test_con_141_parameters_are_those_at_the_beginning_of_the_block() -> None:
    governance = contract("""
class Parameter(Record):
    name: str
    value: int

parameters: Table[Parameter] = Table(key="name")

@action
def change(ctx: Context, name: str, value: int) -> None:
    parameter = parameters[name]
    parameter.value = value
    parameters.save(parameter)
""")
    ledger = Ledger(governance=governance, counter=COUNTER)
    change = transaction("bank", ("governance", "change", {"name": "gas_limit_max", "value": 2_000_000}))
    add = transaction("bank", ("counter", "add", {"name": "x"}))
    assert codes(ledger.execute(change, add)) == ["OK", "OK"]
    assert codes(ledger.execute(add)) == ["GAS_LIMIT_TOO_HIGH"]


# --- Contracts ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("status", "code"), [("active", "OK"), ("frozen", "CONTRACT_FROZEN"), ("retired", "CONTRACT_RETIRED")])
def test_con_145_stopped_contract_answers_views_only(ledger, status, code) -> None:
    ledger.call("bank", "counter", "add", name="x")
    ledger.deploy("counter", COUNTER, status=status)
    assert ledger.call("bank", "counter", "add", name="x").code == code
    assert ledger.view("counter", "value", name="x") == (2 if code == "OK" else 1)


def test_con_145_unknown_contract_and_action_are_refused(ledger) -> None:
    assert ledger.call("bank", "nobody", "add").code == "CONTRACT_NOT_FOUND"
    assert ledger.call("bank", "counter", "nothing").code == "ACTION_NOT_FOUND"
    assert ledger.call("bank", "counter", "value", name="x").code == "ACTION_NOT_FOUND"


def test_con_145_upgraded_contract_runs_its_new_source_on_its_old_records(ledger) -> None:
    ledger.call("bank", "counter", "add", name="x")
    newer = COUNTER.replace("    value: int\n\nclass Counted", '    value: int\n    note: str = "none"\n\nclass Counted').replace(
        "return count.value", "return count.value * 100"
    )
    ledger.deploy("counter", newer)
    assert ledger.call("bank", "counter", "add", name="x").results == (200,)


def test_con_145_same_source_under_two_names_has_two_states(ledger) -> None:
    ledger.deploy("other", COUNTER)
    ledger.call("bank", "counter", "add", name="x", step=5)
    assert ledger.call("bank", "other", "add", name="x").results == (1,)


def test_con_145_source_that_is_not_the_recorded_one_is_corruption(ledger) -> None:
    ledger.put(contract_key("counter"), {"name": "counter", "code_hash": bytes(32), "status": "active", "version": 1, "system": False})
    with pytest.raises(CorruptionError):
        ledger.call("bank", "counter", "add", name="x")


def test_con_145_contract_that_does_not_load_is_a_fault_of_its_own(ledger) -> None:
    ledger.deploy("broken", "import os\n", checked=False)
    assert [ledger.call("bank", "broken", "go").code for _ in range(2)] == ["CONTRACT_FAULT"] * 2


SYSTEM = """
from yunhe.contracts import Context, action
from yunhe.contracts.system import check_source, code_hash, is_public_key, is_suite

@action
def check(ctx: Context, source: str) -> str:
    return check_source(source)

@action
def name(ctx: Context, source: str) -> bytes:
    return code_hash(source)

@action
def key(ctx: Context, suite: str, key: bytes) -> list[bool]:
    return [is_suite(suite), is_public_key(suite, key)]
"""


def test_con_146_system_contract_can_check_and_hash_sources() -> None:
    ledger = Ledger(system=("lifecycle",), lifecycle=SYSTEM, counter=COUNTER)
    assert ledger.call("bank", "lifecycle", "check", source=COUNTER, gas_limit=50_000_000).results == ("",)
    assert ledger.call("bank", "lifecycle", "check", source="import os", gas_limit=50_000_000).results[0].startswith("CON-0")
    name = ledger.call("bank", "lifecycle", "name", source=COUNTER).results[0]
    assert name.hex() in {key[-33:-1].hex() for key in ledger.state.records()} | {key.hex()[-66:-2] for key in ledger.state.records()}


def test_con_146_system_contract_can_tell_suites_and_keys() -> None:
    ledger = Ledger(system=("lifecycle",), lifecycle=SYSTEM)
    point = bytes.fromhex(vectors("sm2_gbt32918")["vectors"][0]["public_key"])
    for suite, key, expected in (
        ("sm2-sm3", point, [True, True]),
        ("sm2-sm3", point[:-1] + b"\0", [True, False]),
        ("sm2-sm3", bytes(32), [True, False]),
        ("ed25519-sha256", bytes(32), [True, True]),
        ("ed25519-sha256", point, [True, False]),
        ("rsa", bytes(32), [False, False]),
    ):
        assert ledger.call("bank", "lifecycle", "key", suite=suite, key=key).results == (expected,)


def test_con_146_other_contract_cannot_import_from_the_system() -> None:
    ledger = Ledger()
    ledger.deploy("lifecycle", SYSTEM, checked=False)
    assert ledger.call("bank", "lifecycle", "check", source="").code == "CONTRACT_FAULT"


@pytest.mark.parametrize(("arguments", "value"), [({"name": "x"}, 1), ({"name": "x", "step": 2}, 2), ({"step": -3, "name": "x"}, -3)])
def test_con_148_arguments_that_are_missing_take_their_defaults(ledger, arguments, value) -> None:
    assert ledger.call("bank", "counter", "add", **arguments).results == (value,)


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"step": 1},
        {"name": None},
        {"name": b"x"},
        {"name": "x", "step": True},
        {"name": "x", "step": "1"},
        {"name": "x", "step": None},
        {"name": "x", "more": 1},
        {"name": "x", "ctx": 1},
    ],
)
def test_con_148_arguments_that_are_not_those_declared_are_invalid(ledger, arguments) -> None:
    outcome = ledger.call("bank", "counter", "add", **arguments)
    assert (outcome.code, outcome.call_index) == ("ARGUMENTS_INVALID", 0)
    assert ledger.keys("counter") == []


# --- Faults of the place --------------------------------------------------------------------------------------------


class BrokenState:
    """A state that fails at one key."""

    def __init__(self, state, key: bytes, error: Exception) -> None:
        self._state, self._key, self._error = state, key, error

    def get(self, key: bytes) -> bytes | None:
        if key == self._key:
            raise self._error
        return self._state.get(key)

    def get_many(self, keys: list[bytes]) -> list[bytes | None]:
        return [self.get(key) for key in keys]

    def scan(self, start, end, limit, *, reverse=False):
        return self._state.scan(start, end, limit, reverse=reverse)


@pytest.mark.parametrize("error", [MemoryError(), RecursionError(), UnavailableError("the node does not answer")])
def test_led_024_local_fault_is_raised_and_never_a_receipt(ledger, error) -> None:
    state = BrokenState(ledger.state, b"counter\x00counts\x00\x02x\x00", error)
    with pytest.raises(UnavailableError):
        ledger.runner.execute(BlockContext(1, 1), [transaction("bank", ("counter", "add", {"name": "x"}))], state)


def test_con_144_state_that_is_no_record_is_corruption(ledger) -> None:
    ledger.state.apply([(b"counter\x00counts\x00\x02x\x00", b"\xff")])
    with pytest.raises(CorruptionError):
        ledger.call("bank", "counter", "add", name="x")
    ledger.state.apply([(parameter_key("gas_limit_max"), None)])
    with pytest.raises(CorruptionError):
        ledger.call("bank", "counter", "add", name="x")


def test_con_144_runner_goes_on_after_a_local_fault(ledger) -> None:
    state = BrokenState(ledger.state, b"counter\x00counts\x00\x02x\x00", MemoryError())
    add = transaction("bank", ("counter", "add", {"name": "x"}))
    with pytest.raises(UnavailableError):
        ledger.runner.execute(BlockContext(1, 1), [add], state)
    assert ledger.execute(add).outcomes[0].results == (1,)


def test_con_140_execution_is_a_function_of_its_arguments(ledger) -> None:
    transactions = [transaction("bank", ("counter", action, {"name": "x"})) for action in ("add", "fail_after_adding", "add")]
    context = BlockContext(7, 7)
    first = ledger.runner.execute(context, transactions, ledger.state)
    fresh = BlockRunner(SHA256).execute(context, transactions, ledger.state)
    assert first == fresh == ledger.runner.execute(context, transactions, ledger.state)
    assert [key for key, _ in first.writes] == sorted(key for key, _ in first.writes)


def test_con_130_deepest_stack_stays_below_the_interpreter_limit() -> None:
    functions = "".join(f"def f{n}(x: int) -> int:\n    return f{n + 1}(x)\n\n" for n in range(40))
    body = f'{functions}def f40(x: int) -> int:\n    y: int = call("NEXT", "go") if x > 0 else x\n    return y\n\n'
    source = contract(body + "@action\ndef go(ctx: Context) -> int:\n    return f0(1)\n")
    sources = {f"c{n}": source.replace("NEXT", f"c{n + 1}") for n in range(1, 8)}
    ledger = Ledger(**sources, c8=contract("@action\ndef go(ctx: Context) -> int:\n    return 5\n"))
    assert sys.getrecursionlimit() <= 1000
    assert ledger.call("bank", "c1", "go").results == (5,)

"""From source to module: CON-129, CON-147."""

import subprocess
import sys

import pytest

from tests.contract_ledger import Ledger, contract, transaction
from yunhe.contracts.loader import inspect_source
from yunhe.contracts.runner import BlockRunner
from yunhe.crypto import SHA256
from yunhe.errors import ContractRefusedError
from yunhe.ledger.interfaces import BlockContext
from yunhe.limits import CONTRACT_LOAD_GAS, CONTRACT_TOKENS_MAX

ACTION = "@action\ndef go(ctx: Context) -> int:\n    return 1\n"


def sums(terms: int) -> str:
    """Return a contract whose module level adds up to about so many integers, within the limits on tokens."""
    line = " + ".join(["1"] * 100)
    return contract("".join(f"N{i} = {line}\n" for i in range(terms // 100)) + "\n\n" + ACTION)


def gas_of(runner: BlockRunner, ledger: Ledger) -> int:
    execution = runner.execute(BlockContext(1, 1_000), [transaction("bank", ("c", "go", {}))], ledger.state)
    assert execution.outcomes[0].results == (1,)
    return execution.outcomes[0].gas_used


def test_con_129_loading_costs_the_transaction_nothing() -> None:
    small, large = Ledger(c=sums(100)), Ledger(c=sums(9_000))
    runner = BlockRunner(SHA256)
    first, again = gas_of(runner, large), gas_of(runner, large)
    assert first == again == gas_of(BlockRunner(SHA256), small) < 50_000


def test_con_129_loading_leaves_the_transaction_its_memory() -> None:
    hoard = "@action\ndef go(ctx: Context) -> int:\n    x = [0] * 8_000_000\n    return 1\n"
    source = contract('LONG = ("' + "a" * 20_000 + '",)\n\n\n' + hoard)
    ledger = Ledger(c=source)
    assert [ledger.call("bank", "c", "go").code for _ in range(2)] == ["OK", "OK"]


def test_con_129_module_level_within_its_gas_is_loaded() -> None:
    source = sums(9_000)
    assert "go" in inspect_source(source).actions


def test_con_129_module_level_beyond_its_gas_is_refused() -> None:
    # About 120 gas for each addition; the source is within its limit on tokens.
    terms = CONTRACT_LOAD_GAS // 110
    assert 2 * terms < CONTRACT_TOKENS_MAX
    with pytest.raises(ContractRefusedError) as caught:
        inspect_source(sums(terms))
    assert [finding.rule for finding in caught.value.findings] == ["CON-129"]


def test_con_129_contract_that_does_not_load_fails_its_transaction_and_no_other() -> None:
    ledger = Ledger(good=contract(ACTION))
    ledger.deploy("c", sums(CONTRACT_LOAD_GAS // 110), checked=False)
    execution = ledger.execute(transaction("bank", ("c", "go", {})), transaction("bank", ("good", "go", {})))
    assert [outcome.code for outcome in execution.outcomes] == ["CONTRACT_FAULT", "OK"]


# --- A namespace of its own -----------------------------------------------------------------------------------------

KEEPER = '''"""Keeps nothing."""
from yunhe.contracts import Context, Event, Map, Record, action, emit

RATES = {"a": 1}
PAIR = (1, 2)

class Line(Record):
    numbers: list[int] = []
    notes: dict[str, int] = {}

class Told(Event):
    numbers: list[int] = []

lines: Map[str, int] = Map(default=0)

def grown(xs: list[int]) -> int:
    xs.append(1)
    return len(xs)

@action
def touch(ctx: Context, numbers: list[int] | None = None) -> list[int]:
    given: list[int] = [] if numbers is None else numbers
    given.append(9)
    line = Line()
    line.numbers.append(1)
    line.notes["x"] = 1
    told = Told()
    told.numbers.append(1)
    emit(told)
    names = [name for name in ("a",) if RATES[name] == 1]
    names.append("b")
    return [len(line.numbers), len(line.notes), len(told.numbers), len(given), grown([]), len(RATES), len(names), PAIR[0]]
'''


def test_con_147_nothing_but_constants_outlasts_a_transaction() -> None:
    ledger = Ledger(c=KEEPER)
    execution = ledger.execute(*[transaction("bank", ("c", "touch", {})) for _ in range(3)])
    assert {tuple(outcome.results[0]) for outcome in execution.outcomes} == {(1, 1, 1, 1, 1, 1, 2, 1)}
    assert len({outcome.gas_used for outcome in execution.outcomes}) == 1
    assert [event.fields for outcome in execution.outcomes for event in outcome.events] == [{"numbers": [1]}] * 3


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("kept: list[int] = []", "CON-051"),
        ("kept = [1]", "CON-051"),
        ("kept = enumerate((1, 2))", "CON-051"),
        ("kept = (1, [2])", "CON-051"),
    ],
)
def test_con_147_state_hidden_in_the_module_is_refused(line, rule) -> None:
    with pytest.raises(ContractRefusedError) as caught:
        inspect_source(contract(f"{line}\n\n\n{ACTION}"))
    assert rule in [finding.rule for finding in caught.value.findings]


def test_con_147_contracts_share_no_names() -> None:
    first = contract("RATE = 2\n\n\ndef rated(n: int) -> int:\n    return n * RATE\n\n\n" + ACTION.replace("1", "rated(10)"))
    ledger = Ledger(a=first, b=first.replace("RATE = 2", "RATE = 3"))
    assert [ledger.call("bank", name, "go").results for name in ("a", "b", "a")] == [(20,), (30,), (20,)]


def test_con_147_module_finds_no_name_of_the_interpreter() -> None:
    module = inspect_source(contract(ACTION))
    names = module.actions["go"].function.__globals__
    found = names["__builtins__"]
    assert sorted(found) == ["__build_class__", "bool", "bytes", "dict", "int", "list", "str", "tuple"]
    # What is not the interpreter's, the SDK's or the contract's begins with an underscore, which no contract can name.
    assert {name for name in names if not name.startswith("_")} - {"Choice", "Context", "go"} <= set(vars(sys.modules["yunhe.contracts"]))


OPTIMISED = """
from tests.unit.contracts.test_loader import KEEPER
from tests.contract_ledger import Ledger
from yunhe.contracts.loader import inspect_source
print(inspect_source(KEEPER).summary)
print(Ledger(c=KEEPER).call("bank", "c", "touch"))
"""


@pytest.mark.parametrize("flags", [["-O"], ["-OO"], ["-X", "dev"]], ids=" ".join)
def test_con_147_flags_of_the_interpreter_change_nothing(flags) -> None:
    # -O drops assertions and -OO docstrings of what is compiled without saying otherwise; the summary is the contract's docstring.
    run = [subprocess.run([sys.executable, *f, "-c", OPTIMISED], capture_output=True, text=True, check=True) for f in ([], flags)]
    assert run[0].stdout == run[1].stdout
    assert run[0].stdout.startswith("Keeps nothing.\nOutcome(code='OK'")

"""Sources of all contracts in the checkout, and one whose names are chosen to clash."""

import re

from tests.unit.contracts.test_interface import SOURCES
from tools.tidy.checkout import ROOT, tracked_paths
from yunhe.contracts.checker import check
from yunhe.errors import ContractRefusedError

_IMPORT = re.compile(r"^from yunhe\.contracts import", re.MULTILINE)


def _in_the_checkout() -> dict[str, str]:
    """Return every Python file that the checker lets through, by the name of its module."""
    found = {}
    for path in tracked_paths():
        text = (ROOT / path).read_text(encoding="utf-8") if path.endswith(".py") else ""
        if _IMPORT.search(text) and _is_contract(text):
            found[path.rpartition("/")[2].removesuffix(".py")] = text
    return found


def _is_contract(text: str) -> bool:
    try:
        check(text, system=True)
    except ContractRefusedError:
        return False
    return True


CLASHING = '''"""Says "hello" \\\\ and \'\'\'more\'\'\'."""

from yunhe.contracts import Choice, Context, Event, Log, Map, Org, Record, Rounding, Table, action, emit, require, view

WORD = "a'b\\"c\\\\d"


class State(Choice):
    IT_IS = "it's"
    QUOTED = "say \\"so\\""


class Client(Record):
    client: str
    state: State
    states: list[State] = []
    text: str = WORD
    raw: bytes = b"\\x00'"
    numbers: dict[int, str] = {-1: "a", 2: "b"}


class ClashingClient(Record):
    self: str
    client: Client | None = None
    str: int
    list: list[int]
    words: dict[str, str | None]


class Committed(Event):
    deployed: int
    result: State | None


class ClashingEvent(Event):
    fields: dict[str, int]


clients: Table[Client] = Table(key=("client", "state"))
deployed: Map[tuple[str, int], bool] = Map(default=True)
entries: Log[Org, ClashingClient] = Log()


@action
def act(ctx: Context, self: str, signers: list[Client], deployed: int = -5, rounding: Rounding = Rounding.HALF_UP) -> ClashingClient | None:
    require(deployed > 0, "SELF")
    emit(Committed(deployed=deployed, result=State.QUOTED))
    return None


@action
def follow(ctx: Context) -> None:
    require(False, "A")


@view
def ask(ctx: Context, self: State = State.IT_IS) -> dict[Org, list[bytes]]:
    return {}


@view
def list_(ctx: Context, contract: str) -> Client | None:
    return None
'''

ALL = _in_the_checkout() | {name: source for name, (source, _) in SOURCES.items()} | {"clashing": CLASHING}

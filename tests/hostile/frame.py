"""What the contracts of the corpus have in common: state of every kind, and one action, `attack`, that writes something and misbehaves."""

from dataclasses import dataclass

FRAME = """\
from yunhe.contracts import (
    Choice, Context, Event, Index, Log, Map, Org, Record, Rounding, Table, Unique, action, call, call_view, emit, mul_div, pro_rata,
    refuse, require, require_role, require_signer, view
)


class Colour(Choice):
    RED = "red"


class Other(Choice):
    RED = "red"


class Line(Record):
    number: int = 0
    text: str = ""


class Thing(Record):
    key: str
    number: int = 0
    owner: Org | None = None
    colour: Colour = Colour.RED
    flag: bool = False
    data: bytes = b""
    title: str = ""
    format: str = ""
    lines: list[Line] = []
    numbers: list[int] = []
    notes: dict[str, int] = {{}}


class Box(Record):
    box_id: str
    owner: Org
    weight: int | None = None
    seal: str | None = None


class Move(Record):
    berth: int = 0


class Happened(Event):
    key: str
    number: int = 0


things: Table[Thing] = Table(key="key")
boxes: Table[Box] = Table(key="box_id")
boxes_by_owner: Index[Box] = Index(boxes, by=("owner", "weight"))
box_of_seal: Unique[Box] = Unique(boxes, by="seal", code="SEAL_TAKEN")
moves: Log[str, Move] = Log()
berths: Log[tuple[str, int], Move] = Log()
counts: Map[str, int] = Map(default=0)
names: Map[str, str] = Map(default="")
RATES = {{"a": 1, "b": 2}}
PAIR = (1, 2)


def helper(number: int) -> int:
    return number


{functions}


@action
def attack(ctx: Context) -> {result}:
    things.add(Thing(key="spoils"))
    counts["spoils"] = 1
{body}
"""


@dataclass(frozen=True)
class Case:
    """A contract whose action `attack` misbehaves."""

    body: str
    code: str
    """That the transaction must end with."""
    functions: str = ""
    """What stands at module level besides the frame."""
    result: str = "None"

    @property
    def source(self) -> str:
        return in_frame(self.body, self.functions, self.result)


def in_frame(body: str, functions: str = "", result: str = "None") -> str:
    """Return a module with the frame's state, functions, and an action of this body."""
    lines = "\n".join("    " + line for line in body.strip("\n").split("\n"))
    return FRAME.format(body=lines, functions=functions, result=result)

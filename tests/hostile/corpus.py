"""The hostile corpus as a whole: what the checker refuses, and what it accepts and the runtime contains.

    .venv/bin/python -m tests.hostile.corpus

prints the table of families in docs/qa.
"""

from collections import Counter

from tests.hostile import contained, data_access, interpreter, refused
from tests.hostile.frame import Case, in_frame

CONTAINED: dict[str, Case] = {**contained.CONTAINED, **interpreter.CONTAINED, **data_access.CONTAINED}
"""What is accepted, with the code that it must end with."""

REFUSED: dict[str, tuple[str | bytes, str]] = {
    **{name: (in_frame(body), rule) for module in (refused, interpreter, data_access) for name, (body, rule) in module.BODIES.items()},
    **{
        name: (in_frame("pass", functions), rule)
        for module in (refused, interpreter, data_access)
        for name, (functions, rule) in module.MODULES.items()
    },
    **refused.RAW,
}
"""What is refused, with a rule that must be among the findings."""


def contract_name(index: int) -> str:
    """Return the name under which a contained contract is deployed."""
    return f"hostile_{index}"


def deployed() -> dict[str, str]:
    """Return every contract that is deployed, by name."""
    contracts = {"neutral": contained.NEUTRAL} | {f"link_{number}": contained.link(number) for number in range(1, 12)}
    for index, case in enumerate(CONTAINED.values()):
        contracts[contract_name(index)] = case.source.replace("SELF", contract_name(index))
    return contracts


def table() -> str:
    """Return the families as a table in Markdown: contracts, how many the checker stops, how many are contained when they run."""
    stopped, ran = (Counter(name.partition(":")[0] for name in names) for names in (REFUSED, CONTAINED))
    rows = [(family, stopped[family], ran[family]) for family in sorted(stopped | ran)]
    rows.append(("all", stopped.total(), ran.total()))
    lines = [f"| {family} | {check + run} | {check} | {run} |" for family, check, run in rows]
    return "\n".join(["| Family | Contracts | Stopped when checked | Contained when run |", "|---|---|---|---|", *lines])


if __name__ == "__main__":
    print(table())

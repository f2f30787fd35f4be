"""Upgrades that would lose records, and migrations: SYS-025, SYS-026, CON-066."""

import pytest

from tests.contract_ledger import contract
from tests.unit.contracts.system_contracts.consortium import Consortium
from yunhe.contracts.loader import inspect_source
from yunhe.errors import ContractRefusedError, ViewRefusedError

FIRST = """
class Box(Record):
    name: str
    weight: int

boxes: Table[Box] = Table(key="name")

@action
def put(ctx: Context, name: str, weight: int) -> None:
    boxes.add(Box(name=name, weight=weight))

@action
def drop(ctx: Context, name: str) -> None:
    boxes.delete(name)

@view
def weight(ctx: Context, name: str) -> int:
    return boxes[name].weight
"""
RENAMED = FIRST.replace("weight", "mass")
MOVED = """
class Box(Record):
    name: str
    weight: int

class Crate(Record):
    name: str
    grams: int
    moved_by: str

class Moved(Event):
    count: int

boxes: Table[Box] = Table(key="name")
crates: Table[Crate] = Table(key="name")
crates_by_grams: Index[Crate] = Index(crates, by="grams")

@action
def migrate(ctx: Context) -> None:
    moved = 0
    for box in boxes.scan():
        require(box.weight > 0, "WEIGHTLESS")
        caller = ctx.caller
        crates.add(Crate(name=box.name, grams=box.weight * 1000, moved_by="" if caller is None else caller))
        boxes.delete(box.name)
        moved += 1
    emit(Moved(count=moved))

@view
def grams(ctx: Context, name: str) -> int:
    return crates[name].grams

@view
def heaviest(ctx: Context) -> list[str]:
    return [crate.name for crate in crates_by_grams.scan(reverse=True, limit=1)]
"""
SETTLED = MOVED[: MOVED.index("@action")].replace('boxes: Table[Box] = Table(key="name")\n', "") + MOVED[MOVED.index("@view\ndef grams") :]


@pytest.fixture
def consortium() -> Consortium:
    made = Consortium()
    made.deploy("shelf", contract(FIRST))
    return made


def proposed(consortium: Consortium, source: str) -> bytes:
    digest: bytes = consortium.does("port/clerk", "lifecycle.submit", source=contract(source))
    return digest


def upgrade(consortium: Consortium, source: str) -> None:
    assert consortium.agree("propose_upgrade", contract="shelf", code_hash=proposed(consortium, source)) == "accepted"


# SYS-025
def test_sys_025_upgrade_that_would_lose_records_is_not_even_proposed(consortium: Consortium) -> None:
    consortium.does("port/clerk", "shelf.put", name="a", weight=3)
    digest = proposed(consortium, RENAMED)
    consortium.refuses("UPGRADE_LOSES_DATA", "port/admin", "governance.propose_upgrade", contract="shelf", code_hash=digest)


# SYS-025
def test_sys_025_upgrade_of_a_table_without_rows_is_made(consortium: Consortium) -> None:
    consortium.does("port/clerk", "shelf.put", name="a", weight=3)
    consortium.does("port/clerk", "shelf.drop", name="a")
    upgrade(consortium, RENAMED)
    consortium.does("port/clerk", "shelf.put", name="a", mass=4)
    assert consortium.view("shelf.mass", name="a") == 4


# SYS-025
def test_sys_025_records_that_came_in_since_refuse_the_deciding_vote(consortium: Consortium) -> None:
    digest = proposed(consortium, RENAMED)
    number = consortium.does("carrier/admin", "governance.propose_upgrade", contract="shelf", code_hash=digest)
    consortium.does("port/clerk", "shelf.put", name="a", weight=3)
    consortium.refuses("UPGRADE_LOSES_DATA", "bank/admin", "governance.vote", proposal_id=number, approve=True)
    assert consortium.view("shelf.weight", name="a") == 3
    consortium.does("port/clerk", "shelf.drop", name="a")
    assert consortium.does("bank/admin", "governance.vote", proposal_id=number, approve=True) == "accepted"


# SYS-026
def test_sys_026_migration_runs_in_the_deciding_vote_and_keeps_indexes(consortium: Consortium) -> None:
    for name, weight in (("a", 3), ("b", 5)):
        consortium.does("port/clerk", "shelf.put", name=name, weight=weight)
    number = consortium.does("carrier/admin", "governance.propose_upgrade", contract="shelf", code_hash=proposed(consortium, MOVED))
    outcome = consortium.call("bank/admin", "governance.vote", proposal_id=number, approve=True)
    assert outcome.code == "OK"
    assert [(event.contract, event.name, event.fields) for event in outcome.events if event.contract == "shelf"] == [
        ("shelf", "Moved", {"count": 2})
    ]
    assert (consortium.view("shelf.grams", name="b"), consortium.view("shelf.heaviest")) == (5000, ["b"])
    assert consortium.record("shelf.crates", "a") == {"name": "a", "grams": 3000, "moved_by": "lifecycle"}
    assert consortium.record("shelf.boxes", "a") == {}


# SYS-025, SYS-026
def test_sys_026_emptied_table_is_dropped_by_the_next_upgrade(consortium: Consortium) -> None:
    consortium.does("port/clerk", "shelf.put", name="a", weight=3)
    upgrade(consortium, MOVED)
    upgrade(consortium, SETTLED)
    assert consortium.view("shelf.grams", name="a") == 3000


# SYS-026
def test_sys_026_migration_that_refuses_leaves_everything_as_it_was(consortium: Consortium) -> None:
    consortium.does("port/clerk", "shelf.put", name="a", weight=3)
    consortium.does("port/clerk", "shelf.put", name="b", weight=0)
    number = consortium.does("carrier/admin", "governance.propose_upgrade", contract="shelf", code_hash=proposed(consortium, MOVED))
    consortium.refuses("WEIGHTLESS", "bank/admin", "governance.vote", proposal_id=number, approve=True)
    assert consortium.view("shelf.weight", name="a") == 3
    assert consortium.record("governance.proposals", number)["status"] == "open"


# SYS-026
def test_sys_026_migration_beyond_the_gas_of_the_vote_leaves_everything_as_it_was(consortium: Consortium) -> None:
    for number in range(40):
        consortium.does("port/clerk", "shelf.put", name=f"box {number}", weight=3)
    proposal = consortium.does("carrier/admin", "governance.propose_upgrade", contract="shelf", code_hash=proposed(consortium, MOVED))
    vote = ("governance.vote", {"proposal_id": proposal, "approve": True})
    assert [o.code for o in consortium.block(consortium.transaction("bank/admin", vote, gas_limit=1_500_000))] == ["OUT_OF_GAS"]
    assert consortium.view("shelf.weight", name="box 7") == 3
    assert [o.code for o in consortium.block(consortium.transaction("bank/admin", vote, gas_limit=20_000_000))] == ["OK"]
    assert consortium.view("shelf.grams", name="box 7") == 3000


# SYS-026
def test_sys_026_nobody_else_can_run_a_migration(consortium: Consortium) -> None:
    consortium.does("port/clerk", "shelf.put", name="a", weight=3)
    upgrade(consortium, MOVED)
    consortium.refuses("ACTION_NOT_FOUND", "port/admin", "shelf.migrate")
    with pytest.raises(ViewRefusedError):
        consortium.view("shelf.migrate")
    caller = contract('@action\ndef go(ctx: Context) -> None:\n    call("shelf", "migrate")\n')
    consortium.deploy("caller", caller)
    consortium.refuses("ACTION_NOT_FOUND", "port/admin", "caller.go")


# SYS-026
def test_sys_026_migration_of_the_deployed_source_does_not_run_again(consortium: Consortium) -> None:
    upgrade(consortium, MOVED)
    changed = MOVED.replace("crates[name].grams", "crates[name].grams + 0")
    digest = proposed(consortium, changed)
    consortium.refuses("MIGRATION_UNCHANGED", "port/admin", "governance.propose_upgrade", contract="shelf", code_hash=digest)
    upgrade(consortium, changed.replace("moved = 0", "moved = 1"))


# SYS-026
def test_sys_026_first_deployment_runs_no_migration() -> None:
    made = Consortium()
    made.deploy("shelf", contract(MOVED.replace("    moved = 0\n", '    require(False, "RAN")\n    moved = 0\n')))


# CON-066
@pytest.mark.parametrize(
    ("written", "is_accepted"),
    [
        ("@action\ndef migrate(ctx: Context) -> None:\n    return\n", True),
        ("@action\ndef migrate(ctx: Context, limit: int) -> None:\n    return\n", False),
        ("@action\ndef migrate(ctx: Context) -> int:\n    return 1\n", False),
        ("@view\ndef migrate(ctx: Context) -> int:\n    return 1\n", False),
        ("def migrate(ctx: Context) -> None:\n    return\n", False),
    ],
)
def test_con_066_migrate_has_one_form(written: str, is_accepted: bool) -> None:
    source = contract(written + "\n\n@view\ndef one(ctx: Context) -> int:\n    return 1\n")
    if is_accepted:
        assert inspect_source(source).migration is not None
        return
    with pytest.raises(ContractRefusedError) as caught:
        inspect_source(source)
    assert "CON-066" in {finding.rule for finding in caught.value.findings}

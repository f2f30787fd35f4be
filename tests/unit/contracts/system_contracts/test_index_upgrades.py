"""Indexes that an upgrade adds, drops and changes: SYS-024, CON-114. Nothing ever answers from half an index."""

import pytest

from tests.contract_ledger import contract
from tests.unit.contracts.system_contracts.consortium import Consortium
from yunhe.errors import ViewRefusedError
from yunhe.ledger.codec import encode
from yunhe.ledger.state_keys import decode_state_key, state_key
from yunhe.limits import INDEX_BUILD_ROWS_MAX

FRAME = """
class Box(Record):
    name: str
    owner: Org
    seal: str | None = None
{fields}

boxes: Table[Box] = Table(key="name")
{state}

@action
def put(ctx: Context, name: str, seal: str | None = None) -> None:
    boxes.add(Box(name=name, owner=ctx.sender, seal=seal))

@action
def drop(ctx: Context, name: str) -> None:
    boxes.delete(name)

@action
def touch(ctx: Context, name: str) -> None:
    boxes.save(boxes[name])

{functions}
"""
BY_OWNER = 'boxes_by_owner: Index[Box] = Index(boxes, by="owner")'
BY_SEAL = 'box_of_seal: Unique[Box] = Unique(boxes, by="seal", code="SEAL_TAKEN")'
OWNED = """
@view
def owned(ctx: Context, owner: Org) -> list[str]:
    return [box.name for box in boxes_by_owner.scan(prefix=owner)]
"""


def shelf(*state: str, fields: str = "", functions: str = "") -> str:
    return contract(FRAME.format(state="\n".join(state), fields=fields, functions=functions))


def by_region(default: str) -> str:
    return shelf('by_region: Index[Box] = Index(boxes, by="region")', fields=f'    region: str = "{default}"')


@pytest.fixture
def consortium() -> Consortium:
    made = Consortium()
    made.deploy("shelf", shelf())
    made.does("port/clerk", "shelf.put", name="b", seal="S1")
    made.does("port/clerk", "shelf.put", name="a")
    made.does("bank/clerk", "shelf.put", name="c", seal="S2")
    return made


def upgrade(consortium: Consortium, source: str) -> None:
    digest = consortium.does("port/clerk", "lifecycle.submit", source=source)
    assert consortium.agree("propose_upgrade", contract="shelf", code_hash=digest) == "accepted"


def rows(consortium: Consortium) -> list[tuple]:
    decoded = [decode_state_key(key) for key in consortium.state.records()]
    return sorted((table, components) for owner, table, components in decoded if owner == "shelf" and "#" in table)


def fill(consortium: Consortium, count: int) -> None:
    """Put records into the state as a contract without indexes would have left them."""
    names = [f"n{n:06d}" for n in range(count)]
    consortium.state.apply((state_key("shelf", "boxes", (name,)), encode({"name": name, "owner": "port", "seal": None})) for name in names)


def test_sys_024_upgrade_that_adds_an_index_builds_it_from_the_records(consortium) -> None:
    upgrade(consortium, shelf(BY_OWNER, functions=OWNED))
    assert rows(consortium) == [("boxes#owner", ("bank", "c")), ("boxes#owner", ("port", "a")), ("boxes#owner", ("port", "b"))]
    assert consortium.view("shelf.owned", owner="port") == ["a", "b"]
    consortium.does("port/clerk", "shelf.drop", name="a")
    assert consortium.view("shelf.owned", owner="port") == ["b"]


def test_sys_024_upgrade_that_adds_a_constraint_keeps_it_from_then_on(consortium) -> None:
    upgrade(consortium, shelf(BY_SEAL))
    assert rows(consortium) == [("boxes#seal", ("S1",)), ("boxes#seal", ("S2",))]
    consortium.refuses("SEAL_TAKEN", "port/clerk", "shelf.put", name="d", seal="S1")
    consortium.does("port/clerk", "shelf.drop", name="b")
    consortium.does("port/clerk", "shelf.put", name="d", seal="S1")


def test_sys_024_constraint_that_records_break_refuses_the_proposal(consortium) -> None:
    consortium.does("bank/clerk", "shelf.put", name="d", seal="S1")
    digest = consortium.does("port/clerk", "lifecycle.submit", source=shelf(BY_SEAL))
    consortium.refuses("SEAL_TAKEN", "carrier/admin", "governance.propose_upgrade", contract="shelf", code_hash=digest)


def test_sys_024_constraint_that_records_break_since_the_proposal_refuses_the_deciding_vote(consortium) -> None:
    digest = consortium.does("port/clerk", "lifecycle.submit", source=shelf(BY_SEAL))
    number = consortium.does("carrier/admin", "governance.propose_upgrade", contract="shelf", code_hash=digest)
    consortium.does("bank/clerk", "shelf.put", name="d", seal="S1")
    consortium.refuses("SEAL_TAKEN", "bank/admin", "governance.vote", proposal_id=number, approve=True)
    consortium.does("bank/clerk", "shelf.drop", name="d")
    consortium.does("bank/admin", "governance.vote", proposal_id=number, approve=True)
    assert rows(consortium) == [("boxes#seal", ("S1",)), ("boxes#seal", ("S2",))]


def test_sys_024_index_that_is_dropped_leaves_no_row_and_can_come_back(consortium) -> None:
    upgrade(consortium, shelf(BY_OWNER, BY_SEAL, functions=OWNED))
    upgrade(consortium, shelf(BY_SEAL))
    assert {table for table, _ in rows(consortium)} == {"boxes#seal"}
    consortium.does("bank/clerk", "shelf.drop", name="c")
    consortium.does("bank/clerk", "shelf.put", name="e")
    upgrade(consortium, shelf(BY_OWNER, functions=OWNED))
    assert rows(consortium) == [("boxes#owner", ("bank", "e")), ("boxes#owner", ("port", "a")), ("boxes#owner", ("port", "b"))]


def test_sys_024_upgrade_that_leaves_indexes_as_they_are_writes_no_row(consortium) -> None:
    upgrade(consortium, shelf(BY_OWNER, functions=OWNED))
    renamed = BY_OWNER.replace("boxes_by_owner", "owned_boxes")
    digest = consortium.does("port/clerk", "lifecycle.submit", source=shelf(renamed))
    number = consortium.does("carrier/admin", "governance.propose_upgrade", contract="shelf", code_hash=digest)
    vote = consortium.transaction("bank/admin", ("governance.vote", {"proposal_id": number, "approve": True}))
    before = rows(consortium)
    consortium.block(vote)
    assert consortium.view("lifecycle.contract", contract="shelf")["version"] == 3
    assert rows(consortium) == before


def test_sys_024_constraint_in_the_place_of_an_index_replaces_its_rows(consortium) -> None:
    upgrade(consortium, shelf('by_seal: Index[Box] = Index(boxes, by="seal")'))
    assert rows(consortium) == [("boxes#seal", ("S1", "b")), ("boxes#seal", ("S2", "c"))]
    upgrade(consortium, shelf(BY_SEAL))
    assert rows(consortium) == [("boxes#seal", ("S1",)), ("boxes#seal", ("S2",))]


# SYS-025
def test_sys_024_records_from_before_a_field_are_indexed_by_its_default_which_stays(consortium) -> None:
    upgrade(consortium, by_region("eu"))
    assert [components for _, components in rows(consortium)] == [("eu", "a"), ("eu", "b"), ("eu", "c")]
    consortium.does("port/clerk", "shelf.touch", name="a")
    digest = consortium.does("port/clerk", "lifecycle.submit", source=by_region("asia"))
    consortium.refuses("UPGRADE_LOSES_DATA", "carrier/admin", "governance.propose_upgrade", contract="shelf", code_hash=digest)
    consortium.does("port/clerk", "shelf.drop", name="b")
    assert [components for _, components in rows(consortium)] == [("eu", "a"), ("eu", "c")]


@pytest.mark.parametrize(("records", "code"), [(INDEX_BUILD_ROWS_MAX - 3, "OK"), (INDEX_BUILD_ROWS_MAX - 2, "INDEX_TOO_LARGE")])
def test_sys_024_index_over_more_records_than_one_transaction_builds_is_refused(consortium, records, code) -> None:
    consortium.write("governance.parameters", "gas_limit_max", name="gas_limit_max", value=1_000_000_000)
    fill(consortium, records)
    digest = consortium.does("port/clerk", "lifecycle.submit", source=shelf(BY_SEAL))
    propose = ("governance.propose_upgrade", {"contract": "shelf", "code_hash": digest})
    assert consortium.block(consortium.transaction("carrier/admin", propose, gas_limit=1_000_000_000))[0].code == code
    if code == "OK":
        vote = ("governance.vote", {"proposal_id": 2, "approve": True})
        assert consortium.block(consortium.transaction("bank/admin", vote, gas_limit=1_000_000_000))[0].code == "OK"
        assert len(rows(consortium)) == 2


def test_sys_024_larger_table_is_migrated_in_steps_by_an_action(consortium) -> None:
    """What the specification advises where INDEX_TOO_LARGE refuses an upgrade."""
    fill(consortium, 25)
    state = 'moved: Table[Box] = Table(key="name")\nmoved_by_owner: Index[Box] = Index(moved, by="owner")'
    functions = """
@action
def move(ctx: Context, limit: int) -> int:
    for box in boxes.scan(limit=limit):
        boxes.delete(box.name)
        moved.add(box)
    return boxes.count()

@view
def owned(ctx: Context, owner: Org) -> int:
    require(boxes.count() == 0, "MIGRATING")
    return moved_by_owner.count(prefix=owner)
"""
    upgrade(consortium, shelf(state, functions=functions))
    assert consortium.does("port/clerk", "shelf.move", limit=20) == 8
    with pytest.raises(ViewRefusedError) as refused:
        consortium.view("shelf.owned", owner="port")
    assert refused.value.refusal == "MIGRATING"
    assert consortium.does("port/clerk", "shelf.move", limit=20) == 0
    assert consortium.view("shelf.owned", owner="port") == 27


def test_sys_024_index_over_a_field_that_old_records_lack_is_refused(consortium) -> None:
    source = shelf('by_region: Index[Box] = Index(boxes, by="region")', fields="").replace(
        "    seal: str", "    region: str\n    seal: str"
    )
    source = source.replace("Box(name=name,", 'Box(name=name, region="eu",')
    digest = consortium.does("port/clerk", "lifecycle.submit", source=source)
    consortium.refuses("UPGRADE_LOSES_DATA", "carrier/admin", "governance.propose_upgrade", contract="shelf", code_hash=digest)


def test_sys_025_table_does_not_take_the_place_of_a_log_with_entries(consortium) -> None:
    append = """
@action
def append(ctx: Context) -> int:
    return steps.append("a", Box(name="a", owner=ctx.sender))
"""
    upgrade(consortium, shelf("steps: Log[str, Box] = Log()", functions=append))
    table = shelf('steps: Table[Box] = Table(key=("name", "number"))', fields="    number: int = 0")
    digest = consortium.does("port/clerk", "lifecycle.submit", source=table)
    append_it = consortium.transaction("port/clerk", ("shelf.append", {}))
    outcomes = consortium.block(append_it, upgrading(consortium, digest, 3)[0], append_it)
    assert [outcome.code for outcome in outcomes] == ["OK", "UPGRADE_LOSES_DATA", "OK"]
    assert (outcomes[0].results, outcomes[-1].results) == ((0,), (1,))


def upgrading(consortium: Consortium, digest: bytes, number: int) -> list:
    return [
        consortium.transaction("carrier/admin", ("governance.propose_upgrade", {"contract": "shelf", "code_hash": digest})),
        consortium.transaction("bank/admin", ("governance.vote", {"proposal_id": number, "approve": True})),
    ]

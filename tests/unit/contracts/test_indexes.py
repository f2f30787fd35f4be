"""Indexes and uniqueness: CON-113 to CON-116, COD-062. Each call on a `Chain` runs plainly and metered and must do the same."""

import inspect
from pathlib import Path
from types import ModuleType

import pytest

from tests.contract_ledger import Ledger, contract, transaction
from tests.imported_module import imported
from tests.unit.contracts import crates
from tests.unit.contracts.crates import State
from yunhe.contracts import Org
from yunhe.contracts.loader import inspect_source
from yunhe.errors import ContractRefusedError, CorruptionError, ViewRefusedError
from yunhe.ledger.codec import decode, encode
from yunhe.ledger.state_keys import decode_state_key, state_key
from yunhe.limits import KEY_COMPONENTS_MAX, SCAN_ROWS_MAX, STATE_KEY_BYTES_MAX, TABLE_INDEXES_MAX
from yunhe.testing import Chain

SOURCE = inspect.getsource(crates)
MAEU, MSCU = Org("maeu"), Org("mscu")


@pytest.fixture
def chain() -> Chain:
    made = Chain()
    made.deploy(crates)
    return made


def put(chain: Chain, *names: str, owner: Org = MAEU, **fields) -> None:
    for name in names:
        chain.member("maeu").call(crates.put, name, owner=owner, **fields)


def change(chain: Chain, name: str, **fields) -> None:
    crate = {"owner": MAEU, "state": State.AFLOAT, "berth": None, "seal": None} | fields
    chain.member("maeu").call(crates.change, name, **crate)


def rows(chain: Chain) -> list[tuple[str, tuple, object]]:
    """Return (table, components, record) of all index rows."""
    found = [(*decode_state_key(key)[1:], decode(record, 1000)) for key, record in sorted(chain.state.records().items())]
    return [row for row in found if "#" in row[0]]


# --- Rows -----------------------------------------------------------------------------------------------------------


def test_con_114_cod_062_added_record_has_a_row_in_each_index_and_rows_hold_no_data_but_the_key(chain) -> None:
    put(chain, "c1", berth=5, seal="S1")
    assert rows(chain) == [
        ("crates#berth", (5, "c1"), {}),
        ("crates#berth,state", (5, "afloat"), {"crate_id": "c1"}),
        ("crates#owner", ("maeu", "c1"), {}),
        ("crates#owner,state", ("maeu", "afloat", "c1"), {}),
        ("crates#seal", ("S1",), {"crate_id": "c1"}),
    ]


def test_con_114_record_with_none_in_an_indexed_field_has_no_row(chain) -> None:
    put(chain, "c1", "c2")
    assert {table for table, _, _ in rows(chain)} == {"crates#owner", "crates#owner,state"}
    assert chain.view(crates.berths) == []
    assert chain.view(crates.seals) == []


def test_con_114_changed_field_moves_its_rows_and_no_others(chain) -> None:
    put(chain, "c1", berth=5, seal="S1")
    before = rows(chain)
    change(chain, "c1", berth=5, seal="S1", owner=MSCU)
    after = rows(chain)
    assert [row for row in after if row not in before] == [
        ("crates#owner", ("mscu", "c1"), {}),
        ("crates#owner,state", ("mscu", "afloat", "c1"), {}),
    ]
    assert len(after) == len(before)
    change(chain, "c1")
    assert [table for table, _, _ in rows(chain)] == ["crates#owner", "crates#owner,state"]


def test_con_114_deleted_record_leaves_no_row(chain) -> None:
    put(chain, "c1", berth=5, seal="S1")
    chain.member("maeu").call(crates.drop, "c1")
    assert rows(chain) == []
    put(chain, "c2", berth=5, seal="S1")
    assert chain.view(crates.seal_of, "S1") == "c2"


def test_con_114_field_changed_in_a_loop_leaves_one_row(chain) -> None:
    put(chain, "c1")
    assert chain.member("maeu").call(crates.wander, "c1", 50) == ["c1"]
    assert [row for row in rows(chain) if row[0] == "crates#berth"] == [("crates#berth", (49, "c1"), {})]


def test_con_114_failed_transaction_leaves_rows_as_they_were() -> None:
    ledger = Ledger("maeu", crates=SOURCE)
    assert ledger.call("maeu", "crates", "put", crate_id="c1", berth=1).code == "OK"
    before = ledger.state.records()
    wander = ("crates", "wander", {"crate_id": "c1", "berths": 20})
    execution = ledger.execute(transaction("maeu", wander, ("crates", "drop", {"crate_id": "none"})))
    assert execution.outcomes[0].code == "NOT_FOUND"
    assert ledger.state.records() == before
    assert ledger.view("crates", "berths") == ["c1"]


def test_con_114_row_that_would_be_too_long_refuses_the_record() -> None:
    source = contract("""
class Note(Record):
    name: str
    text: str

notes: Table[Note] = Table(key="name")
notes_by_text: Index[Note] = Index(notes, by="text")

@action
def put(ctx: Context, text: str) -> None:
    notes.add(Note(name="n", text=text))
""")
    longest = STATE_KEY_BYTES_MAX - len("notes/notes#text/") - len("n") - 2 * 2
    for length, code in ((longest, "OK"), (longest + 1, "VALUE_TOO_LARGE")):
        assert Ledger(notes=source).call("bank", "notes", "put", text="x" * length).code == code


# --- Scans ----------------------------------------------------------------------------------------------------------


def test_con_115_scan_returns_the_records_of_a_prefix_in_order_of_their_keys(chain) -> None:
    put(chain, "b", "a")
    put(chain, "c", owner=MSCU)
    # A value that begins like another one is another value.
    put(chain, "d", owner=Org("maeu2"))
    assert chain.view(crates.owned, MAEU) == ["a", "b"]
    assert chain.view(crates.owned, MAEU, reverse=True) == ["b", "a"]
    assert chain.view(crates.owned, Org("mae")) == []
    change(chain, "a", state=State.ASHORE)
    assert chain.view(crates.in_state, MAEU, State.ASHORE) == ["a"]
    assert chain.view(crates.in_state, MAEU, State.AFLOAT) == ["b"]


def test_con_115_scan_of_integers_is_bounded_by_leading_fields(chain) -> None:
    for name, berth in (("a", 300), ("b", -1), ("c", 5), ("d", 0)):
        put(chain, name, berth=berth)
    assert chain.view(crates.berths) == ["b", "d", "c", "a"]
    assert chain.view(crates.berths, start=0, end=300) == ["d", "c"]


def test_con_115_scan_sees_writes_of_the_transaction_and_of_the_block() -> None:
    ledger = Ledger("maeu", crates=SOURCE)
    execution = ledger.execute(
        transaction("maeu", ("crates", "put", {"crate_id": "b", "berth": 9})),
        transaction("maeu", ("crates", "put", {"crate_id": "a"}), ("crates", "wander", {"crate_id": "a", "berths": 3})),
        transaction("maeu", ("crates", "drop", {"crate_id": "b"}), ("crates", "wander", {"crate_id": "a", "berths": 0})),
    )
    assert [outcome.results[-1] for outcome in execution.outcomes] == [None, ["a", "b"], ["a"]]


def test_con_115_record_found_by_an_index_can_be_changed_and_saved() -> None:
    source = contract("""
class Task(Record):
    number: int
    due_ms: int

tasks: Table[Task] = Table(key="number")
tasks_by_due: Index[Task] = Index(tasks, by="due_ms")

@action
def put(ctx: Context, number: int, due_ms: int) -> None:
    tasks.add(Task(number=number, due_ms=due_ms))

@action
def postpone(ctx: Context, limit: int) -> list[int]:
    for task in tasks_by_due.scan(end=10, limit=limit):
        task.due_ms += 10
        tasks.save(task)
    return [task.number for task in tasks_by_due.scan()]
""")
    ledger = Ledger(tasks=source)
    for number, due_ms in ((1, 3), (2, 1), (3, 2)):
        ledger.call("bank", "tasks", "put", number=number, due_ms=due_ms)
    assert ledger.call("bank", "tasks", "postpone", limit=2).results == ([1, 2, 3],)
    assert ledger.call("bank", "tasks", "postpone", limit=2).results == ([2, 3, 1],)


def test_con_115_row_that_names_no_record_is_corruption_and_never_an_answer() -> None:
    ledger = Ledger("maeu", crates=SOURCE)
    ledger.state.apply([(state_key("crates", "crates#owner", ("maeu", "c1")), encode({}))])
    with pytest.raises(CorruptionError, match="node check"):
        ledger.view("crates", "owned", owner="maeu")
    ledger.state.apply([(state_key("crates", "crates#seal", ("S1",)), encode({"wrong": 1}))])
    with pytest.raises(CorruptionError, match="node check"):
        ledger.view("crates", "sealed", seal="S1")


# --- Pages and counts -----------------------------------------------------------------------------------------------


def test_con_113_pages_join_without_gap_or_repetition_in_both_directions(chain) -> None:
    put(chain, *"abcde")
    for reverse, names in ((False, "abcde"), (True, "edcba")):
        pages, after = [], None
        while page := chain.view(crates.page, after=after, reverse=reverse):
            pages += page
            after = page[-1]
        assert pages == list(names)
        assert chain.view(crates.owned, MAEU, after=names[1], limit=2, reverse=reverse) == list(names[2:4])


def test_con_113_page_begins_after_a_key_that_was_deleted_meanwhile(chain) -> None:
    put(chain, *"abcde")
    chain.member("maeu").call(crates.drop, "b")
    assert chain.view(crates.page, after="b") == ["c", "d"]
    assert chain.view(crates.owned, MAEU, after="b") == ["c", "d", "e"]
    assert chain.view(crates.owned, MAEU, after="") == ["a", "c", "d", "e"]


def test_con_113_pages_of_a_constraint_and_of_a_map(chain) -> None:
    for name, seal in (("a", "S2"), ("b", "S1"), ("c", "T1")):
        put(chain, name, seal=seal)
    chain.member("mscu").call(crates.put, "d")
    assert chain.view(crates.seals) == ["b", "a", "c"]
    assert chain.view(crates.seals, prefix="S") == ["b", "a"]
    assert chain.view(crates.seals, after="S1") == ["a", "c"]
    assert chain.view(crates.seen_after, MAEU) == ["mscu"]


def test_con_113_after_is_a_whole_key() -> None:
    source = contract("""
class Part(Record):
    a: int
    b: int

parts: Table[Part] = Table(key=("a", "b"))

@view
def ask(ctx: Context) -> int:
    return len(parts.scan(after=1))
""")
    with pytest.raises(ViewRefusedError) as refused:
        Ledger(parts=source).view("parts", "ask")
    assert refused.value.refusal == "CONTRACT_FAULT"


def test_con_113_counts_are_those_of_the_rows(chain) -> None:
    put(chain, "a", "b")
    put(chain, "c", owner=MSCU, seal="S1")
    assert chain.view(crates.counts, MAEU) == [3, 2, 1, 1, 3]
    chain.member("maeu").call(crates.drop, "a")
    assert chain.view(crates.counts, MAEU) == [2, 1, 1, 1, 3]


def test_con_113_count_of_more_rows_than_a_scan_can_return_is_refused() -> None:
    ledger = Ledger("maeu", crates=SOURCE)
    ledger.set_parameter("gas_limit_max", 10**9)
    ledger.state.apply((state_key("crates", "crates#owner", ("maeu", f"c{n:05d}")), encode({})) for n in range(SCAN_ROWS_MAX))
    assert ledger.view("crates", "counts", owner="maeu")[1] == SCAN_ROWS_MAX
    ledger.state.apply([(state_key("crates", "crates#owner", ("maeu", "d")), encode({}))])
    with pytest.raises(ViewRefusedError) as refused:
        ledger.view("crates", "counts", owner="maeu")
    assert refused.value.refusal == "SCAN_TOO_LONG"


# --- Uniqueness -----------------------------------------------------------------------------------------------------


def test_con_116_record_is_found_by_its_unique_fields(chain) -> None:
    put(chain, "c1", seal="S1")
    assert chain.view(crates.sealed, "S1").crate_id == "c1"
    assert chain.view(crates.seal_of, "S1") == "c1"
    assert chain.view(crates.seal_of, "S2") is None
    with chain.refuses("NOT_FOUND"):
        chain.view(crates.sealed, "S2")


def test_con_116_second_record_is_refused_with_the_declared_code(chain) -> None:
    put(chain, "c1", seal="S1")
    with chain.refuses("SEAL_TAKEN"):
        put(chain, "c2", seal="S1")
    put(chain, "c2", seal="S2")
    with chain.refuses("SEAL_TAKEN"):
        change(chain, "c2", seal="S1")
    change(chain, "c2", seal="S2", berth=1)


def test_con_116_second_record_is_refused_with_not_unique_where_no_code_is_declared(chain) -> None:
    put(chain, "c1", berth=1)
    with chain.refuses("NOT_UNIQUE"):
        put(chain, "c2", berth=1)
    change(chain, "c1", berth=1, state=State.ASHORE)
    put(chain, "c2", berth=1)


def test_con_116_values_can_be_given_up_and_taken_in_one_transaction(chain) -> None:
    put(chain, "c1", seal="S1")
    put(chain, "c2", seal="S2")
    chain.member("maeu").call(crates.swap_seals, "c1", "c2")
    assert (chain.view(crates.seal_of, "S1"), chain.view(crates.seal_of, "S2")) == ("c2", "c1")


# --- Declarations that only a run can refuse ------------------------------------------------------------------------

FRAME = """
class Note(Record):
    name: str
    text: str
    number: int | None = None
{fields}
class Other(Record):
    name: str

notes: Table[Note] = Table(key="name")
others: Table[Other] = Table(key="name")
{declaration}

@view
def ask(ctx: Context) -> int:
    return 1
"""


def declared(declaration: str, fields: str = "") -> str:
    return contract(FRAME.format(declaration=declaration, fields=fields))


def as_notes(path: Path, source: str) -> ModuleType:
    """Return the module of a source, imported from a file that holds it."""
    path.write_text(source)
    return imported(path, "notes")


MANY = "".join(f"    f{index}: int\n" for index in range(TABLE_INDEXES_MAX + 1))


@pytest.mark.parametrize(
    "source",
    [
        declared('by_text: Index[Note] = Index(notes, by="text")'),
        declared('by_text: Unique[Note] = Unique(notes, by=("text", "name"), code="TAKEN")'),
        declared('by_number: Unique[Note] = Unique(notes, by="number")'),
        declared("".join(f'i{n}: Index[Note] = Index(notes, by="f{n}")\n' for n in range(TABLE_INDEXES_MAX)), MANY),
        declared(f"i: Index[Note] = Index(notes, by={tuple(f'f{n}' for n in range(KEY_COMPONENTS_MAX - 1))})", MANY),
    ],
)
def test_con_063_index_of_fields_is_accepted(source) -> None:
    assert inspect_source(source).indexes


@pytest.mark.parametrize(
    "declaration",
    [
        'by_text: Index[Note] = Index(others, by="name")',
        'by_text: Index[Note] = Index(notes, by="colour")',
        'by_text: Index[Note] = Index(notes, by=("text", "text"))',
        'by_name: Index[Note] = Index(notes, by="name")',
        'a: Index[Note] = Index(notes, by="text")\nb: Unique[Note] = Unique(notes, by="text")',
    ],
)
def test_con_063_index_is_refused_by_the_checker_and_by_a_plain_import(declaration, tmp_path: Path) -> None:
    with pytest.raises(ContractRefusedError) as refused:
        inspect_source(declared(declaration))
    assert [finding.rule for finding in refused.value.findings] == ["CON-063"]
    module = as_notes(tmp_path / "notes.py", declared(declaration))
    chain = Chain(metered=False)
    chain.deploy(module)
    with pytest.raises(TypeError):
        chain.view(module.ask)


# --- Upgrades of a chain under test ---------------------------------------------------------------------------------


def test_sys_024_contract_deployed_again_on_a_chain_gets_the_indexes_of_its_new_module(tmp_path: Path) -> None:
    put_and_count = """
@action
def put(ctx: Context, name: str, text: str) -> None:
    notes.add(Note(name=name, text=text))
{more}
"""
    count = "@view\ndef of_text(ctx: Context, text: str) -> int:\n    return by_text.count(prefix=text)"
    before = as_notes(tmp_path / "before.py", declared("") + put_and_count.format(more=""))
    indexed = declared('by_text: Index[Note] = Index(notes, by="text")') + put_and_count.format(more=count)
    after = as_notes(tmp_path / "after.py", indexed)
    unique = as_notes(tmp_path / "unique.py", declared('by_text: Unique[Note] = Unique(notes, by="text")'))
    chain = Chain(metered=False)
    chain.deploy(before)
    for name, text in (("a", "x"), ("b", "x"), ("c", "y")):
        chain.member("bank").call(before.put, name, text)
    chain.deploy(after)
    assert chain.view(after.of_text, "x") == 2
    with chain.refuses("NOT_UNIQUE"):
        chain.deploy(unique)
    chain.member("bank").call(after.put, "d", "x")
    assert chain.view(after.of_text, "x") == 3

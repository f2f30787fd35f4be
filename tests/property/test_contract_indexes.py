"""CON-114 to CON-117: whatever is added, saved and deleted, an index is the full scan of its table, filtered and sorted.

The blocks are run by the runner here and by a jailed worker, which must come to the same receipts and writes.
"""

import inspect
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contract_ledger import Ledger, transaction
from tests.unit.contracts import crates
from yunhe.contracts.worker.executor import WorkerExecutor
from yunhe.crypto import SHA256
from yunhe.ledger.interfaces import BlockContext
from yunhe.ledger.state_keys import decode_state_key

SOURCE = inspect.getsource(crates)
NAMES = st.sampled_from(["a", "b", "ba", "c\x00", "运"])
OWNERS = st.sampled_from(["maeu", "maeu2", "mscu"])
BERTHS = st.none() | st.sampled_from([-1, 0, 1, 300])
SEALS = st.none() | st.sampled_from(["", "S1", "S10", "S1\x00"])


@dataclass(frozen=True)
class Crate:
    owner: str
    state: str
    berth: int | None
    seal: str | None


@dataclass
class Model:
    """What the contract should hold, by plain dicts and sorting."""

    crates: dict[str, Crate] = field(default_factory=dict)
    moves: dict[str, list[int]] = field(default_factory=dict)

    def copy(self) -> "Model":
        return Model(dict(self.crates), {name: list(entries) for name, entries in self.moves.items()})

    def store(self, name: str, crate: Crate) -> str:
        others = [other for other_name, other in self.crates.items() if other_name != name]
        if crate.seal is not None and any(other.seal == crate.seal for other in others):
            return "SEAL_TAKEN"
        if crate.berth is not None and any((other.berth, other.state) == (crate.berth, crate.state) for other in others):
            return "NOT_UNIQUE"
        self.crates[name] = crate
        return "OK"

    def run(self, action: str, arguments: dict) -> str:
        name = arguments["crate_id"]
        if action == "put":
            if name in self.crates:
                return "ALREADY_EXISTS"
            return self.store(name, Crate(arguments["owner"], "afloat", arguments["berth"], arguments["seal"]))
        if action == "note":
            self.moves.setdefault(name, []).extend(arguments["berths"])
            return "OK"
        if name not in self.crates:
            return "NOT_FOUND"
        if action == "drop":
            del self.crates[name]
            return "OK"
        return self.store(name, replace(self.crates[name], **{key: arguments[key] for key in ("owner", "state", "berth", "seal")}))

    def report(self, owner: str, start: int, end: int, after: str, limit: int) -> list[list[str]]:
        found = self.crates
        by_name = sorted(found, key=str.encode)
        owned = [name for name in by_name if found[name].owner == owner]
        behind = [name for name in owned if name.encode() > after.encode()]
        before = [name for name in reversed(owned) if name.encode() < after.encode()]
        berthed = [(crate.berth, name.encode(), name) for name, crate in found.items() if crate.berth is not None]
        sealed = [(crate.seal.encode(), name) for name, crate in found.items() if crate.seal is not None]
        return [
            by_name,
            sorted(by_name, key=lambda name: found[name].owner),
            behind[:limit],
            before[:limit],
            [name for name in owned if found[name].state == "afloat"],
            [name for berth, _, name in sorted(berthed) if start <= berth < end],
            [name for _, name in sorted(sealed, reverse=True)],
        ]


CALLS = st.one_of(
    st.tuples(st.just("put"), st.fixed_dictionaries({"crate_id": NAMES, "owner": OWNERS, "berth": BERTHS, "seal": SEALS})),
    st.tuples(
        st.just("change"),
        st.fixed_dictionaries(
            {"crate_id": NAMES, "owner": OWNERS, "state": st.sampled_from(["afloat", "ashore"]), "berth": BERTHS, "seal": SEALS}
        ),
    ),
    st.tuples(st.just("drop"), st.fixed_dictionaries({"crate_id": NAMES})),
    st.tuples(st.just("note"), st.fixed_dictionaries({"crate_id": NAMES, "berths": st.lists(st.integers(0, 3), max_size=3)})),
)
REPORTS = st.fixed_dictionaries(
    {"owner": OWNERS, "start": st.integers(-1, 1), "end": st.integers(0, 301), "after": NAMES, "limit": st.integers(0, 3)}
)
TRANSACTIONS = st.tuples(st.lists(CALLS, min_size=1, max_size=4), REPORTS)
BLOCKS = st.lists(st.lists(TRANSACTIONS, min_size=1, max_size=5), min_size=1, max_size=4)


@pytest.fixture(scope="module")
def worker() -> Iterator[WorkerExecutor]:
    made = WorkerExecutor(SHA256)
    yield made
    made.close()


def expected(model: Model, calls: list[tuple[str, dict]], report: dict) -> tuple[Model, str, list[list[str]] | None]:
    """Return the model after a transaction, its code, and what its report says."""
    after = model.copy()
    for action, arguments in calls:
        code = after.run(action, arguments)
        if code != "OK":
            return model, code, None
    return after, "OK", after.report(**report)


def index_rows(ledger: Ledger) -> list[tuple]:
    return [row for row in ledger.keys("crates") if "#" in row[0]]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(BLOCKS)
def test_con_114_indexes_equal_a_filtered_and_sorted_scan_at_every_moment(worker, blocks) -> None:
    ledger = Ledger("maeu", crates=SOURCE)
    model = Model()
    for block in blocks:
        transactions = [
            transaction("maeu", *[("crates", action, arguments) for action, arguments in calls], ("crates", "report", report))
            for calls, report in block
        ]
        in_worker = worker.execute(BlockContext(ledger.height, ledger.time_ms), transactions, ledger.state)
        execution = ledger.execute(*transactions)
        assert execution == in_worker
        for (calls, report), outcome in zip(block, execution.outcomes, strict=True):
            model, code, said = expected(model, calls, report)
            assert outcome.code == code
            if said is not None:
                assert outcome.results[-1] == said
    rows = [("crates#owner", (crate.owner, name)) for name, crate in model.crates.items()]
    rows += [("crates#owner,state", (crate.owner, crate.state, name)) for name, crate in model.crates.items()]
    rows += [("crates#berth", (crate.berth, name)) for name, crate in model.crates.items() if crate.berth is not None]
    rows += [("crates#berth,state", (crate.berth, crate.state)) for crate in model.crates.values() if crate.berth is not None]
    rows += [("crates#seal", (crate.seal,)) for crate in model.crates.values() if crate.seal is not None]
    assert index_rows(ledger) == sorted(rows)
    for name, entries in model.moves.items():
        assert ledger.view("crates", "history", crate_id=name) == entries
        assert ledger.view("crates", "moved", crate_id=name) == len(entries)


def test_con_114_model_would_notice_a_row_that_is_missing(worker) -> None:
    """The canary: with one row taken away by hand the same comparison fails."""
    ledger = Ledger("maeu", crates=SOURCE)
    ledger.call("maeu", "crates", "put", crate_id="a", berth=1)
    (row,) = [key for key in ledger.state.records() if decode_state_key(key)[1] == "crates#berth"]
    ledger.state.apply([(row, None)])
    report = {"owner": "maeu", "start": 0, "end": 9, "after": "", "limit": 1}
    execution = worker.execute(BlockContext(9, 9), [transaction("maeu", ("crates", "report", report))], ledger.state)
    model = Model({"a": Crate("maeu", "afloat", 1, None)})
    assert execution.outcomes[0].results[0] != model.report(**report)

"""CON-149: the interface that is read from a source says what the loaded contract has."""

import inspect

import pytest

from tests.contract_ledger import contract
from tests.unit.contracts import crates
from yunhe.contracts.indexes import Unique
from yunhe.contracts.interface import IndexInterface, interface_of
from yunhe.contracts.loader import inspect_source
from yunhe.contracts.system_contracts import governance, lifecycle, registry
from yunhe.errors import MalformedError

SOURCES = {
    "crates": (inspect.getsource(crates), False),
    "governance": (inspect.getsource(governance), True),
    "lifecycle": (inspect.getsource(lifecycle), True),
    "registry": (inspect.getsource(registry), True),
}


@pytest.mark.parametrize(("source", "is_system"), SOURCES.values(), ids=SOURCES)
def test_con_149_interface_is_that_of_the_loaded_module(source, is_system) -> None:
    interface, module = interface_of(source), inspect_source(source, is_system=is_system)
    assert interface.summary == module.summary
    for entries, loaded in ((interface.actions, module.actions), (interface.views, module.views)):
        assert list(entries) == list(loaded)
        for name, entry in entries.items():
            assert {field.name: field.type for field in entry.parameters} == {
                parameter: kind.data() for parameter, kind in loaded[name].parameters.items()
            }
            assert entry.result == loaded[name].result.data()
    for found, types in ((interface.records, module.records), (interface.events, module.events)):
        assert {name: {field.name: field.type for field in fields} for name, fields in found.items()} == {
            name: {field: kind.data() for field, kind in record.fields.items()} for name, record in types.items()
        }
    assert {name: table.key for name, table in interface.tables.items()} == {n: t.key_fields for n, t in module.tables.items()}
    assert {name: found.key for name, found in interface.maps.items()} == {
        name: tuple(part.data() for part in found.keys.parts) for name, found in module.maps.items()
    }
    assert {name: (log.key, log.record) for name, log in interface.logs.items()} == {
        name: (tuple(part.data() for part in log.keys.parts[:-1]), log.kind.name) for name, log in module.logs.items()
    }
    for name, table in interface.tables.items():
        assert {(index.name, index.by, index.unique, index.code) for index in table.indexes} == {
            (index.name, index.by, isinstance(index, Unique), index.code if isinstance(index, Unique) else None)
            for index in module.indexes.values()
            if index.table.name == name
        }


def test_con_149_interface_shows_indexes_logs_and_their_codes() -> None:
    interface = interface_of(SOURCES["crates"][0])
    assert interface.tables["crates"].indexes[1] == IndexInterface("crates_by_state", ("owner", "state"), unique=False)
    assert interface.tables["crates"].indexes[3:] == (
        IndexInterface("crate_of_seal", ("seal",), unique=True, code="SEAL_TAKEN"),
        IndexInterface("crate_at_berth", ("berth", "state"), unique=True, code="NOT_UNIQUE"),
    )
    assert interface.data()["logs"]["moves"] == {"name": "moves", "key": ("str",), "record": "Move"}
    assert interface.refusals == ("NOT_UNIQUE", "SEAL_TAKEN")


@pytest.mark.parametrize(
    "text", ["x =", 'by_a: Index[Part] = Index(parts, by="a")', 'by_a: Index[Part] = Index(by="a")', "parts: Log[str, Part] = 5 +"]
)
def test_con_149_text_that_is_no_contract_is_refused(text) -> None:
    with pytest.raises(MalformedError):
        interface_of(contract(text))

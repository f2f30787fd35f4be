"""What a contract's new source changes, for whoever proposes or votes: what it offers, what it stores, the text."""

from dataclasses import dataclass
from difflib import unified_diff
from typing import Any

from yunhe.contracts.compatibility import Incompatibility
from yunhe.contracts.interface import EntryInterface, Interface, interface_of, type_text
from yunhe.contracts.upgrading import migrates_again, unreadable
from yunhe.errors import UpgradeIncompatibleError
from yunhe.sdk import Client


@dataclass(frozen=True, slots=True)
class ContractChange:
    """A contract's source and the one that is to take its place."""

    contract: str
    old: str
    """Empty for a first deployment."""
    new: str
    losses: tuple[Incompatibility, ...]
    """What the new source could not read, in tables that have rows."""

    @classmethod
    def of(cls, client: Client, contract: str, old: str, new: str) -> "ContractChange":
        """Compare two sources on the state of the last block."""
        found = unreadable(old, new) if old else ()
        filled = {name for name in {each.table for each in found} if any(client.records(contract, name, limit=1))}
        return cls(contract, old, new, tuple(each for each in found if each.table in filled))

    def require_possible(self) -> None:
        """Refuse what the life cycle would refuse.

        Raises:
            UpgradeIncompatibleError: records would be lost, or a migration would run again; the message names table and field.
        """
        if self.losses:
            lines = [f"{each.table}, {each}. Instead: {each.instead}" for each in self.losses]
            raise UpgradeIncompatibleError("the new source could not read what is stored\n" + "\n".join(lines))
        if self.old and migrates_again(self.old, self.new):
            raise UpgradeIncompatibleError("migrate is that of the deployed source; remove it, or write what this upgrade has to do")

    def data(self) -> dict[str, Any]:
        """Return what is different, by what it means for others; what is the same is left out."""
        before, after = interface_of(self.old) if self.old else Interface(), interface_of(self.new)
        found: dict[str, Any] = {}
        for word, old, new in (
            ("actions", _entries(before.actions), _entries(after.actions)),
            ("views", _entries(before.views), _entries(after.views)),
            ("state", _state(before), _state(after)),
        ):
            found[word] = [f"- {text}" for text in old if text not in new] + [f"+ {text}" for text in new if text not in old]
        found["migration"] = "migrate runs with the deciding vote" if self.old and after.migration is not None else None
        return {name: value for name, value in found.items() if value}

    def diff(self) -> str:
        """Return the sources' differences line by line; empty for a first deployment."""
        if not self.old:
            return ""
        lines = unified_diff(
            self.old.splitlines(), self.new.splitlines(), f"{self.contract} as deployed", f"{self.contract} as proposed", lineterm=""
        )
        return "\n".join(lines)


def _entries(entries: dict[str, EntryInterface]) -> list[str]:
    return [entry_text(entry) for entry in entries.values()]


def entry_text(entry: EntryInterface) -> str:
    """Return an action or view as its head is written."""
    parameters = [
        f"{parameter.name}: {type_text(parameter.type)}" + ("" if parameter.default is None else f" = {parameter.default}")
        for parameter in entry.parameters
    ]
    return f"{entry.name}({', '.join(parameters)}) -> {type_text(entry.result)}"


def _state(interface: Interface) -> list[str]:
    texts = []
    for table in interface.tables.values():
        fields = [
            f"{field.name}: {type_text(field.type)}" + ("" if field.default is None else f" = {field.default}")
            for field in interface.records[table.record]
        ]
        texts.append(f"table {table.name} by {', '.join(table.key)}: {', '.join(fields)}")
        texts += [f"{'unique' if index.unique else 'index'} {index.name} by {', '.join(index.by)}" for index in table.indexes]
    texts += [f"map {found.name}: {', '.join(map(type_text, found.key))} to {type_text(found.value)}" for found in interface.maps.values()]
    return texts + [f"log {log.name}: {log.record} by {', '.join(map(type_text, log.key))}" for log in interface.logs.values()]

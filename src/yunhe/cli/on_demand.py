"""Groups of commands that import a command when it is looked up, so that none waits for what only others need."""

from collections.abc import Iterator, Mapping, MutableMapping
from importlib import import_module
from typing import Any

import typer
import typer.core
import typer.main


def on_demand(places: Mapping[str, str]) -> type[typer.core.TyperGroup]:
    """Return a class of groups that have these commands besides their own; for `typer.Typer(cls=…)`.

    Args:
        places: The name of each command, and where it is as `module:attribute`: a function, or a `typer.Typer`.
    """

    class OnDemandGroup(typer.core.TyperGroup):
        """A group with commands that are not imported yet."""

        def __init__(self, **attributes: Any) -> None:  # noqa: ANN401  # as Typer gives them
            super().__init__(**attributes)
            self.commands = _Commands(self.commands, places)

    return OnDemandGroup


class _Commands(MutableMapping[str, Any]):
    """Commands by name. Names cost nothing; a command is imported when it is got."""

    def __init__(self, present: Mapping[str, Any], places: Mapping[str, str]) -> None:
        self._present = dict(present)
        self._places = dict(places)

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401  # as `_imported`
        if name not in self._present:
            self._present[name] = _imported(name, self._places[name])
        return self._present[name]

    def __setitem__(self, name: str, command: Any) -> None:  # noqa: ANN401  # as `_imported`
        self._present[name] = command

    def __delitem__(self, name: str) -> None:
        self._present.pop(name, None)
        self._places.pop(name, None)

    def __iter__(self) -> Iterator[str]:
        return iter({**self._present, **self._places})

    def __len__(self) -> int:
        return len({**self._present, **self._places})


def _imported(name: str, place: str) -> Any:  # noqa: ANN401  # a command or a group of Typer's, which has no public name
    module, _, attribute = place.partition(":")
    found = getattr(import_module(module), attribute)
    parent = typer.Typer()
    if isinstance(found, typer.Typer):
        parent.add_typer(found, name=name)
    else:
        parent.command(name)(found)
    return typer.main.get_group(parent).commands[name]

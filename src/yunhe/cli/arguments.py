"""Arguments and keys as people type them, turned into what a contract declares.

`NAME=VALUE`: text as it is, byte strings in hexadecimal digits, everything else as JSON; `NAME=@FILE` takes the file's text. The types come
from the contract's interface, which is read from its deployed source.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from yunhe.contracts.interface import EntryInterface, Interface, interface_of
from yunhe.contracts.json_values import arguments_from_json
from yunhe.errors import MalformedError, NotFoundError, RecordNotFoundError, UsageError
from yunhe.ledger.codec import Value
from yunhe.ledger.state_keys import KeyComponent
from yunhe.sdk import Client


@dataclass(frozen=True, slots=True)
class DeployedContract:
    """A contract as the ledger has it."""

    record: dict[str, Any]
    """name, code_hash, status, version, system."""
    source: str
    interface: Interface


def read_contract(client: Client, name: str) -> DeployedContract:
    """Return a deployed contract.

    Raises:
        RecordNotFoundError: there is none.
    """
    try:
        record = dict(client.record("lifecycle", "contracts", [name])["fields"])
    except RecordNotFoundError as error:
        raise RecordNotFoundError(f"there is no contract {name}; `yunhe contract list` shows those that are deployed") from error
    source = str(client.record("lifecycle", "sources", [bytes.fromhex(str(record["code_hash"])[2:])])["fields"]["source"])
    return DeployedContract(record, source, interface_of(source))


def parse_arguments(client: Client, contract: str, name: str, items: Sequence[str], *, view: bool) -> dict[str, Value]:
    """Read the arguments of an action or view.

    Raises:
        NotFoundError: the contract has no such action or view; the message lists those that it has.
        UsageError: an argument is not NAME=VALUE, or is there twice.
        MalformedError: a value does not fit its type.
    """
    interface = read_contract(client, contract).interface
    entries = interface.views if view else interface.actions
    entry = entries.get(name)
    if entry is None:
        raise NotFoundError(_missing(contract, name, interface, view=view))
    arguments: dict[str, object] = {}
    for item in items:
        argument, value = _argument(entry, item)
        if argument in arguments:
            raise UsageError(f"the argument {argument} is given twice")
        arguments[argument] = value
    return arguments_from_json(interface, entry, arguments)


def _missing(contract: str, name: str, interface: Interface, *, view: bool) -> str:
    """Return what there is instead of an action or view, and the command for it."""
    if view and name in interface.actions:
        return (
            f"{contract}.{name} is an action, not a view: `yunhe tx call {contract} {name}` calls it, and "
            f"`yunhe tx simulate {contract} {name}` only tries it out"
        )
    if not view and name in interface.views:
        return f"{contract}.{name} is a view, not an action: it changes nothing, and `yunhe query view {contract} {name}` asks it"
    entries = interface.views if view else interface.actions
    return f"{contract} has no {'view' if view else 'action'} {name}; it has {', '.join(sorted(entries)) or 'none'}"


def _argument(entry: EntryInterface, item: str) -> tuple[str, object]:
    name, separator, text = item.partition("=")
    if not separator:
        raise UsageError(f"an argument is NAME=VALUE, not {item!r}")
    if text.startswith("@"):
        text = _read_text(Path(text[1:]))
    kind = next((parameter.type for parameter in entry.parameters if parameter.name == name), None)
    if isinstance(kind, dict) and "optional" in kind:
        if text == "null":
            return name, None
        kind = kind["optional"]
    if kind == "bytes":
        return name, text.removeprefix("0x")
    if kind in ("str", "Org", None) or (isinstance(kind, dict) and "choice" in kind):
        return name, text
    try:
        return name, json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MalformedError(f"{name} must be JSON for the type {json.dumps(kind)}, not {text!r}") from error


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read as text: {error}") from error


def parse_key(items: Sequence[str]) -> list[KeyComponent]:
    """Read the components of a key: text, `int:5`, or `0x` and hexadecimal digits.

    Raises:
        MalformedError: a component is none of these.
    """
    components: list[KeyComponent] = []
    for item in items:
        try:
            if item.startswith("int:"):
                components.append(int(item[4:]))
            elif item.startswith("0x"):
                components.append(bytes.fromhex(item[2:]))
            else:
                components.append(item)
        except ValueError as error:
            raise MalformedError(f"{item!r} is no key component: text, int:5, or 0x and hexadecimal digits") from error
    return components


def parse_condition(item: str) -> tuple[str, str | int]:
    """Read NAME=VALUE, a field's value as text or `int:5`.

    Raises:
        UsageError: it is not of this form.
    """
    name, separator, text = item.partition("=")
    if not separator or not name:
        raise UsageError(f"a condition is NAME=VALUE, not {item!r}")
    if not text.startswith("int:"):
        return name, text
    try:
        return name, int(text[4:])
    except ValueError as error:
        raise UsageError(f"int: begins an integer, not {text!r}") from error

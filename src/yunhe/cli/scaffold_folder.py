"""The folder of a new contract: a contract that works, its tests, a scenario, and what checks types and style.

The files lie in `scaffold` beside this module, as templates in which `{name}` stands for the contract's name.
"""

import builtins
import keyword
import sys
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath
from typing import Final

from yunhe.contracts.scalars import Org
from yunhe.contracts.vocabulary import SDK_MODULE
from yunhe.errors import ContractNameError, FolderExistsError, InvalidInputError
from yunhe.ledger.layouts import SYSTEM_CONTRACTS
from yunhe.limits import NAME_CHARS_MAX

_SUFFIX: Final = ".template"
_CONTRACT: Final = "contract"
_IMPORTED: Final = sys.stdlib_module_names | {"conftest", "pytest", "scenario", "tests", SDK_MODULE.partition(".")[0]}


def make_folder(name: str, parent: Path) -> list[Path]:
    """Make the folder of a new contract and return its files.

    Raises:
        ContractNameError: the ledger would refuse the name, or Python could not import it.
        FolderExistsError: there is something of this name already.
        InvalidInputError: the folder cannot be made.
    """
    check_name(name)
    folder = parent / name
    try:
        folder.mkdir()
        return [_write(folder / path, text.replace("{name}", name)) for path, text in sorted(_templates(name).items())]
    except FileExistsError as error:
        raise FolderExistsError(f"{folder} is there already; choose another name, or remove it first") from error
    except OSError as error:
        raise InvalidInputError(f"{folder} cannot be made: {error.strerror}") from error


def check_name(name: str) -> None:
    """Refuse a name under which a contract could not be deployed or tested.

    Raises:
        ContractNameError: it is none; the message says what to do.
    """
    try:
        Org(name)  # names of contracts have the form of names of organisations (COD-032)
    except ValueError as error:
        raise ContractNameError(
            f"{name!r} is no name for a contract: write a-z, 0-9 and _, begin with a letter, use at most {NAME_CHARS_MAX} characters"
        ) from error
    if name in SYSTEM_CONTRACTS:
        raise ContractNameError(f"every ledger has a system contract {name}; choose another name, such as {name}_rules")
    if keyword.iskeyword(name):
        raise ContractNameError(f"{name} is a word of Python, so no module can have this name; choose another one, such as {name}_rules")
    if name in _IMPORTED:
        raise ContractNameError(f"tests could not import {name}, because another module has this name; choose one such as {name}_rules")
    if hasattr(builtins, name):
        raise ContractNameError(
            f"{name} is a name of Python's own, which the module would hide in its tests; choose one such as {name}_rules"
        )


def _templates(name: str) -> dict[str, str]:
    """Return the texts of all templates by the path of the file that is made from each."""
    found: dict[str, str] = {}
    folders = [(PurePosixPath(), resources.files("yunhe.cli") / "scaffold")]
    while folders:
        path, folder = folders.pop()
        for entry in folder.iterdir():
            if entry.is_dir():
                folders.append((path / entry.name, entry))
            elif entry.name.endswith(_SUFFIX):
                found[str(path / _file_name(entry, name))] = entry.read_text(encoding="utf-8")
    return found


def _file_name(entry: Traversable, name: str) -> str:
    return entry.name.removesuffix(_SUFFIX).replace(_CONTRACT, name)


def _write(path: Path, text: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path

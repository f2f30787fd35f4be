"""Contract modules as pytest imported them, read once for many transactions.

Reading a module binds its tables to the name of a contract, and one module may be deployed under several: so the last reading alone holds.
"""

import inspect
from types import ModuleType
from weakref import WeakKeyDictionary

from yunhe.contracts.module import ContractModule

_LAST_READ: WeakKeyDictionary[ModuleType, ContractModule] = WeakKeyDictionary()


def read_module(name: str, module: ModuleType) -> ContractModule:
    """Return a contract's entries and state, its tables bound to the name."""
    read = _LAST_READ.get(module)
    if read is None or read.name != name or not _is_of(read, module):
        read = _LAST_READ[module] = ContractModule(name, vars(module))
    return read


def module_source(module: ModuleType) -> str:
    """Return the text that a contract was imported from.

    Raises:
        ValueError: it has no source file.
    """
    try:
        return inspect.getsource(module)
    except (OSError, TypeError) as error:
        raise ValueError(
            f"{module.__name__} has no source file: a contract is deployed as the text of the file that it is imported from"
        ) from error


def _is_of(read: ContractModule, module: ModuleType) -> bool:
    """Tell whether the functions read are still the module's: a test may have put another one in the place of one."""
    namespace = vars(module)
    return all(namespace.get(entry.name) is entry.function for entries in (read.actions, read.views) for entry in entries.values())

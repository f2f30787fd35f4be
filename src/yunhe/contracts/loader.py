"""From a contract's source to a module that runs metered: checked, rewritten, compiled, executed once.

Everything here is a function of source and name, so every node comes to the same module or to the same refusal. The module gets a
namespace of its own with a handful of built-in names; its module level runs under a gas limit of its own (CON-129) and leaves constants,
types, functions and declared state. Specification: docs/spec/contracts.md, "Execution".
"""

import ast
import builtins
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final, NoReturn

from yunhe import contracts as sdk
from yunhe.contracts.checker import check
from yunhe.contracts.faults import ContractStop
from yunhe.contracts.machine import Machine
from yunhe.contracts.metered.builtin_functions import builtin_functions
from yunhe.contracts.metered.frames import FramesError
from yunhe.contracts.metered.methods import methods
from yunhe.contracts.metered.operations import operations
from yunhe.contracts.metered.syntax import NotMeterableError
from yunhe.contracts.metered.transform import transform
from yunhe.contracts.module import ContractModule
from yunhe.contracts.vocabulary import SDK_MODULE, SDK_NAMES
from yunhe.crypto import SHA256
from yunhe.crypto.hashes import TAG_CODE, ChainHash
from yunhe.errors import ContractRefusedError, Finding
from yunhe.limits import CONTRACT_LOAD_GAS

_BUILTINS: Final = {name: getattr(builtins, name) for name in ("__build_class__", "bool", "bytes", "dict", "int", "list", "str", "tuple")}
"""What compiled contracts find by name: the types of annotations, and what a class statement needs."""
_CHECKED_SOURCES: Final = 64
"""Sources whose verdict is remembered."""


class Loader:
    """Loads contracts for one machine."""

    def __init__(self, machine: Machine, chain_hash: ChainHash) -> None:
        self._machine = machine
        self._chain_hash = chain_hash
        meter = machine.meter
        made: dict[str, Callable[..., Any]] = operations(meter)
        made |= {f"_b_{name}": function for name, function in builtin_functions(meter).items()}
        made |= {f"_m_{name}": method for name, method in methods(meter).items()}
        self._base: dict[str, Any] = {name: made[name] for name in made if name.startswith("_")} | {"_meter": meter}
        self._sdk: dict[str, Any] = {name: getattr(sdk, name) for name in SDK_NAMES}
        self._sdk |= {"mul_div": made["mul_div"], "pro_rata": made["pro_rata"], "emit": machine.emit}
        self._sdk |= {"call": self._call(view=False), "call_view": self._call(view=True)}

    def _call(self, *, view: bool) -> Callable[..., Any]:
        machine = self._machine

        def call(contract: object, name: object, /, **arguments: Any) -> Any:
            return machine.call(contract, name, arguments, view=view)

        return call

    def load(self, name: str, source: str, *, is_system: bool) -> ContractModule:
        """Load a contract.

        Args:
            name: under which it is deployed.
            source: text of the module.
            is_system: whether it may import from `yunhe.contracts.system`.

        Raises:
            ContractRefusedError: the source is outside the subset, or its module level does not run.
        """
        tree = check(source, system=is_system).tree
        imports = [(node.module, alias.name) for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names]
        try:
            metered = transform(tree)
        except FramesError as error:
            _refuse("CON-130", str(error), "make the functions call one another less deeply")
        except NotMeterableError as error:
            _refuse("CON-120", str(error), "write it with what the subset has")
        # CON-147: nothing of this file's own compilation, or of how the interpreter was started, gets into the contract.
        code = compile(metered, f"<contract {name}>", "exec", dont_inherit=True, optimize=0)
        namespace: dict[str, Any] = {"__builtins__": dict(_BUILTINS), "__name__": name} | self._base
        for module, imported in imports:
            namespace[imported] = self._sdk[imported] if module == SDK_MODULE else self._system(imported)
        self._execute(code, namespace)
        try:
            loaded = ContractModule(name, namespace, source)
        except TypeError as error:
            _refuse("CON-100", str(error), "see the types of the API")
        loaded.attach(self._machine)
        return loaded

    def _execute(self, code: Any, namespace: dict[str, Any]) -> None:
        """Run the module level, with gas of its own: a transaction that happens to load a contract pays nothing for it (CON-129)."""
        # CON-129
        meter = self._machine.meter
        kept = meter.limit, meter.left, meter.memory
        meter.start(CONTRACT_LOAD_GAS)
        try:
            exec(code, namespace)  # noqa: S102  # the whole point; the source was checked and the process is jailed
            if meter.left < 0 or meter.memory < 0:
                meter.stop()
        except (ContractStop, ArithmeticError, LookupError, NameError, TypeError, ValueError, AttributeError) as error:
            _refuse(
                "CON-129", f"the module level does not run: {type(error).__name__}", "declare constants, types, state and functions only"
            )
        finally:
            meter.limit, meter.left, meter.memory = kept

    def _system(self, name: str) -> Callable[..., Any]:
        from yunhe.contracts.system import system_functions  # noqa: PLC0415  # which checks sources, and so loads them

        return system_functions(self._machine, self._chain_hash)[name]


def source_hash(source: str, chain_hash: ChainHash) -> bytes:
    """Return the code hash of a source: what governance votes on."""
    return chain_hash.tagged(TAG_CODE, source.encode())


def _no_modules(name: str, of: object) -> NoReturn:  # noqa: ARG001  # the shape that a machine asks for
    raise ContractStop("CONTRACT_NOT_FOUND", f"nothing runs while {name} is inspected")


def inspect_source(source: str, *, name: str = "contract", is_system: bool = False) -> ContractModule:
    """Check a source as deployment does, and return its module for its interface; nothing of it can be run.

    Raises:
        ContractRefusedError: it would be refused.
    """
    machine = Machine(_no_modules, _no_modules)
    return Loader(machine, SHA256).load(name, source, is_system=is_system)


@lru_cache(maxsize=_CHECKED_SOURCES)
def refused_rule(source: str) -> str:
    """Return the first rule that refuses a source, or an empty text; a function of the source, remembered."""
    try:
        inspect_source(source)
    except ContractRefusedError as error:
        return error.findings[0].rule
    return ""


def _refuse(rule: str, reason: str, instead: str) -> NoReturn:
    raise ContractRefusedError([Finding(rule, 0, 0, reason, instead)])

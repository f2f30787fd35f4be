"""One function of a contract, loaded metered on a machine of its own, and the same function as plain Python runs it."""

from typing import Any

from tests.contract_ledger import function
from yunhe.contracts.loader import Loader
from yunhe.contracts.machine import Machine
from yunhe.contracts.meter import Meter
from yunhe.contracts.module import ContractModule
from yunhe.crypto import SHA256
from yunhe.limits import LIVE_MEMORY_BYTES_MAX

PLENTY = 10**12
"""More gas than any of these tests uses."""


def _no_modules(name: str, _: bool | bytes) -> ContractModule:
    raise AssertionError(f"nothing calls {name} here")


def meter_with(gas: int = PLENTY) -> Meter:
    """Return a meter at the beginning of a transaction."""
    meter = Meter()
    meter.start(gas)
    return meter


class Metered:
    """The view `f` of a contract, or the statements of one."""

    def __init__(self, body: str, *, parameters: str = "", source: str | None = None) -> None:
        self.source = source or function(body, parameters=parameters)
        machine = Machine(_no_modules, _no_modules)
        self.meter = machine.meter
        self._entry = Loader(machine, SHA256).load("c", self.source, is_system=False).views["f"]

    def __call__(self, *arguments: Any, gas: int = PLENTY) -> Any:
        """Run it as a transaction of its own."""
        self.meter.start(gas)
        result = self._entry.function(None, *arguments)
        # As the machine does when a call ends (CON-125).
        if self.meter.left < 0 or self.meter.memory < 0:
            self.meter.stop()
        return result

    @property
    def gas(self) -> int:
        """Gas of the last run."""
        return self.meter.limit - self.meter.left

    @property
    def memory(self) -> int:
        """Memory of the last run, as gas counts it."""
        return LIVE_MEMORY_BYTES_MAX - self.meter.memory

    def plainly(self, *arguments: Any) -> Any:
        """Run it as Python does, without a meter."""
        namespace: dict[str, Any] = {}
        exec(compile(self.source, "contract.py", "exec"), namespace)
        return namespace["f"](None, *arguments)

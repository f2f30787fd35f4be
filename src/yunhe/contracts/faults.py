"""How a run of a contract can end early: a refusal, spent gas or memory, a fault of the contract.

These exceptions live inside the runtime and end as the code of an outcome; no public call raises them, except that a contract run by a
plain import raises `Refusal` where pytest and a debugger see it. None of them can be caught by a contract: the subset has no `try`.
"""

from typing import NoReturn

from yunhe.contracts.codes import CONTRACT_FAULT, INTEGER_OUT_OF_RANGE, OUT_OF_GAS, OUT_OF_MEMORY


class ContractStop(Exception):  # noqa: N818  # not an error of ours: the end of a call, with its code
    """A call ends here and has no effect; `code` is the outcome's."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code


class Refusal(ContractStop):
    """The contract, or the SDK for it, said no: a normal answer, with a stable code."""


class Fault(ContractStop):
    """The contract is wrong: an ill-typed value, an operation that the subset does not have."""

    def __init__(self, detail: str) -> None:
        super().__init__(CONTRACT_FAULT, detail)


class IntegerOutOfRange(ContractStop):
    """An integer left its range (CON-122)."""

    def __init__(self, detail: str) -> None:
        super().__init__(INTEGER_OUT_OF_RANGE, detail)


class OutOfGas(ContractStop):
    """The gas limit is used up."""

    def __init__(self) -> None:
        super().__init__(OUT_OF_GAS)


class OutOfMemory(ContractStop):
    """More was allocated than a call may."""

    def __init__(self) -> None:
        super().__init__(OUT_OF_MEMORY)


def fault(detail: str) -> NoReturn:
    """Stop because the contract is wrong."""
    raise Fault(detail)

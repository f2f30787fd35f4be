"""Runs the transactions of a block, one after the other, against a state: the executor of the ledger.

Read `execute` and `_transact` from top to bottom: they are the rules of docs/spec/contracts.md, "Execution". The result is a pure function
of the arguments. A fault of this process — no memory, a stack too deep, a state that cannot be read — is raised, never made an outcome
(LED-024). It does no I/O: the state that it is given does.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, ParamSpec, Protocol

from yunhe.contracts import codes, prices
from yunhe.contracts.context import Signer
from yunhe.contracts.faults import ContractStop, Fault
from yunhe.contracts.loader import Loader, source_hash
from yunhe.contracts.machine import Machine
from yunhe.contracts.meter import Meter
from yunhe.contracts.module import ContractModule
from yunhe.contracts.overlay import CommittedState
from yunhe.contracts.value_types import org
from yunhe.crypto import ChainHash
from yunhe.errors import (
    ContractRefusedError,
    CorruptionError,
    InvalidInputError,
    NotPermittedError,
    UnavailableError,
    ViewRefusedError,
    YunheError,
)
from yunhe.ledger.codec import Value, decode, encode
from yunhe.ledger.enrolment import authorise
from yunhe.ledger.interfaces import BlockContext, Execution, Outcome, StateReader, Write
from yunhe.ledger.layouts import ACTIVE, REGISTRY, Parameters, contract_key, read_parameters, read_record, source_key
from yunhe.ledger.state_keys import table_prefix
from yunhe.ledger.transaction import Signer as SignerKey
from yunhe.ledger.transaction import Transaction
from yunhe.limits import FAULT_CHARS_MAX, TRANSACTION_BYTES_MAX

P = ParamSpec("P")

_MODULES_MAX: Final = 256
"""Loaded contracts that a runner keeps."""
_REGISTRY_PREFIX: Final = table_prefix(REGISTRY, "")[:-1]
"""What all state keys of the registry begin with."""
_STOPPED: Final = {"frozen": codes.CONTRACT_FROZEN, "retired": codes.CONTRACT_RETIRED}


@dataclass(frozen=True, slots=True)
class _Deployed:
    """A contract as its record says, loaded."""

    record: bytes
    """The contract's record; another one means another code or status."""
    status: str
    module: ContractModule | None
    """None when the source, against every rule of deployment, does not load."""


class ContractLoader(Protocol):
    """Makes modules of sources for one machine."""

    def load(self, name: str, source: str, *, is_system: bool) -> ContractModule:
        """Load a contract; raises `ContractRefusedError` as `Loader.load` does."""
        ...


class BlockRunner:
    """Implements `yunhe.ledger.interfaces.Executor` in this process. Not to be shared between threads."""

    def __init__(self, chain_hash: ChainHash, loader: Callable[[Machine, ChainHash], ContractLoader] = Loader) -> None:
        """Make a runner.

        Args:
            chain_hash: the ledger's.
            loader: how contracts are loaded; metered, unless nothing is decided by what they do.
        """
        self._machine = Machine(self._deployed, self._code)
        self._chain_hash = chain_hash
        self._loader = loader(self._machine, chain_hash)
        self._contract_keys: dict[str, bytes] = {}
        self._by_name: dict[str, _Deployed] = {}
        self._modules: OrderedDict[tuple[str, bytes, bool], ContractModule | None] = OrderedDict()
        self._authorised: dict[tuple[SignerKey, ...], tuple[Signer, ...]] = {}
        self._call_index = -1
        self.faults: dict[int, str] = {}
        """For people, not for receipts: what lay behind each CONTRACT_FAULT of the last block, by the transaction's index."""

    @property
    def meter(self) -> Meter:
        """Gas and memory of the transaction that runs."""
        return self._machine.meter

    # --- Executor ---------------------------------------------------------------------------------------------------

    def execute(self, context: BlockContext, transactions: Sequence[Transaction], state: StateReader) -> Execution:
        """Run the transactions in order and return their outcomes and the net writes.

        Raises:
            UnavailableError: this process could not go on; nothing was decided (LED-024).
            CorruptionError: the state is not one that this ledger can have.
        """
        outcomes = tuple(self.outcomes(context, transactions, state))
        return Execution(outcomes, self.net_writes())

    def outcomes(self, context: BlockContext, transactions: Iterable[Transaction], state: StateReader) -> Iterator[Outcome]:
        """Run the transactions in order, each when its outcome is asked for; `execute` for who does not keep all outcomes at once.

        Raises:
            UnavailableError: this process could not go on; nothing was decided (LED-024).
            CorruptionError: the state is not one that this ledger can have.
        """
        # CON-141: parameters are those at the beginning of the block.
        parameters = read_parameters(state)
        self._machine.begin_block(context, CommittedState(state))
        self._authorised.clear()
        self.faults = {}
        gas_left = parameters.block_gas_max
        # LED-023
        for index, transaction in enumerate(transactions):
            outcome = self._transact(index, transaction, parameters, gas_left)
            gas_left -= outcome.gas_used
            yield outcome

    def net_writes(self) -> tuple[Write, ...]:
        """Return what the transactions run since the block began have changed, ascending by key."""
        return self._machine.blocks.net_writes()

    def view(self, context: BlockContext, contract: str, view: str, arguments: dict[str, Value], state: StateReader) -> Value:
        """Run a view, which cannot write.

        Raises:
            ViewRefusedError: the contract refused it, or could not run.
            UnavailableError: this process could not go on.
        """
        parameters = read_parameters(state)
        machine = self._machine
        machine.begin_block(context, CommittedState(state))
        machine.begin_transaction(parameters.gas_limit_max, (), read_only=True)
        try:
            plain = decode(encode(arguments), TRANSACTION_BYTES_MAX)
        except InvalidInputError as error:
            raise ViewRefusedError(codes.ARGUMENTS_INVALID, error.message) from error
        results: list[Value] = []

        def ask() -> None:
            results.append(machine.run(contract, view, plain, view=True))  # type: ignore[arg-type]  # a map stays a map

        code, detail = self._contained(ask)
        if code != codes.OK:
            raise ViewRefusedError(code, f"{contract}.{view} was not answered: {detail}")
        return results[0]

    def loaded(self) -> dict[str, ContractModule]:
        """Return the contracts that are loaded, by name."""
        return {name: deployed.module for name, deployed in self._by_name.items() if deployed.module is not None}

    # --- One transaction --------------------------------------------------------------------------------------------

    def _transact(self, index: int, transaction: Transaction, parameters: Parameters, gas_left: int) -> Outcome:
        body = transaction.body
        # LED-020
        try:
            signers = self._authorise(body.signers)
        except NotPermittedError as error:
            return Outcome(error.code, -1, 0)
        # LED-021
        if body.gas_limit > parameters.gas_limit_max:
            return Outcome(codes.GAS_LIMIT_TOO_HIGH, -1, 0)
        if gas_left <= 0:
            return Outcome(codes.BLOCK_GAS_USED_UP, -1, 0)

        machine = self._machine
        machine.begin_transaction(body.gas_limit, signers)
        results: list[Value] = []
        self._call_index = -1
        code, detail = self._contained(self._run_calls, transaction, results)
        if code != codes.OK:
            if code == codes.CONTRACT_FAULT:
                self.faults[index] = detail
            return Outcome(code, self._call_index, machine.meter.used)
        # CON-140
        if any(key.startswith(_REGISTRY_PREFIX) for key in machine.writes.values):
            self._authorised.clear()
        machine.merge_transaction()
        return Outcome(codes.OK, -1, machine.meter.used, tuple(results), tuple(machine.events))

    def _run_calls(self, transaction: Transaction, results: list[Value]) -> None:
        machine = self._machine
        charge_transaction(machine.meter, len(transaction.encoded))
        # LED-022
        for self._call_index, call in enumerate(transaction.body.calls):
            results.append(machine.run(call.contract, call.action, call.arguments, view=False))

    def _contained(self, run: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> tuple[str, str]:
        """Run calls and return the code that they end with, and a detail for people (CON-143).

        Raises:
            UnavailableError: this process could not go on.
        """
        meter = self._machine.meter
        try:
            run(*args, **kwargs)
            code, detail = codes.OK, ""
        except ContractStop as stop:
            code, detail = stop.code, _where(stop)
        except (MemoryError, RecursionError) as error:
            # LED-024, CON-144
            raise UnavailableError(f"the contract runtime could not go on: {type(error).__name__}") from error
        except YunheError:
            # CON-144: what could not be read or is corrupt is no contract's fault.
            raise
        except Exception as error:  # noqa: BLE001  # a contract can raise whatever Python raises: one code for all of it
            code, detail = codes.CONTRACT_FAULT, _where(error)
        # CON-125: spent gas and memory outrank whatever else a call ended with.
        if meter.left < 0:
            code = codes.OUT_OF_GAS
        elif meter.memory < 0:
            code = codes.OUT_OF_MEMORY
        return code, detail

    def _authorise(self, signers: tuple[SignerKey, ...]) -> tuple[Signer, ...]:
        """Check the signers against the state as the block has changed it; remembered until the registry changes."""
        known = self._authorised.get(signers)
        if known is None:
            enrolled = authorise(self._machine.blocks, signers)
            known = tuple(Signer(org(signer.organisation), signer.member, signer.roles) for signer in enrolled)
            self._authorised[signers] = known
        return known

    # --- Contracts --------------------------------------------------------------------------------------------------

    def _deployed(self, name: str, view: bool) -> ContractModule:
        """Return a contract as the running transaction sees it deployed (CON-145)."""
        # CON-145
        key = self._contract_keys.get(name)
        if key is None:
            key = self._remember_key(name)
        record = self._machine.look(key)
        if record is None:
            raise ContractStop(codes.CONTRACT_NOT_FOUND, f"no contract {name} is deployed")
        deployed = self._by_name.get(name)
        if deployed is None or deployed.record != record:
            deployed = self._deploy(name, record, self._machine.writes)
        if deployed.status != ACTIVE and not view:
            raise ContractStop(_STOPPED.get(deployed.status, codes.CONTRACT_FROZEN), f"the contract {name} is {deployed.status}")
        if deployed.module is None:
            raise Fault(f"the source of {name} does not load")
        return deployed.module

    def _remember_key(self, name: str) -> bytes:
        try:
            key = contract_key(name)
        except InvalidInputError as error:
            raise ContractStop(codes.CONTRACT_NOT_FOUND, "no contract can have this name") from error
        if len(self._contract_keys) >= _MODULES_MAX:
            self._contract_keys.clear()
        self._contract_keys[name] = key
        return key

    def _deploy(self, name: str, record: bytes, state: StateReader) -> _Deployed:
        fields = read_record(state, contract_key(name))
        match fields:
            case {"code_hash": bytes(code_hash), "status": str(status), "system": bool(is_system)}:
                pass
            case _:
                raise CorruptionError(f"the record of the contract {name} is malformed; run `yunhe node check`")
        module = self._module(name, code_hash, state, is_system=is_system)
        if len(self._by_name) >= _MODULES_MAX:
            self._by_name.clear()
        deployed = _Deployed(record, status, module)
        self._by_name[name] = deployed
        return deployed

    def _code(self, name: str, code_hash: bytes) -> ContractModule:
        """Return a contract by its code hash, for the rebuilding of its indexes (SYS-024)."""
        machine = self._machine
        size = len(self._source(name, code_hash, machine.writes).encode())
        machine.meter.charge(size * prices.CODE_HASH_BYTE)
        machine.take_source(size, (name, code_hash))
        module = self._module(name, code_hash, machine.writes, is_system=False)
        if module is None:
            raise Fault(f"the source of {name} does not load")
        return module

    def _module(self, name: str, code_hash: bytes, state: StateReader, *, is_system: bool) -> ContractModule | None:
        key = (name, code_hash, is_system)
        if key in self._modules:
            self._modules.move_to_end(key)
        else:
            self._modules[key] = self._load(name, code_hash, state, is_system=is_system)
            if len(self._modules) > _MODULES_MAX:
                self._modules.popitem(last=False)
        return self._modules[key]

    def _load(self, name: str, code_hash: bytes, state: StateReader, *, is_system: bool) -> ContractModule | None:
        source = self._source(name, code_hash, state)
        try:
            return self._loader.load(name, source, is_system=is_system)
        except ContractRefusedError:
            return None

    def _source(self, name: str, code_hash: bytes, state: StateReader) -> str:
        """Return the source with a code hash."""
        stored = read_record(state, source_key(code_hash))
        source = None if stored is None else stored.get("source")
        # CON-145
        if not isinstance(source, str) or source_hash(source, self._chain_hash) != code_hash:
            raise CorruptionError(f"the source of the contract {name} is missing or altered; run `yunhe node check`")
        return source


def charge_transaction(meter: Meter, size: int) -> None:
    """Pay for taking up a transaction of `size` bytes."""
    meter.charge(prices.TRANSACTION + size * prices.TRANSACTION_BYTE)
    meter.hold(size * prices.TRANSACTION_BYTE_MEMORY)


def _where(error: BaseException) -> str:
    """Return an error with the contract's line that it came from, for people."""
    line = ""
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename.startswith("<contract "):
            line = f" ({trace.tb_frame.f_code.co_filename[1:-1]}, line {trace.tb_lineno})"
        trace = trace.tb_next
    return f"{_said(error)}{line}"


def _said(error: BaseException) -> str:
    """Return what an error says: bounded, whatever values of the contract it holds, and always encodable."""
    # CON-133
    if isinstance(error, ContractStop):
        text = str(error)
    elif all(isinstance(part, str | int) and len(str(part)) <= FAULT_CHARS_MAX for part in error.args):
        text = f"{type(error).__name__}: {error}"
    else:
        # To show a value could take more memory than the contract was allowed.
        text = type(error).__name__
    return text[:FAULT_CHARS_MAX].encode(errors="backslashreplace").decode()

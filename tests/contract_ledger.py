"""A block runner over a state in memory: contracts deployed, members enrolled, no signatures. For tests of the contract runtime."""

from yunhe.contracts.loader import inspect_source
from yunhe.contracts.runner import BlockRunner
from yunhe.crypto import SHA256
from yunhe.crypto.hashes import TAG_CODE
from yunhe.ledger.codec import encode
from yunhe.ledger.interfaces import BlockContext, Execution, Outcome
from yunhe.ledger.layouts import (
    ACTIVE,
    DEFAULT_PARAMETERS,
    contract_key,
    member_key,
    member_public_key_key,
    organisation_key,
    parameter_key,
    source_key,
)
from yunhe.ledger.state_keys import decode_state_key
from yunhe.ledger.transaction import Call, Signer, Transaction, TransactionBody, assemble_transaction
from yunhe.testing import MemoryState

SUITE = "ed25519-sha256"
GAS_LIMIT = 20_000_000


class Ledger:
    """Runs blocks; keeps their writes."""

    def __init__(self, *organisations: str, system: tuple[str, ...] = (), **sources: str) -> None:
        self.state = MemoryState()
        self.runner = BlockRunner(SHA256)
        self.height = 1
        self.time_ms = 1_000
        for name, value in DEFAULT_PARAMETERS.items():
            self.set_parameter(name, value)
        for organisation in organisations or ("carrier", "bank", "port"):
            self.enrol(organisation)
        for name, source in sources.items():
            self.deploy(name, source, system=name in system)

    def put(self, key: bytes, fields: dict) -> None:
        self.state.apply([(key, encode(fields))])

    def set_parameter(self, name: str, value: int) -> None:
        self.put(parameter_key(name), {"name": name, "value": value})

    def enrol(self, organisation: str, member: str = "operator", roles: tuple[str, ...] = ("operator",)) -> None:
        public_key = key_of(organisation, member)
        self.put(organisation_key(organisation), {"organisation": organisation, "title": "", "status": ACTIVE})
        record = {"organisation": organisation, "member": member, "roles": list(roles), "status": ACTIVE}
        self.put(member_key(organisation, member), record)
        self.put(
            member_public_key_key(organisation, member, public_key),
            {"organisation": organisation, "member": member, "public_key": public_key, "suite": SUITE, "status": ACTIVE},
        )

    def deploy(self, name: str, source: str, *, status: str = ACTIVE, system: bool = False, checked: bool = True) -> None:
        if checked:
            inspect_source(source, is_system=system)
        code_hash = SHA256.tagged(TAG_CODE, source.encode())
        record = {"name": name, "code_hash": code_hash, "status": status, "version": 1, "system": system}
        self.put(contract_key(name), record)
        self.put(source_key(code_hash), {"code_hash": code_hash, "source": source})

    def execute(self, *transactions: Transaction) -> Execution:
        execution = self.runner.execute(BlockContext(self.height, self.time_ms), transactions, self.state)
        self.state.apply(execution.writes)
        self.height += 1
        self.time_ms += 1_000
        return execution

    def call(self, sender: str, contract: str, action: str, /, *, gas_limit: int = GAS_LIMIT, **arguments) -> Outcome:
        return self.execute(transaction(sender, (contract, action, arguments), gas_limit=gas_limit)).outcomes[0]

    def view(self, contract: str, view: str, /, **arguments):
        return self.runner.view(BlockContext(self.height, self.time_ms), contract, view, arguments, self.state)

    def keys(self, contract: str) -> list[tuple]:
        """Return (table, components) of all records of a contract, in order."""
        decoded = [decode_state_key(key) for key in self.state.records()]
        return sorted((table, components) for owner, table, components in decoded if owner == contract)


def key_of(organisation: str, member: str = "operator") -> bytes:
    return f"{organisation}/{member}".encode().ljust(32, b".")


def transaction(sender: str, *calls: tuple[str, str, dict], gas_limit: int = GAS_LIMIT, others: tuple[str, ...] = ()) -> Transaction:
    """Make a transaction of `organisation` or `organisation/member` signers, whose signatures nobody looks at here."""
    signers = tuple(
        Signer(organisation, member or "operator", SUITE, key_of(organisation, member or "operator"))
        for organisation, _, member in (name.partition("/") for name in (sender, *others))
    )
    body = TransactionBody(bytes(32), signers, tuple(Call(*call) for call in calls), 10**6, gas_limit, bytes(16))
    return assemble_transaction(body.encode(), [bytes(64)] * len(signers), SHA256)


def contract(text: str) -> str:
    """Return a contract source with every name of the SDK imported."""
    types = "Choice, Context, Event, Index, Log, Map, Org, Record, Rounding, Signer, Table, Unique"
    functions = "action, call, call_view, emit, mul_div, pro_rata, refuse, require, require_role, require_signer, view"
    return f"from yunhe.contracts import {types}, {functions}\n\n{text}"


def function(body: str, returns: str = "int", parameters: str = "") -> str:
    """Return a contract with one view `f` of these statements, and an action that the subset asks for nothing more of."""
    lines = "\n".join("    " + line for line in body.strip("\n").split("\n"))
    return contract(f"@view\ndef f(ctx: Context{parameters}) -> {returns}:\n{lines}\n")

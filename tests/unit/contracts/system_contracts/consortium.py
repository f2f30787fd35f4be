"""A consortium in memory, from a genesis on: the system contracts as they ship, run by the block runner. Signatures are not looked at."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from yunhe.contracts.loader import inspect_source
from yunhe.contracts.module import ContractModule
from yunhe.contracts.runner import BlockRunner
from yunhe.contracts.system_contracts import genesis_writes, system_code_hashes, system_source
from yunhe.crypto import SHA256, ChainHash, PrivateKey, PublicKey
from yunhe.ledger.certifiers import Certifier, CertifierSet
from yunhe.ledger.envelope import NodeIdentity
from yunhe.ledger.genesis import THRESHOLD_KINDS, FoundingMember, FoundingOrganisation, Genesis
from yunhe.ledger.interfaces import BlockContext, Outcome
from yunhe.ledger.layouts import DEFAULT_PARAMETERS, encode_record, read_record
from yunhe.ledger.state_keys import state_key
from yunhe.ledger.transaction import Call, Signer, Transaction, TransactionBody, assemble_transaction
from yunhe.ledger.validators import Validator
from yunhe.testing import MemoryState

SUITE = "ed25519-sha256"
SM2 = "sm2-sm3"
TIME_MS = 1_700_000_000_000
FOUNDERS = ("carrier", "bank", "port")
GAS_LIMIT = DEFAULT_PARAMETERS["gas_limit_max"]


def private_key(owner: str, suite: str = SUITE) -> PrivateKey:
    """Return the key of an owner such as `carrier/admin`; `carrier/admin#2` is another key of the same member."""
    return PrivateKey(suite, sha256(owner.encode()).digest())


def key(owner: str, suite: str = SUITE) -> bytes:
    return private_key(owner, suite).public_key.raw


def founder(name: str, suite: str = SUITE) -> FoundingOrganisation:
    """Return an organisation with the members `admin` and `clerk`, and a node."""
    members = tuple(
        FoundingMember(member, roles, (PublicKey(suite, key(f"{name}/{member}", suite)),))
        for member, roles in (("admin", ("admin",)), ("clerk", ("operator",)))
    )
    return FoundingOrganisation(name, name.title(), members, (NodeIdentity(name, "node", suite, key(f"{name}/node", suite)),))


def make_genesis(
    organisations: Sequence[str | FoundingOrganisation] = FOUNDERS,
    *,
    certifiers: Sequence[str] = ("carrier",),
    validators: bool = False,
    thresholds: Mapping[str, str] | None = None,
    suite: str = SUITE,
    chain_hash: ChainHash = SHA256,
) -> Genesis:
    genesis = Genesis(
        name="test",
        time_ms=TIME_MS,
        chain_hash=chain_hash,
        python="3.11",
        protocol_version=1,
        suites=(suite,),
        parameters=DEFAULT_PARAMETERS,
        thresholds=dict.fromkeys(THRESHOLD_KINDS, "majority") | dict(thresholds or {}),
        organisations=tuple(founder(item, suite) if isinstance(item, str) else item for item in organisations),
        certifiers=CertifierSet.of([Certifier(name, suite, key(f"{name}/ledger", suite), 1) for name in certifiers]),
        system_contracts=system_code_hashes(chain_hash),
        validators=tuple(Validator(name, key(f"{name}/engine"), 1) for name in sorted(certifiers)) if validators else (),
    )
    return Genesis.from_json(genesis.to_json().encode())


def system_module(name: str) -> ContractModule:
    """Return a system contract's tables, types and entries."""
    return inspect_source(system_source(name), name=name, is_system=True)


class Consortium:
    """A ledger whose blocks a test makes one after the other."""

    def __init__(self, *organisations: str | FoundingOrganisation, **genesis: Any) -> None:
        self.genesis = make_genesis(organisations or FOUNDERS, **genesis)
        self.state = MemoryState(dict(genesis_writes(self.genesis)))
        self.runner = BlockRunner(SHA256)
        self.height = 0

    def write(self, table: str, *components: Any, **fields: Any) -> None:
        """Write a record of a table such as `registry.members`, without any contract."""
        contract, name = table.split(".")
        self.state.apply([(state_key(contract, name, components), encode_record(fields))])

    def transaction(self, signers: str, *calls: tuple[str, dict], gas_limit: int = GAS_LIMIT) -> Transaction:
        """Make a transaction of signers such as `carrier/admin bank/admin#2`; a call is `contract.action` with its arguments."""
        listed = tuple(
            Signer(*owner.partition("#")[0].split("/"), SUITE, key(owner))  # type: ignore[arg-type]  # two names
            for owner in signers.split()
        )
        named = tuple(Call(*name.split("."), arguments) for name, arguments in calls)
        body = TransactionBody(self.genesis.network_id, listed, named, TIME_MS + 10**6, gas_limit, bytes(16))
        return assemble_transaction(body.encode(), [bytes(64)] * len(listed), SHA256)

    def block(self, *transactions: Transaction, may_fault: bool = False) -> list[Outcome]:
        self.height += 1
        execution = self.runner.execute(BlockContext(self.height, TIME_MS + self.height), transactions, self.state)
        assert may_fault or self.runner.faults == {}
        self.state.apply(execution.writes)
        return list(execution.outcomes)

    def call(self, signers: str, name: str, /, **arguments: Any) -> Outcome:
        """Make a block of one transaction of one call."""
        return self.block(self.transaction(signers, (name, arguments)))[0]

    def does(self, signers: str, name: str, /, **arguments: Any) -> Any:
        """Make a call that must succeed, and return its result."""
        outcome = self.call(signers, name, **arguments)
        assert outcome.code == "OK"
        return outcome.results[0]

    def refuses(self, code: str, signers: str, name: str, /, **arguments: Any) -> None:
        """Make a call that must be refused with a code, and leave the state as it is."""
        before = self.state.records()
        assert self.call(signers, name, **arguments).code == code
        assert self.state.records() == before

    def view(self, name: str, /, **arguments: Any) -> Any:
        contract, view = name.split(".")
        return self.runner.view(BlockContext(self.height, TIME_MS), contract, view, arguments, self.state)

    def record(self, table: str, *components: Any) -> dict[str, Any]:
        """Return a record of a table such as `registry.members`; empty when there is none."""
        contract, name = table.split(".")
        return dict(read_record(self.state, state_key(contract, name, components)) or {})

    # --- What many tests begin with ---------------------------------------------------------------------------------

    def agree(self, name: str, /, voters: Sequence[str] = ("carrier", "bank"), **arguments: Any) -> Any:
        """Propose by the first voter and vote by the others; return the status that it comes to."""
        number = self.does(f"{voters[0]}/admin", f"governance.{name}", **arguments)
        for voter in voters[1:]:
            self.does(f"{voter}/admin", "governance.vote", proposal_id=number, approve=True)
        return self.record("governance.proposals", number)["status"]

    def admission(self, organisation: str) -> dict[str, Any]:
        """Return the arguments of `governance.propose_admission`."""
        public = key(f"{organisation}/admin")
        return {"organisation": organisation, "title": organisation.title(), "admin": "admin", "suite": SUITE, "public_key": public}

    def deploy(self, name: str, source: str, voters: Sequence[str] = ("carrier", "bank")) -> bytes:
        """Submit and deploy a contract; return its code hash."""
        digest: bytes = self.does(f"{voters[0]}/clerk", "lifecycle.submit", source=source)
        assert self.agree("propose_deployment", voters, contract=name, code_hash=digest) == "accepted"
        return digest

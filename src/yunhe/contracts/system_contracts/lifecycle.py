"""Life cycle of contracts: submitted by anyone enrolled, then deployed, upgraded, frozen and retired by vote, each step on record.

A contract is its source; it is named by the source's hash in votes, so everyone votes on exactly what will run. The checker has its say
when the source is submitted. The layouts are those of `yunhe.ledger.layouts`. Specification: docs/spec/system-contracts.md, "Life cycle".
"""

from yunhe.contracts import Choice, Context, Event, Org, Record, Table, action, emit, require, view
from yunhe.contracts.system import check_source, code_hash, migrate, rebuild_indexes, require_readable

GOVERNANCE = "governance"
NAME_CHARACTERS_MAX = 40


class Status(Choice):
    """Whether a contract can be called."""

    ACTIVE = "active"
    FROZEN = "frozen"
    RETIRED = "retired"


class Contract(Record):
    """A deployed contract."""

    name: str
    code_hash: bytes
    status: Status
    version: int
    system: bool = False


class Source(Record):
    """A submitted source."""

    code_hash: bytes
    source: str


class Submission(Record):
    """Who submitted a source."""

    code_hash: bytes
    organisation: Org
    member: str
    height: int


class Step(Record):
    """One step in a contract's life."""

    contract: str
    number: int
    operation: str
    code_hash: bytes
    version: int
    height: int
    time_ms: int


class SourceSubmitted(Event):
    """A source was submitted."""

    code_hash: bytes
    organisation: Org


class ContractChanged(Event):
    """A contract was deployed or changed."""

    contract: str
    operation: str
    code_hash: bytes
    version: int
    status: Status


contracts: Table[Contract] = Table(key="name")
sources: Table[Source] = Table(key="code_hash")
submissions: Table[Submission] = Table(key="code_hash")
steps: Table[Step] = Table(key=("contract", "number"))


def is_name(text: str) -> bool:
    """Tell whether a text is a name."""
    if len(text) == 0 or len(text) > NAME_CHARACTERS_MAX or not text.isascii():
        return False
    if not text[0].islower():
        return False
    for character in text:
        if not (character.islower() or character.isdigit() or character == "_"):
            return False
    return True


def check_deployment(name: str, digest: bytes) -> None:
    """Refuse a deployment that cannot be made."""
    require(is_name(name), "NOT_A_NAME")
    # SYS-020: the sources of the system contracts lie beside the others, and were never submitted.
    require(digest in submissions, "SOURCE_NOT_FOUND")
    # SYS-022: a retired contract keeps its name and its records for ever.
    require(name not in contracts, "NAME_TAKEN")


def check_upgrade(contract: Contract, digest: bytes) -> None:
    """Refuse an upgrade that cannot be made."""
    # SYS-020
    require(digest in submissions, "SOURCE_NOT_FOUND")
    require(contract.code_hash != digest, "UNCHANGED")
    # SYS-025
    require_readable(contract.name, contract.code_hash, digest)


def changeable(name: str) -> Contract:
    """Return a contract that a vote may change."""
    contract = contracts[name]
    # SYS-023
    require(not contract.system, "SYSTEM_CONTRACT")
    # SYS-022
    require(contract.status != Status.RETIRED, "RETIRED")
    return contract


def require_vote(ctx: Context) -> None:
    """Refuse unless `governance` calls."""
    # SYS-021
    require(ctx.caller == GOVERNANCE, "BY_VOTE_ONLY")


def record(ctx: Context, contract: Contract, operation: str) -> None:
    """Put a step on record."""
    number = 1
    for step in steps.scan(prefix=(contract.name,), limit=1, reverse=True):
        number = step.number + 1
    steps.add(
        Step(
            contract=contract.name,
            number=number,
            operation=operation,
            code_hash=contract.code_hash,
            version=contract.version,
            height=ctx.height,
            time_ms=ctx.time_ms,
        )
    )
    emit(
        ContractChanged(
            contract=contract.name,
            operation=operation,
            code_hash=contract.code_hash,
            version=contract.version,
            status=contract.status,
        )
    )


@action
def submit(ctx: Context, source: str) -> bytes:
    """Submit a source and return its code hash, which a vote names; anyone enrolled may."""
    # SYS-007: the submission is put on record in the sender's name.
    require(ctx.caller is None, "DIRECT_CALL_ONLY")
    # SYS-020
    require(check_source(source) == "", "SOURCE_REFUSED")
    digest = code_hash(source)
    if digest not in submissions:
        if digest not in sources:
            sources.add(Source(code_hash=digest, source=source))
        signer = ctx.signers[0]
        submissions.add(Submission(code_hash=digest, organisation=signer.organisation, member=signer.member, height=ctx.height))
        emit(SourceSubmitted(code_hash=digest, organisation=signer.organisation))
    return digest


@action
def deploy(ctx: Context, contract: str, digest: bytes) -> None:
    """Deploy a source; by vote only."""
    require_vote(ctx)
    check_deployment(contract, digest)
    new = Contract(name=contract, code_hash=digest, status=Status.ACTIVE, version=1)
    contracts.add(new)
    record(ctx, new, "deploy")


@action
def upgrade(ctx: Context, contract: str, digest: bytes) -> None:
    """Give a contract another source; by vote only."""
    require_vote(ctx)
    found = changeable(contract)
    check_upgrade(found, digest)
    # SYS-024
    rebuild_indexes(contract, found.code_hash, digest)
    found.code_hash = digest
    found.version += 1
    contracts.save(found)
    record(ctx, found, "upgrade")
    # SYS-026
    migrate(contract, digest)


@action
def freeze(ctx: Context, contract: str) -> None:
    """Refuse a contract's actions for a time; by vote only."""
    require_vote(ctx)
    found = changeable(contract)
    require(found.status == Status.ACTIVE, "UNCHANGED")
    found.status = Status.FROZEN
    contracts.save(found)
    record(ctx, found, "freeze")


@action
def unfreeze(ctx: Context, contract: str) -> None:
    """Allow a frozen contract's actions again; by vote only."""
    require_vote(ctx)
    found = changeable(contract)
    require(found.status == Status.FROZEN, "UNCHANGED")
    found.status = Status.ACTIVE
    contracts.save(found)
    record(ctx, found, "unfreeze")


@action
def retire(ctx: Context, contract: str) -> None:
    """Refuse a contract's actions for ever; by vote only."""
    require_vote(ctx)
    found = changeable(contract)
    found.status = Status.RETIRED
    contracts.save(found)
    record(ctx, found, "retire")


@view
def can_be_changed(ctx: Context, contract: str, operation: str, digest: bytes) -> bool:
    """Refuse with the reason if a step cannot be made; what `governance` asks before a vote."""
    if operation == "deploy":
        check_deployment(contract, digest)
        return True
    found = changeable(contract)
    if operation == "upgrade":
        check_upgrade(found, digest)
        # SYS-024: a view cannot write, so this only refuses what the upgrade would refuse.
        rebuild_indexes(contract, found.code_hash, digest)
    elif operation == "freeze":
        require(found.status == Status.ACTIVE, "UNCHANGED")
    elif operation == "unfreeze":
        require(found.status == Status.FROZEN, "UNCHANGED")
    else:
        require(operation == "retire", "OPERATION_UNKNOWN")
    return True


@view
def contract(ctx: Context, contract: str) -> Contract:
    """Return a deployed contract."""
    return contracts[contract]


@view
def source(ctx: Context, contract: str) -> str:
    """Return the source of a contract."""
    return sources[contracts[contract].code_hash].source


@view
def history(ctx: Context, contract: str) -> list[Step]:
    """Return the steps of a contract's life."""
    return [step for step in steps.scan(prefix=(contract,))]

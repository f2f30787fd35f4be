"""Life cycle of contracts: submitted by anyone enrolled, then deployed, upgraded, frozen and retired by vote, each step on record.

A contract is its source; it is named by the source's hash in votes, so everyone votes on exactly what will run. The checker has its say
when the source is submitted. The layouts are those of `yunhe.ledger.layouts`.
"""

from yunhe.contracts import Choice, Context, Event, Org, Record, Table, action, emit, refuse, require, view
from yunhe.contracts.system import check_source, code_hash

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


def changeable(ctx: Context, name: str) -> Contract:
    """Return a contract that a vote may change."""
    require(ctx.caller == GOVERNANCE, "BY_VOTE_ONLY")
    contract = contracts[name]
    require(not contract.system, "SYSTEM_CONTRACT")
    require(contract.status != Status.RETIRED, "RETIRED")
    return contract


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
    """Submit a source; anyone enrolled may."""
    refused = check_source(source)
    if refused != "":
        refuse("SOURCE_REFUSED")
    digest = code_hash(source)
    if digest not in sources:
        sources.add(Source(code_hash=digest, source=source))
        signer = ctx.signers[0]
        submissions.add(Submission(code_hash=digest, organisation=signer.organisation, member=signer.member, height=ctx.height))
        emit(SourceSubmitted(code_hash=digest, organisation=signer.organisation))
    return digest


@action
def deploy(ctx: Context, contract: str, digest: bytes) -> None:
    """Deploy a source; by vote only."""
    require(ctx.caller == GOVERNANCE, "BY_VOTE_ONLY")
    require(is_name(contract), "NOT_A_NAME")
    require(digest in sources, "SOURCE_NOT_FOUND")
    # A retired contract keeps its name and its records for ever.
    require(contract not in contracts, "NAME_TAKEN")
    new = Contract(name=contract, code_hash=digest, status=Status.ACTIVE, version=1)
    contracts.add(new)
    record(ctx, new, "deploy")


@action
def upgrade(ctx: Context, contract: str, digest: bytes) -> None:
    """Give a contract another source; by vote only."""
    found = changeable(ctx, contract)
    require(digest in sources, "SOURCE_NOT_FOUND")
    require(found.code_hash != digest, "UNCHANGED")
    found.code_hash = digest
    found.version += 1
    contracts.save(found)
    record(ctx, found, "upgrade")


@action
def freeze(ctx: Context, contract: str) -> None:
    """Refuse a contract's actions for a time; by vote only."""
    found = changeable(ctx, contract)
    require(found.status == Status.ACTIVE, "UNCHANGED")
    found.status = Status.FROZEN
    contracts.save(found)
    record(ctx, found, "freeze")


@action
def unfreeze(ctx: Context, contract: str) -> None:
    """Allow a frozen contract's actions again; by vote only."""
    found = changeable(ctx, contract)
    require(found.status == Status.FROZEN, "UNCHANGED")
    found.status = Status.ACTIVE
    contracts.save(found)
    record(ctx, found, "unfreeze")


@action
def retire(ctx: Context, contract: str) -> None:
    """Refuse a contract's actions for ever; by vote only."""
    found = changeable(ctx, contract)
    found.status = Status.RETIRED
    contracts.save(found)
    record(ctx, found, "retire")


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

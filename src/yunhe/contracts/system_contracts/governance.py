"""Governance: what changes only when the organisations vote for it.

One proposal is one change. A member with the role `admin` speaks for its organisation; proposing counts as voting for. As soon as the votes
for reach the threshold of the change's kind the change is made, in the same transaction; as soon as they cannot reach it any more the
proposal is rejected. Thresholds are fixed in genesis. Specification: docs/spec/system-contracts.md, "Governance".
"""

from yunhe.contracts import Choice, Context, Event, Org, Record, Table, action, call, call_view, emit, refuse, require, require_role, view
from yunhe.contracts.system import is_public_key, is_suite

REGISTRY = "registry"
LIFECYCLE = "lifecycle"
ADMIN = "admin"
ACTIVE = "active"
COUNTER = "proposals"

# Kinds of changes, each with its threshold.
CERTIFIER = "certifier"
CONTRACT = "contract"
ORGANISATION = "organisation"
PARAMETER = "parameter"
PROTOCOL = "protocol"
SUITE = "suite"

# Lowest and highest values; below the lowest ones a ledger could hardly run the vote that puts them right.
PARAMETER_BOUNDS = {
    "validity_window_ms": (10_000, 3_600_000),
    "gas_limit_max": (20_000_000, 1_000_000_000),
    "block_gas_max": (20_000_000, 3_000_000_000),
    "state_history_blocks": (1, 1_000_000),
}
CERTIFIER_POWER_MAX = 1_000_000
CERTIFIERS_MAX = 256
# Engines vote with keys of this suite, whatever suites the ledger allows.
ENGINE_SUITE = "ed25519-sha256"
# The deciding vote is so many blocks before a version counts, so that what follows on it is seen before.
PROTOCOL_NOTICE_BLOCKS = 10
RELEASE_CHARACTERS_MAX = 40
HASH_BYTES = 32


class Operation(Choice):
    """What a proposal changes."""

    ADMIT_ORGANISATION = "admit_organisation"
    SUSPEND_ORGANISATION = "suspend_organisation"
    RESTORE_ORGANISATION = "restore_organisation"
    SET_PARAMETER = "set_parameter"
    ADD_SUITE = "add_suite"
    SET_CERTIFIER = "set_certifier"
    REMOVE_CERTIFIER = "remove_certifier"
    DEPLOY_CONTRACT = "deploy_contract"
    UPGRADE_CONTRACT = "upgrade_contract"
    FREEZE_CONTRACT = "freeze_contract"
    UNFREEZE_CONTRACT = "unfreeze_contract"
    RETIRE_CONTRACT = "retire_contract"
    SET_PROTOCOL = "set_protocol"
    CALL_OFF_PROTOCOL = "call_off_protocol"


class ProposalStatus(Choice):
    """Where a proposal stands."""

    OPEN = "open"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


class Change(Record):
    """One change; fields that an operation does not need are empty."""

    operation: Operation
    subject: str
    title: str = ""
    member: str = ""
    suite: str = ""
    public_key: bytes = b""
    number: int = 0
    code_hash: bytes = b""
    engine_key: bytes = b""
    height: int = 0


class Proposal(Record):
    """A change that the organisations vote on."""

    proposal_id: int
    kind: str
    change: Change
    proposer: Org
    proposed_height: int
    status: ProposalStatus = ProposalStatus.OPEN
    decided_height: int | None = None


class Vote(Record):
    """One organisation's vote on one proposal."""

    proposal_id: int
    organisation: Org
    approve: bool
    height: int


class Counter(Record):
    """Number of the last proposal."""

    name: str
    value: int


class Parameter(Record):
    """A parameter of the ledger."""

    name: str
    value: int


class Suite(Record):
    """A signature suite that the ledger allows."""

    suite: str
    since_height: int


class Threshold(Record):
    """How many organisations must approve changes of a kind."""

    kind: str
    threshold: str


class Certifier(Record):
    """An organisation whose cosignature counts."""

    organisation: Org
    suite: str
    public_key: bytes
    power: int


class Validator(Record):
    """A certifier's engine, which votes on the order of blocks with the certifier's power."""

    organisation: Org
    public_key: bytes


class Protocol(Record):
    """A version of the ledger's rules, and its first block."""

    version: int
    height: int
    # First release of the software that knows it.
    release: str
    # Of all system contracts with that version.
    contracts_hash: bytes


class Skip(Record):
    """A transaction that a block passed over, and the order of the organisations; written by the ledger itself."""

    height: int
    transaction_id: bytes
    order: bytes


class Proposed(Event):
    """A proposal was made."""

    proposal_id: int
    kind: str
    change: Change
    proposer: Org


class Voted(Event):
    """An organisation voted."""

    proposal_id: int
    organisation: Org
    approve: bool


class Decided(Event):
    """A proposal was decided."""

    proposal_id: int
    status: ProposalStatus
    change: Change


proposals: Table[Proposal] = Table(key="proposal_id")
votes: Table[Vote] = Table(key=("proposal_id", "organisation"))
counters: Table[Counter] = Table(key="name")
parameters: Table[Parameter] = Table(key="name")
suites: Table[Suite] = Table(key="suite")
thresholds: Table[Threshold] = Table(key="kind")
certifiers: Table[Certifier] = Table(key="organisation")
validators: Table[Validator] = Table(key="organisation")
protocols: Table[Protocol] = Table(key="version")
skips: Table[Skip] = Table(key=("height", "transaction_id"))


# --- Deciding


def next_id() -> int:
    """Return the number of the next proposal."""
    counter = counters.get(COUNTER)
    if counter is None:
        counters.add(Counter(name=COUNTER, value=1))
        return 1
    counter.value += 1
    counters.save(counter)
    return counter.value


def reached(threshold: str, approving: int, active: int) -> bool:
    """Tell whether so many approvals reach a threshold."""
    if threshold == "majority":
        return 2 * approving > active
    if threshold == "two_thirds":
        return 3 * approving > 2 * active
    return approving == active


def require_admin(ctx: Context) -> None:
    """Refuse unless the transaction itself calls, signed by an admin of the sender."""
    # SYS-007: whoever calls another contract has not voted for what that contract asks for here.
    require(ctx.caller is None, "DIRECT_CALL_ONLY")
    # SYS-010
    require_role(ctx, ADMIN)


def propose(ctx: Context, kind: str, change: Change) -> int:
    """Record a proposal, with the vote of its proposer."""
    require_admin(ctx)
    check(ctx, change)
    proposal_id = next_id()
    proposals.add(Proposal(proposal_id=proposal_id, kind=kind, change=change, proposer=ctx.sender, proposed_height=ctx.height))
    emit(Proposed(proposal_id=proposal_id, kind=kind, change=change, proposer=ctx.sender))
    record_vote(ctx, proposal_id, True)
    return proposal_id


def record_vote(ctx: Context, proposal_id: int, approve: bool) -> ProposalStatus:
    """Record a vote and decide the proposal if it can be decided."""
    proposal = open_proposal(proposal_id)
    # SYS-010
    require((proposal_id, ctx.sender) not in votes, "ALREADY_VOTED")
    votes.add(Vote(proposal_id=proposal_id, organisation=ctx.sender, approve=approve, height=ctx.height))
    emit(Voted(proposal_id=proposal_id, organisation=ctx.sender, approve=approve))
    return count_votes(ctx, proposal)


def open_proposal(proposal_id: int) -> Proposal:
    """Return a proposal that is still open."""
    proposal = proposals[proposal_id]
    require(proposal.status == ProposalStatus.OPEN, "ALREADY_DECIDED")
    return proposal


def count_votes(ctx: Context, proposal: Proposal) -> ProposalStatus:
    """Decide a proposal if it can be decided."""
    active = {name: True for name in call_view(REGISTRY, "active_organisations")}
    approving = 0
    opposing = 0
    for ballot in votes.scan(prefix=(proposal.proposal_id,)):
        # SYS-011: the vote of an organisation that was suspended since does not count.
        if ballot.organisation in active:
            if ballot.approve:
                approving += 1
            else:
                opposing += 1
    threshold = thresholds[proposal.kind].threshold
    # SYS-012
    if reached(threshold, approving, len(active)):
        decide(ctx, proposal, ProposalStatus.ACCEPTED)
        check(ctx, proposal.change)
        apply(ctx, proposal.change)
    elif not reached(threshold, len(active) - opposing, len(active)):
        decide(ctx, proposal, ProposalStatus.REJECTED)
    return proposal.status


def decide(ctx: Context, proposal: Proposal, status: ProposalStatus) -> None:
    """Close a proposal."""
    proposal.status = status
    proposal.decided_height = ctx.height
    proposals.save(proposal)
    emit(Decided(proposal_id=proposal.proposal_id, status=status, change=proposal.change))


# --- Changing


def check(ctx: Context, change: Change) -> None:
    """Refuse a change that cannot be made."""
    operation = change.operation
    if operation == Operation.SET_PROTOCOL:
        check_protocol(ctx, change)
    elif operation == Operation.CALL_OFF_PROTOCOL:
        # SYS-036
        require(newest_protocol().height > ctx.height, "NO_PROTOCOL_AHEAD")
        require(change.number == newest_protocol().version, "NOT_THE_NEXT_PROTOCOL")
    elif operation == Operation.SET_PARAMETER:
        # SYS-013
        require(change.subject in PARAMETER_BOUNDS, "PARAMETER_UNKNOWN")
        lowest, highest = PARAMETER_BOUNDS[change.subject]
        require(lowest <= change.number <= highest, "PARAMETER_OUT_OF_RANGE")
    elif operation == Operation.ADD_SUITE:
        # SYS-013
        require(is_suite(change.subject), "SUITE_UNKNOWN_HERE")
        require(change.subject not in suites, "SUITE_ALLOWED_ALREADY")
    elif operation == Operation.ADMIT_ORGANISATION:
        check_key(change.suite, change.public_key)
        call_view(REGISTRY, "can_be_admitted", organisation=change.subject, title=change.title, admin=change.member)
    elif operation == Operation.SUSPEND_ORGANISATION:
        check_suspension(change.subject)
    elif operation == Operation.RESTORE_ORGANISATION:
        require(call_view(REGISTRY, "organisation", organisation=change.subject)["status"] != ACTIVE, "UNCHANGED")
    elif operation == Operation.SET_CERTIFIER:
        check_certifier(change)
    elif operation == Operation.REMOVE_CERTIFIER:
        require(change.subject in certifiers, "NOT_A_CERTIFIER")
        # SYS-014
        require(len(certifiers.scan(limit=2)) > 1, "LAST_CERTIFIER")
        if are_validators():
            check_powers({row.organisation: row.power for row in certifiers.scan() if row.organisation != change.subject})
    else:
        step = operation.value.removesuffix("_contract")
        call_view(LIFECYCLE, "can_be_changed", contract=change.subject, operation=step, digest=change.code_hash)


def newest_protocol() -> Protocol:
    """Return the newest version of the rules, which may be of a block to come."""
    for protocol in protocols.scan(limit=1, reverse=True):
        return protocol
    return Protocol(version=1, height=0, release="", contracts_hash=b"")


def check_protocol(ctx: Context, change: Change) -> None:
    """Refuse a version of the rules that is not the next one, or comes too soon."""
    newest = newest_protocol()
    # SYS-035: whether the software knows it is not asked, because that differs from node to node.
    require(newest.height <= ctx.height, "PROTOCOL_AHEAD")
    require(change.number == newest.version + 1, "NOT_THE_NEXT_PROTOCOL")
    require(change.height >= ctx.height + PROTOCOL_NOTICE_BLOCKS, "PROTOCOL_TOO_SOON")
    require(0 < len(change.title) <= RELEASE_CHARACTERS_MAX, "RELEASE_MISSING")
    require(len(change.code_hash) == HASH_BYTES, "NOT_A_HASH")


def check_suspension(organisation: str) -> None:
    """Refuse a suspension that cannot be made."""
    require(call_view(REGISTRY, "organisation", organisation=organisation)["status"] == ACTIVE, "UNCHANGED")
    # SYS-014
    require(organisation not in certifiers, "IS_CERTIFIER")
    require(len(call_view(REGISTRY, "active_organisations")) > 1, "LAST_ORGANISATION")
    # SYS-009
    require(call_view(REGISTRY, "has_node_besides", organisation=organisation), "LAST_NODE")


def check_certifier(change: Change) -> None:
    """Refuse a certifier that cannot be one."""
    check_key(change.suite, change.public_key)
    require(1 <= change.number <= CERTIFIER_POWER_MAX, "POWER_OUT_OF_RANGE")
    # SYS-014: the other side of IS_CERTIFIER.
    require(call_view(REGISTRY, "is_active", organisation=change.subject), "NOT_AN_ACTIVE_ORGANISATION")
    require(change.subject in certifiers or len(certifiers.scan()) < CERTIFIERS_MAX, "TOO_MANY_CERTIFIERS")
    if are_validators():
        check_validator(change)
    else:
        # SYS-031
        require(change.engine_key == b"", "NO_VALIDATORS")


def are_validators() -> bool:
    """Tell whether organisations vote on the order of blocks: they do so from genesis on, or never."""
    return len(validators.scan(limit=1)) > 0


def check_validator(change: Change) -> None:
    """Refuse a certifier whose engine could not vote, or would leave the others without a quorum."""
    subject = Org(change.subject)
    had = validators.get(subject)
    staying = True
    if change.engine_key == b"":
        # SYS-031
        require(had is not None, "ENGINE_KEY_MISSING")
    else:
        # SYS-032
        require(is_public_key(ENGINE_SUITE, change.engine_key), "ENGINE_KEY_INVALID")
        for validator in validators.scan():
            require(validator.organisation == subject or validator.public_key != change.engine_key, "ENGINE_KEY_USED")
        require(call_view(REGISTRY, "has_active_node", organisation=subject), "NO_NODE")
        staying = had is not None and had.public_key == change.engine_key
    powers = {row.organisation: row.power for row in certifiers.scan()}
    powers[subject] = change.number
    check_powers(powers)
    total = sum(powers.values())
    # SYS-033: an engine that has not voted yet may never do so.
    require(staying or 3 * (total - change.number) > 2 * total, "NO_QUORUM")


def check_powers(powers: dict[Org, int]) -> None:
    """Refuse powers of validators of which one has too much."""
    # SYS-034
    require(len(powers) < 3 or 2 * max(powers.values()) <= sum(powers.values()), "TOO_MUCH_POWER")


def check_key(suite: str, public_key: bytes) -> None:
    """Refuse a key that does not fit an allowed suite."""
    require(suite in suites, "SUITE_NOT_ALLOWED")
    # COD-022
    require(is_public_key(suite, public_key), "KEY_DOES_NOT_FIT_SUITE")


def apply(ctx: Context, change: Change) -> None:
    """Make a change."""
    operation = change.operation
    if operation == Operation.ADMIT_ORGANISATION:
        call(
            REGISTRY,
            "admit",
            organisation=change.subject,
            title=change.title,
            admin=change.member,
            suite=change.suite,
            public_key=change.public_key,
        )
    elif operation == Operation.SUSPEND_ORGANISATION:
        call(REGISTRY, "set_organisation_status", organisation=change.subject, status="suspended")
    elif operation == Operation.RESTORE_ORGANISATION:
        call(REGISTRY, "set_organisation_status", organisation=change.subject, status=ACTIVE)
    elif operation == Operation.SET_PARAMETER:
        parameter = parameters[change.subject]
        parameter.value = change.number
        parameters.save(parameter)
    elif operation == Operation.ADD_SUITE:
        suites.add(Suite(suite=change.subject, since_height=ctx.height))
    elif operation == Operation.SET_PROTOCOL:
        protocols.add(Protocol(version=change.number, height=change.height, release=change.title, contracts_hash=change.code_hash))
    elif operation == Operation.CALL_OFF_PROTOCOL:
        protocols.delete(change.number)
    elif operation == Operation.SET_CERTIFIER:
        set_certifier(change)
    elif operation == Operation.REMOVE_CERTIFIER:
        certifiers.delete(Org(change.subject))
        # SYS-031
        if change.subject in validators:
            validators.delete(Org(change.subject))
    elif operation == Operation.DEPLOY_CONTRACT:
        call(LIFECYCLE, "deploy", contract=change.subject, digest=change.code_hash)
    elif operation == Operation.UPGRADE_CONTRACT:
        call(LIFECYCLE, "upgrade", contract=change.subject, digest=change.code_hash)
    elif operation == Operation.FREEZE_CONTRACT:
        call(LIFECYCLE, "freeze", contract=change.subject)
    elif operation == Operation.UNFREEZE_CONTRACT:
        call(LIFECYCLE, "unfreeze", contract=change.subject)
    elif operation == Operation.RETIRE_CONTRACT:
        call(LIFECYCLE, "retire", contract=change.subject)


def set_certifier(change: Change) -> None:
    """Add or replace a certifier."""
    certifier = Certifier(organisation=Org(change.subject), suite=change.suite, public_key=change.public_key, power=change.number)
    if change.subject in certifiers:
        certifiers.save(certifier)
    else:
        certifiers.add(certifier)
    # SYS-031: in one step with the certifier, so that both are the same organisations after every transaction.
    if change.engine_key != b"":
        validator = Validator(organisation=Org(change.subject), public_key=change.engine_key)
        if change.subject in validators:
            validators.save(validator)
        else:
            validators.add(validator)


# --- Proposing


@action
def propose_admission(ctx: Context, organisation: Org, title: str, admin: str, suite: str, public_key: bytes) -> int:
    """Propose to admit an organisation; for admins."""
    change = Change(
        operation=Operation.ADMIT_ORGANISATION,
        subject=organisation,
        title=title,
        member=admin,
        suite=suite,
        public_key=public_key,
    )
    return propose(ctx, ORGANISATION, change)


@action
def propose_suspension(ctx: Context, organisation: Org) -> int:
    """Propose to suspend an organisation; for admins."""
    return propose(ctx, ORGANISATION, Change(operation=Operation.SUSPEND_ORGANISATION, subject=organisation))


@action
def propose_restoration(ctx: Context, organisation: Org) -> int:
    """Propose to restore a suspended organisation; for admins."""
    return propose(ctx, ORGANISATION, Change(operation=Operation.RESTORE_ORGANISATION, subject=organisation))


@action
def propose_parameter(ctx: Context, name: str, value: int) -> int:
    """Propose a parameter's value; for admins."""
    return propose(ctx, PARAMETER, Change(operation=Operation.SET_PARAMETER, subject=name, number=value))


@action
def propose_suite(ctx: Context, suite: str) -> int:
    """Propose to allow a signature suite; for admins."""
    return propose(ctx, SUITE, Change(operation=Operation.ADD_SUITE, subject=suite))


@action
def propose_protocol(ctx: Context, version: int, height: int, release: str, contracts_hash: bytes) -> int:
    """Propose from which block on the next version of the ledger's rules counts, with all its system contracts; for admins."""
    change = Change(
        operation=Operation.SET_PROTOCOL,
        subject=str(version),
        title=release,
        number=version,
        code_hash=contracts_hash,
        height=height,
    )
    return propose(ctx, PROTOCOL, change)


@action
def propose_protocol_call_off(ctx: Context, version: int) -> int:
    """Propose that a version of the rules whose first block is still to come does not come; for admins."""
    return propose(ctx, PROTOCOL, Change(operation=Operation.CALL_OFF_PROTOCOL, subject=str(version), number=version))


@action
def propose_certifier(ctx: Context, organisation: Org, suite: str, public_key: bytes, power: int) -> int:
    """Propose a certifier, or another key or power of one; for admins."""
    change = Change(operation=Operation.SET_CERTIFIER, subject=organisation, suite=suite, public_key=public_key, number=power)
    return propose(ctx, CERTIFIER, change)


@action
def propose_validator(ctx: Context, organisation: Org, suite: str, public_key: bytes, power: int, engine_key: bytes) -> int:
    """Propose a certifier whose engine votes on the order of blocks, or other keys or power of one; for admins."""
    require(engine_key != b"", "ENGINE_KEY_INVALID")
    change = Change(
        operation=Operation.SET_CERTIFIER,
        subject=organisation,
        suite=suite,
        public_key=public_key,
        number=power,
        engine_key=engine_key,
    )
    return propose(ctx, CERTIFIER, change)


@action
def propose_certifier_removal(ctx: Context, organisation: Org) -> int:
    """Propose to remove a certifier, as validator too; for admins."""
    return propose(ctx, CERTIFIER, Change(operation=Operation.REMOVE_CERTIFIER, subject=organisation))


@action
def propose_deployment(ctx: Context, contract: str, code_hash: bytes) -> int:
    """Propose to deploy a submitted source; for admins."""
    return propose(ctx, CONTRACT, Change(operation=Operation.DEPLOY_CONTRACT, subject=contract, code_hash=code_hash))


@action
def propose_upgrade(ctx: Context, contract: str, code_hash: bytes) -> int:
    """Propose another source for a deployed contract; for admins."""
    return propose(ctx, CONTRACT, Change(operation=Operation.UPGRADE_CONTRACT, subject=contract, code_hash=code_hash))


@action
def propose_contract_status(ctx: Context, contract: str, operation: str) -> int:
    """Propose to freeze, unfreeze or retire a contract; for admins."""
    if operation == "freeze":
        return propose(ctx, CONTRACT, Change(operation=Operation.FREEZE_CONTRACT, subject=contract))
    if operation == "unfreeze":
        return propose(ctx, CONTRACT, Change(operation=Operation.UNFREEZE_CONTRACT, subject=contract))
    if operation == "retire":
        return propose(ctx, CONTRACT, Change(operation=Operation.RETIRE_CONTRACT, subject=contract))
    refuse("OPERATION_UNKNOWN")
    return 0


@action
def vote(ctx: Context, proposal_id: int, approve: bool) -> ProposalStatus:
    """Vote for a proposal or against it, once for each organisation; for admins."""
    require_admin(ctx)
    return record_vote(ctx, proposal_id, approve)


@action
def recount(ctx: Context, proposal_id: int) -> ProposalStatus:
    """Count the votes of an open proposal again, as the active organisations are now; for admins."""
    require_admin(ctx)
    # SYS-016
    return count_votes(ctx, open_proposal(proposal_id))


@action
def withdraw(ctx: Context, proposal_id: int) -> None:
    """Withdraw an open proposal of your organisation; for its admins."""
    require_admin(ctx)
    proposal = open_proposal(proposal_id)
    # SYS-015
    require(proposal.proposer == ctx.sender, "NOT_THE_PROPOSER")
    decide(ctx, proposal, ProposalStatus.WITHDRAWN)


@view
def proposal(ctx: Context, proposal_id: int) -> Proposal:
    """Return a proposal."""
    return proposals[proposal_id]


@view
def key_fits(ctx: Context, suite: str, public_key: bytes) -> bool:
    """Tell whether bytes can be a public key of an allowed suite."""
    require(suite in suites, "SUITE_NOT_ALLOWED")
    return is_public_key(suite, public_key)


@view
def parameter(ctx: Context, name: str) -> int:
    """Return a parameter's value."""
    return parameters[name].value

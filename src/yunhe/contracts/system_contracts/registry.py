"""Registry: organisations, their members with roles, each member's keys, and nodes.

Organisations come and go by vote (contract `governance`). Inside an organisation its admins decide. Keys are added, rotated and revoked by
transactions and count from the next transaction on; nothing expires (SYS-006). The layouts are those of `yunhe.ledger.layouts`.
Specification: docs/spec/system-contracts.md, "Registry".
"""

from yunhe.contracts import Choice, Context, Event, Org, Record, Table, action, call_view, emit, require, require_role, view

GOVERNANCE = "governance"
ADMIN = "admin"
NAME_CHARACTERS_MAX = 40
TITLE_CHARACTERS_MAX = 200
PUBLIC_KEY_BYTES_MAX = 256
ROLES_MAX = 32
ORGANISATIONS_MAX = 2_000
PAGE_ROWS = 64


class Status(Choice):
    """Whether someone may act."""

    ACTIVE = "active"
    SUSPENDED = "suspended"


class KeyStatus(Choice):
    """Whether a key counts."""

    ACTIVE = "active"
    REVOKED = "revoked"


class Organisation(Record):
    """A party of the consortium."""

    organisation: Org
    title: str
    status: Status = Status.ACTIVE


class Member(Record):
    """Someone who acts for an organisation."""

    organisation: Org
    member: str
    roles: list[str]
    status: Status = Status.ACTIVE


class MemberKey(Record):
    """A key of a member; a revoked one stays on record."""

    organisation: Org
    member: str
    public_key: bytes
    suite: str
    # SYS-006: heights say when a key came and went; none says until when it counts.
    since_height: int
    status: KeyStatus = KeyStatus.ACTIVE
    revoked_height: int | None = None


class KeyOwner(Record):
    """The one member of an organisation that a key belongs to, for ever."""

    organisation: Org
    public_key: bytes
    member: str


class Node(Record):
    """A node and the key of its envelopes."""

    organisation: Org
    node: str
    suite: str
    public_key: bytes
    status: Status = Status.ACTIVE


class OrganisationChanged(Event):
    """An organisation was admitted, suspended or restored."""

    organisation: Org
    status: Status


class MemberChanged(Event):
    """A member was enrolled or changed."""

    organisation: Org
    member: str
    roles: list[str]
    status: Status


class KeyChanged(Event):
    """A key was added or revoked."""

    organisation: Org
    member: str
    public_key: bytes
    status: KeyStatus


class NodeChanged(Event):
    """A node was enrolled or changed."""

    organisation: Org
    node: str
    public_key: bytes
    status: Status


organisations: Table[Organisation] = Table(key="organisation")
members: Table[Member] = Table(key=("organisation", "member"))
member_keys: Table[MemberKey] = Table(key=("organisation", "member", "public_key"))
key_owners: Table[KeyOwner] = Table(key=("organisation", "public_key"))
nodes: Table[Node] = Table(key=("organisation", "node"))


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


def check_key(suite: str, public_key: bytes) -> None:
    """Refuse a key that does not fit an allowed suite."""
    require(call_view(GOVERNANCE, "key_fits", suite=suite, public_key=public_key), "KEY_DOES_NOT_FIT_SUITE")


def check_roles(roles: list[str]) -> None:
    """Refuse roles that are no names, unsorted or too many."""
    require(len(roles) <= ROLES_MAX, "TOO_MANY_ROLES")
    require(all(is_name(role) for role in roles), "NOT_A_NAME")
    require(sorted(roles) == roles, "ROLES_NOT_SORTED")
    for i in range(1, len(roles)):
        require(roles[i - 1] != roles[i], "ROLES_NOT_SORTED")


def require_admin(ctx: Context) -> None:
    """Refuse unless the transaction itself calls, signed by an admin of the sender."""
    # SYS-007: whoever calls another contract has not asked for what that contract asks for here.
    require(ctx.caller is None, "DIRECT_CALL_ONLY")
    # SYS-002: all that follows concerns the sender's organisation alone.
    require_role(ctx, ADMIN)


def require_admin_or_member(ctx: Context, member: str) -> None:
    """Refuse unless the transaction itself calls, signed by the member or an admin of the sender."""
    # SYS-007
    require(ctx.caller is None, "DIRECT_CALL_ONLY")
    # SYS-003, SYS-004
    if not any(signer.organisation == ctx.sender and signer.member == member for signer in ctx.signers):
        require_role(ctx, ADMIN)


def write_member(organisation: Org, member: str, roles: list[str]) -> None:
    """Enrol a member."""
    require(is_name(member), "NOT_A_NAME")
    check_roles(roles)
    members.add(Member(organisation=organisation, member=member, roles=roles))
    emit(MemberChanged(organisation=organisation, member=member, roles=roles, status=Status.ACTIVE))


def write_key(ctx: Context, organisation: Org, member: str, suite: str, public_key: bytes) -> None:
    """Add a key."""
    require(0 < len(public_key) <= PUBLIC_KEY_BYTES_MAX, "KEY_DOES_NOT_FIT_SUITE")
    # SYS-003: nothing is ever deleted here, so a key cannot come back after its revocation, nor move to another member.
    key_owners.add(KeyOwner(organisation=organisation, public_key=public_key, member=member))
    member_keys.add(MemberKey(organisation=organisation, member=member, public_key=public_key, suite=suite, since_height=ctx.height))
    emit(KeyChanged(organisation=organisation, member=member, public_key=public_key, status=KeyStatus.ACTIVE))


def revoke(ctx: Context, member: str, public_key: bytes) -> None:
    """Revoke a key."""
    record = member_keys[ctx.sender, member, public_key]
    # SYS-003
    require(record.status == KeyStatus.ACTIVE, "ALREADY_REVOKED")
    record.status = KeyStatus.REVOKED
    record.revoked_height = ctx.height
    member_keys.save(record)
    emit(KeyChanged(organisation=ctx.sender, member=member, public_key=public_key, status=KeyStatus.REVOKED))


def is_able_admin(member: Member) -> bool:
    """Tell whether a member is an active admin with an active key."""
    if member.status != Status.ACTIVE or ADMIN not in member.roles:
        return False
    return any(key.status == KeyStatus.ACTIVE for key in member_keys.scan(prefix=(member.organisation, member.member)))


def check_administrable(ctx: Context) -> None:
    """Refuse if the sender has no admin left who could act for it."""
    # Most often it is a signer, whatever the number of members.
    for signer in ctx.signers:
        if signer.organisation == ctx.sender and is_able_admin(members[ctx.sender, signer.member]):
            return
    # SYS-005
    require(any(is_able_admin(member) for member in members.scan(prefix=(ctx.sender,))), "LAST_ADMIN")


def has_node(besides: str) -> bool:
    """Tell whether the ledger has a node whose envelopes count, of any organisation but one."""
    page = nodes.scan(limit=PAGE_ROWS)
    while len(page) > 0:
        for node in page:
            others = node.organisation != besides and node.status == Status.ACTIVE
            if others and organisations[node.organisation].status == Status.ACTIVE:
                return True
        page = nodes.scan(after=(page[-1].organisation, page[-1].node), limit=PAGE_ROWS)
    return False


def check_new_organisation(organisation: Org, title: str, admin: str) -> None:
    """Refuse what cannot be admitted."""
    require(is_name(organisation), "NOT_A_NAME")
    require(is_name(admin), "NOT_A_NAME")
    require(0 < len(title) <= TITLE_CHARACTERS_MAX, "TITLE_LENGTH")
    require(organisation not in organisations, "ALREADY_EXISTS")
    # SYS-008: every vote counts the organisations, so there must not be more than a vote has gas for.
    require(len(organisations.scan(limit=ORGANISATIONS_MAX)) < ORGANISATIONS_MAX, "TOO_MANY_ORGANISATIONS")


@action
def admit(ctx: Context, organisation: Org, title: str, admin: str, suite: str, public_key: bytes) -> None:
    """Admit an organisation; by vote only."""
    # SYS-001
    require(ctx.caller == GOVERNANCE, "BY_VOTE_ONLY")
    check_new_organisation(organisation, title, admin)
    organisations.add(Organisation(organisation=organisation, title=title))
    write_member(organisation, admin, [ADMIN])
    write_key(ctx, organisation, admin, suite, public_key)
    emit(OrganisationChanged(organisation=organisation, status=Status.ACTIVE))


@action
def set_organisation_status(ctx: Context, organisation: Org, status: Status) -> None:
    """Suspend or restore an organisation; by vote only."""
    # SYS-001
    require(ctx.caller == GOVERNANCE, "BY_VOTE_ONLY")
    record = organisations[organisation]
    require(record.status != status, "UNCHANGED")
    record.status = status
    organisations.save(record)
    emit(OrganisationChanged(organisation=organisation, status=status))


@action
def enrol_member(ctx: Context, member: str, roles: list[str], suite: str, public_key: bytes) -> None:
    """Enrol a member of your organisation with its first key; for its admins."""
    require_admin(ctx)
    check_key(suite, public_key)
    write_member(ctx.sender, member, roles)
    write_key(ctx, ctx.sender, member, suite, public_key)


@action
def set_member(ctx: Context, member: str, roles: list[str], status: Status) -> None:
    """Set roles and status of a member of your organisation; for its admins."""
    require_admin(ctx)
    check_roles(roles)
    record = members[ctx.sender, member]
    record.roles = roles
    record.status = status
    members.save(record)
    check_administrable(ctx)
    emit(MemberChanged(organisation=ctx.sender, member=member, roles=roles, status=status))


@action
def add_key(ctx: Context, member: str, suite: str, public_key: bytes) -> None:
    """Add a key of a member; for the member itself or an admin of its organisation."""
    require_admin_or_member(ctx, member)
    require((ctx.sender, member) in members, "MEMBER_NOT_FOUND")
    check_key(suite, public_key)
    write_key(ctx, ctx.sender, member, suite, public_key)


@action
def revoke_key(ctx: Context, member: str, public_key: bytes) -> None:
    """Revoke a key of a member, for ever; for the member itself or an admin of its organisation."""
    require_admin_or_member(ctx, member)
    revoke(ctx, member, public_key)
    # An organisation that never had an admin has none to lose.
    if ADMIN in members[ctx.sender, member].roles:
        check_administrable(ctx)


@action
def rotate_key(ctx: Context, member: str, old_public_key: bytes, suite: str, public_key: bytes) -> None:
    """Replace a key of a member in one step; for the member itself or an admin of its organisation."""
    require_admin_or_member(ctx, member)
    check_key(suite, public_key)
    write_key(ctx, ctx.sender, member, suite, public_key)
    revoke(ctx, member, old_public_key)


@action
def enrol_node(ctx: Context, node: str, suite: str, public_key: bytes) -> None:
    """Enrol a node of your organisation; for its admins."""
    require_admin(ctx)
    require(is_name(node), "NOT_A_NAME")
    check_key(suite, public_key)
    nodes.add(Node(organisation=ctx.sender, node=node, suite=suite, public_key=public_key))
    emit(NodeChanged(organisation=ctx.sender, node=node, public_key=public_key, status=Status.ACTIVE))


@action
def set_node(ctx: Context, node: str, suite: str, public_key: bytes, status: Status) -> None:
    """Set key and status of a node of your organisation; for its admins."""
    require_admin(ctx)
    check_key(suite, public_key)
    record = nodes[ctx.sender, node]
    record.suite = suite
    record.public_key = public_key
    record.status = status
    nodes.save(record)
    # SYS-009: without one nothing is decided any more, the change back neither.
    require(status == Status.ACTIVE or has_node(""), "LAST_NODE")
    emit(NodeChanged(organisation=ctx.sender, node=node, public_key=public_key, status=status))


@view
def organisation(ctx: Context, organisation: Org) -> Organisation:
    """Return an organisation."""
    return organisations[organisation]


@view
def is_active(ctx: Context, organisation: Org) -> bool:
    """Tell whether an organisation is enrolled and not suspended."""
    record = organisations.get(organisation)
    return record is not None and record.status == Status.ACTIVE


@view
def has_node_besides(ctx: Context, organisation: Org) -> bool:
    """Tell whether the ledger has an active node of another active organisation."""
    return has_node(organisation)


@view
def has_active_node(ctx: Context, organisation: Org) -> bool:
    """Tell whether an organisation has an active node."""
    return any(node.status == Status.ACTIVE for node in nodes.scan(prefix=(organisation,)))


@view
def can_be_admitted(ctx: Context, organisation: Org, title: str, admin: str) -> bool:
    """Refuse with the reason if an organisation cannot be admitted; what `governance` asks before a vote."""
    check_new_organisation(organisation, title, admin)
    return True


@view
def active_organisations(ctx: Context) -> list[Org]:
    """Return the active organisations."""
    return [record.organisation for record in organisations.scan() if record.status == Status.ACTIVE]


@view
def organisation_members(ctx: Context, organisation: Org) -> list[Member]:
    """Return the members of an organisation."""
    return [member for member in members.scan(prefix=(organisation,))]


@view
def keys(ctx: Context, organisation: Org, member: str) -> list[MemberKey]:
    """Return the keys of a member."""
    return [key for key in member_keys.scan(prefix=(organisation, member))]

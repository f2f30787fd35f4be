"""Registry: organisations, their members with roles, each member's keys, and nodes.

Organisations come and go by vote (contract `governance`). Inside an organisation its admins decide. Keys are added, rotated and revoked by
transactions and count from the next transaction on; nothing expires. The layouts are those of `yunhe.ledger.layouts`.
"""

from yunhe.contracts import Choice, Context, Event, Org, Record, Table, action, call_view, emit, require, require_role, view

GOVERNANCE = "governance"
ADMIN = "admin"
NAME_CHARACTERS_MAX = 40
TITLE_CHARACTERS_MAX = 200
PUBLIC_KEY_BYTES_MAX = 256
ROLES_MAX = 32


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
    since_height: int
    status: KeyStatus = KeyStatus.ACTIVE
    revoked_height: int | None = None


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
    require(call_view(GOVERNANCE, "suite_key_bytes", suite=suite) == len(public_key), "KEY_DOES_NOT_FIT_SUITE")


def check_roles(roles: list[str]) -> None:
    """Refuse roles that are no names, unsorted or too many."""
    require(len(roles) <= ROLES_MAX, "TOO_MANY_ROLES")
    require(all(is_name(role) for role in roles), "NOT_A_NAME")
    require(sorted(roles) == roles, "ROLES_NOT_SORTED")
    for i in range(1, len(roles)):
        require(roles[i - 1] != roles[i], "ROLES_NOT_SORTED")


def write_member(organisation: Org, member: str, roles: list[str]) -> None:
    """Enrol a member."""
    require(is_name(member), "NOT_A_NAME")
    check_roles(roles)
    members.add(Member(organisation=organisation, member=member, roles=roles))
    emit(MemberChanged(organisation=organisation, member=member, roles=roles, status=Status.ACTIVE))


def write_key(ctx: Context, organisation: Org, member: str, suite: str, public_key: bytes) -> None:
    """Add a key."""
    require(0 < len(public_key) <= PUBLIC_KEY_BYTES_MAX, "KEY_DOES_NOT_FIT_SUITE")
    # A revoked key stays in its place, so that it can never be added again.
    member_keys.add(MemberKey(organisation=organisation, member=member, public_key=public_key, suite=suite, since_height=ctx.height))
    emit(KeyChanged(organisation=organisation, member=member, public_key=public_key, status=KeyStatus.ACTIVE))


def can_administer(organisation: Org) -> bool:
    """Tell whether an organisation has an active admin with an active key."""
    for member in members.scan(prefix=(organisation,)):
        if member.status == Status.ACTIVE and ADMIN in member.roles:
            for key in member_keys.scan(prefix=(organisation, member.member)):
                if key.status == KeyStatus.ACTIVE:
                    return True
    return False


def signed_by_member(ctx: Context, member: str) -> bool:
    """Tell whether a member of the sender signed."""
    return any(signer.organisation == ctx.sender and signer.member == member for signer in ctx.signers)


def require_admin_or_member(ctx: Context, member: str) -> None:
    """Refuse unless the member itself or an admin signed."""
    if not signed_by_member(ctx, member):
        require_role(ctx, ADMIN)


@action
def admit(ctx: Context, organisation: Org, title: str, admin: str, suite: str, public_key: bytes) -> None:
    """Admit an organisation; by vote only."""
    require(ctx.caller == GOVERNANCE, "BY_VOTE_ONLY")
    require(is_name(organisation), "NOT_A_NAME")
    require(0 < len(title) <= TITLE_CHARACTERS_MAX, "TITLE_LENGTH")
    organisations.add(Organisation(organisation=organisation, title=title))
    write_member(organisation, admin, [ADMIN])
    write_key(ctx, organisation, admin, suite, public_key)
    emit(OrganisationChanged(organisation=organisation, status=Status.ACTIVE))


@action
def set_organisation_status(ctx: Context, organisation: Org, status: Status) -> None:
    """Suspend or restore an organisation; by vote only."""
    require(ctx.caller == GOVERNANCE, "BY_VOTE_ONLY")
    record = organisations[organisation]
    require(record.status != status, "UNCHANGED")
    record.status = status
    organisations.save(record)
    emit(OrganisationChanged(organisation=organisation, status=status))


@action
def enrol_member(ctx: Context, member: str, roles: list[str], suite: str, public_key: bytes) -> None:
    """Enrol a member of your organisation with its first key."""
    require_role(ctx, ADMIN)
    check_key(suite, public_key)
    write_member(ctx.sender, member, roles)
    write_key(ctx, ctx.sender, member, suite, public_key)


@action
def set_member(ctx: Context, member: str, roles: list[str], status: Status) -> None:
    """Set roles and status of a member of your organisation."""
    require_role(ctx, ADMIN)
    check_roles(roles)
    record = members[ctx.sender, member]
    record.roles = roles
    record.status = status
    members.save(record)
    require(can_administer(ctx.sender), "LAST_ADMIN")
    emit(MemberChanged(organisation=ctx.sender, member=member, roles=roles, status=status))


@action
def add_key(ctx: Context, member: str, suite: str, public_key: bytes) -> None:
    """Add a key of a member."""
    require_admin_or_member(ctx, member)
    require((ctx.sender, member) in members, "MEMBER_NOT_FOUND")
    check_key(suite, public_key)
    write_key(ctx, ctx.sender, member, suite, public_key)


def revoke(ctx: Context, member: str, public_key: bytes) -> None:
    """Revoke a key."""
    record = member_keys[ctx.sender, member, public_key]
    require(record.status == KeyStatus.ACTIVE, "ALREADY_REVOKED")
    record.status = KeyStatus.REVOKED
    record.revoked_height = ctx.height
    member_keys.save(record)
    emit(KeyChanged(organisation=ctx.sender, member=member, public_key=public_key, status=KeyStatus.REVOKED))


@action
def revoke_key(ctx: Context, member: str, public_key: bytes) -> None:
    """Revoke a key of a member, for ever."""
    require_admin_or_member(ctx, member)
    revoke(ctx, member, public_key)
    require(can_administer(ctx.sender), "LAST_ADMIN")


@action
def rotate_key(ctx: Context, member: str, old_public_key: bytes, suite: str, public_key: bytes) -> None:
    """Replace a key of a member in one step."""
    require_admin_or_member(ctx, member)
    check_key(suite, public_key)
    write_key(ctx, ctx.sender, member, suite, public_key)
    revoke(ctx, member, old_public_key)


@action
def enrol_node(ctx: Context, node: str, suite: str, public_key: bytes) -> None:
    """Enrol a node of your organisation."""
    require_role(ctx, ADMIN)
    require(is_name(node), "NOT_A_NAME")
    check_key(suite, public_key)
    nodes.add(Node(organisation=ctx.sender, node=node, suite=suite, public_key=public_key))
    emit(NodeChanged(organisation=ctx.sender, node=node, public_key=public_key, status=Status.ACTIVE))


@action
def set_node(ctx: Context, node: str, suite: str, public_key: bytes, status: Status) -> None:
    """Set key and status of a node of your organisation."""
    require_role(ctx, ADMIN)
    check_key(suite, public_key)
    record = nodes[ctx.sender, node]
    record.suite = suite
    record.public_key = public_key
    record.status = status
    nodes.save(record)
    emit(NodeChanged(organisation=ctx.sender, node=node, public_key=public_key, status=status))


@view
def organisation(ctx: Context, organisation: Org) -> Organisation:
    """Return an organisation."""
    return organisations[organisation]


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

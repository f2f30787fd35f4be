"""Loyalty points: a contract of some twenty lines with a table, a map, a log, refusals and an event."""

from yunhe.contracts import Context, Event, Log, Map, Org, Record, Table, action, emit, refuse, require_role, view


class Account(Record):
    owner: Org
    points: int


class Movement(Record):
    points: int
    time_ms: int


class Moved(Event):
    source: Org
    target: Org
    points: int


accounts: Table[Account] = Table(key="owner")
totals: Map[str, int] = Map(default=0)
movements: Log[Org, Movement] = Log()


@action
def issue(ctx: Context, owner: Org, points: int) -> int:
    """Issue points to an organisation and return what it has."""
    require_role(ctx, "issuer")
    if points <= 0:
        refuse("NOTHING_TO_ISSUE")
    account = accounts.get(owner)
    if account is None:
        account = Account(owner=owner, points=0)
        accounts.add(account)
    account.points += points
    accounts.save(account)
    totals.add("issued", points)
    return account.points


@action
def move(ctx: Context, target: Org, points: int) -> None:
    """Move points of the sender to another organisation."""
    source = accounts[ctx.sender]
    if not 0 < points <= source.points:
        refuse("NOT_ENOUGH")
    source.points -= points
    accounts.save(source)
    receiver = accounts[target]
    receiver.points += points
    accounts.save(receiver)
    movements.append(target, Movement(points=points, time_ms=ctx.time_ms))
    emit(Moved(source=ctx.sender, target=target, points=points))


@action
def lose(ctx: Context, points: int) -> None:
    """Lose points, which breaks what points are: the invariant finds it."""
    account = accounts[ctx.sender]
    account.points -= points
    accounts.save(account)


@action
def share(ctx: Context, among: int) -> int:
    """Return equal shares of the sender's points, and fault where there is nobody to share with: random calls find it."""
    return accounts[ctx.sender].points // among


@view
def points_of(ctx: Context, owner: Org) -> int:
    """Return the points of an organisation."""
    return accounts[owner].points

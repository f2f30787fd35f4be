"""A contract that uses every kind of declared state, for the tests of indexes, logs and counters. Imported, and deployed by its source."""

from yunhe.contracts import Choice, Context, Index, Log, Map, Org, Record, Table, Unique, action, view


class State(Choice):
    AFLOAT = "afloat"
    ASHORE = "ashore"


class Crate(Record):
    crate_id: str
    owner: Org
    state: State = State.AFLOAT
    berth: int | None = None
    seal: str | None = None


class Move(Record):
    by: Org
    berth: int | None


crates: Table[Crate] = Table(key="crate_id")
crates_by_owner: Index[Crate] = Index(crates, by="owner")
crates_by_state: Index[Crate] = Index(crates, by=("owner", "state"))
crates_by_berth: Index[Crate] = Index(crates, by="berth")
crate_of_seal: Unique[Crate] = Unique(crates, by="seal", code="SEAL_TAKEN")
crate_at_berth: Unique[Crate] = Unique(crates, by=("berth", "state"))
moves: Log[str, Move] = Log()
seen: Map[Org, int] = Map(default=0)
limits: Map[str, int] = Map()


@action
def put(ctx: Context, crate_id: str, berth: int | None = None, seal: str | None = None, owner: Org | None = None) -> None:
    crates.add(Crate(crate_id=crate_id, owner=ctx.sender if owner is None else owner, berth=berth, seal=seal))
    seen.add(ctx.sender, 1)


@action
def change(ctx: Context, crate_id: str, owner: Org, state: State, berth: int | None, seal: str | None) -> None:
    crate = crates[crate_id]
    crate.owner = owner
    crate.state = state
    crate.berth = berth
    crate.seal = seal
    crates.save(crate)


@action
def move(ctx: Context, crate_id: str, berth: int | None) -> int:
    crate = crates[crate_id]
    crate.berth = berth
    crates.save(crate)
    return moves.append(crate_id, Move(by=ctx.sender, berth=berth))


@action
def swap_seals(ctx: Context, one: str, other: str) -> None:
    first = crates[one]
    second = crates[other]
    kept = first.seal
    first.seal = None
    crates.save(first)
    first.seal = second.seal
    second.seal = kept
    crates.save(second)
    crates.save(first)


@action
def drop(ctx: Context, crate_id: str) -> None:
    crates.delete(crate_id)


@action
def wander(ctx: Context, crate_id: str, berths: int) -> list[str]:
    crate = crates[crate_id]
    for berth in range(berths):
        crate.berth = berth
        crates.save(crate)
    return [found.crate_id for found in crates_by_berth.scan()]


@action
def note(ctx: Context, crate_id: str, berths: list[int]) -> list[int]:
    return [moves.append(crate_id, Move(by=ctx.sender, berth=berth)) for berth in berths]


@action
def add_limit(ctx: Context, name: str, amount: int) -> None:
    limits.add(name, amount)


@action
def report(ctx: Context, owner: Org, start: int, end: int, after: str, limit: int) -> list[list[str]]:
    """Return what each index says in the middle of a transaction."""
    return [
        [crate.crate_id for crate in crates.scan()],
        [crate.crate_id for crate in crates_by_owner.scan()],
        [crate.crate_id for crate in crates_by_owner.scan(prefix=owner, after=(owner, after), limit=limit)],
        [crate.crate_id for crate in crates_by_owner.scan(prefix=owner, after=(owner, after), limit=limit, reverse=True)],
        [crate.crate_id for crate in crates_by_state.scan(prefix=(owner, State.AFLOAT))],
        [crate.crate_id for crate in crates_by_berth.scan(start=start, end=end)],
        [crate.crate_id for crate in crate_of_seal.scan(reverse=True)],
    ]


@view
def owned(ctx: Context, owner: Org, after: str | None = None, limit: int | None = None, reverse: bool = False) -> list[str]:
    position = None if after is None else (owner, after)
    return [crate.crate_id for crate in crates_by_owner.scan(prefix=owner, after=position, limit=limit, reverse=reverse)]


@view
def in_state(ctx: Context, owner: Org, state: State) -> list[str]:
    return [crate.crate_id for crate in crates_by_state.scan(prefix=(owner, state))]


@view
def berths(ctx: Context, start: int | None = None, end: int | None = None) -> list[str]:
    return [crate.crate_id for crate in crates_by_berth.scan(start=start, end=end)]


@view
def counts(ctx: Context, owner: Org) -> list[int]:
    return [crates.count(), crates_by_owner.count(prefix=owner), crate_of_seal.count(), seen.count(), seen[owner]]


@view
def sealed(ctx: Context, seal: str) -> Crate:
    return crate_of_seal[seal]


@view
def seal_of(ctx: Context, seal: str) -> str | None:
    crate = crate_of_seal.get(seal)
    return crate.crate_id if crate is not None and seal in crate_of_seal else None


@view
def seals(ctx: Context, prefix: str | None = None, after: str | None = None) -> list[str]:
    return [crate.crate_id for crate in crate_of_seal.scan(prefix=prefix, after=after)]


@view
def page(ctx: Context, after: str | None = None, limit: int = 2, reverse: bool = False) -> list[str]:
    return [crate.crate_id for crate in crates.scan(after=after, limit=limit, reverse=reverse)]


@view
def seen_after(ctx: Context, after: Org) -> list[Org]:
    return [owner for owner, number in seen.scan(after=after)]


@view
def history(
    ctx: Context, crate_id: str, start: int = 0, end: int | None = None, limit: int | None = None, reverse: bool = False
) -> list[int | None]:
    return [entry.berth for entry in moves.scan(crate_id, start=start, end=end, limit=limit, reverse=reverse)]


@view
def last_move(ctx: Context, crate_id: str) -> Move | None:
    return moves.last(crate_id)


@view
def moved(ctx: Context, crate_id: str) -> int:
    return moves.count(crate_id)

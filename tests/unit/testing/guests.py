"""A list of guests: a contract that asks the registry who is there, and notes block and time."""

from yunhe.contracts import Context, Org, Record, Table, action, call_view, require, view


class Guest(Record):
    guest: Org
    height: int
    time_ms: int


guests: Table[Guest] = Table(key="guest")


@action
def invite(ctx: Context, guest: Org) -> None:
    """Put an organisation of the ledger on the list."""
    require(call_view("registry", "is_active", organisation=guest), "GUEST_UNKNOWN")
    guests.add(Guest(guest=guest, height=ctx.height, time_ms=ctx.time_ms))


@view
def block(ctx: Context) -> list[int]:
    """Return height and time that a view sees."""
    return [ctx.height, ctx.time_ms]

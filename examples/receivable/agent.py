"""A contract that calls another one: it may ask who holds a claim, and is refused when it would dispose of it."""

from yunhe.contracts import Context, Org, action, call, call_view, view

RECEIVABLE = "receivable"


@action
def transfer(ctx: Context, debt_id: str, number: int, to: Org) -> None:
    """Try to pass on a claim of whoever calls."""
    call(RECEIVABLE, "transfer", debt_id=debt_id, number=number, to=to)


@action
def finance(ctx: Context, debt_id: str, number: int) -> int:
    """Try to finance a claim in the name of whoever calls."""
    price: int = call(RECEIVABLE, "finance", debt_id=debt_id, number=number)
    return price


@action
def pay(ctx: Context, debt_id: str, cents: int) -> None:
    """Try to put a payment of whoever calls on record."""
    call(RECEIVABLE, "pay", debt_id=debt_id, cents=cents)


@action
def issue(ctx: Context, debt_id: str, debtor: Org, due_ms: int) -> None:
    """Try to make whoever calls a debtor's supplier."""
    call(RECEIVABLE, "issue", debt_id=debt_id, debtor=debtor, invoice=debt_id, cents=1, due_ms=due_ms)


@view
def holder(ctx: Context, debt_id: str, number: int) -> Org:
    """Return who holds a claim."""
    # What another contract returns comes as plain values: records as maps, an organisation as its name.
    return Org(call_view(RECEIVABLE, "claim", debt_id=debt_id, number=number)["holder"])

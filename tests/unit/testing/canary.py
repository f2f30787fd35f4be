"""Deposits with planted mistakes, as authors make them: each works in the order of calls that its author had in mind."""

from yunhe.contracts import Choice, Context, Map, Org, Record, Table, action, require, require_role, view

AMOUNT_MAX = 1_000_000
MONTH_MS = 30 * 86_400_000


class Status(Choice):
    OPEN = "open"
    RELEASED = "released"
    CANCELLED = "cancelled"


class Deposit(Record):
    deposit_id: str
    payer: Org
    payee: Org
    amount: int
    due_ms: int
    status: Status = Status.OPEN
    parts: int = 1


balances: Map[Org, int] = Map(default=0)
issued: Map[str, int] = Map(default=0)
deposits: Table[Deposit] = Table(key="deposit_id")


@action
def issue(ctx: Context, owner: Org, amount: int) -> None:
    """Issue money to an organisation: sound."""
    require_role(ctx, "bank")
    require(0 < amount <= AMOUNT_MAX, "AMOUNT_INVALID")
    balances.add(owner, amount)
    issued.add("all", amount)


@action
def open_deposit(ctx: Context, deposit_id: str, payee: Org, amount: int) -> None:
    """Set money aside for a payee: sound."""
    require(0 < amount <= balances[ctx.sender], "NOT_ENOUGH")
    deposits.add(Deposit(deposit_id=deposit_id, payer=ctx.sender, payee=payee, amount=amount, due_ms=ctx.time_ms + MONTH_MS))
    balances.add(ctx.sender, -amount)


@action
def release(ctx: Context, deposit_id: str) -> None:
    """Pay a deposit out: sound."""
    deposit = deposits[deposit_id]
    require(deposit.payer == ctx.sender, "NOT_PAYER")
    require(deposit.status == Status.OPEN, "NOT_OPEN")
    deposit.status = Status.RELEASED
    deposits.save(deposit)
    balances.add(deposit.payee, deposit.amount)


@action
def pay(ctx: Context, payee: Org, amount: int) -> None:
    """Pay somebody else, or oneself, which makes money: both balances are read before either is written."""
    paid, received = balances[ctx.sender], balances[payee]
    require(0 < amount <= paid, "NOT_ENOUGH")
    balances[ctx.sender] = paid - amount
    balances[payee] = received + amount


@action
def cancel(ctx: Context, deposit_id: str) -> None:
    """Take a deposit back after a month, also one that was released already."""
    deposit = deposits[deposit_id]
    require(deposit.payer == ctx.sender, "NOT_PAYER")
    require(ctx.time_ms >= deposit.due_ms, "NOT_DUE")
    require(deposit.status != Status.CANCELLED, "NOT_OPEN")
    deposit.status = Status.CANCELLED
    deposits.save(deposit)
    balances.add(ctx.sender, deposit.amount)


@action
def split(ctx: Context, deposit_id: str, parts: int) -> int:
    """Say in how many parts a deposit is paid, and return how much each is; of a deposit in one part that is a fault."""
    deposit = deposits[deposit_id]
    require(deposit.status == Status.OPEN, "NOT_OPEN")
    require(0 < parts <= 12, "PARTS_INVALID")
    deposit.parts = parts
    deposits.save(deposit)
    return deposit.amount // (parts - 1)


@action
def set_payee(ctx: Context, deposit_id: str, payee: Org) -> None:
    """Change the payee of a deposit, and forget to say or to save it once it was released."""
    deposit = deposits[deposit_id]
    require(deposit.payer == ctx.sender, "NOT_PAYER")
    deposit.payee = payee
    if deposit.status == Status.OPEN:
        deposits.save(deposit)


@action
def weigh(ctx: Context, weight: int) -> int:
    """Return the weight, by way of a number that a node has no room for when the weight is large."""
    require(weight > 0, "WEIGHT_INVALID")
    return weight**5 // weight**4


@view
def deposit(ctx: Context, deposit_id: str) -> Deposit:
    """Return a deposit."""
    return deposits[deposit_id]

"""Receivables: what a buyer owes a supplier, divided, passed on, financed once, and paid to its holders when it is due.

Rules:

- A debt stands when supplier and debtor sign it together, over an invoice that no other debt of the supplier is over.
  An invoice's number is written in one way only: capital letters, digits and `-/.`, so that no second debt hides behind
  another spelling.
- It begins as one claim of the supplier. Its holder can split a claim into others that add up to it, and pass it on.
- A claim is offered to one financier at a time. Until the offer ends it is locked: neither split, passed on nor offered
  to another one. The financier takes it over, at a price that follows from the rate that was offered and the days that
  are left, or declines. An offer for which nothing would be paid is refused.
- From the time at which it is due a debt is only paid. A payment is shared among the claims in proportion to what is
  owed on each.
- Parties act by their own transactions; what they sign for another contract disposes of no claim.
- What is owed on all claims of a debt and what was paid on it add up to its amount, at every moment.

What it does not do: move money (banks do, and payments are put on record here), collect what is not paid, or cancel a
debt.
"""

from yunhe.contracts import (
    Choice,
    Context,
    Event,
    Index,
    Log,
    Map,
    Org,
    Record,
    Rounding,
    Table,
    Unique,
    action,
    call_view,
    emit,
    mul_div,
    pro_rata,
    require,
    require_role,
    view,
)

REGISTRY = "registry"
TREASURER = "treasurer"
FINANCIER = "financier"

ID_CHARACTERS_MAX = 40
INVOICE_CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-/."
CENTS_MAX = 1_000_000_000_000_000
CLAIMS_MAX = 100
PARTS_MAX = 20
PAGE_CLAIMS_MAX = 50
RATE_PPM_MAX = 1_000_000
PPM = 1_000_000
DAY_MS = 86_400_000
YEAR_DAYS = 360
TERM_MS_MAX = 3 * 366 * DAY_MS


class Status(Choice):
    """What a claim is."""

    OPEN = "open"
    LOCKED = "locked"
    SPLIT = "split"
    PAID = "paid"


class Act(Choice):
    """What was done with a claim."""

    ISSUED = "issued"
    SPLIT = "split"
    SPLIT_OFF = "split_off"
    TRANSFERRED = "transferred"
    OFFERED = "offered"
    DECLINED = "declined"
    FINANCED = "financed"
    PAID = "paid"


class Debt(Record):
    """What a debtor owes over one invoice."""

    debt_id: str
    supplier: Org
    debtor: Org
    invoice: str
    cents: int
    due_ms: int
    paid_cents: int = 0


class Claim(Record):
    """A part of a debt, in one hand."""

    debt_id: str
    number: int
    holder: Org
    cents: int
    part_of: int | None = None
    status: Status = Status.OPEN
    financier: Org | None = None
    rate_ppm: int = 0
    locked_until_ms: int = 0


class Step(Record):
    """One entry in the history of a claim; holder and cents are those after it."""

    act: Act
    by: Org
    holder: Org
    cents: int
    time_ms: int


class Payment(Record):
    """A payment on a debt."""

    cents: int
    time_ms: int


class Share(Record):
    """What a payment brings the holder of one claim."""

    number: int
    holder: Org
    cents: int


class DebtIssued(Event):
    """A debtor and a supplier put a debt on record."""

    debt_id: str
    supplier: Org
    debtor: Org
    cents: int
    due_ms: int


class ClaimChanged(Event):
    """Something was done with a claim; holder and cents are those after it."""

    debt_id: str
    number: int
    act: Act
    by: Org
    holder: Org
    cents: int


class ClaimFinanced(Event):
    """A financier took a claim over, at a price that it pays to the seller."""

    debt_id: str
    number: int
    seller: Org
    financier: Org
    price_cents: int


class DebtPaid(Event):
    """A payment on a debt was shared among its claims."""

    debt_id: str
    cents: int
    left_cents: int
    shares: list[Share]


debts: Table[Debt] = Table(key="debt_id")
debt_of_invoice: Unique[Debt] = Unique(debts, by=("supplier", "invoice"), code="INVOICE_TAKEN")
debts_by_debtor: Index[Debt] = Index(debts, by=("debtor", "due_ms"))
claims: Table[Claim] = Table(key=("debt_id", "number"))
claims_by_holder: Index[Claim] = Index(claims, by=("holder", "status"))
claims_by_financier: Index[Claim] = Index(claims, by="financier")
steps: Log[tuple[str, int], Step] = Log()
payments: Log[str, Payment] = Log()
owed: Map[Org, int] = Map(default=0)


def is_id(text: str) -> bool:
    """Tell whether a text can name something."""
    return 0 < len(text) <= ID_CHARACTERS_MAX and text == text.strip()


def require_direct_call(ctx: Context) -> None:
    """Refuse what another contract asks for: whoever signs for that one has not signed away a claim."""
    require(ctx.caller is None, "DIRECT_CALL_ONLY")


def check_party(party: Org) -> None:
    """Refuse a party that the ledger does not know: what it held nobody could pass on."""
    require(call_view(REGISTRY, "is_active", organisation=party), "PARTY_UNKNOWN")


def check_receiver(claim: Claim, party: Org) -> None:
    """Refuse a party that cannot get a claim."""
    require(party != claim.holder, "ALREADY_HOLDER")
    require(party != debts[claim.debt_id].debtor, "DEBTOR_CANNOT_HOLD")
    check_party(party)


def note(ctx: Context, claim: Claim, act: Act) -> None:
    """Put a step into the history of a claim and announce it."""
    step = Step(act=act, by=ctx.sender, holder=claim.holder, cents=claim.cents, time_ms=ctx.time_ms)
    steps.append((claim.debt_id, claim.number), step)
    emit(
        ClaimChanged(
            debt_id=claim.debt_id,
            number=claim.number,
            act=act,
            by=ctx.sender,
            holder=claim.holder,
            cents=claim.cents,
        )
    )


def unlock(claim: Claim) -> None:
    """End the offer of a claim; one that has no offer stays as it is."""
    claim.status = Status.OPEN
    claim.financier = None
    claim.rate_ppm = 0
    claim.locked_until_ms = 0


def disposable(ctx: Context, debt_id: str, number: int) -> Claim:
    """Return a claim that the sender may split, pass on or offer; an offer that has ended is taken off it."""
    require_direct_call(ctx)
    claim = claims[debt_id, number]
    require(claim.holder == ctx.sender, "NOT_HOLDER")
    require(claim.cents > 0, "NOTHING_OWED")
    require(ctx.time_ms < debts[debt_id].due_ms, "DUE")
    require(ctx.time_ms >= claim.locked_until_ms, "LOCKED")
    unlock(claim)
    return claim


def offered_to_sender(ctx: Context, debt_id: str, number: int) -> Claim:
    """Return a claim that is offered to the sender."""
    require_direct_call(ctx)
    claim = claims[debt_id, number]
    require(claim.financier == ctx.sender, "NOT_OFFERED_TO_YOU")
    require(ctx.time_ms < claim.locked_until_ms, "OFFER_ENDED")
    require_role(ctx, FINANCIER)
    return claim


def days_until(due_ms: int, time_ms: int) -> int:
    """Return the days until a time, the day begun included."""
    return mul_div(max(due_ms - time_ms, 0), 1, DAY_MS, Rounding.UP)


def price_of(claim: Claim, due_ms: int, time_ms: int) -> int:
    """Return a claim's price: its amount less the interest until it is due, actual/360, rounded up to a cent."""
    interest = mul_div(claim.cents, claim.rate_ppm * days_until(due_ms, time_ms), PPM * YEAR_DAYS, Rounding.UP)
    return max(claim.cents - interest, 0)


@action
def issue(ctx: Context, debt_id: str, debtor: Org, invoice: str, cents: int, due_ms: int) -> None:
    """Put a debt on record: sent by the supplier, signed by a treasurer of the debtor too."""
    require_direct_call(ctx)
    require_role(ctx, TREASURER, debtor)
    require(debtor != ctx.sender, "DEBTOR_IS_SUPPLIER")
    require(is_id(debt_id), "DEBT_ID_INVALID")
    require(0 < len(invoice) <= ID_CHARACTERS_MAX, "INVOICE_INVALID")
    require(all(character in INVOICE_CHARACTERS for character in invoice), "INVOICE_INVALID")
    require(0 < cents <= CENTS_MAX, "AMOUNT_INVALID")
    require(ctx.time_ms < due_ms, "DUE_TIME_INVALID")
    require(due_ms <= ctx.time_ms + TERM_MS_MAX, "DUE_TIME_INVALID")
    debts.add(Debt(debt_id=debt_id, supplier=ctx.sender, debtor=debtor, invoice=invoice, cents=cents, due_ms=due_ms))
    claim = Claim(debt_id=debt_id, number=0, holder=ctx.sender, cents=cents)
    claims.add(claim)
    owed.add(debtor, cents)
    emit(DebtIssued(debt_id=debt_id, supplier=ctx.sender, debtor=debtor, cents=cents, due_ms=due_ms))
    note(ctx, claim, Act.ISSUED)


@action
def split(ctx: Context, debt_id: str, number: int, parts: list[int]) -> list[int]:
    """Divide a claim into new ones that add up to it, and return their numbers; for its holder."""
    claim = disposable(ctx, debt_id, number)
    require(2 <= len(parts) <= PARTS_MAX, "PARTS_INVALID")
    require(all(part > 0 for part in parts), "PARTS_INVALID")
    require(sum(parts) == claim.cents, "PARTS_DO_NOT_ADD_UP")
    first = claims.count(prefix=(debt_id,))
    require(first + len(parts) <= CLAIMS_MAX, "TOO_MANY_CLAIMS")
    numbers: list[int] = []
    for new, cents in enumerate(parts, start=first):
        part = Claim(debt_id=debt_id, number=new, holder=claim.holder, cents=cents, part_of=number)
        claims.add(part)
        note(ctx, part, Act.SPLIT_OFF)
        numbers.append(new)
    claim.status = Status.SPLIT
    claim.cents = 0
    claims.save(claim)
    note(ctx, claim, Act.SPLIT)
    return numbers


@action
def transfer(ctx: Context, debt_id: str, number: int, to: Org) -> None:
    """Pass a claim on; for its holder."""
    claim = disposable(ctx, debt_id, number)
    check_receiver(claim, to)
    claim.holder = to
    claims.save(claim)
    note(ctx, claim, Act.TRANSFERRED)


@action
def offer(ctx: Context, debt_id: str, number: int, financier: Org, rate_ppm: int, until_ms: int) -> None:
    """Offer a claim to a financier at a yearly rate in millionths, and lock it until then; for its holder."""
    claim = disposable(ctx, debt_id, number)
    check_receiver(claim, financier)
    require(0 <= rate_ppm <= RATE_PPM_MAX, "RATE_INVALID")
    require(ctx.time_ms < until_ms, "OFFER_TIME_INVALID")
    require(until_ms <= debts[debt_id].due_ms, "OFFER_TIME_INVALID")
    claim.status = Status.LOCKED
    claim.financier = financier
    claim.rate_ppm = rate_ppm
    # The price only rises until the debt is due: what is above zero now is above zero when it is financed.
    require(price_of(claim, debts[debt_id].due_ms, ctx.time_ms) > 0, "PRICE_IS_ZERO")
    claim.locked_until_ms = until_ms
    claims.save(claim)
    note(ctx, claim, Act.OFFERED)


@action
def decline(ctx: Context, debt_id: str, number: int) -> None:
    """Give an offered claim free; for the financier that it is offered to."""
    claim = offered_to_sender(ctx, debt_id, number)
    unlock(claim)
    claims.save(claim)
    note(ctx, claim, Act.DECLINED)


@action
def finance(ctx: Context, debt_id: str, number: int) -> int:
    """Take an offered claim over, and return the price in cents that the financier pays for it; for that financier."""
    claim = offered_to_sender(ctx, debt_id, number)
    seller = claim.holder
    price = price_of(claim, debts[debt_id].due_ms, ctx.time_ms)
    unlock(claim)
    claim.holder = ctx.sender
    claims.save(claim)
    note(ctx, claim, Act.FINANCED)
    emit(ClaimFinanced(debt_id=debt_id, number=number, seller=seller, financier=ctx.sender, price_cents=price))
    return price


@action
def pay(ctx: Context, debt_id: str, cents: int) -> list[Share]:
    """Put a payment on record once the debt is due, and return whose it is; for a treasurer of the debtor."""
    require_direct_call(ctx)
    debt = debts[debt_id]
    require(debt.debtor == ctx.sender, "NOT_DEBTOR")
    require_role(ctx, TREASURER)
    require(ctx.time_ms >= debt.due_ms, "NOT_DUE")
    require(0 < cents, "AMOUNT_INVALID")
    require(cents <= debt.cents - debt.paid_cents, "AMOUNT_INVALID")
    owing = [claim for claim in claims.scan(prefix=(debt_id,)) if claim.cents > 0]
    shares: list[Share] = []
    for claim, part in zip(owing, pro_rata(cents, [claim.cents for claim in owing])):
        unlock(claim)
        claim.cents -= part
        if claim.cents == 0:
            claim.status = Status.PAID
        claims.save(claim)
        note(ctx, claim, Act.PAID)
        shares.append(Share(number=claim.number, holder=claim.holder, cents=part))
    debt.paid_cents += cents
    debts.save(debt)
    owed.add(debt.debtor, -cents)
    payments.append(debt_id, Payment(cents=cents, time_ms=ctx.time_ms))
    emit(DebtPaid(debt_id=debt_id, cents=cents, left_cents=debt.cents - debt.paid_cents, shares=shares))
    return shares


@view
def debt(ctx: Context, debt_id: str) -> Debt:
    """Return a debt."""
    return debts[debt_id]


@view
def claim(ctx: Context, debt_id: str, number: int) -> Claim:
    """Return a claim."""
    return claims[debt_id, number]


@view
def price(ctx: Context, debt_id: str, number: int) -> int:
    """Return what the financier that a claim is offered to would pay for it now."""
    found = claims[debt_id, number]
    require(found.status == Status.LOCKED, "NOT_OFFERED")
    require(ctx.time_ms < found.locked_until_ms, "OFFER_ENDED")
    return price_of(found, debts[debt_id].due_ms, ctx.time_ms)


@view
def held(
    ctx: Context,
    holder: Org,
    status: Status,
    after_debt: str = "",
    after_number: int = -1,
    limit: int = PAGE_CLAIMS_MAX,
) -> list[Claim]:
    """Return a page of a holder's claims of one status: the first, or the one after a claim."""
    require(0 < limit <= PAGE_CLAIMS_MAX, "LIMIT_INVALID")
    return claims_by_holder.scan(prefix=(holder, status), after=(holder, status, after_debt, after_number), limit=limit)


@view
def offered(ctx: Context, financier: Org) -> list[Claim]:
    """Return the claims that are or were last offered to a financier, those of ended offers included."""
    return claims_by_financier.scan(prefix=financier)


@view
def due(ctx: Context, debtor: Org, until_ms: int) -> list[Debt]:
    """Return a debtor's debts that are due before a time, the earliest first."""
    return debts_by_debtor.scan(start=(debtor,), end=(debtor, until_ms))


@view
def debt_over(ctx: Context, supplier: Org, invoice: str) -> Debt:
    """Return the debt over an invoice."""
    return debt_of_invoice[supplier, invoice]


@view
def history(ctx: Context, debt_id: str, number: int) -> list[Step]:
    """Return what was done with a claim, oldest first."""
    return steps.scan((debt_id, number))


@view
def total_owed(ctx: Context, debtor: Org) -> int:
    """Return what a debtor owes in all."""
    return owed[debtor]

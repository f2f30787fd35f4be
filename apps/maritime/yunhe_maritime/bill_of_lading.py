"""Electronic bill of lading: one holder at each height, endorsed like the paper document, surrendered to the carrier that issued it.

The document stays beside the ledger; a bill holds its checksum and what the rules need. Possession (`holder`) and title (`title_holder`)
are two fields, as the transfer of one does not transfer the other.

Rules (UNCITRAL Model Law on Electronic Transferable Records, articles 10 to 15; DCSA PINT 3.0.0, Transaction.actionCode; DCSA EBL_SUR
3.0.4):

- A bill is issued once, by a carrier, over a document that no other bill is issued over.
- Exactly one organisation holds a bill at each height, and only the holder can pass it on.
- Possession passes by `transfer`. Endorsement passes title and leaves possession where it is.
- A straight bill is not endorsed. A bill to order is endorsed by its title holder, while holding it; a bill in blank by any holder.
- An endorsement to a named party ends the chain of endorsements; one to a party's order does not; one in blank makes it a bearer's bill.
- A straight bill is surrendered by the consignee or the shipper, a bill to order by its title holder, a bill in blank by any holder, always
  while holding it. The carrier then holds it, and answers: what is accepted ends the bill, what is rejected goes back.

A bill's chain is a list in its record and not a log beside it, because one proof of the record then shows the whole back of the bill.

What it does not do: amend or split a bill, move one to paper, or know who lent money on it. A bill that was surrendered for amendment is
void, and the amended one is issued under a reference of its own.
"""

from yunhe.contracts import Choice, Context, Event, Index, Org, Record, Table, Unique, action, call_view, emit, require, require_role, view

REGISTRY = "registry"
REFERENCE_CHARACTERS_MAX = 20
CHECKSUM_DIGITS = 64
CHAIN_STEPS_MAX = 200
PAGE_BILLS_MAX = 100


class Status(Choice):
    """What can be done with a bill."""

    LIVE = "live"
    SURRENDER_REQUESTED = "surrender_requested"
    DELIVERED = "delivered"
    VOID = "void"


class Title(Choice):
    """Who may claim the goods, and may say that another one may."""

    STRAIGHT = "straight"
    TO_ORDER = "to_order"
    NAMED = "named"
    BEARER = "bearer"


class Act(Choice):
    """Action codes of DCSA PINT 3.0.0."""

    ISSUE = "ISSUE"
    TRANSFER = "TRANSFER"
    ENDORSE = "ENDORSE"
    ENDORSE_TO_ORDER = "ENDORSE_TO_ORDER"
    BLANK_ENDORSE = "BLANK_ENDORSE"
    SURRENDER_FOR_DELIVERY = "SURRENDER_FOR_DELIVERY"
    SURRENDER_FOR_AMENDMENT = "SURRENDER_FOR_AMENDMENT"
    SURRENDER_ACCEPTED = "SACC"
    SURRENDER_REJECTED = "SREJ"


class Step(Record):
    """One entry on the back of the bill."""

    act: Act
    by: Org
    to: Org | None
    time_ms: int


class Bill(Record):
    """A bill of lading, from its issue on."""

    bill_id: str
    document_checksum: str
    carrier: Org
    shipper: Org
    consignee: Org | None
    title: Title
    title_holder: Org | None
    holder: Org
    status: Status
    chain: list[Step]


class BillActedOn(Event):
    """Something was done with a bill; `holder` and `status` are those after it."""

    bill_id: str
    document_checksum: str
    act: Act
    by: Org
    to: Org | None
    holder: Org
    status: Status


bills: Table[Bill] = Table(key="bill_id")
bill_of_document: Unique[Bill] = Unique(bills, by="document_checksum", code="DOCUMENT_ALREADY_ISSUED")
bills_by_holder: Index[Bill] = Index(bills, by="holder")
bills_by_carrier: Index[Bill] = Index(bills, by=("carrier", "status"))


def require_party(party: Org) -> None:
    """Refuse a party that the ledger does not know: a bill in its hands would have no controller."""
    require(party in call_view(REGISTRY, "active_organisations"), "PARTY_UNKNOWN")


def record_step(ctx: Context, bill: Bill, act: Act, to: Org | None) -> None:
    """Write the step on the back of the bill and announce it."""
    bill.chain.append(Step(act=act, by=ctx.sender, to=to, time_ms=ctx.time_ms))
    emit(
        BillActedOn(
            bill_id=bill.bill_id,
            document_checksum=bill.document_checksum,
            act=act,
            by=ctx.sender,
            to=to,
            holder=bill.holder,
            status=bill.status,
        )
    )


def held_by_sender(ctx: Context, bill_id: str) -> Bill:
    """Return a live bill that the sender holds."""
    bill = bills[bill_id]
    require(bill.status != Status.DELIVERED, "SURRENDERED")
    require(bill.status != Status.VOID, "VOID")
    require(bill.status != Status.SURRENDER_REQUESTED, "SURRENDER_PENDING")
    require(bill.holder == ctx.sender, "NOT_HOLDER")
    return bill


def passed_on_by_sender(ctx: Context, bill_id: str) -> Bill:
    """Return a live bill that the sender holds and whose chain has room for another step."""
    bill = held_by_sender(ctx, bill_id)
    # What is left of the record's size is kept for surrenders and their answers, so that a long chain never locks a bill.
    require(len(bill.chain) < CHAIN_STEPS_MAX, "CHAIN_FULL")
    return bill


def endorsable_by_sender(ctx: Context, bill_id: str) -> Bill:
    """Return a bill that the sender holds and may endorse."""
    bill = passed_on_by_sender(ctx, bill_id)
    require(bill.title != Title.STRAIGHT, "NOT_NEGOTIABLE")
    require(bill.title != Title.NAMED, "ENDORSED_TO_NAMED_PARTY")
    require(bill.title == Title.BEARER or bill.title_holder == ctx.sender, "NOT_TITLE_HOLDER")
    return bill


def awaiting_answer(ctx: Context, bill_id: str) -> Bill:
    """Return a surrendered bill that the sender, its carrier, has to answer for."""
    bill = bills[bill_id]
    require(bill.carrier == ctx.sender, "NOT_CARRIER")
    require_role(ctx, "carrier")
    # While a surrender waits for its answer nothing else can be done, so the request is the last step of the chain.
    require(bill.status == Status.SURRENDER_REQUESTED, "NO_SURRENDER_REQUESTED")
    return bill


@action
def issue(ctx: Context, bill_id: str, document_checksum: str, shipper: Org, consignee: Org | None, endorsee: Org | None) -> None:
    """Issue a bill to the shipper: straight with a consignee, to the order of an endorsee, or in blank with neither."""
    require_role(ctx, "carrier")
    require(bill_id != "" and bill_id == bill_id.strip() and len(bill_id) <= REFERENCE_CHARACTERS_MAX, "BILL_ID_INVALID")
    require(len(document_checksum) == CHECKSUM_DIGITS, "CHECKSUM_INVALID")
    require(all(digit in "0123456789abcdef" for digit in document_checksum), "CHECKSUM_INVALID")
    require(bill_id not in bills, "ALREADY_ISSUED")
    require(consignee is None or endorsee is None, "CONSIGNEE_AND_ENDORSEE")
    require_party(shipper)
    title = Title.BEARER
    if consignee is not None:
        require_party(consignee)
        title = Title.STRAIGHT
    elif endorsee is not None:
        require_party(endorsee)
        title = Title.TO_ORDER
    bill = Bill(
        bill_id=bill_id,
        document_checksum=document_checksum,
        carrier=ctx.sender,
        shipper=shipper,
        consignee=consignee,
        title=title,
        title_holder=endorsee if consignee is None else consignee,
        holder=shipper,
        status=Status.LIVE,
        chain=[],
    )
    record_step(ctx, bill, Act.ISSUE, shipper)
    bills.add(bill)


@action
def endorse(ctx: Context, bill_id: str, to: Org) -> None:
    """Make a named party the title holder, who may claim the goods but may not endorse the bill on."""
    bill = endorsable_by_sender(ctx, bill_id)
    require_party(to)
    bill.title = Title.NAMED
    bill.title_holder = to
    record_step(ctx, bill, Act.ENDORSE, to)
    bills.save(bill)


@action
def endorse_to_order(ctx: Context, bill_id: str, to: Org) -> None:
    """Make a party the title holder, who may claim the goods or endorse the bill on."""
    bill = endorsable_by_sender(ctx, bill_id)
    require_party(to)
    bill.title = Title.TO_ORDER
    bill.title_holder = to
    record_step(ctx, bill, Act.ENDORSE_TO_ORDER, to)
    bills.save(bill)


@action
def endorse_in_blank(ctx: Context, bill_id: str) -> None:
    """Give the title to whoever holds the bill."""
    bill = endorsable_by_sender(ctx, bill_id)
    bill.title = Title.BEARER
    bill.title_holder = None
    record_step(ctx, bill, Act.BLANK_ENDORSE, None)
    bills.save(bill)


@action
def transfer(ctx: Context, bill_id: str, to: Org) -> None:
    """Give possession to another party."""
    bill = passed_on_by_sender(ctx, bill_id)
    require(to != ctx.sender, "ALREADY_HOLDER")
    require_party(to)
    bill.holder = to
    record_step(ctx, bill, Act.TRANSFER, to)
    bills.save(bill)


@action
def surrender(ctx: Context, bill_id: str, for_amendment: bool) -> None:
    """Give the bill back to the carrier, for delivery of the goods or for an amended bill."""
    bill = held_by_sender(ctx, bill_id)
    if bill.title == Title.STRAIGHT:
        require(ctx.sender in (bill.consignee, bill.shipper), "NOT_ENTITLED")
    else:
        require(bill.title == Title.BEARER or bill.title_holder == ctx.sender, "NOT_ENTITLED")
    bill.holder = bill.carrier
    bill.status = Status.SURRENDER_REQUESTED
    record_step(ctx, bill, Act.SURRENDER_FOR_AMENDMENT if for_amendment else Act.SURRENDER_FOR_DELIVERY, bill.carrier)
    bills.save(bill)


@action
def accept_surrender(ctx: Context, bill_id: str) -> None:
    """End the bill: the goods are delivered, or an amended bill takes its place."""
    bill = awaiting_answer(ctx, bill_id)
    request = bill.chain[-1]
    bill.status = Status.VOID if request.act == Act.SURRENDER_FOR_AMENDMENT else Status.DELIVERED
    record_step(ctx, bill, Act.SURRENDER_ACCEPTED, request.by)
    bills.save(bill)


@action
def reject_surrender(ctx: Context, bill_id: str) -> None:
    """Give the bill back to the party that surrendered it."""
    bill = awaiting_answer(ctx, bill_id)
    request = bill.chain[-1]
    bill.holder = request.by
    bill.status = Status.LIVE
    record_step(ctx, bill, Act.SURRENDER_REJECTED, request.by)
    bills.save(bill)


@view
def bill(ctx: Context, bill_id: str) -> Bill:
    """Return a bill."""
    return bills[bill_id]


@view
def chain(ctx: Context, bill_id: str) -> list[Step]:
    """Return what was done with a bill, oldest first."""
    return bills[bill_id].chain


@view
def of_document(ctx: Context, document_checksum: str) -> Bill:
    """Return the bill that was issued over a document."""
    return bill_of_document[document_checksum]


@view
def held(ctx: Context, holder: Org, after: str = "", limit: int = PAGE_BILLS_MAX) -> list[str]:
    """Return references of the bills that an organisation holds, in their order; `after` is the last one of the page before."""
    require(1 <= limit <= PAGE_BILLS_MAX, "LIMIT_INVALID")
    return [bill.bill_id for bill in bills_by_holder.scan(prefix=holder, after=(holder, after), limit=limit)]


@view
def surrendered(ctx: Context, carrier: Org, after: str = "", limit: int = PAGE_BILLS_MAX) -> list[str]:
    """Return references of the bills whose surrender a carrier has to answer; pages as those of `held`."""
    require(1 <= limit <= PAGE_BILLS_MAX, "LIMIT_INVALID")
    place = (carrier, Status.SURRENDER_REQUESTED)
    return [bill.bill_id for bill in bills_by_carrier.scan(prefix=place, after=(carrier, Status.SURRENDER_REQUESTED, after), limit=limit)]

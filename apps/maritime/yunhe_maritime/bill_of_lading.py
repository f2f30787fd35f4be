"""Electronic bill of lading: one holder at each height, endorsed like the paper document, surrendered to the carrier that issued it.

The document stays beside the ledger; a bill holds its checksum and what the rules need. Possession (`holder`) and title (`title_holder`)
are two fields, as the transfer of one does not transfer the other.

Rules (UNCITRAL Model Law on Electronic Transferable Records, articles 10 to 15; DCSA PINT 3.0.0, Transaction.actionCode; DCSA EBL_SUR
3.0.4):

- A bill is known by its carrier and that carrier's number, so no member can take another carrier's number. It is issued once, by a carrier,
  over a document that no other bill was ever issued over.
- Exactly one organisation holds a bill at each height, and only the holder can pass it on.
- Possession passes by `transfer`. Endorsement passes title and leaves possession where it is.
- A straight bill is not endorsed. A bill to order is endorsed by its title holder, while holding it; a bill in blank by any holder.
- An endorsement to a named party ends the chain of endorsements; one to a party's order does not; one in blank makes it a bearer's bill.
- Who was endorsed to may refuse the endorsement until it acts on the bill. Title goes back to the endorser, and the bill if it holds it.
- A straight bill is surrendered by the consignee or the shipper, a bill to order by its title holder, a bill in blank by any holder, always
  while holding it. The carrier then holds it, and answers: what is accepted ends the bill, what is rejected goes back.
- A bill surrendered for amendment becomes void in the very transaction that issues the amended one, over a new document and under a number
  of its own, to the party that surrendered, which signs too. So there are never two live bills for a carriage, and never none between.
- A bill is acted on by its parties' own transactions. Another contract may read it; what a party signed for another contract moves no bill.

A bill's chain is a list in its record and not a log beside it, because one proof of the record then shows the whole back of the bill.

What it does not do: split a bill, move one to paper, or know who lent money on it.
"""

from yunhe.contracts import (
    Choice,
    Context,
    Event,
    Index,
    Org,
    Record,
    Table,
    Unique,
    action,
    call_view,
    emit,
    refuse,
    require,
    require_role,
    require_signer,
    view,
)

REGISTRY = "registry"
CARRIER_ROLE = "carrier"
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
    """Action codes of DCSA PINT 3.0.0, and the refusal of an endorsement, for which it has none."""

    ISSUE = "ISSUE"
    TRANSFER = "TRANSFER"
    ENDORSE = "ENDORSE"
    ENDORSE_TO_ORDER = "ENDORSE_TO_ORDER"
    BLANK_ENDORSE = "BLANK_ENDORSE"
    REFUSE_ENDORSEMENT = "REFUSE_ENDORSEMENT"
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

    carrier: Org
    bill_id: str
    document_checksum: str
    shipper: Org
    consignee: Org | None
    title: Title
    title_holder: Org | None
    holder: Org
    status: Status
    chain: list[Step]
    replaces: str | None = None
    replaced_by: str | None = None


class BillName(Record):
    """What a bill is known by."""

    carrier: Org
    bill_id: str


class BillActedOn(Event):
    """Something was done with a bill; `holder` and `status` are those after it."""

    carrier: Org
    bill_id: str
    document_checksum: str
    act: Act
    by: Org
    to: Org | None
    holder: Org
    status: Status


bills: Table[Bill] = Table(key=("carrier", "bill_id"))
bill_of_document: Unique[Bill] = Unique(bills, by="document_checksum", code="DOCUMENT_ALREADY_ISSUED")
bills_by_holder: Index[Bill] = Index(bills, by="holder")
bills_by_carrier: Index[Bill] = Index(bills, by=("carrier", "status"))


def require_party(party: Org) -> None:
    """Refuse a party that the ledger does not know: a bill in its hands would have no controller."""
    require(call_view(REGISTRY, "is_active", organisation=party), "PARTY_UNKNOWN")


def require_direct_call(ctx: Context) -> None:
    """Refuse what another contract asks for: whoever signs for that one has not signed away a bill."""
    require(ctx.caller is None, "DIRECT_CALL_ONLY")


def record_step(ctx: Context, bill: Bill, act: Act, to: Org | None) -> None:
    """Write the step on the back of the bill and announce it."""
    bill.chain.append(Step(act=act, by=ctx.sender, to=to, time_ms=ctx.time_ms))
    emit(
        BillActedOn(
            carrier=bill.carrier,
            bill_id=bill.bill_id,
            document_checksum=bill.document_checksum,
            act=act,
            by=ctx.sender,
            to=to,
            holder=bill.holder,
            status=bill.status,
        )
    )


def live_bill(ctx: Context, carrier: Org, bill_id: str) -> Bill:
    """Return a bill that its parties can act on."""
    require_direct_call(ctx)
    bill = bills[carrier, bill_id]
    require(bill.status != Status.DELIVERED, "SURRENDERED")
    require(bill.status != Status.VOID, "VOID")
    require(bill.status != Status.SURRENDER_REQUESTED, "SURRENDER_PENDING")
    return bill


def held_by_sender(ctx: Context, carrier: Org, bill_id: str) -> Bill:
    """Return a live bill that the sender holds."""
    bill = live_bill(ctx, carrier, bill_id)
    require(bill.holder == ctx.sender, "NOT_HOLDER")
    return bill


def passed_on_by_sender(ctx: Context, carrier: Org, bill_id: str) -> Bill:
    """Return a live bill that the sender holds and whose chain has room for another step."""
    bill = held_by_sender(ctx, carrier, bill_id)
    # What is left of the record's size is kept for surrenders and their answers, so that a long chain never locks a bill.
    require(len(bill.chain) < CHAIN_STEPS_MAX, "CHAIN_FULL")
    return bill


def endorsable_by_sender(ctx: Context, carrier: Org, bill_id: str) -> Bill:
    """Return a bill that the sender holds and may endorse."""
    bill = passed_on_by_sender(ctx, carrier, bill_id)
    require(bill.title != Title.STRAIGHT, "NOT_NEGOTIABLE")
    require(bill.title != Title.NAMED, "ENDORSED_TO_NAMED_PARTY")
    require(bill.title == Title.BEARER or bill.title_holder == ctx.sender, "NOT_TITLE_HOLDER")
    return bill


def endorser_to_sender(bill: Bill, sender: Org) -> Org:
    """Return who endorsed a bill to the sender, which has not acted on it since."""
    for step in reversed(bill.chain):
        require(step.by != sender, "ENDORSEMENT_ACCEPTED")
        if step.act in (Act.ENDORSE, Act.ENDORSE_TO_ORDER):
            return step.by
    return refuse("NOT_ENDORSED")


def awaiting_answer(ctx: Context, bill_id: str) -> Bill:
    """Return a surrendered bill that the sender, its carrier, has to answer for."""
    require_direct_call(ctx)
    require_role(ctx, CARRIER_ROLE)
    bill = bills[ctx.sender, bill_id]
    # While a surrender waits for its answer nothing else can be done, so the request is the last step of the chain.
    require(bill.status == Status.SURRENDER_REQUESTED, "NO_SURRENDER_REQUESTED")
    return bill


def new_bill(
    ctx: Context, bill_id: str, document_checksum: str, shipper: Org, consignee: Org | None, endorsee: Org | None, holder: Org
) -> Bill:
    """Return a bill of the sender, a carrier, made out as the arguments say, with its issue on its back."""
    require_role(ctx, CARRIER_ROLE)
    require(bill_id != "" and bill_id == bill_id.strip() and len(bill_id) <= REFERENCE_CHARACTERS_MAX, "BILL_ID_INVALID")
    require(len(document_checksum) == CHECKSUM_DIGITS, "CHECKSUM_INVALID")
    require(all(digit in "0123456789abcdef" for digit in document_checksum), "CHECKSUM_INVALID")
    require((ctx.sender, bill_id) not in bills, "ALREADY_ISSUED")
    require(consignee is None or endorsee is None, "CONSIGNEE_AND_ENDORSEE")
    title = Title.BEARER
    if consignee is not None:
        require_party(consignee)
        title = Title.STRAIGHT
    elif endorsee is not None:
        require_party(endorsee)
        title = Title.TO_ORDER
    bill = Bill(
        carrier=ctx.sender,
        bill_id=bill_id,
        document_checksum=document_checksum,
        shipper=shipper,
        consignee=consignee,
        title=title,
        title_holder=endorsee if consignee is None else consignee,
        holder=holder,
        status=Status.LIVE,
        chain=[],
    )
    record_step(ctx, bill, Act.ISSUE, holder)
    return bill


@action
def issue(ctx: Context, bill_id: str, document_checksum: str, shipper: Org, consignee: Org | None, endorsee: Org | None) -> None:
    """Issue a bill to the shipper: straight with a consignee, to the order of an endorsee, or in blank with neither."""
    require_direct_call(ctx)
    require_party(shipper)
    bills.add(new_bill(ctx, bill_id, document_checksum, shipper, consignee, endorsee, shipper))


@action
def endorse(ctx: Context, carrier: Org, bill_id: str, to: Org) -> None:
    """Make a named party the title holder, who may claim the goods but may not endorse the bill on."""
    bill = endorsable_by_sender(ctx, carrier, bill_id)
    require_party(to)
    bill.title = Title.NAMED
    bill.title_holder = to
    record_step(ctx, bill, Act.ENDORSE, to)
    bills.save(bill)


@action
def endorse_to_order(ctx: Context, carrier: Org, bill_id: str, to: Org) -> None:
    """Make a party the title holder, who may claim the goods or endorse the bill on."""
    bill = endorsable_by_sender(ctx, carrier, bill_id)
    require_party(to)
    bill.title = Title.TO_ORDER
    bill.title_holder = to
    record_step(ctx, bill, Act.ENDORSE_TO_ORDER, to)
    bills.save(bill)


@action
def endorse_in_blank(ctx: Context, carrier: Org, bill_id: str) -> None:
    """Give the title to whoever holds the bill."""
    bill = endorsable_by_sender(ctx, carrier, bill_id)
    bill.title = Title.BEARER
    bill.title_holder = None
    record_step(ctx, bill, Act.BLANK_ENDORSE, None)
    bills.save(bill)


@action
def refuse_endorsement(ctx: Context, carrier: Org, bill_id: str) -> None:
    """Give the title back to the endorser's order, and the bill too if the sender holds it; for who was endorsed to."""
    bill = live_bill(ctx, carrier, bill_id)
    require(bill.title_holder == ctx.sender, "NOT_TITLE_HOLDER")
    endorser = endorser_to_sender(bill, ctx.sender)
    # To its order, never back to the bearer: a bill in blank would then belong to whoever holds it now.
    bill.title = Title.TO_ORDER
    bill.title_holder = endorser
    if bill.holder == ctx.sender:
        bill.holder = endorser
    record_step(ctx, bill, Act.REFUSE_ENDORSEMENT, endorser)
    bills.save(bill)


@action
def transfer(ctx: Context, carrier: Org, bill_id: str, to: Org) -> None:
    """Give possession to another party."""
    bill = passed_on_by_sender(ctx, carrier, bill_id)
    require(to != ctx.sender, "ALREADY_HOLDER")
    require_party(to)
    bill.holder = to
    record_step(ctx, bill, Act.TRANSFER, to)
    bills.save(bill)


@action
def surrender(ctx: Context, carrier: Org, bill_id: str, for_amendment: bool) -> None:
    """Give the bill back to the carrier, for delivery of the goods or for an amended bill."""
    bill = held_by_sender(ctx, carrier, bill_id)
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
    """End the bill, because the goods are delivered; for its carrier."""
    bill = awaiting_answer(ctx, bill_id)
    request = bill.chain[-1]
    require(request.act == Act.SURRENDER_FOR_DELIVERY, "AMENDMENT_REQUESTED")
    bill.status = Status.DELIVERED
    record_step(ctx, bill, Act.SURRENDER_ACCEPTED, request.by)
    bills.save(bill)


@action
def amend(ctx: Context, bill_id: str, new_bill_id: str, document_checksum: str, consignee: Org | None, endorsee: Org | None) -> None:
    """Void a bill that was surrendered for amendment and issue the amended one in its place, to who surrendered it.

    Sent by the carrier, and signed by who surrendered too: it agrees to the document that it will hold.
    """
    bill = awaiting_answer(ctx, bill_id)
    request = bill.chain[-1]
    require(request.act == Act.SURRENDER_FOR_AMENDMENT, "DELIVERY_REQUESTED")
    require_signer(ctx, request.by)
    bill.status = Status.VOID
    bill.replaced_by = new_bill_id
    record_step(ctx, bill, Act.SURRENDER_ACCEPTED, request.by)
    bills.save(bill)
    amended = new_bill(ctx, new_bill_id, document_checksum, bill.shipper, consignee, endorsee, request.by)
    amended.replaces = bill_id
    bills.add(amended)


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
def bill(ctx: Context, carrier: Org, bill_id: str) -> Bill:
    """Return a bill."""
    return bills[carrier, bill_id]


@view
def chain(ctx: Context, carrier: Org, bill_id: str) -> list[Step]:
    """Return what was done with a bill, oldest first."""
    return bills[carrier, bill_id].chain


@view
def of_document(ctx: Context, document_checksum: str) -> Bill:
    """Return the bill that was issued over a document."""
    return bill_of_document[document_checksum]


@view
def held(ctx: Context, holder: Org, after_carrier: str = "", after_bill: str = "", limit: int = PAGE_BILLS_MAX) -> list[BillName]:
    """Return a page of the bills that an organisation holds, in the order of their names: the first, or the one after a bill."""
    require(1 <= limit <= PAGE_BILLS_MAX, "LIMIT_INVALID")
    found = bills_by_holder.scan(prefix=holder, after=(holder, after_carrier, after_bill), limit=limit)
    return [BillName(carrier=bill.carrier, bill_id=bill.bill_id) for bill in found]


@view
def surrendered(ctx: Context, carrier: Org, after_bill: str = "", limit: int = PAGE_BILLS_MAX) -> list[str]:
    """Return a page of the numbers of the bills whose surrender a carrier has to answer: the first, or the one after a bill."""
    require(1 <= limit <= PAGE_BILLS_MAX, "LIMIT_INVALID")
    place = (carrier, Status.SURRENDER_REQUESTED)
    found = bills_by_carrier.scan(prefix=place, after=(carrier, Status.SURRENDER_REQUESTED, carrier, after_bill), limit=limit)
    return [bill.bill_id for bill in found]

"""Documents of title, for the workload `bill`: issued with the typed fields that the rules need, then passed from holder to holder."""

from yunhe.contracts import Choice, Context, Event, Record, Table, action, emit, require, view

ISSUED_AT_ONCE_MAX = 1000


class Status(Choice):
    ISSUED = "issued"
    SURRENDERED = "surrendered"


class Bill(Record):
    number: str
    carrier: str
    shipper: str
    consignee: str
    holder: str
    port_of_loading: str
    port_of_discharge: str
    containers: list[str]
    gross_weight_kg: int
    document_hash: bytes
    status: Status
    transfers: int


class Issued(Event):
    number: str
    holder: str


class Endorsed(Event):
    number: str
    source: str
    target: str


bills: Table[Bill] = Table(key="number")


@action
def issue(ctx: Context, first: int, count: int, document_hash: bytes) -> None:
    require(0 < count <= ISSUED_AT_ONCE_MAX, "TOO_MANY")
    require(len(document_hash) == 32, "WRONG_HASH")
    for place in range(first, first + count):
        number = f"BENCH{place}"
        bills.add(
            Bill(
                number=number,
                carrier="carrier",
                shipper="shipper",
                consignee="consignee",
                holder="shipper",
                port_of_loading="CNSHA",
                port_of_discharge="NLRTM",
                containers=["MSKU0000001", "MSKU0000002", "MSKU0000003"],
                gross_weight_kg=48_000,
                document_hash=document_hash,
                status=Status.ISSUED,
                transfers=0,
            )
        )
        emit(Issued(number=number, holder="shipper"))


@action
def endorse(ctx: Context, number: str, target: str) -> None:
    bill = bills[number]
    require(bill.status == Status.ISSUED, "SURRENDERED")
    require(len(target) > 0, "NO_TARGET")
    emit(Endorsed(number=number, source=bill.holder, target=target))
    bill.holder = target
    bill.transfers += 1
    bills.save(bill)


@view
def holder(ctx: Context, number: str) -> str:
    return bills[number].holder

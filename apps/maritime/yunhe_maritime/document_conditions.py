"""Conditions between the fields of a transport document that the publication states in prose, and that no schema checks.

They are remarks: a document that breaks one is still valid against the published schema, and the publication's own examples break some.
What the ledger's bill needs in any case is separate, in `require_electronic_bill`.

Source: descriptions of the fields in DCSA EBL 3.0.4 and PINT 3.0.0, see `yunhe_maritime.field_types`.
"""

from collections.abc import Callable, Iterator
from typing import Final

from yunhe_maritime.errors import Fault, InvalidDocumentError, json_path
from yunhe_maritime.field_types import DocumentPart
from yunhe_maritime.parties import NotifyParty, OnBehalfOfShipper, Party, Shipper
from yunhe_maritime.strict_json import Path
from yunhe_maritime.transport_document import TransportDocument


def require_electronic_bill(document: TransportDocument) -> None:
    """Check that a document can become a bill on the ledger.

    Raises:
        InvalidDocumentError: it is a sea waybill, is on paper, or does not say to whom or to whose order it is made out.
    """
    faults: list[Fault] = []
    if document.transport_document_type_code != "BOL":
        faults.append(
            Fault("transportDocumentTypeCode", "must be BOL; found SWB, and a sea waybill is no document of title: nothing to transfer")
        )
    if not document.is_electronic:
        faults.append(Fault("isElectronic", "must be true; found false, and a paper bill has its original outside the ledger"))
    faults.extend(_made_out(document))
    if faults:
        raise InvalidDocumentError("a transport document, but not one that can be issued as an electronic bill of lading:", tuple(faults))


def broken_conditions(document: TransportDocument) -> tuple[Fault, ...]:
    """Return a remark for each condition that the document breaks."""
    return tuple(fault for condition in _CONDITIONS for fault in condition(document))


def unknown_fields(document: TransportDocument) -> tuple[str, ...]:
    """Return the paths of all fields that the published schema does not name; it allows them, and one may be a misspelt optional field."""
    return tuple(map(json_path, _unknown(document, ())))


def _unknown(value: object, path: Path) -> Iterator[Path]:
    if isinstance(value, DocumentPart):
        yield from ((*path, name) for name in value.model_extra or {})
        for name, field in type(value).model_fields.items():
            yield from _unknown(getattr(value, name), (*path, field.alias or name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _unknown(item, (*path, index))


def _made_out(document: TransportDocument) -> Iterator[Fault]:
    parties = document.document_parties
    if parties.consignee is not None and parties.endorsee is not None:
        yield Fault("documentParties.endorsee", "excludes a consignee")
    if not document.is_to_order and parties.consignee is None:
        yield Fault("documentParties.consignee", "is needed in a straight bill (isToOrder false)")
    if not document.is_to_order and parties.endorsee is not None:
        yield Fault("documentParties.endorsee", "can only be given in a negotiable bill (isToOrder true)")


def _waybill(document: TransportDocument) -> Iterator[Fault]:
    if document.transport_document_type_code == "SWB" and document.is_to_order:
        yield Fault("isToOrder", "must be false in a sea waybill")


def _dates(document: TransportDocument) -> Iterator[Fault]:
    if document.transport_document_status in ("DRAFT", "APPROVED"):
        return
    if document.issue_date is None:
        yield Fault("issueDate", "must be given once the document is issued")
    if (document.shipped_on_board_date is None) == (document.received_for_shipment_date is None):
        yield Fault("shippedOnBoardDate", "exactly one of it and receivedForShipmentDate must be given once the document is issued")


def _originals(document: TransportDocument) -> Iterator[Fault]:
    with_charges, without_charges = document.number_of_originals_with_charges, document.number_of_originals_without_charges
    count = (with_charges or 0) + (without_charges or 0)
    if document.is_electronic and count > 1:
        yield Fault(
            "numberOfOriginalsWithCharges", f"an electronic document has at most one original, with or without charges; found {count}"
        )
    if document.transport_document_type_code == "SWB" and count:
        yield Fault("numberOfOriginalsWithCharges", f"a sea waybill has no originals; found {count}")


def _physical_only(document: TransportDocument) -> Iterator[Fault]:
    if not document.is_electronic:
        return
    if document.number_of_rider_pages:
        yield Fault("numberOfRiderPages", "an electronic document has no rider pages")
    for name, copies in (
        ("numberOfCopiesWithCharges", document.number_of_copies_with_charges),
        ("numberOfCopiesWithoutCharges", document.number_of_copies_without_charges),
    ):
        if copies and document.transport_document_type_code == "BOL":
            yield Fault(name, "an electronic bill has no copies")


def _declared_value(document: TransportDocument) -> Iterator[Fault]:
    if (document.declared_value is None) != (document.declared_value_currency is None):
        yield Fault("declaredValueCurrency", "goes with declaredValue: both or neither")


def _carriage(document: TransportDocument) -> Iterator[Fault]:
    transports = document.transports
    if transports.pre_carriage_by is not None and transports.place_of_receipt is None:
        yield Fault("transports.placeOfReceipt", "is needed where preCarriageBy is given")
    if transports.on_carriage_by is not None and transports.place_of_delivery is None:
        yield Fault("transports.placeOfDelivery", "is needed where onCarriageBy is given")


def _notified(document: TransportDocument) -> Iterator[Fault]:
    parties = document.document_parties
    named = (parties.consignee is not None and parties.consignee.is_notify_party) or (
        parties.endorsee is not None and parties.endorsee.is_notify_party
    )
    if document.is_to_order and not named and not parties.notify_parties:
        yield Fault("documentParties.notifyParties", "is needed in a bill to order, unless the consignee or endorsee is to be notified")


def _identified(document: TransportDocument) -> Iterator[Fault]:
    parties = document.document_parties
    named: list[tuple[str, Shipper | OnBehalfOfShipper | NotifyParty | Party | None]] = [
        ("shipper", parties.shipper),
        ("onBehalfOfShipper", parties.on_behalf_of_shipper),
        *((f"notifyParties[{index}]", party) for index, party in enumerate(parties.notify_parties or [])),
        *((f"other[{index}].party", other.party) for index, other in enumerate(parties.other or [])),
    ]
    for name, party in named:
        # Lines of address count: the standard has them for an address that cannot be taken apart.
        if party is not None and not (party.address or party.address_lines or party.identifying_codes):
            yield Fault(f"documentParties.{name}", "needs an address or an identifying code")


def _reefers(document: TransportDocument) -> Iterator[Fault]:
    for index, equipment in enumerate(document.utilized_transport_equipments):
        path = f"utilizedTransportEquipments[{index}].activeReeferSettings"
        settings = equipment.active_reefer_settings
        if settings is None:
            continue
        if equipment.is_non_operating_reefer is not False:
            yield Fault(path, "only applies where isNonOperatingReefer is false")
        if (settings.temperature_setpoint is None) != (settings.temperature_unit is None):
            yield Fault(f"{path}.temperatureUnit", "goes with temperatureSetpoint: both or neither")
        if (settings.air_exchange_setpoint is None) != (settings.air_exchange_unit is None):
            yield Fault(f"{path}.airExchangeUnit", "goes with airExchangeSetpoint: both or neither")


_CONDITIONS: Final[tuple[Callable[[TransportDocument], Iterator[Fault]], ...]] = (
    _made_out,
    _waybill,
    _dates,
    _originals,
    _physical_only,
    _declared_value,
    _carriage,
    _notified,
    _identified,
    _reefers,
)

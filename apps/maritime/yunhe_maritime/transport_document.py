"""A transport document in the DCSA EBL 3.0 shape: bill of lading or sea waybill.

It exists so that a bill is issued on the ledger only over a document that every party can read the same way. Whatever this model accepts is
valid against the published schema, in `ebl/v3/EBL_v3.0.4.yaml` as in `pint/v3/EBL_PINT_v3.0.0.yaml`; beyond the schema it closes the code
lists that the descriptions name. Conditions between fields that the publication states in prose only are in `document_conditions`; reading
a file and its checksum are in `document_file`.

Source: TransportDocument and the objects below it, see `yunhe_maritime.field_types`. Sentences are ours, names and rules are theirs.
"""

from typing import Annotated

from annotated_types import MaxLen, MinLen

from yunhe_maritime.cargo import ConsignmentItem, CustomsReference, License, Reference
from yunhe_maritime.code_lists import (
    CargoMovementType,
    CarrierCodeListProvider,
    DocumentStatus,
    DocumentTypeCode,
    FeedbackCode,
    FeedbackSeverity,
    PaymentTermCode,
    ServiceType,
    VoyageRole,
)
from yunhe_maritime.equipment import UtilizedTransportEquipment
from yunhe_maritime.field_types import Amount, Count, CurrencyCode, DocumentPart, Given, Line, LinesOf35, LocalDate, VoyageReference, Word
from yunhe_maritime.locations import HandoverPlace, InlandPlace, InvoicePayableAt, PlaceOfIssue, Port
from yunhe_maritime.parties import DocumentParties, PartyContactDetail


class Charge(DocumentPart):
    """One line of the freight account."""

    charge_name: Annotated[Line, MaxLen(50)]
    """Still required, and to be ignored where the extended name is given."""
    extended_charge_name: Given[Annotated[Line, MaxLen(100)]] = None
    currency_amount: Amount
    currency_code: CurrencyCode
    payment_term_code: PaymentTermCode
    calculation_basis: Annotated[Line, MaxLen(50)]
    unit_price: Amount
    quantity: Amount


class VesselVoyage(DocumentPart):
    """A ship and its voyage."""

    vessel_name: Annotated[Line, MaxLen(50)]
    carrier_export_voyage_number: Annotated[Line, MaxLen(50)]
    universal_export_voyage_reference: Given[VoyageReference] = None
    role: Given[VoyageRole] = None


class Transports(DocumentPart):
    """The way of the goods, from receipt to delivery."""

    planned_arrival_date: LocalDate
    planned_departure_date: LocalDate
    pre_carriage_by: Given[Annotated[str, MaxLen(50)]] = None
    on_carriage_by: Given[Annotated[str, MaxLen(50)]] = None
    place_of_receipt: Given[HandoverPlace] = None
    port_of_loading: Port
    port_of_discharge: Port
    place_of_delivery: Given[HandoverPlace] = None
    onward_inland_routing: Given[InlandPlace] = None
    vessel_voyages: Annotated[list[VesselVoyage], MinLen(1)]


class Feedback(DocumentPart):
    """A remark of a provider on the document; known to EBL 3.0.4, not to PINT."""

    severity: FeedbackSeverity
    code: FeedbackCode
    message: Annotated[str, MaxLen(5000)]
    json_path: Given[Annotated[str, MaxLen(500)]] = None
    property: Given[Annotated[str, MaxLen(100)]] = None


class TransportDocument(DocumentPart):
    """The whole document. It never changes while the bill lives; an amended one is another document."""

    transport_document_reference: Annotated[Line, MaxLen(20)]
    """The carrier's number of the bill, under which the ledger keeps it."""
    transport_document_sub_reference: Given[Annotated[Line, MaxLen(100)]] = None
    shipping_instructions_reference: Given[Annotated[Line, MaxLen(100)]] = None
    transport_document_status: DocumentStatus
    transport_document_type_code: DocumentTypeCode
    is_shipped_on_board_type: bool
    """Shipped on board, as against received for shipment."""
    freight_payment_term_code: Given[PaymentTermCode] = None
    is_electronic: bool
    is_to_order: bool
    """Negotiable, as against straight."""
    number_of_copies_with_charges: Given[Count] = None
    number_of_copies_without_charges: Given[Count] = None
    number_of_originals_with_charges: Given[Count] = None
    number_of_originals_without_charges: Given[Count] = None
    displayed_name_for_place_of_receipt: Given[Annotated[LinesOf35, MaxLen(5)]] = None
    displayed_name_for_port_of_load: Given[Annotated[LinesOf35, MaxLen(5)]] = None
    displayed_name_for_port_of_discharge: Given[Annotated[LinesOf35, MaxLen(5)]] = None
    displayed_name_for_place_of_delivery: Given[Annotated[LinesOf35, MaxLen(5)]] = None
    shipped_on_board_date: Given[LocalDate] = None
    displayed_shipped_on_board_received_for_shipment: Given[Annotated[Line, MaxLen(250)]] = None
    terms_and_conditions: Annotated[str, MaxLen(50_000)]
    receipt_type_at_origin: ServiceType
    delivery_type_at_destination: ServiceType
    cargo_movement_type_at_origin: CargoMovementType
    cargo_movement_type_at_destination: CargoMovementType
    issue_date: Given[LocalDate] = None
    received_for_shipment_date: Given[LocalDate] = None
    service_contract_reference: Given[Annotated[str, MaxLen(30)]] = None
    contract_quotation_reference: Given[Annotated[Line, MaxLen(35)]] = None
    extended_contract_quotation_reference: Given[Annotated[Line, MaxLen(70)]] = None
    declared_value: Given[Amount] = None
    declared_value_currency: Given[CurrencyCode] = None
    carrier_code: Annotated[Word, MaxLen(4)]
    carrier_code_list_provider: CarrierCodeListProvider
    carrier_clauses: Given[list[Annotated[Line, MaxLen(20_000)]]] = None
    number_of_rider_pages: Given[Count] = None
    transports: Transports
    charges: Given[list[Charge]] = None
    place_of_issue: Given[PlaceOfIssue] = None
    invoice_payable_at: InvoicePayableAt
    party_contact_details: Annotated[list[PartyContactDetail], MinLen(1)]
    document_parties: DocumentParties
    consignment_items: Annotated[list[ConsignmentItem], MinLen(1)]
    utilized_transport_equipments: Annotated[list[UtilizedTransportEquipment], MinLen(1)]
    export_license: Given[License] = None
    import_license: Given[License] = None
    references: Given[list[Reference]] = None
    customs_references: Given[list[CustomsReference]] = None
    feedbacks: Given[list[Feedback]] = None

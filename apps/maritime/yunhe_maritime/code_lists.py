"""The code lists of the transport document.

The schema closes some of them itself (`enum`); for others it is the description that names the possible values, and the type is plain text.
Both kinds are closed here, because a code that the reader does not know cannot be acted upon. Lists that the publication leaves open
("values include", "examples") are left open.

Source: DCSA EBL 3.0.4 and PINT 3.0.0, components.schemas, at the commit that `yunhe_maritime.field_types` names.
"""

from typing import Literal, TypeAlias

DocumentStatus: TypeAlias = Literal[
    "DRAFT",
    "APPROVED",
    "ISSUED",
    "PENDING_SURRENDER_FOR_AMENDMENT",
    "SURRENDERED_FOR_AMENDMENT",
    "PENDING_SURRENDER_FOR_DELIVERY",
    "SURRENDERED_FOR_DELIVERY",
    "VOIDED",
]
"""TransportDocument.transportDocumentStatus (description)."""

DocumentTypeCode: TypeAlias = Literal["BOL", "SWB"]
"""TransportDocument.transportDocumentTypeCode: bill of lading, sea waybill."""

PaymentTermCode: TypeAlias = Literal["PRE", "COL"]
"""Charge.paymentTermCode: prepaid, collect."""

ServiceType: TypeAlias = Literal["CY", "SD", "CFS"]
"""TransportDocument.receiptTypeAtOrigin: container yard, store door, container freight station."""

CargoMovementType: TypeAlias = Literal["FCL", "LCL"]
"""TransportDocument.cargoMovementTypeAtOrigin (description): full or less than a full container."""

CarrierCodeListProvider: TypeAlias = Literal["SMDG", "NMFTA"]
"""TransportDocument.carrierCodeListProvider."""

FacilityCodeListProvider: TypeAlias = Literal["BIC", "SMDG"]
"""Facility.facilityCodeListProvider."""

VoyageRole: TypeAlias = Literal["FIRST_SEA_GOING", "MOTHER"]
"""VesselVoyage.role (description)."""

Platform: TypeAlias = Literal[
    "WAVE",
    "CARX",
    "ESSD",
    "IDT",
    "BOLE",
    "EDOX",
    "IQAX",
    "SECR",
    "TRGO",
    "ETEU",
    "TRAC",
    "BRIT",
    "COVA",
    "ETIT",
    "KTNE",
    "CRED",
    "BLOC",
    "DOCU",
    "AEOT",
    "SGTD",
]
"""Shipper.eblPlatform (description, "MUST be one of"); ESSD is deprecated."""

PartyCodeListProvider: TypeAlias = Literal[Platform, "GSBN", "WISE", "GLEIF", "W3C", "DNB", "FMC", "DCSA", "ZZZ"]
"""IdentifyingCode.codeListProvider (description); ZZZ is agreed between the parties."""

TypeOfPerson: TypeAlias = Literal["NATURAL_PERSON", "LEGAL_PERSON", "ASSOCIATION_OF_PERSONS"]
"""Shipper.typeOfPerson (description; Union Customs Code, article 5(4))."""

PartyFunction: TypeAlias = Literal["SCO", "DDR", "DDS", "COW", "COX"]
"""OtherDocumentParty.partyFunction (description)."""

ReferenceType: TypeAlias = Literal["CR", "AKG"]
"""Reference.type (description): customer's reference, vehicle identification number."""

ItemReferenceType: TypeAlias = Literal["CR", "AKG", "SPO", "CPO"]
"""ReferenceConsignmentItem.type (description): the same, and the purchase orders of shipper and consignee."""

CommodityCodeType: TypeAlias = Literal["NCM", "HTS", "SCHEDULE_B", "TARIC", "CN", "CUS"]
"""NationalCommodityCode.type (description)."""

SealSource: TypeAlias = Literal["CAR", "SHI", "VET", "CUS"]
"""Seal.source: carrier, shipper, veterinary, customs."""

WeightUnit: TypeAlias = Literal["KGM", "LBR"]
"""CargoGrossWeight.unit: kilogram, pound."""

VolumeUnit: TypeAlias = Literal["MTQ", "FTQ"]
"""CargoGrossVolume.unit: cubic metre, cubic foot."""

ExplosiveUnit: TypeAlias = Literal["KGM", "LBR", "GRM", "ONZ"]
"""NetExplosiveContent.unit: also gram and ounce."""

GoodsVolumeUnit: TypeAlias = Literal["MTQ", "FTQ", "LTR"]
"""NetVolume.unit: also litre."""

TemperatureUnit: TypeAlias = Literal["CEL", "FAH"]
"""ActiveReeferSettings.temperatureUnit."""

AirExchangeUnit: TypeAlias = Literal["MQH", "FQH"]
"""ActiveReeferSettings.airExchangeUnit: cubic metres, cubic feet per hour."""

InhalationZone: TypeAlias = Literal["A", "B", "C", "D"]
"""DangerousGoods.inhalationZone (description)."""

SegregationGroup: TypeAlias = Literal["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15", "16", "17", "18"]
"""DangerousGoods.segregationGroups (description): the groups of the IMDG Code, from acids to alkalis."""

FeedbackSeverity: TypeAlias = Literal["INFO", "WARN", "ERROR"]
"""Feedback.severity (description)."""

FeedbackCode: TypeAlias = Literal[
    "INFORMATIONAL_MESSAGE",
    "PROPERTY_WILL_BE_IGNORED",
    "PROPERTY_VALUE_MUST_CHANGE",
    "PROPERTY_VALUE_HAS_BEEN_CHANGED",
    "PROPERTY_VALUE_MAY_CHANGE",
    "PROPERTY_HAS_BEEN_DELETED",
]
"""Feedback.code (description)."""

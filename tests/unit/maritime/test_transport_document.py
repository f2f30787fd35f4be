"""The transport document follows the published schema: names, types, required fields, patterns, lengths, code lists.

The facts are typed by hand from DCSA EBL 3.0.4 and PINT 3.0.0 (github.com/dcsaorg/DCSA-OpenAPI, commit
5d0f8337a994e25d4605754339e14eb6bf2d1d08, components.schemas); the name in a table's first column is the schema object.
"""

import copy
import json
from typing import Any

import pytest

from tests.unit.maritime.sample import CARGO, EQUIPMENT, ITEM, PACKAGING, SAMPLE, failing_paths, steps_of, with_value, without
from yunhe_maritime.document_file import parse_document
from yunhe_maritime.transport_document import TransportDocument


def _leaves(value: Any) -> int:
    if isinstance(value, dict):
        return sum(map(_leaves, value.values()))
    if isinstance(value, list):
        return sum(map(_leaves, value))
    return 1


def test_sample_is_accepted_with_at_least_sixty_filled_fields() -> None:
    document = parse_document(json.dumps(SAMPLE).encode())
    assert document.transport_document_reference == SAMPLE["transportDocumentReference"]
    assert _leaves(SAMPLE) >= 60
    assert all(SAMPLE[group] for group in ("documentParties", "references", "utilizedTransportEquipments", "consignmentItems", "charges"))


def test_sample_is_dumped_as_it_was_read() -> None:
    document = TransportDocument.model_validate(SAMPLE)
    assert document.model_dump(by_alias=True, exclude_unset=True) == SAMPLE


REQUIRED = [
    # TransportDocument
    "transportDocumentReference",
    "transportDocumentStatus",
    "transportDocumentTypeCode",
    "isShippedOnBoardType",
    "isElectronic",
    "isToOrder",
    "invoicePayableAt",
    "partyContactDetails",
    "documentParties",
    "consignmentItems",
    "utilizedTransportEquipments",
    "termsAndConditions",
    "receiptTypeAtOrigin",
    "deliveryTypeAtDestination",
    "cargoMovementTypeAtOrigin",
    "cargoMovementTypeAtDestination",
    "carrierCode",
    "carrierCodeListProvider",
    "transports",
    # Transports, VesselVoyage
    "transports.plannedArrivalDate",
    "transports.plannedDepartureDate",
    "transports.portOfLoading",
    "transports.portOfDischarge",
    "transports.vesselVoyages",
    "transports.vesselVoyages[0].vesselName",
    "transports.vesselVoyages[0].carrierExportVoyageNumber",
    # Charge
    "charges[0].chargeName",
    "charges[0].currencyAmount",
    "charges[0].currencyCode",
    "charges[0].paymentTermCode",
    "charges[0].calculationBasis",
    "charges[0].unitPrice",
    "charges[0].quantity",
    # DocumentParties and below
    "documentParties.shipper",
    "documentParties.shipper.partyName",
    "documentParties.shipper.address.street",
    "documentParties.shipper.address.city",
    "documentParties.shipper.address.countryCode",
    "documentParties.shipper.identifyingCodes[0].codeListProvider",
    "documentParties.shipper.identifyingCodes[0].partyCode",
    "documentParties.shipper.taxLegalReferences[0].type",
    "documentParties.shipper.taxLegalReferences[0].countryCode",
    "documentParties.shipper.taxLegalReferences[0].value",
    "documentParties.endorsee.identifyingCodes",
    "documentParties.issuingParty",
    "documentParties.issuingParty.address",
    "documentParties.carriersAgentAtDestination.partyContactDetails",
    "documentParties.notifyParties[0].partyName",
    "documentParties.other[0].partyFunction",
    "documentParties.other[0].party",
    "partyContactDetails[0].name",
    # ConsignmentItem, CargoItem, OuterPackaging
    f"{ITEM}.carrierBookingReference",
    f"{ITEM}.descriptionOfGoods",
    f"{ITEM}.HSCodes",
    f"{ITEM}.cargoItems",
    f"{ITEM}.references[0].type",
    f"{ITEM}.references[0].values",
    f"{CARGO}.equipmentReference",
    f"{CARGO}.cargoGrossWeight",
    f"{CARGO}.cargoGrossWeight.value",
    f"{CARGO}.cargoGrossWeight.unit",
    f"{CARGO}.outerPackaging",
    f"{PACKAGING}.numberOfPackages",
    f"{PACKAGING}.description",
    "consignmentItems[1].customsReferences[0].type",
    "consignmentItems[1].customsReferences[0].countryCode",
    "consignmentItems[1].customsReferences[0].values",
    # UtilizedTransportEquipment, Equipment, Seal
    f"{EQUIPMENT}.equipment",
    f"{EQUIPMENT}.equipment.equipmentReference",
    f"{EQUIPMENT}.isShipperOwned",
    f"{EQUIPMENT}.seals",
    f"{EQUIPMENT}.seals[0].number",
    # Reference
    "references[0].type",
    "references[0].value",
]


@pytest.mark.parametrize("path", REQUIRED)
def test_required_field_left_out_is_refused_by_name(path: str) -> None:
    assert failing_paths(without(path)) == [path]


@pytest.mark.parametrize("path", REQUIRED)
def test_required_field_null_is_refused_by_name(path: str) -> None:
    assert failing_paths(with_value(path, None)) == [path]


OPTIONAL = [
    "issueDate",
    "charges",
    "placeOfIssue",
    "documentParties.endorsee",
    "documentParties.notifyParties",
    "transports.placeOfReceipt",
    f"{CARGO}.cargoNetWeight",
    f"{PACKAGING}.packageCode",
    f"{EQUIPMENT}.equipment.tareWeight",
    f"{EQUIPMENT}.seals[0].source",
]


@pytest.mark.parametrize("path", OPTIONAL)
def test_optional_field_left_out_is_accepted_and_null_is_refused(path: str) -> None:
    parse_document(without(path))
    assert failing_paths(with_value(path, None)) == [path]


PLATFORMS = ["WAVE", "CARX", "ESSD", "IDT", "BOLE", "EDOX", "IQAX", "SECR", "TRGO", "ETEU"]
PLATFORMS += ["TRAC", "BRIT", "COVA", "ETIT", "KTNE", "CRED", "BLOC", "DOCU", "AEOT", "SGTD"]

CODE_LISTS: dict[str, list[str]] = {
    "transportDocumentStatus": [
        "DRAFT",
        "APPROVED",
        "ISSUED",
        "PENDING_SURRENDER_FOR_AMENDMENT",
        "SURRENDERED_FOR_AMENDMENT",
        "PENDING_SURRENDER_FOR_DELIVERY",
        "SURRENDERED_FOR_DELIVERY",
        "VOIDED",
    ],
    "transportDocumentTypeCode": ["BOL", "SWB"],
    "freightPaymentTermCode": ["PRE", "COL"],
    "receiptTypeAtOrigin": ["CY", "SD", "CFS"],
    "deliveryTypeAtDestination": ["CY", "SD", "CFS"],
    "cargoMovementTypeAtOrigin": ["FCL", "LCL"],
    "cargoMovementTypeAtDestination": ["FCL", "LCL"],
    "carrierCodeListProvider": ["SMDG", "NMFTA"],
    "charges[0].paymentTermCode": ["PRE", "COL"],
    "transports.vesselVoyages[0].role": ["FIRST_SEA_GOING", "MOTHER"],
    "documentParties.shipper.eblPlatform": PLATFORMS,
    "documentParties.shipper.typeOfPerson": ["NATURAL_PERSON", "LEGAL_PERSON", "ASSOCIATION_OF_PERSONS"],
    "documentParties.shipper.identifyingCodes[0].codeListProvider": [
        *PLATFORMS,
        "GSBN",
        "WISE",
        "GLEIF",
        "W3C",
        "DNB",
        "FMC",
        "DCSA",
        "ZZZ",
    ],
    "documentParties.other[0].partyFunction": ["SCO", "DDR", "DDS", "COW", "COX"],
    "references[0].type": ["CR", "AKG"],
    f"{ITEM}.references[0].type": ["CR", "AKG", "SPO", "CPO"],
    "consignmentItems[1].extendedNationalCommodityCodes[0].type": ["NCM", "HTS", "SCHEDULE_B", "TARIC", "CN", "CUS"],
    f"{CARGO}.cargoGrossWeight.unit": ["KGM", "LBR"],
    f"{CARGO}.cargoGrossVolume.unit": ["MTQ", "FTQ"],
    f"{EQUIPMENT}.equipment.tareWeight.unit": ["KGM", "LBR"],
    f"{EQUIPMENT}.seals[0].source": ["CAR", "SHI", "VET", "CUS"],
}


@pytest.mark.parametrize(("path", "codes"), CODE_LISTS.items(), ids=CODE_LISTS)
def test_code_in_its_list_is_accepted_and_another_refused(path: str, codes: list[str]) -> None:
    for code in codes:
        parse_document(with_value(path, code))
    for wrong in ("XQ", codes[0].lower(), codes[0] + " ", "", 1, True):
        assert failing_paths(with_value(path, wrong)) == [path]


LINE_REFUSED = ["", " ", " A", "A ", "A\n", "\nA", "A\nB", "A\rB", "A\u2028B", "\u00a0A", "A\u3000", "\ufeffA", "A\x1c", 7, None, ["A"]]
"""Published as ^\\S(?:.*\\S)?$; U+FEFF is space for ECMA-262, U+001C for Python, and `$` must not stop before a line feed."""

TEXTS: dict[str, tuple[list[Any], list[Any]]] = {
    "transportDocumentReference": (["A", "A B", "x" * 20, "é漢"], [*LINE_REFUSED, "x" * 21]),
    "documentParties.shipper.partyName": (["A", "x" * 70], [*LINE_REFUSED, "x" * 71]),
    f"{CARGO}.equipmentReference": (["QYHU3472486"], [*LINE_REFUSED, "QYHU34724860"]),
    "charges[0].chargeName": (["x" * 50], [*LINE_REFUSED, "x" * 51]),
    "carrierCode": (["MSCU", "A"], ["", "A B", "A\n", "MSCUX", 1]),
    "termsAndConditions": (["", " \n", "x" * 50_000], ["x" * 50_001, 1]),
    "partyContactDetails[0].email": (["a@b", "a b@c"], ["", "@b", "a@", "a@b c", "a@b\n", "x" * 99 + "@b"]),
    "transports.portOfLoading.UNLocationCode": (["CNNGB", "US222"], ["CNNG", "CNNGBX", "cnngb", "CN NGB", "CNNG1", "CNNG0"]),
    "documentParties.shipper.address.countryCode": (["CN", "ZZ"], ["C", "CHN", "cn", "C1", "CN\n"]),
    "declaredValueCurrency": (["USD"], ["US", "USDX", "usd", "US1"]),
    f"{ITEM}.HSCodes[0]": (["691110", "6911100000"], ["69111", "69111000001", "69111A", "٠١٢٣٤٥", "691110\n"]),
    "transports.vesselVoyages[0].universalExportVoyageReference": (["2103N", "21AZR"], ["2103X", "103N", "21aZN", "\uff12103N"]),
    f"{PACKAGING}.packageCode": (["4G", "PX"], ["4", "4GX", "4g"]),
    f"{PACKAGING}.imoPackagingCode": (["1A1", "P"], ["", "4GUVXX", "1a1"]),
    "issueDate": (
        ["2024-02-29", "2026-05-31"],
        ["2023-02-29", "2026-5-31", "20260531", "2026-W01-1", "2026-05-31T00:00:00Z", "2026-05-31\n", ""],
    ),
}


@pytest.mark.parametrize(("path", "values"), TEXTS.items(), ids=TEXTS)
def test_text_within_pattern_and_length_is_accepted_and_beyond_refused(path: str, values: tuple[list[Any], list[Any]]) -> None:
    accepted, refused = values
    for value in accepted:
        parse_document(with_value(path, value))
    for value in refused:
        assert failing_paths(with_value(path, value)) == [path], repr(value)


SINGLE_MAX = 3.4028234663852886e38

NUMBERS: dict[str, tuple[list[Any], list[Any]]] = {
    # Every number has the format `float`: beyond single precision's range a reader gets infinity.
    "declaredValue": ([0, 0.0, 12000.0, 12000, SINGLE_MAX], [-0.01, 3.5e38, 1.7e308, "1", True, None]),
    "charges[0].quantity": ([0, 1.0, 2.5, SINGLE_MAX], [-1, 3.5e38, "1", False]),
    f"{CARGO}.cargoGrossWeight.value": ([0.001, 12000.0, 1, SINGLE_MAX], [0, 0.0, -1, 3.5e38, "12000"]),
    f"{PACKAGING}.numberOfPackages": ([1, 99_999_999], [0, 100_000_000, 1.5, "1", True]),
    "numberOfOriginalsWithCharges": ([0, 1, 2**31 - 1], [-1, 2**31, 0.5, "1"]),
    "isToOrder": ([True, False], [0, 1, "true", None]),
}


@pytest.mark.parametrize(("path", "values"), NUMBERS.items(), ids=NUMBERS)
def test_number_in_range_is_accepted_and_outside_refused(path: str, values: tuple[list[Any], list[Any]]) -> None:
    accepted, refused = values
    for value in accepted:
        parse_document(with_value(path, value))
    for value in refused:
        assert failing_paths(with_value(path, value)) == [path], repr(value)


LISTS: dict[str, tuple[int, int | None]] = {
    "partyContactDetails": (1, None),
    "consignmentItems": (1, None),
    "utilizedTransportEquipments": (1, None),
    "transports.vesselVoyages": (1, None),
    f"{ITEM}.cargoItems": (1, None),
    f"{ITEM}.HSCodes": (1, None),
    f"{ITEM}.descriptionOfGoods": (0, 150),
    f"{ITEM}.shippingMarks": (0, 50),
    f"{ITEM}.references[0].values": (1, None),
    f"{EQUIPMENT}.seals": (1, None),
    "documentParties.endorsee.identifyingCodes": (1, None),
    "documentParties.shipper.identifyingCodes": (0, None),
    "documentParties.shipper.displayedAddress": (0, 6),
    "documentParties.notifyParties": (0, 3),
    "displayedNameForPortOfLoad": (0, 5),
    "carrierClauses": (0, None),
}


@pytest.mark.parametrize(("path", "bounds"), LISTS.items(), ids=LISTS)
def test_list_within_its_bounds_is_accepted_and_beyond_refused(path: str, bounds: tuple[int, int | None]) -> None:
    least, most = bounds
    place: Any = SAMPLE
    for step in steps_of(path):
        place = place[step]
    parse_document(with_value(path, place[:1] * least))
    if least:
        assert failing_paths(with_value(path, [])) == [path]
    if most is not None:
        parse_document(with_value(path, place[:1] * most))
        assert failing_paths(with_value(path, place[:1] * (most + 1))) == [path]
    assert failing_paths(with_value(path, {})) == [path]


ALTERNATIVES: list[tuple[str, list[dict[str, Any]], list[dict[str, Any]]]] = [
    (
        "placeOfIssue",
        [{"UNLocationCode": "CNNGB"}, {"countryCode": "CN"}, {"countryCode": "CN", "locationName": "Ningbo"}],
        [{}, {"locationName": "Ningbo"}, {"UNLocationCode": "CNNGB", "countryCode": "CN"}],
    ),
    (
        "invoicePayableAt",
        [{"UNLocationCode": "CNNGB"}, {"freeText": "Ningbo"}],
        [{}, {"UNLocationCode": "CNNGB", "freeText": "Ningbo"}],
    ),
    (
        "partyContactDetails[0]",
        [{"name": "A", "phone": "1"}, {"name": "A", "email": "a@b"}, {"name": "A", "phone": "1", "email": "a@b"}],
        [{"name": "A"}],
    ),
]


@pytest.mark.parametrize(("path", "accepted", "refused"), ALTERNATIVES, ids=[row[0] for row in ALTERNATIVES])
def test_alternatives_as_published_are_accepted_and_others_refused(
    path: str, accepted: list[dict[str, Any]], refused: list[dict[str, Any]]
) -> None:
    for value in accepted:
        parse_document(with_value(path, value))
    for value in refused:
        assert failing_paths(with_value(path, value)) == [path]


def _feedback(**changes: str) -> list[dict[str, str]]:
    return [{"severity": "WARN", "code": "PROPERTY_WILL_BE_IGNORED", "message": "not used here"} | changes]


def test_feedback_with_published_codes_is_accepted_and_another_refused() -> None:
    parse_document(with_value("feedbacks", _feedback(jsonPath="$.carrierCode", property="carrierCode")))
    for severity in ("INFO", "ERROR"):
        parse_document(with_value("feedbacks", _feedback(severity=severity)))
    assert failing_paths(with_value("feedbacks", _feedback(severity="FATAL"))) == ["feedbacks[0].severity"]
    assert failing_paths(with_value("feedbacks", _feedback(code="IGNORED"))) == ["feedbacks[0].code"]


REEFER = f"{EQUIPMENT}.activeReeferSettings"
REEFER_NUMBERS: dict[str, tuple[list[Any], list[Any]]] = {
    "temperatureSetpoint": ([-18.0, 0, -SINGLE_MAX, SINGLE_MAX], [-3.5e38, 3.5e38, "-18", None]),
    "o2Setpoint": ([0, 100, 21.5], [-0.1, 100.1, True]),
    "co2Setpoint": ([0, 100], [-1, 101]),
    "humiditySetpoint": ([0, 95.6, 100], [-1, 101]),
    "airExchangeSetpoint": ([0, 15.4, SINGLE_MAX], [-1, 3.5e38]),
    "isBulbMode": ([True, False], [0, "true"]),
}


@pytest.mark.parametrize(("field", "values"), REEFER_NUMBERS.items(), ids=list(REEFER_NUMBERS))
def test_reefer_setting_in_range_is_accepted_and_outside_refused(field: str, values: tuple[list[Any], list[Any]]) -> None:
    accepted, refused = values
    for value in accepted:
        parse_document(with_value(REEFER, {field: value}))
    for value in refused:
        assert failing_paths(with_value(REEFER, {field: value})) == [f"{REEFER}.{field}"], repr(value)


def test_every_failing_field_is_listed_at_once() -> None:
    document = copy.deepcopy(SAMPLE)
    document["carrierCode"] = "TOO LONG"
    del document["transports"]["vesselVoyages"]
    document["consignmentItems"][1]["HSCodes"] = []
    assert set(failing_paths(json.dumps(document).encode())) == {"carrierCode", "transports.vesselVoyages", "consignmentItems[1].HSCodes"}

"""Conditions that the publication states in prose, and those that an electronic bill needs in any case."""

import copy
import json
from importlib.resources import files
from typing import Any

import pytest

from yunhe_maritime.document_conditions import broken_conditions, require_electronic_bill, unknown_fields
from yunhe_maritime.errors import InvalidDocumentError
from yunhe_maritime.transport_document import TransportDocument

SAMPLE: dict[str, Any] = json.loads(files("yunhe_maritime").joinpath("sample_document.json").read_bytes())
CONSIGNEE = {"partyName": "Zuiderlicht Tableware Import B.V.", "identifyingCodes": [{"codeListProvider": "ZZZ", "partyCode": "consignee"}]}


def _document(changes: dict[str, Any], parties: dict[str, Any] | None = None) -> TransportDocument:
    document = copy.deepcopy(SAMPLE)
    for target, values in ((document, changes), (document["documentParties"], parties or {})):
        for name, value in values.items():
            if value is None:
                del target[name]
            else:
                target[name] = value
    return TransportDocument.model_validate(document)


def test_sample_breaks_no_condition_and_can_be_issued() -> None:
    document = TransportDocument.model_validate(SAMPLE)
    assert broken_conditions(document) == ()
    assert unknown_fields(document) == ()
    require_electronic_bill(document)


def test_straight_bill_with_consignee_can_be_issued() -> None:
    document = _document({"isToOrder": False}, {"endorsee": None, "consignee": CONSIGNEE})
    assert broken_conditions(document) == ()
    require_electronic_bill(document)


NOT_ISSUABLE: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "a sea waybill": ({"transportDocumentTypeCode": "SWB"}, {}, "transportDocumentTypeCode"),
    "a paper bill": ({"isElectronic": False}, {}, "isElectronic"),
    "a straight bill without consignee": ({"isToOrder": False}, {"endorsee": None}, "documentParties.consignee"),
    "a straight bill with an endorsee too": ({"isToOrder": False}, {"consignee": CONSIGNEE}, "documentParties.endorsee"),
    "a bill to order with consignee and endorsee": ({}, {"consignee": CONSIGNEE}, "documentParties.endorsee"),
}


@pytest.mark.parametrize(("changes", "parties", "path"), NOT_ISSUABLE.values(), ids=NOT_ISSUABLE)
def test_document_that_cannot_become_a_bill_is_refused(changes: dict[str, Any], parties: dict[str, Any], path: str) -> None:
    with pytest.raises(InvalidDocumentError) as caught:
        require_electronic_bill(_document(changes, parties))
    assert path in {fault.path for fault in caught.value.faults}


REEFER = "utilizedTransportEquipments[0].activeReeferSettings"


def _reefer(settings: dict[str, Any], *, off: bool) -> dict[str, Any]:
    equipment = copy.deepcopy(SAMPLE["utilizedTransportEquipments"])
    equipment[0] |= {"isNonOperatingReefer": off, "activeReeferSettings": settings}
    return {"utilizedTransportEquipments": equipment}


REMARKS: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "a waybill to order": ({"transportDocumentTypeCode": "SWB", "numberOfOriginalsWithCharges": 0}, {}, "isToOrder"),
    "issued without a date": ({"issueDate": None}, {}, "issueDate"),
    "neither shipped nor received": ({"shippedOnBoardDate": None}, {}, "shippedOnBoardDate"),
    "both shipped and received": ({"receivedForShipmentDate": "2026-05-17"}, {}, "shippedOnBoardDate"),
    "two electronic originals": ({"numberOfOriginalsWithoutCharges": 1}, {}, "numberOfOriginalsWithCharges"),
    "a value without currency": ({"declaredValueCurrency": None}, {}, "declaredValueCurrency"),
    "a currency without value": ({"declaredValue": None}, {}, "declaredValueCurrency"),
    "pre-carriage from nowhere": (
        {"transports": {k: v for k, v in SAMPLE["transports"].items() if k != "placeOfReceipt"}},
        {},
        "transports.placeOfReceipt",
    ),
    "on-carriage to nowhere": (
        {"transports": {k: v for k, v in SAMPLE["transports"].items() if k != "placeOfDelivery"}},
        {},
        "transports.placeOfDelivery",
    ),
    "to order, nobody notified": ({}, {"notifyParties": None}, "documentParties.notifyParties"),
    "a represented party unknown": ({}, {"onBehalfOfShipper": {"partyName": "A"}}, "documentParties.onBehalfOfShipper"),
    "a shipper unknown": ({}, {"shipper": {"partyName": "A", "identifyingCodes": []}}, "documentParties.shipper"),
    "a notify party unknown": ({}, {"notifyParties": [{"partyName": "A"}]}, "documentParties.notifyParties[0]"),
    "another party unknown": ({}, {"other": [{"partyFunction": "DDR", "party": {"partyName": "A"}}]}, "documentParties.other[0].party"),
    "rider pages of what is not on paper": ({"numberOfRiderPages": 2}, {}, "numberOfRiderPages"),
    "copies of what is not on paper": ({"numberOfCopiesWithCharges": 3}, {}, "numberOfCopiesWithCharges"),
    "originals of a waybill": (
        {"transportDocumentTypeCode": "SWB", "isToOrder": False},
        {"endorsee": None, "consignee": CONSIGNEE},
        "numberOfOriginalsWithCharges",
    ),
    "a reefer that is off": (_reefer({}, off=True), {}, REEFER),
    "a temperature without unit": (_reefer({"temperatureSetpoint": -18.0}, off=False), {}, f"{REEFER}.temperatureUnit"),
    "an air exchange without unit": (_reefer({"airExchangeSetpoint": 15}, off=False), {}, f"{REEFER}.airExchangeUnit"),
}


@pytest.mark.parametrize(("changes", "parties", "path"), REMARKS.values(), ids=REMARKS)
def test_broken_condition_is_remarked_at_its_field(changes: dict[str, Any], parties: dict[str, Any], path: str) -> None:
    assert [fault.path for fault in broken_conditions(_document(changes, parties))] == [path]


KEPT: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "a draft without dates": ({"transportDocumentStatus": "DRAFT", "issueDate": None, "shippedOnBoardDate": None}, {}),
    "an endorsee who is notified": (
        {},
        {"notifyParties": None, "endorsee": SAMPLE["documentParties"]["endorsee"] | {"isNotifyParty": True}},
    ),
    "a represented party with a code": (
        {},
        {"onBehalfOfShipper": {"partyName": "A", "identifyingCodes": [{"codeListProvider": "ZZZ", "partyCode": "a"}]}},
    ),
    "a party with lines of address": ({}, {"shipper": {"partyName": "A", "addressLines": ["7 Kiln Street, Hangzhou"]}}),
    "a paper bill with copies and riders": (
        {"isElectronic": False, "numberOfCopiesWithoutCharges": 3, "numberOfRiderPages": 2, "numberOfOriginalsWithCharges": 3},
        {},
    ),
    "a waybill with a displayed charge": (
        {
            "transportDocumentTypeCode": "SWB",
            "isToOrder": False,
            "numberOfCopiesWithCharges": 1,
            "numberOfOriginalsWithCharges": 0,
        },
        {"endorsee": None, "consignee": CONSIGNEE},
    ),
    "a reefer at minus eighteen": (_reefer({"temperatureSetpoint": -18.0, "temperatureUnit": "CEL"}, off=False), {}),
}


@pytest.mark.parametrize(("changes", "parties"), KEPT.values(), ids=KEPT)
def test_condition_that_is_kept_is_not_remarked(changes: dict[str, Any], parties: dict[str, Any]) -> None:
    assert broken_conditions(_document(changes, parties)) == ()


def test_unknown_fields_are_accepted_and_listed_with_their_paths() -> None:
    document = copy.deepcopy(SAMPLE)
    document["shippedOnBordDate"] = "2026-05-18"
    document["is_to_order"] = None
    document["consignmentItems"][1]["cargoItems"][0]["colour"] = "green"
    document["transports"]["x.y\n"] = 1
    model = TransportDocument.model_validate(document)
    assert set(unknown_fields(model)) == {
        "shippedOnBordDate",
        "is_to_order",
        "consignmentItems[1].cargoItems[0].colour",
        'transports["x.y\\n"]',
    }
    assert model.is_to_order is True

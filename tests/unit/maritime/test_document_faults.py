"""What a refusal says: the path, what is allowed, and what was found unless it is free text."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.maritime.sample import SAMPLE, with_value, without
from yunhe_maritime.document_file import parse_document
from yunhe_maritime.errors import InvalidDocumentError, json_path
from yunhe_maritime.strict_json import Path, values

ITEM = ("consignmentItems", 0)
SHIPPER = ("documentParties", "shipper")
GOODS = {"properShippingName": "AEROSOLS", "imoClass": "2.1"}
ABSENT = object()


def _changed(path: Path, value: object) -> bytes:
    return without(json_path(path)) if value is ABSENT else with_value(json_path(path), value)


def _faults(raw: bytes) -> list[str]:
    with pytest.raises(InvalidDocumentError) as caught:
        parse_document(raw)
    return [str(fault) for fault in caught.value.faults]


SAID: dict[str, tuple[Path, object, str]] = {
    "left out": (("carrierCode",), ABSENT, "carrierCode: is required"),
    "a code of no list": (("receiptTypeAtOrigin",), "cy", 'receiptTypeAtOrigin: should be CY, SD or CFS; found "cy"'),
    "no code at all": (("charges", 0, "paymentTermCode"), 3, "charges[0].paymentTermCode: should be PRE or COL; found 3"),
    "a short currency": (
        ("declaredValueCurrency",),
        "US$",
        'declaredValueCurrency: should be three capital letters (ISO 4217); found "US$"',
    ),
    "a code with a line feed": (
        ("transports", "portOfLoading", "UNLocationCode"),
        "CNNGB\n",
        "transports.portOfLoading.UNLocationCode: should be a UN/LOCODE: two capital letters, then three capital letters or digits from 2 "
        'to 9; found "CNNGB\\n"',
    ),
    "a novel in place of a code": (
        ("declaredValueCurrency",),
        "U" * 41,
        "declaredValueCurrency: should be three capital letters (ISO 4217); found text of 41 characters",
    ),
    "a day in another order": (("issueDate",), "19.05.2026", 'issueDate: should be a date such as 2026-05-31; found "19.05.2026"'),
    "a day that is not": (("issueDate",), "2026-02-30", 'issueDate: should be a day that the calendar has; found "2026-02-30"'),
    "null for optional": (("issueDate",), None, "issueDate: should have a value or be left out; found null"),
    "null for required": (("carrierCode",), None, "carrierCode: should be text; found null"),
    "text for a number": (("declaredValue",), "186.500,00", 'declaredValue: should be a number; found "186.500,00"'),
    "a negative amount": (("declaredValue",), -0.5, "declaredValue: should be 0 or more; found -0.5"),
    "no weight": (
        (*ITEM, "cargoItems", 0, "cargoGrossWeight", "value"),
        0,
        "consignmentItems[0].cargoItems[0].cargoGrossWeight.value: should be more than 0; found 0",
    ),
    "too many packages": (
        (*ITEM, "cargoItems", 0, "outerPackaging", "numberOfPackages"),
        100_000_000,
        "consignmentItems[0].cargoItems[0].outerPackaging.numberOfPackages: should be 99999999 or less; found 100000000",
    ),
    "a count with decimals": (
        ("numberOfOriginalsWithCharges",),
        1.0,
        "numberOfOriginalsWithCharges: should be a whole number, written without decimals; found 1.0",
    ),
    "text for a truth value": (("isToOrder",), "true", 'isToOrder: should be true or false; found "true"'),
    "a long name": (
        (*SHIPPER, "partyName"),
        "N" * 71,
        "documentParties.shipper.partyName: should be text of at most 70 characters; found 71",
    ),
    "an empty name": (
        (*SHIPPER, "partyName"),
        "",
        "documentParties.shipper.partyName: should be one line of text that neither begins nor ends with a space, and is not empty; "
        "found an empty text",
    ),
    "a name with a space behind it": (
        (*SHIPPER, "partyName"),
        "Secret Ltd ",
        "documentParties.shipper.partyName: should be one line of text that neither begins nor ends with a space, and is not empty; "
        "found text with a space at its beginning or end",
    ),
    "a name on two lines": (
        (*SHIPPER, "partyName"),
        "Secret\nLtd",
        "documentParties.shipper.partyName: should be one line of text that neither begins nor ends with a space, and is not empty; "
        "found text with a line break",
    ),
    "a name with an invisible character before it": (
        (*SHIPPER, "partyName"),
        "\ufeffSecret Ltd",
        "documentParties.shipper.partyName: should be one line of text that neither begins nor ends with a space, and is not empty; "
        "found text with an invisible character at its beginning or end",
    ),
    "a number for a name": ((*SHIPPER, "partyName"), 4912345, "documentParties.shipper.partyName: should be text; found a number"),
    "a mail address without @": (
        ("partyContactDetails", 0, "email"),
        "secret.example",
        "partyContactDetails[0].email: should be a mail address: an @ with something before it, and after it something without spaces; "
        "found text of 14 characters",
    ),
    "an empty list": ((*ITEM, "HSCodes"), [], "consignmentItems[0].HSCodes: should be a list of 1 or more; found an empty list"),
    "a long list": (
        ("displayedNameForPortOfLoad",),
        ["A"] * 9,
        "displayedNameForPortOfLoad: should be a list of at most 5; found 9",
    ),
    "one in place of a list": ((*ITEM, "HSCodes"), "691110", "consignmentItems[0].HSCodes: should be a list; found text of 6 characters"),
    "a list in place of an object": (("transports",), [], "transports: should be an object; found a list"),
    "an object in place of text": (("carrierCode",), {"a": 1}, "carrierCode: should be text; found an object"),
    "both of two": (
        ("placeOfIssue", "countryCode"),
        "CN",
        "placeOfIssue: should have exactly one of UNLocationCode and countryCode; found both",
    ),
    "neither of two": (
        ("invoicePayableAt",),
        {},
        "invoicePayableAt: should have exactly one of UNLocationCode and freeText; found neither",
    ),
    "neither number of dangerous goods": (
        (*ITEM, "cargoItems", 0, "outerPackaging", "dangerousGoods"),
        [GOODS],
        "consignmentItems[0].cargoItems[0].outerPackaging.dangerousGoods[0]: should have exactly one of UNNumber and NANumber; "
        "found neither",
    ),
    "a contact that cannot be reached": (
        ("partyContactDetails",),
        [{"name": "A"}],
        "partyContactDetails[0]: should have phone, email or both; found neither",
    ),
    "a moment that is not": (
        (*ITEM, "cargoItems", 0, "outerPackaging", "dangerousGoods"),
        [GOODS | {"UNNumber": "1950", "fumigationDateTime": "2026-05-31T24:30:00Z"}],
        "consignmentItems[0].cargoItems[0].outerPackaging.dangerousGoods[0].fumigationDateTime: should be a moment that calendar and clock "
        'have; found "2026-05-31T24:30:00Z"',
    ),
}


@pytest.mark.parametrize(("path", "value", "said"), SAID.values(), ids=SAID)
def test_refusal_says_where_what_and_what_else(path: Path, value: object, said: str) -> None:
    assert _faults(_changed(path, value)) == [said]


@pytest.mark.parametrize("name", ["CarrierCode", "carrier_code", "carriercode", "carrier code"])
def test_required_field_under_nearly_its_name_is_pointed_out(name: str) -> None:
    document = copy.deepcopy(SAMPLE)
    document[name] = document.pop("carrierCode")
    assert _faults(json.dumps(document).encode()) == [f'carrierCode: is required; found "{name}", and names count letter by letter']


@pytest.mark.parametrize("wrapper", ["document", "transportDocument"])
def test_message_that_holds_the_document_is_told_from_the_document(wrapper: str) -> None:
    message = {wrapper: SAMPLE, "issueTo": {"partyName": "A"}}
    assert _faults(json.dumps(message).encode()) == [
        f'should be the transport document itself; found an object that holds it as "{wrapper}"'
    ]
    parse_document(json.dumps(SAMPLE | {wrapper: SAMPLE}).encode())


def test_document_that_is_no_object_is_refused_without_a_path() -> None:
    assert _faults(b"[]") == ["should be an object; found a list"]
    assert _faults(b'"Secret"') == ["should be an object; found text of 6 characters"]


_PATHS = [path for path, _ in values(SAMPLE)][1:]
_WRONG: list[Any] = [
    None,
    True,
    0,
    -1,
    1.5,
    1e300,
    "",
    " ",
    "x",
    "X" * 1000,
    "2026-02-30",
    "\u0661\u0662\u0663\u0664",
    [],
    [None],
    [""],
    {},
    {"a": 1},
]


@given(st.sampled_from(_PATHS), st.sampled_from(_WRONG))
@settings(max_examples=500, deadline=None)
def test_any_value_anywhere_is_accepted_or_refused_below_its_place_in_words_of_ours(path: Path, value: object) -> None:
    try:
        parse_document(_changed(path, value))
    except InvalidDocumentError as error:
        for fault in error.faults:
            assert fault.path.startswith(str(path[0]))
            assert "should " in fault.reason or fault.reason == "is required"
            assert "X" * 41 not in fault.reason

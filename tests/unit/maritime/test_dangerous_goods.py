"""Dangerous goods follow the published schema (DCSA EBL 3.0.4, components.schemas.DangerousGoods and the objects below it)."""

from typing import Any

import pytest

from tests.unit.maritime.sample import PACKAGING, failing_paths, with_value
from yunhe_maritime.document_file import parse_document

PLACE = f"{PACKAGING}.dangerousGoods"
GOODS: dict[str, Any] = {"UNNumber": "1950", "properShippingName": "AEROSOLS", "imoClass": "2.1"}
INNER: dict[str, Any] = {"quantity": 2, "material": "tin", "description": "can"}
CONTACT: dict[str, Any] = {"contact": "Duty officer", "phone": "+86 574 5550 0119"}

FIELDS: dict[str, tuple[list[Any], list[Any]]] = {
    "UNNumber": (["0004", "3550"], ["195", "19500", "195A", "1950\n", "\u0661\u0669\u0665\u0660", 1950]),
    "codedVariantList": (["2200", "0AZ9", "3000"], ["4200", "220", "2200\n", "2a00", "\uff12200"]),
    "properShippingName": (["", "x" * 250], ["x" * 251, None]),
    "technicalName": (["xylene and benzene"], ["x" * 251]),
    "imoClass": (["1.4S", "8"], ["1.4SX", 8]),
    "subsidiaryRisk1": (["6.1", "8"], ["6.10", "61", "6.", "6.1\n", "6\uff0e1"]),
    "subsidiaryRisk2": (["4.3"], ["x"]),
    "packingGroup": ([1, 2, 3], [0, 4, 2.0, "II"]),
    "isMarinePollutant": ([True, False], [1, "true", None]),
    "competentAuthorityApproval": (["A", "x" * 70], [" A", "x" * 71]),
    "segregationGroups": ([[], ["1", "18"]], ["1"]),
    "segregationGroups[0]": ([], [["0"], ["19"], ["01"], [1], ["SGG1"]]),
    "EMSNumber": (["F-A S-B"], ["F-A, S-B"]),
    "endOfHoldingTime": (["2026-06-30"], ["2026-06-31", "2026-06-30T00:00:00Z"]),
    "fumigationDateTime": (
        # RFC 3339 lets a fraction have any number of digits; clocks of other languages write seven or nine.
        ["2026-05-31T10:00:00Z", "2026-05-31t10:00:00.1234567+08:00", "2026-05-31T23:59:59.123456789z", "2026-05-31T10:00:00-00:00"],
        [
            "2026-05-31T10:00:00",
            "2026-05-31 10:00:00Z",
            "2026-05-31T10:00Z",
            "2026-05-31T10:00:00.Z",
            "2026-05-31T10:00:00,5Z",
            "2026-05-31T24:00:00Z",
            "2026-05-31T23:59:60Z",
            "2026-02-30T10:00:00.5Z",
            "2026-05-31T10:00:00+0800",
            "2026-05-31T10:00:00+24:00",
            "2026-05-31T10:00:00.\u0661Z",
            "2026-05-31T10:00:00Z\n",
        ],
    ),
    "inhalationZone": (["A", "D"], ["E", "a", "AB", ""]),
    "grossWeight": ([{"value": 1.5, "unit": "KGM"}, {"value": 1, "unit": "LBR"}], []),
    "grossWeight.value": ([], [{"value": 0, "unit": "KGM"}, {"value": 3.5e38, "unit": "KGM"}]),
    "netExplosiveContent": ([{"value": 1.0, "unit": unit} for unit in ("KGM", "LBR", "GRM", "ONZ")], []),
    "netExplosiveContent.unit": ([], [{"value": 1.0, "unit": "LTR"}]),
    "netVolume": ([{"value": 1.0, "unit": unit} for unit in ("MTQ", "FTQ", "LTR")], []),
    "netVolume.unit": ([], [{"value": 1.0, "unit": "KGM"}]),
    "limits": ([{"temperatureUnit": "CEL", "flashPoint": -20.5, "SADT": 50, "SAPT": 50.5}, {"temperatureUnit": "FAH"}], []),
    "limits.temperatureUnit": ([], [{"flashPoint": -20.5}, {"temperatureUnit": "K"}]),
    "limits.flashPoint": ([], [{"temperatureUnit": "CEL", "flashPoint": -3.5e38}]),
    "innerPackagings": ([[], [INNER], [INNER | {"innerPackagings": [INNER]}]], [INNER]),
    "innerPackagings[0].quantity": ([], [[INNER | {"quantity": 2**31}], [INNER | {"quantity": 0.5}]]),
    "innerPackagings[0].innerPackagings[0].material": ([], [[INNER | {"innerPackagings": [{"quantity": 1, "description": "b"}]}]]),
    "emergencyContactDetails": ([CONTACT, CONTACT | {"provider": "P", "referenceNumber": "12-b"}], []),
    "emergencyContactDetails.phone": ([], [{"contact": "Duty officer"}, CONTACT | {"phone": ""}, CONTACT | {"phone": "1" * 31}]),
}
"""By the path that a refusal names: values that are accepted in its first field, and values that are refused."""


@pytest.mark.parametrize(("path", "values"), FIELDS.items(), ids=list(FIELDS))
def test_dangerous_goods_with_one_field_changed_are_accepted_or_refused_by_its_name(path: str, values: tuple[list[Any], list[Any]]) -> None:
    accepted, refused = values
    field = path.split(".", maxsplit=1)[0].split("[", maxsplit=1)[0]
    for value in accepted:
        parse_document(with_value(PLACE, [GOODS | {field: value}]))
    for value in refused:
        assert failing_paths(with_value(PLACE, [GOODS | {field: value}])) == [f"{PLACE}[0].{path}"], repr(value)


def test_dangerous_goods_have_either_a_un_or_a_na_number() -> None:
    other = {name: value for name, value in GOODS.items() if name != "UNNumber"}
    parse_document(with_value(PLACE, [other | {"NANumber": "9037"}]))
    for wrong in (other, GOODS | {"NANumber": "9037"}):
        assert failing_paths(with_value(PLACE, [wrong])) == [f"{PLACE}[0]"]


@pytest.mark.parametrize("field", ["properShippingName", "imoClass"])
def test_dangerous_goods_without_a_required_field_are_refused_by_its_name(field: str) -> None:
    goods = {name: value for name, value in GOODS.items() if name != field}
    assert failing_paths(with_value(PLACE, [goods])) == [f"{PLACE}[0].{field}"]

r"""The building blocks of the transport document: text, dates, numbers, optional fields.

They exist so that a model accepts no value that the published schema refuses, whatever engine reads its patterns. Engines disagree on what
`\s`, `.` and `$` match (ECMA-262 counts U+FEFF as space, Python counts U+001C to U+001F, and lets `$` stop before a final line feed), so a
value is accepted only where all of them agree. They do not check that a code exists, for example that a UN/LOCODE is a real place.

Source: DCSA EBL 3.0.4 and PINT 3.0.0, github.com/dcsaorg/DCSA-OpenAPI, commit 5d0f8337a994e25d4605754339e14eb6bf2d1d08.
"""

import re
from datetime import date, datetime
from typing import Annotated, Final, TypeAlias, TypeVar

from annotated_types import Ge, Gt, Le, MaxLen
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, StringConstraints
from pydantic.alias_generators import to_camel

_SOLID: Final = r"[^\s\x1c-\x1f\x{feff}]"
"""A character that no engine counts as space."""
_INNER: Final = r"[^\n\r\x{2028}\x{2029}]"
"""A character that `.` matches in every engine."""

_UNUSUAL_NAMES: Final = {
    "ems_number": "EMSNumber",
    "extended_hs_codes": "extendedHSCodes",
    "hs_codes": "HSCodes",
    "iso_equipment_code": "ISOEquipmentCode",
    "na_number": "NANumber",
    "po_box": "POBox",
    "sadt": "SADT",
    "sapt": "SAPT",
    "un_location_code": "UNLocationCode",
    "un_number": "UNNumber",
}
"""Published names that are not the camel case of ours."""


def published_name(field: str) -> str:
    """Return the name that the published schema gives to one of our fields."""
    return _UNUSUAL_NAMES.get(field) or to_camel(field)


class DocumentPart(BaseModel):
    """An object of the transport document.

    Types are strict: no text for a number, no number for a truth value. Fields that the schema does not name are kept and not looked at, as
    the schema allows them (it closes no object); `document_conditions.unknown_fields` lists them, since one may be a slip of the pen.
    """

    model_config = ConfigDict(
        strict=True, frozen=True, extra="allow", alias_generator=published_name, allow_inf_nan=False, hide_input_in_errors=True
    )


def _refuse_null(value: object) -> object:
    if value is None:
        raise ValueError("should have a value or be left out; found null")
    return value


def exactly_one(part: DocumentPart, first: str, second: str) -> None:
    """Check that one of two fields is given and the other is not.

    Raises:
        ValueError: both are given, or neither.
    """
    given = [getattr(part, field) is not None for field in (first, second)]
    if sum(given) != 1:
        names = f"{published_name(first)} and {published_name(second)}"
        raise ValueError(f"should have exactly one of {names}; found {'both' if all(given) else 'neither'}")


def _existing_date(value: str) -> str:
    try:
        date.fromisoformat(value)
    except ValueError as error:
        raise ValueError("should be a day that the calendar has") from error
    return value


def _existing_time(value: str) -> str:
    try:
        # A fraction may be finer than Python's clock; no fraction makes a moment that does not exist.
        datetime.fromisoformat(_FRACTION.sub("", value.upper()))
    except ValueError as error:
        raise ValueError("should be a moment that calendar and clock have") from error
    return value


_T = TypeVar("_T")

Given: TypeAlias = Annotated[_T | None, BeforeValidator(_refuse_null)]
"""A field that may be left out, and then is None, but that may not be written as null: the schema has no nullable field."""

_LINE: Final = rf"^{_SOLID}(?:{_INNER}*{_SOLID})?$"
_WORD: Final = rf"^{_SOLID}+$"
_EMAIL: Final = rf"^{_INNER}+@{_SOLID}+$"
_COUNTRY: Final = r"^[A-Z]{2}$"
_CURRENCY: Final = r"^[A-Z]{3}$"
_LOCATION: Final = r"^[A-Z]{2}[A-Z2-9]{3}$"
_HS_CODE: Final = r"^[0-9]{6,10}$"
_EXTENDED_HS_CODE: Final = r"^[0-9]{6,12}$"
_VOYAGE: Final = r"^[0-9]{2}[0-9A-Z]{2}[NEWSR]$"
_FOUR_DIGITS: Final = r"^[0-9]{4}$"
_VARIANT: Final = r"^[0-3][0-9A-Z]{3}$"
_RISK: Final = r"^[0-9](?:\.[0-9])?$"
_PACKAGE: Final = r"^[A-Z0-9]{2}$"
_IMO_PACKAGING: Final = r"^[A-Z0-9]{1,5}$"
_DATE: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_TIMESTAMP: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?(?:[Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])$"

_FRACTION: Final = re.compile(r"\.[0-9]+")

PATTERN_MEANINGS: Final = {
    _LINE: "one line of text that neither begins nor ends with a space, and is not empty",
    _WORD: "text without spaces, not empty",
    _EMAIL: "a mail address: an @ with something before it, and after it something without spaces",
    _COUNTRY: "two capital letters (ISO 3166-1)",
    _CURRENCY: "three capital letters (ISO 4217)",
    _LOCATION: "a UN/LOCODE: two capital letters, then three capital letters or digits from 2 to 9",
    _HS_CODE: "6 to 10 digits",
    _EXTENDED_HS_CODE: "6 to 12 digits",
    _VOYAGE: "a voyage reference such as 2103N",
    _FOUR_DIGITS: "four digits",
    _VARIANT: "a digit from 0 to 3, then three capital letters or digits",
    _RISK: "a hazard class such as 3 or 6.1",
    _PACKAGE: "two capital letters or digits",
    _IMO_PACKAGING: "one to five capital letters or digits",
    _DATE: "a date such as 2026-05-31",
    _TIMESTAMP: "a date and time with its offset, such as 2026-05-31T18:30:00Z",
}
"""What a text that does not match should have been, for the message that refuses it."""

FREE_TEXT_PATTERNS: Final = frozenset({_LINE, _EMAIL})
"""Patterns of what may name people or be confidential, and is not repeated in messages; the others are those of codes and dates."""

Line: TypeAlias = Annotated[str, StringConstraints(pattern=_LINE)]
"""One line of text that neither begins nor ends with space and is not empty; published as `^\\S(?:.*\\S)?$`."""
Word: TypeAlias = Annotated[str, StringConstraints(pattern=_WORD)]
"""Text without space, not empty; published as `^\\S+$`."""
Email: TypeAlias = Annotated[str, MaxLen(100), StringConstraints(pattern=_EMAIL)]
"""An address for electronic mail, as loosely as it is published: `^.+@\\S+$`."""
LinesOf35: TypeAlias = list[Annotated[str, MaxLen(35)]]
"""Lines as they are printed; their order counts."""
AddressLines: TypeAlias = Annotated[list[Annotated[str, MaxLen(250)]], MaxLen(5)]
"""An address that was not taken apart."""

CountryCode: TypeAlias = Annotated[str, StringConstraints(pattern=_COUNTRY)]
"""ISO 3166-1 alpha-2; `ZZ` where unknown."""
CurrencyCode: TypeAlias = Annotated[str, StringConstraints(pattern=_CURRENCY)]
"""ISO 4217."""
LocationCode: TypeAlias = Annotated[str, StringConstraints(pattern=_LOCATION)]
"""UN/LOCODE, written without a space."""
HSCode: TypeAlias = Annotated[str, StringConstraints(pattern=_HS_CODE)]
"""Harmonized System code, national digits included."""
ExtendedHSCode: TypeAlias = Annotated[str, StringConstraints(pattern=_EXTENDED_HS_CODE)]
"""The same with up to twelve digits."""
VoyageReference: TypeAlias = Annotated[str, StringConstraints(pattern=_VOYAGE)]
"""Year, sequence and direction of a voyage, agreed by the lines that share the ship."""
FourDigits: TypeAlias = Annotated[str, StringConstraints(pattern=_FOUR_DIGITS)]
"""A UN or NA number."""
CodedVariant: TypeAlias = Annotated[str, StringConstraints(pattern=_VARIANT)]
"""Tells variants of one UN number apart; its first digit is the packing group."""
SubsidiaryRisk: TypeAlias = Annotated[str, StringConstraints(pattern=_RISK)]
"""A second hazard of the same goods."""
PackageCode: TypeAlias = Annotated[str, StringConstraints(pattern=_PACKAGE)]
"""UN/CEFACT Recommendation 21."""
ImoPackagingCode: TypeAlias = Annotated[str, StringConstraints(pattern=_IMO_PACKAGING)]
"""Packaging of dangerous goods by the IMDG Code."""

LocalDate: TypeAlias = Annotated[str, StringConstraints(pattern=_DATE), AfterValidator(_existing_date)]
"""RFC 3339 `full-date` of a day that exists, kept as written."""
Timestamp: TypeAlias = Annotated[str, StringConstraints(pattern=_TIMESTAMP), AfterValidator(_existing_time)]
"""RFC 3339 `date-time` of a moment that exists, kept as written; a leap second is not."""

_SINGLE_MAX: Final = float.fromhex("0x1.fffffep+127")
"""The largest single-precision number; the schema gives every number the format `float`, as against `double`."""

Count: TypeAlias = Annotated[int, Ge(0), Le(2**31 - 1)]
"""A 32-bit count."""
PackageCount: TypeAlias = Annotated[int, Ge(1), Le(99_999_999)]
"""Packages of one kind."""
PackingGroup: TypeAlias = Annotated[int, Ge(1), Le(3)]
"""Great, medium or minor danger."""
Int32: TypeAlias = Annotated[int, Ge(-(2**31)), Le(2**31 - 1)]
"""A 32-bit integer with no further bound."""
Number: TypeAlias = Annotated[float, Ge(-_SINGLE_MAX), Le(_SINGLE_MAX)]
"""A number of either sign."""
Amount: TypeAlias = Annotated[float, Ge(0), Le(_SINGLE_MAX)]
"""A sum of money, a price or a quantity; JSON writes it with or without decimals."""
Quantity: TypeAlias = Annotated[float, Gt(0), Le(_SINGLE_MAX)]
"""A weight or volume: more than nothing."""
Percentage: TypeAlias = Annotated[float, Ge(0), Le(100)]
"""Percent by volume or of relative humidity."""

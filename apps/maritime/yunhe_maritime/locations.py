"""Places of the transport document: addresses, ports, places of receipt and delivery, of issue and of payment.

Source: the schema objects of the same names, see `yunhe_maritime.field_types`.
"""

from typing import Annotated

from annotated_types import MaxLen
from pydantic import model_validator

from yunhe_maritime.code_lists import FacilityCodeListProvider
from yunhe_maritime.field_types import AddressLines, CountryCode, DocumentPart, Given, Line, LocationCode, exactly_one


class City(DocumentPart):
    """A city and its country."""

    city: Annotated[Line, MaxLen(35)]
    state_region: Given[Annotated[str, MaxLen(65)]] = None
    country_code: CountryCode


class Address(City):
    """An address taken apart."""

    street: Annotated[str, MaxLen(70)]
    street_number: Given[Annotated[str, MaxLen(50)]] = None
    floor: Given[Annotated[Line, MaxLen(50)]] = None
    post_code: Given[Annotated[str, MaxLen(10)]] = None
    po_box: Given[Annotated[str, MaxLen(20)]] = None


class PartyAddress(Address):
    """The address of a party, which may also carry the location's code."""

    un_location_code: Given[LocationCode] = None


class Facility(DocumentPart):
    """A terminal, depot or other facility in somebody's code list."""

    facility_code: Annotated[Line, MaxLen(6)]
    facility_code_list_provider: FacilityCodeListProvider


class GeoCoordinate(DocumentPart):
    """Latitude and longitude, as text."""

    latitude: Annotated[str, MaxLen(10)]
    longitude: Annotated[str, MaxLen(11)]


class Port(DocumentPart):
    """Port of loading or of discharge."""

    location_name: Given[Annotated[Line, MaxLen(100)]] = None
    city: Given[City] = None
    un_location_code: Given[LocationCode] = None


class InlandPlace(DocumentPart):
    """Onward inland routing: where the merchant's own haulage ends."""

    location_name: Given[Annotated[Line, MaxLen(100)]] = None
    facility_name: Given[Annotated[str, MaxLen(100)]] = None
    address: Given[Address] = None
    address_lines: Given[AddressLines] = None
    facility: Given[Facility] = None
    un_location_code: Given[LocationCode] = None


class HandoverPlace(InlandPlace):
    """Place of receipt or of delivery: where the carrier's responsibility begins or ends."""

    geo_coordinate: Given[GeoCoordinate] = None


class PlaceOfIssue(DocumentPart):
    """Where the document is issued: a location's code or a country, not both."""

    location_name: Given[Annotated[Line, MaxLen(100)]] = None
    un_location_code: Given[LocationCode] = None
    country_code: Given[CountryCode] = None

    @model_validator(mode="after")
    def _one_of_two(self) -> "PlaceOfIssue":
        # Source: PlaceOfIssue, oneOf.
        exactly_one(self, "un_location_code", "country_code")
        return self


class InvoicePayableAt(DocumentPart):
    """Where the freight is paid: a location's code or a few words, not both."""

    un_location_code: Given[LocationCode] = None
    free_text: Given[Annotated[str, MaxLen(35)]] = None

    @model_validator(mode="after")
    def _one_of_two(self) -> "InvoicePayableAt":
        # Source: InvoicePayableAt, oneOf.
        exactly_one(self, "un_location_code", "free_text")
        return self

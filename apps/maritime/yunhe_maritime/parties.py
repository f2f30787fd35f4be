"""The parties that a transport document names.

Source: DocumentParties and the objects below it, see `yunhe_maritime.field_types`.
"""

from typing import Annotated

from annotated_types import MaxLen, MinLen
from pydantic import model_validator

from yunhe_maritime.code_lists import PartyCodeListProvider, PartyFunction, Platform, TypeOfPerson
from yunhe_maritime.field_types import AddressLines, CountryCode, DocumentPart, Email, Given, Line, LinesOf35
from yunhe_maritime.locations import Address, PartyAddress


class PartyContactDetail(DocumentPart):
    """Whom to ask, by telephone, by mail or both."""

    name: Annotated[Line, MaxLen(35)]
    phone: Given[Annotated[Line, MaxLen(30)]] = None
    email: Given[Email] = None

    @model_validator(mode="after")
    def _can_be_reached(self) -> "PartyContactDetail":
        # Source: PartyContactDetail, anyOf.
        if self.phone is None and self.email is None:
            raise ValueError("should have phone, email or both; found neither")
        return self


class IdentifyingCode(DocumentPart):
    """What a party is called in somebody's register."""

    code_list_provider: PartyCodeListProvider
    party_code: Annotated[str, MaxLen(150)]
    code_list_name: Given[Annotated[str, MaxLen(100)]] = None


class TaxLegalReference(DocumentPart):
    """A number that a tax office or court of a country gave to a party."""

    type: Annotated[Line, MaxLen(50)]
    country_code: CountryCode
    value: Annotated[Line, MaxLen(35)]


class NamedParty(DocumentPart):
    """What all parties have."""

    party_name: Annotated[Line, MaxLen(70)]
    address_lines: Given[AddressLines] = None


class OnBehalfOfShipper(NamedParty):
    """For whom the shipper acts."""

    address: Given[PartyAddress] = None
    identifying_codes: Given[list[IdentifyingCode]] = None


class OnBehalfOfConsignee(NamedParty):
    """For whom the consignee acts."""

    address: Given[PartyAddress] = None
    identifying_codes: Given[Annotated[list[IdentifyingCode], MinLen(1)]] = None


class CarriersAgentAtDestination(NamedParty):
    """Who acts for the carrier where the goods arrive."""

    address: Address
    party_contact_details: list[PartyContactDetail]


class RegisteredParty(NamedParty):
    """What parties share that are known to tax offices and can be asked."""

    tax_legal_references: Given[list[TaxLegalReference]] = None
    party_contact_details: Given[list[PartyContactDetail]] = None


class IssuingParty(RegisteredParty):
    """Who issues the document: the carrier or its agent."""

    address: PartyAddress
    identifying_codes: Given[list[IdentifyingCode]] = None


class Party(RegisteredParty):
    """A party with a function of its own."""

    address: Given[PartyAddress] = None
    identifying_codes: Given[list[IdentifyingCode]] = None
    reference: Given[Annotated[Line, MaxLen(35)]] = None


class OtherDocumentParty(DocumentPart):
    """A party and what it does: owner of the service contract, forwarder, payer."""

    party: Party
    party_function: PartyFunction


class DisplayedParty(RegisteredParty):
    """What parties share that are printed on the document."""

    address: Given[PartyAddress] = None
    displayed_address: Given[Annotated[LinesOf35, MaxLen(6)]] = None


class Shipper(DisplayedParty):
    """Who concluded the contract of carriage, or in whose name the goods were handed over."""

    ebl_platform: Given[Platform] = None
    type_of_person: Given[TypeOfPerson] = None
    identifying_codes: Given[list[IdentifyingCode]] = None
    reference: Given[Annotated[Line, MaxLen(35)]] = None
    purchase_order_references: Given[list[Annotated[Line, MaxLen(35)]]] = None


class Consignee(DisplayedParty):
    """To whom a straight bill consigns the goods."""

    ebl_platform: Given[Platform] = None
    type_of_person: Given[TypeOfPerson] = None
    identifying_codes: Annotated[list[IdentifyingCode], MinLen(1)]
    reference: Given[Annotated[Line, MaxLen(35)]] = None
    purchase_order_references: Given[list[Annotated[Line, MaxLen(35)]]] = None
    is_notify_party: Given[bool] = None


class Endorsee(DisplayedParty):
    """To whose order a negotiable bill is made out."""

    ebl_platform: Given[Platform] = None
    identifying_codes: Annotated[list[IdentifyingCode], MinLen(1)]
    is_notify_party: Given[bool] = None


class NotifyParty(DisplayedParty):
    """Who is told of the arrival."""

    type_of_person: Given[TypeOfPerson] = None
    identifying_codes: Given[list[IdentifyingCode]] = None
    reference: Given[Annotated[Line, MaxLen(35)]] = None


class DocumentParties(DocumentPart):
    """All parties; shipper and issuing party are always named."""

    shipper: Shipper
    on_behalf_of_shipper: Given[OnBehalfOfShipper] = None
    consignee: Given[Consignee] = None
    on_behalf_of_consignee: Given[OnBehalfOfConsignee] = None
    endorsee: Given[Endorsee] = None
    issuing_party: IssuingParty
    carriers_agent_at_destination: Given[CarriersAgentAtDestination] = None
    notify_parties: Given[Annotated[list[NotifyParty], MaxLen(3)]] = None
    other: Given[list[OtherDocumentParty]] = None

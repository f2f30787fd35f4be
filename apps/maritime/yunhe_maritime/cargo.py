"""What is carried: consignment items, their cargo items and packages, with commodity codes, licences and references.

Source: ConsignmentItem and the objects below it, see `yunhe_maritime.field_types`.
"""

from typing import Annotated

from annotated_types import MaxLen, MinLen

from yunhe_maritime.code_lists import CommodityCodeType, ItemReferenceType, ReferenceType, VolumeUnit
from yunhe_maritime.dangerous_goods import DangerousGoods, Weight
from yunhe_maritime.field_types import (
    CountryCode,
    DocumentPart,
    ExtendedHSCode,
    Given,
    HSCode,
    ImoPackagingCode,
    Line,
    LinesOf35,
    LocalDate,
    PackageCode,
    PackageCount,
    Quantity,
)


class Volume(DocumentPart):
    """A volume with its unit."""

    value: Quantity
    unit: VolumeUnit


class License(DocumentPart):
    """A licence to export or import; published twice, as ExportLicense and ImportLicense."""

    is_required: Given[bool] = None
    reference: Given[Annotated[Line, MaxLen(35)]] = None
    issue_date: Given[LocalDate] = None
    expiry_date: Given[LocalDate] = None


class Reference(DocumentPart):
    """What a party calls this shipment."""

    type: ReferenceType
    value: Annotated[Line, MaxLen(35)]


class ItemReference(DocumentPart):
    """What parties call this consignment item; published as ReferenceConsignmentItem."""

    type: ItemReferenceType
    values: Annotated[list[Annotated[Line, MaxLen(35)]], MinLen(1)]


class CustomsReference(DocumentPart):
    """What a customs office calls this shipment."""

    type: Annotated[Line, MaxLen(50)]
    country_code: CountryCode
    values: Annotated[list[Annotated[Line, MaxLen(35)]], MinLen(1)]


class NationalCommodityCode(DocumentPart):
    """A commodity in a national classification; superseded by the extended form."""

    type: CommodityCodeType
    country_code: Given[CountryCode] = None
    values: Annotated[list[Annotated[Line, MaxLen(10)]], MinLen(1)]


class ExtendedNationalCommodityCode(DocumentPart):
    """A commodity in a national classification, with longer codes."""

    type: CommodityCodeType
    country_code: Given[CountryCode] = None
    values: Annotated[list[Annotated[Line, MaxLen(16)]], MinLen(1)]


class OuterPackaging(DocumentPart):
    """The outermost packages of a cargo item."""

    package_code: Given[PackageCode] = None
    imo_packaging_code: Given[ImoPackagingCode] = None
    number_of_packages: PackageCount
    description: Annotated[str, MaxLen(100)]
    wood_declaration: Given[Annotated[str, MaxLen(30)]] = None
    dangerous_goods: Given[list[DangerousGoods]] = None


class CargoItem(DocumentPart):
    """The part of a consignment item that lies in one container."""

    equipment_reference: Annotated[Line, MaxLen(11)]
    """The container."""
    cargo_gross_weight: Weight
    cargo_gross_volume: Given[Volume] = None
    cargo_net_weight: Given[Weight] = None
    cargo_net_volume: Given[Volume] = None
    export_license: Given[License] = None
    import_license: Given[License] = None
    outer_packaging: OuterPackaging
    national_commodity_codes: Given[list[NationalCommodityCode]] = None
    extended_national_commodity_codes: Given[list[ExtendedNationalCommodityCode]] = None
    customs_references: Given[list[CustomsReference]] = None


class ConsignmentItem(DocumentPart):
    """Goods of one kind under one booking."""

    carrier_booking_reference: Annotated[Line, MaxLen(35)]
    description_of_goods: Annotated[list[Annotated[Line, MaxLen(35)]], MaxLen(150)]
    hs_codes: Annotated[list[HSCode], MinLen(1)]
    """Still required, and to be ignored where the extended codes are given."""
    extended_hs_codes: Given[list[ExtendedHSCode]] = None
    national_commodity_codes: Given[list[NationalCommodityCode]] = None
    extended_national_commodity_codes: Given[list[ExtendedNationalCommodityCode]] = None
    shipping_marks: Given[Annotated[LinesOf35, MaxLen(50)]] = None
    cargo_items: Annotated[list[CargoItem], MinLen(1)]
    export_license: Given[License] = None
    import_license: Given[License] = None
    references: Given[list[ItemReference]] = None
    customs_references: Given[list[CustomsReference]] = None

"""Dangerous goods as a transport document declares them (IMDG Code, Amendment 41-22).

Source: DangerousGoods and the objects below it, see `yunhe_maritime.field_types`.
"""

from typing import Annotated

from annotated_types import MaxLen
from pydantic import model_validator

from yunhe_maritime.code_lists import ExplosiveUnit, GoodsVolumeUnit, InhalationZone, SegregationGroup, TemperatureUnit, WeightUnit
from yunhe_maritime.field_types import (
    CodedVariant,
    DocumentPart,
    FourDigits,
    Given,
    Int32,
    Line,
    LocalDate,
    Number,
    PackingGroup,
    Quantity,
    SubsidiaryRisk,
    Timestamp,
    exactly_one,
)


class Weight(DocumentPart):
    """A weight with its unit."""

    value: Quantity
    unit: WeightUnit


class ExplosiveContent(DocumentPart):
    """The weight of what explodes, without casing."""

    value: Quantity
    unit: ExplosiveUnit


class GoodsVolume(DocumentPart):
    """The volume of a liquid or gas."""

    value: Quantity
    unit: GoodsVolumeUnit


class InnerPackaging(DocumentPart):
    """Packages within a package, to any depth."""

    quantity: Int32
    material: Annotated[str, MaxLen(100)]
    description: Annotated[str, MaxLen(100)]
    inner_packagings: Given[list["InnerPackaging"]] = None


class EmergencyContactDetails(DocumentPart):
    """Whom to call when something leaks or burns."""

    contact: Annotated[str, MaxLen(255)]
    provider: Given[Annotated[str, MaxLen(255)]] = None
    phone: Annotated[Line, MaxLen(30)]
    reference_number: Given[Annotated[str, MaxLen(255)]] = None


class Limits(DocumentPart):
    """Temperatures that matter for the goods, all in one unit."""

    temperature_unit: TemperatureUnit
    flash_point: Given[Number] = None
    transport_control_temperature: Given[Number] = None
    transport_emergency_temperature: Given[Number] = None
    sadt: Given[Number] = None
    """Self-accelerating decomposition temperature."""
    sapt: Given[Number] = None
    """Self-accelerating polymerisation temperature."""


class DangerousGoods(DocumentPart):
    """One dangerous substance or article in a package."""

    un_number: Given[FourDigits] = None
    na_number: Given[FourDigits] = None
    coded_variant_list: Given[CodedVariant] = None
    proper_shipping_name: Annotated[str, MaxLen(250)]
    technical_name: Given[Annotated[str, MaxLen(250)]] = None
    imo_class: Annotated[str, MaxLen(4)]
    subsidiary_risk1: Given[SubsidiaryRisk] = None
    subsidiary_risk2: Given[SubsidiaryRisk] = None
    is_marine_pollutant: Given[bool] = None
    packing_group: Given[PackingGroup] = None
    is_limited_quantity: Given[bool] = None
    is_excepted_quantity: Given[bool] = None
    is_salvage_packings: Given[bool] = None
    is_empty_uncleaned_residue: Given[bool] = None
    is_waste: Given[bool] = None
    is_hot: Given[bool] = None
    is_competent_authority_approval_required: Given[bool] = None
    competent_authority_approval: Given[Annotated[Line, MaxLen(70)]] = None
    segregation_groups: Given[list[SegregationGroup]] = None
    inner_packagings: Given[list[InnerPackaging]] = None
    emergency_contact_details: Given[EmergencyContactDetails] = None
    ems_number: Given[Annotated[str, MaxLen(7)]] = None
    end_of_holding_time: Given[LocalDate] = None
    fumigation_date_time: Given[Timestamp] = None
    is_reportable_quantity: Given[bool] = None
    inhalation_zone: Given[InhalationZone] = None
    gross_weight: Given[Weight] = None
    net_weight: Given[Weight] = None
    net_explosive_content: Given[ExplosiveContent] = None
    net_volume: Given[GoodsVolume] = None
    limits: Given[Limits] = None

    @model_validator(mode="after")
    def _one_of_two(self) -> "DangerousGoods":
        # Source: DangerousGoods, oneOf.
        exactly_one(self, "un_number", "na_number")
        return self

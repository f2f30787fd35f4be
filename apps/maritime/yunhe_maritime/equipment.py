"""The containers that carry the goods, with their seals and reefer settings.

Source: UtilizedTransportEquipment and the objects below it, see `yunhe_maritime.field_types`.
"""

from typing import Annotated

from annotated_types import MaxLen, MinLen

from yunhe_maritime.cargo import CustomsReference, Reference
from yunhe_maritime.code_lists import AirExchangeUnit, SealSource, TemperatureUnit
from yunhe_maritime.dangerous_goods import Weight
from yunhe_maritime.field_types import Amount, DocumentPart, Given, Line, LinesOf35, Number, Percentage


class Equipment(DocumentPart):
    """A container."""

    equipment_reference: Annotated[Line, MaxLen(11)]
    """ISO 6346 container number where there is one."""
    iso_equipment_code: Given[Annotated[Line, MaxLen(4)]] = None
    """ISO 6346 size and type, such as 22G1."""
    tare_weight: Given[Weight] = None


class Seal(DocumentPart):
    """A seal on a container's doors."""

    number: Annotated[str, MaxLen(15)]
    source: Given[SealSource] = None


class ActiveReeferSettings(DocumentPart):
    """How a cooled container is to be run."""

    temperature_setpoint: Given[Number] = None
    temperature_unit: Given[TemperatureUnit] = None
    o2_setpoint: Given[Percentage] = None
    co2_setpoint: Given[Percentage] = None
    humidity_setpoint: Given[Percentage] = None
    air_exchange_setpoint: Given[Amount] = None
    air_exchange_unit: Given[AirExchangeUnit] = None
    is_ventilation_open: Given[bool] = None
    is_drainholes_open: Given[bool] = None
    is_bulb_mode: Given[bool] = None
    is_cold_treatment_required: Given[bool] = None
    is_controlled_atmosphere_required: Given[bool] = None


class UtilizedTransportEquipment(DocumentPart):
    """A container in its use for this shipment."""

    equipment: Equipment
    is_shipper_owned: bool
    is_non_operating_reefer: Given[bool] = None
    active_reefer_settings: Given[ActiveReeferSettings] = None
    shipping_marks: Given[Annotated[LinesOf35, MaxLen(50)]] = None
    seals: Annotated[list[Seal], MinLen(1)]
    references: Given[list[Reference]] = None
    customs_references: Given[list[CustomsReference]] = None

"""`convert_length` and its kin: a number from one unit to another of the same quantity.

Each table says how many of the quantity's base unit one unit is. Units with a prefix are derived from the
plain ones.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from workbench.base.dtypes import ScalarType
from workbench.query.functions import _sql, _sql_cast, _unsayable
from workbench.query.functions._card import REAL, STRING, scalar
from workbench.query.lowering import SqlValue
from workbench.query.plan import Const, Expr

_PREFIXES = {
    "Nano": 1e-9, "Micro": 1e-6, "Milli": 1e-3, "Centi": 1e-2, "Deci": 1e-1, "Deca": 1e1, "Hecto": 1e2, "Kilo": 1e3,
    "Mega": 1e6, "Giga": 1e9, "Tera": 1e12,
}  # fmt: skip


def _with_prefixes(
    plain: Mapping[str, float], prefixed: Mapping[str, str], power: int = 1
) -> dict[str, float]:
    """The units and, for those in `prefixed`, their multiples: `{"Meter": "Centi Kilo"}`."""
    units = dict(plain)
    for unit, prefixes in prefixed.items():
        for prefix in prefixes.split():
            units[prefix + unit[0].lower() + unit[1:]] = plain[unit] * _PREFIXES[prefix] ** power
    return units


_BTU = 1055.05585262
_ANGLE = _with_prefixes(
    {
        "Radian": 1.0, "Degree": math.pi / 180, "Arcminute": math.pi / 10_800, "Arcsecond": math.pi / 648_000,
        "Gradian": math.pi / 200, "NatoMil": math.pi / 3200, "Revolution": 2 * math.pi, "Tilt": 1.0,
    },
    {"Radian": "Centi Deci Micro Milli Nano", "Degree": "Micro Milli Nano"},
)  # fmt: skip
_ENERGY = _with_prefixes(
    {
        "Joule": 1.0, "BritishThermalUnit": _BTU, "Calorie": 4.184, "ElectronVolt": 1.602176565e-19, "Erg": 1e-7,
        "FootPound": 1.355817948, "HorsepowerHour": 2.6845195377e6, "WattHour": 3600.0, "WattDay": 86_400.0,
        "ThermEc": 1.0550558526e8, "ThermImperial": 1.05505585257348e8, "ThermUs": 1.054804e8,
    },
    {
        "Joule": "Milli Kilo Mega Giga", "BritishThermalUnit": "Kilo Mega Giga", "Calorie": "Kilo Mega",
        "ElectronVolt": "Kilo Mega Giga Tera", "WattHour": "Kilo Mega Giga Tera", "WattDay": "Kilo Mega Giga Tera",
        "ThermEc": "Deca", "ThermImperial": "Deca", "ThermUs": "Deca",
    },
)  # fmt: skip
_KILOGRAM_FORCE = 9.80665
_POUND = 0.45359237
_FORCE = _with_prefixes(
    {
        "Newton": 1.0, "Dyn": 1e-5, "KilogramForce": _KILOGRAM_FORCE, "KiloPond": _KILOGRAM_FORCE,
        "TonneForce": 1000 * _KILOGRAM_FORCE, "PoundForce": _POUND * _KILOGRAM_FORCE,
        "OunceForce": _POUND / 16 * _KILOGRAM_FORCE, "Poundal": 0.138254954376,
        "ShortTonForce": 2000 * _POUND * _KILOGRAM_FORCE,
    },
    {"Newton": "Deca Kilo Mega Micro Milli", "PoundForce": "Kilo"},
)  # fmt: skip
_FOOT = 0.3048
_US_FOOT = 1200 / 3937
_LENGTH = _with_prefixes(
    {
        "Meter": 1.0, "Inch": 0.0254, "Foot": _FOOT, "Yard": 0.9144, "Mile": 1609.344, "NauticalMile": 1852.0,
        "DataMile": 1828.8, "UsSurveyFoot": _US_FOOT, "Mil": 2.54e-5, "Chain": 20.1168, "Fathom": 1.8288, "Hand": 0.1016,
        "Shackle": 27.432, "Twip": 0.0254 / 1440, "Angstrom": 1e-10, "AstronomicalUnit": 1.495978707e11,
        "LightYear": 9.46073047258e15, "Parsec": 3.08567758128e16, "SolarRadius": 6.95510e8, "DtpPica": 0.0254 / 6,
        "DtpPoint": 0.0254 / 72, "PrinterPica": 0.0254 / 6.022, "PrinterPoint": 0.0254 / 72.27,
    },
    {
        "Meter": "Nano Micro Milli Centi Deci Deca Hecto Kilo", "Inch": "Micro", "LightYear": "Kilo Mega",
        "Parsec": "Kilo Mega",
    },
)  # fmt: skip
_MASS = _with_prefixes(
    {
        "Gram": 1e-3, "Tonne": 1e3, "Pound": _POUND, "Ounce": _POUND / 16, "Grain": _POUND / 7000, "Stone": 14 * _POUND,
        "ShortTon": 2000 * _POUND, "LongTon": 2240 * _POUND, "ShortHundredweight": 100 * _POUND,
        "LongHundredweight": 112 * _POUND, "Slug": _POUND * _KILOGRAM_FORCE / _FOOT, "EarthMass": 5.9722e24,
        "SolarMass": 1.98947e30,
    },
    {"Gram": "Nano Micro Milli Centi Deci Deca Hecto Kilo", "Tonne": "Kilo Mega", "Pound": "Kilo Mega"},
)  # fmt: skip
_TIMES = {"PerSecond": 1.0, "PerMinute": 60.0, "PerHour": 3600.0}
_SPEED = {
    **{
        unit + per: _LENGTH[unit] / seconds
        for unit in (
            "Meter", "Nanometer", "Micrometer", "Millimeter", "Centimeter", "Decimeter", "Kilometer", "Inch", "Foot",
            "UsSurveyFoot", "Yard", "Mile",
        )
        for per, seconds in _TIMES.items()
    },
    "Knot": 1852 / 3600,
}  # fmt: skip
_CUBIC_FOOT = _FOOT**3
_US_GALLON = 0.0254**3 * 231
_GALLON = 0.00454609
_VOLUME = {
    **_with_prefixes(
        {
            "Liter": 1e-3, "UsGallon": _US_GALLON, "ImperialGallon": _GALLON, "CubicFoot": _CUBIC_FOOT, "CubicMeter": 1.0,
        },
        {
            "Liter": "Micro Milli Centi Deci Deca Hecto Kilo Mega", "UsGallon": "Deci Deca Hecto Kilo Mega",
            "ImperialGallon": "Kilo Mega", "CubicFoot": "Hecto Kilo Mega", "CubicMeter": "Hecto Kilo",
        },
    ),
    **{
        f"Cubic{unit}": _LENGTH[unit] ** 3
        for unit in (
            "Micrometer", "Millimeter", "Centimeter", "Decimeter", "Hectometer", "Kilometer", "Inch", "Yard", "Mile",
        )
    },
    "AcreFoot": 1 / 0.000810714, "BoardFoot": _CUBIC_FOOT / 12, "OilBarrel": 42 * _US_GALLON,
    "UsBeerBarrel": 31 * _US_GALLON, "ImperialBeerBarrel": 36 * _GALLON, "UsQuart": _US_GALLON / 4,
    "UsPint": _US_GALLON / 8, "UsOunce": _US_GALLON / 128, "UsTablespoon": _US_GALLON / 256,
    "UsTeaspoon": _US_GALLON / 768, "UsCustomaryCup": _US_GALLON / 16, "UsLegalCup": 0.00024, "ImperialPint": _GALLON / 8,
    "ImperialOunce": _GALLON / 160, "MetricCup": 0.00025, "MetricTeaspoon": 5e-6, "AuTablespoon": 2e-5,
    "UkTablespoon": 1.5e-5,
}  # fmt: skip
_VOLUME.update({f"De{short}usGallon": _US_GALLON * size for short, size in (("ca", 10.0), ("ci", 0.1))})


def _conversion(quantity: str, units: Mapping[str, float]) -> None:
    @scalar(f"convert_{quantity}", [REAL, STRING, STRING], REAL)
    class _Convert:
        @staticmethod
        def row(value: float, source: str, target: str) -> float | None:
            if source not in units or target not in units:
                return None
            if units is _ANGLE and "Tilt" in (source, target):
                return _tilted(value, source, target)
            return value * units[source] / units[target]

        @staticmethod
        def sql_lower(values: list[SqlValue], args: Sequence[Expr], returns: ScalarType) -> SqlValue:
            source, target = _sql_units(args)
            value = _sql_cast.canonical(values[0])
            if source not in units or target not in units:
                return SqlValue(_sql.cast(None, "DOUBLE"), REAL)
            if units is _ANGLE and "Tilt" in (source, target):
                return SqlValue(_sql_tilted(value, source, target), REAL)
            return SqlValue(_sql.op("/", _sql.op("*", value, units[source]), units[target]), REAL)

    _Convert.__doc__ = f"A {quantity} in another unit; null where a unit is unknown."


def _tilted(value: float, source: str, target: str) -> float:
    """A tilt is the sine of its angle."""
    if source == "Tilt" and not -1 <= value <= 1:
        return math.nan
    angle = math.asin(value) if source == "Tilt" else value * _ANGLE[source]
    if target == "Tilt" and math.isinf(angle):
        return math.nan
    return math.sin(angle) if target == "Tilt" else angle / _ANGLE[target]


def _sql_tilted(value: _sql.Sql, source: str, target: str) -> _sql.Sql:
    angle = _sql.func("asin", value) if source == "Tilt" else _sql.op("*", value, _ANGLE[source])
    return _sql.func("sin", angle) if target == "Tilt" else _sql.op("/", angle, _ANGLE[target])


def _sql_units(args: Sequence[Expr]) -> tuple[str, str]:
    source, target = args[1], args[2]
    if not (isinstance(source, Const) and isinstance(target, Const)):
        raise _sql.Unsayable(_unsayable.UNIT_DIFFERS)
    return str(source.value), str(target.value)


for _quantity, _units in (
    ("angle", _ANGLE), ("energy", _ENERGY), ("force", _FORCE), ("length", _LENGTH), ("mass", _MASS), ("speed", _SPEED),
    ("volume", _VOLUME),
):  # fmt: skip
    _conversion(_quantity, _units)

# To kelvin and back.
_Scale = Callable[[Any], Any]
_TEMPERATURE: dict[str, tuple[_Scale, _Scale]] = {
    "Kelvin": (lambda t: t, lambda k: k),
    "DegreeCelsius": (lambda t: t + 273.15, lambda k: k - 273.15),
    "MillidegreeCelsius": (lambda t: t / 1000 + 273.15, lambda k: (k - 273.15) * 1000),
    "DegreeFahrenheit": (lambda t: (t + 459.67) * 5 / 9, lambda k: k * 9 / 5 - 459.67),
    "DegreeRankine": (lambda t: t * 5 / 9, lambda k: k * 9 / 5),
    "DegreeReaumur": (lambda t: t * 5 / 4 + 273.15, lambda k: (k - 273.15) * 4 / 5),
    "DegreeRoemer": (lambda t: (t - 7.5) * 40 / 21 + 273.15, lambda k: (k - 273.15) * 21 / 40 + 7.5),
    "DegreeDelisle": (lambda t: 373.15 - t * 2 / 3, lambda k: (373.15 - k) * 3 / 2),
    "DegreeNewton": (lambda t: t * 100 / 33 + 273.15, lambda k: (k - 273.15) * 33 / 100),
    "SolarTemperature": (lambda t: t * 5778, lambda k: k / 5778),
}


@scalar("convert_temperature", [REAL, STRING, STRING], REAL)
class ConvertTemperature:
    """A temperature on another scale; null where a scale is unknown."""

    @staticmethod
    def row(value: float, source: str, target: str) -> float | None:
        if source not in _TEMPERATURE or target not in _TEMPERATURE:
            return None
        return float(_TEMPERATURE[target][1](_TEMPERATURE[source][0](value)))

    @staticmethod
    def sql_lower(values: list[SqlValue], args: Sequence[Expr], returns: ScalarType) -> SqlValue:
        source, target = _sql_units(args)
        if source not in _TEMPERATURE or target not in _TEMPERATURE:
            return SqlValue(_sql.cast(None, "DOUBLE"), REAL)
        # The operators of a tree make trees, so the scales are those of the first lowering.
        kelvin = _TEMPERATURE[source][0](_sql_cast.canonical(values[0]))
        return SqlValue(_sql.cast(_TEMPERATURE[target][1](kelvin), "DOUBLE"), REAL)

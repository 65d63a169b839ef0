"""From a table to cars: one row a car, some columns that say which car it is, the other known ones are its specs.

Header convention. `slug`, `make`, `name_zh`, `name_en` (or `model`), `body`, `aliases` (separated by `|`), `source`,
`date`, `url`, `licence`, `sample`, `cycle` (CLTC, WLTP, EPA: holds for range and consumption), `embargo` (date, time
and zone: nothing about the car is published before). A spec column is a known key of `SPECS` (`price`, `range_km`, ...)
or one of its names, its unit in brackets where it differs (`price (万元)`) or any other property written in full as
`key|中文名|English name|unit|cycle`. Other columns are left alone.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from factory.plan.brief import Table
from factory.plan.car_columns import CarColumns
from factory.plan.embargo import Embargo, EmbargoUnclear, read_embargo
from factory.plan.facts import Car, Spec
from factory.plan.numbers import UNITS, NotANumber, is_missing, parse_amount, unit_of
from factory.plan.ranking_table import source_of
from factory.plan.tables import (
    BadRow,
    Row,
    RowRefused,
    TableUnfit,
    clean_name,
    clean_note,
    find_column,
    header_unit,
    plain_name,
    rows_of,
)

BODIES = ("body", "body type", "车身", "车身形式", "级别")
ALIASES = ("aliases", "alias", "别名", "also known as")
CYCLES = ("cycle", "工况")
EMBARGOES = ("embargo", "embargo until", "禁发至", "解禁时间")


@dataclass(frozen=True, slots=True)
class KnownSpec:
    """A property that tables often carry: its names, its usual unit, and whether a test cycle belongs to it."""

    key: str
    zh: str
    en: str
    unit: str
    names: tuple[str, ...] = ()
    cycled: bool = False
    zero_is_none: bool = False  # 0 means that the car has none of it


SPECS: tuple[KnownSpec, ...] = (
    KnownSpec("price", "指导价", "Price", "元", ("msrp", "guide price", "官方指导价", "价格", "售价")),
    KnownSpec("range_km", "续航里程", "Range", "km", ("range", "续航", "纯电续航"), cycled=True),
    KnownSpec("battery_kwh", "电池容量", "Battery", "kWh", ("battery", "usable battery kwh", "电池")),
    KnownSpec("power_kw", "最大功率", "Power", "kW", ("power", "功率", "电机功率")),
    KnownSpec("torque_nm", "最大扭矩", "Torque", "N·m", ("torque", "扭矩")),
    KnownSpec("zero_to_100_s", "百公里加速", "0–100 km/h", "s", ("0 100 s", "0 100", "零百加速", "acceleration s")),
    KnownSpec("top_speed_kmh", "最高车速", "Top speed", "km/h", ("top speed", "极速")),
    KnownSpec("length_mm", "车长", "Length", "mm", ("length", "长", "长度")),
    KnownSpec("width_mm", "车宽", "Width", "mm", ("width", "宽", "宽度")),
    KnownSpec("height_mm", "车高", "Height", "mm", ("height", "高", "高度")),
    KnownSpec("wheelbase_mm", "轴距", "Wheelbase", "mm", ("wheelbase",)),
    KnownSpec("ground_clearance_mm", "最小离地间隙", "Ground clearance", "mm", ("ground clearance", "离地间隙")),
    KnownSpec("wading_mm", "涉水深度", "Wading depth", "mm", ("wading", "wading depth")),
    KnownSpec("weight_kg", "整备质量", "Kerb weight", "kg", ("weight", "kerb weight", "质量")),
    KnownSpec("seats", "座位数", "Seats", "座", ("passengers", "座位", "座椅")),
    KnownSpec("dc_max_kw", "直流快充功率", "DC charging", "kW", ("dc charging",), zero_is_none=True),
    KnownSpec("ac_max_kw", "交流充电功率", "AC charging", "kW", ("ac charging",), zero_is_none=True),
    KnownSpec(
        "consumption",
        "能耗",
        "Consumption",
        "kWh/100km",
        ("avg consumption kwh 100km", "电耗", "百公里电耗"),
        cycled=True,
    ),
)
_SPEC_NAMES = {plain_name(name): spec for spec in SPECS for name in (spec.key, spec.zh, spec.en, *spec.names)}


@dataclass(frozen=True, slots=True)
class _Columns:
    car: CarColumns
    body: str | None
    aliases: str | None
    cycle: str | None
    embargo: str | None
    specs: tuple[tuple[str, KnownSpec, str], ...]  # column, spec, cycle


def read_cars(
    table: Table, options: Mapping[str, str], *, body: Callable[[str], str | None] | None = None
) -> tuple[tuple[Car, ...], tuple[BadRow, ...]]:
    """Return the cars of a table, and its refused rows. `body` gives the canonical tag of a body's name, or None.

    A missing spec is left out of its car; a wrong one refuses the row. Raises `TableUnfit` where no row is good.
    """
    rows, bad = rows_of(table)
    columns = _columns(table)
    cars, refused, seen = list[Car](), list(bad), dict[str, Row]()
    for row in rows:
        try:
            car = _car(columns, row, table.name, options, body)
            if car.slug in seen:
                raise RowRefused(columns.car.slug or columns.car.of_names, f"{car.slug!r} stands on {seen[car.slug]}")
        except RowRefused as refusal:
            refused.append(row.bad(refusal.column, refusal.why))
        else:
            seen[car.slug] = row
            cars.append(car)
    if not cars:
        first = "; ".join(str(row) for row in refused[:3])
        raise TableUnfit(f"{table.name} has no good row of a car", next_step=f"mend {first}" if first else "add rows")
    return tuple(cars), tuple(sorted(refused, key=lambda b: b.line))


def slug_of(name: str) -> str:
    """Return a name as a slug: `Northwind X5` -> `northwind-x5`; empty where it has no Latin letter or digit."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:64].strip("-")


def _columns(table: Table) -> _Columns:
    def column(names: Sequence[str]) -> str | None:
        return find_column(table.columns, names)

    return _Columns(
        car=CarColumns.of(table),
        body=column(BODIES),
        aliases=column(ALIASES),
        cycle=column(CYCLES),
        embargo=column(EMBARGOES),
        specs=tuple(found for name in table.columns if (found := _spec_column(name))),
    )


def _spec_column(column: str) -> tuple[str, KnownSpec, str] | None:
    parts = [part.strip() for part in column.split("|")]
    known = _SPEC_NAMES.get(plain_name(parts[0]))
    if len(parts) == 1 and known is None:
        return None
    key, zh, en, unit, cycle = (*parts, *[""] * 5)[:5]
    key = known.key if known else plain_name(key).replace(" ", "_")
    if not re.fullmatch(r"[a-z0-9_]{1,64}", key):
        raise TableUnfit(f"the column {column[:60]!r} has no key", next_step="write it as key|中文名|English name|unit")
    base = known or KnownSpec(key, zh or en or key, en or zh or key, "")
    stated = unit_of(unit) or header_unit(parts[0])
    spec = replace(
        base, zh=clean_note(zh or base.zh), en=clean_note(en or base.en), unit=clean_note(stated or base.unit)
    )
    return column, spec, clean_note(cycle)


def _car(
    columns: _Columns, row: Row, table_name: str, options: Mapping[str, str], body: Callable[[str], str | None] | None
) -> Car:
    name_zh, name_en = columns.car.names_of(row)
    given = row[columns.car.slug] if columns.car.slug else ""
    slug = slug_of(given or name_en)
    if not slug or (given and given.lower() != slug):
        raise RowRefused(
            columns.car.slug or columns.car.of_names, f"{given or name_en!r} gives no slug like northwind-x5"
        )
    return Car(
        slug=slug,
        make=columns.car.make_of(row),
        name_zh=name_zh,
        name_en=name_en,
        body=_body(columns, row, body),
        specs=tuple(spec for column in columns.specs if (spec := _spec(columns, row, *column))),
        source=source_of(table_name, [row], options),
        aliases=_aliases(columns, row),
        embargo=_embargo(columns, row),
    )


def _body(columns: _Columns, row: Row, body: Callable[[str], str | None] | None) -> str:
    said = row[columns.body].strip() if columns.body else ""
    if not said or body is None:
        return slug_of(said)
    tag = body(said)
    if tag is None:
        raise RowRefused(columns.body or "", f"{said[:40]!r} is no body that the taxonomy knows")
    return tag


def _aliases(columns: _Columns, row: Row) -> tuple[str, ...]:
    said = re.split(r"[|;；、]", row[columns.aliases]) if columns.aliases else []
    return tuple(dict.fromkeys(clean_name(alias, columns.aliases or "") for alias in said if alias.strip()))


def _embargo(columns: _Columns, row: Row) -> Embargo | None:
    if columns.embargo is None or is_missing(row[columns.embargo]):
        return None
    try:
        return read_embargo(row[columns.embargo])
    except EmbargoUnclear as error:
        raise RowRefused(columns.embargo, f"{error.cause}; {error.next_step}") from error


def _spec(columns: _Columns, row: Row, column: str, spec: KnownSpec, cycle: str) -> Spec | None:
    if is_missing(row[column]):
        return None
    try:
        amount = parse_amount(row[column])
    except NotANumber as error:
        raise RowRefused(column, str(error)) from error
    value = amount.value
    if value == 0 and spec.zero_is_none:
        return None
    unit = UNITS.get(spec.unit)
    if amount.unit and amount.unit != spec.unit:
        if unit is None or unit.base != amount.unit:
            raise RowRefused(column, f"the unit {amount.unit!r} differs from the column's {spec.unit!r}")
        value /= unit.scale
    if value <= 0 and spec.key in {known.key for known in SPECS}:
        raise RowRefused(column, f"{row[column][:40]} cannot be: it must be more than zero")
    said = clean_note(row[columns.cycle]) if columns.cycle and spec.cycled else ""
    return Spec(spec.key, spec.zh, spec.en, value, spec.unit, cycle or said)

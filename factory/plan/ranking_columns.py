"""Which column of a table means what for a ranking: found by header, or named by a person."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from factory.plan.brief import Table
from factory.plan.numbers import UNITS, Kind, NotANumber, is_missing, parse_amount, unit_of
from factory.plan.periods import Period, month_of, parse_period
from factory.plan.tables import Row, TableUnfit, clean_note, find_column, header_unit, named_column, plain_name

NAMES = ("name", "名称", "车型名称", "车型", "车名", "车系", "model", "car", "vehicle", "title")
MAKES = ("make", "brand", "manufacturer", "品牌", "厂商", "制造商", "车企")
VARIANTS = ("variant", "trim", "version", "版本", "款型", "配置")
COUNTS = ("sales", "quantity", "units", "units sold", "registrations", "deliveries", "count")
COUNTS_ZH = ("销量", "销售量", "数量", "上险量", "交付量", "零售量", "批发量", "注册量")
PRICES = ("price", "msrp", "价格", "指导价", "官方指导价", "售价", "成交价", "起售价")
VALUES = ("value", "数值", "值", *COUNTS, *COUNTS_ZH, *PRICES)
VALUES_MORE = ("range km", "range", "续航", "续航里程", "score", "得分", "评分", "zero to 100 s", "0 100 s", "power kw")
LOWER_IS_BETTER = ("zero to 100 s", "0 100 s", "0 100km/h", "百公里加速", "consumption", "能耗", "油耗", "电耗")
RANKS = ("rank", "place", "position", "排名", "名次")
BEFORE_RANKS = ("previous rank", "last rank", "prev rank", "上期排名", "上月排名", "上年排名", "上次排名")
BEFORE_VALUES = (
    "previous",
    "previous value",
    "last value",
    "previous sales",
    "上期",
    "上期销量",
    "上月销量",
    "上期数值",
)
PERIODS = ("period", "month", "quarter", "year", "周期", "统计周期", "月份", "季度", "年份", "年", "月", "date", "日期")
YEARS = ("year", "年份", "年")
MONTHS = ("month", "月份", "月")


@dataclass(frozen=True, slots=True)
class Columns:
    """Columns of one table by what they mean, the unit of the value, and how a row's period is read."""

    name: tuple[str, ...]
    value: str
    unit: str
    kind: Kind
    rank: str | None
    previous_rank: str | None
    previous: str | None
    period: Callable[[Row], Period | None] | None
    period_columns: tuple[str, ...]


def find_columns(table: Table, rows: Sequence[Row], options: Mapping[str, str]) -> Columns:
    """Return what each column means: as `options` name them, else by their headers. Raises `TableUnfit`."""

    def column(option: str, names: Sequence[str]) -> str | None:
        asked = options.get(option, "")
        return named_column(table, asked) if asked else find_column(table.columns, names)

    previous_rank, previous = column("previous_rank", BEFORE_RANKS), column("previous", BEFORE_VALUES)
    rank = column("rank", RANKS)
    period, period_columns = _period_reader(table, rows)
    taken = {c for c in (previous_rank, previous, rank, *period_columns) if c}
    name = _name_columns(table, rows, options, taken)
    value = _value_column(table, rows, options, taken | set(name))
    unit, kind = _unit(rows, value, options)
    return Columns(name, value, unit, kind, rank, previous_rank, previous, period, period_columns)


def _name_columns(table: Table, rows: Sequence[Row], options: Mapping[str, str], taken: set[str]) -> tuple[str, ...]:
    if asked := options.get("name", ""):
        return tuple(named_column(table, part.strip()) for part in asked.split("+"))
    name = find_column(table.columns, NAMES)
    make = find_column(table.columns, MAKES)
    if name and make and plain_name(name) in ("model", "车型", "车系"):
        return tuple(c for c in (make, name, find_column(table.columns, VARIANTS)) if c)
    if found := name or make:
        return (found,)
    words = [c for c in table.columns if c and c not in taken and not _is_numeric(rows, c)]
    if not words:
        raise TableUnfit(f"{table.name} has no column of names", next_step="say which one: --set name=COLUMN")
    return (words[0],)


def _value_column(table: Table, rows: Sequence[Row], options: Mapping[str, str], taken: set[str]) -> str:
    if asked := options.get("value", ""):
        return named_column(table, asked)
    free = [c for c in table.columns if c and c not in taken]
    if found := find_column(free, (*VALUES, *VALUES_MORE)):
        return found
    numeric = [c for c in free if _is_numeric(rows, c)]
    if len(numeric) == 1:
        return numeric[0]
    said = f"several columns of numbers ({', '.join(numeric)[:200]})" if numeric else "no column of numbers"
    raise TableUnfit(f"{table.name} has {said}", next_step="say which one to rank by: --set value=COLUMN")


def _is_numeric(rows: Sequence[Row], column: str) -> bool:
    cells = [row[column] for row in rows[:500] if not is_missing(row[column])]
    return bool(cells) and sum(number_or_none(cell) is not None for cell in cells) >= 0.8 * len(cells)


def number_or_none(cell: str) -> Decimal | None:
    try:
        return parse_amount(cell).value
    except NotANumber:
        return None


def _unit(rows: Sequence[Row], value: str, options: Mapping[str, str]) -> tuple[str, Kind]:
    """Return the unit (asked for, in the header, usual for the name, or written in the cells) and what it counts."""
    name = plain_name(value)
    usual: Kind = "count" if name in (*COUNTS, *COUNTS_ZH) else "money" if name in PRICES else "measure"
    unit = unit_of(options.get("unit", "")) or header_unit(value)
    if not unit:
        unit = next((u for row in rows[:500] if (u := _unit_in(row[value]))), "辆" if usual == "count" else "")
    return clean_note(unit), UNITS[unit].kind if unit in UNITS else usual


def _unit_in(cell: str) -> str:
    try:
        return parse_amount(cell).unit
    except NotANumber:
        return ""


def _period_reader(table: Table, rows: Sequence[Row]) -> tuple[Callable[[Row], Period | None] | None, tuple[str, ...]]:
    year, month = find_column(table.columns, YEARS), find_column(table.columns, MONTHS)
    if year and month and month != year:
        return (lambda row: _year_and_month(row[year], row[month])), (year, month)
    column = find_column(table.columns, PERIODS)
    if column is None or sum(parse_period(row[column]) is not None for row in rows) < 0.5 * len(rows):
        return None, ()
    return (lambda row: parse_period(row[column])), (column,)


def _year_and_month(year: str, month: str) -> Period | None:
    found, number = parse_period(year), month_of(month)
    return Period(found.year, number, 0, "month") if found and found.grain == "year" and number else None

"""From a table to changes of price: one row a car, its price before and after, from when, and by whose word.

Header convention. The car: `name_zh`, `name_en` or `model` (with `make`), or its `slug` in the catalogue. The prices:
`old price` and `new price`, or with what they are in the header (`原指导价`, `new guide price`, `调整后成交价`), else a
column `price_kind` says it: guide price (指导价) or deal price (成交价). The currency stands in a column `unit` or
`currency`, in the header (`新价（万元）`) or in the cells. `effective_date` (or `date`) is when the new price begins;
`source`, `source_date`, `url`, `licence`, `sample` as in other tables.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import product

from factory.plan.brief import Table
from factory.plan.car_columns import NAMES_EN, CarColumns
from factory.plan.facts import PriceChange, PriceKind
from factory.plan.numbers import UNITS, NotANumber, exact, parse_amount, unit_of
from factory.plan.periods import parse_period
from factory.plan.ranking_table import source_of
from factory.plan.tables import (
    BadRow,
    Row,
    RowRefused,
    TableUnfit,
    find_column,
    header_unit,
    plain_name,
    rows_of,
)

LARGEST_CHANGE = Decimal("0.8")  # of the old price; more is a slip of the pen, not news

KINDS: Mapping[PriceKind, tuple[str, ...]] = {
    "guide": ("官方指导价", "厂商指导价", "指导价", "guide price", "list price", "msrp"),
    "deal": ("终端成交价", "成交价", "deal price", "transaction price"),
}
_PLAIN = ("价", "价格", "售价", "price")
_PRICES = (*_PLAIN, *(word for words in KINDS.values() for word in words))
_BEFORE = ("原", "旧", "调整前", "调价前", "old ", "previous ", "before ")
_AFTER = ("现", "新", "调整后", "调价后", "new ", "after ")
OLDS = (*(a + b for a, b in product(_BEFORE, _PRICES)), "before", "old", "price before", "调整前", "调价前")
NEWS = (*(a + b for a, b in product(_AFTER, _PRICES)), "after", "new", "price after", "调整后", "调价后")
PRICE_KINDS = ("price kind", "price type", "kind", "价格类型", "价格口径")
CURRENCIES = ("unit", "currency", "单位", "币种", "货币")
DATES = ("effective date", "effective", "effective from", "valid from", "生效日期", "执行日期", "date", "日期")
_KIND_NAMES = {
    **{word: kind for kind, words in KINDS.items() for word in words},
    "guide": "guide",
    "deal": "deal",
}


@dataclass(frozen=True, slots=True)
class _Columns:
    car: CarColumns
    old: str
    new: str
    kind: str | None
    currency: str | None
    date: str
    stated: PriceKind | None  # what the headers of the prices call them


def read_prices(table: Table, options: Mapping[str, str]) -> tuple[tuple[PriceChange, ...], tuple[BadRow, ...]]:
    """Return the changes of price that a table holds, and its refused rows.

    A row is refused where a price is missing, not above zero, unchanged or changed by more than `LARGEST_CHANGE`, where
    kind, currency or date are not said, and where it repeats another. Raises `TableUnfit` where no row is good.
    """
    rows, bad = rows_of(table)
    columns = _columns(table)
    changes, refused = list[PriceChange](), list(bad)
    seen = dict[tuple[str, PriceKind, str], int]()
    for row in rows:
        try:
            change = _change(columns, row, table.name, options)
            key = change.name_en.casefold(), change.kind, change.date
            if key in seen:
                raise RowRefused(columns.date, f"the same car, price and date stand on line {seen[key]}")
        except RowRefused as refusal:
            refused.append(BadRow(row.line, refusal.column, refusal.why))
        else:
            seen[key] = row.line
            changes.append(change)
    refused.sort(key=lambda b: b.line)
    if not changes:
        first = "; ".join(str(row) for row in refused[:3])
        step = f"mend {first}" if first else "add rows"
        raise TableUnfit(f"{table.name} has no good row of a price change", next_step=step)
    return tuple(changes), tuple(refused)


def _columns(table: Table) -> _Columns:
    def column(names: Sequence[str]) -> str | None:
        return find_column(table.columns, names)

    def needed(names: Sequence[str], what: str, example: str) -> str:
        found = column(names)
        if found is None:
            raise TableUnfit(f"{table.name} has no column of {what}", next_step=f"call it {example}")
        return found

    old = needed(OLDS, "the old price", "old_price or 原指导价")
    new = needed(NEWS, "the new price", "new_price or 新指导价")
    before, after = _kind_in(old), _kind_in(new)
    if before and after and before != after:
        cause = f"{table.name}: {old[:40]!r} and {new[:40]!r} are two sorts of price, which cannot be compared"
        raise TableUnfit(cause, next_step="give both as guide prices (指导价) or both as deal prices (成交价)")
    columns = _Columns(
        car=CarColumns.of(table, names_en=(*NAMES_EN, "car"), slugs_are_names=True),
        old=old,
        new=new,
        kind=column(PRICE_KINDS),
        currency=column(CURRENCIES),
        date=needed(DATES, "the day on which the new price begins", "effective_date or 生效日期"),
        stated=before or after,
    )
    if not (columns.stated or columns.kind):
        cause = f"{table.name} does not say whether its prices are guide prices (指导价) or deal prices (成交价)"
        raise TableUnfit(cause, next_step="add a column price_kind, or call the columns 原指导价 and 新指导价")
    return columns


def _kind_in(header: str) -> PriceKind | None:
    name = plain_name(header)
    return next((kind for kind, words in KINDS.items() for word in words if word in name), None)


def _change(columns: _Columns, row: Row, table_name: str, options: Mapping[str, str]) -> PriceChange:
    name_zh, name_en = columns.car.names_of(row)
    (old, old_unit), (new, new_unit) = _price(columns, row, columns.old), _price(columns, row, columns.new)
    if old_unit != new_unit:
        raise RowRefused(columns.new, f"it is in {new_unit}, the old price in {old_unit}")
    if new == old:
        raise RowRefused(columns.new, f"it is the old price, {exact(old)}: nothing has changed")
    if abs(new - old) > LARGEST_CHANGE * old:
        most = f"{100 * LARGEST_CHANGE:.0f} %"
        raise RowRefused(columns.new, f"from {exact(old)} to {exact(new)} is a change of more than {most}")
    return PriceChange(
        name_zh=name_zh,
        name_en=name_en,
        kind=_kind(columns, row),
        old=old,
        new=new,
        unit=new_unit,
        date=_date(columns, row),
        source=source_of(table_name, [row], options),
        slug=row[columns.car.slug].strip() if columns.car.slug else "",
    )


def _price(columns: _Columns, row: Row, column: str) -> tuple[Decimal, str]:
    """Return a price in its currency: 17.48 of a column in 万元 is 174800 and 元."""
    try:
        amount = parse_amount(row[column])
    except NotANumber as error:
        raise RowRefused(column, str(error)) from error
    if amount.value <= 0:
        raise RowRefused(column, f"{row[column][:40]} cannot be: a price is more than zero")
    told = unit_of(row[columns.currency]) if columns.currency else ""
    stated = amount.unit or header_unit(column) or told
    money = UNITS.get(stated)
    if money is None or money.kind != "money":
        why = f"{stated[:20]!r} is no currency" if stated else "no currency is said"
        raise RowRefused(columns.currency or column, f"{why}: write 元, 万元, USD, EUR or GBP")
    for other in (told, header_unit(column)):
        if other and (money.base or stated) != ((known := UNITS.get(other)) and (known.base or other)):
            raise RowRefused(column, f"the unit {stated!r} differs from {other!r}")
    in_ten_thousands = amount.unit == "" and "万" in row[column]  # the number has been multiplied already
    scale = 1 if in_ten_thousands else money.scale
    return amount.value * scale, money.base or stated


def _kind(columns: _Columns, row: Row) -> PriceKind:
    said = row[columns.kind].strip() if columns.kind else ""
    kind = _KIND_NAMES.get(plain_name(said))
    if columns.kind and said and kind is None:
        raise RowRefused(columns.kind, f"{said[:40]!r} is neither guide price (指导价) nor deal price (成交价)")
    if columns.kind and kind and columns.stated and kind != columns.stated:
        raise RowRefused(columns.kind, f"{said[:40]!r} differs from what the header {columns.new[:40]!r} says")
    found = kind or columns.stated
    if found is None:
        raise RowRefused(
            columns.kind or columns.new, "it is missing: write guide price (指导价) or deal price (成交价)"
        )
    return found


def _date(columns: _Columns, row: Row) -> str:
    said = row[columns.date]
    period = parse_period(said)
    if period is None or period.grain not in ("day", "month"):
        why = f"{said[:40]!r} is no day and no month" if said.strip() else "the date is missing"
        raise RowRefused(columns.date, f"{why}: write it like 2026-11-01")
    return str(period)

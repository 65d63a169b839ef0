"""From any table of names and values to a ranking: its period, places and ties, the change against the period before.

Columns are found by their names, or named by options (`--set`): `name` (several joined by `+`), `value`, `unit`,
`metric` (what the numbers are), `title`, `period`, `order` (asc or desc), `top`, `where` (`Year=2016,Fuel!=diesel`),
`rank`, `previous_rank`, `previous`, `source`, `date`, `url`, `licence`, `sample`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import partial
from typing import TypeVar

from factory.plan.brief import Table
from factory.plan.facts import Change, Ranking, RankingRow, Source
from factory.plan.numbers import UNITS, NotANumber, is_missing, parse_amount
from factory.plan.periods import Period, parse_period
from factory.plan.ranking_columns import LOWER_IS_BETTER, Columns, find_columns, number_or_none
from factory.plan.staleness import require_fresh
from factory.plan.tables import (
    BadRow,
    Row,
    RowRefused,
    TableUnfit,
    clean_name,
    clean_note,
    find_column,
    is_true,
    named_column,
    plain_name,
    rows_of,
)

T = TypeVar("T")

LEAST_ROWS = 3
MOST_ROWS = 200
SIGNED = frozenset({"%"})  # units of which there may be less than nothing
MAY_BE_NONE = frozenset({"L/100km"})  # a car that burns nothing

SOURCES = {"name": ("source", "来源", "数据来源"), "date": ("source date", "date", "发布日期", "日期")}
SOURCES_MORE = {"url": ("url", "source url", "链接"), "licence": ("licence", "license", "许可")}
SAMPLES = ("sample", "样例", "示例")


@dataclass(frozen=True, slots=True)
class _Entry:
    """One good row: what it says, before it is compared with others."""

    row: Row
    name: str
    value: Decimal
    rank: int | None
    previous_rank: int | None
    previous: Decimal | None

    @property
    def key(self) -> str:
        return self.name.casefold()


def rank_table(
    table: Table, options: Mapping[str, str], *, least: int = LEAST_ROWS, today: date | None = None
) -> tuple[Ranking, tuple[BadRow, ...]]:
    """Return the ranking that a table holds, and its refused rows. Ties share a rank (1, 2, 2, 4).

    With `today`, rows of a period that has not begun are refused, and a table whose newest period is over for too long
    is stale, unless that period was asked for, its figures are invented, or `stale` is `allow`.

    Raises `TableUnfit` where a column is missing or ambiguous, or fewer than `least` rows are good; `TableStale`.
    """
    rows, bad = rows_of(table)
    conditions = _conditions(table, options.get("where", ""))
    columns = find_columns(table, rows, options)
    about = tuple(c for c in conditions if c.column not in columns.period_columns)
    rows = tuple(row for row in rows if all(condition.holds(row) for condition in about))
    rows, early = _begun(columns, rows, today)
    period, chosen, before, undated = _periods(table, columns, rows, conditions, options)
    if period and today and not _taken_as_it_is(columns, conditions, source_of(table.name, chosen, options), options):
        only = len(chosen) + len(undated) == len(rows)
        require_fresh(period, table.name, today, dated=only and period.grain == "day")
    entries, refused = _entries(columns, chosen)
    bad = (*bad, *early, *undated, *refused)
    if len(entries) < least:
        raise _too_few(table, entries, bad, least)
    higher = _order(columns, options)
    earlier, unread = _entries(columns, before)
    places, contradictions = _places(columns, entries, higher)
    top = _top(options)
    untold = _untold(columns, before, unread)
    ranked = tuple(row for row in _rows(places, _before(columns, entries, earlier, higher), untold) if row.rank <= top)
    metric = clean_note(options.get("metric", "")) or _metric(columns.value)
    ranking = Ranking(
        title=clean_note(options.get("title", "")) or metric,
        metric=metric,
        unit=columns.unit,
        period=clean_note(str(period or options.get("period", ""))),
        rows=ranked[:MOST_ROWS],
        source=source_of(table.name, [entry.row for entry in entries], options),
        higher_is_better=higher,
    )
    return ranking, tuple(sorted((*bad, *contradictions), key=lambda b: b.line))


def table_periods(table: Table, options: Mapping[str, str]) -> tuple[str, ...]:
    """Return the periods that a table holds, oldest first, each good as option `period`; none where it is not dated."""
    rows, _ = rows_of(table)
    read = find_columns(table, rows, options).period
    found = [period for row in rows if read and (period := read(row))]
    grains = Counter(period.grain for period in found)
    usual = grains.most_common(1)[0][0] if grains else ""
    return tuple(str(period) for period in sorted(set(found)) if period.grain == usual)


def source_of(table_name: str, rows: Sequence[Row], options: Mapping[str, str]) -> Source:
    """Return where rows come from: options first, then their own columns, then the name of the table."""
    found: dict[str, str] = {}
    for field, names in {**SOURCES, **SOURCES_MORE}.items():
        column = find_column(rows[0].cells, names) if rows else None
        said = [clean_note(row[column]) for row in rows] if column else []
        distinct = list(dict.fromkeys(text for text in said if text))
        newest = max(distinct, default="") if field == "date" else "; ".join(distinct[:3])
        found[field] = clean_note(options.get("source" if field == "name" else field, "")) or newest
    column = find_column(rows[0].cells, SAMPLES) if rows else None
    sample = is_true(options.get("sample", "")) or bool(column and any(is_true(row[column]) for row in rows))
    return Source(found["name"] or clean_note(table_name), found["date"], found["url"], found["licence"], sample)


# --- rows that count -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Condition:
    column: str
    equal: bool
    value: str

    def holds(self, row: Row) -> bool:
        cell, wanted = row[self.column], self.value
        left, right = number_or_none(cell), number_or_none(wanted)
        same = left == right if left is not None and right is not None else cell.casefold() == wanted.casefold()
        return same == self.equal


def _conditions(table: Table, where: str) -> tuple[_Condition, ...]:
    conditions = []
    for part in where.replace("，", ",").split(","):
        if not part.strip():
            continue
        left, sign, right = part.partition("=")
        if not sign:
            raise TableUnfit(f"where: {part.strip()[:60]!r} is no condition", next_step="write it like Year=2016")
        name = left.strip()
        column = named_column(table, name.removesuffix("!").strip())
        conditions.append(_Condition(column, not name.endswith("!"), right.strip()))
    return tuple(conditions)


def _begun(columns: Columns, rows: Sequence[Row], today: date | None) -> tuple[tuple[Row, ...], list[BadRow]]:
    """Return the rows whose period has begun or is unknown, and the others: nobody has figures of the future."""
    good, bad = list[Row](), list[BadRow]()
    for row in rows:
        period = columns.period(row) if columns.period and today else None
        if period and today and period.first_day() > today:
            bad.append(row.bad(columns.period_columns[-1], f"its period {period} has not begun on {today}"))
        else:
            good.append(row)
    return tuple(good), bad


def _taken_as_it_is(
    columns: Columns, conditions: Sequence[_Condition], source: Source, options: Mapping[str, str]
) -> bool:
    """Say whether a table may be of any age: its figures are invented, its period is asked for, or a person says so."""
    asked = options.get("period") or any(c.equal and c.column in columns.period_columns for c in conditions)
    return bool(source.sample or asked or options.get("stale") == "allow")


def _periods(
    table: Table, columns: Columns, rows: Sequence[Row], conditions: Sequence[_Condition], options: Mapping[str, str]
) -> tuple[Period | None, list[Row], list[Row], list[BadRow]]:
    """Return the period asked for (or the last), its rows, those of the period before it, and the undated ones."""
    if columns.period is None:
        return None, list(rows), [], []
    dated = [(columns.period(row), row) for row in rows]
    grains = Counter(period.grain for period, _ in dated if period)
    grain = grains.most_common(1)[0][0] if grains else "year"
    why = "its period is missing or unlike the others'"
    undated = [row.bad(columns.period_columns[-1], why) for p, row in dated if not p or p.grain != grain]
    sound = [(period, row) for period, row in dated if period and period.grain == grain]
    if not sound:
        raise TableUnfit(f"{table.name}: no row with a period is left", next_step="check `where` and the period column")
    asked = parse_period(options.get("period", ""))
    about = [c for c in conditions if c.column in columns.period_columns]
    open_periods = {period for period, row in sound if all(c.holds(row) for c in about)}
    period = asked if asked in open_periods else None if asked else max(open_periods, default=None)
    if period is None:
        first, last = min(p for p, _ in sound), max(p for p, _ in sound)
        raise TableUnfit(f"{table.name} has no rows of the period asked for", next_step=f"it holds {first} to {last}")
    before = period.before()
    return period, [r for p, r in sound if p == period], [r for p, r in sound if p == before], undated


def _entries(columns: Columns, rows: Iterable[Row]) -> tuple[list[_Entry], list[BadRow]]:
    """Return the rows that can be ranked, and the others with the reason."""
    entries, bad = list[_Entry](), list[BadRow]()
    seen: dict[str, Row] = {}
    for row in rows:
        try:
            entry = _entry(columns, row)
            if entry.key in seen:
                raise RowRefused(columns.name[-1], f"{entry.name!r} stands on {seen[entry.key]} already")
        except RowRefused as refusal:
            bad.append(row.bad(refusal.column, refusal.why))
        else:
            seen[entry.key] = row
            entries.append(entry)
    return entries, bad


def _entry(columns: Columns, row: Row) -> _Entry:
    return _Entry(
        row=row,
        name=_name(columns, row),
        value=_value(columns, row, columns.value),
        rank=_place(row, columns.rank) if columns.rank else None,
        previous_rank=_given(row, columns.previous_rank, partial(_place, row)),
        previous=_given(row, columns.previous, partial(_value, columns, row)),
    )


def _name(columns: Columns, row: Row) -> str:
    """Join the name's columns, leaving out what another one repeats (`Volkswagen`, `Volkswagen Passat`)."""
    joined = ""
    for column in columns.name:
        part = " ".join(row[column].split())
        if part.casefold().startswith(joined.casefold()):
            joined = part
        elif part and not joined.casefold().endswith(part.casefold()):
            joined = f"{joined} {part}"
    return clean_name(joined, columns.name[-1])


def _given(row: Row, column: str | None, read: Callable[[str], T]) -> T | None:
    return None if column is None or is_missing(row[column]) else read(column)


def _value(columns: Columns, row: Row, column: str) -> Decimal:
    try:
        amount = parse_amount(row[column])
    except NotANumber as error:
        raise RowRefused(column, str(error)) from error
    value = amount.value
    if amount.unit and amount.unit != columns.unit:
        known = UNITS.get(columns.unit)
        if known is None or known.base != amount.unit:
            raise RowRefused(column, f"the unit {amount.unit!r} differs from the column's {columns.unit!r}")
        value = value / known.scale
    _require_possible(columns, row[column], value, column)
    return value


def _require_possible(columns: Columns, cell: str, value: Decimal, column: str) -> None:
    """Refuse what no such number can be: less than nothing, nothing, or a part of a car that was sold."""
    if columns.kind == "measure" and (columns.unit not in UNITS or columns.unit in SIGNED):
        return
    if value < 0:
        raise RowRefused(column, f"{cell} is negative")
    if value == 0 and columns.unit not in MAY_BE_NONE:
        raise RowRefused(column, "it is zero")
    if columns.kind == "count" and columns.unit == "辆" and value != int(value):
        raise RowRefused(column, f"{cell} is no whole number")


def _place(row: Row, column: str) -> int:
    number = number_or_none(row[column])
    if number is None or number != int(number) or not 1 <= number <= 1_000_000:
        raise RowRefused(column, f"{row[column][:40]!r} is no place in a ranking")
    return int(number)


def _too_few(table: Table, entries: Sequence[_Entry], bad: Sequence[BadRow], least: int) -> TableUnfit:
    bad = sorted(bad, key=lambda row: row.line)
    shown = "; ".join(str(row) for row in bad[:3])
    more = f" and {len(bad) - 3} more" if len(bad) > 3 else ""
    return TableUnfit(
        f"{table.name} has {len(entries)} good rows; a ranking needs {least}",
        next_step=f"mend {shown}{more}" if bad else "widen `where` or `period`, or give more rows",
    )


def _metric(column: str) -> str:
    return clean_note(column.partition("(")[0].partition("（")[0].replace("_", " "))


# --- places ----------------------------------------------------------------------------------------------------------


def _order(columns: Columns, options: Mapping[str, str]) -> bool:
    """Say whether more is better: as asked, else by what the column usually means."""
    asked = options.get("order", "").strip().lower()
    if asked not in ("", "asc", "desc"):
        raise TableUnfit(f"order {asked[:20]!r} is unknown", next_step="write order=asc (least first) or order=desc")
    return asked == "desc" if asked else not plain_name(columns.value).startswith(LOWER_IS_BETTER)


def _top(options: Mapping[str, str]) -> int:
    asked = options.get("top", "").strip()
    if asked and (not asked.isascii() or not asked.isdigit() or not 1 <= int(asked[:9]) <= MOST_ROWS):
        raise TableUnfit(f"top {asked[:20]!r} is no number from 1 to {MOST_ROWS}", next_step="write it like top=10")
    return int(asked) if asked else MOST_ROWS


def _places(columns: Columns, entries: Sequence[_Entry], higher: bool) -> tuple[list[tuple[int, _Entry]], list[BadRow]]:
    """Return (rank, entry) best first: the table's own ranks where it has them and its values agree, else by value."""
    if columns.rank is None:
        return _by_value(entries, lambda entry: entry.value, higher), []
    placed, bad = list[tuple[int, _Entry]](), list[BadRow]()
    for entry in sorted(entries, key=lambda e: e.rank or 0):
        rank, last = entry.rank or 0, placed[-1] if placed else None
        if last and rank == last[0] and entry.value != last[1].value:
            bad.append(entry.row.bad(columns.rank, f"rank {rank} stands on {last[1].row} already"))
        elif last and rank != last[0] and (entry.value > last[1].value) == higher and entry.value != last[1].value:
            why = f"rank {rank} contradicts its value, which is better than that of rank {last[0]}"
            bad.append(entry.row.bad(columns.rank, why))
        else:
            placed.append((rank, entry))
    return placed, bad


def _by_value(entries: Iterable[_Entry], value: Callable[[_Entry], Decimal], higher: bool) -> list[tuple[int, _Entry]]:
    """Rank by value, ties sharing a place and the next one skipped (standard competition ranking)."""
    ordered = sorted(entries, key=value, reverse=higher)  # stable: tied rows stay in the table's order
    ranks: list[tuple[int, _Entry]] = []
    for number, entry in enumerate(ordered, start=1):
        tied = bool(ranks) and value(ranks[-1][1]) == value(entry)
        ranks.append((ranks[-1][0] if tied else number, entry))
    return ranks


def _before(
    columns: Columns, entries: Sequence[_Entry], earlier: Sequence[_Entry], higher: bool
) -> dict[str, tuple[int, Decimal | None]] | None:
    """Return each name's (rank, value) in the period before, or None where nothing is known of that period."""
    if columns.previous_rank and any(entry.previous_rank for entry in entries):
        return {e.key: (e.previous_rank, e.previous) for e in entries if e.previous_rank is not None}
    if columns.previous and (known := [entry for entry in entries if entry.previous is not None]):
        return {e.key: (rank, e.previous) for rank, e in _by_value(known, lambda e: e.previous or Decimal(0), higher)}
    if earlier:
        places, _ = _places(columns, earlier, higher)
        return {entry.key: (rank, entry.value) for rank, entry in places}
    return None


def _untold(columns: Columns, before: Sequence[Row], unread: Sequence[BadRow]) -> frozenset[str]:
    """Return the names that stood in the period before without a readable value: they are not new."""
    lines = {bad.line for bad in unread}
    names = set[str]()
    for row in before:
        if row.line in lines:
            with suppress(RowRefused):
                names.add(_name(columns, row).casefold())
    return frozenset(names)


def _rows(
    places: Sequence[tuple[int, _Entry]], before: dict[str, tuple[int, Decimal | None]] | None, untold: Set[str]
) -> list[RankingRow]:
    shared = Counter(rank for rank, _ in places)
    rows = []
    for rank, entry in places:
        earlier = (before or {}).get(entry.key)
        known = before is not None and entry.key not in untold
        rows.append(
            RankingRow(
                rank=rank,
                name=entry.name,
                value=entry.value,
                change=_change(rank, earlier[0] if earlier else None, known=known),
                tied=shared[rank] > 1,
                previous_rank=earlier[0] if earlier else None,
                previous_value=earlier[1] if earlier else None,
            )
        )
    return rows


def _change(rank: int, earlier: int | None, *, known: bool) -> Change:
    if earlier is None:
        return "new" if known else "unknown"
    return "same" if earlier == rank else "up" if earlier > rank else "down"

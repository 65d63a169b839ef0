"""What the facts of a video carry: every number by the car or row that it belongs to, and what follows from them.

Named rules, and no others, lead from stated numbers to further ones: `rounded` as sentences round; `difference`,
`change` (percent) and `ratio` (倍) of two numbers of the same kind and unit; `places` moved between two ranks; `count`
of rows and cars.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from itertools import permutations
from typing import Any

from factory.plan.facts import Car, Facts, Locale, RankingRow
from factory.plan.number_mentions import Counts, Mention, in_unit, mentions
from factory.plan.numbers import spoken_value
from factory.plan.periods import Period, parse_period

MOST_COMPARED = 4  # subjects of a sentence whose numbers are compared with one another


@dataclass(frozen=True, slots=True)
class Known:
    """A number that may be said: what it counts, its value in a canonical unit (empty: none that is known).

    `kind` is the property that it states (`price`, `value`): only numbers of one kind are compared. `earlier` belongs
    to the period before, and is said only of that.
    """

    counts: Counts
    value: Decimal
    unit: str = ""
    kind: str = ""
    earlier: bool = False

    def said_as(self) -> frozenset[Decimal]:
        """Return the values by which it may be said: exactly, and rounded as sentences round it."""
        return frozenset((self.value, spoken_value(self.value, self.unit)))


@dataclass(frozen=True, slots=True)
class Subject:
    """A car or a row of a ranking: the names that it goes by, and what is known of it."""

    names: tuple[str, ...]
    known: tuple[Known, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that may be said in numbers. `shared` belongs to no single subject; `names` hold digits that are letters.

    `dates` are those of sources and what was typed, `period` is the ranking's own.
    """

    subjects: tuple[Subject, ...]
    shared: tuple[Known, ...]
    dates: tuple[Period, ...]
    period: Period | None
    names: tuple[str, ...]

    def about(self, text: str) -> tuple[Subject, ...]:
        """Return the subjects that a text names. A name inside a longer one that also stands there is not meant."""
        named = list[tuple[str, Subject]]()
        for subject in self.subjects:
            if name := max((n for n in subject.names if _stands_in(n, text)), key=len, default=""):
                named.append((name, subject))
        longer = [name for name, _ in named]
        return tuple(subject for name, subject in named if _alone(name, longer, text))

    def supports(
        self, mention: Mention, subjects: Sequence[Subject], *, earlier: bool = False, dated: bool = False
    ) -> bool:
        """Say whether a number may be said of these subjects (none: of all).

        `earlier`: the text speaks of the period before too; `dated`: it gives the date of a source.
        """
        if mention.period is not None and self._dates(mention.period, earlier=earlier, dated=dated):
            return True
        scope = subjects or self.subjects
        stated = [*self.shared, *(one for subject in scope for one in subject.known)]
        if any(_carries(one, mention) for one in stated if earlier or not one.earlier):
            return True
        return len(scope) <= MOST_COMPARED and any(_follows(mention, one, other) for one, other in _pairs(scope))

    def _dates(self, said: Period, *, earlier: bool, dated: bool) -> bool:
        if self.period and _same_time(said, self.period):
            return True
        if self.period and earlier and _same_time(said, self.period.before()):
            return True
        open_to = dated or said.grain == "day" or self.period is None
        return open_to and any(_same_time(said, date) for date in self.dates)

    def nearest(self, mention: Mention) -> Known | None:
        """Return the known number of the same sort that is nearest to one that nothing supports."""
        known = [*self.shared, *(one for subject in self.subjects for one in subject.known)]
        same = [one for one in known if one.counts == mention.counts and (not mention.unit or one.unit == mention.unit)]
        return min(same, key=lambda one: abs(one.value - mention.value), default=None)


def evidence_of(
    facts: Facts, locale: Locale, *, typed: Iterable[str] = (), names: Iterable[str] = (), counts: Iterable[int] = ()
) -> Evidence:
    """Return what may be said: the facts, what a person typed into the order (`typed`), and `names` beside those of the
    facts. `counts` are how many places and lists the storyboard shows."""
    rows = facts.ranking.rows if facts.ranking else ()
    in_rows = {row.car.slug for row in rows if row.car}
    subjects = [_row(row, facts.ranking.unit) for row in rows if facts.ranking]
    subjects += [_car(car) for car in facts.cars if car.slug not in in_rows]
    subjects += [_price_change(change) for change in facts.prices]
    given = [text for text in typed if text.strip()]
    every_count = {len(rows), len(facts.cars), *counts} - {0}
    shared = [Known("count", Decimal(count)) for count in sorted(every_count)]
    for text in given:
        shared += [Known(m.counts, m.value, m.unit) for m in mentions(text, locale) if m.period is None]
        shared += [Known("count", m.value) for m in mentions(text, locale) if m.counts == "amount" and not m.unit]
    period = parse_period(facts.ranking.period) if facts.ranking else None
    dates = tuple(_dates(facts, given, locale))
    return Evidence(tuple(subjects), tuple(shared), dates, period, (*_names(facts), *given, *names))


def _car(car: Car) -> Subject:
    known = list[Known]()
    for spec in car.specs:
        value, unit = in_unit(spec.value, spec.unit)
        known.append(Known("amount", value, unit, "price" if "price" in spec.key else spec.key))
    return Subject((car.slug, *car.names()), tuple(known))


def _row(row: RankingRow, unit: str) -> Subject:
    value, name = in_unit(row.value, unit)
    known = [Known("rank", Decimal(row.rank)), Known("amount", value, name, "value")]
    if row.previous_rank is not None:
        known.append(Known("rank", Decimal(row.previous_rank), earlier=True))
        known.append(Known("places", Decimal(abs(row.previous_rank - row.rank))))
    if row.previous_value is not None:
        known.append(Known("amount", in_unit(row.previous_value, unit)[0], name, "value", earlier=True))
    car = _car(row.car) if row.car else Subject((), ())
    return Subject((row.name, *car.names), (*known, *car.known))


def _price_change(change: Any) -> Subject:
    known = [Known("amount", *in_unit(price, change.unit), "price") for price in (change.old, change.new)]
    car = _car(change.car) if change.car else Subject((), ())
    return Subject((*change.names(), *car.names), (*known, *car.known))


def _names(facts: Facts) -> Iterator[str]:
    for car in (*facts.cars, *(row.car for row in facts.ranking.rows if row.car)) if facts.ranking else facts.cars:
        yield from (*car.names(), car.slug, car.make, car.source.name)
        for spec in car.specs:
            yield from (spec.name_zh, spec.name_en, spec.cycle)
    if (ranking := facts.ranking) is not None:
        yield from (ranking.title, ranking.metric, ranking.source.name, *(row.name for row in ranking.rows))
    for change in facts.prices:
        yield from (*change.names(), change.source.name)
    yield facts.subject
    yield from (source.name for source in facts.sources)


def _dates(facts: Facts, typed: Sequence[str], locale: Locale) -> Iterator[Period]:
    sources = [*facts.sources, *(car.source for car in facts.cars)]
    if facts.ranking:
        sources.append(facts.ranking.source)
    for change in facts.prices:
        sources.append(change.source)
        yield from (period for text in (change.date,) if (period := parse_period(text)))
    yield from (period for source in sources if (period := parse_period(source.date)))
    yield from (m.period for text in typed for m in mentions(text, locale) if m.period)


def _stands_in(name: str, text: str) -> bool:
    if not name.strip() or name.casefold() not in text.casefold():  # a pattern for each name would be compiled
        return False
    return re.search(_whole(name), text, re.IGNORECASE) is not None


def _whole(name: str) -> str:
    before = r"(?<![A-Za-z0-9])" if re.match(r"[A-Za-z0-9]", name) else ""
    return before + re.escape(name) + (r"(?![A-Za-z0-9])" if re.search(r"[A-Za-z0-9]$", name) else "")


def _alone(name: str, named: Sequence[str], text: str) -> bool:
    """Say whether a name stands in the text outside of the longer names that hold it."""
    for longer in named:
        if longer != name and name.casefold() in longer.casefold():
            text = re.sub(re.escape(longer), "\x1f", text, flags=re.IGNORECASE)
    return _stands_in(name, text)


def _carries(known: Known, mention: Mention) -> bool:
    if mention.counts != known.counts or mention.period is not None:
        # "2 seats" and "2 cars" are amounts that may count what is shown; a year may be a plain number of the data.
        if known.counts == "count" and mention.counts == "amount" and mention.unit in ("辆", "座"):
            return known.value == mention.value
        year = mention.period is not None and mention.period.grain == "year" and known.counts == "amount"
        return year and known.value == mention.period.year if mention.period else False
    same_unit = mention.unit == known.unit or not mention.unit
    return same_unit and mention.value in known.said_as()


def _pairs(scope: Sequence[Subject]) -> Iterator[tuple[Known, Known]]:
    known = dict.fromkeys(one for subject in scope for one in subject.known if one.counts == "amount")
    for one, other in permutations(known, 2):
        if one.kind == other.kind and one.unit == other.unit:
            yield one, other


def _follows(mention: Mention, one: Known, other: Known) -> bool:
    """Say whether a number is the difference of two others, the change from `other` to `one` in %, or their ratio."""
    if mention.counts != "amount":
        return False
    places = max(0, -int(mention.value.as_tuple().exponent))
    difference = abs(one.value - other.value)
    if mention.unit == one.unit or not mention.unit:
        return abs(mention.value) in Known("amount", difference, one.unit).said_as()
    if mention.unit not in ("%", "倍") or not other.value or places > 4:
        return False
    ratio = difference * 100 / abs(other.value) if mention.unit == "%" else abs(one.value / other.value)
    return abs(mention.value) == ratio.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def _same_time(said: Period, known: Period) -> bool:
    """Say whether a date, as far as it is said, is a known one or holds it."""
    if said.year not in (0, known.year):
        return False
    match said.grain:
        case "year":
            return True
        case "quarter":
            quarter = known.part if known.grain == "quarter" else (known.part + 2) // 3
            return known.grain != "year" and said.part == quarter
        case "month":
            return known.grain in ("month", "day") and said.part == known.part
        case "day":
            return known.grain == "day" and (said.part, said.day) == (known.part, known.day)

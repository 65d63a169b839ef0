"""What is known of the cars and rankings of one video: every number with its unit, source and date."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

from factory.plan.embargo import Embargo

Locale = Literal["zh-CN", "en-US"]
Change = Literal["up", "down", "same", "new", "unknown"]
PriceKind = Literal["guide", "deal"]  # 指导价, what the maker asks; 成交价, what buyers pay


@dataclass(frozen=True, slots=True)
class Source:
    """Where a number comes from. `date` is ISO 8601 (day, month or year), `sample` marks invented figures."""

    name: str
    date: str
    url: str = ""
    licence: str = ""
    sample: bool = False


@dataclass(frozen=True, slots=True)
class Spec:
    """One stated property of a car, e.g. key `range_km`, value 560, unit `km`, cycle `CLTC`."""

    key: str
    name_zh: str
    name_en: str
    value: Decimal
    unit: str
    cycle: str = ""

    def name(self, locale: Locale) -> str:
        return self.name_zh if locale == "zh-CN" else self.name_en


@dataclass(frozen=True, slots=True)
class Car:
    """A catalogue car. `body` is a tag of the taxonomy (`suv`, `sedan`, ...); `aliases` are other names of it."""

    slug: str
    make: str
    name_zh: str
    name_en: str
    body: str
    specs: tuple[Spec, ...]
    source: Source
    aliases: tuple[str, ...] = ()
    embargo: Embargo | None = None

    def name(self, locale: Locale) -> str:
        return self.name_zh if locale == "zh-CN" else self.name_en

    def names(self) -> tuple[str, ...]:
        """Every name that words in a clip may call it by, without repeats."""
        return tuple(dict.fromkeys(n for n in (self.name_zh, self.name_en, *self.aliases) if n))


@dataclass(frozen=True, slots=True)
class RankingRow:
    """One place of a ranking. Tied rows share `rank` and have `tied` set; `previous_rank` is None for a new entry
    or where the earlier period is missing (then `change` is `unknown`)."""

    rank: int
    name: str
    value: Decimal
    change: Change = "unknown"
    tied: bool = False
    previous_rank: int | None = None
    previous_value: Decimal | None = None
    car: Car | None = None


@dataclass(frozen=True, slots=True)
class Ranking:
    """A table in order, best first. `metric` names the column, `unit` its unit, `period` what it covers (`2026-10`)."""

    title: str
    metric: str
    unit: str
    period: str
    rows: tuple[RankingRow, ...]
    source: Source
    higher_is_better: bool = True


@dataclass(frozen=True, slots=True)
class PriceChange:
    """A car's price before and after, both of one `kind` and in one currency (`unit`, never a ten-thousand unit).

    `date` is the day or month from which the new one holds, ISO 8601.
    """

    name_zh: str
    name_en: str
    kind: PriceKind
    old: Decimal
    new: Decimal
    unit: str
    date: str
    source: Source
    slug: str = ""
    car: Car | None = None

    @property
    def difference(self) -> Decimal:
        """New less old: negative where the price falls."""
        return self.new - self.old

    @property
    def percent(self) -> Decimal:
        """The difference in percent of the old price, to one place, or to the first place that is not 0."""
        share = 100 * self.difference / self.old
        return share.quantize(Decimal(1).scaleb(min(-1, share.adjusted())), ROUND_HALF_UP)

    def name(self, locale: Locale) -> str:
        if self.car:
            return self.car.name(locale)
        return self.name_zh if locale == "zh-CN" else self.name_en

    def names(self) -> tuple[str, ...]:
        """Every name that words in a clip may call the car by, without repeats."""
        return tuple(dict.fromkeys((self.name_zh, self.name_en, *(self.car.names() if self.car else ()))))


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a storyboard template may say. Nothing else is known, so nothing else can be claimed.

    `refused` names the rows of the order's own table that were left out, with line, column and cause.
    """

    subject: str
    cars: tuple[Car, ...] = ()
    ranking: Ranking | None = None
    sources: tuple[Source, ...] = ()
    prices: tuple[PriceChange, ...] = ()
    refused: tuple[str, ...] = ()

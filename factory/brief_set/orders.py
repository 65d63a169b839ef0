"""The set as data: which videos are ordered, in which series, and where the checker finds their numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from factory.errors import WrongUsage
from factory.orders import table_of
from factory.plan.brief import Aspect, Brief, Name
from factory.plan.facts import Locale
from factory.samples import SAMPLE_CARS

SET_FILE: Final = Path(__file__).parent / "data" / "briefs.yaml"
TABLES: Final = SAMPLE_CARS.parent


class BriefSetUnreadable(WrongUsage):
    """A set file that says no set; names the place."""

    code = "brief-set-unreadable"


class _Said(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TableTruth(_Said):
    """Where the checker finds the numbers of a table, said by hand: `names` are the columns (several joined by +) that
    hold a row's name, `value` the column that a ranking ranks by, `columns` what the cards call a column."""

    file: str
    names: tuple[str, ...]
    value: str = ""
    period: str = ""
    columns: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)


class Ordered(_Said):
    """One order of the set. `truth` names the tables that its numbers are held against, none where it shows none."""

    name: Name
    template: Name
    series: str
    locale: Locale
    aspect: Aspect
    seconds: int = Field(ge=10, le=300)
    subject: str | None = None
    data: str | None = None
    set: dict[str, str] = Field(default_factory=dict)
    brand: Name = "autoreel"
    seed: int = 0
    truth: tuple[str, ...] = ()

    def brief(self, *, draft: bool, turn: int = 1) -> Brief:
        """Return the order; a set that is made anew is another series each `turn`, for what it shows was shown
        before."""
        return Brief(
            template=self.template,
            subject=self.subject,
            data=table_of(TABLES / self.data) if self.data else None,
            set=self.set,
            locale=self.locale,
            seconds=self.seconds,
            brand=self.brand,
            seed=self.seed,
            aspects=(self.aspect,),
            draft=draft,
            series=f"{self.series}-{turn}",
        )


class Bounds(_Said):
    """How far a video's length may lie from what was asked: by a share of it, and by `seconds` at least."""

    share: float = Field(gt=0, lt=1)
    seconds: float = Field(gt=0)

    def around(self, asked: int) -> tuple[float, float]:
        off = max(self.share * asked, self.seconds)
        return asked - off, asked + off


class BriefSet(_Said):
    """All orders, the tables' truths by name, and the bounds of every length."""

    length: Bounds
    tables: Mapping[str, TableTruth]
    briefs: tuple[Ordered, ...]

    def only(self, names: Sequence[str]) -> BriefSet:
        """Return the set of these orders alone. Raises WrongUsage for a name that it does not hold."""
        known = [brief.name for brief in self.briefs]
        if strange := [name for name in names if name not in known]:
            near = get_close_matches(strange[0], known, 5, cutoff=0.4) or known[:5]
            raise WrongUsage(f"the set holds no brief {strange[0]!r}", next_step=f"use one like {', '.join(near)}")
        return self.model_copy(update={"briefs": tuple(brief for brief in self.briefs if brief.name in names)})


def read_set(path: Path = SET_FILE) -> BriefSet:
    """Read a set, or raise BriefSetUnreadable naming what is wrong with it."""
    try:
        said: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
        found = BriefSet.model_validate(said)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValidationError) as error:
        raise BriefSetUnreadable(f"{path}: {error}", next_step="mend the set there") from error
    names = [brief.name for brief in found.briefs]
    twice = [name for name in names if names.count(name) > 1]
    lost = [brief.name for brief in found.briefs if not found.tables.keys() >= set(brief.truth)]
    if twice or lost:
        why = f"two briefs are called {twice[0]!r}" if twice else f"the brief {lost[0]!r} names no table of the set"
        raise BriefSetUnreadable(f"{path}: {why}", next_step="mend the set there")
    return found

"""Whether a table is too old for the news: its newest period is over for longer than its frequency allows.

A month's figures come out within weeks of its end, so where the month before last is the newest, a newer table is
missing. Two periods may pass, a fortnight where days are counted. A table without periods has no frequency.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from factory.plan.periods import Grain, Period
from factory.plan.tables import TableUnfit

DAYS: Mapping[Grain, int] = {"day": 14, "month": 62, "quarter": 184, "year": 731}
"""How many days the newest period may be over."""
DATED = 731
"""The same where all rows are of one day: that is the date of a table, and no frequency."""


class TableStale(TableUnfit):
    """A newer table is missing."""

    code = "table-stale"


def require_fresh(newest: Period, name: str, today: date, *, dated: bool = False) -> None:
    """Raise TableStale where the newest period of a table is over for too long at `today`.

    `dated`: it is the one day that all rows are of.
    """
    age, allowed = (today - newest.last_day()).days, DATED if dated else DAYS[newest.grain]
    if age > allowed:
        over = f"over for {age} days on {today}; {allowed} may pass"
        raise TableStale(
            f"{name} is stale: its newest {newest.grain} is {newest}, {over}",
            next_step="give a newer table, name the period with --set period, or say --set stale=allow",
        )

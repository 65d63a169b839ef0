"""A batch of rankings: one job for each table that is new since the last time, in each language."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from factory.plan.brief import Brief
from factory.plan.facts import Locale
from factory.store import catalog, jobs, schedules
from factory.store.job import A_BATCHS, Wishes

LOCALES: tuple[Locale, ...] = ("zh-CN", "en-US")


@dataclass(frozen=True, slots=True)
class Batch:
    """What a batch did: `taken` is False where another scheduler had this slot already."""

    taken: bool
    jobs: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()  # tables that have not changed since the last batch
    stale: tuple[tuple[str, str], ...] = ()  # tables that are too old to be published, each with why


def never_stale(_table: catalog.Loaded) -> str:
    return ""


def ranking_batch(
    session: Session,
    schedule: str,
    due_at: datetime,
    *,
    locales: Sequence[Locale] = LOCALES,
    stale: Callable[[catalog.Loaded], str] = never_stale,
) -> Batch:
    """Take the slot and submit its jobs, all in the caller's transaction: each slot makes each video once.

    A table that was not loaded anew since the last batch is skipped: it would only repeat the last video. So is one
    that `stale` has a word against.
    """
    before = schedules.last_batch(session, schedule)
    if not schedules.take_slot(session, schedule, due_at):
        return Batch(taken=False)
    tables = catalog.latest_rankings(session)
    new = [table for table in tables if before is None or table.loaded_at > before]
    old = {table.name: why for table in new if (why := stale(table))}
    fresh = [table for table in new if table.name not in old]
    made = [_order(session, schedule, due_at, table.name, locale) for table in fresh for locale in locales]
    schedules.note_slot(session, schedule, due_at, jobs=len(made))
    return Batch(True, tuple(made), tuple(table.name for table in tables if table not in new), tuple(old.items()))


def _order(session: Session, schedule: str, due_at: datetime, table: str, locale: Locale) -> str:
    brief = Brief(template="ranking", subject=table, locale=locale, series=f"{schedule}/{locale}/{table}"[:100])
    key = f"{schedule}/{due_at:%Y-%m-%dT%H:%MZ}/{locale}/{table}"[:200]
    return jobs.submit(session, brief, key=key, by=schedule, wishes=Wishes(A_BATCHS)).job

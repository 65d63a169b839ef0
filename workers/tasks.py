# mypy: disallow-untyped-decorators=False
"""Thin tasks, by the names that `factory.queues` sends. The ledger makes a repeated message harmless."""

from __future__ import annotations

from datetime import UTC, datetime

from celery import shared_task

from factory.nightly import ranking_batch
from factory.store import bell, schedules
from workers import house
from workers.schedule import last_due


@shared_task(name="produce")
def produce(job: str) -> None:
    house.produce(job)


@shared_task(name="ingest")
def ingest(path: str) -> None:
    house.ingest(path)


@shared_task(name="ranking_batch")
def run_ranking_batch(schedule: str) -> None:
    with house.parts().sessions.write() as session:
        entry = schedules.find(session, schedule)
        if entry is not None and not entry.paused:
            ranking_batch(session, schedule, last_due(entry.cron, entry.zone, datetime.now(UTC)))


@shared_task(name="reap")
def reap(_: str = "") -> None:
    bell.reap(house.parts().sessions)

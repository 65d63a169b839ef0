# mypy: disallow-untyped-decorators=False
"""Thin tasks, by the names that `factory.queues` sends. The ledger makes a repeated message harmless."""

from __future__ import annotations

from celery import shared_task

from factory.store import bell
from workers import house


@shared_task(name="produce")
def produce(job: str) -> None:
    bell.answer(house.parts().sessions, job, house.produce)


@shared_task(name="help")
def help_out(job: str) -> None:
    house.help_out(job)


@shared_task(name="ingest")
def ingest(job: str) -> None:
    bell.answer(house.parts().sessions, job, house.ingest)


@shared_task(name="look")
def look(_: str = "") -> None:
    house.look()


@shared_task(name="reap")
def reap(_: str = "") -> None:
    bell.reap(house.parts().sessions)

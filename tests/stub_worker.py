"""The real Celery app over a factory that makes nothing: `celery -A tests.stub_worker worker`.

`STUB_AGAIN` says after how many seconds a job that nobody claimed is rung again, where the product's 30 are too many.
"""

from __future__ import annotations

import os
from datetime import date, timedelta
from types import SimpleNamespace

from factory.queues import sender
from factory.settings import Settings
from factory.store import bell
from factory.store.db import Sessions
from factory.store.files import Files
from tests import stub_factory
from workers import house, schedule

settings = Settings()
parts = SimpleNamespace(
    sessions=Sessions.open(settings.database),
    settings=settings,
    files=Files(settings.home),
    send=sender(settings.broker_url),
    today=lambda: date(2026, 11, 23),  # the tables of the tests are news then
)
vars(house).update(
    parts=lambda: parts,
    produce=lambda job: stub_factory.produce(job, parts.sessions),
    ingest=lambda job: stub_factory.ingest(job, parts.sessions),
)
schedule.TICK = 1.0
if "STUB_AGAIN" in os.environ:
    vars(bell).update(AGAIN=timedelta(seconds=float(os.environ["STUB_AGAIN"])))

from workers.app import app  # noqa: E402  (after the parts are in place)

__all__ = ["app"]

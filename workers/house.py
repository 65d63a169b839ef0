"""Where the workers meet the factory: its parts, built once and when first needed, and its verbs.

Celery imports the app long before it works, and beat never works at all: nothing heavy is imported before a task runs.
"""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from factory.runner import Duty
from factory.settings import Settings
from factory.store.columns import utc_now

STORE_PATIENCE = 20.0  # seconds that a worker waits for a store that starts beside it

if TYPE_CHECKING:
    from factory.spread import Helpers
    from factory.wiring import Parts


@cache
def parts() -> Parts:
    from factory import wiring  # noqa: PLC0415  heavy, and wanted by tasks alone (see above)

    return wiring.parts()


def produce(job: str) -> object:
    from factory.produce import produce  # noqa: PLC0415  heavy, and wanted by tasks alone (see above)

    return produce(job, parts())


@cache
def _helpers() -> Helpers:
    from factory.spread import Helpers  # noqa: PLC0415  heavy, and wanted by tasks alone (see above)

    return Helpers(parts())


def help_out(job: str) -> None:
    _helpers().help_out(job)


def ingest(job: str) -> object:
    from factory.clip_jobs import ingest_job  # noqa: PLC0415  heavy, and wanted by tasks alone (see above)

    return ingest_job(job, parts())


def check_store(settings: Settings) -> None:
    if settings.store:
        from factory.store.object_url import open_objects  # noqa: PLC0415  wanted by workers alone (see above)
        from factory.store.objects import check  # noqa: PLC0415  wanted by workers alone (see above)

        check(open_objects(settings.store, patience=STORE_PATIENCE))


def make_home(settings: Settings) -> None:
    if not (settings.home.is_dir() and os.access(settings.home, os.W_OK | os.X_OK)):
        from factory.wiring import make_home  # noqa: PLC0415  heavy, and wanted the first time alone

        make_home(settings)


def require_fit(*, cuda: bool) -> None:
    from factory import fitness  # noqa: PLC0415  heavy, and wanted by workers alone (see above)

    fitness.require_fit(parts())
    if cuda:
        fitness.require_cuda()


def seed(session: Session, settings: Settings) -> None:
    from factory.schedule import seed  # noqa: PLC0415  heavy, and wanted by workers alone (see above)

    seed(session, utc_now(), settings)


def notice_duties(settings: Settings) -> tuple[Duty, ...]:
    from factory.notices import notice_duties  # noqa: PLC0415  heavy, and wanted by workers alone (see above)

    return notice_duties(parts().sessions, settings)


def look() -> None:
    from factory.schedule import look_now  # noqa: PLC0415  wanted by tasks alone (see above)

    look_now(parts())

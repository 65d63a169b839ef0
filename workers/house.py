"""Where the workers meet the factory: its parts, built once and when first needed, and its verbs.

Celery imports the app long before it works, and beat never works at all: nothing heavy is imported before a task runs.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from factory.runner import Duty
from factory.settings import Settings
from factory.store.columns import utc_now

if TYPE_CHECKING:
    from factory.wiring import Parts


@cache
def parts() -> Parts:
    from factory import wiring  # noqa: PLC0415  heavy, and wanted by tasks alone (see above)

    return wiring.parts()


def produce(job: str) -> object:
    from factory.produce import produce  # noqa: PLC0415  heavy, and wanted by tasks alone (see above)

    return produce(job, parts())


def ingest(path: str) -> None:
    from factory.ingest import ingest  # noqa: PLC0415  heavy, and wanted by tasks alone (see above)

    ingest(Path(path), parts())


def seed(session: Session, settings: Settings) -> None:
    from factory.schedule import seed  # noqa: PLC0415  heavy, and wanted by workers alone (see above)

    seed(session, utc_now(), settings)


def notice_duties(settings: Settings) -> tuple[Duty, ...]:
    from factory.notices import notice_duties  # noqa: PLC0415  heavy, and wanted by workers alone (see above)

    return notice_duties(parts().sessions, settings)


def look() -> None:
    from factory.schedule import look_now  # noqa: PLC0415  wanted by tasks alone (see above)

    look_now(parts())

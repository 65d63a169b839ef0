"""Where the workers meet the factory: its parts, built once and when first needed, and its verbs.

Celery imports the app long before it works, and beat never works at all: nothing heavy is imported before a task runs.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from factory.wiring import Parts


@cache
def parts() -> Parts:
    from factory import wiring  # noqa: PLC0415  heavy, and wanted by tasks alone (see above)

    return wiring.parts()


def produce(job: str) -> None:
    from factory.produce import produce  # noqa: PLC0415  heavy, and wanted by tasks alone (see above)

    produce(job, parts())


def ingest(path: str) -> None:
    from factory.ingest import ingest  # noqa: PLC0415  heavy, and wanted by tasks alone (see above)

    ingest(Path(path), parts())


def look() -> None:
    from factory.schedule import look_now  # noqa: PLC0415  wanted by tasks alone (see above)

    look_now(parts())

"""What a child of the local runner does with its life: it works off jobs of every kind, and helps where there is none.

A child builds the parts of the house itself, once, and imports only then what they need.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cache

from factory import traces
from factory.logs import set_up
from factory.store import job_lookup
from factory.wiring import Parts, parts


def open_produce() -> Callable[[str], object]:
    """Return what works off a job of any kind."""
    from factory.clip_jobs import ingest_job  # noqa: PLC0415  heavy, and wanted by children alone (see above)
    from factory.produce import produce  # noqa: PLC0415  heavy, and wanted by children alone (see above)

    house = _parts()
    verbs: dict[str | None, Callable[[str, Parts], object]] = {"produce": produce, "ingest": ingest_job}

    def work(job: str) -> object:
        with house.sessions.read() as session:
            kind = job_lookup.kind_of(session, job)
        return verbs[kind](job, house)

    return work


def open_help() -> Callable[[], int]:
    """Return what helps with the films of others."""
    from factory.spread import Helpers  # noqa: PLC0415  heavy, and wanted by children alone (see above)

    return Helpers(_parts()).help_out


@cache
def _parts() -> Parts:
    house = parts()
    set_up(house.settings.log_format)
    logging.getLogger("factory").setLevel(house.settings.log_level)
    traces.turn_on(house.settings.traces)
    return house

# mypy: disallow-untyped-decorators=False
"""The Celery app: queues, start-up checks, and the duties that run beside every worker.

Celery is only the bell: a message names a job, the ledger knows the rest. So there is no result backend and there are
no late acknowledgements; a lost message is rung again, a double one finds nothing to claim. Tasks run in threads: their
heavy work is in child processes anyway, and a worker that is told to end can ask them to hand their jobs back.
"""

from __future__ import annotations

import logging
import sys
from typing import Any

from celery import Celery, signals

from factory import traces
from factory.errors import FactoryError
from factory.logs import set_up
from factory.queues import QUEUES, TRANSPORT
from factory.runner import Duties, Duty, bell_duties
from factory.settings import Settings
from factory.store.db import require_migrated
from factory.store.lease import SHUTDOWN
from workers import house
from workers.broker import check_broker
from workers.schedule import beat_entries

log = logging.getLogger(__name__)

SWEEP_EVERY = 600.0  # seconds between two cleanings of what ended processes left unfinished

settings = Settings()
app = Celery("autoreel", broker=settings.broker_url or None, include=["workers.tasks"])
app.conf.update(
    task_serializer="json",
    accept_content=["json"],
    task_ignore_result=True,
    task_acks_late=False,
    task_queues={name: {} for name in QUEUES.values()},
    task_default_queue="duties",
    task_routes={task: {"queue": queue} for task, queue in QUEUES.items()},
    worker_pool="threads",
    worker_concurrency=1,  # a render fills the cores by itself; more with --concurrency
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    broker_transport_options=TRANSPORT,
    broker_connection_retry_on_startup=True,
    timezone="UTC",
    beat_schedule=beat_entries(),
    beat_schedule_filename=str(settings.home / "beat"),
)

_duties: list[Duties] = []


@signals.setup_logging.connect
def write_logs(loglevel: int | None = None, **_: Any) -> None:
    """As every door does; Celery's own set-up is left out."""
    set_up(settings.log_format, loglevel or logging.WARNING)
    logging.getLogger("factory").setLevel(settings.log_level)


@signals.import_modules.connect
def make_home(**_: Any) -> None:
    """Beat keeps its notes there, and it may be the first to come."""
    settings.home.mkdir(parents=True, exist_ok=True)


@signals.celeryd_init.connect
def refuse_to_start_in_vain(**_: Any) -> None:
    """End with one sentence where a worker could only lose work."""
    try:
        traces.turn_on(settings.traces)
        check_broker(settings.broker_url)
        house.check_store(settings)
        sessions = house.parts().sessions
        require_migrated(sessions.engine)
        with sessions.write() as session:
            house.seed(session, settings)
    except FactoryError as refusal:
        sys.exit(refusal.sentence())


@signals.beat_init.connect
def refuse_to_ring_in_vain(**_: Any) -> None:
    """Without a broker Celery would try an address of its own, for ever."""
    try:
        check_broker(settings.broker_url)
    except FactoryError as refusal:
        sys.exit(refusal.sentence())


@signals.worker_ready.connect
def start_duties(**_: Any) -> None:
    """Run relay, reaper and cleaning beside this worker, as beside every other: more of them do no harm."""
    parts = house.parts()
    sweep = Duty("sweep", SWEEP_EVERY, parts.files.clean)
    _duties.append(Duties((*bell_duties(parts.sessions, parts.send), sweep)).start())
    _duties.append(Duties(house.notice_duties(settings)).start())  # by itself: a receiver of notices may be slow


@signals.worker_shutting_down.connect
def ask_for_jobs_back(**_: Any) -> None:
    """SIGTERM: whoever works hands the job back within seconds."""
    SHUTDOWN.set()


@signals.worker_shutdown.connect
def stop_duties(**_: Any) -> None:
    while _duties:
        _duties.pop().stop()

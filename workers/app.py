# mypy: disallow-untyped-decorators=False
"""The Celery app: queues, start-up checks, and the duties that run beside every worker.

Celery is only the bell: a message names a job, the ledger knows the rest. So there is no result backend and there are
no late acknowledgements; a lost message is rung again, a double one finds nothing to claim. Tasks run in threads: their
heavy work is in child processes anyway, a worker that is told to end can ask them to hand their jobs back, and torch is
never forked after it has met CUDA: the pools of Celery that fork are refused.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Collection, Mapping
from typing import Any

from celery import Celery, signals
from celery.concurrency import get_implementation

from factory import memory, traces
from factory.errors import FactoryError
from factory.logs import set_up
from factory.queues import EVERY, QUEUES, TAGGING_GPU, TRANSPORT, queue_of
from factory.runner import Duties, Duty, bell_duties
from factory.settings import Settings
from factory.store.db import require_migrated
from factory.store.lease import SHUTDOWN
from workers import house
from workers.broker import check_broker
from workers.schedule import beat_entries

log = logging.getLogger(__name__)

POOL = "threads"
SWEEP_EVERY = 600.0  # seconds between two cleanings of what ended processes left unfinished

settings = Settings()
app = Celery("autoreel", broker=settings.broker_url or None, include=["workers.tasks"])
app.conf.update(
    task_serializer="json",
    accept_content=["json"],
    task_ignore_result=True,
    task_acks_late=False,
    task_queues={name: {} for name in EVERY},
    task_default_queue="duties",
    task_routes={task: {"queue": queue_of(task, settings.tagging)} for task in QUEUES},
    worker_pool=POOL,
    worker_concurrency=1,  # a render fills the cores by itself; more with --concurrency
    worker_prefetch_multiplier=1,
    worker_disable_prefetch=True,  # a bell that a busy worker keeps to itself wakes nobody who is free
    worker_hijack_root_logger=False,
    broker_transport_options=TRANSPORT,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,  # however long the broker is away
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
    try:
        house.make_home(settings)
    except FactoryError as refusal:
        sys.exit(refusal.sentence())


class PoolForks(FactoryError):
    code = "pool-forks"


@signals.celeryd_init.connect
def refuse_to_start_in_vain(options: Mapping[str, Any], **_: Any) -> None:
    """End with one sentence where a worker could only lose work."""
    try:
        _require_threads(options.get("pool") or options.get("pool_cls"))
        traces.turn_on(settings.traces)
        check_broker(settings.broker_url)
        house.check_store(settings)
        sessions = house.parts().sessions
        require_migrated(sessions.engine)
        house.require_fit(cuda=_takes_gpu_work(options.get("queues"), options.get("exclude_queues")))
        with sessions.write() as session:
            house.seed(session, settings)
    except FactoryError as refusal:
        sys.exit(refusal.sentence())


def _require_threads(pool: Any) -> None:
    """Celery itself takes `--pool prefork` for its default, and gives what the app says, which is threads."""
    module = str(getattr(pool, "__module__", POOL))
    if pool is not None and module != get_implementation(POOL).__module__:
        raise PoolForks(
            f"this worker was started with the pool {module.rpartition('.')[2]}: a fork of a process that has met CUDA "
            "hangs, and what shares one thread cannot hand jobs back",
            next_step="start it without --pool: its tasks run in threads, and --concurrency says how many",
        )


def _takes_gpu_work(queues: Collection[str] | None, without: Collection[str] | None) -> bool:
    """Does it listen where work for a GPU waits: told so, or told nothing where tagging is such work?"""
    if TAGGING_GPU in (without or ()):
        return False
    return TAGGING_GPU in queues if queues else settings.tagging == "gpu"


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


@signals.task_postrun.connect
def end_where_memory_grew(**_: Any) -> None:
    """After a job, where this process holds too much: end as for SIGTERM, and the supervisor starts a fresh one."""
    if not SHUTDOWN.is_set() and memory.is_over(settings.worker_memory):
        SHUTDOWN.set()  # at once: what this worker takes before it hears the signal goes back untouched
        os.kill(os.getpid(), signal.SIGTERM)


@signals.worker_shutting_down.connect
def ask_for_jobs_back(**_: Any) -> None:
    """SIGTERM: whoever works hands the job back within seconds."""
    SHUTDOWN.set()


@signals.worker_shutdown.connect
def stop_duties(**_: Any) -> None:
    while _duties:
        _duties.pop().stop()

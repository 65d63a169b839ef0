from __future__ import annotations

import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import redis
import sqlalchemy as sa

from factory import traces
from factory.logs import JsonLines
from factory.plan.brief import Brief
from factory.store import bell, jobs
from factory.store.db import Sessions
from factory.store.job import Output
from factory.store.lease import Holding, Made, work
from factory.store.schema import JobRow
from factory.traces import TracesUnusable
from tests.collector import Collector, Seen, collecting
from tests.stores import empty_store
from tests.stub_factory import brief
from tests.test_lease import job_now, wait_for

ROOT = Path(__file__).parent.parent


@pytest.fixture
def collector() -> Iterator[Collector]:
    """Spans of this process arrive here once `traces.turn_off` was called."""
    with collecting() as made:
        traces.turn_on(made.url)
        try:
            yield made
        finally:
            traces.turn_off()


def submitted(sessions: Sessions) -> str:
    with sessions.write() as session:
        return jobs.submit(session, Brief(template="off_road"), by="test").job


def a_film(_: Holding) -> Made:
    with traces.span("render", aspect="16:9"):
        return Made([Output("16:9", "video", "0" * 64, "film.mp4", 1)])


IMPORTED = """
import sys
from factory import logs, traces
from factory.store import lease
print([name for name in sys.modules if name.startswith("opentelemetry")])
"""

# --- off -------------------------------------------------------------------------------------------------------------


def test_nothing_is_imported_or_written_down_while_they_are_off(sqlite: Sessions) -> None:
    run = subprocess.run([sys.executable, "-c", IMPORTED], capture_output=True, text=True, check=True, cwd=ROOT)
    assert run.stdout == "[]\n"
    job = submitted(sqlite)
    assert work(sqlite, job, a_film) == "review"
    with sqlite.read() as session:
        assert session.scalars(sa.select(JobRow.traceparent)).one() is None
    assert traces.mark("order") is traces.traceparent() is traces.trace_id() is None
    assert traces.carried(submitted) is submitted
    with traces.span("nothing"):
        traces.note(state="off")


@pytest.mark.parametrize("address", ["collector:4318", "file:///spans"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(TracesUnusable, match="no http address") as refusal:
        traces.turn_on(address)
    assert refusal.value.exit_code == 2


# --- one process -----------------------------------------------------------------------------------------------------


def test_attempts_of_a_job_are_siblings_in_the_trace_of_its_order(sqlite: Sessions, collector: Collector) -> None:
    job = submitted(sqlite)
    assert bell.relay(sqlite, lambda _task, _job: None) == 1

    def breaks(_: Holding) -> Made:
        with traces.span("render", aspect="16:9"):
            raise ZeroDivisionError("a fault")

    assert work(sqlite, job, breaks, worker="first", lease=timedelta(seconds=5)) == "queued"
    assert bell.relay(sqlite, lambda _task, _job: None) == 1
    assert work(sqlite, job, a_film, worker="second", lease=timedelta(seconds=5)) == "review"
    traces.turn_off()

    assert {span.trace for span in collector.spans} == {collector.spans[0].trace}
    (order,) = collector.of("order")
    first, second = sorted(collector.of("attempt"), key=lambda span: span.start)
    assert (order.parent, first.parent, second.parent) == ("", order.id, order.id)
    assert {span.parent for span in collector.of("ring")} == {order.id}
    assert {span.attributes["job"] for span in collector.spans if span is not order and span.name != "render"} == {job}
    assert [(one.attributes["attempt"], one.attributes["fence"]) for one in (first, second)] == [(1, 1), (2, 2)]
    assert [one.attributes["state"] for one in (first, second)] == ["queued", "review"]
    assert first.attributes["error"] == "broken"
    broken, whole = sorted(collector.of("render"), key=lambda span: span.start)
    assert [(broken.parent, broken.failed), (whole.parent, whole.failed)] == [(first.id, True), (second.id, False)]
    claims = sorted(collector.of("claim"), key=lambda span: span.start)
    assert [(one.parent, one.start) for one in claims] == [(first.id, first.start), (second.id, second.start)]


def test_two_orders_are_two_traces(sqlite: Sessions, collector: Collector) -> None:
    for job in (submitted(sqlite), submitted(sqlite)):
        work(sqlite, job, a_film)
    traces.turn_off()
    assert len({span.trace for span in collector.spans}) == 2
    assert [len([span for span in collector.spans if span.trace == one.trace]) for one in collector.of("order")] == [
        4,
        4,
    ]


def test_log_lines_say_which_trace_they_belong_to(collector: Collector) -> None:
    def line() -> dict[str, object]:
        record = logging.LogRecord("factory", logging.INFO, __file__, 1, "hello", None, None)
        told: dict[str, object] = json.loads(JsonLines().format(record))
        return told

    with traces.span("attempt", parent=f"00-{'ab' * 16}-{'cd' * 8}-01"):
        assert line()["trace_id"] == "ab" * 16
    assert "trace_id" not in line()


def test_work_that_is_carried_to_another_thread_stays_in_its_span(collector: Collector) -> None:
    def mix() -> None:
        with traces.span("mix"):
            pass

    with traces.span("render"):
        thread = threading.Thread(target=traces.carried(mix))
        thread.start()
        thread.join()
    traces.turn_off()
    assert collector.of("mix")[0].parent == collector.of("render")[0].id


# --- a collector that is away ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["refuses", "hangs"])
def test_a_collector_that_is_away_costs_spans_and_nothing_else(
    sqlite: Sessions, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.socket() as hanging:
        hanging.bind(("127.0.0.1", 0))
        if how == "hangs":
            hanging.listen(64)  # it takes connections and never answers
        traces.turn_on(f"http://127.0.0.1:{hanging.getsockname()[1]}/v1/traces")
        try:
            with caplog.at_level(logging.INFO, "factory.traces"):
                assert [work(sqlite, submitted(sqlite), a_film) for _ in range(3)] == ["review"] * 3
                for _ in range(3000):  # more than wait in the queue
                    traces.mark("filler")
                began = time.monotonic()
                traces.turn_off()
        finally:
            traces.turn_off()
    assert time.monotonic() - began < 10  # a worker that is told to end has ten seconds
    assert [record.message for record in caplog.records if "lost" in record.message] == [
        "the collector of FACTORY_TRACES takes no spans: they are lost until it does"
    ]


# --- across processes ------------------------------------------------------------------------------------------------


@pytest.fixture
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Sessions]:
    with empty_store("postgresql", request, tmp_path) as made:
        yield made


@pytest.mark.server
@pytest.mark.fault
@pytest.mark.slow
def test_a_job_is_one_trace_from_its_order_to_its_end_across_processes(
    ledger: Sessions, redis_url: str, tmp_path: Path, collector: Collector
) -> None:
    """An order here, a bell by the relay of a worker, an attempt that is killed, and another worker's that ends it."""
    with redis.Redis.from_url(redis_url) as client:
        client.flushdb()
    environment = {
        **os.environ,
        "FACTORY_BROKER_URL": redis_url,
        "FACTORY_DATABASE_URL": ledger.engine.url.render_as_string(hide_password=False),
        "FACTORY_HOME": str(tmp_path / "home"),
        "FACTORY_TRACES": collector.url,
        "STUB_LOG": str(tmp_path / "log"),
    }
    with ledger.write() as session, traces.span("POST /api/jobs", parent=""):
        job = jobs.submit(session, brief(5.0)).job
    first = worker(environment, tmp_path / "first")
    try:
        wait_for(lambda: job_now(ledger, job).state == "planning", 90)
        time.sleep(1)
    finally:
        first.kill()
        first.wait()
    second = worker(environment, tmp_path / "second")
    try:
        wait_for(lambda: job_now(ledger, job).state == "review", 90)
    finally:
        second.send_signal(signal.SIGTERM)
        second.wait(60)
    traces.turn_off()

    mine = [span for span in collector.spans if span.trace == collector.of("POST /api/jobs")[0].trace]
    named: dict[str, list[Seen]] = {}
    for span in mine:
        named.setdefault(span.name, []).append(span)
    (order,), (attempt,), (claim,) = named["order"], named["attempt"], named["claim"][-1:]
    assert order.parent == collector.of("POST /api/jobs")[0].id
    assert {order.process} == {os.getpid()}
    assert attempt.process == claim.process == second.pid
    assert (attempt.parent, claim.parent) == (order.id, attempt.id)
    assert (attempt.attributes["job"], attempt.attributes["attempt"], attempt.attributes["state"]) == (job, 2, "review")
    assert {ring.parent for ring in named["ring"]} == {order.id}
    assert order.end <= min(ring.start for ring in named["ring"])  # the first of them may have died with its process
    assert order.end <= attempt.start < attempt.end


def worker(environment: dict[str, str], log: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "celery", "-A", "tests.stub_worker", "worker", "--concurrency", "1"]
    with log.open("wb") as output:
        return subprocess.Popen(command, env=environment, cwd=ROOT, stdout=output, stderr=output)

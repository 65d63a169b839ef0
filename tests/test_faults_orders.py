"""The same order many times at once, through the real page on both databases: one job."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2 as httpx
import pytest
import sqlalchemy as sa

from factory.store.db import Sessions
from factory.store.schema import JobRow, Outbox
from tests.stores import BOTH, empty_store
from tests.working import Tell, environment, page

pytestmark = pytest.mark.fault
AT_ONCE = 50


@pytest.fixture(params=BOTH)
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Sessions]:
    with empty_store(request.param, request, tmp_path) as sessions:
        yield sessions


def test_fifty_posts_at_once_with_one_key_are_one_job(ledger: Sessions, tmp_path: Path, record_property: Tell) -> None:
    gate = threading.Barrier(AT_ONCE)

    def post(client: httpx.Client) -> tuple[int, str, bool]:
        gate.wait()
        answer = client.post(
            "/api/jobs", json={"template": "off_road", "locale": "en-US"}, headers={"Idempotency-Key": "monday"}
        )
        told = answer.json()
        return answer.status_code, told["job"], told["new"]

    with (
        page(environment(ledger, "", tmp_path)) as address,
        httpx.Client(
            base_url=address,
            headers={"Origin": address},
            timeout=60,
            limits=httpx.Limits(max_connections=AT_ONCE),
        ) as client,
        ThreadPoolExecutor(AT_ONCE) as pool,
    ):
        answers = list(pool.map(post, [client] * AT_ONCE))
    assert Counter(status for status, _, _ in answers) == {202: AT_ONCE}
    assert len({job for _, job, _ in answers}) == 1
    assert sum(new for _, _, new in answers) == 1
    with ledger.read() as session:
        assert session.scalars(sa.select(JobRow.id)).all() == [answers[0][1]]
        assert session.scalars(sa.select(Outbox.job_id)).all() == [answers[0][1]]
    record_property("posts", AT_ONCE)
    record_property("jobs", 1)

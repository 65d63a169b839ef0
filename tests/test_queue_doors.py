"""Priority, deadline and the bounds of queues as the command line and the page meet them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from factory.batch import Batch, batch
from factory.plan.brief import Brief
from factory.plan.tables import read_table
from factory.settings import Settings
from factory.store import bell, job_lookup, jobs, places
from factory.store.columns import utc_now
from factory.store.job import Wishes
from factory.store.places import Bounds
from factory.web.app import create_app
from factory.wiring import Parts, parts
from tests.ledger_acts import PAST, do, now, order, taken
from tests.test_cli import Here

HERE = "http://127.0.0.1:8787"
BRIEF = {"template": "off_road", "locale": "en-US"}
AHEAD = "2126-12-01T09:00+08:00"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Here:
    return Here(tmp_path / "home", monkeypatch, capsys)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Parts]:
    built = parts(Settings(home=tmp_path / "home", database_url="", web_port=8787))
    yield built
    built.sessions.close()


@pytest.fixture
def page(house: Parts) -> Iterator[TestClient]:
    with TestClient(create_app(house), base_url=HERE, headers={"Origin": HERE}) as client:
        yield client


# --- orders ----------------------------------------------------------------------------------------------------------


def test_the_page_takes_priority_and_deadline_and_tells_them(page: TestClient) -> None:
    made = page.post("/api/jobs", json=BRIEF | {"priority": 9, "deadline": AHEAD}).json()
    told = page.get(f"/api/jobs/{made['job']}").json()
    assert (told["queue"], told["priority"], told["deadline"]) == ("rendering", 9, "2126-12-01T01:00:00+00:00")
    usual = page.get(f"/api/jobs/{page.post('/api/jobs', json=BRIEF).json()['job']}").json()
    assert (usual["priority"], usual["deadline"]) == (5, None)


def test_priority_and_deadline_are_no_part_of_the_brief(page: TestClient, house: Parts) -> None:
    first = page.post("/api/jobs", json=BRIEF, headers={"Idempotency-Key": "k"}).json()
    again = page.post("/api/jobs", json=BRIEF | {"priority": 1}, headers={"Idempotency-Key": "k"}).json()
    assert (again["job"], again["new"]) == (first["job"], False)
    assert now(house.sessions, first["job"]).brief() == Brief(template="off_road", locale="en-US")


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"priority": 10}, "wrong-usage"),
        ({"priority": -1}, "wrong-usage"),
        ({"deadline": "2126-12-01T09:00"}, "deadline-unclear"),
        ({"deadline": "2001-12-01T09:00Z"}, "deadline-over"),
    ],
)
def test_the_page_refuses_what_cannot_be(page: TestClient, wrong: dict[str, Any], code: str) -> None:
    answer = page.post("/api/jobs", json=BRIEF | wrong)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert page.get("/api/jobs").json() == {"jobs": []}


def test_a_full_queue_is_answered_with_429_and_when_to_come_again(page: TestClient, house: Parts) -> None:
    do(house.sessions, places.set_bounds, "rendering", Bounds(waiting=1))
    known = page.post("/api/jobs", json=BRIEF, headers={"Idempotency-Key": "k"})
    answer = page.post("/api/jobs", json=BRIEF)
    assert (answer.status_code, answer.json()["code"]) == (429, "queue-full")
    assert int(answer.headers["Retry-After"]) > 0
    again = page.post("/api/jobs", json=BRIEF, headers={"Idempotency-Key": "k"})
    assert (again.status_code, again.json()["job"]) == (202, known.json()["job"])


def test_a_refusal_of_another_kind_says_nothing_of_coming_again(page: TestClient) -> None:
    assert "Retry-After" not in page.get("/api/jobs/0123456789abcdef").headers


@pytest.mark.parametrize("command", [("make", "off_road"), ("batch", "off_road", "--data", "rows.csv")])
def test_a_command_refuses_a_deadline_before_any_work(here: Here, tmp_path: Path, command: tuple[str, ...]) -> None:
    told = here(*command, "--deadline", "2126-12-01T09:00")
    assert (told.returncode, told.stdout) == (2, "")
    assert told.stderr.startswith("deadline-unclear: '2126-12-01T09:00' names no zone. Next: ")
    assert not (tmp_path / "home").exists()


def test_an_order_of_make_has_its_priority_and_deadline(here: Here, house: Parts) -> None:
    here("make", "highlights", "--set", "about=mud", "--priority", "8", "--deadline", AHEAD)  # no material
    told = json.loads(here("jobs", "--json").stdout)
    assert [(job["state"], job["priority"], job["deadline"]) for job in told] == [
        ("failed", 8, "2126-12-01T01:00:00+00:00")
    ]


def test_a_batch_gives_way_to_what_people_order(house: Parts, tmp_path: Path) -> None:
    table = read_table(b"title\nOne\n", "rows.csv")
    shared = Brief(template="off_road")
    for wishes in ((), (Wishes(7),)):
        rows = Batch(house, tmp_path, tmp_path / "out", True, None, *wishes)
        assert [outcome.status for outcome in batch(table, shared, rows)] == ["failed"]
        with house.sessions.read() as session:
            assert job_lookup.list_jobs(session)[0].priority == (7 if wishes else 3)
        with house.sessions.write() as session:
            jobs.retry(session, job_lookup.list_jobs(session)[0].id)
            jobs.cancel(session, job_lookup.list_jobs(session)[0].id)
        shared = Brief(template="off_road", seed=1)


def test_the_list_tells_what_is_not_as_usual(here: Here, house: Parts) -> None:
    order(house.sessions)
    order(house.sessions, priority=9, deadline=utc_now() - PAST)
    late = order(house.sessions, priority=3, deadline=utc_now() + PAST)
    bell.reap(house.sessions)
    failed, high, usual = here("jobs").stdout.splitlines()
    assert "priority 9, by 2" in high
    assert "priority" not in usual
    assert late in failed
    assert "priority 3" in failed
    assert "nobody began the job by its deadline" in failed


# --- queues ----------------------------------------------------------------------------------------------------------


def test_queues_are_listed_with_what_waits_and_what_is_worked_on(here: Here, house: Parts) -> None:
    taken(house.sessions, order(house.sessions))
    waiting = order(house.sessions)
    assert here("queue", "set", "rendering", "--running", "4", "--waiting", "500").stdout == (
        "rendering: running 4, waiting 500\n"
    )
    told = {queue["queue"]: queue for queue in json.loads(here("queue", "list", "--json").stdout)}
    assert told["rendering"] == {
        "queue": "rendering", "waiting": 1, "running": 1, "most_waiting": 500, "most_running": 4,
        "oldest": now(house.sessions, waiting).created_at.isoformat(),
    }  # fmt: skip
    lines = [" ".join(line.split()) for line in here("queue", "list").stdout.splitlines()]
    assert any(line.startswith("rendering waiting 1 of 500 running 1 of 4 oldest ") for line in lines)


@pytest.mark.parametrize("lifted", ["0", "none"])
def test_one_bound_is_lifted_and_the_other_stays(here: Here, house: Parts, lifted: str) -> None:
    here("queue", "set", "rendering", "--running", "4", "--waiting", "500")
    assert here("queue", "set", "rendering", "--running", lifted).stdout == "rendering: running any, waiting 500\n"
    with house.sessions.read() as session:
        assert places.bounds(session, "rendering") == Bounds(None, 500)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("renderin", "--running", "4"), "unknown-queue"),
        (("rendering",), "wrong-usage"),
        (("rendering", "--running", "-1"), "wrong-usage"),
        (("rendering", "--waiting", "many"), "wrong-usage"),
        (("rendering", "--waiting", "1.5"), "wrong-usage"),
        (("rendering", "--running", "4", "--waiting", "9" * 5000), "wrong-usage"),
    ],
)
def test_nonsense_is_refused_and_bounds_nothing(
    here: Here, house: Parts, arguments: tuple[str, ...], code: str
) -> None:
    told = here("queue", "set", *arguments)
    assert (told.returncode, told.stdout) == (2, "")
    assert told.stderr.startswith(f"{code}: ")
    with house.sessions.read() as session:
        assert places.bounds(session, "rendering") == Bounds()


def test_the_figures_tell_of_each_queue(page: TestClient, house: Parts) -> None:
    taken(house.sessions, order(house.sessions))
    for _ in range(2):
        order(house.sessions)
    told = page.get("/metrics").text.splitlines()
    assert 'autoreel_queue_waiting{queue="rendering"} 2' in told
    assert 'autoreel_queue_running{queue="rendering"} 1' in told

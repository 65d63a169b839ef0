"""Clips come in by jobs: ordered once a file, worked off beside videos, done without a review."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from factory import clip_jobs
from factory.clip_jobs import ingest_job, order_clip
from factory.ingest import Provenance
from factory.notice_forms import sentence
from factory.plan.clip_order import ClipOrder
from factory.plan.embargo import read_embargo
from factory.runner import LocalRunner
from factory.runner_child import open_produce
from factory.settings import Settings
from factory.store import bell, job_lookup, jobs, notices
from factory.store.db import Sessions
from factory.store.job import ENDED, FenceLost, State, WrongState
from factory.store.lease import SHUTDOWN
from factory.store.schema import Asset
from factory.web.app import create_app
from factory.wiring import Parts, parts
from tests.drawn_video import draw_video, scene
from tests.ledger_acts import bells, do, now, order, run_out, take, taken
from tests.library import a_clip, a_shot
from tests.test_cli import Here
from tests.test_lease import wait_for
from tests.tiny_house import order as tiny_order
from tests.tiny_house import ordered, tiny_house
from understanding.errors import MediaRefused
from understanding.tagged import TaggedClip

CLIP = ClipOrder(path="/inbox/dunes.mp4", credit="Desk")
HERE = "http://127.0.0.1:8787"


class Reader:
    """A tagger that does what the file's content says: `bad` is refused, `bug` breaks it; `meanwhile` happens first."""

    version = "one"

    def __init__(self) -> None:
        self.meanwhile: Callable[[], object] = lambda: None

    def read_as(self, path: Path, file_name: str) -> TaggedClip:
        self.meanwhile()
        content = path.read_bytes()
        if content == b"bad":
            raise MediaRefused("no-frames", f"{file_name!r} has no frames", next_step="export it again")
        if content == b"bug":
            raise ZeroDivisionError("a fault")
        return a_clip(a_shot({"mud": 0.8}), a_shot({"dune": 0.8}), version=self.version)


@pytest.fixture
def reader() -> Reader:
    return Reader()


@pytest.fixture
def house(tmp_path: Path, reader: Reader) -> Iterator[Parts]:
    built = parts(Settings(home=tmp_path / "home", database_url="", web_port=8787))
    built.__dict__["_tagger"] = reader
    yield built
    built.sessions.close()


def file_of(folder: Path, content: bytes = b"good", name: str = "dunes.mp4") -> Path:
    (folder / name).write_bytes(content)
    return folder / name


def clips(house: Parts) -> int:
    with house.sessions.read() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(Asset)) or 0


# --- the ledger ------------------------------------------------------------------------------------------------------


def test_a_clip_waits_in_its_queue_and_is_done_without_a_review(sessions: Sessions) -> None:
    job = order(sessions, CLIP)
    assert (now(sessions, job).queue, now(sessions, job).title, bells(sessions)) == ("tagging", "dunes.mp4", [job])
    held = taken(sessions, job)
    assert (held.kind, held.clip()) == ("ingest", CLIP)
    assert do(sessions, jobs.settle, held, "added, 2 shots") == "done"
    seen = now(sessions, job)
    assert (seen.state, seen.step, seen.progress, seen.worker) == ("done", "added, 2 shots", 1.0, None)
    assert seen.ended_at is not None
    assert seen.state in ENDED
    assert take(sessions, job) is None


@pytest.mark.parametrize("verb", [jobs.cancel, jobs.approve, jobs.publish, jobs.withdraw, jobs.retry])
def test_what_is_done_stays_done(sqlite: Sessions, verb: Callable[..., State]) -> None:
    job = order(sqlite, CLIP)
    do(sqlite, jobs.settle, taken(sqlite, job), "added")
    with pytest.raises(WrongState, match="is done"):
        do(sqlite, verb, job)


def test_a_worker_that_is_late_settles_nothing(sessions: Sessions) -> None:
    job = order(sessions, CLIP)
    first = taken(sessions, job)
    run_out(sessions, job)
    second = taken(sessions, job)
    with pytest.raises(FenceLost):
        do(sessions, jobs.settle, first, "added")
    assert do(sessions, jobs.settle, second, "added") == "done"


def test_a_cancel_wins_over_the_end(sessions: Sessions) -> None:
    held = taken(sessions, order(sessions, CLIP))
    do(sessions, jobs.cancel, held.job)
    assert do(sessions, jobs.settle, held, "added") == "cancelled"


def test_a_video_goes_to_a_person_and_never_straight_to_done(sqlite: Sessions) -> None:
    with pytest.raises(ValueError, match="which a person reviews"):
        do(sqlite, jobs.settle, taken(sqlite, order(sqlite)), "added")


# --- ordering --------------------------------------------------------------------------------------------------------


def test_a_file_is_one_job_until_it_changes_or_another_source_is_said(house: Parts, tmp_path: Path) -> None:
    clip = file_of(tmp_path)
    first = order_clip(clip, house, Provenance())
    assert (first.status, first.state) == ("ordered", "queued")
    again = order_clip(clip, house, Provenance())
    assert (again.status, again.job) == ("known", first.job)
    os.utime(clip, (1, 1))
    changed = order_clip(clip, house, Provenance())
    said = order_clip(clip, house, Provenance(credit="Desk"))
    assert (changed.status, said.status) == ("ordered", "ordered")
    assert len({first.job, changed.job, said.job}) == 3


def test_a_file_that_cannot_be_ordered_is_refused_and_leaves_no_job(house: Parts, tmp_path: Path) -> None:
    missing = order_clip(tmp_path / "none.mp4", house, Provenance())
    unnamed = order_clip(tmp_path / os.fsdecode(b"caf\xe9.mp4"), house, Provenance())
    assert [(clip.status, clip.code) for clip in (missing, unnamed)] == [
        ("refused", "not-a-file"),
        ("refused", "name-unreadable"),
    ]
    with house.sessions.read() as session:
        assert job_lookup.list_jobs(session) == ()


def test_the_command_orders_each_file_of_a_folder_once(tmp_path: Path, house: Parts, here: Here) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    for name in ("a.mp4", "b.mp4", "labels.csv", ".hidden"):
        file_of(inbox, name.encode(), name)
    told = here("ingest", "--queue", str(inbox), "--credit", "Desk", "--json")
    first = [json.loads(line) for line in told.stdout.splitlines()]
    assert [(Path(clip["path"]).name, clip["status"]) for clip in first] == [("a.mp4", "ordered"), ("b.mp4", "ordered")]
    assert told.stderr == "2 ordered, 2 skipped\n" or told.stderr == "2 skipped, 2 ordered\n"
    told = here("ingest", "--queue", str(inbox), str(tmp_path / "none.mp4"), "--credit", "Desk")
    assert told.returncode == 3
    assert [line.split()[:3] for line in told.stdout.splitlines()] == [
        ["known", clip["job"], "queued"] for clip in first
    ]
    assert f"{str(tmp_path / 'none.mp4')!r}: not-a-file: " in told.stderr
    listed = {job["job"]: job for job in json.loads(here("jobs", "--json").stdout)}
    assert {(job["kind"], job["title"], job["template"]) for job in listed.values()} == {
        ("ingest", "a.mp4", None),
        ("ingest", "b.mp4", None),
    }
    assert clips(house) == 0


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Here:
    return Here(tmp_path / "home", monkeypatch, capsys)


def test_list_page_and_figures_tell_of_a_clip(tmp_path: Path, house: Parts, here: Here) -> None:
    job = order_clip(file_of(tmp_path), house, Provenance()).job
    ingest_job(job, house)
    (line,) = here("jobs").stdout.splitlines()
    assert line.split()[:4] == [job, "done", "100%", "dunes.mp4"]
    assert "added, 2 shots, clip " in line
    with TestClient(create_app(house), base_url=HERE, headers={"Origin": HERE}) as page:
        told = page.get(f"/api/jobs/{job}").json()
        assert (told["kind"], told["title"], told["state"], told["outputs"]) == ("ingest", "dunes.mp4", "done", [])
        assert page.get("/api/jobs", params={"state": "done"}).json()["jobs"] == [told]
        assert 'autoreel_jobs{state="done"} 1' in page.get("/metrics").text


# --- working ---------------------------------------------------------------------------------------------------------


def test_a_clip_is_brought_in_as_it_was_ordered(house: Parts, tmp_path: Path) -> None:
    nine = read_embargo("2126-12-01T09:00 Asia/Shanghai")
    job = order_clip(file_of(tmp_path), house, Provenance("Desk", "CC0", nine, "race.mp4")).job
    assert ingest_job(job, house) == "done"
    with house.sessions.read() as session:
        clip = session.scalars(sa.select(Asset)).one()
    assert (clip.credit, clip.licence, clip.embargo, clip.original) == ("Desk", "CC0", nine, "race.mp4")
    assert now(house.sessions, job).step == f"added, 2 shots, clip {clip.digest[:12]}"
    assert ingest_job(job, house) is None  # a repeated message


def test_a_clip_that_is_known_is_done_too_and_says_so(house: Parts, tmp_path: Path) -> None:
    for name, begins in (("a.mp4", "added, 2 shots"), ("b.mp4", "known, 2 shots")):
        job = order_clip(file_of(tmp_path, name=name), house, Provenance()).job
        assert ingest_job(job, house) == "done"
        assert now(house.sessions, job).step.startswith(begins)
    assert clips(house) == 1


def test_a_file_that_is_refused_fails_with_its_way_out(house: Parts, tmp_path: Path) -> None:
    job = order_clip(file_of(tmp_path, b"bad"), house, Provenance()).job
    assert ingest_job(job, house) == "failed"
    seen = now(house.sessions, job)
    assert (seen.error_code, seen.error_text, seen.next_step, seen.attempt) == (
        "no-frames", "'dunes.mp4' has no frames", "export it again", 1,
    )  # fmt: skip
    file_of(tmp_path)
    do(house.sessions, jobs.retry, job)
    assert ingest_job(job, house) == "done"
    assert now(house.sessions, job).error_code is None


def test_a_file_that_is_gone_fails_and_says_where_it_was_looked_for(house: Parts, tmp_path: Path) -> None:
    clip = file_of(tmp_path)
    job = order_clip(clip, house, Provenance()).job
    clip.unlink()
    assert ingest_job(job, house) == "failed"
    seen = now(house.sessions, job)
    assert seen.error_code == "not-a-file"
    assert str(clip) in (seen.next_step or "")


def test_what_breaks_the_reader_is_tried_three_times_and_named(house: Parts, tmp_path: Path) -> None:
    job = order_clip(file_of(tmp_path, b"bug"), house, Provenance()).job
    assert [ingest_job(job, house) for _ in range(4)] == ["queued", "queued", "dead", None]
    with house.sessions.write() as session:
        notices.put_failures(session)
        (notice,) = notices.take(session)
    assert sentence(notice).startswith(f"AutoReel: job-dead: job {job} (dunes.mp4)\nbroken: ")


def test_a_poison_file_that_kills_its_worker_is_dead_after_three_attempts(house: Parts, tmp_path: Path) -> None:
    job = order_clip(file_of(tmp_path), house, Provenance()).job
    for _ in range(3):
        taken(house.sessions, job)  # and nothing is heard of it any more
        run_out(house.sessions, job)
    assert bell.reap(house.sessions).dead == 1
    seen = now(house.sessions, job)
    assert (seen.state, seen.error_code, seen.title) == ("dead", "worker-lost", "dunes.mp4")


def test_a_cancel_before_it_began_ends_it_and_one_between_steps_stops_it(
    house: Parts, tmp_path: Path, reader: Reader
) -> None:
    early = order_clip(file_of(tmp_path, name="a.mp4"), house, Provenance()).job
    assert do(house.sessions, jobs.cancel, early) == "cancelled"
    assert ingest_job(early, house) is None
    late = order_clip(file_of(tmp_path, name="b.mp4"), house, Provenance()).job

    def cancelled() -> None:
        do(house.sessions, jobs.cancel, late)
        threading.Event().wait(1.0)  # longer than a heartbeat of the short lease

    reader.meanwhile = cancelled
    assert ingest_job(late, house, lease_for=timedelta(seconds=1)) == "cancelled"
    assert clips(house) == 0


def test_a_worker_that_is_to_end_hands_the_clip_back(house: Parts, tmp_path: Path, reader: Reader) -> None:
    job = order_clip(file_of(tmp_path), house, Provenance()).job
    reader.meanwhile = SHUTDOWN.set
    try:
        assert ingest_job(job, house) == "queued"
    finally:
        SHUTDOWN.clear()
    assert (now(house.sessions, job).attempt, clips(house)) == (0, 0)
    reader.meanwhile = lambda: None
    assert ingest_job(job, house) == "done"


def test_each_step_names_the_file(house: Parts, tmp_path: Path, reader: Reader) -> None:
    job = order_clip(file_of(tmp_path), house, Provenance()).job
    reader.meanwhile = lambda: wait_for(lambda: now(house.sessions, job).step == "reading dunes.mp4")
    assert ingest_job(job, house) == "done"
    assert set(clip_jobs.BEGUN) == {"copying", "reading", "writing"}


@pytest.mark.slow
@pytest.mark.fault
def test_one_child_brings_in_a_clip_and_makes_a_video(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    house = tiny_house(tmp_path)
    monkeypatch.setenv("FACTORY_HOME", str(house.settings.home))
    monkeypatch.setenv("FACTORY_TEMPLATES", str(house.settings.templates))
    monkeypatch.setenv("FACTORY_VOICE", "silent")
    drawn = draw_video(tmp_path / "drawn.mp4", [scene(1)] * 25 + [scene(2)] * 25)
    clip = order_clip(drawn, house, Provenance()).job
    text = order_clip(file_of(tmp_path, b"no video", "notes.mp4"), house, Provenance()).job
    video = ordered(house, tiny_order())

    def stand() -> list[State]:
        return [now(house.sessions, job).state for job in (clip, text, video)]

    with LocalRunner(house.settings.database, open_produce) as runner:
        wait_for(lambda: all(state in ENDED for state in stand()), 240)
        assert len(runner.pids()) == 1
    assert stand() == ["done", "failed", "review"]
    assert now(house.sessions, clip).step.startswith("added, 2 shots")
    assert "notes.mp4" in (now(house.sessions, text).error_text or "")
    house.sessions.close()

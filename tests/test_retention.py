from __future__ import annotations

import os
import time
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from factory.errors import WrongUsage
from factory.plan.brief import Brief
from factory.retention import clean
from factory.store import job_lookup, jobs
from factory.store.columns import utc_now
from factory.store.db import Sessions
from factory.store.files import Files
from factory.store.job import Output
from factory.store.schema import JobRow


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path / "home")


def derived(files: Files, key: str, days: float) -> Path:
    def make(path: Path) -> None:
        path.write_bytes(key.encode())

    place = files.cached(key, ".mp4", make)
    age(place, days)
    return place


def age(path: Path, days: float) -> None:
    then = time.time() - days * 86400
    os.utime(path, (then, then))


def finished(sessions: Sessions, files: Files, name: str, *, days: float, draft: bool = False) -> tuple[str, str]:
    """Return the id of a job in review that ended then, and the digest of its file."""
    kept = files.put_bytes(name.encode())
    with sessions.write() as session:
        job = jobs.submit(session, Brief(template="off_road", draft=draft)).job
        held = jobs.claim(session, job, worker="test")
        assert held is not None
        jobs.finish(session, held, [Output("16:9", "video", kept.digest, f"{name}.mp4", kept.size)])
        session.execute(sa.update(JobRow).where(JobRow.id == job).values(ended_at=utc_now() - timedelta(days=days)))
    return job, kept.digest


def test_derived_files_that_nobody_asked_for_go(sqlite: Sessions, files: Files) -> None:
    old, young, wanted = derived(files, "old", 31), derived(files, "young", 29), derived(files, "wanted", 31)
    models = files.cache / "models" / "net.onnx"
    models.parent.mkdir()
    models.write_bytes(b"net")
    age(models, 400)
    assert files.cached("wanted", ".mp4", lambda _: pytest.fail("made again")) == wanted
    told = clean(sqlite, files, dry_run=True)
    assert (told.cache_files, told.cache_bytes, old.exists()) == (1, 3, True)
    assert clean(sqlite, files) == told
    assert [path.exists() for path in (old, young, wanted, models)] == [False, True, True, True]
    assert clean(sqlite, files).cache_files == 0


def test_finished_files_go_only_where_nobody_wants_them(sessions: Sessions, files: Files) -> None:
    draft, draft_file = finished(sessions, files, "draft", days=91, draft=True)
    withdrawn, withdrawn_file = finished(sessions, files, "withdrawn", days=91)
    _, shared = finished(sessions, files, "withdrawn", days=91)  # the same bytes, in a video that waits for review
    _, review = finished(sessions, files, "review", days=400)
    _, young = finished(sessions, files, "young", days=89, draft=True)
    with sessions.write() as session:
        for move in (jobs.approve, jobs.publish, jobs.withdraw):
            move(session, withdrawn)
    assert clean(sessions, files).outputs == 0  # without a number of days none goes
    told = clean(sessions, files, outputs_days=90, dry_run=True)
    assert told.jobs == tuple(sorted((draft, withdrawn)))
    assert (told.outputs, told.output_bytes, files.has(draft_file)) == (2, len("draft"), True)
    assert clean(sessions, files, outputs_days=90) == told
    assert shared == withdrawn_file
    assert [files.has(digest) for digest in (draft_file, shared, review, young)] == [False, True, True, True]
    with sessions.read() as session:
        assert job_lookup.get(session, draft).outputs == ()


def test_files_of_today_stay(sqlite: Sessions, files: Files) -> None:
    with pytest.raises(WrongUsage):
        clean(sqlite, files, cache_days=0)
    with pytest.raises(WrongUsage):
        clean(sqlite, files, outputs_days=0)

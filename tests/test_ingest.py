"""Several files are brought in at once, each once, in the order they were named."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from factory.ingest import Provenance, Wanted, ingest, ingest_all
from factory.plan.embargo import Embargo, read_embargo
from factory.settings import Settings
from factory.store.schema import Asset
from factory.wiring import parts
from tests.library import a_clip, a_shot
from understanding.errors import MediaRefused
from understanding.tagged import TaggedClip


class Meeting:
    """A tagger that reads nothing until as many files as `jobs` are being read."""

    version = "one"

    def __init__(self, jobs: int) -> None:
        self._together = threading.Barrier(jobs, timeout=30)

    def read_as(self, path: Path, file_name: str) -> TaggedClip:
        self._together.wait()
        if file_name.startswith("bad"):
            raise MediaRefused("no-frames", "it has no frames", next_step="export it again")
        return a_clip(a_shot({"mud": 0.8}), version=self.version)


def test_files_are_read_side_by_side_and_told_in_order(tmp_path: Path) -> None:
    house = parts(Settings(home=tmp_path / "home"))
    house.__dict__["_tagger"] = Meeting(3)
    names = ["c.mp4", "bad.mp4", "a.mp4", "f.mp4", "d.mp4", "bad2.mp4"]
    for name in names:
        (tmp_path / name).write_bytes(name.encode())
    files = [Wanted(tmp_path / name, named=True) for name in names]
    told = list(ingest_all(files, house, jobs=3))
    assert [file.path.name for file, _ in told] == names
    assert [outcome.status for _, outcome in told] == ["added", "refused", "added", "added", "added", "refused"]
    assert {outcome.status for _, outcome in ingest_all([files[0], files[2]], house, jobs=2)} == {"known"}
    with house.sessions.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Asset)) == 4
    house.sessions.close()


def test_a_clip_comes_in_under_embargo_and_a_known_one_is_put_under_it(tmp_path: Path) -> None:
    house = parts(Settings(home=tmp_path / "home"))
    house.__dict__["_tagger"] = Meeting(1)
    (tmp_path / "a.mp4").write_bytes(b"a")
    nine, ten = (read_embargo(f"2026-12-01T{hour}:00 Asia/Shanghai") for hour in ("09", "10"))

    def brought(**provenance: Any) -> tuple[str, Embargo | None]:
        outcome = ingest(tmp_path / "a.mp4", house, Provenance(**provenance))
        with house.sessions.read() as session:
            return outcome.status, session.scalar(sa.select(Asset.embargo))

    assert brought(embargo=nine) == ("added", nine)
    assert brought() == ("known", nine)  # nothing said, nothing lifted
    assert brought(embargo=ten) == ("known", ten)
    assert brought(lift=True) == ("known", None)
    house.sessions.close()

from __future__ import annotations

import hashlib
import json
import logging
import os
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from factory.cli import app
from factory.store.copies import IN_USE, Moved, copy_home
from factory.store.files import Files
from factory.store.object_url import open_objects
from factory.store.objects import Objects
from tests.object_stores import writing


@pytest.fixture
def objects(store_url: str) -> Objects:
    return open_objects(store_url)


def asked(path: Path, seconds_ago: float) -> Path:
    then = time.time() - seconds_ago
    os.utime(path, (then, then))
    return path


def test_copies_that_nobody_asked_for_longest_go_until_the_rest_fits(objects: Objects, tmp_path: Path) -> None:
    files = Files(tmp_path / "home", objects, most_bytes=2500)
    clips = [files.put_bytes(bytes([number]) * 1000) for number in range(3)]
    chunk = files.cached("chunk", ".mp4", writing(b"c" * 1000))
    for number, clip in enumerate(clips):
        asked(clip.path, IN_USE + 100 - number)
    asked(chunk, IN_USE + 50)
    assert files.path(clips[0].digest) == clips[0].path  # asked for again, now
    files.clean()
    assert [clip.path.exists() for clip in clips] == [True, False, False]
    assert chunk.exists()
    assert files.path(clips[1].digest).read_bytes() == b"\1" * 1000  # it comes back


def test_a_file_that_the_store_does_not_have_stays_whatever_the_bound(objects: Objects, tmp_path: Path) -> None:
    alone = Files(tmp_path / "home").put_bytes(b"only here")
    files = Files(tmp_path / "home", objects, most_bytes=1)
    shared = files.put_bytes(b"there too")
    for kept in (alone, shared):
        asked(kept.path, 10 * IN_USE)
    files.clean()
    assert (alone.path.exists(), shared.path.exists()) == (True, False)


def test_what_a_job_may_want_stays_and_the_log_says_so(
    objects: Objects, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    files = Files(tmp_path / "home", objects, most_bytes=1)
    young = asked(files.put_bytes(b"young").path, IN_USE - 100)
    with caplog.at_level(logging.WARNING):
        files.clean()
    assert young.exists()
    assert "4 bytes more" in caplog.text


def test_asking_for_a_copy_leaves_the_time_that_browsers_go_by(objects: Objects, tmp_path: Path) -> None:
    files = Files(tmp_path / "home", objects)
    kept = files.put_bytes(b"film")
    asked(kept.path, 5000)
    before = kept.path.stat().st_mtime_ns
    files.path(kept.digest)
    assert kept.path.stat().st_mtime_ns == before
    assert kept.path.stat().st_atime > time.time() - 1000


def test_a_home_is_copied_once_and_what_is_damaged_stays_behind(objects: Objects, tmp_path: Path) -> None:
    home = Files(tmp_path / "home")
    clip, film = home.put_bytes(b"clip"), home.put_bytes(b"film")
    chunk = home.cached("chunk", ".mp4", writing(b"chunk"))
    (tmp_path / "home" / "models").mkdir()
    (tmp_path / "made").write_bytes(b"weights")
    tagger = home.keep_checkpoint(tmp_path / "made")
    film.path.write_bytes(b"rotten")
    first = {moved.name.partition("/")[0]: moved for moved in copy_home(home.root, objects) if moved.state == "copied"}
    assert {kind: moved.size for kind, moved in first.items()} == {"media": 4, "models": 7}
    again = list(copy_home(home.root, objects, cache=True))
    assert sorted(moved.state for moved in again) == ["copied", "damaged", "known", "known"]
    assert Moved(f"media/{film.digest[:2]}/{film.digest}", 6, "damaged") in again
    other = Files(tmp_path / "other", objects)
    assert other.path(clip.digest).read_bytes() == b"clip"
    assert other.checkpoint(tagger).read_bytes() == b"weights"
    assert other.cached("chunk", ".mp4", lambda _: pytest.fail("it was copied")).read_bytes() == chunk.read_bytes()
    assert not other.has(film.digest)


def test_the_command_counts_and_names_what_is_damaged(
    store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Files(tmp_path / "home")
    home.put_bytes(b"clip")
    monkeypatch.setenv("FACTORY_HOME", str(home.root))
    monkeypatch.setenv("FACTORY_STORE", store_url)
    run = CliRunner().invoke(app, ["store", "copy", "--json"])
    assert run.exit_code == 0
    assert json.loads(run.stdout) == {"files": {"copied": 1}, "bytes": {"copied": 4}, "damaged": []}
    rotten = hashlib.sha256(b"whole").hexdigest()
    (home.media / rotten[:2]).mkdir(exist_ok=True)
    (home.media / rotten[:2] / rotten).write_bytes(b"rotten")
    run = CliRunner().invoke(app, ["store", "copy"])
    assert (run.exit_code, run.stdout) == (3, "0 copied (0 bytes), 1 known (4 bytes), 1 damaged (6 bytes)\n")
    assert f"media/{rotten[:2]}/{rotten}" in run.stderr

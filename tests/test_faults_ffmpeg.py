"""An ffmpeg that is killed in the middle of a real render, and one that a clip crashes every time."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from factory.produce import produce
from factory.render import ffmpeg
from factory.store.job import MAX_ATTEMPTS
from factory.store.schema import Asset
from factory.wiring import Parts
from tests.tiny_house import (
    cached_chunks,
    chunks_of,
    forget_chunks,
    order,
    ordered,
    seen,
    tiny_house,
    unfinished,
    whole_film,
)
from tests.working import Tell

pytestmark = [pytest.mark.fault, pytest.mark.slow, pytest.mark.timeout(600)]
SCENES = 6

# Stands for ffmpeg: its call number {which} of those that write a {suffix} is killed while it writes.
KILLED = """#!/bin/sh
for last; do :; done
case "$last" in *{suffix})
    number=1
    until mkdir {folder}/$number 2>/dev/null; do number=$((number + 1)); done
    if [ $number -eq {which} ]; then
        {ffmpeg} "$@" &
        sleep 0.02
        kill -KILL $! $$
    fi
esac
exec {ffmpeg} "$@"
"""

# Stands for ffmpeg: whatever reads the clip {digest} ends by a fault of memory.
CRASHED = """#!/bin/sh
case "$*" in *{digest}*) kill -SEGV $$ ;; esac
exec {ffmpeg} "$@"
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, eye: Path) -> Iterator[Parts]:
    built = tiny_house(tmp_path_factory.mktemp("ffmpeg"), eye=eye)
    yield built
    built.sessions.close()


def stand_in(monkeypatch: pytest.MonkeyPatch, folder: Path, script: str, **values: object) -> None:
    """Let renders start this script for ffmpeg."""
    program = folder / "ffmpeg"
    program.write_text(script.format(ffmpeg=ffmpeg.executable(), folder=folder, **values), encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(ffmpeg, "executable", lambda: str(program))


@pytest.mark.parametrize(
    ("suffix", "which"),
    [(".mp4", 4), (".f32", 3), (".m4a", 1), (".jpg", 1)],
    ids=["chunk", "clip sound", "mix", "poster"],
)
def test_a_killed_ffmpeg_costs_an_attempt_and_no_piece_that_was_finished(
    house: Parts, tmp_path: Path, suffix: str, which: int, monkeypatch: pytest.MonkeyPatch, record_property: Tell
) -> None:
    forget_chunks(house)
    job = ordered(house, order(which, scenes=SCENES))
    with monkeypatch.context() as patch:
        stand_in(patch, tmp_path, KILLED, suffix=suffix, which=which)
        assert produce(job, house) == "queued"
    told = seen(house, job)
    assert (told.attempt, told.error_code, told.outputs) == (1, "render-failed", ())
    assert "signal 9" in str(told.error_text)
    assert unfinished(house) == []
    kept = cached_chunks(house)
    assert produce(job, house) == "review"
    assert seen(house, job).attempt == 2
    made, reused = chunks_of(house, job)
    assert (made, reused) == (SCENES - kept, kept)
    assert kept >= (which - 1 if suffix == ".mp4" else 0)
    whole_film(house, job)
    record_property("chunks made again", made - (SCENES - kept))
    record_property("chunks reused", reused)


def test_a_clip_that_crashes_its_decoder_kills_its_own_job_alone(
    house: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record_property: Tell
) -> None:
    with house.sessions.read() as session:
        poison = session.scalars(sa.select(Asset.digest).where(Asset.original == "mud.mp4")).one()
    forget_chunks(house)
    stand_in(monkeypatch, tmp_path, CRASHED, digest=poison)
    bad, good = (ordered(house, order(9, shows=shows)) for shows in ("mud", "dune"))
    ends = [produce(job, house) for _ in range(MAX_ATTEMPTS + 1) for job in (bad, good)]
    assert ends == ["queued", "review", "queued", None, "dead", None, None, None]
    told = seen(house, bad)
    assert (told.attempt, told.error_code) == (MAX_ATTEMPTS, "render-failed")
    assert "signal 11" in str(told.error_text)
    assert poison in str(told.error_text)
    whole_film(house, good)
    assert unfinished(house) == []
    record_property("attempts of the poison", MAX_ATTEMPTS)
    record_property("others made", 1)

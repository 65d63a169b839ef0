"""A worker over a film that is planned already: ledger, cache, ffmpeg and the runner's loop are real.

`python -m tests.spread_worker HOME JOB_LEASE CHUNK_LEASE` works until SIGTERM. Each film that it finishes is a line in
HOME/films, each time that it helped a line in HOME/helped: pid, then counts.
"""

from __future__ import annotations

import os
import signal
import sys
from datetime import timedelta
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from factory.plan.brief import Brief
from factory.plan.timeline import Canvas, ClipLayer, Music, TimedScene, Timeline, Transition
from factory.plan.timeline_json import to_json
from factory.render.film import render_film
from factory.render.templates import Templates
from factory.rendering import means
from factory.runner import work_off
from factory.spread import Helpers, spread
from factory.store import jobs
from factory.store.db import Sessions
from factory.store.files import Files
from factory.store.job import Output, State
from factory.store.lease import SHUTDOWN, Holding, Made, work
from tests.render_kit import hum

ASPECT = "16:9"


def timeline(asset: str, *, scenes: int, frames: int, canvas: Canvas) -> Timeline:
    """Scenes of `frames` each over a clip of at least `scenes + frames` frames; every third has a transition."""
    made = [
        TimedScene(
            f"s{n}",
            frames,
            (ClipLayer(asset, 1, Fraction(n, 30), 0, frames),),
            Transition("fade", 10) if n % 3 == 1 and n < scenes - 1 else None,
        )
        for n in range(scenes)
    ]
    return Timeline("Shared", "en-US", "test", "plain", canvas, tuple(made), Music("hum", 1))


def open_parts(home: Path, *, spread: int = 2) -> Any:
    settings = SimpleNamespace(spread=spread, mezzanines=(), encoder="software", producer="AutoReel")
    sessions = Sessions.open(f"sqlite:///{home / 'factory.db'}")
    return SimpleNamespace(settings=settings, sessions=sessions, files=Files(home), templates=Templates(), send=None)


def order(**looks: Any) -> Brief:
    return Brief(template="stub", set={name: str(value) for name, value in looks.items()})


def produce(job: str, parts: Any, *, lease: timedelta) -> State | None:
    return work(parts.sessions, job, lambda holding: _make(holding, parts), lease=lease)


def _make(holding: Holding, parts: Any) -> Made:
    claim, brief = holding.claim, holding.claim.brief()
    wanted = {name: int(brief.set[name]) for name in ("scenes", "frames")}
    canvas = Canvas(int(brief.set["width"]), int(brief.set["width"]) * 9 // 16)
    shown = timeline(brief.set["asset"], canvas=canvas, **wanted)
    with parts.sessions.write() as session:
        jobs.save_timelines(session, claim, {ASPECT: to_json(shown)})
        jobs.start_rendering(session, claim)
    with parts.files.scratch() as folder:
        film = render_film(
            shown,
            **means(shown, brief, parts),
            write_music=hum,
            out=folder / "film.mp4",
            sharing=spread(parts, claim, ASPECT),
            cancelled=holding.stopped,
        )
        kept = parts.files.adopt(film.video)
    note(parts.files.root / "films", film.chunks_made, film.chunks_helped, film.chunks_reused)
    return Made([Output(ASPECT, "video", kept.digest, "film.mp4", kept.size, film.frames, film.fps)])


def note(log: Path, *counts: int) -> None:
    with log.open("a") as file:
        file.write(" ".join(map(str, (os.getpid(), *counts))) + "\n")


def noted(log: Path) -> list[list[int]]:
    return [[int(word) for word in line.split()] for line in log.read_text().splitlines()] if log.exists() else []


def main() -> None:
    home, (lease, chunk_lease) = Path(sys.argv[1]), (timedelta(seconds=float(text)) for text in sys.argv[2:])
    signal.signal(signal.SIGTERM, lambda *_: SHUTDOWN.set())
    parts = open_parts(home)
    helpers = Helpers(parts, lease=chunk_lease)

    def help_out() -> int:
        if made := helpers.help_out():
            note(home / "helped", made)
        return made

    (home / f"ready-{os.getpid()}").touch()
    work_off(parts.sessions, lambda job: produce(job, parts, lease=lease), help_out=help_out)


if __name__ == "__main__":
    main()

"""How long find takes on a drawn library: `python -m tests.bench.bench_find [shots] [database URL]`.

Figures, never asserted. 435 tags with a Zipf spread (exponent 0.9), 12 a shot, 4 shots a clip.
"""

from __future__ import annotations

import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa

from factory.plan.query import parse_query
from factory.store import assets, db
from factory.store.schema import Asset, Shot, ShotTag, TagRow
from factory.store.words import searchable
from tests.library import a_clip, a_shot, adopted

TAGS, TAGS_A_SHOT, SHOTS_A_CLIP = 435, 12, 4
QUERIES = {
    "a & b & -c, 3 s": "tag{a} & tag{b} & -tag{c} & duration:>=3",
    "a & (b | c) & height": "tag{a} & (tag{b} | tag{c}) & height:>=720",
    "one tag": "tag{a}",
    "words & tag": '"dunes {a}" & tag{b}',
    "only a filter": "duration:>=9",
}


def main() -> None:
    shots = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as folder:
        url = sys.argv[2] if len(sys.argv) > 2 else f"sqlite:///{Path(folder) / 'bench.db'}"
        db.migrate(url)
        sessions = db.Sessions.open(url)
        began = time.perf_counter()
        fill(sessions, shots)
        print(f"{shots} shots written in {time.perf_counter() - began:.1f} s")
        print(f"{'query':24} {'p50 ms':>8} {'p95 ms':>8} {'CPU p50':>8} {'matches':>9}")
        for name, template in QUERIES.items():
            print(measure(sessions, name, template))
        sessions.close()


def fill(sessions: db.Sessions, shots: int) -> None:
    chance = random.Random(1)
    weights = 1 / np.arange(1, TAGS + 1) ** 0.9
    draws = np.random.default_rng(1)
    with sessions.write() as session:
        session.execute(sa.insert(TagRow), [{"name": f"tag{n}", "facet": "x", "zh": "", "en": ""} for n in range(TAGS)])
    with sessions.write() as session:
        ids = list(session.scalars(sa.select(TagRow.id).order_by(TagRow.id)))
        model = assets._model_id(session, "bench")
        for batch in range(0, shots, 4000):
            clips = range(batch // SHOTS_A_CLIP, min(batch + 4000, shots) // SHOTS_A_CLIP)
            session.execute(sa.insert(Asset), [clip_row(n, model) for n in clips])
            numbers = [n for clip in clips for n in range(clip * SHOTS_A_CLIP, (clip + 1) * SHOTS_A_CLIP)]
            session.execute(sa.insert(Shot), [shot_row(n, chance) for n in numbers])
            session.execute(sa.insert(ShotTag), list(tag_rows(numbers, ids, weights, draws)))
    with sessions.write() as session:
        session.execute(sa.text("ANALYZE"))


def clip_row(number: int, model: int) -> dict[str, Any]:
    clip = a_clip(a_shot(seconds=Fraction(40)), title=f"clip {number}")
    values = assets._asset_values(adopted(f"{number}"), clip, f"{number}.mp4", model)
    return {"id": number + 1, **values, "rights": "ok", "credit": "", "licence": "", "source_url": ""}


def shot_row(number: int, chance: random.Random) -> dict[str, Any]:
    start, seconds = Fraction(number % SHOTS_A_CLIP * 10), Fraction(chance.randint(5, 100), 10)
    words = f" clip {number // SHOTS_A_CLIP} dunes {number % 500} and more words that were said in this shot "
    return {
        "id": number + 1, "asset_id": number // SHOTS_A_CLIP + 1, "number": number % SHOTS_A_CLIP,
        "start": start, "end": start + seconds, "length_us": int(seconds * 1_000_000),
        "width": 1280, "height": chance.choice([480, 720, 1080]), "luma": 0.5, "sharpness": 0.5, "motion": 0.1,
        "text_area": 0.0, "loudness_db": -20.0, "quality": chance.random(), "burnt_in": "", "speech": "",
        "words": searchable(words),
    }  # fmt: skip


def tag_rows(numbers: list[int], ids: list[int], weights: Any, draws: np.random.Generator) -> Iterator[dict[str, Any]]:
    for number in numbers:
        # the largest of weighted exponentials: a draw without repeats (Efraimidis and Spirakis 2006)
        chosen = np.argpartition(draws.exponential(size=TAGS) / weights, TAGS_A_SHOT)[:TAGS_A_SHOT]
        for tag in chosen:
            confidence = float(draws.uniform(0.2, 1))
            yield {"tag_id": ids[tag], "shot_id": number + 1, "confidence": confidence, "source": "picture"}


def measure(sessions: db.Sessions, name: str, template: str) -> str:
    chance = random.Random(3)
    wall, cpu, totals = [], [], []
    for _ in range(40):
        a, b, c = chance.sample(range(60), 3)
        query = parse_query(template.format(a=a, b=b, c=c), lambda word: word if word.startswith("tag") else None)
        began, began_cpu = time.perf_counter(), time.process_time()
        with sessions.read() as session:
            totals.append(assets.find_shots(session, query).total)
        wall.append((time.perf_counter() - began) * 1000)
        cpu.append((time.process_time() - began_cpu) * 1000)
    p95 = statistics.quantiles(wall, n=20)[-1]
    return (
        f"{name:24} {statistics.median(wall):8.1f} {p95:8.1f} {statistics.median(cpu):8.1f} "
        f"{round(statistics.mean(totals)):9}"
    )


if __name__ == "__main__":
    main()

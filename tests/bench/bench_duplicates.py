"""How long near-duplicates take to find: `python -m tests.bench.bench_duplicates [shots] [database URL]`.

Figures, never asserted. Shots of 8 s whose vectors lie in clusters of 40, as shots of one camera do, so that each
look-up compares as many as it may.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from factory.store import assets, db, twins
from factory.store.schema import Asset, Shot, ShotGlances, ShotSketch
from tests.bench.bench_find import SHOTS_A_CLIP, clip_row, shot_row
from tests.library import a_shot
from understanding.glances import GLANCES_A_SECOND, HEIGHT, WIDTH, Glances, pack
from understanding.near_duplicates import compare, moves_of, sketch
from understanding.tagged import TaggedShot

SECONDS, CLUSTER, FILMS = 8, 40, 16


def main() -> None:
    shots = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    films = [film(seed) for seed in range(FILMS)]
    moves = [moves_of(one) for one in films]
    print(f"fingerprint of a shot of {SECONDS} s   {cpu_ms(lambda: moves_of(films[0])):8.1f} ms CPU")
    print(f"packed                       {len(pack(films[0])):8d} bytes")
    print(f"comparing two shots          {cpu_ms(lambda: compare(moves[0], moves[1])):8.1f} ms CPU")
    with tempfile.TemporaryDirectory() as folder:
        url = sys.argv[2] if len(sys.argv) > 2 else f"sqlite:///{Path(folder) / 'bench.db'}"
        db.migrate(url)
        sessions = db.Sessions.open(url)
        fill(sessions, shots, films)
        with sessions.write() as session:
            loaded = cpu_ms(lambda: twins._sketches(session), times=5)
            ids, sketches = twins._sketches(session)
            near = cpu_ms(lambda: twins._nearest(int(ids[7]), ids, sketches), times=5)
            whole = cpu_ms(lambda: twins.record(session, {int(ids[7]): new_shot(7, films[7 % FILMS])}), times=5)
        print(f"{shots} shots: reading all sketches {loaded:.0f} ms, nearest of one shot {near:.0f} ms CPU")
        print(f"a clip of one shot comes in, {twins.MOST_COMPARED} compared at most: {whole:.0f} ms CPU")
        sessions.close()


def cpu_ms(work: Callable[[], object], times: int = 20) -> float:
    work()
    began = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - began) / times * 1000


def film(seed: int) -> Glances:
    """Blurred noise that drifts, as a moving camera sees it."""
    draws = np.random.default_rng(seed)
    wide = draws.integers(0, 256, (HEIGHT // 3, 100)).repeat(3, 0).repeat(3, 1).astype(np.uint8)
    count = SECONDS * GLANCES_A_SECOND
    return np.stack([wide[:, 3 * k : 3 * k + WIDTH] for k in range(count)])


def vectors(numbers: NDArray[np.int64]) -> NDArray[np.float32]:
    """Unit vectors (N, 128) in clusters of CLUSTER."""
    draws = np.random.default_rng(1).normal(size=(int(numbers[-1]) // CLUSTER + 1, 128))
    made = draws[numbers // CLUSTER] + 0.3 * np.random.default_rng(int(numbers[0])).normal(size=(len(numbers), 128))
    unit: NDArray[np.float32] = (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32)
    return unit


def new_shot(number: int, glances: Glances) -> TaggedShot:
    return replace(a_shot(seconds=Fraction(SECONDS)), glances=glances, vector=vectors(np.array([number]))[0])


def fill(sessions: db.Sessions, shots: int, films: list[Glances]) -> None:
    packed = [pack(one) for one in films]
    chance = random.Random(1)
    with sessions.write() as session:
        model = assets._model_id(session, "bench")
        for batch in range(0, shots, 4000):
            numbers = np.arange(batch, min(batch + 4000, shots))
            clips = range(batch // SHOTS_A_CLIP, -(-int(numbers[-1] + 1) // SHOTS_A_CLIP))
            session.execute(sa.insert(Asset), [clip_row(n, model) for n in clips])
            session.execute(sa.insert(Shot), [shot_row(int(n), chance) for n in numbers])
            ids = [int(n) + 1 for n in numbers]
            sketches = [sketch(vector).tobytes() for vector in vectors(numbers)]
            kept = zip(ids, sketches, strict=True)
            session.execute(sa.insert(ShotSketch), [{"shot_id": n, "sketch": one} for n, one in kept])
            glances = [{"shot_id": n, "glances": packed[n % FILMS]} for n in ids]
            session.execute(sa.insert(ShotGlances), glances)


if __name__ == "__main__":
    main()

"""How well a car is kept in a narrow crop: `./run bench-track [--media FOLDER]`.

Drawn clips, whose truth is the drawing, and real ones that were boxed by hand, on 9:16 and 1:1. For each: whether the
crop fills the canvas or lies over a blur, in how many of the frames whose car is narrower than the crop nine tenths of
it are shown, the fastest move and the strongest push of the path, how long it stands still, and what looking costs.
Figures, never asserted.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from factory.plan.following import MOST_ACCELERATION, MOST_SPEED
from factory.plan.timeline import Canvas
from factory.render.tracking import default_eye
from factory.samples import draw_library
from tests.render_kit import Store
from tests.tracked import DRAWN, PORTRAIT, SQUARE, Figures, Truth, drawn_truth, measured, real_truths

HEAD = "| clip | canvas | shown as | narrow frames | nine tenths inside | speed | acceleration | still | CPU s / s |"


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--media", type=Path, default=os.environ.get("FACTORY_TEST_MEDIA"), help="the real clips")
    given = asked.parse_args()
    print(f"limits: speed {MOST_SPEED}, acceleration {MOST_ACCELERATION} of the picture's side a second (squared)")
    print(f"{HEAD}\n|{'---|' * (HEAD.count('|') - 1)}")
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder))
        eye = default_eye(store.cached)
        rows: list[tuple[str, Figures]] = []
        for truth, path in [*_drawn(Path(folder)), *_real(given.media)]:
            for canvas in (PORTRAIT, SQUARE):
                found = measured(truth, path, canvas, store.cached, eye)
                rows.append((truth.half, found))
                print(_row(truth.name, canvas, found), flush=True)
    for half in dict.fromkeys(half for half, _ in rows):
        print(_sum(half, [found for group, found in rows if group == half]))


def _drawn(folder: Path) -> Iterator[tuple[Truth, Path]]:
    for path in draw_library(folder / "drawn", only=DRAWN, height=360):
        yield drawn_truth(path.stem), path


def _real(media: Path | None) -> Iterator[tuple[Truth, Path]]:
    for truth in real_truths() if media else ():
        yield truth, Path(media or "") / truth.name


def _row(name: str, canvas: Canvas, found: Figures) -> str:
    how = "crop" if found.fills else "contain-blur" if found.found else "not tracked"
    share = f"{found.inside / found.narrow:.1%}" if found.narrow else "-"
    return (
        f"| {name} | {canvas.width}x{canvas.height} | {how} | {found.narrow} of {found.frames} | {share} "
        f"| {found.speed:.2f} | {found.acceleration:.2f} | {found.still:.0%} | {found.cpu:.2f} |"
    )


def _sum(half: str, found: Sequence[Figures]) -> str:
    narrow, inside = sum(one.narrow for one in found), sum(one.inside for one in found)
    always = [one for one in found if one.narrow == one.known]
    filled, filled_by_others = sum(one.fills for one in always), sum(one.fills for one in found if one not in always)
    looked = [one.cpu for one in found[::2]]  # the second canvas finds what the first has looked at
    return (
        f"{half}: {inside} of {narrow} narrow frames ({inside / max(narrow, 1):.1%}); of {len(always)} canvases whose "
        f"crop the car always fits {filled} are filled, of the other {len(found) - len(always)} {filled_by_others}; "
        f"{sum(not one.found for one in found)} not tracked; speed at most {max(one.speed for one in found):.2f}, "
        f"acceleration {max(one.acceleration for one in found):.2f}; {sum(looked) / len(looked):.2f} CPU s / s"
    )


if __name__ == "__main__":
    main()

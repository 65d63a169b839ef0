"""No seam: a film made of pieces looks, frame by frame across every joint, as the same film made by one plain graph."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from factory.plan.timeline import Canvas, ClipLayer, TimedScene, Timeline, Transition
from factory.render.film import render_film
from factory.render.probe import X264, Encoder
from factory.render.transitions import XFADE
from tests.render_kit import PlainCards, Store, complaints, ffmpeg, hum, lumas, ssim

CANVAS = Canvas(320, 180)
FRAMES, OVERLAP = 30, 12  # of each scene, and of the joint
STARTS = {"a": 10, "b": 25}
RAW = ("-c:v", "ffv1")
FINE = Encoder("libx264", ("-preset", "ultrafast", "-crf", "4", "-threads", "1", "-x264-params", "open-gop=0"), ())
PICTURES = {
    "a": "testsrc2=s=320x180:r=30,format=yuv420p",
    "b": "testsrc2=s=320x180:r=30,hflip,negate,format=yuv420p",
}
TAGS = "setparams=color_primaries=bt709:color_trc=bt709:colorspace=bt709:range=tv"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    store = Store(tmp_path_factory.mktemp("store"))
    for name, picture in PICTURES.items():
        store.shelf[name] = store.folder / f"{name}.mp4"
        fine = ("-frames:v", "60", "-c:v", "libx264", "-preset", "ultrafast", "-crf", "4")
        ffmpeg("-f", "lavfi", "-i", f"{picture},{TAGS}", *fine, str(store.shelf[name]))
    return store


def plain(store: Store, name: str, encoder: tuple[str, ...], out: Path) -> list[NDArray[np.uint8]]:
    """Make the film as one would by hand: both clips, one graph, one process. Our graphs share nothing with it."""
    cuts = [
        f"[{k}:v]trim=start_frame={start}:end_frame={start + FRAMES},setpts=N/30/TB,fps=30,format=yuv420p[{clip}]"
        for k, (clip, start) in enumerate(STARTS.items())
    ]
    over = (
        f"[a][b]xfade=transition={XFADE[name]}:duration={OVERLAP / 30}:offset={(FRAMES - OVERLAP) / 30},format=yuv420p"
    )
    clips = [part for clip in STARTS for part in ("-i", str(store.shelf[clip]))]
    ffmpeg(*clips, "-filter_complex", ";".join([*cuts, over]), *encoder, str(out))
    return lumas(out)


def film(store: Store, name: str, encoder: Encoder, out: Path) -> list[NDArray[np.uint8]]:
    scenes = tuple(
        TimedScene(clip, FRAMES, (ClipLayer(clip, 1, Fraction(start, 30), 0, FRAMES),), over)
        for (clip, start), over in zip(STARTS.items(), (Transition(name, OVERLAP), None), strict=True)
    )
    made = render_film(
        Timeline("x", "en-US", "x", "b", CANVAS, scenes),
        source=store.source,
        cached=store.cached,
        templates=PlainCards(),
        write_music=hum,
        out=out,
        encoder=encoder,
        jobs=2,
    )
    assert complaints(made.video) == []
    return lumas(made.video)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(XFADE) - {"crossfade"}))
def test_every_frame_across_a_joint_is_that_of_the_plain_path(name: str, store: Store, tmp_path: Path) -> None:
    pieces = film(store, name, FINE, tmp_path / "film.mp4")
    composed = plain(store, name, RAW, tmp_path / "composed.mkv")
    assert len(pieces) == len(composed) == 2 * FRAMES - OVERLAP
    assert min(ssim(ours, theirs) for ours, theirs in zip(pieces, composed, strict=True)) >= 0.99


@pytest.mark.parametrize("name", ["fade", "dissolve", "wipeleft"])
def test_pieces_lose_no_more_to_the_encoder_than_one_piece_would(name: str, store: Store, tmp_path: Path) -> None:
    pieces = film(store, name, X264, tmp_path / "film.mp4")
    whole = plain(store, name, X264.arguments(CANVAS.fps, draft=False), tmp_path / "whole.mp4")
    composed = plain(store, name, RAW, tmp_path / "composed.mkv")
    ours, usual = ([ssim(*pair) for pair in zip(kept, composed, strict=True)] for kept in (pieces, whole))
    assert min(np.subtract(ours, usual)) > -0.01, "a seam shows"
    assert np.median(ours) >= 0.99

"""Subtitle files and the poster."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from factory.plan.timeline import Canvas, Cue
from factory.render.export import srt, vtt, write_poster
from tests.render_kit import number_in, numbered_clip

CUES = (Cue(0, 45, ("One <b>&</b>",)), Cue(108_047, 108_090, ("第二句", "two lines --> here")))


def test_srt_is_numbered_and_timed_to_the_millisecond() -> None:
    assert srt(CUES, Fraction(30)) == (
        "1\n00:00:00,000 --> 00:00:01,500\nOne <b>&</b>\n\n2\n01:00:01,567 --> 01:00:03,000\n第二句\ntwo lines → here\n"
    )


def test_vtt_writes_markup_as_text() -> None:
    assert vtt(CUES, Fraction(30)) == (
        "WEBVTT\n\n00:00:00.000 --> 00:00:01.500\nOne &lt;b&gt;&amp;&lt;/b&gt;\n\n"
        "01:00:01.567 --> 01:00:03.000\n第二句\ntwo lines → here\n"
    )


def test_no_cues_give_empty_files() -> None:
    assert srt((), Fraction(30)) == ""
    assert vtt((), Fraction(30)) == "WEBVTT\n"


def test_the_poster_is_the_frame_that_was_asked_for(tmp_path: Path) -> None:
    video = numbered_clip(tmp_path / "v.mp4", frames=60)
    for frame in (0, 1, 31, 59):
        poster = tmp_path / f"poster %d {frame}.jpg"
        write_poster(video, frame, Canvas(320, 180), poster)
        with av.open(str(poster), format="jpeg_pipe") as container:
            picture = next(container.decode(video=0)).to_ndarray(format="gray")
        assert number_in(np.asarray(picture, dtype=np.uint8)) == frame

"""The encoder: pinned settings, hardware only where one real frame came out."""

from __future__ import annotations

from fractions import Fraction

import pytest

from factory.errors import WrongUsage
from factory.render.probe import HARDWARE, X264, Encoder, choose_encoder, works


def test_the_default_is_x264_with_pinned_threads_and_closed_groups() -> None:
    assert choose_encoder() is X264
    line = X264.arguments(Fraction(30_000, 1001), draft=False)
    assert line[line.index("-threads") + 1] == "1"
    assert line[line.index("-g") + 1] == "60"
    assert X264.arguments(Fraction(30), draft=True) != X264.arguments(Fraction(30), draft=False)


def test_one_real_frame_decides() -> None:
    assert works(X264)
    assert not works(Encoder("no_such_encoder", (), ()))


def test_auto_takes_what_works_here() -> None:
    chosen = choose_encoder("auto")
    assert works(chosen)
    assert chosen is X264 or chosen in HARDWARE


def test_an_unknown_encoder_is_refused_with_the_known_ones() -> None:
    with pytest.raises(WrongUsage, match="'h264_magic'") as caught:
        choose_encoder("h264_magic")
    assert "libx264" in caught.value.next_step

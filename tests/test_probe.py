"""The encoder: pinned settings, hardware only where one real frame came out."""

from __future__ import annotations

from fractions import Fraction

from factory.render.probe import HARDWARE, SOFTWARE, X264, Encoder, choose_encoder, works


def test_the_default_is_x264_with_pinned_threads_and_closed_groups() -> None:
    assert choose_encoder() is X264
    line = X264.arguments(Fraction(30_000, 1001), draft=False)
    assert line[line.index("-threads") + 1] == "1"
    assert line[line.index("-g") + 1] == "60"
    assert X264.arguments(Fraction(30), draft=True) != X264.arguments(Fraction(30), draft=False)


def test_one_real_frame_decides() -> None:
    assert works(X264)
    assert not works(Encoder("no_such_encoder", (), ()))


def test_hardware_is_taken_where_it_works_and_else_the_software_encoder() -> None:
    for codec, software in SOFTWARE.items():
        assert choose_encoder(codec) is software
        chosen = choose_encoder(codec, hardware=True)
        assert works(chosen)
        assert chosen is software or chosen in HARDWARE[codec]

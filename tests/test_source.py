"""What is read of footage before a graph is compiled: shape as displayed, colour, interlacing, sound."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from factory.render.errors import RenderFailed
from factory.render.source import Source, read_source
from tests.render_kit import ffmpeg

X264 = ("-c:v", "libx264", "-preset", "ultrafast")


def made(path: Path, source: str, *arguments: str) -> Source:
    ffmpeg("-f", "lavfi", "-i", source, "-frames:v", "10", *arguments, str(path))
    return read_source("a" * 64, path)


def test_a_plain_clip_of_high_definition(tmp_path: Path) -> None:
    source = made(tmp_path / "x.mp4", "testsrc2=s=1280x720:r=25", *X264, "-pix_fmt", "yuv420p")
    assert (source.width, source.height, source.fps, source.matrix) == (1280, 720, Fraction(25), "bt709")
    assert not any([source.hdr, source.interlaced, source.has_sound, source.raw, source.full_range])


def test_untagged_small_footage_is_taken_for_bt601(tmp_path: Path) -> None:
    assert made(tmp_path / "x.mp4", "testsrc2=s=320x180:r=25", *X264, "-pix_fmt", "yuv420p").matrix == "bt601"


def test_wide_pixels_are_made_square(tmp_path: Path) -> None:
    source = made(tmp_path / "x.mp4", "testsrc2=s=720x576:r=25,setsar=64/45", *X264)
    assert (source.width, source.height) == (1024, 576)


def test_a_turned_phone_clip_is_upright(tmp_path: Path) -> None:
    flat = tmp_path / "flat.mp4"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=1", *X264, str(flat))
    ffmpeg("-display_rotation", "90", "-i", str(flat), "-c", "copy", str(tmp_path / "turned.mp4"))
    source = read_source("a" * 64, tmp_path / "turned.mp4")
    assert (source.width, source.height) == (180, 320)


def test_interlaced_footage_is_seen(tmp_path: Path) -> None:
    graph = "testsrc2=s=320x240:r=50,interlace"
    assert made(tmp_path / "x.mp4", graph, "-c:v", "libx264", "-flags", "+ildct+ilme", "-pix_fmt", "yuv420p").interlaced


def test_high_dynamic_range_is_seen(tmp_path: Path) -> None:
    tags = "setparams=color_primaries=bt2020:color_trc=smpte2084:colorspace=bt2020nc"
    source = made(tmp_path / "x.mp4", f"testsrc2=s=320x180:r=25,format=yuv420p10le,{tags}", "-c:v", "libx265")
    assert source.hdr
    assert source.matrix == "bt2020"


def test_pictures_of_a_palette_have_no_matrix(tmp_path: Path) -> None:
    assert made(tmp_path / "x.gif", "testsrc2=s=320x180:r=10").matrix == "rgb"


def test_sound_is_seen(tmp_path: Path) -> None:
    sound = ("-f", "lavfi", "-i", "sine", "-shortest", "-c:a", "aac")
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=320x180:d=1", *sound, *X264, str(tmp_path / "x.mp4"))
    assert read_source("a" * 64, tmp_path / "x.mp4").has_sound


def test_a_stream_without_time_stamps_is_raw(tmp_path: Path) -> None:
    assert made(tmp_path / "x.h264", "testsrc2=s=320x180:r=25", *X264).raw


@pytest.mark.parametrize(("suffix", "codec"), [(".ts", "libx264"), (".mpg", "mpeg2video")])
@pytest.mark.parametrize(("group", "reach"), [("20", Fraction(20, 25)), ("500", Fraction(54, 25))])
def test_a_file_without_an_index_tells_how_far_its_key_pictures_lie_apart(
    suffix: str, codec: str, group: str, reach: Fraction, tmp_path: Path
) -> None:
    path = tmp_path / f"x{suffix}"
    picture = ("-f", "lavfi", "-i", "testsrc2=s=320x180:r=25", "-frames:v", "55")
    ffmpeg(*picture, "-c:v", codec, "-g", group, "-bf", "0", str(path))
    source = read_source("a" * 64, path)
    assert source.streamed
    assert source.reach == reach
    assert not made(tmp_path / "x.mp4", "testsrc2=s=320x180:r=25", *X264).streamed


def test_a_file_that_no_longer_opens_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "x.mp4").write_text("nothing")
    with pytest.raises(RenderFailed, match=r"abcdef012345 cannot be opened") as caught:
        read_source("abcdef0123456789", tmp_path / "x.mp4")
    assert "retire" in caught.value.next_step

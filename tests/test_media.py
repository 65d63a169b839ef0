"""Reading media: what is promised of damaged, odd and hostile files, exact times, sound in step."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from understanding import decoding
from understanding.errors import MediaRefused
from understanding.media import probe, read_frames, read_sound
from understanding.tagged import Probe

REFUSED = {
    "truncated-no-moov.mp4": "no-index",
    "zero-bytes.mp4": "empty-file",
    "text-renamed.mp4": "not-media",
    "header-ok-garbage-data.mp4": "no-frames",
    "audio-only.mp4": "no-video",
    "html-page.mp4": "not-media",
    "playlist-ssrf.mp4": "forbidden-format",
}


def _rows() -> list[dict[str, str]]:
    folder = os.environ.get("FACTORY_TEST_MEDIA")
    if not folder:
        return []
    with (Path(folder) / "broken" / "manifest.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _draw(path: Path, *, times: list[int], rate: int = 1000, size: tuple[int, int] = (64, 48), step: int = 4) -> Path:
    """Write a small video whose pictures stand at `times` (ticks of 1/rate); picture n is grey of level step n + 20."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height = size
        stream.codec_context.time_base = Fraction(1, rate)
        for place, ticks in enumerate(times):
            frame = av.VideoFrame.from_ndarray(np.full((size[1], size[0], 3), step * place + 20, np.uint8), "rgb24")
            frame.pts, frame.time_base = ticks, Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.mark.media
@pytest.mark.parametrize("row", _rows(), ids=lambda row: row["file"])
def test_damaged_files_keep_the_manifests_promise(media: Path, row: dict[str, str]) -> None:
    path = media / "broken" / row["file"]
    if row["expect"] == "refuse":
        with pytest.raises(MediaRefused) as caught:
            probe(path)
        assert caught.value.code == REFUSED[row["file"]]
        assert row["file"] in caught.value.cause
        assert caught.value.next_step
    else:
        about = probe(path)
        frames = read_frames(path, height=90).rgb
        assert about.frames > 0
        assert about.seconds > 0
        assert frames.shape[1] == 90


@pytest.fixture
def broken(media: Path) -> Path:
    return media / "broken"


@pytest.mark.media
def test_what_odd_files_are(broken: Path) -> None:
    def warnings(name: str) -> tuple[str, ...]:
        return probe(broken / name).warnings

    assert "truncated" in warnings("truncated-with-moov.mp4")
    assert "variable-frame-rate" in warnings("variable-frame-rate.mp4")
    assert "interlaced" in warnings("interlaced.mp4")
    assert "no-sound" in warnings("no-audio-track.mp4")
    assert warnings("one-frame.mp4") == ("no-sound", "short")
    assert probe(broken / "ten-bit.mp4").pixel_format == "yuv420p10le"
    assert probe(broken / "declared-duration-zero.mp4").seconds == Fraction(14, 3)
    assert probe(broken / "truncated-with-moov.mp4").frames == 74


@pytest.mark.media
def test_declared_sizes_are_not_believed(broken: Path) -> None:
    about = probe(broken / "huge-declared-size.mp4")
    assert (about.width, about.height) == (1280, 720)
    large = probe(broken / "uhd-4k-hevc-upscaled.mp4")
    assert (large.width, large.height) == (3840, 2160)


@pytest.mark.media
def test_rotated_clips_are_shown_upright(media: Path) -> None:
    about = probe(media / "public" / "neg-lamp-rotated-hevc-original.mov")
    assert (about.width, about.height, about.rotation) == (720, 1280, 90)
    frame = read_frames(media / "public" / "neg-lamp-rotated-hevc-original.mov", times=[Fraction(0)], height=128).rgb[0]
    assert frame.shape == (128, 72, 3)
    top, bottom = frame[:20, 10:40].mean(axis=(0, 1)), frame[-20:, 10:40].mean(axis=(0, 1))
    assert abs(top[0] - top[2]) < abs(bottom[0] - bottom[2])  # grey lamp above, brown table below


@pytest.mark.media
def test_streams_without_times_are_counted(media: Path) -> None:
    about = probe(media / "public" / "motorway-bend-raw-h264-stream.h264")
    assert (about.frames, about.fps, about.seconds) == (250, Fraction(25), Fraction(10))
    tiny = probe(media / "public" / "motorway-tiny-grey-48px-original.avi")
    assert (tiny.frames, tiny.seconds, tiny.codec) == (51, Fraction(17, 5), "rawvideo")


@pytest.mark.media
def test_late_sound_stays_in_step(broken: Path) -> None:
    about = probe(broken / "audio-starts-late.mp4")
    assert about.sound_start == Fraction(989, 500)
    sound = read_sound(broken / "audio-starts-late.mp4", about=about)
    assert len(sound) == -(-14 * 16000 // 3)
    assert not sound[: int(1.95 * 16000)].any()
    assert np.abs(sound[int(2.1 * 16000) :]).max() > 0.05


@pytest.mark.media
@pytest.mark.parametrize("name", ["audio-5-1.mp4", "audio-8khz-mono.mp4", "two-video-two-audio-tracks.mp4"])
def test_every_sound_becomes_mono_of_the_pictures_length(broken: Path, name: str) -> None:
    about = probe(broken / name)
    sound = read_sound(broken / name, 8000)
    assert sound.dtype == np.float32
    assert abs(len(sound) - about.seconds * 8000) < 1
    assert 0.01 < np.abs(sound).max() <= 1.0


@pytest.mark.media
def test_silent_and_soundless_are_told_apart(broken: Path) -> None:
    assert len(read_sound(broken / "no-audio-track.mp4")) == 0
    silent = read_sound(broken / "all-black-and-silent.mp4")
    assert len(silent) == 64000
    assert not silent.any()


@pytest.mark.media
def test_hostile_names_do_no_harm(media: Path, tmp_path: Path, monkeypatch: Any) -> None:
    folder = tmp_path / "hostile"
    subprocess.run([sys.executable, str(media / "hostile_names.py"), str(folder)], check=True, capture_output=True)
    monkeypatch.chdir(tmp_path)
    codes = {"link-outside.mp4": "link-refused", "link-dangling.mp4": "link-refused"}
    codes |= {"link-loop.mp4": "link-refused", "folder-named.mp4": "not-a-file"}
    names = sorted(entry.name for entry in folder.iterdir())
    assert len(names) == 25
    for name in names:
        if name in codes:
            with pytest.raises(MediaRefused) as caught:
                probe(folder / name)
            assert caught.value.code == codes[name]
            assert caught.value.cause.isprintable()
        else:
            assert probe(folder / name).frames == 57
    assert [entry.name for entry in tmp_path.iterdir()] == ["hostile"]


def test_refusals_print_as_one_line(tmp_path: Path) -> None:
    path = tmp_path / "line\nbreak \x1b[31m\u202egpm.mp4"
    path.write_text("no video")
    with pytest.raises(MediaRefused) as caught:
        probe(path)
    assert caught.value.cause.isprintable()


def test_pipes_devices_and_missing_files_are_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    for path in (tmp_path / "pipe.mp4", Path("/dev/zero"), tmp_path / "missing.mp4", tmp_path / "nul\0.mp4"):
        with pytest.raises(MediaRefused) as caught:
            probe(path)
        assert caught.value.code == "not-a-file"


@pytest.fixture
def bait(tmp_path: Path) -> Iterator[Path]:
    """A pipe that tells whether anybody opened it: writing without waiting fails as long as nobody reads."""
    path = tmp_path / "bait.ts"
    os.mkfifo(path)
    yield path
    with pytest.raises(OSError, match="No such device"):
        os.open(path, os.O_WRONLY | os.O_NONBLOCK)


@pytest.mark.parametrize(
    "text",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile://{bait}\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile '{bait}'\n",
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 9 RTP/AVP 96\n",
        "<MPD xmlns='urn:mpeg:dash:schema:mpd:2011' type='static'><Period><AdaptationSet><Representation>"
        "<BaseURL>file://{bait}</BaseURL></Representation></AdaptationSet></Period></MPD>",
    ],
    ids=["hls", "concat", "sdp", "dash"],
)
def test_lists_of_other_files_open_nothing(tmp_path: Path, bait: Path, text: str) -> None:
    path = tmp_path / "list.mp4"
    path.write_text(text.format(bait=bait))
    with pytest.raises(MediaRefused) as caught:
        decoding.probe(str(path))  # in this process on purpose: no sandbox hides what it would open
    assert caught.value.code in ("forbidden-format", "not-media")


def test_stills_are_no_videos(tmp_path: Path) -> None:
    path = tmp_path / "still.mp4"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    with pytest.raises(MediaRefused) as caught:
        probe(path)
    assert caught.value.code == "forbidden-format"


def test_pictures_past_the_limit_are_refused(tmp_path: Path, monkeypatch: Any) -> None:
    path = _draw(tmp_path / "v.mp4", times=[0, 40, 80])
    monkeypatch.setattr(decoding, "MAX_PIXELS", 64 * 48 - 1)
    with pytest.raises(MediaRefused) as caught:
        decoding.probe(str(path))
    assert caught.value.code == "too-large"


def test_times_are_exact_and_frames_are_those_shown(tmp_path: Path) -> None:
    path = _draw(tmp_path / "v.mkv", times=[0, 40, 80, 120, 400, 440, 480], step=30)
    about = probe(path)
    assert isinstance(about, Probe)
    assert (about.frames, about.seconds) == (7, Fraction(520, 1000))
    wanted = [Fraction(0), Fraction(39, 1000), Fraction(40, 1000), Fraction(399, 1000), Fraction(2)]
    frames = read_frames(path, times=wanted, height=48)
    assert frames.times == tuple(wanted)
    levels = [round((frame.mean() - 20) / 30) for frame in frames.rgb]
    assert levels == [0, 0, 1, 3, 6]


def test_frames_after_a_seek_are_the_same_as_without(tmp_path: Path) -> None:
    path = _draw(tmp_path / "v.mp4", times=list(range(0, 9000, 200)))
    late = [Fraction(61, 10), Fraction(7), Fraction(8999, 1000)]
    straight = read_frames(path, times=[Fraction(0), *late], height=48).rgb[1:]
    assert np.array_equal(read_frames(path, times=late, height=48).rgb, straight)


def test_one_frame_a_second_by_default_and_one_at_least(tmp_path: Path) -> None:
    path = _draw(tmp_path / "v.mp4", times=list(range(0, 3000, 100)))
    assert read_frames(path, height=48).times == (Fraction(1, 2), Fraction(3, 2), Fraction(5, 2))
    short = _draw(tmp_path / "short.mp4", times=[0, 40])
    assert len(read_frames(short, height=48).rgb) == 1


@pytest.mark.parametrize("wrong", [{"times": []}, {"times": [Fraction(-1)]}, {"height": 0}, {"every": Fraction(0)}])
def test_impossible_wishes_are_errors(tmp_path: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"must be|positive"):
        read_frames(tmp_path / "v.mp4", **wrong)

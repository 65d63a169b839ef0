"""The implicit label: the seven fields of the standard, true to the timeline, in every file that is made."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import av
import pytest

from factory.plan.brief import Codec
from factory.plan.timeline import Canvas, ColorLayer, TimedScene, Timeline
from factory.plan.timeline_json import to_json
from factory.render.aigc import KEY, check_written, implicit_label, read_label
from factory.render.errors import RenderFailed
from factory.render.film import render_film
from factory.render.probe import choose_encoder
from tests.render_kit import PlainCards, Store, ffmpeg, hum

WIDE, TALL, SQUARE = Canvas(96, 54), Canvas(54, 96), Canvas(64, 64)
FIELDS = ("Label", "ContentProducer", "ProduceID", "ReservedCode1", "ContentPropagator", "PropagateID", "ReservedCode2")


def program(canvas: Canvas = WIDE) -> Timeline:
    return Timeline('片 "A"', "zh-CN", "t", "b", canvas, (TimedScene("s", 6, (ColorLayer("#408060", 0, 6),)),))


def test_it_has_the_fields_of_the_standard_all_texts() -> None:
    label = json.loads(implicit_label(program(), '北风 "传媒"'))
    assert tuple(label) == FIELDS
    assert all(isinstance(value, str) for value in label.values())
    assert (label["Label"], label["ContentProducer"]) == ("1", '北风 "传媒"')


def test_its_number_is_the_digest_of_the_timeline_beside_the_video() -> None:
    label = json.loads(implicit_label(program()))
    assert label["ProduceID"] == hashlib.sha256(to_json(program()).encode()).hexdigest()
    other = json.loads(implicit_label(replace(program(), title="B")))
    assert other["ProduceID"] != label["ProduceID"]


@pytest.mark.parametrize(
    ("canvas", "draft", "codec"),
    [(WIDE, False, "h264"), (TALL, False, "h264"), (SQUARE, False, "h265"), (WIDE, False, "av1"), (WIDE, True, "h264")],
    ids=["wide", "tall", "square-h265", "av1", "draft"],
)
def test_every_file_carries_it(canvas: Canvas, draft: bool, codec: Codec, tmp_path: Path) -> None:
    store, timeline = Store(tmp_path / "store"), program(canvas)
    film = render_film(
        timeline,
        source=store.source,
        cached=store.cached,
        templates=PlainCards(),
        write_music=hum,
        out=tmp_path / "film.mp4",
        draft=draft,
        producer="Northwind Motor Desk",
        encoder=choose_encoder(codec),
    )
    with av.open(str(film.video)) as container:
        assert container.metadata[KEY] == implicit_label(timeline, "Northwind Motor Desk")
        assert container.metadata["title"] == timeline.title


def test_a_file_that_lost_it_is_refused(tmp_path: Path) -> None:
    """A remux without the flag that keeps unknown keys drops the label, silently: it is read back."""
    bare = tmp_path / "bare.mp4"
    ffmpeg("-f", "lavfi", "-i", "color=s=64x64:d=0.2", "-metadata", f"{KEY}={implicit_label(program())}", str(bare))
    assert read_label(bare) == ""
    with pytest.raises(RenderFailed, match="AIGC label is missing"):
        check_written(bare, implicit_label(program()))

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from understanding.learning.row_stream import gather
from understanding.learning.row_task import RowTask
from understanding.yt8m.examples import FrameExample, Segment, dequantise, encode_frames
from understanding.yt8m.wire import Malformed

TASK = RowTask("frame", (5, 0, 2), 8, picture=6, sound=3)
RNG = np.random.default_rng(4)
VIDEO = FrameExample(
    "v", np.array([2, 3, 5]), RNG.integers(0, 256, (12, 6), np.uint8), RNG.integers(0, 256, (12, 3), np.uint8)
)


def test_a_video_knows_every_class() -> None:
    assert TASK.states(VIDEO).tolist() == [1, 0, 1]
    assert TASK.cut(VIDEO) == (VIDEO,)


def test_segments_are_rows_from_their_start_with_what_was_rated_there() -> None:
    task = replace(TASK, level="segment")
    rated = (Segment(5, 5, 10, 1.0), Segment(0, 5, 10, 0.0), Segment(2, 10, 15, 1.0), Segment(3, 0, 5, 1.0))
    first, second = task.cut(replace(VIDEO, segments=(*rated, Segment(2, 40, 45, 1.0))))
    np.testing.assert_array_equal(first.rgb, VIDEO.rgb[5:10])
    assert (len(second.rgb), len(second.audio)) == (2, 2)  # the video ends before its segment
    assert task.states(first).tolist() == [1, 0, -1]
    assert task.states(second).tolist() == [-1, -1, 1]
    assert task.cut(VIDEO) == []


@pytest.mark.parametrize(
    ("video", "says"),
    [
        (replace(VIDEO, labels=np.array([8])), "labels 8 to 8 are not all among 8 classes"),
        (replace(VIDEO, rgb=VIDEO.rgb[:, :5]), "`rgb` are 5 wide and the net reads 6"),
        (replace(VIDEO, segments=(Segment(9, 0, 5, 1.0),)), "labels 2 to 9"),
        (replace(VIDEO, segments=(Segment(1, -3, 2, 1.0),)), "before its video"),
    ],
)
def test_a_record_that_does_not_fit_is_malformed(video: FrameExample, says: str) -> None:
    with pytest.raises(Malformed, match=says):
        TASK.parse(encode_frames(video))


def test_examples_are_padded_to_the_longest_and_dequantised_as_published() -> None:
    silent = replace(VIDEO, rgb=VIDEO.rgb[:4], audio=np.zeros((0, 0), np.uint8))
    batch = gather(TASK, [TASK.parse(encode_frames(video)) for video in (silent, VIDEO)]).batch(torch.device("cpu"))
    assert batch.picture.shape == (2, 12, 6)
    assert batch.picture_mask.sum(dim=1).tolist() == [4, 12]
    assert batch.sound_mask.sum(dim=1).tolist() == [0, 12]
    np.testing.assert_allclose(batch.picture[0, :4].numpy(), dequantise(VIDEO.rgb[:4]), atol=1e-6)
    np.testing.assert_allclose(batch.sound[1].numpy(), dequantise(VIDEO.audio), atol=1e-6)
    assert not batch.picture[0, 4:].any()
    assert not batch.sound[0].any()

"""The CNN over rows and the one over frames equal their sums written out; order matters to both."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from tests.test_temporal_parts import lived_in, rows_of
from understanding.modeling.cnn import TemporalBlock, TemporalCNN
from understanding.modeling.frame_cnn import FrameCNN3D

Floats = NDArray[np.float64]
Weights = dict[str, Floats]


def weights_of(part: torch.nn.Module) -> Weights:
    return {name: value.detach().numpy() for name, value in part.state_dict().items()}


def norm(w: Weights, name: str, x: Floats) -> Floats:
    """Batch norm by running statistics of one value a channel, x (channels,)."""
    scaled = (x - w[f"{name}.running_mean"]) / np.sqrt(w[f"{name}.running_var"] + 1e-5)
    return np.asarray(scaled * w[f"{name}.weight"] + w[f"{name}.bias"])


def plain_cnn(part: TemporalCNN, rows: Floats) -> Floats:
    """One clip (T, N): every look at every row as a loop."""
    w = weights_of(part)
    states = np.stack([w["narrow.weight"] @ row + w["narrow.bias"] for row in rows])
    for b in range(len(part.blocks)):
        answers = np.zeros_like(states)
        for t in range(len(rows)):
            seen = np.zeros(states.shape[1])
            for v, (width, step) in enumerate(((3, 1), (5, 1), (3, 4))):
                for k in range(width):
                    at = t + (k - width // 2) * step
                    if 0 <= at < len(rows):
                        seen += w[f"blocks.{b}.looks.{v}.weight"][:, :, k] @ states[at]
            answers[t] = np.maximum(norm(w, f"blocks.{b}.norm", seen), 0)
        states = states + answers
    return np.concatenate([states.max(axis=0), states.mean(axis=0)])


def test_the_rows_cnn_equals_the_plain_reference() -> None:
    part = lived_in("cnn")
    assert isinstance(part, TemporalCNN)
    rows, lengths = rows_of("cnn", 3, 11), [11, 1, 6]
    with torch.no_grad():
        answer = part(rows, torch.arange(11) < torch.tensor(lengths)[:, None]).numpy()
    expected = [plain_cnn(part, row[:length].numpy()) for row, length in zip(rows, lengths, strict=True)]
    np.testing.assert_allclose(answer, np.stack(expected), atol=1e-6)


def plain_block(w: Weights, name: str, frames: list[Floats]) -> list[Floats]:
    """Frames (C, H, W) of one clip -> (D, H/2, W/2) each, every tap as a loop."""
    kernel, over_time = w[f"{name}.space.weight"], w[f"{name}.time.weight"][:, :, :, 0, 0]
    height, width = ((side + 1) // 2 for side in frames[0].shape[1:])
    seen = [np.zeros((len(kernel), height, width)) for _ in frames]
    for t, frame in enumerate(frames):
        for y, x in np.ndindex(height, width):
            total = np.zeros(len(kernel))
            for i, j in np.ndindex(3, 3):
                row, column = 2 * y + i - 1, 2 * x + j - 1
                if 0 <= row < frame.shape[1] and 0 <= column < frame.shape[2]:
                    total += kernel[:, :, i, j] @ frame[:, row, column]
            seen[t][:, y, x] = np.maximum(norm(w, f"{name}.space_norm", total), 0)
    moved = [np.zeros_like(one) for one in seen]
    for t in range(len(seen)):
        for y, x in np.ndindex(height, width):
            near = [over_time[:, :, k] @ seen[t + k - 1][:, y, x] for k in range(3) if 0 <= t + k - 1 < len(seen)]
            moved[t][:, y, x] = np.maximum(norm(w, f"{name}.time_norm", np.sum(near, axis=0)), 0)
    return moved


def plain_frames(part: FrameCNN3D, frames: list[Floats]) -> Floats:
    w, step = weights_of(part), part.stride
    slow, fast = frames[::step], frames
    for depth in range(len(part.slow)):
        if depth:
            slow = [np.concatenate([a, b]) for a, b in zip(slow, fast[::step], strict=True)]
        slow, fast = plain_block(w, f"slow.{depth}", slow), plain_block(w, f"fast.{depth}", fast)
    pooled = [np.mean([one.mean(axis=(1, 2)) for one in path], axis=0) for path in (slow, fast)]
    return np.asarray(w["project.weight"] @ np.concatenate(pooled) + w["project.bias"])


def test_the_frames_cnn_equals_the_plain_reference() -> None:
    part = lived_in("frames")
    assert isinstance(part, FrameCNN3D)
    frames, lengths = rows_of("frames", 2, 5), [5, 2]
    with torch.no_grad():
        answer = part(frames, torch.arange(5) < torch.tensor(lengths)[:, None]).numpy()
    expected = [plain_frames(part, list(clip[:n].numpy())) for clip, n in zip(frames, lengths, strict=True)]
    np.testing.assert_allclose(answer, np.stack(expected), atol=1e-6)


@pytest.mark.parametrize("kind", ["cnn", "frames"])
def test_order_changes_the_answer(kind: str) -> None:
    part, rows, mask = lived_in(kind), rows_of(kind, 1, 6), torch.ones(1, 6, dtype=torch.bool)
    with torch.no_grad():
        assert (part(rows, mask) - part(rows.flip(1), mask)).abs().max() > 1e-3


def test_a_look_must_have_a_middle() -> None:
    with pytest.raises(ValueError, match=r"widths must be odd to look both ways alike, not \[2\]"):
        TemporalBlock(4, [(2, 1)])

"""The visible label that says a video is machine-made: where it is due, it stands over the first two seconds."""

from __future__ import annotations

from dataclasses import replace

from factory.plan.idents import AI_LABEL
from factory.plan.timeline import CardLayer, TimedScene, Timeline

LEAST_SECONDS = 2


def labelled(timeline: Timeline, *, due: bool) -> Timeline:
    """Return the timeline with the label over its first two seconds, however its storyboard was written.

    A label that stands there long enough is left as it is; one that goes sooner stays, one that is missing is added.
    Where none is due the storyboard decides alone.
    """
    if not due:
        return timeline
    left = LEAST_SECONDS * round(timeline.canvas.fps)
    scenes = list(timeline.scenes)
    for number, scene in enumerate(scenes):
        if left <= 0:
            break
        scenes[number] = _labelled(scene, min(left, scene.frames))
        left -= scene.frames - (scene.transition.frames if scene.transition else 0)
    return timeline if tuple(scenes) == timeline.scenes else replace(timeline, scenes=tuple(scenes))


def _labelled(scene: TimedScene, frames: int) -> TimedScene:
    """Return the scene with the label over its first `frames`."""
    labels = [layer for layer in scene.layers if isinstance(layer, CardLayer) and layer.card == AI_LABEL]
    if any(label.start == 0 and label.enter == 0 and label.frames - label.leave >= frames for label in labels):
        return scene
    data = labels[0].data if labels else {}
    longest = max((label.start + label.frames for label in labels), default=0)
    label = CardLayer(AI_LABEL, data, 0, max(frames, longest), "label", 0, 0)
    others = tuple(layer for layer in scene.layers if layer not in labels)
    return replace(scene, layers=(*others, label))

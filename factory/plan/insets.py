"""Pictures in pictures: from what a storyboard says to where the timeline puts them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from factory.plan.layer_parts import InsetPart
from factory.plan.timeline import Canvas, ClipLayer, Inset
from factory.plan.timing import frames_of


def inset_of(part: InsetPart, frames: int, fps: Fraction) -> Inset:
    """Return the inset of a layer of `frames` frames; it has time to fade in, and out in what is left."""
    enter = min(frames_of(part.enter, fps), frames)
    leave = min(frames_of(part.leave, fps), frames - enter)
    return Inset(part.corner, part.share, part.shape, part.box, part.frame, part.rounded, enter, leave)


def standing(clips: Sequence[ClipLayer], part: InsetPart | None, fps: Fraction) -> tuple[ClipLayer, ...]:
    """Return the shots of one layer as an inset, where it is one: the first fades in, the last out, all others cut."""
    if part is None:
        return tuple(clips)
    placed = []
    for number, clip in enumerate(clips):
        inset = inset_of(part, clip.frames, fps)
        enter, leave = inset.enter if number == 0 else 0, inset.leave if number == len(clips) - 1 else 0
        placed.append(replace(clip, inset=replace(inset, enter=enter, leave=leave)))
    return tuple(placed)


def shape_of(inset: Inset, canvas: Canvas) -> Fraction:
    """Return width / height of an inset."""
    if inset.box is None:
        across, _, down = inset.shape.partition(":")
        return Fraction(int(across), int(down))
    left, top, right, bottom = (Fraction(str(side)) for side in inset.box)
    return (right - left) / (bottom - top) * canvas.width / canvas.height

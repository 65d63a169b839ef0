"""What a brand opens and closes its videos with: a card on its ground, or a clip of its own, in whole frames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from factory.plan.timeline import CardLayer, ClipLayer, ColorLayer, Layer, TimedScene

COMES_IN = Fraction(7, 10)  # seconds in which a card is drawn
AI_LABEL = "ai_label"


@dataclass(frozen=True, slots=True)
class Ident:
    """An opening or a closing of `seconds`: `card` with `line` on a ground from colour `ground` down to `to`, or in its
    stead the clip `asset` (sha256 of its file)."""

    seconds: Fraction
    card: str = ""
    line: str = ""
    ground: str = "#000000"
    to: str = "#000000"
    asset: str = ""
    has_sound: bool = False


def between(
    intro: Ident | None, outro: Ident | None, fps: Fraction, scenes: Sequence[TimedScene], *, beat: int = 0
) -> tuple[TimedScene, ...]:
    """Return the scenes between what opens and what closes the video. Where cuts fall on beats of `beat` frames, the
    opening takes whole beats.

    The label that says that the video is machine-made belongs to its opening frames: where the first scene carries
    it, so does what comes before.
    """
    before = [_scene("brand-intro", intro, fps, beat)] if intro else []
    after = [_scene("brand-outro", outro, fps)] if outro else []
    if before and scenes:
        labels = tuple(
            replace(layer, start=0, frames=before[0].frames, enter=0, leave=0)
            for layer in scenes[0].layers
            if isinstance(layer, CardLayer) and layer.card == AI_LABEL
        )
        before = [replace(before[0], layers=(*before[0].layers, *labels))]
    return (*before, *scenes, *after)


def _scene(name: str, ident: Ident, fps: Fraction, beat: int = 0) -> TimedScene:
    frames = max(int(ident.seconds * fps), 1)
    frames -= frames % beat if 0 < beat <= frames else 0
    if ident.asset:
        sound = 0.0 if ident.has_sound else None
        return TimedScene(name, frames, (ClipLayer(ident.asset, 0, Fraction(0), 0, frames, sound_db=sound),), bare=True)
    enter = min(round(COMES_IN * fps), frames)
    card: Layer = CardLayer(ident.card, {"line": ident.line}, 0, frames, "label", enter, 0, counts=True)
    return TimedScene(name, frames, (ColorLayer(ident.ground, 0, frames, ident.to), card), still=True, bare=True)

"""How long a film is against what was asked for: for how long to ask its template next, and why it differs."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from factory.plan.storyboard import Storyboard
from factory.plan.timing import Spoken, time_scenes

NEAR = Fraction(1, 20)  # of the length asked for: near enough not to write the storyboard anew
FAR = Fraction(15, 100)  # further off than this is told, with its reason
SHORTEST, LONGEST = 10, 300  # seconds that a template may be asked for


def film_seconds(
    storyboard: Storyboard, spoken: Spoken, fps: Fraction, beat: int = 0, without: Sequence[str] = ()
) -> Fraction:
    """Return the seconds of all scenes but those in `without`, overlaps counted once; the brand's idents aside."""
    timings = [t for t in time_scenes(storyboard, spoken, fps, beat) if t.scene.id not in without]
    overlaps = sum(timing.transition for timing in timings[:-1])
    return Fraction(sum(timing.frames for timing in timings) - overlaps) / fps


def next_wish(asked: int, wished: int, seconds: Fraction) -> int | None:
    """Return for how many seconds to ask a template next, where `wished` gave a film of `seconds`; None: it is near."""
    if abs(seconds - asked) <= NEAR * asked:
        return None
    wish = min(max(round(wished + asked - seconds), SHORTEST), LONGEST)
    return wish if wish != wished else None


def length_record(asked: int, seconds: Fraction, omitted: Sequence[str]) -> dict[str, Any]:
    """Return the length asked for and what came of it as plain JSON, with the reason where they are far apart."""
    told = {"asked": asked, "seconds": round(float(seconds), 3)}
    if abs(seconds - asked) <= FAR * asked:
        return told
    if seconds > asked:
        return told | {"why": "what this kind of video has to say takes that long"}
    if omitted:
        what = "a further scene" if len(omitted) == 1 else f"{len(omitted)} further scenes"
        return told | {"why": f"the library has no shot for {what}"}
    return told | {"why": "the facts carry no more than was said and shown"}

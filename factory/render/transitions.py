"""The transitions that storyboards know, by the names of the field, and the xfade effect that draws each."""

from __future__ import annotations

import difflib

from factory.errors import WrongUsage

XFADE = {
    "fade": "fade",
    "crossfade": "fade",
    "fadeblack": "fadeblack",
    "fadewhite": "fadewhite",
    "dissolve": "dissolve",
    "wipeleft": "wipeleft",
    "wiperight": "wiperight",
    "wipeup": "wipeup",
    "wipedown": "wipedown",
    "slideleft": "slideleft",
    "slideright": "slideright",
    "slideup": "slideup",
    "slidedown": "slidedown",
    "smoothleft": "smoothleft",
    "smoothright": "smoothright",
    "circleopen": "circleopen",
    "circleclose": "circleclose",
    "radial": "radial",
    "hblur": "hblur",
}


def xfade_name(name: str) -> str:
    """Return ffmpeg's name of a transition, or refuse it, naming the nearest known one."""
    if name in XFADE:
        return XFADE[name]
    near = difflib.get_close_matches(name, XFADE, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    raise WrongUsage(f"no transition is called {name!r}", next_step=f"{hint}use one of {', '.join(XFADE)}")

"""The view that glides over a still picture, frame by frame, between its pixels.

Nothing is rounded to whole pixels: the four corners of the view are said anew for each frame as fractions, by the
layer's own frame number, so that a chunk that starts within a layer goes on where the one before it ended.
"""

from __future__ import annotations

from typing import Any

from factory.plan.timeline import Canvas
from factory.render.stills import View

MARGIN = 4  # pixels read beside a view: two for the even pixel that it is cut at, two for the interpolation


def glided(picture: Any, view: View, *, skip: int, frames: int, canvas: Canvas) -> Any:
    """Show a held picture (yuv420p, as large as `view` says) from frame `skip` of a layer of `frames` frames on."""
    if not view.glides:
        return picture
    # cut at whole even pixels what the view needs, so that the slow filter sees no more; it moves the fractions
    width, height = min(view.across + MARGIN, view.width), min(view.down + MARGIN, view.height)
    last = max(frames - 1, 1)
    cut = [_cut(view, axis, side) for axis, side in ((0, width), (1, height))]
    if (width, height) != (view.width, view.height):
        x, y = (f"{_share(f'n+{skip}', last)}+{at}" for at in cut)
        picture = picture.filter("crop", w=width, h=height, x=x, y=y)
    # the filter gives as many pixels as it gets: the view is laid on the upper left `across` x `down` of them
    ends = [(axis, far) for far in (0.0, 1.0) for axis in (0, 1)]
    share, reach = _share(f"on+{skip - 1}", last), (width / view.across, height / view.down)
    left, top, right, bottom = (f"{share}+{_at(view, axis, far * reach[axis])}-{cut[axis]}" for axis, far in ends)
    corners = {"x0": left, "y0": top, "x1": right, "y1": top, "x2": left, "y2": bottom, "x3": right, "y3": bottom}
    picture = picture.filter("perspective", **corners, interpolation="cubic", eval="frame")
    if (view.across, view.down) != (width, height):
        picture = picture.filter("crop", w=view.across, h=view.down, x=0, y=0)
    return picture.filter("scale", w=canvas.width, h=canvas.height, flags="bicubic").filter("setsar", 1)


def _share(frame: str, last: int) -> str:
    """Return the expression that keeps in register 0 how much of the time is over, and is itself 0."""
    return f"st(0,clip(({frame})/{last},0,1))*0"


def _at(view: View, axis: int, far: float) -> str:
    """Return the expression of a side of the view (`far` 0: left or top, 1: right or bottom), slow at both ends."""
    first, last = (box[axis] + (box[axis + 2] - box[axis]) * far for box in (view.first, view.last))
    return f"({first:.6f}+({last - first:.6f})*ld(0)*ld(0)*(3-2*ld(0)))"


def _cut(view: View, axis: int, side: int) -> str:
    """Return the expression of the even pixel at which `side` pixels are cut out, all within the picture."""
    most = (view.height if axis else view.width) - side
    return f"min(2*floor({_at(view, axis, 0.0)}/2),{most})" if most else "0"

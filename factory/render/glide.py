"""The view that glides over a still picture, frame by frame, between its pixels.

Nothing is rounded to whole pixels: the four corners of the view are said anew for each frame as fractions, by the
layer's own frame number, so that a chunk that starts within a layer goes on where the one before it ended.
"""

from __future__ import annotations

from typing import Any

from factory.plan.timeline import Canvas
from factory.render.stills import View


def glided(picture: Any, view: View, *, skip: int, frames: int, canvas: Canvas) -> Any:
    """Show a held picture (yuv420p, as large as `view` says) from frame `skip` of a layer of `frames` frames on."""
    if not view.glides:
        return picture
    # the filter gives as many pixels as it gets: the view is laid on the upper left `across` x `down` of them
    far = (view.width / view.across, view.height / view.down)
    left, top = (_way(view.first[k], view.last[k], skip, frames) for k in (0, 1))
    right, bottom = (_way(_end(view.first, k, far[k]), _end(view.last, k, far[k]), skip, frames) for k in (0, 1))
    corners = {"x0": left, "y0": top, "x1": right, "y1": top, "x2": left, "y2": bottom, "x3": right, "y3": bottom}
    picture = picture.filter("perspective", **corners, interpolation="cubic", eval="frame")
    if (view.across, view.down) != (view.width, view.height):
        picture = picture.filter("crop", w=view.across, h=view.down, x=0, y=0)
    return picture.filter("scale", w=canvas.width, h=canvas.height, flags="bicubic").filter("setsar", 1)


def _end(box: tuple[float, float, float, float], axis: int, far: float) -> float:
    return box[axis] + (box[axis + 2] - box[axis]) * far


def _way(first: float, last: float, skip: int, frames: int) -> str:
    """Return the expression of a coordinate: from `first` to `last`, slow at both ends."""
    if first == last:
        return f"{first:.6f}"
    share = f"clip((on+{skip - 1})/{max(frames - 1, 1)},0,1)"
    return f"st(0,{share})*0+{first:.6f}+({last - first:.6f})*ld(0)*ld(0)*(3-2*ld(0))"

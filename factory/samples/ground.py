# ruff: noqa: E501  (drawings: path data reads worse when it is broken)
"""A ground plane in perspective: a flat texture that runs towards the viewer, and where things stand on it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt

from factory.samples.stage import WIDTH, Canvas, Pixels, Stage, rasterise

FAR = 260.0  # metres shown


@dataclass(frozen=True, slots=True)
class Eye:
    """A camera over flat ground: metres above it, the horizon's y and the focal length in units. `bend` curves the road:
    metres sideways = bend * distance squared."""

    height: float = 1.3
    horizon: float = 330
    focal: float = 820
    bend: float = 0.0
    middle: float = WIDTH / 2
    aside: float = 0.0  # metres right of the road's middle

    def place(self, x: float, z: float) -> tuple[float, float, float]:
        """Screen x, y and units per metre of a point `x` metres right of the road's middle, `z` metres ahead."""
        scale = self.focal / max(z, 0.1)
        return self.middle + (x - self.aside + self.bend * z * z) * scale, self.horizon + self.height * scale, scale


@dataclass(slots=True)
class Ground:
    """The plane below the horizon. The texture is `wide` metres across and repeats every `long` metres."""

    stage: Stage
    eye: Eye
    wide: float
    long: float
    bands: list[tuple[int, int, npt.NDArray[np.int16], npt.NDArray[np.uint16], Pixels]] = field(default_factory=list)
    rows_a_metre: float = 24.0

    @classmethod
    def draw(cls, stage: Stage, eye: Eye, svg: str, *, wide: float, long: float, dots: float = 24.0) -> Ground:
        """`svg` is the plane from above in metres: x to the right over `wide`, y towards the viewer over `long`."""
        dots = dots * min(1.0, max(0.5, stage.scale))
        texture = rasterise(svg, wide, long, round(wide * dots), round(long * dots))
        ground = cls(stage, eye, wide, long, rows_a_metre=texture.shape[0] / long)
        ground._prepare(texture)
        return ground

    def _prepare(self, texture: Pixels) -> None:
        """Split the rows into bands of like shrinkage, each with a texture blurred to match."""
        scale, eye = self.stage.scale, self.eye
        first = round(eye.horizon * scale) + 1
        rows = np.arange(first, self.stage.height, dtype=np.float64)
        depth = eye.height * eye.focal * scale / np.maximum(rows - eye.horizon * scale, 0.3)
        shrink = np.clip(depth**2 / (eye.height * eye.focal * scale) * self.rows_a_metre, 1, None)
        levels = np.floor(np.log2(shrink)).clip(0, 9).astype(int)
        for level in sorted(set(levels.tolist())):
            chosen = np.flatnonzero(levels == level)
            top, bottom = first + int(chosen[0]), first + int(chosen[-1]) + 1
            maps = self._maps(depth[chosen], texture.shape)
            self.bands.append((top, bottom, *maps, self._softened(texture, level, float(depth[chosen].mean()))))

    def _maps(
        self, depth: npt.NDArray[np.float64], shape: tuple[int, ...]
    ) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.uint16]]:
        scale, eye = self.stage.scale, self.eye
        columns = np.arange(self.stage.width, dtype=np.float64)
        sight = (columns[None, :] - eye.middle * scale) * depth[:, None] / (eye.focal * scale)
        across = sight + eye.aside - eye.bend * depth[:, None] ** 2
        u = np.clip((across / self.wide + 0.5) * shape[1], 0, shape[1] - 1)
        v = np.broadcast_to(((-depth) % self.long)[:, None] * self.rows_a_metre, u.shape)
        return cv2.convertMaps(u.astype(np.float32), v.astype(np.float32), cv2.CV_16SC2)  # type: ignore[return-value]  # OpenCV types its maps as any array

    def _softened(self, texture: Pixels, level: int, depth: float) -> Pixels:
        tall = 2**level
        across = max(1, round(depth / (self.eye.focal * self.stage.scale) * texture.shape[1] / self.wide))
        twice = np.concatenate([texture, texture, texture], axis=0)
        soft = cv2.blur(twice, (across, min(tall, texture.shape[0])))
        rows = texture.shape[0]
        return np.ascontiguousarray(np.asarray(soft, dtype=np.uint8)[rows // 2 : rows // 2 + 2 * rows + 2])

    def paint(self, canvas: Canvas, travelled: float) -> None:
        """`travelled` metres have been driven."""
        for top, bottom, first, second, texture in self.bands:
            rows = (texture.shape[0] - 2) // 2
            start = (-(rows // 2) - round(travelled * self.rows_a_metre)) % rows
            window = texture[start : start + rows + 1]
            seen = cv2.remap(window, first, second, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            canvas.pixels[top:bottom] = seen


def repeats(
    travelled: float, gap: float, *, start: float = 0, far: float = FAR, near: float = 1.5
) -> list[tuple[int, float]]:
    """Things that stand every `gap` metres: (number, metres ahead), farthest first."""
    first = math.ceil((travelled + near - start) / gap)
    last = math.floor((travelled + far - start) / gap)
    return [(n, start + n * gap - travelled) for n in range(last, first - 1, -1)]

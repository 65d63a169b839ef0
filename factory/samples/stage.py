# ruff: noqa: E501, PLR0917  (drawings: path data reads worse when it is broken)
"""A small compositor: premultiplied RGBA sprites laid over one frame, everything in units of a 1280x720 picture.

Sprites are drawn once (SVG through resvg) and moved, turned and scaled per frame with OpenCV. Rows of a frame are
contiguous `(height, width, 4)` uint8, alpha always 255, ready for a raw video pipe.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt
import resvg_py

from factory.samples.lettering import font_file

Pixels = npt.NDArray[np.uint8]
WIDTH = 1280
HEIGHT = 720
MIP_BELOW = 0.6


@dataclass(slots=True)
class Sprite:
    """A picture with an anchor, both in pixels; `halves` holds smaller copies for clean shrinking."""

    pixels: Pixels
    anchor: tuple[float, float] = (0.0, 0.0)
    halves: list[Sprite] = field(default_factory=list)
    mirrors: list[Sprite] = field(default_factory=list)
    solid: bool = False  # covers all of its rectangle

    def half(self) -> Sprite:
        if not self.halves:
            height, width = self.pixels.shape[:2]
            size = (max(1, width // 2), max(1, height // 2))
            small = cv2.resize(self.pixels, size, interpolation=cv2.INTER_AREA)
            anchor = (self.anchor[0] * size[0] / width, self.anchor[1] * size[1] / height)
            self.halves.append(Sprite(np.asarray(small, dtype=np.uint8), anchor))
        return self.halves[0]

    def mirrored(self) -> Sprite:
        if not self.mirrors:
            width = self.pixels.shape[1]
            self.mirrors.append(
                Sprite(np.ascontiguousarray(self.pixels[:, ::-1]), (width - self.anchor[0], self.anchor[1]))
            )
        return self.mirrors[0]

    def blurred(self, radius: float) -> Sprite:
        blurred = cv2.GaussianBlur(self.pixels, (0, 0), max(radius, 0.1))
        return Sprite(np.asarray(blurred, dtype=np.uint8), self.anchor)

    def smeared(self, length: int) -> Sprite:
        """Blur along x only, as a moving camera does."""
        smeared = cv2.blur(self.pixels, (max(1, length), 1))
        return Sprite(np.asarray(smeared, dtype=np.uint8), self.anchor)

    def faded(self, gain: float) -> Sprite:
        return Sprite(np.asarray(cv2.convertScaleAbs(self.pixels, alpha=gain), dtype=np.uint8), self.anchor)


@dataclass(frozen=True, slots=True)
class Stage:
    """The size that a film is drawn at. `scale` is pixels per unit; the height decides, the picture is 16:9."""

    height: int = HEIGHT

    @property
    def scale(self) -> float:
        return self.height / HEIGHT

    @property
    def width(self) -> int:
        return round(WIDTH * self.scale / 2) * 2

    def draw(
        self, svg: str, width: float, height: float, *, anchor: tuple[float, float] = (0, 0), zoom: float = 1
    ) -> Sprite:
        """Draw SVG content whose viewBox is `0 0 width height` units; `anchor` in units, `zoom` > 1 for closer looks."""
        scale = self.scale * zoom
        pixels = rasterise(svg, width, height, max(1, round(width * scale)), max(1, round(height * scale)))
        return Sprite(pixels, (anchor[0] * scale, anchor[1] * scale), solid=bool(pixels[..., 3].min() == 255))

    def band(self, svg: str, width: float, height: float, *, smear: float = 0) -> Band:
        """Draw a strip whose content must meet itself at x = 0 and x = width; `smear` blurs it along x, in units."""
        pixels = rasterise(svg, width, height, round(width * self.scale), round(height * self.scale))
        if smear * self.scale >= 1.5:
            pad = round(smear * self.scale)
            wide = np.concatenate([pixels[:, -pad:], pixels, pixels[:, :pad]], axis=1)
            pixels = np.asarray(cv2.blur(wide, (pad, 1)), dtype=np.uint8)[:, pad : pad + pixels.shape[1]]
        columns = pixels.shape[1]
        repeats = 1 + math.ceil((self.width + 2) / columns)
        long = np.ascontiguousarray(np.tile(pixels, (1, repeats, 1))[:, : columns + self.width + 2])
        holes = np.flatnonzero(pixels[..., 3].min(axis=1) < 255)
        return Band(long, columns, smear >= 6, int(holes[-1]) + 1 if len(holes) else 0)

    def canvas(self) -> Canvas:
        frame = np.zeros((self.height, self.width, 4), dtype=np.uint8)
        frame[..., 3] = 255
        return Canvas(self, frame)


@dataclass(frozen=True, slots=True)
class Band:
    """An endless strip: `columns` pixels that repeat, stored with one more frame width of themselves behind."""

    pixels: Pixels
    columns: int
    fast: bool = False  # blurred by its own speed: whole pixels will do
    solid_from: int = 0  # the row below which it covers everything


def rasterise(svg: str, width: float, height: float, columns: int, rows: int) -> Pixels:
    """Return premultiplied RGBA pixels of SVG content in a `0 0 width height` viewBox."""
    document = (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="{columns}" '
        f'height="{rows}" viewBox="0 0 {width} {height}" preserveAspectRatio="none">{svg}</svg>'
    )
    fonts = [str(font_file())] if "<text" in svg else []
    png = resvg_py.svg_to_bytes(svg_string=document, font_files=fonts, skip_system_fonts=True)
    decoded = np.asarray(cv2.imdecode(np.frombuffer(bytes(png), dtype=np.uint8), cv2.IMREAD_UNCHANGED))
    straight = (
        cv2.cvtColor(decoded, cv2.COLOR_BGRA2RGBA)
        if decoded.shape[2] == 4
        else cv2.cvtColor(decoded, cv2.COLOR_BGR2RGBA)
    )
    return premultiplied(np.asarray(straight, dtype=np.uint8))


def premultiplied(straight: Pixels) -> Pixels:
    alpha = straight[..., 3]
    cover = cv2.merge([alpha, alpha, alpha, np.full_like(alpha, 255)])
    return np.asarray(cv2.multiply(straight, cover, scale=1 / 255), dtype=np.uint8)


def gradient(stage: Stage, stops: list[tuple[float, str]], height: float = HEIGHT) -> Sprite:
    """A vertical gradient over the full width; `stops` are (y in units, #rrggbb)."""
    rows = np.arange(round(height * stage.scale)) / stage.scale
    colours = np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for _, c in stops], dtype=np.float64)
    places = [y for y, _ in stops]
    column = np.stack([np.interp(rows, places, colours[:, i]) for i in range(3)] + [np.full(len(rows), 255.0)], axis=1)
    dither = np.random.default_rng(5).uniform(-0.5, 0.5, (len(rows), stage.width, 1))
    return Sprite(np.clip(column[:, None, :] + dither, 0, 255).round().astype(np.uint8))


@dataclass(slots=True)
class Canvas:
    """One frame being composed. Positions are units; `pixels` is the frame."""

    stage: Stage
    pixels: Pixels

    def lay(self, background: Sprite) -> None:
        """Start from an opaque picture of the frame's size."""
        rows = min(self.pixels.shape[0], background.pixels.shape[0])
        self.pixels[:rows] = background.pixels[:rows, : self.pixels.shape[1]]

    def put(
        self,
        sprite: Sprite,
        x: float,
        y: float,
        *,
        angle: float = 0,
        scale: float = 1,
        stretch: float = 1,
        gain: float = 1,
    ) -> None:
        """Lay a sprite with its anchor at (x, y); angle in degrees clockwise; stretch scales x only; gain fades it."""
        piece = self._moved(sprite, x, y, angle, scale, stretch)
        if piece is not None:
            left, top, moved = piece
            if sprite.solid and gain >= 1 and np.shares_memory(moved, sprite.pixels):
                self.pixels[top : top + moved.shape[0], left : left + moved.shape[1]] = moved
                return
            if gain < 1:
                moved = np.asarray(cv2.convertScaleAbs(moved, alpha=max(gain, 0)), dtype=np.uint8)
            self._over(left, top, moved)

    def glow(
        self,
        sprite: Sprite,
        x: float,
        y: float,
        *,
        gain: float = 1,
        scale: float = 1,
        angle: float = 0,
        stretch: float = 1,
    ) -> None:
        """Add light: a sprite's colour on top of what is there."""
        piece = self._moved(sprite, x, y, angle, scale, stretch)
        if piece is None or gain <= 0:
            return
        left, top, moved = piece
        rows, columns = moved.shape[:2]
        region = self.pixels[top : top + rows, left : left + columns]
        lit = cv2.convertScaleAbs(moved, alpha=gain)
        cv2.add(region, lit, dst=region)
        region[..., 3] = 255

    def scroll(self, band: Band, offset: float, y: float, *, gain: float = 1) -> None:
        """Lay an endless band; `offset` units of it have passed to the left."""
        passed = (offset * self.stage.scale) % band.columns
        start, width = math.floor(passed), self.pixels.shape[1]
        window = band.pixels[:, start : start + width]
        part = passed - start
        if part > 0.06 and not band.fast:
            window = np.asarray(
                cv2.addWeighted(window, 1 - part, band.pixels[:, start + 1 : start + 1 + width], part, 0),
                dtype=np.uint8,
            )
        top = round(y * self.stage.scale)
        if gain < 1:
            self.put(Sprite(window), 0, top / self.stage.scale, gain=gain)
            return
        self._paste(window[: band.solid_from], top, solid=False)
        self._paste(window[band.solid_from :], top + band.solid_from, solid=True)

    def _paste(self, window: Pixels, top: int, *, solid: bool) -> None:
        """Lay full-width rows at a pixel row."""
        rows = self.pixels.shape[0]
        part = window[max(0, -top) : max(0, rows - top)]
        if not part.size:
            return
        top = max(top, 0)
        if solid:
            self.pixels[top : top + len(part)] = part
        else:
            self._over(0, top, part)

    def kept(self) -> Sprite:
        """The frame as it is, as a background."""
        return Sprite(self.pixels.copy(), solid=True)

    def camera(self, zoom: float = 1, x: float = WIDTH / 2, y: float = HEIGHT / 2, roll: float = 0) -> None:
        """Look closer: (x, y) is the point that stays in the middle of the picture as far as the picture reaches."""
        half_w, half_h = WIDTH / 2 / zoom, HEIGHT / 2 / zoom
        x = min(max(x, half_w), WIDTH - half_w)
        y = min(max(y, half_h), HEIGHT - half_h)
        matrix = cv2.getRotationMatrix2D((x * self.stage.scale, y * self.stage.scale), roll, zoom)
        matrix[0, 2] += (WIDTH / 2 - x) * self.stage.scale
        matrix[1, 2] += (HEIGHT / 2 - y) * self.stage.scale
        rows, columns = self.pixels.shape[:2]
        seen = cv2.warpAffine(
            self.pixels, matrix, (columns, rows), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        self.pixels = np.asarray(seen, dtype=np.uint8)

    def _moved(
        self, sprite: Sprite, x: float, y: float, angle: float, scale: float, stretch: float
    ) -> tuple[int, int, Pixels] | None:
        """Return (left, top, pixels) of the part that falls on the frame, or None."""
        while scale < MIP_BELOW and min(sprite.pixels.shape[:2]) > 4:
            height = sprite.pixels.shape[0]
            sprite = sprite.half()
            scale *= height / sprite.pixels.shape[0]
        px, py = x * self.stage.scale, y * self.stage.scale
        matrix = _matrix(sprite.anchor, px, py, angle, scale, stretch)
        left, top, right, bottom = _bounds(sprite.pixels, matrix)
        left, top = max(left, 0), max(top, 0)
        right, bottom = min(right, self.pixels.shape[1]), min(bottom, self.pixels.shape[0])
        if right <= left or bottom <= top:
            return None
        if angle == 0 and scale == 1 and stretch == 1 and _is_whole(matrix):
            return self._copied(sprite, round(matrix[0, 2]), round(matrix[1, 2]))
        matrix[0, 2] -= left
        matrix[1, 2] -= top
        moved = cv2.warpAffine(
            sprite.pixels, matrix, (right - left, bottom - top), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT
        )
        return left, top, np.asarray(moved, dtype=np.uint8)

    def _copied(self, sprite: Sprite, x: int, y: int) -> tuple[int, int, Pixels] | None:
        """The part of a sprite on whole pixels that falls on the frame, without a copy."""
        left, top = max(x, 0), max(y, 0)
        part = sprite.pixels[top - y : self.pixels.shape[0] - y, left - x : self.pixels.shape[1] - x]
        return (left, top, part) if part.size else None

    def cover(self, piece: Pixels, through: Pixels) -> None:
        """Lay a piece of the frame's own size whose `clear` is known."""
        cv2.multiply(self.pixels, through, dst=self.pixels, scale=1 / 255)
        cv2.add(self.pixels, piece, dst=self.pixels)

    def _over(self, left: int, top: int, piece: Pixels) -> None:
        rows, columns = piece.shape[:2]
        region = self.pixels[top : top + rows, left : left + columns]
        cv2.multiply(region, clear(piece), dst=region, scale=1 / 255)
        cv2.add(region, piece, dst=region)


def _matrix(
    anchor: tuple[float, float], x: float, y: float, angle: float, scale: float, stretch: float
) -> npt.NDArray[np.float64]:
    turn = math.radians(angle)
    cos, sin = math.cos(turn) * scale, math.sin(turn) * scale
    ax, ay = anchor[0] * stretch, anchor[1]
    return np.array(
        [[cos * stretch, -sin, x - cos * ax + sin * ay], [sin * stretch, cos, y - sin * ax - cos * ay]],
        dtype=np.float64,
    )


def _bounds(pixels: Pixels, matrix: npt.NDArray[np.float64]) -> tuple[int, int, int, int]:
    height, width = pixels.shape[:2]
    (a, b, x), (c, d, y) = matrix.tolist()
    across, down = (0.0, a * width), (0.0, c * width)
    aside, deep = (0.0, b * height), (0.0, d * height)
    left, right = x + min(across) + min(aside), x + max(across) + max(aside)
    top, bottom = y + min(down) + min(deep), y + max(down) + max(deep)
    return math.floor(left), math.floor(top), math.ceil(right) + 1, math.ceil(bottom) + 1


def clear(piece: Pixels) -> Pixels:
    """How much of what lies below shows through, the same in all four channels."""
    through = (~piece.view("<u4")) >> 24
    through *= 0x01010101
    return through.view(np.uint8)


def _is_whole(matrix: npt.NDArray[np.float64]) -> bool:
    """Whether a plain shift lands on whole pixels."""
    x, y = matrix[0, 2], matrix[1, 2]
    return bool(abs(x - round(x)) < 0.04 and abs(y - round(y)) < 0.04)

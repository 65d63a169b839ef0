"""Small pictures of each shot, made when they are first looked at: its middle, and moments of it side by side."""

from __future__ import annotations

import threading
from fractions import Fraction
from pathlib import Path

from PIL import Image, ImageOps

from factory.plan.selection import Candidate
from factory.store.assets import load_shots
from factory.store.db import Sessions
from factory.store.files import Files
from understanding import media

LINES = 270  # height of a thumbnail in pixels
QUALITY = 82  # of the JPEG
MOMENTS = 8  # in a strip; the page divides it by as many
CELL = (320, 180)  # of a strip; footage of another shape stands in bars
AT_ONCE = 2  # decoders: a page asks for dozens of pictures at the same moment


class Thumbs:
    """JPEGs of shots, cached by the clip's content and the times. Raise UnknownShot, FileMissing or MediaRefused."""

    def __init__(self, sessions: Sessions, files: Files) -> None:
        self._sessions = sessions
        self._files = files
        self._turn = threading.BoundedSemaphore(AT_ONCE)

    def middle(self, shot: int) -> Path:
        """Return the picture of the middle of this shot."""
        found, clip = self._find(shot)
        middle = (found.start + found.end) / 2

        def draw(target: Path) -> None:
            (picture,) = self._pictures(clip, [middle], LINES)
            picture.save(target, "JPEG", quality=QUALITY)

        return self._files.cached(f"thumb 1 {found.asset} {middle} {LINES} {QUALITY}", ".jpg", draw)

    def strip(self, shot: int) -> Path:
        """Return `MOMENTS` pictures of this shot in one row, evenly spaced from its start to its end."""
        found, clip = self._find(shot)
        step = (found.end - found.start) / MOMENTS
        times = [found.start + step * number + step / 2 for number in range(MOMENTS)]

        def draw(target: Path) -> None:
            row = Image.new("RGB", (CELL[0] * MOMENTS, CELL[1]))
            for number, picture in enumerate(self._pictures(clip, times, CELL[1])):
                row.paste(ImageOps.pad(picture, CELL), (CELL[0] * number, 0))
            row.save(target, "JPEG", quality=QUALITY)

        return self._files.cached(f"strip 1 {found.asset} {times[0]} {step} {CELL} {QUALITY}", ".jpg", draw)

    def _find(self, shot: int) -> tuple[Candidate, Path]:
        with self._sessions.read() as session:
            (found,) = load_shots(session, [shot])
        return found, self._files.path(found.asset)

    def _pictures(self, clip: Path, times: list[Fraction], lines: int) -> list[Image.Image]:
        with self._turn:
            frames = media.read_frames(clip, times=times, height=lines)
        return [Image.fromarray(rgb) for rgb in frames.rgb]

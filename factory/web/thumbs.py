"""One small picture of each shot, made when it is first looked at."""

from __future__ import annotations

import threading
from pathlib import Path

from PIL import Image

from factory.store.assets import load_shots
from factory.store.db import Sessions
from factory.store.files import Files
from understanding import media

LINES = 270  # height of a thumbnail in pixels
QUALITY = 82  # of the JPEG
AT_ONCE = 2  # decoders: a page asks for dozens of pictures at the same moment


class Thumbs:
    """JPEGs of the middle of shots, cached by the clip's content and the time."""

    def __init__(self, sessions: Sessions, files: Files) -> None:
        self._sessions = sessions
        self._files = files
        self._turn = threading.BoundedSemaphore(AT_ONCE)

    def path(self, shot: int) -> Path:
        """Return the picture of this shot. Raises UnknownShot, FileMissing or MediaRefused."""
        with self._sessions.read() as session:
            (found,) = load_shots(session, [shot])
        middle = (found.start + found.end) / 2
        clip = self._files.path(found.asset)

        def draw(target: Path) -> None:
            with self._turn:
                frames = media.read_frames(clip, times=[middle], height=LINES)
            Image.fromarray(frames.rgb[0]).save(target, "JPEG", quality=QUALITY)

        return self._files.cached(f"thumb 1 {found.asset} {middle} {LINES} {QUALITY}", ".jpg", draw)

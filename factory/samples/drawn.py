"""The drawn sample library: made on first use, kept, mended where a file is missing or changed."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2

from factory.errors import WrongUsage
from factory.samples.scene import Scene
from factory.samples.scenes import scenes
from factory.samples.stage import HEIGHT
from factory.samples.writer import write_scene

DRAWN_VERSION = "4"
"""Changes whenever a scene looks or sounds different; older libraries are then drawn anew."""
MANIFEST = "drawn.json"
PAINTERS = 2  # a painter keeps about one core busy, its ffmpeg half of another

OnProgress = Callable[[int, int, str], None]
"""(clips ready, clips in all, name of the clip just made ready)."""


@dataclass(slots=True)
class _Manifest:
    """What the folder is known to hold: file name to SHA-256, for one version and height."""

    path: Path
    height: int
    known: dict[str, str]

    @classmethod
    def read(cls, folder: Path, height: int) -> _Manifest:
        """Read the manifest; another version or height, or a damaged one, counts as empty."""
        path = folder / MANIFEST
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            current = data["version"] == DRAWN_VERSION and data["height"] == height
            known = {str(name): str(digest) for name, digest in data["clips"].items()} if current else {}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            known = {}
        return cls(path, height, known)

    def holds(self, name: str) -> bool:
        return name in self.known and _digest(self.path.parent / name) == self.known[name]

    def add(self, name: str) -> None:
        self.known[name] = _digest(self.path.parent / name)
        data = {"version": DRAWN_VERSION, "height": self.height, "clips": dict(sorted(self.known.items()))}
        fresh = self.path.with_name(f".{MANIFEST}.{os.getpid()}")
        fresh.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
        fresh.replace(self.path)


def draw_library(
    folder: Path, *, on_progress: OnProgress | None = None, only: Collection[str] | None = None, height: int = HEIGHT
) -> list[Path]:
    """Return the paths of the drawn clips in `folder`, drawing those that are missing or not as they were made.

    `only` names the stems wanted (all by default), `height` is 720 but for quick looks. Clips appear whole or not at
    all and are noted one by one, so that an interrupted call is taken up where it stopped. Raises `ClipNotDrawn`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    wanted = _wanted(only)
    manifest = _Manifest.read(folder, height)
    missing = [scene for scene in wanted if not manifest.holds(scene.file_name)]
    done = len(wanted) - len(missing)
    with _one_thread_each(), ThreadPoolExecutor(max_workers=PAINTERS) as painters:
        works = {painters.submit(write_scene, s, folder / s.file_name, height=height): s for s in missing}
        try:
            for work in as_completed(works):
                work.result()
                manifest.add(works[work].file_name)
                done += 1
                if on_progress is not None:
                    on_progress(done, len(wanted), works[work].file_name)
        finally:
            for work in works:
                work.cancel()
    return [folder / scene.file_name for scene in wanted]


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """OpenCV's own threads only get into each other's way while several painters run."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


def _wanted(only: Collection[str] | None) -> list[Scene]:
    known = {scene.stem: scene for scene in scenes()}
    strange = sorted(set(only or ()) - set(known))
    if strange:
        raise WrongUsage(f"no drawn clip is called {strange[0]}", next_step="take a stem of factory.samples.scenes()")
    return [scene for stem, scene in known.items() if only is None or stem in only]


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return ""

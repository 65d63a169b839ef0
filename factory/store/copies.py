"""What a home and a store both hold: copies here kept within a bound, and a home without a store put into one."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from factory.store.objects import Objects

log = logging.getLogger(__name__)

IN_USE: Final = 6 * 3600.0  # seconds after the last question in which a job may still want the file
SHARED: Final = ("media/[0-9a-f][0-9a-f]/*", "models/*.safetensors", "cache/[0-9a-f][0-9a-f]/*")


@dataclass(frozen=True, slots=True)
class Moved:
    """What became of a file on its way into the store."""

    name: str
    size: int
    state: Literal["copied", "known", "damaged"]


def trim(home: Path, objects: Objects, most_bytes: int) -> int:
    """Remove copies, those that nobody asked for longest first, until `most_bytes` are left; return how many went.

    What was asked for within IN_USE stays, and what the store does not have.
    """
    copies = sorted((_asked(path), path) for path in _shared(home))
    excess = sum(size for (_, size), _ in copies) - most_bytes
    removed = 0
    for (asked, size), path in copies:
        if excess <= 0 or asked > time.time() - IN_USE:
            break
        if objects.has(path.relative_to(home).as_posix()):
            path.unlink(missing_ok=True)
            excess, removed = excess - size, removed + 1
    if excess > 0:
        log.warning("copies in %s take %d bytes more than they should, and all are in use", home, excess)
    return removed


def copy_home(home: Path, objects: Objects, *, cache: bool = False) -> Iterator[Moved]:
    """Put media and checkpoints of a home into a store, with `cache` the derived files too. It can be taken up again.

    A file whose bytes are not those of its name is told as damaged and stays where it is.
    """
    for path in _shared(home):
        name = path.relative_to(home).as_posix()
        if name.startswith("cache/") and not cache:
            continue
        size = path.stat().st_size
        if objects.has(name):
            yield Moved(name, size, "known")
        elif not name.startswith("cache/") and _sha256(path) != path.stem:
            yield Moved(name, size, "damaged")
        else:
            yield Moved(name, size, "copied" if objects.create(name, path) else "known")


def _shared(home: Path) -> Iterator[Path]:
    """Yield the files that lie in a store too, those that nothing can make anew first."""
    for pattern in SHARED:
        yield from (path for path in sorted(home.glob(pattern)) if path.is_file() and not path.is_symlink())


def _asked(path: Path) -> tuple[float, int]:
    """Return when a copy was last made or asked for (seconds of the epoch), and its bytes."""
    with contextlib.suppress(FileNotFoundError):  # another sweep was faster
        told = path.stat()
        return max(told.st_mtime, told.st_atime), told.st_size
    return 0.0, 0


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

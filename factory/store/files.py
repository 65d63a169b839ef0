"""Files by content: media under their sha256, a cache under the digest of its key, published results by name.

Nothing half-written is ever visible: a file is written in `partial/` on the same file system, fsynced, renamed into its
place and its folder fsynced. What a killed process leaves in `partial/` is known by its lost lock and swept by `clean`.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import re
import secrets
import shutil
import stat
import time
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from factory.errors import FactoryError
from understanding.errors import MediaRefused, Refused

DIGEST = re.compile(r"[0-9a-f]{64}")
SUFFIX = re.compile(r"(\.[a-z0-9]{1,10}){0,2}")
BLOCK = 1 << 20
NO_ROOM = 1 << 16  # bytes: with no more than these a write fails, whatever a library says of why
FICLONE = 0x40049409  # Linux: share the blocks of another file (btrfs, xfs)


class FileMissing(FactoryError):
    code = "file-missing"


class UnsafeName(FactoryError):
    code = "unsafe-name"
    exit_code = 2


class NameTaken(FactoryError):
    code = "name-taken"


class DiskFull(FactoryError):
    code = "disk-full"


class NothingMade(FactoryError):
    code = "nothing-made"


@dataclass(frozen=True, slots=True)
class Adopted:
    """A file of the store: sha256 in hex, where it lies, bytes."""

    digest: str
    path: Path
    size: int


class Files:
    """The media, the cache and the outputs under one local folder."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.media = self.root / "media"
        self.cache = self.root / "cache"
        self.outputs = self.root / "outputs"
        self.partial = self.root / "partial"
        for folder in (self.media, self.cache, self.outputs, self.partial):
            folder.mkdir(parents=True, exist_ok=True)

    # --- content ------------------------------------------------------------------------------------------------------

    def adopt(self, path: Path) -> Adopted:
        """Copy a file into the store under the sha256 of its bytes; bytes already there are not kept twice.

        Links, folders, devices and empty files are refused (MediaRefused `link-refused`, `not-a-file`, `empty-file`).
        The copy is what was digested, whatever happens to the original meanwhile.
        """
        with _open_plain(path) as source, self.scratch() as scratch:
            copy = scratch / "copy"
            with _room_for(copy, os.fstat(source.fileno()).st_size):
                digest, size = _copy_and_digest(source, copy)
                if size == 0:
                    cause = f"{path.name!r} is empty"
                    raise MediaRefused("empty-file", cause, next_step="copy the file again from its source")
                return Adopted(digest, self._settle(copy, self._place(digest)), size)

    def put_bytes(self, data: bytes) -> Adopted:
        """Keep `data` under its sha256."""
        digest = hashlib.sha256(data).hexdigest()
        place = self._place(digest)
        if not place.exists():
            with self.scratch() as scratch, _room_for(scratch / "bytes", len(data)):
                (scratch / "bytes").write_bytes(data)
                self._settle(scratch / "bytes", place)
        return Adopted(digest, place, len(data))

    def path(self, digest: str) -> Path:
        """Return where the bytes of this sha256 lie, or raise FileMissing."""
        place = self._place(digest)
        if not place.is_file():
            raise FileMissing(
                f"the file {digest} is not in {self.media}",
                next_step="ingest the clip again, or restore the media folder from its backup",
            )
        return place

    def has(self, digest: str) -> bool:
        return self._place(digest).is_file()

    def remove(self, digest: str) -> None:
        """Remove the bytes of this sha256, which nothing names any more."""
        self._place(digest).unlink(missing_ok=True)

    def _place(self, digest: str) -> Path:
        if not DIGEST.fullmatch(digest):
            raise ValueError(f"{digest!r} is not a sha256 in lower-case hex")
        return self.media / digest[:2] / digest

    # --- cache --------------------------------------------------------------------------------------------------------

    def cached(self, key: str, suffix: str, make: Callable[[Path], None]) -> Path:
        """Return the file that `make` writes for `key`, made at most once unless two make it at the same moment.

        `key` must say everything that the file depends on. `make` gets a path (with `suffix`) that does not exist yet.
        Makers of one key do not wait for each other, since one of them may be stopped: both write, one stays, and both
        get that one.
        """
        place = self._cache_place(key, suffix)
        if not _asked_for(place):
            with self.scratch() as scratch:
                made = scratch / f"made{suffix}"
                with _room_for(made, None):
                    make(made)
                    if not made.is_file() or made.stat().st_size == 0:
                        raise NothingMade(
                            f"no file was written for cache key {key[:200]!r}", next_step="report this as a fault"
                        )
                    self._settle(made, place)
        return place

    def in_cache(self, key: str, suffix: str) -> bool:
        return self._cache_place(key, suffix).exists()

    def _cache_place(self, key: str, suffix: str) -> Path:
        if not SUFFIX.fullmatch(suffix):
            raise ValueError(f"{suffix!r} is not a file suffix")
        digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
        return self.cache / digest[:2] / f"{digest}{suffix}"

    # --- outputs ------------------------------------------------------------------------------------------------------

    def publish(self, path: Path, name: str, *, replace: bool = False) -> Path:
        """Copy a finished file to `outputs/<name>` in one visible step. `name` may have folders: `<job>/video.mp4`.

        The same bytes under the same name are already published; other bytes raise NameTaken unless `replace`.
        """
        place = self.outputs.joinpath(*checked_name(name))
        with _open_plain(path) as source, self.scratch() as scratch:
            copy = scratch / "copy"
            with _room_for(copy, os.fstat(source.fileno()).st_size):
                digest, _ = _copy_and_digest(source, copy)
                if not place.exists() or (replace and _digest(place) != digest):
                    return self._settle(copy, place, replace=replace)
            if _digest(place) != digest:
                cause = f"{place} exists with other content"
                raise NameTaken(cause, next_step="choose another name, or replace it on purpose")
        return place

    # --- unfinished files ---------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def scratch(self) -> Iterator[Path]:
        """Yield an empty folder on the store's file system; it is gone afterwards, however the block ends."""
        folder = self.partial / secrets.token_hex(8)
        folder.mkdir()
        with _lock_file(folder) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # the kernel lets go when this process ends, however it ends
            try:
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)

    def clean(self, *, min_age: float = 60.0) -> int:
        """Remove what ended processes left unfinished `min_age` seconds ago or longer; return how many folders went."""
        return sum(_sweep(folder, min_age) for folder in self.partial.iterdir())

    def _settle(self, written: Path, place: Path, *, replace: bool = False) -> Path:
        """Give a finished file its place, durably. Where the place is taken by the same content, that one stays."""
        with written.open("rb") as file:
            os.fsync(file.fileno())
        place.parent.mkdir(parents=True, exist_ok=True)
        if replace or not place.exists():
            written.replace(place)
        _fsync_folder(place.parent)
        return place


def checked_name(name: str) -> tuple[str, ...]:
    """Return the parts of a relative name, or raise UnsafeName: no absolute path, no `..`, nothing hidden."""
    parts = tuple(name.split("/"))
    if all(part == safe_name(part) for part in parts):
        return parts
    raise UnsafeName(f"{name!r} cannot be the name of an output", next_step="use letters, digits, spaces, - _ and .")


def safe_name(text: str, *, default: str = "untitled") -> str:
    """Return a file name made of `text`: letters of any script stay, what a shell or a path could trip over goes."""
    normal = unicodedata.normalize("NFC", text)
    kept = "".join(c if c.isalnum() or c in " -_.+()" else "_" for c in normal if c.isprintable())
    kept = kept.lstrip(" .-").rstrip(" .")
    while len(kept.encode("utf-8", "replace")) > 150:
        kept = kept[:-1].rstrip(" .")
    return kept or default


def _open_plain(path: Path) -> BinaryIO:
    """Open a regular file without following a link at its end and without waiting on a pipe."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise MediaRefused(
                "link-refused", f"{path.name!r} is a link", next_step="name the file that it points to"
            ) from error
        raise MediaRefused(
            "not-a-file", f"{path.name!r} cannot be opened: {error.strerror}", next_step="check the path and its rights"
        ) from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise MediaRefused("not-a-file", f"{path.name!r} is not a regular file", next_step="name a video file")
    return os.fdopen(handle, "rb")


def _copy_and_digest(source: BinaryIO, target: Path) -> tuple[str, int]:
    """Copy by sharing blocks where the file system can, else byte by byte; digest what the copy holds."""
    with target.open("xb+") as copy:
        try:
            fcntl.ioctl(copy.fileno(), FICLONE, source.fileno())
        except OSError:
            shutil.copyfileobj(source, copy, BLOCK)
        copy.flush()
        copy.seek(0)
        return hashlib.file_digest(copy, "sha256").hexdigest(), os.fstat(copy.fileno()).st_size


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextlib.contextmanager
def _room_for(path: Path, size: int | None) -> Iterator[None]:
    """Turn a full disk into an error that names the place and the bytes."""
    try:
        yield
    except (FactoryError, Refused):
        raise
    except Exception as error:
        free = shutil.disk_usage(path.parent).free
        told = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
        if not told and free > NO_ROOM:
            raise
        wanted = "more bytes" if size is None else f"{size} bytes"
        raise DiskFull(
            f"{path.parent.parent} has no room for {wanted} ({free} bytes free)",
            next_step="free space on that disk or move FACTORY_HOME to a larger one, then try again",
        ) from error


def _asked_for(place: Path) -> bool:
    """Say whether a derived file is there, and mark it as wanted now: retention goes by this."""
    try:
        os.utime(place)
    except FileNotFoundError:
        return False
    return True


def _fsync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sweep(folder: Path, min_age: float) -> bool:
    """Remove a scratch folder whose owner is gone. A young one may be about to take its lock and is left alone."""
    with contextlib.suppress(FileNotFoundError), _lock_file(folder) as lock:
        if time.time() - folder.stat().st_mtime < min_age:
            return False
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        shutil.rmtree(folder, ignore_errors=True)
        return True
    return False


@contextlib.contextmanager
def _lock_file(folder: Path) -> Iterator[int]:
    """Open the file whose lock says that the folder's owner lives."""
    lock = os.open(folder / ".alive", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        yield lock
    finally:
        os.close(lock)

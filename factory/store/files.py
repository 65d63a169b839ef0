"""Files by content: media under their sha256, a cache under the digest of its key, published results by name.

Nothing half-written is ever visible: a file is written in `partial/` on the same file system, fsynced, renamed into its
place and its folder fsynced. What a killed process leaves in `partial/` is known by its lost lock and swept by `clean`.

With a store that hosts share (`objects.py`) media, cache and checkpoints are its objects, and the folder holds copies:
what is made here is an object before it has its place here, and what is not here is fetched, once and checked.
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
import threading
import time
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from factory.errors import FactoryError
from factory.store.copies import trim
from factory.store.durable import fsync_file, fsync_folder, room_for
from factory.store.objects import ObjectDamaged, ObjectMissing, Objects
from understanding.errors import MediaRefused

DIGEST = re.compile(r"[0-9a-f]{64}")
SUFFIX = re.compile(r"(\.[a-z0-9]{1,10}){0,2}")
BLOCK = 1 << 20
MOST_COPIES = 50 * 10**9  # bytes
FICLONE = 0x40049409  # Linux: share the blocks of another file (btrfs, xfs)


class FileMissing(FactoryError):
    code = "file-missing"


class UnsafeName(FactoryError):
    code = "unsafe-name"
    exit_code = 2


class NameTaken(FactoryError):
    code = "name-taken"


class NothingMade(FactoryError):
    code = "nothing-made"


@dataclass(frozen=True, slots=True)
class Adopted:
    """A file of the store: sha256 in hex, where it lies, bytes."""

    digest: str
    path: Path
    size: int


class Files:
    """The media, the cache and the outputs under one local folder.

    With `objects` media and cache are shared, and the folder keeps at most about `most_bytes` of copies of them.
    """

    def __init__(self, root: Path, objects: Objects | None = None, *, most_bytes: int = MOST_COPIES) -> None:
        self.root = root.resolve()
        self.objects = objects
        self.media = self.root / "media"
        self.cache = self.root / "cache"
        self.models = self.root / "models"
        self.outputs = self.root / "outputs"
        self.partial = self.root / "partial"
        for folder in (self.media, self.cache, self.outputs, self.partial):
            folder.mkdir(parents=True, exist_ok=True)
        self._most_bytes = most_bytes
        self._turns = tuple(threading.Lock() for _ in range(64))  # of the threads that fetch, by name

    # --- content ------------------------------------------------------------------------------------------------------

    def adopt(self, path: Path) -> Adopted:
        """Copy a file into the store under the sha256 of its bytes; bytes already there are not kept twice.

        Links, folders, devices and empty files are refused (MediaRefused `link-refused`, `not-a-file`, `empty-file`).
        The copy is what was digested, whatever happens to the original meanwhile.
        """
        with _open_plain(path) as source, self.scratch() as scratch:
            copy = scratch / "copy"
            with room_for(self.partial, os.fstat(source.fileno()).st_size):
                digest, size = _copy_and_digest(source, copy)
                if size == 0:
                    cause = f"{path.name!r} is empty"
                    raise MediaRefused("empty-file", cause, next_step="copy the file again from its source")
                return Adopted(digest, self._keep(copy, self._place(digest)), size)

    def put_bytes(self, data: bytes) -> Adopted:
        """Keep `data` under its sha256."""
        digest = hashlib.sha256(data).hexdigest()
        place = self._place(digest)
        if self.objects is not None or not place.exists():
            with self.scratch() as scratch, room_for(self.partial, len(data)):
                (scratch / "bytes").write_bytes(data)
                self._keep(scratch / "bytes", place)
        return Adopted(digest, place, len(data))

    def path(self, digest: str) -> Path:
        """Return where the bytes of this sha256 lie, or raise FileMissing; from a store, ObjectDamaged too."""
        place = self._place(digest)
        if not self._here(place) and not self._fetched(place, digest):
            raise FileMissing(
                f"the file {digest} is not in {self.objects.where if self.objects else self.media}",
                next_step="ingest the clip again, restore media from their backup, or run `factory store copy` on "
                "a host whose home has it",
            )
        return place

    def has(self, digest: str) -> bool:
        place = self._place(digest)
        return place.is_file() or (self.objects is not None and self.objects.has(self._name(place)))

    def remove(self, digest: str) -> None:
        """Remove the bytes of this sha256, which nothing names any more. Other hosts may keep copies for a while."""
        place = self._place(digest)
        if self.objects is not None:
            self.objects.remove(self._name(place))
        place.unlink(missing_ok=True)

    def _place(self, digest: str) -> Path:
        if not DIGEST.fullmatch(digest):
            raise ValueError(f"{digest!r} is not a sha256 in lower-case hex")
        return self.media / digest[:2] / digest

    # --- checkpoints --------------------------------------------------------------------------------------------------

    def checkpoint(self, digest: str) -> Path:
        """Return where the weights of this sha256 lie, or would lie: whether they are there and intact is not said."""
        place = self.models / f"{digest}.safetensors"
        if not self._here(place):
            self._fetched(place, digest)
        return place

    def keep_checkpoint(self, made: Path) -> str:
        """Move a checkpoint from this file system to its place, for good, and return its sha256."""
        digest = _digest(made)
        self._keep(made, self.models / f"{digest}.safetensors", replace=True)
        return digest

    # --- cache --------------------------------------------------------------------------------------------------------

    def cached(self, key: str, suffix: str, make: Callable[[Path], None]) -> Path:
        """Return the file that `make` writes for `key`, made at most once unless two make it at the same moment.

        `key` must say everything that the file depends on. `make` gets a path (with `suffix`) that does not exist yet.
        Makers of one key do not wait for each other, since one of them may be stopped: both write, one stays, and both
        get that one, on every host of a store.
        """
        place = self._cache_place(key, suffix)
        if not _asked_for(place) and not self._fetched(place):
            with self.scratch() as scratch:
                made = scratch / f"made{suffix}"
                with room_for(self.partial, None):
                    make(made)
                    if not made.is_file() or made.stat().st_size == 0:
                        raise NothingMade(
                            f"no file was written for cache key {key[:200]!r}", next_step="report this as a fault"
                        )
                    if self._created(made, place) or not self._fetched(place):
                        self._settle(made, place)
        return place

    def in_cache(self, key: str, suffix: str) -> bool:
        place = self._cache_place(key, suffix)
        return place.exists() or (self.objects is not None and self.objects.has(self._name(place)))

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
            with room_for(self.partial, os.fstat(source.fileno()).st_size):
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
        """Remove what ended processes left unfinished `min_age` seconds ago or longer; return how many folders went.

        With a store the copies are kept within their bound too.
        """
        if self.objects is not None:
            trim(self.root, self.objects, self._most_bytes)
        return sum(_sweep(folder, min_age) for folder in self.partial.iterdir())

    def _settle(self, written: Path, place: Path, *, replace: bool = False) -> Path:
        """Give a finished file its place, durably. Where the place is taken by the same content, that one stays."""
        fsync_file(written)
        place.parent.mkdir(parents=True, exist_ok=True)
        if replace or not place.exists():
            written.replace(place)
        fsync_folder(place.parent)
        return place

    # --- the store that hosts share -----------------------------------------------------------------------------------

    def _keep(self, written: Path, place: Path, *, replace: bool = False) -> Path:
        """Settle content, in the store first: what lies here lies there."""
        self._created(written, place)
        return self._settle(written, place, replace=replace)

    def _created(self, written: Path, place: Path) -> bool:
        """Create the object of this place; False where another's stays."""
        return self.objects is None or self.objects.create(self._name(place), written)

    def _here(self, place: Path) -> bool:
        """Say whether a file is here; of a copy, note that it was asked for."""
        if self.objects is None:
            return place.is_file()
        try:
            os.utime(place, ns=(time.time_ns(), place.stat().st_mtime_ns))
        except FileNotFoundError:
            return False
        return True

    def _fetched(self, place: Path, digest: str = "") -> bool:
        """Copy the object of this place here, whole and checked against `digest`; False where there is none.

        Threads of this process fetch it once. Other processes are not waited for, since one may be stopped.
        """
        if self.objects is None:
            return False
        name = self._name(place)
        with self._turns[hash(name) % len(self._turns)]:
            if place.is_file():
                return True
            with self.scratch() as scratch, room_for(self.partial, None):
                try:
                    found = _write_and_digest(self.objects.blocks(name), scratch / "copy")
                except ObjectMissing:
                    return False
                if digest and found != digest:
                    raise ObjectDamaged(
                        f"{name} in {self.objects.where} holds other bytes than its name says (sha256 {found})",
                        next_step="remove that object and put it back: `factory store copy` from a home that has it, "
                        "the backup of the store, or the clip's original by `factory ingest`",
                    )
                self._settle(scratch / "copy", place)
        return True

    def _name(self, place: Path) -> str:
        return place.relative_to(self.root).as_posix()


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


def _write_and_digest(blocks: Iterable[bytes], target: Path) -> str:
    digest = hashlib.sha256()
    with target.open("xb") as file:
        for block in blocks:
            file.write(block)
            digest.update(block)
    return digest.hexdigest()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _asked_for(place: Path) -> bool:
    """Say whether a derived file is there, and mark it as wanted now: retention goes by this."""
    try:
        os.utime(place)
    except FileNotFoundError:
        return False
    return True


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

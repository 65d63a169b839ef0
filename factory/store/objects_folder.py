"""A store in a folder that hosts share, as a mounted network file system: `file:///mnt/shared/autoreel`.

An object is written under `incoming/`, fsynced, and given its name by a hard link, which fails where the name is taken.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from factory.store.durable import fsync_file, fsync_folder, room_for
from factory.store.objects import INCOMING, Listed, ObjectMissing, StoreRefused, StoreUnreachable

BLOCK = 1 << 20
RIGHTS = (errno.EACCES, errno.EPERM, errno.EROFS)


class FolderObjects:
    """Objects as files. The folder itself is never made: one that is absent is a file system that is not mounted."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.where = f"the store {root}"

    def create(self, name: str, path: Path) -> bool:
        place = self.root / name
        with self._asked(), room_for(self.root, path.stat().st_size, larger="move the store to a larger one"):
            self._make_folders(place)
            created = not place.exists() and self._link(path, place)
            fsync_folder(place.parent)  # for another's object too: nobody else may have come to it
        return created

    create_large = create

    def _link(self, path: Path, place: Path) -> bool:
        coming = self.root / INCOMING / secrets.token_hex(8)
        try:
            self._make_folders(coming)
            shutil.copyfile(path, coming)
            fsync_file(coming)
            os.link(coming, place)
        except FileExistsError:
            return False
        finally:
            coming.unlink(missing_ok=True)
        return True

    def blocks(self, name: str) -> Iterator[bytes]:
        with self._asked():
            self.root.stat()
            try:
                file = (self.root / name).open("rb")
            except FileNotFoundError as error:
                raise ObjectMissing(name) from error
            with file:
                while block := file.read(BLOCK):
                    yield block

    def has(self, name: str) -> bool:
        with self._asked():
            self.root.stat()
            return (self.root / name).is_file()

    def remove(self, name: str) -> None:
        with self._asked():
            self.root.stat()
            (self.root / name).unlink(missing_ok=True)

    def listed(self, prefix: str) -> Iterator[Listed]:
        with self._asked():
            self.root.stat()
            for path in sorted((self.root / prefix).rglob("*")):
                with contextlib.suppress(FileNotFoundError):  # removed meanwhile
                    told = path.lstat()
                    if path.is_file():
                        yield Listed(path.relative_to(self.root).as_posix(), told.st_size, told.st_mtime)

    def _make_folders(self, place: Path) -> None:
        for folder in reversed(place.parents):
            if self.root in folder.parents:
                folder.mkdir(exist_ok=True)

    @contextlib.contextmanager
    def _asked(self) -> Iterator[None]:
        """Turn what the file system says into what a person can do."""
        try:
            yield
        except OSError as error:
            if error.errno in RIGHTS:
                raise StoreRefused(
                    f"{self.where} cannot be used: {error.strerror}",
                    next_step="give this user the right to write there",
                ) from error
            raise StoreUnreachable(
                f"{self.where} does not answer: {error.strerror or error}",
                next_step="check that it is mounted here; a new store begins as an empty folder that you make",
            ) from error

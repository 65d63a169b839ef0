"""Where files lie that hosts share: objects by name, each created once, whole from the first moment, never changed.

A name is that of a file in a home: `media/<ab>/<sha256>`, `cache/<ab>/<digest><suffix>`, `models/<sha256>.safetensors`.
Of any number that create one name at once, one stays. What is on its way has a name under `incoming/`.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Protocol

from factory.errors import FactoryError, WrongUsage

INCOMING: Final = "incoming"
PATIENCE: Final = 60.0  # seconds that one request is tried again


class StoreUnreachable(FactoryError):
    """The store does not answer: whoever holds a job tries it again."""

    code = "store-unreachable"
    transient = True


class StoreRefused(FactoryError):
    """The store answers and will not: no rights, no keys, no bucket."""

    code = "store-refused"


class StoreUnusable(WrongUsage):
    code = "store-unusable"


class StoreOverwrites(FactoryError):
    """The store takes a second object of one name: of two writers, the wrong one could stay."""

    code = "store-overwrites"


class ObjectDamaged(FactoryError):
    code = "object-damaged"


class ObjectTooLarge(FactoryError):
    code = "object-too-large"


class ObjectMissing(Exception):
    """There is no object of this name."""


@dataclass(frozen=True, slots=True)
class Listed:
    """An object: its name, bytes, and when it was created (seconds of the epoch)."""

    name: str
    size: int
    created: float


class Objects(Protocol):
    """A store. Each verb raises StoreUnreachable or StoreRefused; `where` names it for people."""

    where: str

    def create(self, name: str, path: Path) -> bool:
        """Keep the bytes of a file under `name`. False where that exists: it stays as it is. Raises ObjectTooLarge."""

    def create_large(self, name: str, path: Path) -> bool:
        """As `create`, on the way that is taken for files that do not fit into one request."""

    def blocks(self, name: str) -> Iterator[bytes]:
        """Yield the bytes of an object. Raises ObjectMissing."""

    def has(self, name: str) -> bool: ...

    def remove(self, name: str) -> None:
        """Remove an object, or nothing where there is none."""

    def listed(self, prefix: str) -> Iterator[Listed]:
        """Yield the objects whose names begin with the folder `prefix`."""


def check(objects: Objects) -> str:
    """Try what the factory needs of a store with a few bytes, and return what was found. Raises StoreOverwrites too."""
    with TemporaryDirectory() as folder:
        probe = Path(folder) / "probe"
        probe.write_bytes(b"AutoReel tries this store")
        for create, way in ((objects.create, "small"), (objects.create_large, "large")):
            name = f"{INCOMING}/probe-{secrets.token_hex(8)}"
            try:
                first, second = create(name, probe), create(name, probe)
                back = b"".join(objects.blocks(name))
            except ObjectMissing as error:
                raise StoreUnreachable(
                    f"{objects.where} does not give back what it took", next_step="look at the store's own log"
                ) from error
            finally:
                objects.remove(name)
            if (first, second, back) != (True, False, probe.read_bytes()):
                raise StoreOverwrites(
                    f"{objects.where} took a second {way} object of one name, which it must refuse",
                    next_step="use a store that obeys If-None-Match, as Amazon S3 and MinIO do, or a shared folder",
                )
    return f"{objects.where}: creates an object once"

"""A store in a bucket of S3 or of a service that speaks it: `s3://bucket/prefix`, with keys from AWS_* variables.

A small object is one PUT with `If-None-Match: *`. A large one cannot be: its parts are sent to a name under
`incoming/`, and S3 copies that one within itself by a multipart copy whose completion has the condition. S3 checks the
sha256 of each request's body, which is part of its signature.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from obstore.exceptions import AlreadyExistsError, BaseError, PermissionDeniedError, UnauthenticatedError
from obstore.store import S3Store

from factory.store.objects import INCOMING, Listed, ObjectMissing, ObjectTooLarge, StoreRefused, StoreUnreachable

if TYPE_CHECKING:
    from obstore.store import S3Config

PART: Final = 8 << 20  # bytes of one request
READ: Final = 16 << 20
MOST: Final = 5 << 30  # bytes that S3 copies in one part
AT_ONCE: Final = 4  # parts on their way
STALLED: Final = timedelta(seconds=30)  # without a byte: the connection is given up
SLOWEST: Final = timedelta(seconds=120)  # of one request


class S3Objects:
    """Objects of a bucket. A request that fails is tried again for `patience` seconds."""

    def __init__(self, bucket: str, prefix: str, *, patience: float) -> None:
        self.where = f"the store s3://{bucket}/{prefix}".rstrip("/")
        config: S3Config = {"disable_bulk_delete": True}
        if "AWS_COPY_IF_NOT_EXISTS" not in os.environ:
            config["copy_if_not_exists"] = "multipart"
        self._store = S3Store(
            bucket,
            prefix=prefix or None,
            config=config,
            client_options={"allow_http": True, "read_timeout": STALLED, "timeout": SLOWEST},  # http where it is named
            retry_config={"max_retries": 100, "retry_timeout": timedelta(seconds=patience)},
        )

    def create(self, name: str, path: Path) -> bool:
        size = path.stat().st_size
        if size > PART:
            return self.create_large(name, path)
        with self._asked(name), contextlib.suppress(AlreadyExistsError):
            self._store.put(name, path.read_bytes(), mode="create")
            return True
        return False

    def create_large(self, name: str, path: Path) -> bool:
        size = path.stat().st_size
        if size > MOST:
            raise ObjectTooLarge(
                f"a file of {size} bytes is more than a store keeps as one object ({MOST})",
                next_step="cut it into parts, or encode it smaller",
            )
        if self.has(name):
            return False
        coming = f"{INCOMING}/{secrets.token_hex(8)}"
        try:
            with self._asked(name), contextlib.suppress(AlreadyExistsError):
                self._store.put(coming, path, use_multipart=True, chunk_size=PART, max_concurrency=AT_ONCE)
                self._store.copy(coming, name, overwrite=False)
                return True
            return False
        finally:
            with contextlib.suppress(BaseError, OSError):  # a cleaning takes what stays
                self._store.delete(coming)

    def blocks(self, name: str) -> Iterator[bytes]:
        at, size = 0, 1
        while at < size:
            with self._asked(name):
                got = self._store.get(name, options={"range": (at, at + READ)})
                size, block = got.meta["size"], bytes(got.bytes())
            if not block:
                raise StoreUnreachable(f"{self.where} broke off in {name}", next_step="try again")
            at += len(block)
            yield block

    def has(self, name: str) -> bool:
        try:
            with self._asked(name):
                self._store.head(name)
        except ObjectMissing:
            return False
        return True

    def remove(self, name: str) -> None:
        with self._asked(name), contextlib.suppress(FileNotFoundError):
            self._store.delete(name)

    def listed(self, prefix: str) -> Iterator[Listed]:
        with self._asked(prefix):
            for batch in self._store.list(prefix):
                for found in batch:
                    yield Listed(found["path"], found["size"], found["last_modified"].timestamp())

    @contextlib.contextmanager
    def _asked(self, name: str) -> Iterator[None]:
        """Turn what the service says into what a person can do."""
        try:
            yield
        except AlreadyExistsError:
            raise
        except FileNotFoundError as error:
            if "NoSuchBucket" not in str(error):
                raise ObjectMissing(name) from error
            raise StoreRefused(
                f"{self.where} has no such bucket", next_step="make the bucket, or mend FACTORY_STORE"
            ) from error
        except BaseError as error:
            if isinstance(error, PermissionDeniedError | UnauthenticatedError) or "403 Forbidden" in str(error):
                raise StoreRefused(
                    f"{self.where} refuses these keys: {_told(error)}",
                    next_step="check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION, and that the keys may "
                    "list, get, put and delete there",
                ) from error
            raise StoreUnreachable(
                f"{self.where} does not answer: {_told(error)}",
                next_step="check AWS_ENDPOINT_URL, AWS_REGION, that keys are set, and the network",
            ) from error


def _told(error: Exception) -> str:
    """Return the first line of what the library says, and the service's own word for it."""
    line = str(error).strip().partition("\n")[0].partition("<?xml")[0].rstrip(": ")
    code = re.search(r"<Code>(\w+)</Code>", str(error))
    return f"{line[:300]} {code[1]}" if code else line[:300]

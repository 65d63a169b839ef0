"""Sessions of a process that dies between two writes, and of one that does not wait for the disk."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from factory.store.db import Sessions


class Killed(BaseException):
    """The process ends here."""


class DyingRelay(Sessions):
    """The sessions of a relay that is killed before it writes what rang."""

    def __init__(self, sessions: Sessions) -> None:
        super().__init__(sessions.engine)
        self._writes = 0

    @contextlib.contextmanager
    def write(self) -> Iterator[Session]:
        self._writes += 1
        if self._writes > 1:
            raise Killed
        with super().write() as session:
            yield session


def hasty(sessions: Sessions) -> Sessions:
    """Let SQLite write without waiting for the disk: these tests kill no machine."""

    @sa.event.listens_for(sessions.engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA synchronous = OFF")

    return sessions

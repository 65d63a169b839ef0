"""Workers, people, relays and reapers at one ledger in random order, beside a model: `./run bench-random-orders`.

Each play is a sequence of up to 40 events (tests/ledger_machine.py), after each of which the ledger must be what the
model says. A fault ends the command with the shortest play that shows it.
"""

from __future__ import annotations

import argparse
import contextlib
import time

from factory.store.db import Sessions
from tests.bench.ledgers import DATABASES, empty_ledger
from tests.ledger_machine import run
from tests.odd_sessions import hasty


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plays", type=int, default=2000)
    parser.add_argument("--on", choices=DATABASES, nargs="+", default=DATABASES)
    given = parser.parse_args()
    for name in given.on:
        began = time.monotonic()
        with empty_ledger(name) as (url, _), contextlib.closing(Sessions.open(url)) as sessions:
            run(hasty(sessions) if name == "sqlite" else sessions, examples=given.plays)
        print(f"{name}: {given.plays} plays, no fault, {time.monotonic() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main()

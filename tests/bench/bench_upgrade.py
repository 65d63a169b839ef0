"""A batch that goes through an upgrade and back: `./run bench-upgrade [--from COMMIT]`, counts for each way."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests import servers, upgrading
from tests.upgrading import Outcome, Upgrade


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    before = upgrading.commit_before_the_newest_migration()
    parser.add_argument(
        "--from", dest="commit", default=before, help="the older code; default: before the newest migration"
    )
    given = parser.parse_args()
    binaries = servers.postgres_binaries()
    if given.commit is None or binaries is None:
        sys.exit("the history of the older code is not here: say --from" if binaries else "there is no PostgreSQL here")
    print("| database, way | revisions | ended before each | jobs: states | made once, oftener | attempts burnt |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="bench-upgrade-") as name, servers.scratch() as place:
        old, server = upgrading.unpack(given.commit, Path(name) / "old"), servers.PostgresServer(binaries, place)
        server.start()
        for way, run in upgrading.WAYS.items():
            for kind in ("sqlite", "postgresql"):
                folder = Path(name) / f"{way}-{kind}"
                folder.mkdir()
                if kind == "sqlite":
                    _print(f"{kind}, {way}", run(Upgrade(old, f"sqlite:///{folder / 'factory.db'}", folder)))
                else:
                    with servers.fresh_database(server.url) as url:
                        _print(f"{kind}, {way}", run(Upgrade(old, url, folder)))
        server.stop()


def _print(what: str, seen: Outcome) -> None:
    states = ", ".join(f"{count} {state}" for state, count in seen.states.items())
    revisions, ended = " -> ".join(map(str, seen.revisions)), ", ".join(map(str, seen.ended_before_each[1:]))
    once = f"{seen.done_once}, {seen.done_oftener}"
    print(f"| {what} | {revisions} | {ended} | {seen.jobs}: {states} | {once} | {seen.burnt} |", flush=True)


if __name__ == "__main__":
    main()

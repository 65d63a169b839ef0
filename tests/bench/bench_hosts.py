"""Two hosts, one of which is cut off in the middle of a batch and joined again: `./run bench-hosts`.

Network namespaces are the hosts, a third one holds PostgreSQL and Valkey. The stub factory works with a lease of 2 s;
with `--real` films are rendered, under the product's lease of 30 s.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests import hosts
from tests.cut_off import REAL, STUB, cut_off


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=40)
    parser.add_argument("--away", type=float, nargs="*", default=[15.0, 60.0], help="seconds without a cable")
    parser.add_argument("--real", action="store_true")
    given = parser.parse_args()
    if why := hosts.cannot():
        sys.exit(why)
    print("| away s | jobs: states | finished twice | held, made by the other | refused | back after |")
    print("|---|---|---|---|---|---|")
    for away in given.away:
        with tempfile.TemporaryDirectory(prefix="bench-hosts-") as folder:
            seen = cut_off(Path(folder), REAL if given.real else STUB, count=given.jobs, away=away)
        states = ", ".join(f"{count} {state}" for state, count in Counter(seen.states).items())
        counts = f"{seen.finished_twice} | {seen.held_when_cut}, {seen.taken_over} | {seen.refused}"
        print(f"| {away:.0f} | {len(seen.states)}: {states} | {counts} | {seen.back_after:.1f} s |", flush=True)


if __name__ == "__main__":
    main()

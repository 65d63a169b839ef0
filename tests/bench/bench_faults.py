"""Every fault of docs/faults.md, made for real, and what was counted: `./run bench-faults`.

Runs the tests with the marker `fault` in their long forms (more kills, cancels and renders than among all other tests;
`--short` leaves them as they are) and prints one line for each: how it ended, how long it took, what it counted.
"""

from __future__ import annotations

import argparse
import os
import sys

import pytest


class Table:
    """Prints a row for each test as it ends."""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" or report.outcome != "passed":
            name = report.nodeid.removeprefix("tests/").removesuffix(".py")
            counts = "; ".join(f"{what}: {count}" for what, count in report.user_properties)
            print(f"| {name} | {report.outcome} | {report.duration:.1f} | {counts} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("tests", nargs="*", default=["tests"], help="files or folders, as pytest takes them")
    given = parser.parse_args()
    if not given.short:
        os.environ["FAULTS_LONG"] = "1"
    print("| test | ended | s | counted |\n|---|---|---|---|")
    plain = ["-p", "no:terminal", "-o", "addopts=--strict-markers -p no:cacheprovider"]  # the table is all that is said
    sys.exit(pytest.main(["-m", "fault", *plain, *given.tests], plugins=[Table()]))


if __name__ == "__main__":
    main()

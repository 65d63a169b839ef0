"""How many faults in the ledger's modules its tests see: `./run bench-mutants`.

Each mutant (mutants.py) is one small fault, and a test that fails kills it (mutant_hunt.py). One that takes too long is
not killed. Those that change nothing that anybody could see stand in `equivalent_mutants.yaml`, each with the reason.

    ./run bench-mutants --module factory.store.jobs --function claim
    ./run bench-mutants --results FILE                     go on where FILE ends: what is killed there is not run again
    ./run bench-mutants --results FILE --server            what is left, on PostgreSQL too
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.bench.mutant_hunt import Found, Hunt
from tests.bench.mutants import Mutant

HERE = Path(__file__).parent
MODULES = tuple(f"factory.store.{name}" for name in ("job", "jobs", "job_lookup", "bell", "lease", "urgency", "places"))
TESTS = (
    *("test_moves", "test_jobs_kept", "test_jobs_shown", "test_bell", "test_holding", "test_urgency", "test_places"),
    *("test_jobs", "test_lease", "test_embargoes", "test_uses", "test_watch", "test_traces", "test_ledger_machine"),
)
QUICK = 1.0  # seconds


def equivalents() -> dict[tuple[str, str, str, str, int], str]:
    """Return the reason of each mutant that changes nothing, by its key."""
    listed = yaml.safe_load((HERE / "equivalent_mutants.yaml").read_text()) or {}
    return {
        (module, entry["function"], entry["before"], entry["after"], entry.get("nth", 1)): entry["why"]
        for module, entries in listed.items()
        for entry in entries
    }


class Tally:
    """What became of the mutants, told while it happens."""

    def __init__(self, results: Path | None) -> None:
        self.results = results
        self.same = equivalents()
        self.fates: dict[str, Counter[str]] = defaultdict(Counter)
        self.killed: set[tuple[Any, ...]] = set()
        for line in results.read_text().splitlines() if results and results.exists() else ():
            told = json.loads(line)
            if told["fate"] == "killed":
                self.killed.add(tuple(told["key"]))

    def is_open(self, mutant: Mutant) -> bool:
        """Is it still to be run? It is counted here where it is not."""
        known = mutant.key in self.killed
        if known or mutant.key in self.same:
            self.fates[mutant.module]["equivalent" if mutant.key in self.same else "killed"] += 1
        return not (known or mutant.key in self.same)

    def tell(self, found: Found) -> None:
        self.fates[found.mutant.module][found.fate] += 1
        if found.fate != "killed":
            print(f"{found.fate}: {found.mutant}", flush=True)
        if self.results:
            with self.results.open("a") as file:
                file.write(json.dumps({"key": found.mutant.key, "fate": found.fate, "by": found.by}) + "\n")

    def table(self) -> str:
        rows = [
            "| module | mutants | killed | survived | timed out | equivalent | score | of all |",
            "|---|" + "---|" * 7,
        ]
        total = Counter[str]()
        for module, fates in [*self.fates.items(), ("all", total)]:
            count = fates.total()
            shares = [100 * fates["killed"] / max(1, of) for of in (count - fates["equivalent"], count)]
            told = [fates[fate] for fate in ("killed", "survived", "timed out", "equivalent")]
            rows.append(
                f"| {module} | {count} | {' | '.join(map(str, told))} | {shares[0]:.1f} % | {shares[1]:.1f} % |"
            )
            total.update(fates)
        return "\n".join(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--module", action="append", choices=MODULES, help="one of the ledger; all if not given")
    parser.add_argument("--function", help="only mutants of this function or method (empty: lines of the module)")
    parser.add_argument(
        "--equivalents", action="store_true", help="run those that are listed as equivalent, and only those"
    )
    parser.add_argument(
        "--quick", action="store_true", help=f"leave out tests of more than {QUICK:.0f} s: a lower bound"
    )
    parser.add_argument("--patience", type=float, default=600.0, help="seconds after which a mutant has timed out")
    parser.add_argument("--server", action="store_true", help="PostgreSQL too: the tests that want a server")
    parser.add_argument("--results", type=Path)
    given = parser.parse_args()
    tally = Tally(given.results)

    def wanted(mutant: Mutant) -> bool:
        if given.function is not None and mutant.function != given.function:
            return False
        return mutant.key in tally.same if given.equivalents else tally.is_open(mutant)

    notes = given.results and given.results.with_suffix(".learnt")
    longest = QUICK if given.quick else 600.0
    hunt = Hunt(given.module or MODULES, wanted, tally.tell, longest=longest, patience=given.patience, notes=notes)
    began, memory = time.process_time(), Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="bench-mutants-", dir=memory if memory.is_dir() else None) as folder:
        files = [
            str(HERE.parent / f"{name}.py") for name in TESTS if not (given.quick and name == "test_ledger_machine")
        ]
        marks = "not fault" if given.server else "not fault and not server"
        options = ["-q", "--no-header", "-s", "-m", marks, f"--basetemp={folder}/t", "--hypothesis-seed=0"]
        options.append(f"--timeout={60 if given.quick else 300}")
        status = pytest.main([*options, *files], plugins=[hunt])
    print(tally.table())
    print(f"{time.process_time() - began:.0f} CPU s of this process")
    sys.exit(status)


if __name__ == "__main__":
    main()

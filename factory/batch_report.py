"""What became of a batch, for people and for other programs: figures, lines, and a table beside the videos."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from factory.batch import Outcome

REPORT = "batch.csv"
_FIELDS = tuple(field.name for field in fields(Outcome))


def figures(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return how many rows ended how, and what was made for them."""
    ended = Counter(outcome.status for outcome in outcomes)
    return {
        "rows": len(outcomes),
        "made": ended["made"],
        "reused": ended["reused"],
        "refused": ended["refused"],
        "failed": ended["failed"],
        "seconds": round(sum(outcome.seconds for outcome in outcomes), 3),
        "took": round(sum(outcome.took for outcome in outcomes), 3),
        "chunks_made": sum(outcome.chunks_made for outcome in outcomes),
        "chunks_reused": sum(outcome.chunks_reused for outcome in outcomes),
    }


def record(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return the whole report as plain data, rows in the order of the table."""
    return {**figures(outcomes), "outcomes": [asdict(outcome) for outcome in _in_order(outcomes)]}


def line(outcome: Outcome, counted: str = "line") -> str:
    """Return one row as a line that a person reads."""
    what = f"{outcome.output:<16} {outcome.template} {outcome.locale}"
    told = f"{outcome.status:<8} {counted} {outcome.line:<5} {what}".rstrip()
    if outcome.status in ("made", "reused"):
        return f"{told} {outcome.seconds:6.1f} s of video in {outcome.took:5.1f} s  {outcome.subject}".rstrip()
    where = f"column {outcome.column!r}: " if outcome.column else ""
    return f"{told} {outcome.code}: {where}{outcome.cause.rstrip('.')}. Next: {outcome.next_step}"


def write_report(outcomes: Sequence[Outcome], folder: Path) -> Path:
    """Write the report as CSV into the folder of the videos, and return where it lies. The old one stays until then."""
    text = io.StringIO(newline="")
    table = csv.writer(text)
    table.writerow(_FIELDS)
    for outcome in _in_order(outcomes):
        table.writerow([_cell(getattr(outcome, name)) for name in _FIELDS])
    place = folder / REPORT
    partial = place.with_name(f".{REPORT}.partial")
    partial.write_text(text.getvalue(), encoding="utf-8-sig", newline="")  # the mark lets spreadsheets read Chinese
    return partial.replace(place)


def _cell(value: object) -> str:
    if isinstance(value, tuple):
        return " | ".join(str(part) for part in value)
    formula = isinstance(value, str) and value.startswith(("=", "+", "-", "@"))
    return f"'{value}" if formula else str(value)  # what a table says is no formula for a spreadsheet


def _in_order(outcomes: Sequence[Outcome]) -> list[Outcome]:
    return sorted(outcomes, key=lambda outcome: outcome.line)

"""The floors of the house as a test: every import of ours runs down, never up, and the core stays pure."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOORS = ("factory.web", "factory.cli", "workers")
VERBS = (
    *("factory.ingest", "factory.produce", "factory.find", "factory.orders", "factory.demo", "factory.doctor"),
    *("factory.wiring", "factory.runner", "factory.batch", "factory.queues", "factory.retag", "factory.review"),
    *("factory.tag_report", "factory.duplicates", "factory.learning", "factory.models"),
    *("factory.picture_files", "factory.brand_idents", "factory.planning", "factory.offering", "factory.order_facts"),
    *("factory.nightly", "factory.batch_report", "factory.data_in"),
    *("factory.checking", "factory.check_fills", "factory.sample_facts", "factory.vocabularies"),
    *("factory.proofreading", "factory.storyboarding", "factory.rewording"),
    *("factory.cutting_room", "factory.packing", "factory.brief_set"),
    *("factory.new_template", "factory.preview"),
    *("factory.due", "factory.schedule", "factory.schedule_clock", "factory.slot_duties", "factory.retention"),
    *("factory.notices", "factory.notice_forms", "factory.clip_jobs", "factory.runner_child"),
    *("factory.rendering", "factory.spread", "factory.memory", "factory.fitness"),
)
HANDS = ("factory.store", "factory.render", "factory.samples")
FORBIDDEN = {
    "understanding": ("factory", "workers"),
    "factory/plan": (*DOORS, *VERBS, *HANDS, "understanding", "factory.settings"),
    "factory/store": (*DOORS, *VERBS, "factory.render", "factory.samples", "factory.settings"),
    "factory/render": (*DOORS, *VERBS, "factory.store", "factory.samples", "factory.settings"),
    "factory/web": ("workers", "factory.cli", "torch"),
    "factory": ("workers",),
    "migrations": (*DOORS, *VERBS, "factory.render"),
}


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def within(name: str, room: str) -> bool:
    return name == room or name.startswith(f"{room}.")


@pytest.mark.parametrize("folder", FORBIDDEN)
def test_imports_run_down(folder: str) -> None:
    files = sorted((ROOT / folder).rglob("*.py"))
    assert files
    upward = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in files
        for name in imports(path)
        if any(within(name, room) for room in FORBIDDEN[folder])
    ]
    assert not upward


def test_moviepy_lives_in_one_file() -> None:
    users = {path.name for path in (ROOT / "factory").rglob("*.py") if any(within(n, "moviepy") for n in imports(path))}
    assert users == {"overlays.py"}

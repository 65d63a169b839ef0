"""The ledger under workers, people, relays and reapers in any order (ledger_machine.py)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from factory.store.db import Sessions
from tests.ledger_machine import run
from tests.odd_sessions import hasty
from tests.stores import empty_store

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture
def postgresql(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Sessions]:
    with empty_store("postgresql", request, tmp_path) as sessions:
        yield sessions


def test_no_order_of_events_breaks_the_ledger(sqlite: Sessions) -> None:
    run(hasty(sqlite), examples=30)


@pytest.mark.server
def test_no_order_of_events_breaks_the_ledger_on_postgresql(postgresql: Sessions) -> None:
    run(postgresql, examples=6)

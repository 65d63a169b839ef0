"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

from tests.servers import postgres_url, redis_url
from tests.stores import migrated_postgres, migrated_sqlite, sessions, sqlite

__all__ = ["media", "migrated_postgres", "migrated_sqlite", "postgres_url", "redis_url", "sessions", "sqlite"]

# A deadline of one example would measure what else the machine does; pytest's own timeout ends what hangs.
settings.register_profile("any-machine", deadline=None)
settings.load_profile("any-machine")


@pytest.fixture(scope="session")
def media() -> Path:
    """The folder of real clips, sounds and tables; tests that want it skip where it is not named."""
    folder = os.environ.get("FACTORY_TEST_MEDIA")
    if not folder:
        pytest.skip("FACTORY_TEST_MEDIA is not set: no folder of real clips")
    return Path(folder)

"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.object_stores import bucket, store_url
from tests.servers import postgres_url, redis_url, s3_endpoint
from tests.stores import migrated_postgres, migrated_sqlite, sessions, sqlite

__all__ = [
    "bucket",
    "eye",
    "media",
    "migrated_postgres",
    "migrated_sqlite",
    "postgres_url",
    "redis_url",
    "s3_endpoint",
    "sessions",
    "sqlite",
    "store_url",
    "yt8m",
]

# A deadline of one example would measure what else the machine does; pytest's own timeout ends what hangs.
settings.register_profile("any-machine", deadline=None)
settings.load_profile("any-machine")


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """Equal sums need equal threads, and small nets are fastest with one."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def media() -> Path:
    """The folder of real clips, sounds and tables; tests that want it skip where it is not named."""
    folder = os.environ.get("FACTORY_TEST_MEDIA")
    if not folder:
        pytest.skip("FACTORY_TEST_MEDIA is not set: no folder of real clips")
    return Path(folder)


@pytest.fixture(scope="session")
def eye(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The net that sees cars, exported once for all tests that render."""
    from understanding import vehicles

    file = tmp_path_factory.mktemp("eye") / "vehicles.onnx"
    vehicles.export(file)
    return file


@pytest.fixture(scope="session")
def yt8m() -> Path:
    """The folder of real YouTube-8M records; tests that want it skip where there is none."""
    named, media = os.environ.get("FACTORY_TEST_YT8M"), os.environ.get("FACTORY_TEST_MEDIA")
    if named:
        return Path(named)
    beside = Path(media).parent / "yt8m" if media else None
    if beside is None or not beside.is_dir():
        pytest.skip("FACTORY_TEST_YT8M is not set, and no folder yt8m stands beside FACTORY_TEST_MEDIA")
    return beside

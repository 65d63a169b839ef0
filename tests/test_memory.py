from __future__ import annotations

import os
from pathlib import Path

import psutil
import pytest

from factory import memory


def test_what_is_resident_is_what_the_system_says() -> None:
    held = memory.resident_mb()
    assert held == pytest.approx(psutil.Process().memory_info().rss / 1e6, rel=0.1)
    kept = os.urandom(1 << 20) * 200
    grown = memory.resident_mb()
    assert held is not None
    assert grown is not None
    assert grown - held > 150
    del kept


def test_a_process_over_its_bound_says_so(caplog: pytest.LogCaptureFixture) -> None:
    assert memory.is_over(1)
    assert "FACTORY_WORKER_MEMORY=1" in caplog.text
    assert not memory.is_over(1_000_000)
    assert not memory.is_over(0)


def test_where_the_system_does_not_say_there_is_no_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "STATM", tmp_path / "no-proc")
    assert memory.resident_mb() is None
    assert not memory.is_over(1)

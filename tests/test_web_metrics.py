"""The figures, read back by the grammar of Prometheus's text format (prometheus.io, exposition formats, 0.0.4)."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from factory.settings import Settings
from factory.store.schema import STATES
from factory.web.app import create_app
from factory.wiring import Parts, parts
from tests.test_notices import fail_one
from tests.test_watch import ago, ordered

SAMPLE = re.compile(
    r'^(?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?P<labels>[a-zA-Z_]\w*="[^"\\\n]*"(,[a-zA-Z_]\w*="[^"\\\n]*")*)\})?'
    r" (?P<value>[-+]?(\d+(\.\d+)?([eE][-+]?\d+)?|Inf|NaN))$"
)
HERE = "http://127.0.0.1:8787"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Parts]:
    built = parts(Settings(home=tmp_path / "home", database_url="", web_port=8787))
    yield built
    built.sessions.close()


def read(house: Parts) -> dict[str, float]:
    """Return each sample by name and labels, after checking what the format demands."""
    with TestClient(create_app(house), base_url=HERE) as client:
        answer = client.get("/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.text.endswith("\n")
    samples: dict[str, float] = {}
    kinds: dict[str, str] = {}
    family = ""
    for line in answer.text.splitlines():
        if line.startswith("# HELP "):
            family = line.split(" ", 3)[2]
            assert family not in kinds, "lines of a family stand together"
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name == family
            kinds[name] = kind
        else:
            found = SAMPLE.match(line)
            assert found, line
            suffixes = ("_bucket", "_sum", "_count") if kinds[family] == "histogram" else ("",)
            assert found["name"] in {family + suffix for suffix in suffixes}
            key = line.rpartition(" ")[0]
            assert key not in samples
            samples[key] = float(found["value"])
    assert set(kinds.values()) == {"gauge", "counter", "histogram"}
    return samples


def test_an_empty_house_has_every_figure(house: Parts) -> None:
    samples = read(house)
    assert {samples[f'autoreel_jobs{{state="{state}"}}'] for state in STATES} == {0}
    assert samples["autoreel_attempts_total"] == 0
    assert samples['autoreel_disk_bytes{kind="free"}'] > 0


def test_the_figures_are_those_of_the_ledger(house: Parts) -> None:
    ordered(house.sessions, created_at=ago(100))
    for _ in range(3):
        fail_one(house.sessions)
    samples = read(house)
    assert (samples['autoreel_jobs{state="queued"}'], samples['autoreel_jobs{state="failed"}']) == (1, 3)
    assert 100 <= samples['autoreel_oldest_job_age_seconds{state="queued"}'] < 130
    assert samples['autoreel_stalled_jobs{why="no-worker"}'] == 1
    assert samples["autoreel_attempts_total"] == 3
    buckets = [(key, value) for key, value in samples.items() if key.startswith("autoreel_job_duration_seconds_bucket")]
    assert [value for _, value in buckets] == [3.0] * len(buckets)
    assert buckets[-1][0].endswith('le="+Inf"}')
    assert samples["autoreel_job_duration_seconds_count"] == 3
    assert math.isfinite(samples["autoreel_job_duration_seconds_sum"])


def test_labels_do_not_grow_with_the_work(house: Parts) -> None:
    before = set(read(house))
    for number in range(5):
        fail_one(house.sessions, str(number))
    assert set(read(house)) == before

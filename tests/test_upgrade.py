"""An upgrade in the middle of a batch, and the way back: every job is made, and made once."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests import servers, upgrading
from tests.stores import BOTH

pytestmark = [pytest.mark.fault, pytest.mark.slow, pytest.mark.timeout(290)]


@pytest.mark.parametrize("way", list(upgrading.WAYS))
@pytest.mark.parametrize("kind", BOTH)
def test_a_batch_goes_through_an_upgrade(way: str, kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    commit = upgrading.commit_before_the_newest_migration()
    if commit is None:
        pytest.skip("the history of the previous revision is not here: a shallow clone, or no git")
    old = upgrading.unpack(commit, tmp_path / "old")
    if kind == "sqlite":
        seen = upgrading.WAYS[way](upgrading.Upgrade(old, f"sqlite:///{tmp_path / 'factory.db'}", tmp_path))
    else:
        with servers.fresh_database(request.getfixturevalue("postgres_url")) as url:
            seen = upgrading.WAYS[way](upgrading.Upgrade(old, url, tmp_path))
    assert seen.states == Counter(review=seen.jobs)
    assert seen.done_once + seen.done_oftener == seen.jobs
    assert seen.done_oftener <= seen.burnt  # a worker that took over ten seconds to end was killed: a very busy machine
    assert len(set(seen.revisions)) == 2
    assert 0 < seen.ended_before_each[1] < seen.jobs

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from factory import fitness
from factory.fitness import CodecMissing, HomeNotShared, NoCuda
from factory.render import probe
from factory.store.db import Sessions
from factory.store.files import Files
from factory.store.schema import Asset
from tests.library import put


def test_what_is_installed_here_will_do() -> None:
    fitness.require_codecs()


@pytest.mark.parametrize(("broken", "named"), [("works", "libx264"), ("aac_works", "AAC")])
def test_a_missing_codec_is_named_with_the_remedy(broken: str, named: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, broken, lambda *_: False)
    with pytest.raises(CodecMissing, match=f"cannot encode by {named} on") as refusal:
        fitness.require_codecs()
    assert "requirements.lock" in refusal.value.next_step


class _House:
    def __init__(self, sessions: Sessions, home: Path) -> None:
        self.sessions, self.files = sessions, Files(home)


def test_a_home_without_any_of_the_newest_clips_is_not_that_of_the_others(sqlite: Sessions, tmp_path: Path) -> None:
    house: Any = _House(sqlite, tmp_path / "home")
    fitness.require_shared_home(house)  # an empty library lies everywhere
    with sqlite.write() as session:
        for n in range(7):
            put(session, f"clip-{n}")
    with pytest.raises(HomeNotShared, match="none of the 5 newest clips"):
        fitness.require_shared_home(house)
    with sqlite.write() as session:
        for asset in session.query(Asset).order_by(Asset.id):
            asset.digest = house.files.put_bytes(asset.digest.encode()).digest
            if asset.id > 2:
                house.files.remove(asset.digest)
    with pytest.raises(HomeNotShared):
        fitness.require_shared_home(house)  # only old ones: they were copied once, and then no more
    with sqlite.write() as session:
        newest = session.query(Asset).order_by(Asset.id.desc()).first()
        assert newest
        newest.digest = house.files.put_bytes(b"a clip").digest
    fitness.require_shared_home(house)  # one lost file is no other home


def test_without_cuda_no_worker_takes_work_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(NoCuda, match="sees no CUDA device") as refusal:
        fitness.require_cuda()
    assert "-Q tagging,duties" in refusal.value.next_step
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    fitness.require_cuda()

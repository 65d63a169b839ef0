"""What a worker process does that tests freeze: by itself, so that a process has little to import."""

from __future__ import annotations

import contextlib
import os
import time
from datetime import timedelta
from pathlib import Path

from factory.store.db import Sessions
from factory.store.job import Claim, Output
from factory.store.lease import Holding, Made, work

LEASE = timedelta(seconds=0.5)
LOST = 7  # exit status of a worker whose last word was refused


def be_frozen(url: str, folder: Path, job: str, asks: bool) -> None:
    """Work on a job until a file `go` appears. `asks`: stop where one has to; else finish whatever happened."""

    def make(holding: Holding) -> Made:
        (folder / f"{job}.begun").touch()
        while not (folder / "go").exists():
            time.sleep(0.01)
        while asks and not holding.stopped():
            time.sleep(0.01)
        if asks:
            raise InterruptedError(str(holding.why))
        return made_by(holding.claim)

    with contextlib.closing(Sessions.open(url)) as sessions:
        ended = work(sessions, job, make, worker="frozen", lease=LEASE)
    os._exit(LOST if ended is None else 0)


def made_by(held: Claim) -> Made:
    return Made([Output("16:9", "video", f"{held.fence:064x}", "stub.mp4", 1)])

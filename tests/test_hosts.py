"""Two hosts, one database, one broker: what a host that is cut off does, and what becomes of its jobs."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
import sqlalchemy as sa

from factory.store import db
from factory.store.db import IDLE_SECONDS, SILENCE, Sessions
from tests import hosts
from tests.cut_off import STUB, cut_off

pytestmark = [pytest.mark.fault, pytest.mark.server, pytest.mark.slow, pytest.mark.timeout(290)]


@pytest.fixture(autouse=True)
def several_hosts() -> None:
    if why := hosts.cannot():
        pytest.skip(why)


def test_a_host_that_is_cut_off_and_joined_again_loses_and_doubles_nothing(tmp_path: Path) -> None:
    # Longer than PostgreSQL keeps what a host had locked when it was cut off in the middle of a beat.
    seen = cut_off(tmp_path, STUB, count=40, away=IDLE_SECONDS + 10)
    assert Counter(seen.states) == {"review": len(seen.states)}
    assert (seen.finished_twice, seen.fences_that_did_not_grow) == (0, 0)
    assert seen.held_when_cut >= 1  # it was at work
    assert seen.taken_over == seen.held_when_cut  # the other host made those
    assert seen.refused >= 1  # what it said of them afterwards changed nothing
    assert seen.back_after < 60  # seconds until it worked again, of itself


def test_both_ends_give_up_a_connection_that_falls_silent() -> None:
    with (
        hosts.net(1) as net,
        contextlib.closing(Sessions.open(net.local_database)) as here,
        hosts.inside(net.hosts[0]),
        contextlib.closing(Sessions.open(net.database)) as there,
    ):
        db.migrate(net.local_database)
        lock = sa.text("LOCK TABLE job IN ACCESS EXCLUSIVE MODE")
        freed = threading.Event()

        def wait_for_the_lock() -> None:
            with here.write() as session:
                session.execute(lock)
            freed.set()

        waiting = threading.Thread(target=wait_for_the_lock)
        with pytest.raises(sa.exc.OperationalError), there.write() as session:  # noqa: PT012  the lock is held by then
            session.execute(lock)
            waiting.start()
            net.cut(net.hosts[0])
            cut = time.monotonic()
            session.execute(sa.text("SELECT 1"))
        assert time.monotonic() - cut < SILENCE + 15  # by itself Linux tries for a quarter of an hour
        assert freed.wait(30)  # and a server keeps what a lost client locked for two hours
        waiting.join()

"""The table of moves, said once more as people know it: every verb on a job in every state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from factory.store import bell, jobs
from factory.store.columns import utc_now
from factory.store.db import Sessions
from factory.store.job import ENDED, MAX_ATTEMPTS, MOVES, WORKING, Claim, FenceLost, Output, State, WrongState
from factory.store.schema import STATES, JobRow
from tests.ledger_acts import PAST, order, taken

VIDEO = Output("16:9", "video", "a" * 64, "ranking.mp4", 1234)
WORKED_ON = ("planning", "rendering")
NO_LEASE: dict[str, Any] = {"lease_until": None, "lease_owner": None}

# verb -> the states that it may find a job in -> the state that it leaves it in; everything else is refused
WORKERS = {
    "render": dict.fromkeys(WORKED_ON, "rendering"),
    "finish": dict.fromkeys(WORKED_ON, "review"),
    "settle": {"planning": "done"},
    "fail": dict.fromkeys(WORKED_ON, "failed"),
    "crash": dict.fromkeys(WORKED_ON, "queued"),
    "crash for the last time": dict.fromkeys(WORKED_ON, "dead"),
    "hand_back": dict.fromkeys(WORKED_ON, "queued"),
    "stop": dict.fromkeys(WORKED_ON, "cancelled"),
}
PEOPLES = {
    "cancel": {"queued": "cancelled", "review": "cancelled"} | {state: state for state in WORKED_ON},  # only asked
    "approve": {"review": "approved"},
    "publish": {"approved": "published"},
    "withdraw": {"published": "withdrawn"},
    "retry": dict.fromkeys(("failed", "dead", "cancelled"), "queued"),
    "revise": dict.fromkeys(("review", "approved"), "queued"),
}


def acts(held: Claim) -> dict[str, Callable[[Session], Any]]:
    last = Claim(held.job, held.kind, held.fence, MAX_ATTEMPTS, held.spec, held.worker)
    clip = Claim(held.job, "ingest", held.fence, held.attempt, held.spec, held.worker)
    return {
        "render": lambda s: jobs.start_rendering(s, held),
        "finish": lambda s: jobs.finish(s, held, [VIDEO]),
        "settle": lambda s: jobs.settle(s, clip, "added"),
        "fail": lambda s: jobs.fail(s, held, code="c", text="t"),
        "crash": lambda s: jobs.crash(s, held, code="c", text="t"),
        "crash for the last time": lambda s: jobs.crash(s, last, code="c", text="t"),
        "hand_back": lambda s: jobs.hand_back(s, held),
        "stop": lambda s: jobs.stop(s, held),
        "cancel": lambda s: jobs.cancel(s, held.job),
        "approve": lambda s: jobs.approve(s, held.job),
        "publish": lambda s: jobs.publish(s, held.job),
        "withdraw": lambda s: jobs.withdraw(s, held.job),
        "retry": lambda s: jobs.retry(s, held.job),
        "revise": lambda s: jobs.revise(s, held.job, {"16:9": "{}"}, author="Li"),
    }


def put(session: Session, job: str, state: str, **values: Any) -> None:
    clean = {"state": state, "attempt": 1, "cancel_asked": False, "fence": 1, "started_at": None, "deadline": None}
    session.execute(sa.update(JobRow).where(JobRow.id == job).values(clean | values))


def state_of(session: Session, job: str) -> str:
    return session.scalars(sa.select(JobRow.state).where(JobRow.id == job)).one()


@pytest.mark.parametrize("verb", [*WORKERS, *PEOPLES])
def test_every_move_that_the_table_does_not_name_is_refused(sqlite: Sessions, verb: str) -> None:
    held = taken(sqlite, order(sqlite))
    with sqlite.write() as session:
        for start in STATES:
            put(session, held.job, start)
            wanted = (WORKERS | PEOPLES)[verb].get(start)
            if wanted is None:
                with pytest.raises(FenceLost if verb in WORKERS else WrongState):
                    acts(held)[verb](session)
                assert state_of(session, held.job) == start
            else:
                said = acts(held)[verb](session)
                assert state_of(session, held.job) == wanted
                assert verb == "render" or said == wanted


@pytest.mark.parametrize("verb", WORKERS)
def test_a_worker_with_another_fence_moves_nothing(sqlite: Sessions, verb: str) -> None:
    held = taken(sqlite, order(sqlite))
    with sqlite.write() as session:
        put(session, held.job, "rendering", fence=2)
        with pytest.raises(FenceLost):
            acts(held)[verb](session)
        assert state_of(session, held.job) == "rendering"


def test_a_job_is_claimed_where_it_waits_or_where_its_lease_ran_out(sqlite: Sessions) -> None:
    held = taken(sqlite, order(sqlite))
    leases = {"none": None, "over": utc_now() + PAST, "living": utc_now() - PAST}
    wanted = {("queued", lease) for lease in leases} | {(state, "over") for state in WORKED_ON}
    with sqlite.write() as session:
        for start in STATES:
            for name, lease in leases.items():
                put(session, held.job, start, lease_until=lease)
                claim = jobs.claim(session, held.job, worker="w2")
                assert (claim is not None) == ((start, name) in wanted), (start, name)
                assert state_of(session, held.job) == ("planning" if claim else start)


def test_the_reaper_moves_only_what_a_lost_worker_or_a_deadline_left(sqlite: Sessions) -> None:
    held = taken(sqlite, order(sqlite))
    over = {"lease_until": utc_now() + PAST, "lease_owner": "w1"}
    late = NO_LEASE | {"deadline": utc_now() + PAST}
    for values, wanted in (
        (over | {"cancel_asked": True}, dict.fromkeys(WORKED_ON, "cancelled")),
        (over | {"attempt": MAX_ATTEMPTS}, dict.fromkeys(WORKED_ON, "dead")),
        (over, {}),
        (late, {"queued": "failed"}),
        (late | {"started_at": utc_now()}, {}),
        (NO_LEASE | {"deadline": utc_now() - PAST}, {}),
    ):
        for start in STATES:
            with sqlite.write() as session:
                put(session, held.job, start, **values)
            if start in WORKED_ON or values["lease_until"] is None:
                bell.reap(sqlite)
                with sqlite.read() as session:
                    assert state_of(session, held.job) == wanted.get(start, start)


def test_the_states_of_the_table_are_those_of_the_ledger() -> None:
    assert (
        set(STATES)
        == set(get_args(State))
        == {state for moves in MOVES.values() for way in moves.items() for state in way}
    )
    assert set(WORKING) == set(WORKED_ON)
    assert set(ENDED) == set(STATES) - set(WORKED_ON) - {"queued"}

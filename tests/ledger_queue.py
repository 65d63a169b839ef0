"""The part of the ledger machine that plays what is taken next: priority, deadlines, and the bounds of the queue."""

from __future__ import annotations

import contextlib
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Final

import pytest
import sqlalchemy as sa
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from factory.plan.brief import Brief
from factory.store import bell, job_lookup, jobs, places, urgency
from factory.store.columns import utc_now
from factory.store.db import Sessions
from factory.store.job import WORKING, Claim, IdempotencyConflict, Wishes
from factory.store.places import Bounds, QueueFull
from factory.store.schema import JobRow, Outbox
from tests.ledger_model import Known

SERIES: Final = "weekly"
PAST: Final = timedelta(minutes=-10)  # further back than any wait that is written
QUEUE: Final = "rendering"
MOST_JOBS: Final = 4  # so that they meet
PRIORITIES: Final = st.sampled_from((3, 5, 9))
HOURS: Final = st.sampled_from((None, 1, 2))  # until the deadline
MOST: Final = st.sampled_from((None, 1, 2, 3))


class QueueMachine(RuleBasedStateMachine):
    """What comes in, and in which order it goes out."""

    def __init__(self, sessions: Sessions) -> None:
        super().__init__()
        self.sessions = sessions
        self.known: dict[str, Known] = {}
        self.keys: dict[str, tuple[str, int]] = {}
        self.claims: list[Claim] = []
        self.messages: list[str] = []  # of the broker
        self.bounds = Bounds()
        with sessions.write() as session:
            session.execute(sa.delete(JobRow))
            places.set_bounds(session, QUEUE, self.bounds)

    def nothing_changes(self) -> AbstractContextManager[None]:
        raise NotImplementedError

    # --- orders -------------------------------------------------------------------------------------------------------

    def _submit(self, key: str | None, seed: int, priority: int = 5, hours: int | None = None) -> str | None:
        """Order, and return the job; None where the queue was full."""
        brief = Brief(template="stub", series=SERIES, seed=seed)
        known = self.keys.get(key) if key else None
        wishes = Wishes(priority, None if hours is None else utc_now() + timedelta(hours=hours))
        refusal = self._refusal(known, seed)
        if refusal is not None:
            with self.nothing_changes(), pytest.raises(refusal), self.sessions.write() as session:
                jobs.submit(session, brief, key=key, wishes=wishes)
            return known[0] if known else None
        with self.sessions.write() as session:
            made = jobs.submit(session, brief, key=key, wishes=wishes)
            created_at = job_lookup.get(session, made.job).created_at
        assert made.new == (known is None)
        if known:
            assert made.job == known[0]
        else:
            self.known[made.job] = Known(brief.canonical_json(), (created_at, made.job), priority, wishes.deadline)
        if key:
            self.keys[key] = (made.job, seed)
        return made.job

    def _refusal(self, known: tuple[str, int] | None, seed: int) -> type[Exception] | None:
        if known:
            return IdempotencyConflict if known[1] != seed else None
        waiting = sum(one.state == "queued" for one in self.known.values())
        return QueueFull if self.bounds.waiting is not None and waiting >= self.bounds.waiting else None

    # --- what is taken next -------------------------------------------------------------------------------------------

    def _due(self) -> list[str]:
        """The jobs that may be claimed, were there a place."""
        return [job for job, known in self.known.items() if known.due()]

    def _room(self, but: str = "") -> bool:
        living = [job for job, known in self.known.items() if known.state in WORKING and not known.overdue]
        return self.bounds.running is None or len([job for job in living if job != but]) < self.bounds.running

    def _next(self) -> list[str]:
        """The jobs that may be claimed, the most urgent first."""
        return sorted(self._due(), key=lambda job: self.known[job].urgency()) if self._room() else []

    def _claim(self, job: str) -> Claim | None:
        known, possible = self.known[job], job in self._next()
        with contextlib.nullcontext() if possible else self.nothing_changes(), self.sessions.write() as session:
            claim = jobs.claim(session, job, worker=f"w{len(self.claims)}")
        assert (claim is not None) == possible
        if claim is None:
            return None
        known.move("claim")
        known.fence, known.attempt, known.overdue = known.fence + 1, known.attempt + 1, False
        known.rung, known.begun = False, True
        assert (claim.fence, claim.attempt, claim.spec) == (known.fence, known.attempt, known.spec)
        self.claims.append(claim)
        return claim

    @precondition(lambda self: self.messages)
    @rule(data=st.data())
    def hear(self, data: st.DataObject) -> None:
        """A worker gets a message, in whatever order: it takes the most urgent job, and the named one rings again."""
        named = self.messages.pop(data.draw(st.integers(0, len(self.messages) - 1)))
        expected = self._next()[:1]
        claim = bell.answer(self.sessions, named, self._claim)
        assert ([claim.job] if isinstance(claim, Claim) else []) == expected
        if expected and named in self._due():
            assert named in self._belled()

    def _the_order_is_kept(self) -> None:
        with self.sessions.read() as session:
            expected = self._next()
            assert list(urgency.next_due(session, limit=99)) == expected
            assert list(urgency.next_due(session, limit=2)) == expected[:2]

    def _the_next_will_ring(self) -> None:
        """A worker has let go of its place in a bounded queue."""
        if self.bounds.running is not None:
            assert set(self._next()[:1]) <= self._belled()

    def _belled(self) -> set[str]:
        with self.sessions.read() as session:
            return set(session.scalars(sa.select(Outbox.job_id)))

    # --- time and bounds ----------------------------------------------------------------------------------------------

    @precondition(lambda self: self._with_deadline())
    @rule(data=st.data())
    def deadline_passes(self, data: st.DataObject) -> None:
        job = data.draw(st.sampled_from(self._with_deadline()))
        over = utc_now() + PAST
        with self.sessions.write() as session:
            session.execute(sa.update(JobRow).where(JobRow.id == job).values(deadline=over))
        self.known[job].deadline = over

    def _with_deadline(self) -> list[str]:
        return [job for job, known in self.known.items() if known.deadline is not None]

    @rule(running=MOST, waiting=MOST)
    def bound(self, running: int | None, waiting: int | None) -> None:
        """A person bounds the queue, or lifts its bounds; the reaper soon rings for those who waited for that."""
        self.bounds = Bounds(running, waiting)
        with self.sessions.write() as session:
            places.set_bounds(session, QUEUE, self.bounds)
        self._reap()

    def _reap(self) -> None:
        """The reaper passes."""
        gone = [known for known in self.known.values() if known.state in WORKING and known.overdue]
        cancelled = [known for known in gone if known.cancel_asked]
        dead = [known for known in gone if not known.cancel_asked and known.gave_all()]
        late = [known for known in self.known.values() if known.late()]
        reaped = bell.reap(self.sessions)
        assert (reaped.cancelled, reaped.dead, reaped.late) == (len(cancelled), len(dead), len(late))
        for verb, ended in (("stop", cancelled), ("die", dead), ("expire", late)):
            for known in ended:
                known.move(verb)
        if cancelled or dead:
            self._the_next_will_ring()
        self._each_due_job_will_ring()

    def _each_due_job_will_ring(self) -> None:
        """Where no place is free nobody needs to ring: whoever lets go of one rings for the next."""
        with self.sessions.read() as session:
            later = set(session.scalars(sa.select(JobRow.id).where(JobRow.ring_after > utc_now())))
        assert set(self._next()) <= self._belled() | later

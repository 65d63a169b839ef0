"""Workers, people, relays and reapers at one ledger in any order, beside a model of what must come of it.

`test_ledger_machine.py` runs a few examples on both databases, `./run bench-random-orders` thousands.
"""

from __future__ import annotations

import contextlib
import itertools
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy.orm import Session

from factory.plan.embargo import Embargo
from factory.store import bell, jobs, uses
from factory.store.columns import utc_now
from factory.store.db import Sessions
from factory.store.embargoes import UnderEmbargo
from factory.store.job import (
    ENDED,
    MAX_ATTEMPTS,
    MOVES,
    WORKING,
    Claim,
    FenceLost,
    Output,
    State,
    WrongState,
)
from factory.store.schema import JobOutput, JobRow, JobStep, JobTimeline, Outbox, Shot, ShotUse
from tests.ledger_queue import HOURS, MOST_JOBS, PAST, PRIORITIES, SERIES, QueueMachine
from tests.library import a_shot, put
from tests.odd_sessions import DyingRelay, Killed

DAYS: Final = 14
SHOWN: Final = ("review", "approved", "published")
STEPS: Final = 40
LAST_WORDS: Final = ("finish", "fail", "crash", "hand_back", "stop")
ASKED: Final = ("cancel", "approve", "publish", "withdraw", "retry", "revise")
KEYS: Final = st.sampled_from((None, "a", "b"))
FATES: Final = ("sent", "lost", "doubled", "heard", "broken", "down")  # of a message
WORDS: Final = ("beat", "save_timelines", "start_rendering", "save_step", *LAST_WORDS)


class LedgerMachine(QueueMachine):
    """Each rule does one thing to the ledger and the same to the model; the invariants compare the two."""

    ordered = Bundle("ordered")

    def __init__(self, sessions: Sessions, shots: Sequence[int]) -> None:
        super().__init__(sessions)
        self.shot_ids = shots
        self.taken: dict[tuple[str, int], frozenset[int]] = {}  # by job and fence: what its plan took

    # --- orders -------------------------------------------------------------------------------------------------------

    @initialize(target=ordered)
    def first_orders(self) -> Any:
        return multiple(*[self._submit(None, seed) for seed in range(2)])

    @precondition(lambda self: len(self.known) < MOST_JOBS)
    @rule(target=ordered, key=KEYS, seed=st.integers(0, 1), priority=PRIORITIES, hours=HOURS)
    def submit(self, key: str | None, seed: int, priority: int, hours: int | None) -> Any:
        job = self._submit(key, seed, priority, hours)
        return multiple(*[job] if job else [])

    # --- workers ------------------------------------------------------------------------------------------------------

    @precondition(lambda self: len(self._next()) < len(self.known))
    @rule(data=st.data())
    def late_message(self, data: st.DataObject) -> None:
        """A worker hears of a job that is not to be had."""
        self._claim(data.draw(st.sampled_from(sorted(self.known.keys() - set(self._next())))))

    @precondition(lambda self: self._next())
    @rule(data=st.data(), how=st.sampled_from(("claim", "claim", "finish", "finish", "fail", "crash", "poison")))
    def look_for_work(self, data: st.DataObject, how: str) -> None:
        """A worker without a broker claims what it finds, and may go on to an end; `poison` crashes all attempts."""
        job = data.draw(st.sampled_from(self._next()))
        claim = self._claim(job)
        assert claim is not None
        if how in LAST_WORDS:
            self._say(claim, "save_timelines", data)
            self._say(claim, how, data)
        while how == "poison" and claim is not None:
            self._say(claim, "crash", data)
            claim = self._claim(job)

    @precondition(lambda self: self._living())
    @rule(data=st.data(), word=st.sampled_from(WORDS))
    def holder_says(self, data: st.DataObject, word: str) -> None:
        self._say(data.draw(st.sampled_from(self._living())), word, data)

    @precondition(lambda self: len(self._living()) < len(self.claims))
    @rule(data=st.data(), word=st.sampled_from(WORDS))
    def zombie_says(self, data: st.DataObject, word: str) -> None:
        """A worker whose claim is over speaks: it is told so, and nothing changes."""
        over = [claim for claim in self.claims if not self.known[claim.job].holds(claim)]
        self._say_in_vain(data.draw(st.sampled_from(over)), word)

    def _say_in_vain(self, claim: Claim, word: str) -> None:
        with self.nothing_changes():
            if word == "beat":
                with self.sessions.write() as session:
                    assert jobs.beat(session, claim, progress=0.5) == "lost"
                return
            with pytest.raises(FenceLost):
                self._write_word(claim, word, frozenset(self.shot_ids), "z")

    def _living(self) -> list[Claim]:
        return [claim for claim in self.claims if self.known[claim.job].holds(claim)]

    def _say(self, claim: Claim, word: str, data: st.DataObject) -> None:
        known = self.known[claim.job]
        if word == "beat":
            self._beat(claim)
            return
        shots = frozenset[int]()
        if word == "save_timelines":
            shots = data.draw(st.frozensets(st.sampled_from(self.shot_ids), max_size=2))
            if shots & self._resting(claim.job):
                with self.nothing_changes(), pytest.raises(uses.ShotsTaken):
                    self._write_word(claim, word, shots, "")
                return
        elif word == "finish":
            shots = self.taken.get((claim.job, claim.fence), shots)
        digest = data.draw(st.sampled_from("pq")) if word == "save_step" else ""
        ended = self._write_word(claim, word, shots, digest)
        self._remember(claim, word, shots, digest)
        assert ended in (known.state, None)
        if word in LAST_WORDS:
            self._the_next_will_ring()

    def _beat(self, claim: Claim) -> None:
        """The holder speaks; where it was silent too long and another has its place, the job is lost to it."""
        known = self.known[claim.job]
        if known.overdue and not self._room(but=claim.job):
            with self.nothing_changes(), self.sessions.write() as session:
                assert jobs.beat(session, claim, progress=0.5) == "lost"
            return
        with self.sessions.write() as session:
            assert jobs.beat(session, claim, progress=0.5) == ("cancel" if known.cancel_asked else "go-on")
        known.overdue = known.rung = False

    def _write_word(self, claim: Claim, word: str, shots: frozenset[int], digest: str) -> State | None:
        with self.sessions.write() as session:
            if word == "save_timelines":  # as `produce` saves a plan
                jobs.save_timelines(session, claim, {"16:9": f"{claim.fence}"})
                issue = uses.Issue(SERIES, f"{int(claim.job, 16):064x}", claim.job)
                uses.take(session, issue, dict.fromkeys(shots, DAYS))
            elif word == "start_rendering":
                jobs.start_rendering(session, claim)
            elif word == "save_step":
                output = f"{claim.fence:064x}"
                jobs.save_step(session, claim, "mix", input_digest=digest * 64, output_digest=output, seconds=1.0)
            elif word == "finish":
                video = Output("16:9", "video", f"{claim.fence:064x}", "stub.mp4", 1)
                return jobs.finish(session, claim, [video], shots=shots)
            elif word in ("fail", "crash"):
                return {"fail": jobs.fail, "crash": jobs.crash}[word](session, claim, code=word, text="why")
            else:
                return {"hand_back": jobs.hand_back, "stop": jobs.stop}[word](session, claim)
        return None

    def _remember(self, claim: Claim, word: str, shots: frozenset[int], digest: str) -> None:
        known = self.known[claim.job]
        if word == "save_step":
            known.steps.setdefault(digest * 64, f"{claim.fence:064x}")
        elif word in ("save_timelines", "start_rendering"):
            known.move("render")
        if word == "save_timelines":
            known.versions += 1
            known.shots = self.taken[claim.job, claim.fence] = shots
        if word not in LAST_WORDS:
            return
        known.attempt -= word == "hand_back"
        if known.cancel_asked:
            known.move("stop")
        elif word == "crash":
            known.move("die" if claim.attempt == MAX_ATTEMPTS else "crash")
        else:
            known.move(word)
        if word == "finish" and known.state == "review":
            known.made_by, known.shots = claim.fence, shots

    def _resting(self, job: str) -> set[int]:
        """The shots that other jobs of the series show, or are going to."""
        others = (known for other, known in self.known.items() if other != job and known.state not in uses.FREE)
        return set(itertools.chain.from_iterable(known.shots for known in others))

    # --- people -------------------------------------------------------------------------------------------------------

    @precondition(lambda self: self._possible())
    @rule(data=st.data())
    def person_does(self, data: st.DataObject) -> None:
        """Somebody brings a job forward, or wants it no more while it is worked on."""
        self._ask(*data.draw(st.sampled_from(self._possible())))

    @rule(job=ordered, verb=st.sampled_from(ASKED))
    def person_asks(self, job: str, verb: str) -> None:
        """Somebody asks for what may be refused."""
        self._ask(job, verb)

    def _possible(self) -> list[tuple[str, str]]:
        forward = [verb for verb in ASKED if verb != "cancel"]
        wanted = [(job, verb) for job, known in self.known.items() for verb in forward if known.state in MOVES[verb]]
        return wanted + [(claim.job, "cancel") for claim in self._living()]

    def _ask(self, job: str, verb: str) -> None:
        known = self.known[job]
        if verb == "cancel" and known.state in WORKING:
            with self.sessions.write() as session:
                assert jobs.cancel(session, job) == known.state
            known.cancel_asked = True
        elif verb == "publish" and known.state == "approved" and known.embargoed:
            with self.nothing_changes(), pytest.raises(UnderEmbargo), self.sessions.write() as session:
                jobs.publish(session, job)
        elif known.state not in MOVES[verb]:
            with self.nothing_changes(), pytest.raises(WrongState), self.sessions.write() as session:
                self._write_wish(session, job, verb)
        else:
            with self.sessions.write() as session:
                done = self._write_wish(session, job, verb)
            known.move(verb)
            assert done == known.state
            known.wished(verb)

    def _write_wish(self, session: Session, job: str, verb: str) -> State:
        if verb == "revise":
            return jobs.revise(session, job, {"16:9": "edited"}, author="ann")
        done: State = getattr(jobs, verb)(session, job)
        return done

    @rule(job=ordered, hours=st.sampled_from([-1, 1, None]))
    def hold(self, job: str, hours: int | None) -> None:
        """Put an embargo on, one that is over, or none."""
        embargo = None if hours is None else Embargo(utc_now() + timedelta(hours=hours), "UTC")
        with self.sessions.write() as session:
            if self.known[job].state in ("published", "withdrawn"):
                with self.nothing_changes(), pytest.raises(WrongState):
                    jobs.hold(session, job, embargo)
                return
            jobs.hold(session, job, embargo)
        self.known[job].embargoed = hours == 1

    # --- time, relay, reaper ------------------------------------------------------------------------------------------

    @precondition(lambda self: self._living())
    @rule(data=st.data(), asked=st.booleans(), another=st.booleans(), word=st.sampled_from(WORDS))
    def lease_runs_out(self, data: st.DataObject, asked: bool, another: bool, word: str) -> None:
        """A worker is silent for too long, maybe `asked` to stop; `another` takes its job at once, and it wakes up."""
        sleeper = data.draw(st.sampled_from(self._living()))
        if asked:
            self._ask(sleeper.job, "cancel")
        self._run_out([sleeper.job])
        if another and self._claim(sleeper.job):
            self._say_in_vain(sleeper, word)

    def _run_out(self, overdue: Sequence[str]) -> None:
        with self.sessions.write() as session:
            mine = JobRow.id.in_(overdue)
            session.execute(sa.update(JobRow).where(mine).values(lease_until=utc_now() + PAST))
        for job in overdue:
            self.known[job].overdue = True

    def _bells_may_ring_again(self) -> None:
        with self.sessions.write() as session:
            rung = sa.update(JobRow).where(JobRow.ring_after.is_not(None))
            session.execute(rung.values(ring_after=utc_now() + PAST))
            taken = sa.update(Outbox).where(Outbox.taken_until.is_not(None))
            session.execute(taken.values(taken_until=utc_now() + PAST))

    @rule(fates=st.lists(st.sampled_from(FATES), min_size=1, max_size=3), killed=st.booleans())
    def relay(self, fates: list[str], killed: bool) -> None:
        """Ring through a broker that loses and doubles; it goes down, or the relay is killed before it says what rang.

        `heard`: a worker claims before the relay has written that it rang; `broken`: and gives up at once.
        """
        before = self._bells_taken()
        with contextlib.suppress(ConnectionError, Killed):
            relay = DyingRelay(self.sessions) if killed else self.sessions
            bell.relay(relay, self._sender(itertools.cycle(fates)))
        assert killed or self._bells_taken() <= before
        for known in self.known.values():
            known.rung |= known.due()

    def _bells_taken(self) -> set[int]:
        with self.sessions.read() as session:
            return set(session.scalars(sa.select(Outbox.id).where(Outbox.taken_until.is_not(None))))

    def _sender(self, fates: Iterator[str]) -> bell.Send:
        def send(task: str, job: str) -> None:
            assert task == "produce"
            fate = next(fates)
            if fate == "down":
                raise ConnectionError("the broker is away")
            self.messages += [job] * {"sent": 1, "doubled": 2}.get(fate, 0)
            if fate in ("heard", "broken") and (claim := self._claim(job)) and fate == "broken":
                self._write_word(claim, "crash", frozenset(), "")
                self._remember(claim, "crash", frozenset(), "")

        return send

    @rule(later=st.booleans())
    def reap(self, later: bool) -> None:
        """The reaper passes, at once or when all waits for a bell are over."""
        if later:
            self._bells_may_ring_again()
        self._reap()

    # --- what always holds --------------------------------------------------------------------------------------------

    @invariant()
    def all_is_well(self) -> None:
        with self.sessions.read() as session:
            rows = {row.id: row for row in session.scalars(sa.select(JobRow))}
            self._ledger_and_model_agree(session, rows)
            self._nothing_is_lost(session, rows)
            self._what_is_shown_has_files_and_an_approval(session)
            self._shots_rest_while_a_job_shows_them(session)
        self._the_order_is_kept()
        fences = [(claim.job, claim.fence) for claim in self.claims]
        assert len(set(fences)) == len(fences)
        living = [claim.job for claim in self._living()]
        assert len(set(living)) == len(living)

    def _ledger_and_model_agree(self, session: Session, rows: Mapping[str, JobRow]) -> None:
        assert rows.keys() == self.known.keys()
        for job, known in self.known.items():
            row = rows[job]
            seen = (row.state, row.fence, row.attempt, row.cancel_asked)
            assert seen == (known.state, known.fence, known.attempt, known.cancel_asked)
            assert (row.lease_until is not None) == (row.lease_owner is not None) == (row.state in WORKING)
            assert (row.ended_at is not None) == (row.state in ENDED)
        newest = sa.select(JobTimeline.job_id, sa.func.max(JobTimeline.version)).group_by(JobTimeline.job_id)
        assert {row[0]: row[1] for row in session.execute(newest)} == {
            job: known.versions for job, known in self.known.items() if known.versions
        }
        steps = {(row.job_id, row.input_digest): row.output_digest for row in session.scalars(sa.select(JobStep))}
        assert steps == {(job, given): made for job, known in self.known.items() for given, made in known.steps.items()}

    def _nothing_is_lost(self, session: Session, rows: Mapping[str, JobRow]) -> None:
        """Each job that has not ended is held, or may be claimed and will ring, or waits for the reaper to end it."""
        now = utc_now()
        most = bell.AGAIN * 2**bell.MOST_DOUBLINGS + timedelta(seconds=5)
        belled = set(session.scalars(sa.select(Outbox.job_id)))
        for job, known in self.known.items():
            row = rows[job]
            assert 0 <= row.attempt <= MAX_ATTEMPTS
            if known.state == "queued":
                assert known.due() or known.late()
                rings = job in belled or row.ring_after is not None
                # What is late waits for the reaper; so does, with no wait of its own, what was freed from a bound's.
                assert known.late() or rings or self.bounds.running is not None
            elif known.state in WORKING and not known.overdue:
                assert row.lease_until is not None
                assert row.lease_until > now
            assert row.ring_after is None or (known.rung and row.ring_after < now + most)

    def _what_is_shown_has_files_and_an_approval(self, session: Session) -> None:
        outputs = {row.job_id: (row.fence, row.digest) for row in session.scalars(sa.select(JobOutput))}
        assert {job: fence for job, (fence, _) in outputs.items()} == {
            job: known.made_by for job, known in self.known.items() if known.made_by is not None
        }
        for job, known in self.known.items():
            assert known.published <= 1
            if known.state in (*SHOWN, "withdrawn"):
                assert outputs[job][1] == f"{known.made_by:064x}"
            if known.state in ("approved", "published", "withdrawn"):
                assert known.approved

    def _shots_rest_while_a_job_shows_them(self, session: Session) -> None:
        rested = set(session.scalars(sa.select(Shot.id).where(uses.rested(uses.Issue(SERIES, "another"), DAYS))))
        assert rested == set(self.shot_ids) - self._resting("")
        shown = [known.shots for known in self.known.values() if known.state in SHOWN]
        assert len(set().union(*shown)) == sum(len(shots) for shots in shown)

    @contextlib.contextmanager
    def nothing_changes(self) -> Iterator[None]:
        before = self._dump()
        yield
        assert self._dump() == before

    def _dump(self) -> list[Any]:
        tables = [table.__table__ for table in (JobRow, Outbox, JobOutput, JobTimeline, JobStep, ShotUse)]
        with self.sessions.read() as session:
            return [sorted(map(repr, session.execute(sa.select(table)))) for table in tables]

    def teardown(self) -> None:
        """At last all workers are gone and the broker is well: one round brings each job to an end."""
        if sys.exc_info()[0] is None:
            self._run_out([job for job, known in self.known.items() if known.state in WORKING])
            self.messages = []  # the broker lost them all
            self.reap(later=True)
            bell.relay(self.sessions, self._sender(itertools.repeat("doubled")))
            for job in self.messages:
                if claim := self._claim(job):
                    self._write_word(claim, "finish", frozenset(), "")
                    self._remember(claim, "finish", frozenset(), "")
            assert {job for job, known in self.known.items() if known.state not in ENDED} == set()
            self.all_is_well()
            assert bell.reap(self.sessions) == bell.Reaped(0, 0, 0)
        super().teardown()


def run(sessions: Sessions, examples: int, steps: int = STEPS) -> None:
    """Run the machine on an empty store, again and again."""
    with sessions.write() as session:
        put(session, "a.mp4", *[a_shot(["exterior"]) for _ in range(3)])
        shots = tuple(session.scalars(sa.select(Shot.id).order_by(Shot.id)))
    chosen = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
    )

    class Here(LedgerMachine):
        def __init__(self) -> None:
            super().__init__(sessions, shots)

    run_state_machine_as_test(Here, settings=chosen)

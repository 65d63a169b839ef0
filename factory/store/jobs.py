"""The ledger: where each job stands, and who may move it on.

Job truth lives here; a message queue is only the bell. A worker claims a job with a growing fence, a lease and a
counted attempt; every later word of that worker carries its fence, so that a worker that was thought dead and comes
back changes nothing. Each function is one short step inside the caller's transaction (`sessions.write()`).
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from factory import traces
from factory.plan.brief import Brief
from factory.plan.embargo import Embargo
from factory.plan.facts import Car
from factory.store import embargoes, job_lookup, places, uses
from factory.store.columns import utc_now
from factory.store.db import clock, insert_new
from factory.store.job import (
    ENDED,
    LEASE,
    MAX_ATTEMPTS,
    MOVES,
    PRIORITIES,
    QUEUE_OF,
    WORKING,
    Beat,
    Claim,
    FenceLost,
    IdempotencyConflict,
    NoSuchPriority,
    Ordered,
    Output,
    State,
    Submitted,
    Wishes,
    WrongState,
)
from factory.store.schema import JobOutput, JobRow, JobStep, JobTimeline, Outbox
from factory.store.urgency import due, next_due
from factory.store.words import storable

MOST_ERROR_TEXT = 4000  # characters kept, the last ones: an error's end says most
AS_USUAL = Wishes()

# --- ordering --------------------------------------------------------------------------------------------------------


def submit(
    session: Session,
    ordered: Ordered,
    *,
    key: str | None = None,
    by: str = "",
    embargo: Embargo | None = None,
    wishes: Wishes = AS_USUAL,
) -> Submitted:
    """Write the job and its bell in one transaction. The same `key` gives the same job, however often and at once.

    `embargo` is about publishing, `wishes` are about when: they are no part of the order, and a key that is known keeps
    those of its job.
    Raises IdempotencyConflict where the key was used for another order, QueueFull where no more jobs may wait.
    """
    if wishes.priority not in PRIORITIES:
        raise NoSuchPriority(
            f"there is no priority {wishes.priority}", next_step="use 0 to 9; 9 is taken first, 5 is usual"
        )
    kind, spec = ordered.kind, ordered.canonical_json()
    digest = hashlib.sha256(spec.encode()).hexdigest()
    job = secrets.token_hex(8)
    queue = QUEUE_OF[kind]
    row: dict[str, Any] = {
        "id": job,
        "idempotency_key": key,
        "kind": kind,
        "queue": queue,
        "spec": spec,
        "spec_digest": digest,
        "series": ordered.series,
        "submitted_by": storable(by)[:200],
        "embargo": embargo,
        **asdict(wishes),
    }
    row["traceparent"] = traces.mark("order", kind=kind, by=by)
    most = places.most_waiting(session, queue)
    if most is not None:
        known = _of_key(session, key, digest)  # before there is a word of a full queue: it waits there already
        if known is not None:
            return known
        places.require_room(session, queue, most)
    if insert_new(session, JobRow, [row]):
        ring(session, job, kind)
        return Submitted(job, new=True)
    known = _of_key(session, key, digest)
    assert known is not None, "only its key can forbid a new job"
    return known


def _of_key(session: Session, key: str | None, digest: str) -> Submitted | None:
    """Return the job of an idempotency key, if it is known."""
    if key is None:
        return None
    chosen = sa.select(JobRow.id, JobRow.spec_digest).where(JobRow.idempotency_key == key)
    known = session.execute(chosen).one_or_none()
    if known is None:
        return None
    if known.spec_digest != digest:
        raise IdempotencyConflict(
            f"the idempotency key {key!r} belongs to job {known.id}, which is another order",
            next_step="use a new key for a new order",
        )
    return Submitted(known.id, new=False)


def ring(session: Session, job: str, task: str) -> None:
    """Put the bell into the outbox; the relay rings it once this transaction is committed."""
    session.execute(sa.insert(Outbox).values(job_id=job, task=task))


def moved(verb: str) -> sa.ColumnElement[str]:
    """Return the state that a verb leaves a job in, by the one that it is in."""
    return sa.case(MOVES[verb], value=JobRow.state)


# --- the worker's verbs ----------------------------------------------------------------------------------------------


def ring_next(session: Session, queue: str) -> None:
    """Ring for the most urgent job that may be begun now that a place is free. Only a bounded queue has waited for it:
    elsewhere each job was rung for when it came."""
    if not places.bounds(session, queue).running:
        return
    rung = sa.exists().where(Outbox.job_id == JobRow.id)
    first = sa.select(JobRow.id, JobRow.kind).where(JobRow.id.in_(next_due(session, [queue], limit=1)), ~rung)
    for row in session.execute(first).all():
        ring(session, row.id, row.kind)


def claim(session: Session, job: str, *, worker: str, lease: timedelta = LEASE) -> Claim | None:
    """Take the job, or return None where it is not to be had: a repeated message costs one update that changes nothing.

    The attempt is counted here, before any work, because a poison clip kills its worker before that can report.
    A queue whose places are all taken gives none of its jobs.
    """
    taken = _take(session, job, ~places.bounded(), worker, lease)
    if taken is None and places.room(session, job):
        taken = _take(session, job, sa.true(), worker, lease)
    if taken is None:
        return None
    session.execute(sa.delete(Outbox).where(Outbox.job_id == job))
    return Claim(job, taken.kind, taken.fence, taken.attempt, taken.spec, worker)


def _take(
    session: Session, job: str, where: sa.ColumnElement[bool], worker: str, lease: timedelta
) -> sa.Row[str, int, int, str] | None:
    return session.execute(
        sa.update(JobRow)
        .where(JobRow.id == job, due(session), where)
        .values(
            state=moved("claim"),
            fence=JobRow.fence + 1,
            attempt=JobRow.attempt + 1,
            lease_owner=worker[:200],
            lease_until=clock(session, lease),
            started_at=sa.func.coalesce(JobRow.started_at, clock(session)),
            rings=0,
            ring_after=None,
        )
        .returning(JobRow.kind, JobRow.fence, JobRow.attempt, JobRow.spec)
        .execution_options(synchronize_session=False)
    ).one_or_none()


def beat(
    session: Session, held: Claim, *, progress: float | None = None, step: str | None = None, lease: timedelta = LEASE
) -> Beat:
    """Renew the lease and tell how far the work is. The answer: go on, stop for a cancel, or the job is lost.

    It is lost too where the lease ran out in a bounded queue and another job has the place. Whoever was silent and
    speaks again is rung for at once when it falls silent once more.
    """
    values: dict[str, Any] = {"lease_until": clock(session, lease), "rings": 0, "ring_after": None}
    if progress is not None:
        values["progress"] = min(1.0, max(0.0, progress))
    if step is not None:
        values["step"] = step[:64]
    told = _held(held).values(**values).returning(JobRow.cancel_asked).execution_options(synchronize_session=False)
    asked = session.scalars(told.where(~places.bounded())).one_or_none()
    if asked is None and (room := places.room(session, held.job)) is not None:
        still = sa.true() if room else JobRow.lease_until >= clock(session)
        asked = session.scalars(told.where(still)).one_or_none()
    if asked is None:
        return "lost"
    return "cancel" if asked else "go-on"


def save_timelines(session: Session, held: Claim, bodies: Mapping[str, str], *, author: str = "") -> None:
    """Save what will be rendered, a new version for each aspect; the job goes from planning to rendering."""
    _still_held(session, held, state=moved("render"))
    _add_timelines(session, held.job, bodies, author)


def start_rendering(session: Session, held: Claim) -> None:
    """Go on to rendering with the timelines that are saved already."""
    _still_held(session, held, state=moved("render"))


def save_step(
    session: Session, held: Claim, name: str, *, input_digest: str, output_digest: str, seconds: float
) -> None:
    """Remember that a step is done for this input, what it made and how long it took."""
    _still_held(session, held, step=name)
    row = {"job_id": held.job, "name": name, "input_digest": input_digest, "output_digest": output_digest}
    insert_new(session, JobStep, [row | {"fence": held.fence, "wall_seconds": seconds}])


def finish(
    session: Session,
    held: Claim,
    outputs: Sequence[Output],
    *,
    shots: Iterable[int] = (),
    cars: Iterable[Car] = (),
    cars_told: bool = False,
) -> State:
    """Name the finished files and wait for a person's review. Returns `cancelled` where a cancel came before.

    `shots` and `cars` are those that it shows and speaks of; `cars_told`: the order's own table tells of the cars.
    """
    if not outputs:
        raise ValueError(f"job {held.job} cannot be finished without a file")
    ended = _release(session, held, "finish", progress=1.0, step="", error_code=None, error_text=None, next_step=None)
    if ended != "review":
        return ended
    session.execute(sa.delete(JobOutput).where(JobOutput.job_id == held.job))
    for output in outputs:
        session.add(JobOutput(job_id=held.job, fence=held.fence, **asdict(output)))
    uses.note_shown(session, held.job, shots)
    embargoes.note_cars(session, held.job, cars, as_told=cars_told)
    return ended


def settle(session: Session, held: Claim, told: str) -> State:
    """End work that no person reviews; `told` says what came of it, 64 characters at most. Returns `cancelled` where a
    cancel came before."""
    if held.kind == Brief.kind:
        raise ValueError(f"job {held.job} makes a video, which a person reviews")
    return _release(
        session, held, "settle", progress=1.0, step=told[:64], error_code=None, error_text=None, next_step=None
    )


def fail(session: Session, held: Claim, *, code: str, text: str, next_step: str = "") -> State:
    """End the job: it was refused, and trying again would be refused again."""
    return _release(session, held, "fail", **_error(code, text, next_step))


def crash(session: Session, held: Claim, *, code: str, text: str, next_step: str = "") -> State:
    """Give up this attempt: the job waits for the next one, or is dead where this was the last."""
    verb = "die" if held.attempt >= MAX_ATTEMPTS else "crash"
    return _release(session, held, verb, **_error(code, text, next_step))


def hand_back(session: Session, held: Claim) -> State:
    """Return the job untouched because this worker is asked to end: no attempt is burnt."""
    return _release(session, held, "hand_back", attempt=JobRow.attempt - 1)


def stop(session: Session, held: Claim) -> State:
    """End a job whose cancel flag the worker has seen."""
    return _release(session, held, "stop")


def _release(session: Session, held: Claim, verb: str, **values: Any) -> State:
    """End this worker's hold. A cancel that was asked meanwhile wins over every other end."""
    ended = sa.case((JobRow.cancel_asked, moved("stop")), else_=moved(verb))
    over = sa.or_(JobRow.cancel_asked, sa.literal(MOVES[verb]["planning"] in ENDED))
    row = session.execute(
        _held(held)
        .where(JobRow.state.in_(MOVES[verb]))
        .values(
            state=ended,
            lease_owner=None,
            lease_until=None,
            ended_at=sa.case((over, clock(session))),
            **values,
        )
        .returning(JobRow.state, JobRow.kind, JobRow.queue)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if row is None:
        raise _lost(session, held)
    if row.state == "queued":
        ring(session, held.job, row.kind)
    ring_next(session, row.queue)
    return cast("State", row.state)


def _still_held(session: Session, held: Claim, **values: Any) -> None:
    """Write values to the row, or raise FenceLost."""
    update = _held(held).values(**values).returning(JobRow.id).execution_options(synchronize_session=False)
    if session.execute(update).one_or_none() is None:
        raise _lost(session, held)


def _held(held: Claim) -> sa.Update:
    """Return an update that hits the row only while the claim holds."""
    return sa.update(JobRow).where(JobRow.id == held.job, JobRow.fence == held.fence, JobRow.state.in_(WORKING))


def _lost(session: Session, held: Claim) -> FenceLost:
    row = session.execute(sa.select(JobRow.state, JobRow.fence).where(JobRow.id == held.job)).one_or_none()
    now = "is gone" if row is None else f"is {row.state} under fence {row.fence}"
    return FenceLost(
        f"job {held.job} {now}; this worker held fence {held.fence}",
        next_step="nothing: the worker that holds the job now finishes it",
    )


def _error(code: str, text: str, next_step: str) -> dict[str, str]:
    kept = storable(text)[-MOST_ERROR_TEXT:]
    return {"error_code": code[:64], "error_text": kept, "next_step": storable(next_step)[:MOST_ERROR_TEXT]}


# --- people's verbs --------------------------------------------------------------------------------------------------


def cancel(session: Session, job: str) -> State:
    """Cancel a job. One that is worked on is only asked: its worker stops within seconds and says so itself."""
    asked = (
        sa.update(JobRow)
        .where(JobRow.id == job, JobRow.state.in_(WORKING))
        .values(cancel_asked=True)
        .returning(JobRow.state)
        .execution_options(synchronize_session=False)
    )
    working = session.scalars(asked).one_or_none()
    if working is not None:
        return cast("State", working)
    state = _by_person(session, job, "cancel", cancel_asked=True, ended_at=utc_now())
    session.execute(sa.delete(Outbox).where(Outbox.job_id == job))
    return state


def approve(session: Session, job: str) -> State:
    return _by_person(session, job, "approve")


def publish(session: Session, job: str, *, now: datetime | None = None) -> State:
    """Mark an approved job as published. Its files are the ones that its outputs name.

    Raises UnderEmbargo before the latest embargo of the order, its cars and its clips has ended.
    """
    known = job_lookup.get(session, job)
    if known.state in MOVES["publish"]:
        embargoes.require_free(session, known.id, now or utc_now())
    state = _by_person(session, job, "publish")
    uses.note_published(session, job)
    return state


def hold(session: Session, job: str, embargo: Embargo | None) -> None:
    """Put the order under an embargo of its own, or lift that one; those of its cars and clips stay."""
    known = job_lookup.get(session, job)
    if known.state in ("published", "withdrawn"):
        raise WrongState(
            f"job {known.id} is {known.state} already", next_step="withdraw it with the page, if it must go"
        )
    session.execute(sa.update(JobRow).where(JobRow.id == known.id).values(embargo=embargo))


def withdraw(session: Session, job: str) -> State:
    return _by_person(session, job, "withdraw")


def retry(session: Session, job: str) -> State:
    """Queue a job anew that failed, died or was cancelled, with all its attempts. A deadline that has passed is lifted:
    whoever retries wants it all the same."""
    return _queue_anew(session, job, "retry")


def revise(session: Session, job: str, bodies: Mapping[str, str], *, author: str) -> State:
    """Save an editor's timelines as new versions and queue the job: only its rendering is repeated."""
    state = _queue_anew(session, job, "revise")
    _add_timelines(session, job, bodies, author)
    return state


def _queue_anew(session: Session, job: str, verb: str) -> State:
    clean: dict[str, Any] = {"error_code": None, "error_text": None, "next_step": None}
    clean |= {"started_at": None, "ended_at": None}
    clean["deadline"] = sa.case((JobRow.deadline > clock(session), JobRow.deadline))
    state = _by_person(session, job, verb, attempt=0, cancel_asked=False, progress=0.0, step="", **clean)
    ring(session, job, session.scalars(sa.select(JobRow.kind).where(JobRow.id == job)).one())
    return state


def _by_person(session: Session, job: str, verb: str, **values: Any) -> State:
    move = (
        sa.update(JobRow)
        .where(JobRow.id == job, JobRow.state.in_(MOVES[verb]))
        .values(state=moved(verb), **values)
        .returning(JobRow.state)
        .execution_options(synchronize_session=False)
    )
    state = session.scalars(move).one_or_none()
    if state is None:
        raise WrongState(
            f"job {job} is {job_lookup.get(session, job).state}; {verb} needs {' or '.join(MOVES[verb])}",
            next_step="look at the job with `factory jobs`",
        )
    return cast("State", state)


def _add_timelines(session: Session, job: str, bodies: Mapping[str, str], author: str) -> None:
    newest = job_lookup.timelines(session, job)
    for aspect, body in bodies.items():
        version = newest[aspect].version + 1 if aspect in newest else 1
        session.add(JobTimeline(job_id=job, aspect=aspect, version=version, body=body, author=storable(author)[:200]))

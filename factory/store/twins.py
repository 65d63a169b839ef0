"""Shots of the library that show the same moments: found when a clip comes in, listed for people.

A look-up is one product of the clip's sketches with those of the whole library; only what is nearest is compared
glance by glance (`understanding.near_duplicates`). Twins of twins are one group, whose number all of them carry.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy.orm import Session, aliased

from factory.store.schema import Asset, Shot, ShotGlances, ShotSketch, ShotTwin
from understanding.glances import pack, unpack
from understanding.near_duplicates import SKETCH, Moves, Same, compare, moves_of, sketch
from understanding.tagged import TaggedShot

NEAR: Final = 0.7  # cosine of two sketches from which shots are compared
MOST_COMPARED: Final = 32  # of the shots nearest to one
BLOCK: Final = 8192  # sketches looked at together
AT_ONCE: Final = 500  # ids in one statement


@dataclass(frozen=True, slots=True)
class Twin:
    """A pair of shots that show the same moments, and why: how alike, for how long, and how they lie in time."""

    shot: int
    twin: int
    likeness: float
    seconds: Fraction
    shift: Fraction
    mirrored: bool


@dataclass(frozen=True, slots=True)
class Member:
    """A shot of a group: [start, end) seconds of the file that was ingested from `path`."""

    shot: int
    asset: str
    path: str
    start: Fraction
    end: Fraction


@dataclass(frozen=True, slots=True)
class Group:
    """Shots of clips in use that show the same moments, oldest first, and the pairs that say so."""

    shots: tuple[Member, ...]
    pairs: tuple[Twin, ...]


# --- recording -------------------------------------------------------------------------------------------------------


def record(session: Session, shots: dict[int, TaggedShot]) -> int:
    """Keep what near-duplicates of these shots (by id) are known by, find theirs, and return how many pairs there are.

    Pairs that were known of them are forgotten first.
    """
    _forget(session, shots)
    told = {number: shot for number, shot in shots.items() if len(shot.glances)}
    session.add_all(ShotSketch(shot_id=n, sketch=sketch(shot.vector).tobytes()) for n, shot in told.items())
    session.add_all(ShotGlances(shot_id=n, glances=pack(shot.glances)) for n, shot in told.items())
    session.flush()
    found = {
        tuple(sorted((number, other))): (same if number < other else same.turned())
        for number, other, same in _found(session, told)
    }
    for (first, second), same in found.items():
        session.add(_row(first, second, same))
    session.flush()
    _group(session, {number for pair in found for number in pair})
    return len(found)


def _row(first: int, second: int, same: Same) -> ShotTwin:
    return ShotTwin(
        shot_id=first,
        twin_id=second,
        likeness=same.likeness,
        seconds=same.seconds,
        shift=same.shift,
        mirrored=same.mirrored,
    )


def _forget(session: Session, shots: Iterable[int]) -> None:
    """Take these shots out of their groups, and what was kept of them away."""
    ids = list(shots)
    groups = set(session.scalars(sa.select(Shot.twins).where(Shot.id.in_(ids), Shot.twins.is_not(None))))
    left = set(session.scalars(sa.select(Shot.id).where(Shot.twins.in_(groups))))
    session.execute(sa.delete(ShotTwin).where(ShotTwin.shot_id.in_(ids) | ShotTwin.twin_id.in_(ids)))
    for kept in (ShotSketch, ShotGlances):
        session.execute(sa.delete(kept).where(kept.shot_id.in_(ids)))
    _group(session, left)


def _found(session: Session, shots: dict[int, TaggedShot]) -> Iterator[tuple[int, int, Same]]:
    """Compare each shot with those nearest to it, and yield the pairs that show the same moments."""
    moves = {number: moves_of(shot.glances) for number, shot in shots.items()}
    moving = [number for number in shots if moves[number].moving.any()]
    ids, sketches = _sketches(session)
    for number in moving:
        for other in _nearest(number, ids, sketches):
            if other in shots and other < number:
                continue  # met before, the other way round
            same = compare(moves[number], moves.get(other) or _moves(session, other))
            if same is not None:
                yield number, other, same


def _nearest(number: int, ids: NDArray[np.int64], sketches: NDArray[np.int8]) -> list[int]:
    """Return the shots whose sketches are nearest to that of `number`, the nearest first."""
    near = _cosines(sketches, sketches[np.searchsorted(ids, number)].astype(np.float32))
    near[ids == number] = 0
    best = np.flatnonzero(near >= NEAR)
    best = best[np.argsort(-near[best], kind="stable")[:MOST_COMPARED]]
    return [int(number) for number in ids[best]]


def _cosines(sketches: NDArray[np.int8], own: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return (N,) cosines of sketches with one, block by block: as numbers they take four times their room."""
    parts = [np.zeros(0, np.float32)]
    for start in range(0, len(sketches), BLOCK):
        block = sketches[start : start + BLOCK].astype(np.float32)
        parts.append(block @ own / np.sqrt(np.square(block).sum(axis=1) * (own @ own) + 1e-6))
    return np.concatenate(parts)


def _sketches(session: Session) -> tuple[NDArray[np.int64], NDArray[np.int8]]:
    """Return the ids (N,), ascending, and sketches (N, SKETCH) of all shots."""
    rows = session.execute(sa.select(ShotSketch.shot_id, ShotSketch.sketch).order_by(ShotSketch.shot_id)).all()
    sketches = np.frombuffer(b"".join(row.sketch for row in rows), np.int8).reshape(-1, SKETCH)
    return np.array([row.shot_id for row in rows], np.int64), sketches


def _moves(session: Session, shot: int) -> Moves:
    return moves_of(unpack(session.get_one(ShotGlances, shot).glances))


def _group(session: Session, shots: Iterable[int]) -> None:
    """Number the groups that these shots belong to anew: by their oldest shot, None where a shot is alone."""
    left = set(shots)
    while left:
        group = _joined(session, min(left))
        twins = min(group) if len(group) > 1 else None
        session.execute(sa.update(Shot).where(Shot.id.in_(group)).values(twins=twins))
        left -= group


def _joined(session: Session, shot: int) -> set[int]:
    """Return a shot with its twins, their twins and so on."""
    group, new = {shot}, {shot}
    while new:
        rows = session.execute(
            sa.select(ShotTwin.shot_id, ShotTwin.twin_id).where(ShotTwin.shot_id.in_(new) | ShotTwin.twin_id.in_(new))
        )
        new = {number for row in rows for number in row} - group
        group |= new
    return group


# --- listing ---------------------------------------------------------------------------------------------------------


def groups(session: Session) -> tuple[Group, ...]:
    """Return all groups of near-duplicates among clips in use, the oldest first."""
    pairs = _pairs(session)
    members: dict[int, list[Member]] = {}
    for twins, member in _members(session, {number for pair in pairs for number in (pair.shot, pair.twin)}):
        members.setdefault(twins, []).append(member)
    by_shot = {member.shot: twins for twins, group in members.items() for member in group}
    return tuple(
        Group(tuple(group), tuple(pair for pair in pairs if by_shot[pair.shot] == twins))
        for twins, group in sorted(members.items())
    )


def _pairs(session: Session) -> Sequence[Twin]:
    """Return the pairs of which both clips are in use."""
    one, two = aliased(Shot), aliased(Shot)
    first, second = aliased(Asset), aliased(Asset)
    rows = session.scalars(
        sa.select(ShotTwin)
        .join(one, one.id == ShotTwin.shot_id)
        .join(two, two.id == ShotTwin.twin_id)
        .join(first, first.id == one.asset_id)
        .join(second, second.id == two.asset_id)
        .where(first.status == "added", second.status == "added")
        .order_by(ShotTwin.shot_id, ShotTwin.twin_id)
    )
    return [Twin(r.shot_id, r.twin_id, r.likeness, r.seconds, r.shift, r.mirrored) for r in rows]


def _members(session: Session, shots: Iterable[int]) -> Iterator[tuple[int, Member]]:
    """Yield (group, shot), the oldest shot first."""
    ids = sorted(shots)
    for start in range(0, len(ids), AT_ONCE):
        rows = session.execute(
            sa.select(Shot.twins, Shot.id, Asset.digest, Asset.original, Shot.start, Shot.end)
            .join(Asset, Asset.id == Shot.asset_id)
            .where(Shot.id.in_(ids[start : start + AT_ONCE]))
            .order_by(Shot.id)
        )
        yield from ((row.twins, Member(row.id, row.digest, row.original, row.start, row.end)) for row in rows)

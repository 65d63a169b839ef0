"""Which tagger speaks: checkpoints that were trained here, and a stack of promotions over the one that ships.

The shipped checkpoint is the floor of the stack and is never rolled back; None stands for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from factory.errors import FactoryError
from factory.store.columns import utc_now
from factory.store.db import insert_new
from factory.store.schema import CheckpointRow, Promotion

SHIPPED: Final = "shipped"  # the name of the floor
LEAST_DIGITS: Final = 4  # of a digest that is written short

State = Literal["candidate", "present", "retired"]


class UnknownCheckpoint(FactoryError):
    code = "unknown-checkpoint"


class NothingToRollBack(FactoryError):
    code = "nothing-to-roll-back"


@dataclass(frozen=True, slots=True)
class Kept:
    """A checkpoint, what it was taught and its figures. A candidate has never spoken, a retired one has."""

    digest: str
    made_at: datetime
    began_with: str | None
    trained_on: Mapping[str, Any]
    scores: Mapping[str, Any]
    state: State
    promoted_at: datetime | None


def keep(
    session: Session,
    digest: str,
    *,
    began_with: str | None,
    trained_on: Mapping[str, Any],
    scores: Mapping[str, Any],
) -> None:
    """Write a checkpoint down; one that is known, made again from the same lessons, gets the newer scores."""
    about = {"began_with": began_with, "trained_on": dict(trained_on), "scores": dict(scores)}
    if not insert_new(session, CheckpointRow, [{"digest": digest, "made_at": utc_now(), **about}]):
        session.execute(sa.update(CheckpointRow).where(CheckpointRow.digest == digest).values(about))


def present(session: Session) -> str | None:
    """Return the digest of the checkpoint that speaks, None for the shipped one."""
    row = _top(session)
    return (
        None if row is None or row.checkpoint_id is None else session.get_one(CheckpointRow, row.checkpoint_id).digest
    )


def promote(session: Session, name: str, why: str = "") -> str | None:
    """Let a checkpoint speak, by its digest, the beginning of it, or SHIPPED; return what `present` then returns.

    One that speaks already is not promoted twice. Raises UnknownCheckpoint.
    """
    row = None if name == SHIPPED else _named(session, name)
    digest = row.digest if row else None
    if digest != present(session):
        session.add(Promotion(checkpoint_id=row.id if row else None, why=why))
        session.flush()
    return digest


def roll_back(session: Session) -> str | None:
    """Take the last promotion back and return who speaks now, None for the shipped one. Raises NothingToRollBack."""
    row = _top(session)
    if row is None:
        raise NothingToRollBack(
            "the shipped tagger speaks, and nothing was promoted over it", next_step="see factory model list"
        )
    row.rolled_back_at = utc_now()
    session.flush()
    return present(session)


def kept(session: Session) -> tuple[Kept, ...]:
    """Return every checkpoint, newest first."""
    speaks, last = present(session), _last_promotions(session)
    rows = session.scalars(sa.select(CheckpointRow).order_by(CheckpointRow.id.desc()))
    return tuple(
        Kept(
            digest=row.digest,
            made_at=row.made_at,
            began_with=row.began_with,
            trained_on=row.trained_on,
            scores=row.scores,
            state="present" if row.digest == speaks else "retired" if row.id in last else "candidate",
            promoted_at=last.get(row.id),
        )
        for row in rows
    )


def _top(session: Session) -> Promotion | None:
    """The promotion that holds."""
    standing = sa.select(Promotion).where(Promotion.rolled_back_at.is_(None))
    return session.scalars(standing.order_by(Promotion.id.desc()).limit(1)).one_or_none()


def _last_promotions(session: Session) -> dict[int, datetime]:
    rows = session.scalars(sa.select(Promotion).where(Promotion.checkpoint_id.is_not(None)).order_by(Promotion.id))
    return {row.checkpoint_id: row.promoted_at for row in rows if row.checkpoint_id is not None}


def _named(session: Session, name: str) -> CheckpointRow:
    rows = session.scalars(
        sa.select(CheckpointRow).where(CheckpointRow.digest.startswith(name, autoescape=True)).limit(2)
    ).all()
    if len(rows) != 1 or len(name) < LEAST_DIGITS:
        what = "no checkpoint" if not rows else "more than one checkpoint" if len(rows) > 1 else "too short a name"
        raise UnknownCheckpoint(
            f"{name!r} names {what}", next_step="take a digest from factory model list, or `shipped`"
        )
    return rows[0]

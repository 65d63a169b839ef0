"""The desk's word: what an editor says of a tag of a shot wins over every tagger, and can be taken back."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from factory.errors import FactoryError, WrongUsage
from factory.store.columns import utc_now
from factory.store.schema import Correction, Shot, ShotTag, TagRow
from factory.store.words import storable

DESK = "desk"  # the modality of an editor's correction


class UnknownShot(FactoryError):
    code = "unknown-shot"


class UnknownTag(WrongUsage):
    code = "unknown-tag"


def correct(session: Session, shot: int, tag: str, *, present: bool, author: str = "", note: str = "") -> None:
    """Say that a shot does or does not show a tag. It wins over every tagger, now and later."""
    if session.get(Shot, shot) is None:
        raise UnknownShot(f"there is no shot {shot}", next_step="find shots anew: the library may have changed")
    tag_id = _tag_id(session, tag)
    row = session.get(Correction, (shot, tag_id))
    if row is None:
        row = Correction(shot_id=shot, tag_id=tag_id)
        _remember_machine(session, row)
        session.add(row)
    row.present, row.author, row.note, row.created_at = present, storable(author), storable(note), utc_now()
    _write_over(session, row)


def take_back(session: Session, shot: int, tag: str) -> bool:
    """Withdraw a correction; the machine's word stands again. False where there was none."""
    row = session.get(Correction, (shot, _tag_id(session, tag)))
    if row is None:
        return False
    session.execute(sa.delete(ShotTag).where(ShotTag.shot_id == shot, ShotTag.tag_id == row.tag_id))
    if row.machine_confidence is not None:
        said = {"confidence": row.machine_confidence, "source": row.machine_source, "model_id": row.machine_model_id}
        session.execute(sa.insert(ShotTag).values(tag_id=row.tag_id, shot_id=shot, **said))
    session.delete(row)
    session.flush()
    return True


def correct_again(session: Session, shot: int) -> None:
    """Put the desk's word back over postings that a tagger has just written."""
    for row in session.scalars(sa.select(Correction).where(Correction.shot_id == shot)):
        _remember_machine(session, row)
        _write_over(session, row)


def _remember_machine(session: Session, row: Correction) -> None:
    """Keep in the correction what the machine's posting says."""
    posted = session.get(ShotTag, (row.tag_id, row.shot_id), populate_existing=True)
    row.machine_confidence = None if posted is None else posted.confidence
    row.machine_source = None if posted is None else posted.source
    row.machine_model_id = None if posted is None else posted.model_id


def _write_over(session: Session, row: Correction) -> None:
    session.flush()
    session.execute(sa.delete(ShotTag).where(ShotTag.shot_id == row.shot_id, ShotTag.tag_id == row.tag_id))
    if row.present:
        desk = {"tag_id": row.tag_id, "shot_id": row.shot_id, "confidence": 1.0, "source": DESK}
        session.execute(sa.insert(ShotTag).values(desk))


def _tag_id(session: Session, tag: str) -> int:
    found = session.scalar(sa.select(TagRow.id).where(TagRow.name == tag))
    if found is None:
        raise UnknownTag(f"there is no tag {tag!r}", next_step="use a canonical name of the taxonomy")
    return found

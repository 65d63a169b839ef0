"""Clips, their shots and tags: added once by content, found by query, retired."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, replace
from fractions import Fraction
from typing import Any, Literal

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from factory.errors import FactoryError
from factory.plan.embargo import Embargo
from factory.plan.query import Query
from factory.plan.selection import BurntRegion, Candidate, CandidateTag
from factory.store import catalog, index, twins
from factory.store.columns import microseconds, utc_now
from factory.store.db import insert_new
from factory.store.desk import UnknownShot, UnknownTag, correct_again
from factory.store.files import Adopted
from factory.store.mentions import mentions_of, note_mentions
from factory.store.schema import Asset, Model, Shot, ShotTag, ShotVector, TagRow
from factory.store.words import searchable, storable
from understanding.labels import Taxonomy
from understanding.tagged import TaggedClip, TaggedShot

Order = Literal["best", "newest", "longest"]
Rights = Literal["ok", "restricted", "unknown"]


class UnknownAsset(FactoryError):
    code = "unknown-asset"


class ShotsChanged(FactoryError):
    code = "shots-changed"


@dataclass(frozen=True, slots=True)
class Added:
    """What became of a clip: its row, and whether this call made it."""

    asset: int
    digest: str
    shots: int
    seconds: Fraction
    new: bool


@dataclass(frozen=True, slots=True)
class Spoken:
    """A clip by content and the name that it came with, and the version of the tagger that spoke of it last."""

    digest: str
    file_name: str
    version: str


@dataclass(frozen=True, slots=True)
class Found:
    """How many shots match, and the first of them in the order that was asked for."""

    total: int
    shots: tuple[Candidate, ...]
    scores: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class LibraryFigures:
    """The size of the library."""

    assets: int
    retired: int
    shots: int
    postings: int
    seconds: float


# --- adding ----------------------------------------------------------------------------------------------------------


def save_taxonomy(session: Session, taxonomy: Taxonomy) -> dict[str, int]:
    """Make the tag table say what the taxonomy says; return the ids. Tags that left it stay: shots may carry them."""
    rows = {row.name: row for row in session.scalars(sa.select(TagRow))}
    missing = [label for label in taxonomy if label.name not in rows]
    if missing:
        insert_new(session, TagRow, [{"name": m.name, "facet": m.facet, "zh": m.zh, "en": m.en} for m in missing])
        rows = {row.name: row for row in session.scalars(sa.select(TagRow))}
    for label in taxonomy:
        row = rows[label.name]
        row.facet, row.zh, row.en = label.facet, label.zh, label.en
        row.parent_id = rows[label.parent].id if label.parent else None
    session.flush()
    return {name: row.id for name, row in rows.items()}


def known(session: Session, digest: str) -> Added | None:
    """Return the clip with this content, if it was added before (retired or not)."""
    row = session.execute(sa.select(Asset.id, Asset.seconds).where(Asset.digest == digest)).one_or_none()
    if row is None:
        return None
    shots = session.scalar(sa.select(sa.func.count(Shot.id)).where(Shot.asset_id == row.id)) or 0
    return Added(row.id, digest, shots, row.seconds, new=False)


def add_clip(
    session: Session,
    adopted: Adopted,
    tagged: TaggedClip,
    *,
    original: str,
    taxonomy: Taxonomy,
    rights: Rights = "unknown",
    credit: str = "",
    licence: str = "",
    source_url: str = "",
    embargo: Embargo | None = None,
) -> Added:
    """Write clip, shots, tags and the tagger's version; the caller's transaction makes it one step.

    A clip whose content is known, even one that another process adds at this moment, changes nothing.
    """
    tags = save_taxonomy(session, taxonomy)
    model = _model_id(session, tagged.version)
    provenance = {"rights": rights, "credit": storable(credit), "licence": licence, "source_url": storable(source_url)}
    values = _asset_values(adopted, tagged, storable(original), model) | provenance | {"embargo": embargo}
    if not insert_new(session, Asset, [values]):
        before = known(session, adopted.digest)
        assert before is not None
        return before
    asset = session.scalars(sa.select(Asset).where(Asset.digest == adopted.digest)).one()
    shots: dict[int, TaggedShot] = {}
    for number, shot in enumerate(tagged.shots):
        row = Shot(asset_id=asset.id, number=number, start=shot.start, end=shot.end)
        _describe(row, shot, asset)
        session.add(row)
        session.flush()
        session.add(ShotVector(shot_id=row.id, vector=_packed(shot)))
        _post(session, row.id, shot, tags, model)
        shots[row.id] = shot
    _note_cars(session, asset)
    twins.record(session, shots)
    return Added(asset.id, adopted.digest, len(tagged.shots), asset.seconds, new=True)


def retag(session: Session, digest: str, tagged: TaggedClip, taxonomy: Taxonomy) -> int:
    """Replace what the machine said of a clip by what a newer tagger says. Corrections win and stay."""
    asset = _asset(session, digest)
    if [(s.start, s.end) for s in asset.shots] != [(s.start, s.end) for s in tagged.shots]:
        raise ShotsChanged(
            f"the tagger cuts {asset.file_name!r} into other shots ({len(tagged.shots)}, before {len(asset.shots)})",
            next_step="retire the clip and ingest it anew; its corrections must be made again",
        )
    tags = save_taxonomy(session, taxonomy)
    asset.model_id = _model_id(session, tagged.version)
    for row, shot in zip(asset.shots, tagged.shots, strict=True):
        _describe(row, shot, asset)
        session.get_one(ShotVector, row.id).vector = _packed(shot)
        session.execute(sa.delete(ShotTag).where(ShotTag.shot_id == row.id))
        _post(session, row.id, shot, tags, asset.model_id)
        correct_again(session, row.id)
    _note_cars(session, asset)
    twins.record(session, {row.id: shot for row, shot in zip(asset.shots, tagged.shots, strict=True)})
    return len(tagged.shots)


def _note_cars(session: Session, asset: Asset) -> None:
    """Write which cars of the catalogue the words of this clip name."""
    session.flush()
    shots = list(session.scalars(sa.select(Shot.id).where(Shot.asset_id == asset.id)))
    note_mentions(session, catalog.all_cars(session), shots)


def tagged_by_others(session: Session, version: str) -> tuple[Spoken, ...]:
    """Return the clips in use that another tagger than `version` spoke of last, oldest first."""
    rows = session.execute(
        sa.select(Asset.digest, Asset.file_name, Model.version)
        .join(Model, Model.id == Asset.model_id)
        .where(Model.version != version, Asset.status == "added")
        .order_by(Asset.id)
    )
    return tuple(Spoken(row.digest, row.file_name, row.version) for row in rows)


def _asset_values(adopted: Adopted, tagged: TaggedClip, original: str, model: int) -> dict[str, object]:
    probe = tagged.probe
    file_name = original.rstrip("/").rpartition("/")[2] or original
    return {
        "digest": adopted.digest,
        "original": original,
        "file_name": file_name,
        "bytes": adopted.size,
        "container": storable(probe.container)[:64],
        "codec": storable(probe.codec)[:64],
        "pixel_format": storable(probe.pixel_format)[:64],
        "width": probe.width,
        "height": probe.height,
        "fps_num": probe.fps.numerator,
        "fps_den": probe.fps.denominator,
        "frames": probe.frames,
        "seconds": probe.seconds,
        "seconds_us": microseconds(probe.seconds),
        "rotation": probe.rotation,
        "interlaced": probe.interlaced,
        "variable_rate": probe.variable_rate,
        "sound_codec": None if probe.sound_codec is None else storable(probe.sound_codec)[:64],
        "sound_rate": probe.sound_rate,
        "sound_channels": probe.sound_channels,
        "sound_start": probe.sound_start,
        "title": storable(probe.title) or _title_of(file_name),
        "language": tagged.language[:16],
        "warnings": list(dict.fromkeys((*probe.warnings, *tagged.warnings))),
        "model_id": model,
        "status": "added",
        "created_at": utc_now(),
    }


def _title_of(file_name: str) -> str:
    """`Terra-Pro_dunes.mp4` -> `Terra-Pro dunes`."""
    stem = file_name.rpartition(".")[0] or file_name
    return stem.replace("_", " ").strip()


def _describe(row: Shot, shot: TaggedShot, asset: Asset) -> None:
    quality = shot.quality
    row.length_us = microseconds(shot.end - shot.start)
    row.width, row.height = asset.width, asset.height
    row.luma, row.sharpness, row.motion = quality.luma, quality.sharpness, quality.motion
    row.text_area, row.loudness_db, row.quality = quality.text_area, quality.loudness_db, quality.score
    row.burnt_in, row.speech = storable(shot.burnt_in), storable(shot.speech)
    row.regions = [{"kind": region.kind, "box": list(astuple(region.box))} for region in shot.regions]
    row.words = searchable("\n".join((asset.title, row.speech, row.burnt_in)))


def _packed(shot: TaggedShot) -> bytes:
    return np.asarray(shot.vector, dtype="<f2").tobytes()


def _post(session: Session, shot_id: int, shot: TaggedShot, tags: dict[str, int], model: int) -> None:
    unknown = [t.name for t in shot.tags if t.name not in tags]
    if unknown:
        raise UnknownTag(f"the taxonomy has no tag {', '.join(unknown)}", next_step="tag and store by one taxonomy")
    rows = [
        {
            "tag_id": tags[t.name],
            "shot_id": shot_id,
            "confidence": t.confidence,
            "source": t.modality,
            "model_id": model,
        }
        for t in shot.tags
    ]
    if rows:
        session.execute(sa.insert(ShotTag), rows)


def _model_id(session: Session, version: str) -> int:
    insert_new(session, Model, [{"version": version}])
    return session.scalars(sa.select(Model.id).where(Model.version == version)).one()


# --- finding ---------------------------------------------------------------------------------------------------------


def find_shots(
    session: Session,
    query: Query,
    *,
    limit: int = 20,
    offset: int = 0,
    order: Order = "best",
    vectors: bool = False,
    only: sa.ColumnElement[bool] | None = None,
) -> Found:
    """Return the shots that match, best first: score, then picture quality, then the older. Retired clips never match.

    `vectors` loads each shot's embedding too (for choosing unlike shots); it is left out otherwise, being large.
    `only` is a further condition on `Shot`, one that a query cannot say.
    """
    compiled = index.compile_query(session, query)
    chosen = index.matching_shots(compiled).add_columns(sa.func.count().over().label("total"))
    if only is not None:
        chosen = chosen.where(only)
    rows = session.execute(chosen.order_by(*_ordering(order)).limit(limit).offset(offset)).all()
    total = rows[0].total if rows else index.count(session, query, only) if offset or not limit else 0
    ids = [row.id for row in rows]
    return Found(total, load_shots(session, ids, vectors=vectors), tuple(float(row.score) for row in rows))


def _ordering(order: Order) -> tuple[sa.ColumnElement[Any], ...]:
    best: tuple[sa.ColumnElement[Any], ...] = (sa.literal_column("score").desc(), Shot.quality.desc(), Shot.id.asc())
    first: dict[Order, tuple[sa.ColumnElement[Any], ...]] = {
        "best": (),
        "newest": (Asset.id.desc(),),
        "longest": (Shot.length_us.desc(),),
    }
    return (*first[order], *best)


def load_shots(session: Session, ids: Sequence[int], *, vectors: bool = False) -> tuple[Candidate, ...]:
    """Return these shots in this order. Raises UnknownShot where one does not exist."""
    if not ids:
        return ()
    rows = session.scalars(
        sa.select(Shot).where(Shot.id.in_(ids)).options(joinedload(Shot.asset).joinedload(Asset.model))
    )
    by_id = {row.id: row for row in rows}
    missing = [shot for shot in ids if shot not in by_id]
    if missing:
        raise UnknownShot(f"there is no shot {missing[0]}", next_step="find shots anew: the library may have changed")
    tags = _tags_of(session, ids)
    embeddings = _vectors_of(session, ids) if vectors else {}
    cars = mentions_of(session, ids)
    found = (_candidate(by_id[shot], tags.get(shot, ()), embeddings.get(shot, ())) for shot in ids)
    return tuple(replace(one, cars=cars.get(one.shot, ())) for one in found)


def _tags_of(session: Session, ids: Iterable[int]) -> dict[int, tuple[CandidateTag, ...]]:
    """Return the tags of each shot, most confident first."""
    rows = session.execute(
        sa.select(ShotTag.shot_id, TagRow.name, ShotTag.confidence, ShotTag.source)
        .join(TagRow, TagRow.id == ShotTag.tag_id)
        .where(ShotTag.shot_id.in_(ids))
        .order_by(ShotTag.shot_id, ShotTag.confidence.desc(), TagRow.name)
    )
    tags: dict[int, list[CandidateTag]] = {}
    for row in rows:
        tags.setdefault(row.shot_id, []).append(CandidateTag(row.name, row.confidence, row.source))
    return {shot: tuple(found) for shot, found in tags.items()}


def _vectors_of(session: Session, ids: Sequence[int]) -> dict[int, tuple[float, ...]]:
    rows = session.execute(sa.select(ShotVector.shot_id, ShotVector.vector).where(ShotVector.shot_id.in_(ids)))
    return {row.shot_id: tuple(np.frombuffer(row.vector, dtype="<f2").astype(float).tolist()) for row in rows}


def _candidate(shot: Shot, tags: tuple[CandidateTag, ...], vector: tuple[float, ...]) -> Candidate:
    asset = shot.asset
    words = "\n".join(part for part in (asset.title, shot.speech, shot.burnt_in) if part)
    return Candidate(
        shot=shot.id,
        asset=asset.digest,
        title=asset.title,
        start=shot.start,
        end=shot.end,
        width=shot.width,
        height=shot.height,
        fps=Fraction(asset.fps_num, asset.fps_den),
        has_sound=asset.sound_codec is not None,
        tags=tags,
        words=words,
        vector=vector,
        quality=shot.quality,
        regions=tuple(BurntRegion(one["kind"], *one["box"]) for one in shot.regions or ()),
        rights=asset.rights,
        credit=asset.credit,
        licence=asset.licence,
        model_version=asset.model.version,
        twins=shot.twins,
    )


def paths_as_given(session: Session, digests: Iterable[str]) -> dict[str, str]:
    """Return the path that each clip was ingested from, for people to read."""
    rows = session.execute(sa.select(Asset.digest, Asset.original).where(Asset.digest.in_(list(digests))))
    return {row.digest: row.original for row in rows}


def addresses(session: Session, digests: Iterable[str]) -> dict[str, str]:
    """Return where clips were taken from, those of which that is known."""
    rows = session.execute(
        sa.select(Asset.digest, Asset.source_url).where(Asset.digest.in_(list(digests)), Asset.source_url != "")
    )
    return {row.digest: row.source_url for row in rows}


def digests(session: Session) -> tuple[str, ...]:
    """Return the files of the library that are not retired, oldest first."""
    return tuple(session.scalars(sa.select(Asset.digest).where(Asset.status == "added").order_by(Asset.id)))


def figures(session: Session) -> LibraryFigures:
    """Return how large the library is."""

    def total(what: sa.ColumnElement[int], *where: sa.ColumnElement[bool]) -> int:
        return session.scalar(sa.select(sa.func.coalesce(what, 0)).where(*where)) or 0

    return LibraryFigures(
        assets=total(sa.func.count(Asset.id), Asset.status == "added"),
        retired=total(sa.func.count(Asset.id), Asset.status == "retired"),
        shots=total(sa.func.count(Shot.id)),
        postings=total(sa.func.count(ShotTag.shot_id)),
        seconds=float(total(sa.func.sum(Asset.seconds_us), Asset.status == "added")) / 1_000_000,
    )


# --- retiring ---------------------------------------------------------------------------------------------------------


def retire(session: Session, digest: str) -> None:
    """Take a clip out of every search. Its file and rows stay, so that finished videos keep their trace."""
    asset = _asset(session, digest)
    asset.status, asset.retired_at = "retired", asset.retired_at or utc_now()


def restore(session: Session, digest: str) -> None:
    """Bring a retired clip back."""
    asset = _asset(session, digest)
    asset.status, asset.retired_at = "added", None


def _asset(session: Session, digest: str) -> Asset:
    asset = session.scalars(sa.select(Asset).where(Asset.digest == digest)).one_or_none()
    if asset is None:
        raise UnknownAsset(f"there is no clip {digest}", next_step="ingest it first")
    return asset

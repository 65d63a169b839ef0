"""Every table. SQL is the truth; the files behind the digests are in `files.Files`."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any, get_args

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from factory.plan.embargo import Embargo
from factory.store.columns import BigId, Exact, Moment, Number, Until, utc_now
from factory.store.job import State

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

Digest = String(64)  # sha256, lower-case hex

STATES: tuple[str, ...] = get_args(State)

RIGHTS = ("ok", "restricted", "unknown")  # may it be published?


def one_of(column: str, values: tuple[str, ...]) -> str:
    """Return the SQL of a check that a column holds one of these words (constants of this house, never input)."""
    return f"{column} IN ({', '.join(repr(v) for v in values)})"


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map = {  # noqa: RUF012  (SQLAlchemy's own word)
        datetime: Moment(),
        Fraction: Exact(),
        Decimal: Number(),
        Embargo: Until(),
        dict[str, Any]: JSON(),
        list[str]: JSON(),
        list[dict[str, Any]]: JSON(),
    }


# --- the library: clips, shots, tags ---------------------------------------------------------------------------------


class Model(Base):
    """A tagger (weights, taxonomy and code) by the name that it gives itself."""

    __tablename__ = "model"

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[str] = mapped_column(String(200), unique=True)


class CheckpointRow(Base):
    """Weights that were trained here, by the sha256 of their file. `began_with` names those that spoke at the time."""

    __tablename__ = "checkpoint"

    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(Digest, unique=True)
    made_at: Mapped[datetime] = mapped_column(default=utc_now)
    began_with: Mapped[str | None] = mapped_column(Digest)
    trained_on: Mapped[dict[str, Any]]
    scores: Mapped[dict[str, Any]]


class Promotion(Base):
    """A checkpoint became the present one, or the shipped one did (None). The newest that was not rolled back holds."""

    __tablename__ = "promotion"

    id: Mapped[int] = mapped_column(primary_key=True)
    checkpoint_id: Mapped[int | None] = mapped_column(ForeignKey("checkpoint.id"))
    promoted_at: Mapped[datetime] = mapped_column(default=utc_now)
    why: Mapped[str] = mapped_column(Text, default="")
    rolled_back_at: Mapped[datetime | None]


class Asset(Base):
    """A file of the library, named by the sha256 of its bytes. Sizes are pixels as shown, `seconds` is exact."""

    __tablename__ = "asset"
    __table_args__ = (
        CheckConstraint(one_of("status", ("added", "retired")), name="status"),
        CheckConstraint(one_of("rights", RIGHTS), name="rights"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    digest: Mapped[str] = mapped_column(Digest, unique=True)
    original: Mapped[str] = mapped_column(Text)  # path as it was given
    file_name: Mapped[str] = mapped_column(Text)
    bytes: Mapped[int] = mapped_column(BigId)
    container: Mapped[str] = mapped_column(String(64))
    codec: Mapped[str] = mapped_column(String(64))
    pixel_format: Mapped[str] = mapped_column(String(64))
    width: Mapped[int]
    height: Mapped[int]
    fps_num: Mapped[int] = mapped_column(BigId)
    fps_den: Mapped[int] = mapped_column(BigId)
    frames: Mapped[int] = mapped_column(BigId)
    seconds: Mapped[Fraction]
    seconds_us: Mapped[int] = mapped_column(BigId)  # the same in whole microseconds
    rotation: Mapped[int] = mapped_column(SmallInteger)
    interlaced: Mapped[bool]
    variable_rate: Mapped[bool]
    sound_codec: Mapped[str | None] = mapped_column(String(64))
    sound_rate: Mapped[int | None]
    sound_channels: Mapped[int | None]
    sound_start: Mapped[Fraction]
    title: Mapped[str] = mapped_column(Text)
    language: Mapped[str] = mapped_column(String(16))
    warnings: Mapped[list[str]]
    model_id: Mapped[int] = mapped_column(ForeignKey("model.id"))
    rights: Mapped[str] = mapped_column(String(16), default="unknown")
    credit: Mapped[str] = mapped_column(Text, default="")
    licence: Mapped[str] = mapped_column(String(200), default="")
    source_url: Mapped[str] = mapped_column(Text, default="")
    status: Mapped[str] = mapped_column(String(16), default="added")
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    retired_at: Mapped[datetime | None]
    embargo: Mapped[Embargo | None]

    model: Mapped[Model] = relationship()
    shots: Mapped[list[Shot]] = relationship(back_populates="asset", order_by="Shot.number", passive_deletes=True)


class Shot(Base):
    """[start, end) seconds of an asset. What queries filter by is repeated here, so that they read one row."""

    __tablename__ = "shot"
    __table_args__ = (UniqueConstraint("asset_id", "number"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    asset_id: Mapped[int] = mapped_column(ForeignKey("asset.id", ondelete="CASCADE"))
    number: Mapped[int]  # from 0 within the asset
    start: Mapped[Fraction]
    end: Mapped[Fraction]
    length_us: Mapped[int] = mapped_column(BigId)
    width: Mapped[int]
    height: Mapped[int]
    luma: Mapped[float]
    sharpness: Mapped[float]
    motion: Mapped[float]
    text_area: Mapped[float]
    loudness_db: Mapped[float]
    quality: Mapped[float]  # ShotQuality.score
    burnt_in: Mapped[str] = mapped_column(Text)
    speech: Mapped[str] = mapped_column(Text)
    words: Mapped[str] = mapped_column(Text)  # title, speech and burnt-in text as `words.searchable` writes them
    twins: Mapped[int | None] = mapped_column(BigId, index=True)  # the same in all shots that show the same moments
    # what is burnt in: {"kind": ..., "box": [left, top, right, bottom]} in shares of the picture; null: not looked for
    regions: Mapped[list[dict[str, Any]] | None]

    asset: Mapped[Asset] = relationship(back_populates="shots")


class ShotVector(Base):
    """A shot's embedding, apart from the shot: a scan of shots would else read a page for each."""

    __tablename__ = "shot_vector"

    shot_id: Mapped[int] = mapped_column(ForeignKey("shot.id", ondelete="CASCADE"), primary_key=True)
    vector: Mapped[bytes] = mapped_column(LargeBinary)  # (D,) float16, little-endian, unit length


class ShotSketch(Base):
    """What near-duplicates of a shot are looked up by; small, for each look-up reads them all."""

    __tablename__ = "shot_sketch"

    shot_id: Mapped[int] = mapped_column(ForeignKey("shot.id", ondelete="CASCADE"), primary_key=True)
    sketch: Mapped[bytes] = mapped_column(LargeBinary)  # near_duplicates.sketch, (128,) int8


class ShotGlances(Base):
    """What near-duplicates of a shot are told by."""

    __tablename__ = "shot_glances"

    shot_id: Mapped[int] = mapped_column(ForeignKey("shot.id", ondelete="CASCADE"), primary_key=True)
    glances: Mapped[bytes] = mapped_column(LargeBinary)  # as glances.pack writes them


class ShotTwin(Base):
    """Two shots that show the same moments: what the one shows at t seconds, the other shows at t - `shift`."""

    __tablename__ = "shot_twin"
    __table_args__ = (CheckConstraint("shot_id < twin_id", name="order"), Index(None, "twin_id"))

    shot_id: Mapped[int] = mapped_column(ForeignKey("shot.id", ondelete="CASCADE"), primary_key=True)
    twin_id: Mapped[int] = mapped_column(ForeignKey("shot.id", ondelete="CASCADE"), primary_key=True)
    likeness: Mapped[float]
    seconds: Mapped[Fraction]
    shift: Mapped[Fraction]
    mirrored: Mapped[bool]


class TagRow(Base):
    """A tag of the taxonomy by its canonical name. A query for the parent finds this one too."""

    __tablename__ = "tag"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    facet: Mapped[str] = mapped_column(String(32))
    zh: Mapped[str] = mapped_column(String(64))
    en: Mapped[str] = mapped_column(String(64))
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("tag.id"))


class ShotTag(Base):
    """The postings: which shots carry a tag. The key's order is the search's order: tag first."""

    __tablename__ = "shot_tag"
    __table_args__ = (
        Index(None, "shot_id"),
        Index(None, "tag_id", "confidence"),
        {"sqlite_with_rowid": False},
    )

    tag_id: Mapped[int] = mapped_column(ForeignKey("tag.id"), primary_key=True)
    shot_id: Mapped[int] = mapped_column(ForeignKey("shot.id", ondelete="CASCADE"), primary_key=True)
    confidence: Mapped[float]
    source: Mapped[str] = mapped_column(String(16))  # modality that spoke; `desk` for an editor's correction
    model_id: Mapped[int | None] = mapped_column(ForeignKey("model.id"))


class Correction(Base):
    """An editor's word on one tag of one shot. It wins over every tagger and stays when the shot is tagged again.

    What the machine last said is kept beside it, so that the correction can be taken back.
    """

    __tablename__ = "correction"

    shot_id: Mapped[int] = mapped_column(ForeignKey("shot.id", ondelete="CASCADE"), primary_key=True)
    tag_id: Mapped[int] = mapped_column(ForeignKey("tag.id"), primary_key=True)
    present: Mapped[bool]
    author: Mapped[str] = mapped_column(String(200), default="")
    note: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    machine_confidence: Mapped[float | None]
    machine_source: Mapped[str | None] = mapped_column(String(16))
    machine_model_id: Mapped[int | None] = mapped_column(ForeignKey("model.id"))


class ShotUse(Base):
    """A job shows a shot, or is going to: what a cooldown of its series looks at (uses.py)."""

    __tablename__ = "shot_use"
    __table_args__ = (Index(None, "series", "used_at"),)

    shot_id: Mapped[int] = mapped_column(ForeignKey("shot.id", ondelete="CASCADE"), primary_key=True)
    job_id: Mapped[str] = mapped_column(ForeignKey("job.id", ondelete="CASCADE"), primary_key=True)
    series: Mapped[str | None] = mapped_column(String(100))
    video: Mapped[str | None] = mapped_column(Digest)  # the same in all jobs that make one video: cooldown.video_key
    used_at: Mapped[datetime] = mapped_column(default=utc_now)


# --- the catalogue: cars and rankings --------------------------------------------------------------------------------


class SourceRow(Base):
    """Where numbers come from, and of which date."""

    __tablename__ = "source"
    __table_args__ = (UniqueConstraint("name", "date", "url", "licence", "sample"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    date: Mapped[str] = mapped_column(String(32))
    url: Mapped[str] = mapped_column(String(1000))
    licence: Mapped[str] = mapped_column(String(200))
    sample: Mapped[bool]


class CarRow(Base):
    __tablename__ = "car"

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(100), unique=True)
    make: Mapped[str] = mapped_column(String(200))
    name_zh: Mapped[str] = mapped_column(String(200))
    name_en: Mapped[str] = mapped_column(String(200))
    body: Mapped[str] = mapped_column(String(64))
    source_id: Mapped[int] = mapped_column(ForeignKey("source.id"))
    loaded_at: Mapped[datetime] = mapped_column(default=utc_now)
    embargo: Mapped[Embargo | None]

    source: Mapped[SourceRow] = relationship()
    specs: Mapped[list[CarSpec]] = relationship(
        order_by="CarSpec.position", cascade="all, delete-orphan", passive_deletes=True
    )
    names: Mapped[list[CarName]] = relationship(
        order_by="CarName.position", cascade="all, delete-orphan", passive_deletes=True
    )


class ShotMention(Base):
    """Words of a shot name a car of the catalogue. Derived: written anew when the words or the catalogue change."""

    __tablename__ = "shot_mention"
    __table_args__ = (Index(None, "shot_id"), {"sqlite_with_rowid": False})

    car_id: Mapped[int] = mapped_column(ForeignKey("car.id", ondelete="CASCADE"), primary_key=True)
    shot_id: Mapped[int] = mapped_column(ForeignKey("shot.id", ondelete="CASCADE"), primary_key=True)
    confidence: Mapped[float]
    source: Mapped[str] = mapped_column(String(16))  # title, screen or speech: the surest of them


class CarSpec(Base):
    """One stated property of a car, e.g. `range_km` 560 km in the CLTC cycle."""

    __tablename__ = "car_spec"

    car_id: Mapped[int] = mapped_column(ForeignKey("car.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(64))
    name_zh: Mapped[str] = mapped_column(String(200))
    name_en: Mapped[str] = mapped_column(String(200))
    value: Mapped[Decimal]
    unit: Mapped[str] = mapped_column(String(32))
    cycle: Mapped[str] = mapped_column(String(32))


class CarName(Base):
    """A name that a car is found by: `folded` is the name as `words.folded` writes it, `alias` marks further names."""

    __tablename__ = "car_name"

    car_id: Mapped[int] = mapped_column(ForeignKey("car.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    folded: Mapped[str] = mapped_column(String(200), index=True)
    alias: Mapped[bool]


class RankingTable(Base):
    """One dataset: a table in order, best first. Loading the same name and period again replaces it."""

    __tablename__ = "ranking"
    __table_args__ = (UniqueConstraint("name", "period"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    title: Mapped[str] = mapped_column(String(300))
    metric: Mapped[str] = mapped_column(String(200))
    unit: Mapped[str] = mapped_column(String(64))
    period: Mapped[str] = mapped_column(String(64))
    higher_is_better: Mapped[bool]
    source_id: Mapped[int] = mapped_column(ForeignKey("source.id"))
    loaded_at: Mapped[datetime] = mapped_column(default=utc_now)

    source: Mapped[SourceRow] = relationship()
    rows: Mapped[list[RankingPlace]] = relationship(
        order_by="RankingPlace.position", cascade="all, delete-orphan", passive_deletes=True
    )


class RankingPlace(Base):
    __tablename__ = "ranking_row"

    ranking_id: Mapped[int] = mapped_column(ForeignKey("ranking.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    rank: Mapped[int]
    name: Mapped[str] = mapped_column(String(300))
    value: Mapped[Decimal]
    change: Mapped[str] = mapped_column(String(16))
    tied: Mapped[bool]
    previous_rank: Mapped[int | None]
    previous_value: Mapped[Decimal | None]
    car_slug: Mapped[str | None] = mapped_column(String(100))  # no key: a ranking may name a car before it is loaded


# --- the work: jobs, their bell, their schedules ---------------------------------------------------------------------


class JobRow(Base):
    """One order and where it stands. `fence` grows with each claim: only its holder may write (jobs.py)."""

    __tablename__ = "job"
    __table_args__ = (
        CheckConstraint(one_of("state", STATES), name="state"),
        CheckConstraint("attempt >= 0", name="attempt"),
        Index(None, "state", "lease_until"),
        Index(None, "created_at"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    idempotency_key: Mapped[str | None] = mapped_column(String(200), unique=True)
    kind: Mapped[str] = mapped_column(String(32))
    spec: Mapped[str] = mapped_column(Text)  # canonical JSON of what was ordered
    spec_digest: Mapped[str] = mapped_column(Digest)
    series: Mapped[str | None] = mapped_column(String(100))
    submitted_by: Mapped[str] = mapped_column(String(200), default="")
    state: Mapped[str] = mapped_column(String(16), default="queued")
    attempt: Mapped[int] = mapped_column(default=0)
    fence: Mapped[int] = mapped_column(default=0)
    lease_owner: Mapped[str | None] = mapped_column(String(200))
    lease_until: Mapped[datetime | None]
    dispatched_at: Mapped[datetime | None]
    rings: Mapped[int] = mapped_column(default=0)  # times the bell was rung since the last claim
    ring_after: Mapped[datetime | None]  # when it rings again if nobody came
    cancel_asked: Mapped[bool] = mapped_column(default=False)
    progress: Mapped[float] = mapped_column(default=0.0)  # 0..1 of the whole job
    step: Mapped[str] = mapped_column(String(64), default="")
    error_code: Mapped[str | None] = mapped_column(String(64))
    error_text: Mapped[str | None] = mapped_column(Text)
    next_step: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    embargo: Mapped[Embargo | None]  # of the order itself; those of its cars and clips are looked up
    queue: Mapped[str] = mapped_column(String(32), default="rendering", server_default="rendering")
    priority: Mapped[int] = mapped_column(SmallInteger, default=5, server_default="5")  # 0 to 9; 9 is taken first
    deadline: Mapped[datetime | None]  # a job that nobody began by then is not begun any more
    traceparent: Mapped[str | None] = mapped_column(String(64))  # W3C Trace Context of the order


# What waits, in the order in which it is taken: jobs without a deadline, and those with one.
Index(
    "ix_job_waiting",
    *(JobRow.queue, JobRow.priority.desc(), JobRow.created_at, JobRow.id),
    sqlite_where=text("state = 'queued' AND deadline IS NULL"),
    postgresql_where=text("state = 'queued' AND deadline IS NULL"),
)
Index(
    "ix_job_with_deadline",
    *(JobRow.queue, JobRow.priority.desc(), JobRow.deadline, JobRow.created_at, JobRow.id),
    sqlite_where=text("state = 'queued' AND deadline IS NOT NULL"),
    postgresql_where=text("state = 'queued' AND deadline IS NOT NULL"),
)


class Queue(Base):
    """The bounds of one queue; where there is no row, or None, there is no bound."""

    __tablename__ = "queue"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    most_running: Mapped[int | None]
    most_waiting: Mapped[int | None]


class JobChunk(Base):
    """A chunk of a film that its job shares out: whoever holds the lease encodes it into the shared cache."""

    __tablename__ = "job_chunk"

    job_id: Mapped[str] = mapped_column(ForeignKey("job.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(String(100), primary_key=True)  # of the cache
    aspect: Mapped[str] = mapped_column(String(8))
    number: Mapped[int]
    attempt: Mapped[int] = mapped_column(default=0)
    owner: Mapped[str | None] = mapped_column(String(200))
    lease_until: Mapped[datetime | None]
    done_at: Mapped[datetime | None]


class JobCar(Base):
    """A finished job is about this car. `embargo` is what the order's own table said of it."""

    __tablename__ = "job_car"

    job_id: Mapped[str] = mapped_column(ForeignKey("job.id", ondelete="CASCADE"), primary_key=True)
    slug: Mapped[str] = mapped_column(
        String(100), primary_key=True
    )  # no key: an order's own car is not in the catalogue
    embargo: Mapped[Embargo | None]


class JobTimeline(Base):
    """A frozen timeline of one aspect, as JSON. An edit adds a version and never changes one."""

    __tablename__ = "job_timeline"

    job_id: Mapped[str] = mapped_column(ForeignKey("job.id", ondelete="CASCADE"), primary_key=True)
    aspect: Mapped[str] = mapped_column(String(8), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    body: Mapped[str] = mapped_column(Text)
    author: Mapped[str] = mapped_column(String(200), default="")
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class JobStep(Base):
    """A step that is done, by the digest of what went in. A retry finds what it made by content, in the cache."""

    __tablename__ = "job_step"

    job_id: Mapped[str] = mapped_column(ForeignKey("job.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    input_digest: Mapped[str] = mapped_column(Digest, primary_key=True)
    output_digest: Mapped[str] = mapped_column(Digest)
    fence: Mapped[int]
    wall_seconds: Mapped[float]
    done_at: Mapped[datetime] = mapped_column(default=utc_now)


class JobOutput(Base):
    """A finished file. It is visible because this row names it."""

    __tablename__ = "job_output"

    job_id: Mapped[str] = mapped_column(ForeignKey("job.id", ondelete="CASCADE"), primary_key=True)
    aspect: Mapped[str] = mapped_column(String(8), primary_key=True)
    role: Mapped[str] = mapped_column(String(32), primary_key=True)  # video, poster, srt, vtt, timeline, trace, ...
    digest: Mapped[str] = mapped_column(Digest)
    name: Mapped[str] = mapped_column(String(200))
    bytes: Mapped[int] = mapped_column(BigId)
    frames: Mapped[int | None]
    fps: Mapped[Fraction | None]
    fence: Mapped[int]


class Outbox(Base):
    """A bell still to be rung: task `task` for job `job_id`. Written in the transaction that made it due."""

    __tablename__ = "outbox"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    job_id: Mapped[str] = mapped_column(ForeignKey("job.id", ondelete="CASCADE"), index=True)
    task: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    taken_until: Mapped[datetime | None]  # a relay is ringing it


class Schedule(Base):
    """A repeated duty: `cron` in time zone `zone`. `factory/schedule.py` only seeds these rows."""

    __tablename__ = "schedule"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    task: Mapped[str] = mapped_column(String(64))
    cron: Mapped[str] = mapped_column(String(64))
    zone: Mapped[str] = mapped_column(String(64))
    why: Mapped[str] = mapped_column(Text)
    paused: Mapped[bool] = mapped_column(default=False)
    catch_up: Mapped[str] = mapped_column(String(8), default="latest", server_default="latest")  # of moments missed
    most: Mapped[int] = mapped_column(default=10, server_default="10")  # moments made up for, with catch_up "all"
    options: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))  # of the duty


class ScheduleSlot(Base):
    """A due moment of a schedule, once: two schedulers or a late beat never make doubles."""

    __tablename__ = "schedule_slot"

    schedule: Mapped[str] = mapped_column(ForeignKey("schedule.name", ondelete="CASCADE"), primary_key=True)
    due_at: Mapped[datetime] = mapped_column(primary_key=True)
    taken_at: Mapped[datetime] = mapped_column(default=utc_now)
    jobs: Mapped[int] = mapped_column(default=0)  # how many jobs it made
    note: Mapped[str] = mapped_column(Text, default="")
    state: Mapped[str] = mapped_column(String(8), default="done", server_default="done")
    attempt: Mapped[int] = mapped_column(default=1, server_default="1")
    lease_until: Mapped[datetime | None]  # while it runs: whoever works on it is alive until then
    ended_at: Mapped[datetime | None]
    report: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))  # what it made, for people


class Notice(Base):
    """Something that people are to be told, kept until it was taken in. `key` says what it is about, once."""

    __tablename__ = "notice"
    __table_args__ = (Index(None, "next_at"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    key: Mapped[str] = mapped_column(String(200), unique=True)
    event: Mapped[str] = mapped_column(String(32))
    body: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    attempt: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime | None]  # when it is tried next; None: it was sent, or given up
    sent_at: Mapped[datetime | None]
    error: Mapped[str] = mapped_column(Text, default="")  # of the last try

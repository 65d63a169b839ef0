"""Which shot goes where, and why: what choosing takes and gives."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from factory.plan.query import Query


@dataclass(frozen=True, slots=True)
class CandidateTag:
    """A tag of a shot: canonical name, confidence in [0, 1], and who spoke (picture, motion, sound, words or desk)."""

    tag: str
    confidence: float
    modality: str


@dataclass(frozen=True, slots=True)
class BurntRegion:
    """What is burnt into a shot's picture (subtitle, logo or timestamp), its sides in shares of the picture."""

    kind: str
    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True)
class Candidate:
    """A shot that the index offers. Times are seconds from the file's start, half-open; sizes are pixels as shown."""

    shot: int
    asset: str
    title: str
    start: Fraction
    end: Fraction
    width: int
    height: int
    fps: Fraction
    has_sound: bool
    tags: tuple[CandidateTag, ...]
    words: str = ""
    vector: tuple[float, ...] = ()
    quality: float = 1.0
    regions: tuple[BurntRegion, ...] = ()
    rights: str = "unknown"
    credit: str = ""
    licence: str = ""
    model_version: str = ""
    cars: tuple[str, ...] = ()  # slugs of the catalogue's cars that its words name
    twins: int | None = None  # the same in all shots of the library that show the same moments; None: there is no other

    @property
    def seconds(self) -> Fraction:
        return self.end - self.start


LEAST_QUALITY = 0.05  # of a shot's score 0..1: below it a picture is black, or hidden under text


@dataclass(frozen=True, slots=True)
class Pick:
    """How to choose for a slot."""

    min_height: int | None = None
    min_quality: float = LEAST_QUALITY
    diversity: float = 0.3
    cooldown_days: int | None = None  # None: as the order says, see cooldown.rest_days


@dataclass(frozen=True, slots=True)
class Slot:
    """A place for one shot in scene `scene`: it must satisfy `query`; what `prefer` names raises its score, and so does
    naming `car`, the slug of the car that is spoken of. A shot that names only other cars is the last to be taken.
    `speed` is how fast it is to be shown; it takes `seconds` of the program."""

    id: str
    scene: str
    query: Query
    query_text: str
    seconds: Fraction
    pick: Pick = Pick()
    prefer: tuple[str, ...] = ()
    optional: bool = False
    car: str = ""
    speed: Fraction = Fraction(1)


@dataclass(frozen=True, slots=True)
class Reason:
    """One part of a score: `points` it added (or took), which modality spoke, and in words why."""

    points: float
    modality: str
    why: str


@dataclass(frozen=True, slots=True)
class Choice:
    """The shot that a slot got, with the reasons and the five next best (shot id, score)."""

    slot: Slot
    candidate: Candidate
    score: float
    reasons: tuple[Reason, ...]
    next_best: tuple[tuple[int, float], ...] = ()
    offset: Fraction = Fraction(0)  # seconds into the shot at which the slot starts to read

"""A job as a value: its states, the one table of its moves, and what a worker or a door holds of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import ClassVar, Literal, Protocol

from factory.errors import FactoryError, WrongUsage
from factory.plan.brief import Brief
from factory.plan.clip_order import ClipOrder
from factory.plan.embargo import Embargo

State = Literal[
    "queued",
    "planning",
    "rendering",
    "review",
    "approved",
    "published",
    "withdrawn",
    "done",
    "failed",
    "dead",
    "cancelled",
]
Beat = Literal["go-on", "cancel", "lost"]

WORKING: tuple[State, ...] = ("planning", "rendering")
ENDED: tuple[State, ...] = ("review", "approved", "published", "withdrawn", "done", "failed", "dead", "cancelled")
LEASE = timedelta(seconds=30)
MAX_ATTEMPTS = 3

QUEUE_OF: Mapping[str, str] = {"produce": "rendering", "ingest": "tagging"}  # kind of a job -> the queue it waits in
PRIORITIES = range(10)  # the highest is taken first
A_PERSONS = 5  # priority of what a person orders
A_BATCHS = 3  # of what a batch or a schedule orders: it gives way

# verb -> where it may start -> where it ends. Every statement below takes its states from here.
MOVES: Mapping[str, Mapping[State, State]] = {
    "claim": {"queued": "planning", "planning": "planning", "rendering": "planning"},  # the last two: lease expired
    "render": {"planning": "rendering", "rendering": "rendering"},
    "finish": {"planning": "review", "rendering": "review"},
    "settle": {"planning": "done"},  # what no person reviews
    "fail": {"planning": "failed", "rendering": "failed"},  # a refusal that a retry cannot mend
    "crash": {"planning": "queued", "rendering": "queued"},
    "hand_back": {"planning": "queued", "rendering": "queued"},
    "die": {"planning": "dead", "rendering": "dead"},  # attempts used up
    "stop": {"planning": "cancelled", "rendering": "cancelled"},  # the worker's answer to the cancel flag
    "expire": {"queued": "failed"},  # nobody began it by its deadline
    "cancel": {"queued": "cancelled", "review": "cancelled"},  # a working job is only asked to stop
    "approve": {"review": "approved"},
    "publish": {"approved": "published"},
    "withdraw": {"published": "withdrawn"},
    "retry": {"failed": "queued", "dead": "queued", "cancelled": "queued"},
    "revise": {"review": "queued", "approved": "queued"},  # an edited timeline is rendered anew
}


class UnknownJob(WrongUsage):
    code = "unknown-job"


class WrongState(FactoryError):
    code = "wrong-state"


class FenceLost(FactoryError):
    """Another worker holds the job now: what this one did is dropped."""

    code = "fence-lost"


class IdempotencyConflict(WrongUsage):
    code = "idempotency-conflict"


class NoSuchPriority(WrongUsage):
    code = "no-such-priority"


class Ordered(Protocol):
    """What can be ordered: a video by its brief, a clip that is to come in. `kind` says which verb works on it."""

    kind: ClassVar[str]

    @property
    def series(self) -> str | None: ...

    def canonical_json(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Wishes:
    """When an order is wanted: its priority, and a moment (aware) after which nobody begins it any more."""

    priority: int = A_PERSONS
    deadline: datetime | None = None


@dataclass(frozen=True, slots=True)
class Submitted:
    """The job of an order; `new` is False where the idempotency key was known."""

    job: str
    new: bool


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to work on a job: valid while its fence is the row's. `attempt` counts from 1."""

    job: str
    kind: str
    fence: int
    attempt: int
    spec: str  # canonical JSON of what was ordered
    worker: str

    def brief(self) -> Brief:
        return Brief.model_validate_json(self.spec)

    def clip(self) -> ClipOrder:
        return ClipOrder.model_validate_json(self.spec)


@dataclass(frozen=True, slots=True)
class Output:
    """One finished file of a job: what it is, its sha256 in the store, and the name that people see."""

    aspect: str
    role: str
    digest: str
    name: str
    bytes: int
    frames: int | None = None
    fps: Fraction | None = None


@dataclass(frozen=True, slots=True)
class SavedTimeline:
    """One version of the timeline of one aspect, as JSON text."""

    aspect: str
    version: int
    body: str
    author: str


@dataclass(frozen=True, slots=True)
class Job:
    """What the ledger knows of a job, for doors to show."""

    id: str
    kind: str
    state: State
    spec: str
    attempt: int
    progress: float
    step: str
    cancel_asked: bool
    error_code: str | None
    error_text: str | None
    next_step: str | None
    submitted_by: str
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    worker: str | None
    outputs: tuple[Output, ...]
    embargo: Embargo | None  # the latest of the order, its cars and its clips
    queue: str
    priority: int
    deadline: datetime | None  # where nobody began it by then, it fails

    def brief(self) -> Brief:
        return Brief.model_validate_json(self.spec)

    def clip(self) -> ClipOrder:
        return ClipOrder.model_validate_json(self.spec)

    @property
    def title(self) -> str:
        """What a list calls it: the template of a video, the file of a clip."""
        return self.clip().file_name if self.kind == ClipOrder.kind else self.brief().template

"""What the ledger should hold of a job: the model that `ledger_machine.py` plays beside it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from factory.store.columns import utc_now
from factory.store.job import MAX_ATTEMPTS, MOVES, WORKING, Claim, State


@dataclass
class Known:
    """What the model knows of a job. `overdue`: its lease ran out. `made_by`: the fence whose files it names."""

    spec: str
    order: tuple[datetime, str]  # when it was ordered, and its id
    priority: int = 5
    deadline: datetime | None = None
    begun: bool = False  # since it was ordered or queued anew
    state: State = "queued"
    fence: int = 0
    attempt: int = 0
    cancel_asked: bool = False
    overdue: bool = False
    approved: bool = False
    rung: bool = False  # somebody rang for it since its last claim
    published: int = 0
    embargoed: bool = False
    versions: int = 0
    made_by: int | None = None
    shots: frozenset[int] = frozenset()
    steps: dict[str, str] = field(default_factory=dict)

    def move(self, verb: str) -> None:
        """Change the state as the table of moves says; a state that may not move fails here."""
        assert self.state in MOVES[verb], f"{verb} moved a job that is {self.state}"
        self.state = MOVES[verb][self.state]

    def due(self) -> bool:
        free = (self.state == "queued" and not self.late()) or (self.state in WORKING and self.overdue)
        return free and not self.cancel_asked and not self.gave_all()

    def late(self) -> bool:
        """Nobody began it by its deadline."""
        return self.state == "queued" and not self.begun and self._over()

    def gave_all(self) -> bool:
        return self.attempt == MAX_ATTEMPTS

    def urgency(self) -> tuple[int, bool, datetime, tuple[datetime, str]]:
        """The least is taken first."""
        return -self.priority, self.deadline is None, self.deadline or self.order[0], self.order

    def _over(self) -> bool:
        return self.deadline is not None and self.deadline < utc_now()

    def holds(self, claim: Claim) -> bool:
        return self.state in WORKING and self.fence == claim.fence

    def wished(self, verb: str) -> None:
        """Remember what a person's verb changes beside the state."""
        self.cancel_asked |= verb == "cancel"
        self.approved |= verb == "approve"
        self.published += verb == "publish"
        self.versions += verb == "revise"
        if verb in ("retry", "revise"):
            self.attempt, self.cancel_asked, self.approved, self.begun = 0, False, False, False
            self.deadline = None if self._over() else self.deadline

"""By when a job is to be begun: a moment that says its zone, and that is still to come."""

from __future__ import annotations

from datetime import datetime

from factory.errors import WrongUsage
from factory.plan.embargo import EmbargoUnclear, read_embargo


class DeadlineUnclear(WrongUsage):
    """A moment that is no moment, or that means two."""

    code = "deadline-unclear"


class DeadlineOver(WrongUsage):
    code = "deadline-over"


def read_deadline(text: str, now: datetime) -> datetime:
    """Return the moment that `text` names, in UTC: ISO 8601 with an offset, or with a zone's name as an embargo has it.

    Raises DeadlineUnclear (a local time without its zone, too) and DeadlineOver.
    """
    try:
        moment = read_embargo(text).until
    except EmbargoUnclear as unclear:
        raise DeadlineUnclear(unclear.cause, next_step=unclear.next_step) from None
    if moment <= now:
        raise DeadlineOver(f"the deadline {text[:60]!r} is over", next_step="name a moment that is to come, or none")
    return moment

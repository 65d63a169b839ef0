"""The one shape of an error that a person reads: code, cause, next step.

Rooms raise a subclass named for its sentence; doors translate it (exit code, HTTP status). A subclass sets `code`
(kebab-case, part of the contract) and builds its sentence from the values that a person needs to act.
"""

from __future__ import annotations

from typing import ClassVar


class FactoryError(Exception):
    """A refusal that a person can act on. `str(error)` is the cause, `next_step` the way out."""

    code: ClassVar[str] = "factory-error"
    exit_code: ClassVar[int] = 1
    transient: ClassVar[bool] = False  # the same thing, tried again, may work: a job is retried by itself

    def __init__(self, cause: str, *, next_step: str) -> None:
        super().__init__(cause)
        self.cause = cause
        self.next_step = next_step

    def sentence(self) -> str:
        """Return `code: cause. Next: step`, as every door prints it."""
        return f"{self.code}: {self.cause.rstrip('.')}. Next: {self.next_step}"


class WrongUsage(FactoryError):
    """What was asked cannot be asked: an unknown template, a bad option, a malformed query or table."""

    code = "wrong-usage"
    exit_code = 2

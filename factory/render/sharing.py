"""How the chunks of one film are shared between the worker that renders it and those that help, as the render room sees
it: chunks are called by their cache keys, and who has which is the business of whoever implements this."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Literal, Protocol


class Sharing(Protocol):
    """What the worker that renders a film asks. Several threads ask at once; nothing here raises."""

    def share_out(self, keys: Sequence[str]) -> None:
        """Let others take the chunks that are missing; `keys` are all of the film, each once, in its order."""

    def take(self, key: str) -> bool:
        """Take a chunk to make it here. False while another has it."""

    def take_from_another(self, key: str) -> None:
        """Take a chunk whoever has it."""

    def made(self, key: str) -> None:
        """Tell that the chunk lies in the cache."""

    def standing(self, key: str) -> Literal["made", "in-work", "free"]:
        """Say where a chunk stands that another took."""

    def over(self) -> None:
        """All chunks are made."""


class Alone:
    """Nobody helps."""

    def share_out(self, keys: Sequence[str]) -> None: ...

    def take(self, key: str) -> bool:  # noqa: ARG002  the protocol's
        return True

    def take_from_another(self, key: str) -> None: ...

    def made(self, key: str) -> None: ...

    def standing(self, key: str) -> Literal["made", "in-work", "free"]:  # noqa: ARG002  the protocol's
        return "free"

    def over(self) -> None: ...


class Helping(Protocol):
    """What a helper asks. Several threads ask at once."""

    def take(self, keys: Sequence[str]) -> str | None:
        """Take one of these chunks to make it here; None where there is none for a helper any more."""

    def made(self, key: str) -> None:
        """Tell that the chunk lies in the cache."""

    def failed(self, key: str) -> None:
        """Tell that the chunk could not be made here."""


def cores() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

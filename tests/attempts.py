"""How each attempt at a job ended, told by the moves that the database saw and the crashes that were made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from factory.store.job import WORKING

How = Literal["finished", "crashed", "starved", "gave up", "open"]


@dataclass(frozen=True, slots=True)
class Crash:
    """A worker killed itself: when (seconds of the epoch), where, in which job."""

    at: float
    point: str
    job: str


@dataclass(frozen=True, slots=True)
class Move:
    """One change of state or fence: when, from where to where, whether it was a claim, and when the lease of before it
    ran out (seconds of the epoch)."""

    job: str
    at: float
    old: str
    new: str
    claimed: bool
    lease: float | None


@dataclass(frozen=True, slots=True)
class Attempt:
    """From a claim to the next word about the job. `starved`: the lease ran out although nobody killed the worker,
    which had last renewed it `silent` seconds before."""

    job: str
    began: float
    seconds: float
    how: How
    silent: float


def attempts(moves: Sequence[Move], crashes: Sequence[Crash], *, lease: float) -> Iterator[Attempt]:
    """Yield the attempts of all jobs, those of one job in their order. `lease` is its length in seconds."""
    for number, claim in enumerate(moves):
        if claim.claimed:
            later = (move for move in moves[number + 1 :] if move.job == claim.job)
            end = next((move for move in later if move.claimed or move.new not in WORKING), None)
            killed = [crash for crash in crashes if crash.job == claim.job and crash.at > claim.at]
            if end is None:
                yield Attempt(claim.job, claim.at, 0.0, "open", 0.0)
                continue
            silent = end.at - (end.lease - lease) if end.lease is not None else 0.0
            how = _how(end, silent > lease, any(crash.at < end.at for crash in killed))
            yield Attempt(claim.job, claim.at, end.at - claim.at, how, silent)


def _how(end: Move, expired: bool, crashed: bool) -> How:
    if end.new == "review":
        return "finished"
    if crashed:
        return "crashed"
    return "starved" if expired and (end.claimed or end.new == "dead") else "gave up"


def story(mine: Sequence[Attempt]) -> str:
    """Tell of the attempts of one job in a line."""
    began = mine[0].began
    told = [f"{a.began - began:.2f} s: {a.how} after {a.seconds:.2f} s, silent for {a.silent:.2f} s" for a in mine]
    return f"{mine[0].job}: {'; '.join(told)}"

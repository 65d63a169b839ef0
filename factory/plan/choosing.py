"""The best set of shots for all slots of a video at once: no shot twice, neighbours unlike, and why each was taken.

First an optimal assignment of shots to slots by their scores (Jonker-Volgenant, scipy), then exchanges as long as they
raise the total, which also counts how alike neighbours look; that part depends on pairs and no assignment can see it.
Shots that show the same moments (`Candidate.twins`) count as one.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from factory.errors import FactoryError
from factory.plan.query import tags_of
from factory.plan.scoring import Families, offset_for, score, unfit, words_of
from factory.plan.selection import Candidate, Choice, Reason, Slot

ALIKE = 0.97  # cosine of two shots' vectors from which they are one framing to the eye
ALIKE_NEIGHBOURS, ALIKE_ANYWHERE = 1.5, 0.5
SAME_CLIP_NEIGHBOURS, SAME_CLIP_ANYWHERE = 0.8, 0.5  # the latter times the slot's wish for diversity
ENDS_WEIGHT = 1.15  # the strongest shots belong first and last
NEXT_BEST = 5
CONDITIONS_TOLD = 3  # of those that removed shots, in a refusal
COOLDOWN = "cooldown"  # the condition that takes away what the series showed lately
_EMPTY = -1_000.0  # what an optional slot without a shot costs: more than any score brings
_LACKING = -100_000.0  # the same of a slot that must be filled
_BARRED = -1_000_000.0

Matrix = NDArray[np.float64]


class NoShotForScene(FactoryError):
    """The library holds too little for a scene: names it, what it wants, and what stood in the way."""

    code = "no-material"
    exit_code = 4

    def __init__(self, slot: Slot, candidates: int, removed: Mapping[str, int], *, used: int = 0) -> None:
        wants = slot.query_text or "any shot"
        cause = f"scene {slot.scene!r} wants {wants} for {float(slot.seconds):.1f} s: {candidates} candidates"
        if used:
            cause += f", {used} of them shown elsewhere in this video"
        if resting := removed.get(COOLDOWN, 0):
            cause += f"; {COOLDOWN!r} removed {resting}, shown in this series within {slot.pick.cooldown_days} days"
        if others := {condition: count for condition, count in removed.items() if condition != COOLDOWN}:
            (condition, count), *further = sorted(others.items(), key=lambda item: -item[1])[:CONDITIONS_TOLD]
            cause += f"; {condition!r} removed most ({count})" + "".join(f", {name!r} {n}" for name, n in further)
        sooner = ", or let shots rest for fewer days (--cooldown-days)" if resting else ""
        super().__init__(
            cause, next_step=f"{_what_to_ingest(slot)}{sooner}, or relax the query of scene {slot.scene!r}"
        )
        self.slot = slot
        self.candidates = candidates
        self.used = used
        self.removed = dict(removed)
        self.used = used

    def explained(self, removed: Mapping[str, int]) -> NoShotForScene:
        """Return the same refusal with how many shots each condition of the query removed."""
        return NoShotForScene(self.slot, self.candidates, {**removed, **self.removed}, used=self.used)


def choose_shots(
    slots: Sequence[Slot],
    candidates_by_slot: Mapping[str, Sequence[Candidate]],
    *,
    seed: int,
    shape: Fraction | None = None,
    families: Families | None = None,
    removed: Mapping[str, Mapping[str, int]] | None = None,
) -> tuple[Choice, ...]:
    """Return one choice per slot, in the slots' order; optional scenes that cannot be filled whole are left out.

    `candidates_by_slot` maps slot ids to what the index offers; `removed` maps them to how many shots each condition
    took away, for the refusal. The same input gives the same choice; equal scores are decided by `seed`, then by the
    shot's id. Raises `NoShotForScene`.
    """
    open_slots = list(slots)
    while open_slots:
        table = _Table.build(open_slots, candidates_by_slot, seed=seed, shape=shape, families=families)
        taken = table.best()
        empty = [slot for slot, shot in zip(open_slots, taken, strict=True) if shot < 0]
        lacking = next((slot for slot in empty if not slot.optional), None)
        if lacking is not None:
            raise _refusal(lacking, candidates_by_slot, (removed or {}).get(lacking.id, {}))
        incomplete = {slot.scene for slot in empty if _is_optional_scene(slot.scene, open_slots)}
        if not incomplete:
            return table.choices(taken)
        open_slots = [slot for slot in open_slots if slot.scene != min(incomplete)]
    return ()


@dataclass(frozen=True, slots=True)
class _Table:
    """Scores of every shot in every slot (`_BARRED` where it does not fit), and the cost of each pair of shots."""

    slots: Sequence[Slot]
    shots: Sequence[Candidate]
    scores: Matrix  # (slots, shots)
    reasons: Mapping[tuple[int, int], tuple[Reason, ...]]
    alike: Matrix  # (shots, shots) 1 where two shots are one framing
    same_clip: Matrix  # (shots, shots) 1 where two shots are of one file
    moments: NDArray[np.intp]  # (shots,) equal numbers from 0 where shots show the same moments
    order: Matrix  # (shots,) in [0, 1): the seed's say among equals
    weights: Matrix  # (slots,)

    @classmethod
    def build(
        cls,
        slots: Sequence[Slot],
        candidates: Mapping[str, Sequence[Candidate]],
        *,
        seed: int,
        shape: Fraction | None,
        families: Families | None,
    ) -> _Table:
        shots = sorted(
            {c.shot: c for slot in slots for c in candidates.get(slot.id, ())}.values(), key=lambda c: c.shot
        )
        column = {shot.shot: number for number, shot in enumerate(shots)}
        scores = np.full((len(slots), len(shots)), _BARRED)
        reasons: dict[tuple[int, int], tuple[Reason, ...]] = {}
        for row, slot in enumerate(slots):
            for candidate in candidates.get(slot.id, ()):
                if unfit(slot, candidate) is None:
                    place = row, column[candidate.shot]
                    scores[place], reasons[place] = score(slot, candidate, shape=shape, families=families)
        weights = np.ones(len(slots))
        weights[[0, -1]] = ENDS_WEIGHT
        order = np.array([_order(seed, shot.shot) for shot in shots])
        clips = np.array([shot.asset for shot in shots], dtype=object)
        same_clip = (clips[:, None] == clips[None, :]).astype(float)
        return cls(slots, shots, scores, reasons, _alike(shots), same_clip, _moments(shots), order, weights)

    def best(self) -> list[int]:
        """Return the better of two ways up: from the optimal assignment, and from first come, first served."""
        assigned, first_come = self.assign(), self.first_come()
        same_filled = [shot < 0 for shot in first_come] == [shot < 0 for shot in assigned]
        starts = [assigned, first_come] if same_filled else [assigned]
        return max((self.improve(start) for start in starts), key=self._total)

    def first_come(self) -> list[int]:
        """Return the best shot that is left for each slot in turn (-1: none)."""
        taken: list[int] = []
        for row in range(len(self.slots)):
            worth = self.scores[row] + 1e-6 * self.order
            worth[self._shown_by(taken)] = _BARRED
            best = int(np.argmax(worth)) if worth.size else -1
            taken.append(best if best >= 0 and worth[best] > _EMPTY else -1)
        return taken

    def assign(self) -> list[int]:
        """Return the shot of each slot (-1: none) with the greatest sum of scores."""
        worth = self.scores * self.weights[:, None] + 1e-6 * self.order
        same = range(int(self.moments.max(initial=-1)) + 1)
        best = np.stack([worth[:, self.moments == moment].max(axis=1) for moment in same], axis=1) if same else worth
        none = np.full((len(self.slots), len(self.slots)), 2 * _BARRED)
        np.fill_diagonal(none, [_EMPTY if slot.optional else _LACKING for slot in self.slots])
        rows, columns = linear_sum_assignment(np.hstack([best, none]), maximize=True)
        taken = [-1] * len(self.slots)
        for row, moment in zip(rows, columns, strict=True):
            if moment < best.shape[1] and best[row, moment] > _EMPTY:
                taken[row] = int(np.where(self.moments == moment, worth[row], -np.inf).argmax())
        return taken

    def improve(self, taken: list[int]) -> list[int]:
        """Exchange shots while that raises the total with its pairs: for an unused one, or between two slots."""
        for _ in range(20):
            before = list(taken)
            for slot in range(len(taken)):
                if taken[slot] >= 0:
                    self._replace(taken, slot)
                    self._swap(taken, slot)
            if taken == before:
                break
        return taken

    def _replace(self, taken: list[int], slot: int) -> None:
        worth = self._worth(taken, slot)
        worth[self._shown_by([shot for shot in taken if shot != taken[slot]])] = _BARRED
        best = int(np.argmax(worth))
        if worth[best] > worth[taken[slot]] + 1e-4:
            taken[slot] = best

    def _swap(self, taken: list[int], slot: int) -> None:
        for other in range(slot + 1, len(taken)):
            if (
                taken[other] < 0
                or self.scores[slot, taken[other]] <= _BARRED
                or self.scores[other, taken[slot]] <= _BARRED
            ):
                continue
            swapped = list(taken)
            swapped[slot], swapped[other] = taken[other], taken[slot]
            if self._total(swapped) > self._total(taken) + 1e-4:
                taken[slot], taken[other] = swapped[slot], swapped[other]

    def _shown_by(self, taken: Sequence[int]) -> NDArray[np.bool_]:
        """Return which shots (shots,) show what the taken ones (-1: none) show."""
        return np.isin(self.moments, self.moments[[shot for shot in taken if shot >= 0]])

    def _worth(self, taken: Sequence[int], slot: int) -> Matrix:
        """Return what each shot would be worth in a slot, the others staying where they are."""
        worth: Matrix = self.scores[slot] * self.weights[slot] + 1e-6 * self.order
        for other, shot in enumerate(taken):
            if shot >= 0 and other != slot:
                worth = worth - self._pair_costs(slot, other)[0] * self.alike[:, shot]
                worth = worth - self._pair_costs(slot, other)[1] * self.same_clip[:, shot]
        return worth

    def _total(self, taken: Sequence[int]) -> float:
        filled = [(slot, shot) for slot, shot in enumerate(taken) if shot >= 0]
        total = sum(float(self.scores[slot, shot] * self.weights[slot]) for slot, shot in filled)
        for place, (slot, shot) in enumerate(filled):
            for other, second in filled[place + 1 :]:
                alike, same_clip = self._pair_costs(slot, other)
                total -= alike * self.alike[shot, second] + same_clip * self.same_clip[shot, second]
        return total

    def _pair_costs(self, slot: int, other: int) -> tuple[float, float]:
        if abs(slot - other) == 1:
            return ALIKE_NEIGHBOURS, SAME_CLIP_NEIGHBOURS
        wish = max(self.slots[slot].pick.diversity, self.slots[other].pick.diversity)
        return ALIKE_ANYWHERE, SAME_CLIP_ANYWHERE * wish

    def choices(self, taken: Sequence[int]) -> tuple[Choice, ...]:
        return tuple(self._choice(taken, slot) for slot, shot in enumerate(taken) if shot >= 0)

    def _choice(self, taken: Sequence[int], slot: int) -> Choice:
        shot = taken[slot]
        reasons = (*self.reasons[slot, shot], *self._neighbour_reasons(taken, slot))
        others = [
            column for column in np.argsort(-self.scores[slot] - 1e-6 * self.order, kind="stable") if column != shot
        ]
        fitting = [column for column in others[:NEXT_BEST] if self.scores[slot, column] > _BARRED]
        return Choice(
            slot=self.slots[slot],
            candidate=self.shots[shot],
            score=round(sum(reason.points for reason in reasons), 6),
            reasons=reasons,
            next_best=tuple((self.shots[c].shot, round(float(self.scores[slot, c]), 6)) for c in fitting),
            offset=offset_for(self.slots[slot], self.shots[shot]),
        )

    def _neighbour_reasons(self, taken: Sequence[int], slot: int) -> list[Reason]:
        """Say what the shot directly before takes away."""
        if slot == 0 or taken[slot - 1] < 0:
            return []
        shot, before = taken[slot], taken[slot - 1]
        reasons = []
        if self.alike[shot, before]:
            reasons.append(Reason(-ALIKE_NEIGHBOURS, "picture", f"looks like shot {self.shots[before].shot} before it"))
        if self.same_clip[shot, before]:
            reasons.append(Reason(-SAME_CLIP_NEIGHBOURS, "picture", "is of the same clip as the shot before it"))
        return reasons


def _alike(shots: Sequence[Candidate]) -> Matrix:
    """Return 1 for each pair of shots whose vectors' cosine is above `ALIKE`. Shots without a vector are like none."""
    size = max((len(shot.vector) for shot in shots), default=0)
    vectors = np.zeros((len(shots), max(1, size)))
    for row, shot in enumerate(shots):
        if len(shot.vector) == size:
            vectors[row, :size] = shot.vector
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    alike: Matrix = (unit @ unit.T > ALIKE).astype(float)
    np.fill_diagonal(alike, 0.0)
    return alike


def _moments(shots: Sequence[Candidate]) -> NDArray[np.intp]:
    """Number the shots (shots,) so that twins have one number."""
    known: dict[tuple[str, int], int] = {}
    names = (("shot", shot.shot) if shot.twins is None else ("twins", shot.twins) for shot in shots)
    return np.array([known.setdefault(name, len(known)) for name in names], dtype=np.intp)


def _order(seed: int, shot: int) -> float:
    return int.from_bytes(hashlib.sha256(f"{seed}:{shot}".encode()).digest()[:6], "big") / 2**48


def _is_optional_scene(scene: str, slots: Sequence[Slot]) -> bool:
    return all(slot.optional for slot in slots if slot.scene == scene)


def _refusal(slot: Slot, candidates: Mapping[str, Sequence[Candidate]], removed: Mapping[str, int]) -> NoShotForScene:
    offered = candidates.get(slot.id, ())
    why = Counter(reason for candidate in offered if (reason := unfit(slot, candidate)))
    fitting = len(offered) - sum(why.values())
    return NoShotForScene(slot, len(offered), {**removed, **why}, used=fitting)


def _what_to_ingest(slot: Slot) -> str:
    shows = ", ".join(tags_of(slot.query))
    names = " or ".join(words_of(slot.query)[:3])
    wanted = [f"showing {shows}" if shows else "", f"named {names}" if names else ""]
    kind = " ".join(part for part in wanted if part)
    return f"ingest clips {kind + ' ' if kind else ''}of at least {float(slot.seconds * slot.speed):.1f} s"

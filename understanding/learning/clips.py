"""Training the tagger on labelled clips: a few dozen to some thousand, coarse labels complete, fine ones partial.

What the names of the tags tell is the net's prior (`matching`). So few examples cannot replace it, only correct it: the
loss holds the answer near the prior, and the net learns where the prior is wrong. A net that is taught further is held
near its own former answers instead (Li & Hoiem, Learning without Forgetting, ECCV 2016, arXiv 1606.09282), also on
lessons of which nothing is known.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from understanding.build import build_net
from understanding.clip_labels import LabelledClip
from understanding.labels import COARSE, Taxonomy
from understanding.learning.augment import add_noise, mask_modalities
from understanding.learning.partial import NEGATIVE, POSITIVE, UNKNOWN, States, cooccurrence
from understanding.modeling.inputs import Batch, ShotInputs, collate
from understanding.modeling.net import MultimodalNet, Net
from understanding.modeling.scale import Standardised
from understanding.sizes import Size

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How the tagger is trained."""

    epochs: int = 60
    batch: int = 48  # shots
    rate: float = 2e-3  # of AdamW, falling to zero as half a cosine
    decay: float = 1e-2
    noise: float = 0.3  # of each feature's spread
    masking: float = 0.2  # chance that a whole modality is taken away
    hold: float = 0.05  # weight of the squared distance from the prior, or from the former answer, in logits
    pseudo_count: float = 5.0  # of the label graph
    nets: int = 1  # how many are averaged in an answer on clips held out; the one that is kept is the first


RECIPE: Final = Recipe()
AT_ONCE: Final = 64  # shots that a net answers for without learning


@dataclass(frozen=True, slots=True)
class Lesson:
    """A labelled clip as the net reads it: its shots, their lengths in seconds, and the states of its tags (C,)."""

    shots: tuple[ShotInputs, ...]
    seconds: tuple[float, ...]
    states: States
    source: str

    def shares(self) -> NDArray[np.float32]:
        """How much each shot counts, (S,): the clip counts 1."""
        seconds = np.asarray(self.seconds, np.float32) + 1e-6
        shares: NDArray[np.float32] = seconds / seconds.sum()
        return shares


def states_of(clips: Sequence[LabelledClip], taxonomy: Taxonomy) -> States:
    """Return what is known of every tag of every clip, (N, C).

    Coarse labels are complete. A fine tag that is listed is there; what it excludes is not, nor is a tag that this
    table lists for other clips; of a tag that the table never uses nothing is known.
    """
    listed = {tag for clip in clips for tag in clip.tags}
    states = np.full((len(clips), len(taxonomy)), UNKNOWN, np.int8)
    for row, clip in zip(states, clips, strict=True):
        there = {clip.coarse, *clip.tags}
        ruled_out = {other for tag in there for other in taxonomy.excluded(tag)}
        for tag in {*taxonomy.facet(COARSE), *listed, *ruled_out} - there:
            row[taxonomy.index(tag)] = NEGATIVE
        for tag in there:
            row[taxonomy.index(tag)] = POSITIVE
    return states


def fit(
    size: Size,
    lessons: Sequence[Lesson],
    taxonomy: Taxonomy,
    bert: Any,
    *,
    seed: int,
    recipe: Recipe = RECIPE,
    said: Callable[[int, float], None] = lambda _epoch, _loss: None,
) -> Net:
    """Train a net on lessons from seeded weights and return it in eval mode; `said` hears each epoch's loss.

    ValueError without a lesson.
    """
    if not lessons:
        raise ValueError("there is no lesson to learn from")
    net = build_net(
        size,
        taxonomy=taxonomy,
        graph=cooccurrence(np.stack([one.states for one in lessons]), recipe.pseudo_count),
        label_vectors=None,
        bert=bert,
        seed=seed,
    )
    net.start_at_zero()
    _scale(net, lessons)
    _train(net, _Pupil(lessons, taxonomy), seed, recipe, said)
    return net


def fit_further(
    net: Net,
    lessons: Sequence[Lesson],
    taxonomy: Taxonomy,
    *,
    seed: int,
    recipe: Recipe,
    said: Callable[[int, float], None] = lambda _epoch, _loss: None,
) -> None:
    """Teach a net whose classes are the taxonomy's more lessons, held near what it answers them now; left in eval mode.

    ValueError without a lesson.
    """
    if not lessons:
        raise ValueError("there is no lesson to learn from")
    pupil = _Pupil(lessons, taxonomy)
    pupil.hold_to(net)
    _train(net, pupil, seed, recipe, said, steady=True)


def _train(
    net: Net, everything: _Pupil, seed: int, recipe: Recipe, said: Callable[[int, float], None], *, steady: bool = False
) -> None:
    """`steady` norms keep the statistics that they have: a few corrected shots are no sample of a library."""
    generator = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.AdamW(
        [p for p in net.parameters() if p.requires_grad], lr=recipe.rate, weight_decay=recipe.decay
    )
    steps = recipe.epochs * len(_batches(torch.arange(len(everything)), recipe.batch))
    falling = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    with torch.random.fork_rng(devices=[]):  # dropout draws from the global generator
        torch.manual_seed(seed)
        net.train()
        for norm in (part for part in net.modules() if steady and isinstance(part, torch.nn.BatchNorm1d)):
            norm.eval()
        for epoch in range(recipe.epochs):
            losses = []
            order = torch.randperm(len(everything), generator=generator)
            for places in _batches(order, recipe.batch):
                loss = everything.loss(net, places, recipe, generator)
                optimiser.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
                optimiser.step()
                falling.step()
                losses.append(loss.item())
            said(epoch, float(np.mean(losses)))
    net.eval()


def _batches(order: Tensor, size: int) -> list[Tensor]:
    """Split an order; a single shot left over joins the batch before it, for a norm cannot tell its spread."""
    split = list(torch.split(order, size))
    return [*split[:-2], torch.cat(split[-2:])] if len(split) > 1 and len(split[-1]) == 1 else split


def answers(net: Net, lessons: Sequence[Lesson]) -> Floats:
    """Return the net's logits of each clip, (N, C): its shots' mean, each weighed by its length."""
    rows = []
    with torch.inference_mode():
        for one in lessons:
            logits = net(collate(one.shots)).double().numpy()
            rows.append(np.average(logits, axis=0, weights=one.shares()))
    return np.array(rows)


def held_out_answers(
    size: Size,
    lessons: Sequence[Lesson],
    taxonomy: Taxonomy,
    bert: Any,
    *,
    seed: int,
    always_held_out: frozenset[str] = frozenset(),
    recipe: Recipe = RECIPE,
    said: Callable[[str], None] = lambda _source: None,
) -> Floats:
    """Answer for each clip by nets that saw no clip of its source, (N, C): leave one source out.

    Clips of the sources in `always_held_out` train nothing, so that one net answers for them all.
    """
    table = np.zeros((len(lessons), len(taxonomy)))
    sources = sorted({one.source for one in lessons} - always_held_out)
    held = [{source} for source in sources] + ([set(always_held_out)] if always_held_out else [])
    for group in held:
        left = [one for one in lessons if one.source not in group | always_held_out]
        asked = [at for at, one in enumerate(lessons) if one.source in group]
        for number in range(recipe.nets):
            net = fit(size, left, taxonomy, bert, seed=seed + number, recipe=recipe)
            table[asked] += answers(net, [lessons[at] for at in asked]) / recipe.nets
        said(", ".join(sorted(group)))
    return table


class _Pupil:
    """All shots of the lessons as one batch, and the loss on some of them."""

    def __init__(self, lessons: Sequence[Lesson], taxonomy: Taxonomy) -> None:
        self._batch = collate([shot for one in lessons for shot in one.shots])
        states = np.repeat(np.stack([one.states for one in lessons]), [len(one.shots) for one in lessons], axis=0)
        self._states = torch.from_numpy(states)
        self._share = torch.from_numpy(np.concatenate([one.shares() for one in lessons]))
        self._coarse = torch.tensor([taxonomy.index(tag) for tag in taxonomy.facet(COARSE)])
        self._near = self._batch.prior  # what the answers are held near, (S, C)
        self._spread = (
            _spread(self._batch.picture, self._batch.picture_mask),
            _spread(self._batch.sound, self._batch.sound_mask),
        )

    def __len__(self) -> int:
        return len(self._states)

    def hold_to(self, net: Net) -> None:
        """Hold the answers near those that a net gives now."""
        with torch.no_grad():
            places = torch.split(torch.arange(len(self)), AT_ONCE)
            self._near = torch.cat([net.eval()(self._at(some)) for some in places])

    def loss(self, net: Net, places: Tensor, recipe: Recipe, generator: torch.Generator) -> Tensor:
        """Softmax cross-entropy of the coarse label, cross-entropy of each known fine cell, and the hold, a clip.

        Where the coarse labels are not all known, those that are count as fine ones do.
        """
        logits = net(self._seen(places, recipe, generator))
        states, share = self._states[places], self._share[places]
        coarse = states[:, self._coarse]
        told = (coarse == POSITIVE).any(dim=1) & (coarse != UNKNOWN).all(dim=1)
        fine = states.clone()
        fine[:, self._coarse] = torch.where(told.unsqueeze(1), UNKNOWN, coarse)
        known = (fine != UNKNOWN).to(logits.dtype)
        cells = functional.binary_cross_entropy_with_logits(
            logits, (fine == POSITIVE).to(logits.dtype), reduction="none"
        )
        scene = functional.cross_entropy(
            logits[:, self._coarse], (coarse == POSITIVE).int().argmax(dim=1), reduction="none"
        )
        moved = ((logits - self._near[places]) ** 2).sum(dim=1) if self._near is not None else logits.new_zeros(())
        each = (cells * known).sum(dim=1) + scene * told + recipe.hold * moved
        mean: Tensor = (each * share).sum() / share.sum()
        return mean + net.penalty()

    def _seen(self, places: Tensor, recipe: Recipe, generator: torch.Generator) -> Batch:
        """The shots at `places` with noise and without some of their modalities."""
        batch = self._at(places)
        noisy = replace(
            batch,
            picture=add_noise(batch.picture, recipe.noise, generator, spread=self._spread[0], mask=batch.picture_mask),
            sound=add_noise(batch.sound, recipe.noise, generator, spread=self._spread[1], mask=batch.sound_mask),
        )
        return mask_modalities(noisy, recipe.masking, generator)

    def _at(self, places: Tensor) -> Batch:
        whole = self._batch
        return Batch(
            picture=whole.picture[places],
            picture_mask=whole.picture_mask[places],
            sound=whole.sound[places],
            sound_mask=whole.sound_mask[places],
            tokens=whole.tokens[places],
            token_mask=whole.token_mask[places],
            sentence=whole.sentence[places],
            prior=None if whole.prior is None else whole.prior[places],
        )


def _spread(rows: Tensor, mask: Tensor) -> Tensor:
    real = rows[mask]
    return real.std(dim=0) if len(real) > 1 else rows.new_zeros(rows.shape[-1])


def _scale(net: Net, lessons: Sequence[Lesson]) -> None:
    """Show the net's standardised parts the mean row of each shot that has rows."""
    for part in (p for p in net.modules() if isinstance(p, MultimodalNet)):
        for name in ("picture", "sound"):
            stream = getattr(part, name)
            rows = [getattr(shot, name) for one in lessons for shot in one.shots]
            means = [row.mean(axis=0) for row in rows if len(row)]
            if isinstance(stream, Standardised) and means:
                stream.learn(torch.from_numpy(np.stack(means)))

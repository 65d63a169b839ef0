"""Nothing is said that is not in the facts: every number that a storyboard speaks or shows is looked for in them.

A number is looked for where its sentence points: among what is known of the cars that the sentence names, else of those
named before it in its scene, else of all. What follows from two stated numbers counts by the rules of
`factory.plan.evidence` alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from factory.errors import FactoryError
from factory.plan.evidence import Evidence, Known, Subject, evidence_of
from factory.plan.facts import Facts, Locale
from factory.plan.number_mentions import Mention, in_unit, mentions, plain_number
from factory.plan.numbers import exact
from factory.plan.sentences import sentences
from factory.plan.storyboard import Scene, Storyboard

OF_ALL = frozenset({"scale", "leader", "full", "total", "largest", "max", "mark"})
"""Keys of a card's data that speak of all rows, not of the one that the card is about."""
DATED = frozenset({"date", "source", "data"})
"""Keys that give the date of a source, or name it."""
EARLIER = re.compile(
    r"上期|上月|上周|上年|去年|同期|环比|同比|此前|之前|原价|原为|上市时|\b(?:last|previous|before|earlier|from|was|were|old|former)",
    re.IGNORECASE,
)
"""Words, and keys of a card's data, that speak of the period before."""
LAYOUT = frozenset({"share", "size", "place", "color", "columns", "decimals"})


class ClaimUnsupported(FactoryError):
    """A storyboard says a number that the facts do not carry. `claims` has all of them."""

    code = "claim-unsupported"

    def __init__(self, claims: Sequence[Claim], evidence: Evidence) -> None:
        first, more = claims[0], len(claims) - 1
        near = evidence.nearest(first.mention)
        super().__init__(
            f"scene {first.scene}: {first.text!r} says {first.mention.text!r}, which the facts do not carry"
            + (f" (and {more} more)" if more else ""),
            next_step="mend the words of the template, or the table"
            + (f"; the nearest figure of the facts is {_told(near)}" if near else ""),
        )
        self.claims = tuple(claims)


@dataclass(frozen=True, slots=True)
class Claim:
    """A number and the sentence or the text of a card that states it; `scene` is the scene's id, or `title`, `key` the
    key of a card's data."""

    scene: str
    text: str
    mention: Mention
    subjects: tuple[Subject, ...]
    key: str = ""

    def is_supported(self, evidence: Evidence) -> bool:
        earlier = bool(EARLIER.search(self.text) or EARLIER.search(self.key))
        return evidence.supports(self.mention, self.subjects, earlier=earlier, dated=self.key in DATED)


@dataclass(frozen=True, slots=True)
class _Page:
    """What a card's data is read with: whom it speaks of, and the unit that stands above."""

    locale: Locale
    evidence: Evidence
    subjects: tuple[Subject, ...]
    unit: str = ""


def check_claims(storyboard: Storyboard, facts: Facts, *, typed: Sequence[str] = (), names: Sequence[str] = ()) -> None:
    """Raise ClaimUnsupported where a sentence, a card, a text or the title states a number that nothing carries.

    `typed` is what a person wrote into the order; `names` are further words that hold digits (of the metric).
    """
    evidence = evidence_for(storyboard, facts, typed=typed, names=names)
    unsupported = [claim for claim in claims(storyboard, evidence) if not claim.is_supported(evidence)]
    if unsupported:
        raise ClaimUnsupported(unsupported, evidence)


def evidence_for(
    storyboard: Storyboard, facts: Facts, *, typed: Sequence[str] = (), names: Sequence[str] = ()
) -> Evidence:
    """Return what a storyboard may say: the facts, what was typed, and how many places it shows itself."""
    return evidence_of(facts, storyboard.locale, typed=typed, names=names, counts=tuple(_counts(storyboard)))


def claims(storyboard: Storyboard, evidence: Evidence) -> Iterator[Claim]:
    """Yield every number that is said or shown, with the subjects that it is said of."""
    locale, masked = storyboard.locale, evidence.names
    yield from (Claim("title", storyboard.title, m, ()) for m in mentions(storyboard.title, locale, masked))
    for scene in storyboard.scenes:
        subjects = evidence.about(" ".join(_texts(scene)))
        yield from _spoken(scene, locale, evidence, subjects)
        for layer in scene.layers:
            data, credit = getattr(layer, "data", None), getattr(layer, "credit", "")
            if isinstance(data, Mapping):
                yield from _shown(scene.id, data, _Page(locale, evidence, subjects))
            yield from (Claim(scene.id, credit, m, ()) for m in mentions(credit, locale, masked))


def _spoken(scene: Scene, locale: Locale, evidence: Evidence, subjects: tuple[Subject, ...]) -> Iterator[Claim]:
    about = evidence.about(scene.voice.text) if scene.voice else ()
    meant = about or subjects
    for sentence in sentences(scene.voice.text, locale) if scene.voice else ():
        meant = evidence.about(sentence) or meant
        yield from (Claim(scene.id, sentence, m, meant) for m in mentions(sentence, locale, evidence.names))


def _shown(scene: str, data: Mapping[str, Any], page: _Page) -> Iterator[Claim]:
    """Yield the numbers of a card's data, each with the unit that stands beside or above it."""
    own = page.evidence.about(" ".join(str(value) for value in data.values() if isinstance(value, str)))
    page = replace(page, unit=str(data.get("unit") or page.unit), subjects=own or page.subjects)
    for key, value in data.items():
        below = replace(page, subjects=()) if key in OF_ALL else page
        for item in value if isinstance(value, list | tuple) else [value]:
            if isinstance(item, Mapping):
                yield from _shown(scene, item, below)
            elif key not in LAYOUT:
                yield from (Claim(scene, str(item), found, below.subjects, key) for found in _cell(key, item, below))


def _cell(key: str, item: object, page: _Page) -> tuple[Mention, ...]:
    if isinstance(item, bool) or item is None:
        return ()
    text = format(Decimal(str(item)), "f") if isinstance(item, int | float) else str(item)
    number = plain_number(text)
    year = isinstance(item, str) and not page.unit and re.fullmatch("(?:19|20)[0-9]{2}", text)
    if number is None or year:
        return mentions(text, page.locale, page.evidence.names)
    if "rank" in key or key in ("place", "count", "of"):
        return (Mention("count" if key in ("count", "of") else "rank", number, "", text, 0),)
    tens = {"万": 10**4, "亿": 10**8}.get(page.unit[:1], 1)
    value, name = in_unit(number * tens, page.unit[1:] if tens > 1 else page.unit)
    return (Mention("amount", value, name, text, 0),)


def shown_texts(storyboard: Storyboard) -> Iterator[tuple[str, str, str]]:
    """Yield every text that is said or shown: its scene's id (or `title`), the text, and all texts of its scene."""
    yield "title", storyboard.title, storyboard.title
    for scene in storyboard.scenes:
        texts = list(_texts(scene))
        yield from ((scene.id, text, " ".join(texts)) for text in texts)


def _texts(scene: Scene) -> Iterator[str]:
    """Yield what a scene says and shows."""
    if scene.voice:
        yield scene.voice.text
    for layer in scene.layers:
        yield from _strings(getattr(layer, "data", None))
        yield from _strings(getattr(layer, "credit", None) or None)


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from (text for item in value.values() for text in _strings(item))
    elif isinstance(value, list | tuple):
        yield from (text for item in value for text in _strings(item))


def _counts(storyboard: Storyboard) -> Iterator[int]:
    """Yield how many places the storyboard shows: cards with a rank, and the rows of each list."""
    layers = [layer for scene in storyboard.scenes for layer in scene.layers]
    cards = [data for layer in layers if isinstance(data := getattr(layer, "data", None), Mapping)]
    yield sum("rank" in card for card in cards)
    for rows in (value for card in cards for value in card.values() if isinstance(value, list | tuple)):
        if rows and isinstance(rows[0], Mapping):
            yield len(rows)


def _told(known: Known) -> str:
    if known.counts == "rank":
        return f"rank {known.value}"
    return " ".join(part for part in (exact(known.value), known.unit) if part) + (
        f" ({known.counts})" if known.counts != "amount" else ""
    )

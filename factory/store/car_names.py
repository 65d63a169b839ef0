"""Which cars of the catalogue a text names: never guessed from pixels, and rather missed than named wrongly.

A name that holds its make (`Northwind X5`, `比亚迪海豹`) is taken wherever it stands as whole words. A model's bare
name is taken alone only where it could hardly mean anything else (`Terra Pro`, `理想L9`); any other (`Model 3`, `海豹`)
needs its make near, and a single letter or a number (`秦`, `5`, `208`) right before it. Of two makes the nearer counts.
What was read off pictures or heard may have one wrong letter in a long word of a longer name; figures must be right.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from factory.plan.facts import Car
from factory.store.makes import MAKES
from factory.store.words import searchable

NEAR: Final = 32  # letters, spaces aside, between a bare name and its make
LONG_WORD: Final = 6  # letters from which one may be wrong
OF_MANY_CARS: Final = frozenset(  # words of trims, which alone name no car
    (
        "comfort",
        "cross",
        "drive",
        "dual",
        "edition",
        "electric",
        "executive",
        "hybrid",
        "launch",
        "line",
        "long",
        "luxury",
        "motor",
        "performance",
        "plug",
        "premium",
        "pure",
        "range",
        "single",
        "sport",
        "standard",
        "touring",
        "ultimate",
    )
)
MOST_LETTERS: Final = 20_000  # of one text, as the tags' names are looked for
_CJK = "\u3400-\u9fff\uf900-\ufaff"
_RUN = re.compile(rf"[{_CJK}]+|[^\s{_CJK}]+")


@dataclass(frozen=True, slots=True)
class Named:
    """A car that a text names, by its slug; `slip` says that a letter was wrong."""

    car: str
    slip: bool = False


@dataclass(slots=True)
class _Meaning:
    """What a compact name may mean: makes, cars by their whole name, cars by a bare one, which may be distinct."""

    makes: set[str] = field(default_factory=set)
    whole: set[str] = field(default_factory=set)
    bare: set[str] = field(default_factory=set)
    distinct: bool = False


@dataclass(frozen=True, slots=True)
class _Found:
    start: int
    end: int
    meaning: _Meaning
    number: bool
    slip: bool


@dataclass(frozen=True, slots=True)
class _Line:
    """A text without spaces, and where words start and end in it; between Chinese characters both are everywhere."""

    letters: str
    starts: frozenset[int]
    ends: frozenset[int]
    slips: tuple[int, ...]  # where words stand that were mended

    @classmethod
    def of(cls, text: str, long_words: Mapping[str, str]) -> _Line:
        letters, starts, ends, slips = list[str](), set[int](), set[int](), list[int]()
        at = 0
        for word in searchable(text).split():
            meant = _mended(word, long_words)
            if meant != word:
                slips.append(at)
            letters.append(meant)
            starts.update(range(at, at + len(meant)) if _is_cjk(word) else (at,))
            ends.update(range(at + 1, at + len(meant) + 1) if _is_cjk(word) else (at + len(meant),))
            at += len(meant)
        return cls("".join(letters), frozenset(starts), frozenset(ends), tuple(slips))

    def slipped(self, start: int, end: int) -> bool:
        return any(start <= at < end for at in self.slips)


class CarNames:
    """The names of a catalogue, made ready for finding them in text."""

    def __init__(self, cars: Iterable[Car]) -> None:
        self._makes: dict[str, frozenset[str]] = {}  # car -> its makes' names, compact
        self._names: defaultdict[str, _Meaning] = defaultdict(_Meaning)
        self._words: set[str] = set()
        for names in MAKES:
            self._learn_make(tuple(_compact(name) for name in names))
        for car in cars:
            self._learn(car)

    def __bool__(self) -> bool:
        return bool(self._makes)

    def find(self, text: str, *, slips: bool = False) -> tuple[Named, ...]:
        """Return the cars that `text` names, in order, without repeats; with `slips` one wrong letter is allowed."""
        line = _Line.of(text[:MOST_LETTERS], self._long_words if slips else {})
        found = list(self._spans(line))
        named: dict[str, Named] = {}
        for one in found:
            for car in self._meant(one, found):
                if car not in named or (named[car].slip and not one.slip):
                    named[car] = Named(car, one.slip)
        return tuple(named.values())

    # --- learning ---

    def _learn_make(self, names: Sequence[str]) -> frozenset[str]:
        known = set(names)
        for name in names:
            known |= self._names[name].makes
        for name in known:
            self._names[name].makes |= known
        return frozenset(known)

    def _learn(self, car: Car) -> None:
        parts = [*_RUN.findall(searchable(car.make)), _compact(car.make)]  # `北风 Northwind` is called by either
        scripts = {"".join(p for p in parts[:-1] if _is_cjk(p) is cjk) for cjk in (True, False)}
        makes = self._learn_make([make for make in scripts if make]) if car.make else frozenset[str]()
        self._makes[car.slug] = makes
        for name in (car.slug, *car.names()):
            words = searchable(name).split()
            self._words |= {*words} if len(words) > 1 else set()
            compact = "".join(words)
            prefix = max((make for make in makes if compact.startswith(make)), key=len, default="")
            if not compact or compact in makes:
                continue
            if prefix:
                self._names[compact].whole.add(car.slug)
                words = _without(words, prefix)
            if words:
                meaning = self._names["".join(words)]
                meaning.bare.add(car.slug)
                meaning.distinct |= is_distinct(words)

    @cached_property
    def _long_words(self) -> Mapping[str, str]:
        """Each long word of the names and all that one lost letter makes of it, with the word that is meant."""
        words = {word for word in self._words if _may_slip(word)}
        lost = defaultdict[str, set[str]](set)
        for word in words:
            for shorter in _losses(word):
                lost[shorter].add(word)
        return {**{key: next(iter(meant)) for key, meant in lost.items() if len(meant) == 1}, **{w: w for w in words}}

    # --- finding ---

    def _spans(self, line: _Line) -> Iterator[_Found]:
        """Yield what is named, from left to right, the longest name at each place."""
        at = 0
        while at < len(line.letters):
            end = self._longest(line, at) if at in line.starts else None
            if end is None:
                at += 1
                continue
            name = line.letters[at:end]
            yield _Found(at, end, self._names[name], name.isdigit(), line.slipped(at, end))
            at = end

    def _longest(self, line: _Line, at: int) -> int | None:
        for length in self._lengths.get(line.letters[at], ()):
            end = at + length
            if end in line.ends and line.letters[at:end] in self._names:
                return end
        return None

    @cached_property
    def _lengths(self) -> Mapping[str, Sequence[int]]:
        """First letter -> the lengths of names that begin so, longest first."""
        lengths = defaultdict[str, set[int]](set)
        for name in self._names:
            lengths[name[0]].add(len(name))
        return {first: sorted(found, reverse=True) for first, found in lengths.items()}

    def _meant(self, one: _Found, found: Sequence[_Found]) -> set[str]:
        """Return the one car that a name means here; none where it is another thing, or could be several cars."""
        cars = one.meaning.whole
        if not cars and one.meaning.bare:
            near = _nearest_make(one, found)
            cars = {car for car in one.meaning.bare if near and near & self._makes[car]}
            if near is None and one.meaning.distinct:
                cars = one.meaning.bare
        return cars if len(cars) == 1 else set()


def is_distinct(words: Sequence[str]) -> bool:
    """Say whether a bare name could hardly mean anything but the car: `Terra Pro`, `理想 L9`, not `Model 3`, `海豹`."""
    chinese = sum(len(word) for word in words if _is_cjk(word))
    latin = [word for word in words if not _is_cjk(word)]
    if chinese:
        return (
            chinese >= 3 or (chinese == 2 and bool(latin)) or any(word.isalpha() and len(word) >= 3 for word in latin)
        )
    telling = [word for word in latin if len(word) > 1 and not word.isdigit()]
    return len(telling) >= 2 and any(word.isalpha() and len(word) >= 4 and word not in OF_MANY_CARS for word in telling)


def _nearest_make(one: _Found, found: Sequence[_Found]) -> set[str] | None:
    """Return the names of the make that stands nearest to a bare name, or None where no make is near.

    A make within another car's whole name is spoken for. For a single letter or a number only one right before counts.
    """
    short = one.end - one.start == 1 or one.number
    makes = [other for other in found if other.meaning.makes and not other.meaning.whole]
    near = [
        (gap, other.meaning.makes)
        for other in makes
        if (gap := max(one.start - other.end, other.start - one.end)) <= (0 if short else NEAR)
        and not (short and other.start > one.start)
    ]
    return min(near, key=lambda pair: pair[0])[1] if near else None


def _compact(name: str) -> str:
    return "".join(searchable(name).split())


def _without(words: Sequence[str], make: str) -> list[str]:
    """Return the words of a name that are left after its make; none where the make ends within a word."""
    left = list(words)
    while make and left and make.startswith(left[0]):
        make = make.removeprefix(left.pop(0))
    if make and left and _is_cjk(left[0]) and left[0].startswith(make):
        return [left[0].removeprefix(make), *left[1:]]
    return [] if make else left


def _mended(word: str, long_words: Mapping[str, str]) -> str:
    """Return the word of a name that `word` is but for one letter after the first; else `word` itself."""
    if len(word) < LONG_WORD - 1 or not word.isalpha() or word in long_words.values() or _is_cjk(word):
        return word
    meant = {long_words[shorter] for shorter in (word, *_losses(word)) if shorter in long_words}
    fitting = [other for other in meant if other[0] == word[0] and abs(len(other) - len(word)) <= 1]
    return fitting[0] if len(fitting) == 1 and _one_apart(word, fitting[0]) else word


def _one_apart(left: str, right: str) -> bool:
    """Say whether one letter was changed, lost or added."""
    same = next((i for i, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right)))
    return left[same + (len(left) >= len(right)) :] == right[same + (len(right) >= len(left)) :]


def _losses(word: str) -> list[str]:
    return [word[:i] + word[i + 1 :] for i in range(1, len(word))]


def _may_slip(word: str) -> bool:
    return len(word) >= LONG_WORD and word.isascii() and word.isalpha()


def _is_cjk(word: str) -> bool:
    return re.match(rf"[{_CJK}]", word) is not None

"""Words that put something above all others are refused, unless the ranking that is shown carries them.

Chinese advertising law (广告法 第九条) forbids 最, 国家级 and the like; English superlatives are held to the same. The
packaged words are `factory/plan/data/absolutes.yaml`; a desk lays a file of its own of the same shape over it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from factory.errors import FactoryError
from factory.plan.claims import shown_texts
from factory.plan.evidence import Evidence, evidence_of
from factory.plan.facts import Facts, Locale
from factory.plan.marked_yaml import YamlRefused, load
from factory.plan.sentences import sentences
from factory.plan.storyboard import Storyboard

Word = Annotated[str, StringConstraints(min_length=1, max_length=40)]


class AbsoluteRefused(FactoryError):
    """A sentence, title or card praises without a table that carries it. `found` has all such words."""

    code = "absolute-refused"

    def __init__(self, found: Sequence[Found]) -> None:
        first, more = found[0], len(found) - 1
        why = "no ranking shown carries it" if first.absolute.carried != "never" else "no table can carry it"
        super().__init__(
            f"scene {first.scene}: {first.text!r} says {first.absolute.word!r}, and {why}"
            + (f" (and {more} more)" if more else ""),
            next_step=f"write instead: {first.absolute.instead}",
        )
        self.found = tuple(found)


class AbsolutesWrong(FactoryError):
    """The desk's own file of words cannot be read."""

    code = "absolutes-wrong"
    exit_code = 2


class Absolute(BaseModel):
    """One such word, what to write instead, and what may carry it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    word: str = ""
    instead: Annotated[str, StringConstraints(min_length=1, max_length=120)]
    carried: Literal["never", "rank"] | tuple[Word, ...] = "never"


class _Page(BaseModel):
    """The words of one locale."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    words: dict[Word, Absolute] = Field(default_factory=dict)
    allowed: tuple[Word, ...] = ()


class Absolutes(BaseModel):
    """The words of both locales."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    zh: _Page = Field(default_factory=_Page, alias="zh-CN")
    en: _Page = Field(default_factory=_Page, alias="en-US")

    def of(self, locale: Locale) -> tuple[tuple[Absolute, ...], tuple[str, ...]]:
        """Return the words of a locale, the longest first, and the forms that are allowed."""
        page = self.zh if locale == "zh-CN" else self.en
        words = sorted(page.words.items(), key=lambda item: -len(item[0]))
        return tuple(absolute.model_copy(update={"word": word}) for word, absolute in words), page.allowed


@dataclass(frozen=True, slots=True)
class Found:
    """A word that is refused, and where it stands; `scene` is the scene's id, or `title`."""

    scene: str
    text: str
    absolute: Absolute


def read_absolutes(text: str, source: str, base: Absolutes | None = None) -> Absolutes:
    """Read a file of words and lay it over `base`. Raises AbsolutesWrong with file and line."""
    try:
        marked = load(text)
        own = Absolutes.model_validate(marked.value)
    except YamlRefused as refusal:
        place, why = refusal.problem.line, refusal.problem.why
        raise AbsolutesWrong(f"{source}:{place}: {why}", next_step="mend that line") from refusal
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        path = marked.known_path(first["loc"])
        where = ".".join(str(part) for part in path)
        raise AbsolutesWrong(
            f"{source}:{marked.line(path)}: {where}: {first['msg']}",
            next_step="write it like those in factory/plan/data/absolutes.yaml",
        ) from error
    if base is None:
        return own
    pages = {
        alias: _over(getattr(own, name), getattr(base, name)) for name, alias in (("zh", "zh-CN"), ("en", "en-US"))
    }
    return Absolutes.model_validate(pages)


def packaged_absolutes() -> Absolutes:
    """Return the words that ship with the factory."""
    file = files("factory.plan") / "data" / "absolutes.yaml"
    return read_absolutes(file.read_text(encoding="utf-8"), "absolutes.yaml")


def _over(own: _Page, base: _Page) -> _Page:
    return _Page(words={**base.words, **own.words}, allowed=(*base.allowed, *own.allowed))


def check_absolutes(storyboard: Storyboard, facts: Facts, words: Absolutes, *, names: Sequence[str] = ()) -> None:
    """Raise AbsoluteRefused where a sentence, title or card says such a word and the ranking does not carry it."""
    evidence = evidence_of(facts, storyboard.locale, names=names)
    found = list(absolutes(storyboard, facts, words, evidence))
    if found:
        raise AbsoluteRefused(found)


def absolutes(storyboard: Storyboard, facts: Facts, words: Absolutes, evidence: Evidence) -> Iterator[Found]:
    """Yield the words that nothing carries."""
    known, allowed = words.of(storyboard.locale)
    for scene, text, around in shown_texts(storyboard):
        for sentence in sentences(text, storyboard.locale) or (text,):
            for absolute in said_in(sentence, known, (*allowed, *evidence.names)):
                if not _carried(absolute, facts, evidence, sentence, around):
                    yield Found(scene, sentence, absolute)


def said_in(text: str, words: Sequence[Absolute], allowed: Sequence[str]) -> tuple[Absolute, ...]:
    """Return the words that a text says outside of names and of what is allowed, each stretch by its longest word."""
    small = text.casefold()
    forms = [form for form in allowed if form.strip() and form.casefold() in small]
    for form in sorted(forms, key=len, reverse=True):
        text = re.sub(_whole(form), "\x1f", text, flags=re.IGNORECASE)
    said = list[Absolute]()
    for absolute in (one for one in words if one.word.casefold() in small):
        text, times = re.subn(_whole(absolute.word), "\x1f", text, flags=re.IGNORECASE)
        said += [absolute] * bool(times)
    return tuple(said)


def _whole(word: str) -> str:
    before = r"(?<![A-Za-z0-9])" if re.match(r"[A-Za-z0-9]", word) else ""
    return before + re.escape(word) + (r"(?![A-Za-z0-9])" if re.search(r"[A-Za-z0-9]$", word) else "")


def _carried(absolute: Absolute, facts: Facts, evidence: Evidence, sentence: str, around: str) -> bool:
    """Say whether the ranking carries the word: by its metric, with source and date, of the car that comes first."""
    ranking = facts.ranking
    if absolute.carried == "never" or ranking is None or not ranking.source.name:
        return False
    if not (ranking.period or ranking.source.date):
        return False
    if absolute.carried != "rank":
        metric = ranking.metric.replace("_", " ").lower()
        if not any(word.lower() in metric for word in absolute.carried):
            return False
    first = {
        name for row in ranking.rows if row.rank == 1 for name in (row.name, *(row.car.names() if row.car else ()))
    }
    meant = evidence.about(sentence) or evidence.about(around)
    return bool(meant) and all(first & set(subject.names) for subject in meant)

"""Try a template as people would: fill it in both languages, short and long, with every input, and read the result."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from factory.errors import FactoryError
from factory.plan.brief import CANVASES, Brief
from factory.plan.facts import Locale
from factory.plan.layer_parts import ChartPart, TextPart
from factory.plan.marked_yaml import MarkedYaml, Path, Problem
from factory.plan.storyboard import CardPart, Storyboard, StoryboardInvalid, read_marked
from factory.plan.vocabulary import unknown_words
from factory.render.fonts import GlyphMissing, check_glyphs
from factory.render.kinds import Kind, kind_problems
from factory.render.overlays import read_sheet
from factory.render.templates import TemplateFailed, TemplateRefuses, Templates
from factory.sample_facts import sample_facts
from factory.vocabularies import vocabulary_of
from factory.wiring import Parts

LOCALES: tuple[Locale, ...] = ("zh-CN", "en-US")
LENGTHS = (15, 60, 180)  # seconds, beside the template's usual length


@dataclass(frozen=True, slots=True)
class Tried:
    """What was looked at, and what is wrong."""

    looked_at: tuple[str, ...]
    problems: tuple[Problem, ...]


def try_template(name: str, text: str, templates: Templates, parts: Parts, given: dict[str, str]) -> Tried:
    """Return what is wrong with a storyboard template: its header, its words, and every storyboard that it writes."""
    header, words = kind_problems(text), templates.unknown(name)
    problems, told = [*header, *words], {problem.line for problem in words}
    if header:
        return Tried((), tuple(problems))
    kind = templates.describe(name)
    refusals, filled, cards = list[Problem](), 0, set[str]()
    briefs = list(briefs_of(kind, given))
    for brief in briefs:
        try:
            written = templates.filled(name, {"brief": brief, "facts": sample_facts(kind.needs)})
        except TemplateRefuses as refusal:
            refusals.append(Problem(refusal.line or 1, (), f"it refuses the sample facts: {_without_place(refusal)}"))
            continue
        except TemplateFailed as failure:
            if failure.line not in told:  # else the word that it stopped at is named already
                problems.append(Problem(failure.line or 1, (), _without_place(failure)))
            continue
        except FactoryError as refusal:
            problems.append(Problem(1, (), refusal.sentence()))
            continue
        filled += 1
        wrong = _wrong_in_text(written.text, name, templates, parts, cards)
        problems += [replace(problem, line=written.written_at(problem.line)) for problem in wrong]
    if not filled:
        problems += refusals
    asked = f"header: needs {kind.needs}, {len(kind.inputs)} inputs"
    ways = f"filled {filled} of {len(briefs)} ways with sample facts: {', '.join(LOCALES)}, short to long, each input"
    return Tried((asked, "names, filters, tests and macros", ways, f"{len(cards)} cards drawn"), tuple(problems))


def briefs_of(kind: Kind, given: dict[str, str]) -> Iterator[Brief]:
    """Yield the orders that a template is tried with: each language and length, then each input by itself."""
    for locale in LOCALES:
        for seconds in dict.fromkeys((kind.seconds, *LENGTHS)):
            yield Brief(template=kind.name, locale=locale, seconds=seconds, set=given)
    for key, declared in kind.inputs.items():
        values = {"flag": ("yes", "no"), "integer": (str(declared.maximum or 5),), "image": ()}
        for value in declared.choices or values.get(declared.type, ()):
            yield Brief(template=kind.name, set={**given, key: value})


def try_card(name: str, templates: Templates) -> Tried:
    """Return what is wrong with a card: its words, and what comes of it with the data that the templates give it."""
    problems = list(templates.unknown_in_card(name))
    data = {json.dumps(part.data, sort_keys=True): (part.data, locale) for part, locale in _uses(name, templates)}
    for given, locale in data.values():
        for canvas in CANVASES.values():
            try:
                svg = templates.card(name, data=given, canvas=canvas, brand="autoreel", locale=locale)
                read_sheet(svg, f"the card {name}")
            except TemplateFailed as failure:
                problems.append(Problem(failure.line or 1, (), _without_place(failure)))
            except FactoryError as refusal:
                problems.append(Problem(1, (), refusal.cause))
    drawn = f"drawn on {len(CANVASES)} canvases with {len(data)} data that templates give it"
    return Tried(("names, filters and tests", drawn if data else "not drawn: no template uses it"), tuple(problems))


def wrong_in(
    storyboard: Storyboard, marked: MarkedYaml, templates: Templates, parts: Parts, drawn: set[str] | None = None
) -> tuple[list[Problem], int]:
    """Return what is wrong in a storyboard beyond its schema, and how many cards of it were drawn; `drawn` ones not
    again."""
    drawn = set() if drawn is None else drawn
    before = len(drawn)
    problems = list(unknown_words(storyboard, marked, vocabulary_of(parts, templates)))
    for number, scene in enumerate(storyboard.scenes):
        if scene.voice:
            path: Path = ("scenes", number, "voice", "text")
            problems += [Problem(marked.line(path), path, why) for why in _unwritable(scene.voice.text)]
        for place, layer in enumerate(scene.layers):
            if isinstance(layer, CardPart | TextPart | ChartPart) and layer.card in templates.cards():
                path = ("scenes", number, "layers", place, "card")
                whys = _undrawable(layer, storyboard.locale, templates, drawn)
                problems += [Problem(marked.line(path), path, why) for why in whys]
    return problems, len(drawn) - before


def _wrong_in_text(text: str, name: str, templates: Templates, parts: Parts, drawn: set[str]) -> Sequence[Problem]:
    try:
        storyboard, marked = read_marked(text, name)
    except StoryboardInvalid as refusal:
        return refusal.problems
    return wrong_in(storyboard, marked, templates, parts, drawn)[0]


def _unwritable(text: str) -> Iterator[str]:
    try:
        check_glyphs(text, "what is said, which is also the captions' text")
    except GlyphMissing as missing:
        yield missing.cause


def _undrawable(
    part: CardPart | TextPart | ChartPart, locale: Locale, templates: Templates, drawn: set[str]
) -> Iterator[str]:
    key = json.dumps([part.card, part.data, locale], sort_keys=True)
    if key in drawn:
        return
    drawn.add(key)
    for aspect, canvas in CANVASES.items():
        try:
            svg = templates.card(part.card, data=part.data, canvas=canvas, brand="autoreel", locale=locale)
            read_sheet(svg, f"the card {part.card}")
        except FactoryError as refusal:
            yield f"the card {part.card} cannot be drawn on {aspect}: {refusal.cause}"
            return


def _uses(card: str, templates: Templates) -> Iterable[tuple[Any, Locale]]:
    """Yield the layers in which templates show a card, with their language."""
    for name in templates.names():
        for locale in LOCALES:
            try:
                context = {"brief": Brief(template=name, locale=locale)}
                facts = sample_facts(templates.describe(name).needs)
                storyboard, _ = read_marked(templates.storyboard(name, {**context, "facts": facts}), name)
            except FactoryError:
                continue
            for scene in storyboard.scenes:
                for layer in scene.layers:
                    if isinstance(layer, CardPart | TextPart | ChartPart) and layer.card == card:
                        yield layer, locale


def _without_place(failure: TemplateFailed) -> str:
    """Return the cause alone where its line is told beside it; a failure in another file keeps its place."""
    return failure.cause.partition(": ")[2] if failure.line else failure.cause

"""The words that a storyboard may use and that its schema cannot list: tags, cards, music, caption styles, pictures."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from factory.plan.layer_parts import ChartPart, ImagePart, TextPart
from factory.plan.marked_yaml import MarkedYaml, Path, Problem
from factory.plan.part import hint
from factory.plan.query import QuerySyntax, Resolve, parse_query
from factory.plan.storyboard import CardPart, ClipPart, ShotQuery, Storyboard, StoryboardInvalid, read_marked
from factory.plan.wants import Nearest


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What is there. `resolve` gives the canonical tag for any of its names, `nearest` the tag most like a word."""

    resolve: Resolve
    nearest: Nearest
    cards: Collection[str]
    music: Collection[str]
    captions: Collection[str]
    pictures: Collection[str]


def read_known(text: str, source: str, words: Vocabulary) -> Storyboard:
    """Return the storyboard that `text` says, all of its words being there; else raise `StoryboardInvalid`."""
    storyboard, marked = read_marked(text, source)
    if lost := unknown_words(storyboard, marked, words):
        raise StoryboardInvalid(source, lost)
    return storyboard


def unknown_words(storyboard: Storyboard, marked: MarkedYaml, words: Vocabulary) -> tuple[Problem, ...]:
    """Return each word that is not there, at its line, with the nearest one that is."""
    found = list(_of_whole(storyboard, words))
    for number, scene in enumerate(storyboard.scenes):
        for place, layer in enumerate(scene.layers):
            found += _of_layer(layer, ("scenes", number, "layers", place), words)
    return tuple(sorted((Problem(marked.line(path), path, why) for path, why in found), key=lambda p: p.line))


def _of_whole(storyboard: Storyboard, words: Vocabulary) -> Iterator[tuple[Path, str]]:
    music = storyboard.audio.music
    if music and music.style not in words.music:
        yield ("audio", "music", "style"), _unknown("music style", music.style, words.music)
    if storyboard.captions.style not in words.captions:
        yield ("captions", "style"), _unknown("caption style", storyboard.captions.style, words.captions)


def _of_layer(layer: Any, path: Path, words: Vocabulary) -> Iterator[tuple[Path, str]]:
    match layer:
        case ClipPart(query=query):
            yield from _of_query(query, (*path, "query"), words)
        case ImagePart(file=file) if len(file) != 64 and file not in words.pictures:  # else a sha256
            yield (*path, "file"), _unknown("picture", file, words.pictures)
        case CardPart(card=card) if card not in words.cards:
            yield (*path, "card"), _unknown("card", card, words.cards)
        case TextPart(card=card) | ChartPart(card=card) if card not in words.cards:
            yield path, _unknown("card", card, words.cards)


def _of_query(query: ShotQuery, path: Path, words: Vocabulary) -> Iterator[tuple[Path, str]]:
    for key in ("tags_all", "tags_any", "tags_none"):
        named: tuple[str, ...] = getattr(query, key)
        for number, tag in enumerate(named):
            if words.resolve(tag) is None:
                near = words.nearest(tag)
                step = f"did you mean {near!r}?" if near else "free words belong in `text`"
                yield (*path, key, number), f"there is no tag {tag[:60]!r} ({step})"
    try:
        parse_query(query.where, words.resolve)
    except QuerySyntax as wrong:
        yield (*path, "where"), wrong.cause


def _unknown(sort: str, name: str, known: Collection[str]) -> str:
    return f"there is no {sort} {name[:60]!r} ({hint(name, known, ', '.join(sorted(known)[:20]) or 'none')})"

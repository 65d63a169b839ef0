"""Words that a schema cannot list are looked up: each unknown one at its line, with the nearest."""

from __future__ import annotations

import pytest

from factory.plan.storyboard import StoryboardInvalid, read_marked
from factory.plan.vocabulary import Vocabulary, read_known, unknown_words

TEXT = """\
version: 1
template: x
title: X
locale: en-US
audio: {music: {style: drive}}
captions: {style: plain}
scenes:
  - id: a
    duration: 3
    layers:
      - type: clip
        query:
          tags_all: [mud]
          tags_none:
            - rock
          where: "mud | -rock"
      - {type: card, card: title}
      - {type: text, lines: [a]}
      - {type: image, file: a.png}
"""
TAGS = {"mud": "mud", "泥地": "mud", "rock": "rock"}
WORDS = Vocabulary(
    TAGS.get, lambda word: "mud" if word[:1] == "m" else None, ("title", "text"), ("drive",), ("plain",), ("a.png",)
)


def unknown(text: str) -> list[tuple[int, str, str]]:
    return [(p.line, p.where, p.why) for p in unknown_words(*read_marked(text, "x"), WORDS)]


def test_known_words_pass_by_any_name() -> None:
    assert unknown(TEXT) == []
    assert unknown(TEXT.replace("[mud]", "[泥地]").replace("a.png", "a" * 64)) == []


def test_each_unknown_word_is_named_at_its_line() -> None:
    text = (
        TEXT.replace("drive", "driv").replace("plain", "x").replace("[mud]", "[mud, mudd]").replace("- rock", "- snow")
    )
    text = text.replace("-rock", "(rock").replace("card: title", "card: titel").replace("a.png", "b.png")
    assert unknown(text) == [
        (5, "audio.music.style", "there is no music style 'driv' (did you mean 'drive'?)"),
        (6, "captions.style", "there is no caption style 'x' (known are plain)"),
        (13, "scenes.0.layers.0.query.tags_all.1", "there is no tag 'mudd' (did you mean 'mud'?)"),
        (15, "scenes.0.layers.0.query.tags_none.0", "there is no tag 'snow' (free words belong in `text`)"),
        (16, "scenes.0.layers.0.query.where", "query column 12: expected ) for the ( in column 7, found the end"),
        (17, "scenes.0.layers.1.card", "there is no card 'titel' (did you mean 'title'?)"),
        (19, "scenes.0.layers.3.file", "there is no picture 'b.png' (did you mean 'a.png'?)"),
    ]


def test_reading_with_a_vocabulary_refuses_all_unknown_words_at_once() -> None:
    assert read_known(TEXT, "x", WORDS).title == "X"
    with pytest.raises(StoryboardInvalid, match=r"x:5: audio.music.style: .* \(and 1 more\)"):
        read_known(TEXT.replace("drive", "driv").replace("[mud]", "[mudd]"), "x", WORDS)

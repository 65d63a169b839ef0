"""The lexicon of the desk: how words, letters, units and signs are read aloud, per locale. Editors extend the file.

The packaged file is `factory/plan/data/lexicon.yaml`; an editor's own file of the same shape is laid over it entry by
entry. A reading is plain text in the voice's language, or phonemes between slashes (`/ˈɛks/`, the alphabet of
the voices) where letters cannot say it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from factory.errors import FactoryError
from factory.plan.facts import Locale
from factory.plan.marked_yaml import YamlRefused, load

Text = Annotated[str, StringConstraints(min_length=1, max_length=80)]


class LexiconWrong(FactoryError):
    code = "lexicon-wrong"
    exit_code = 2


@dataclass(frozen=True, slots=True)
class Lexicon:
    """How one locale reads. `words` keys are looked up whole, without regard to case; `units` only after a number.

    An English unit is `one|many`. `pinyin` gives the syllables (`tiao2 jiao4`) of a Chinese word whose characters are
    usually read otherwise.
    """

    locale: Locale
    words: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    letters: Mapping[str, str] = field(default_factory=dict)
    signs: Mapping[str, str] = field(default_factory=dict)
    pinyin: Mapping[str, str] = field(default_factory=dict)

    def over(self, base: Lexicon) -> Lexicon:
        """Return `base` with the entries of this lexicon laid over it."""
        return Lexicon(
            base.locale,
            words={**base.words, **self.words},
            units={**base.units, **self.units},
            letters={**base.letters, **self.letters},
            signs={**base.signs, **self.signs},
            pinyin={**base.pinyin, **self.pinyin},
        )


Lexicons = Mapping[Locale, Lexicon]


class _Page(BaseModel):
    """One locale of the file."""

    model_config = ConfigDict(extra="forbid")
    words: dict[Text, Text] = Field(default_factory=dict)
    units: dict[Text, Text] = Field(default_factory=dict)
    letters: dict[Annotated[str, StringConstraints(pattern=r"^[A-Z]$")], Text] = Field(default_factory=dict)
    signs: dict[Annotated[str, StringConstraints(min_length=1, max_length=1)], Text] = Field(default_factory=dict)
    pinyin: dict[Text, Annotated[str, StringConstraints(pattern=r"^[a-zü]+[1-5]( [a-zü]+[1-5])*$")]] = Field(
        default_factory=dict
    )


class _Book(BaseModel):
    model_config = ConfigDict(extra="forbid")
    zh: _Page = Field(default_factory=_Page, alias="zh-CN")
    en: _Page = Field(default_factory=_Page, alias="en-US")


def read_lexicons(text: str, source_name: str, base: Lexicons | None = None) -> Lexicons:
    """Parse a lexicon file and lay it over `base`. Raises LexiconWrong naming file, line and place."""
    try:
        marked = load(text)
        book = _Book.model_validate(marked.value)
    except YamlRefused as refusal:
        place = f"{source_name}:{refusal.problem.line}"
        raise LexiconWrong(f"{place}: {refusal.problem.why}", next_step="mend that line: plain YAML") from refusal
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise LexiconWrong(
            f"{source_name}:{marked.line(marked.known_path(first['loc']))}: {where}: {first['msg']}",
            next_step="quote the entry, or see factory/plan/data/lexicon.yaml",
        ) from error
    read: dict[Locale, Lexicon] = {"zh-CN": _lexicon("zh-CN", book.zh), "en-US": _lexicon("en-US", book.en)}
    return {locale: page.over(base[locale]) for locale, page in read.items()} if base else read


def _lexicon(locale: Locale, page: _Page) -> Lexicon:
    words = {word.casefold(): reading for word, reading in page.words.items()}
    return Lexicon(locale, words, page.units, page.letters, page.signs, page.pinyin)

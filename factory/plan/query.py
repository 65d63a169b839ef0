"""The query language of the index: one grammar for the command line, the API and storyboards.

`off-road & (mud | water-crossing) & -night duration:>=3 height:>=720 rights:ok "free words"`

Terms are tags (any zh or en name or synonym of the taxonomy; a name of several words takes hyphens), `&` or a space is
and, `|` is or, `-` or `!` directly before a term is not, parentheses group, `key:value` filters, quoted or unknown
words are free text. Full-width punctuation means the same. `confidence:>=0.5` asks that of each tag named in the query,
`age:<=30` for clips that came in within so many days, `car:byd-seal` for shots whose title, speech or burnt-in text
name that car of the catalogue.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from typing import Literal, cast, get_args

from factory.errors import WrongUsage

Operator = Literal[">=", "<=", ">", "<", "="]
FilterKey = Literal["duration", "height", "width", "aspect", "rights", "asset", "coarse", "confidence", "car", "age"]


@dataclass(frozen=True, slots=True)
class HasTag:
    """The shot carries the tag with this canonical name (or one of its children)."""

    tag: str


@dataclass(frozen=True, slots=True)
class HasText:
    """Title, speech or burnt-in text of the shot contain these words."""

    text: str


@dataclass(frozen=True, slots=True)
class Compare:
    """A property of the shot: duration in seconds, height and width in pixels, aspect as width / height, age in days
    since its clip came in; `car` is any name of a car of the catalogue that the shot's words name."""

    key: FilterKey
    operator: Operator
    value: Decimal | str


@dataclass(frozen=True, slots=True)
class Not:
    term: Query


@dataclass(frozen=True, slots=True)
class And:
    terms: tuple[Query, ...]


@dataclass(frozen=True, slots=True)
class Or:
    terms: tuple[Query, ...]


Query = HasTag | HasText | Compare | Not | And | Or

EVERYTHING = And(())

Resolve = Callable[[str], str | None]

MAX_CHARACTERS = 2000
MAX_DEPTH = 32
NUMERIC: tuple[FilterKey, ...] = ("duration", "height", "width", "aspect", "confidence", "age")
KEYS: dict[str, FilterKey] = {
    **{key: key for key in get_args(FilterKey)},
    **{"时长": "duration", "高度": "height", "宽度": "width", "画幅": "aspect", "版权": "rights"},
    **{"素材": "asset", "类别": "coarse", "置信度": "confidence", "车型": "car", "天数": "age"},
}
_WIDE = str.maketrans("（）｜＆：！－＞＜＝＂“”", '()|&:!-><="""')
_END = ""


class QuerySyntax(WrongUsage):
    """Text that is no query: names the column (from 1) and what was expected there."""

    code = "query-syntax"

    def __init__(self, column: int, cause: str) -> None:
        super().__init__(
            f"query column {column}: {cause}",
            next_step='write it like: off-road & (mud | rock) & -night duration:>=3 "free words"',
        )
        self.column = column


def all_of(terms: Iterable[Query]) -> Query:
    """Return the conjunction, flat; of no terms it is `EVERYTHING`, of one that term itself."""
    flat = [part for term in terms for part in (term.terms if isinstance(term, And) else (term,))]
    return flat[0] if len(flat) == 1 else And(tuple(flat))


def any_of(terms: Iterable[Query]) -> Query:
    """Return the disjunction, flat; of one term that term itself. At least one term is needed."""
    flat = [part for term in terms for part in (term.terms if isinstance(term, Or) else (term,))]
    if not flat:
        raise ValueError("any_of needs a term: a choice among nothing matches nothing")
    return flat[0] if len(flat) == 1 else Or(tuple(flat))


def parse_query(text: str, resolve: Resolve) -> Query:
    """Return the query that `text` says. `resolve` gives a tag's canonical name for any of its names, or None.

    The empty text is `EVERYTHING`. Raises `QuerySyntax`.
    """
    if len(text) > MAX_CHARACTERS:
        raise QuerySyntax(MAX_CHARACTERS + 1, f"the query has {len(text)} characters; {MAX_CHARACTERS} are allowed")
    for column, character in enumerate(text, start=1):
        if unicodedata.category(character) in ("Cc", "Cs") and not character.isspace():
            raise QuerySyntax(column, f"the character U+{ord(character):04X} has no place in a query")
    return _Parser(text, resolve).query()


def format_query(query: Query) -> str:
    """Return text that `parse_query` reads back as the same query (tags being canonical names)."""
    match query:
        case HasTag(tag):
            return tag
        case HasText(words):
            return '"' + re.sub(r'(["“”＂\\])', r"\\\1", words) + '"'
        case Compare(key, operator, value):
            shown = format(value, "f") if isinstance(value, Decimal) else value
            return f"{key}:{'' if operator == '=' else operator}{shown}"
        case Not(term):
            return "-" + _grouped(term)
        case And(terms):
            return " & ".join(_grouped(term) for term in terms)
        case Or(terms):
            return " | ".join(_grouped(term) for term in terms)


def tags_of(query: Query) -> tuple[str, ...]:
    """Return the tags that the query asks for (not those it refuses), in order, without repeats."""
    match query:
        case HasTag(tag):
            return (tag,)
        case And(terms) | Or(terms):
            return tuple(dict.fromkeys(tag for term in terms for tag in tags_of(term)))
        case _:
            return ()


def cars_of(query: Query) -> tuple[str, ...]:
    """Return the cars that the query names, asked for or refused, without repeats."""
    match query:
        case Compare("car", _, name):
            return (str(name),)
        case Not(term):
            return cars_of(term)
        case And(terms) | Or(terms):
            return tuple(dict.fromkeys(name for term in terms for name in cars_of(term)))
        case _:
            return ()


def _grouped(term: Query) -> str:
    return f"({format_query(term)})" if isinstance(term, And | Or) else format_query(term)


class _Parser:
    """Recursive descent over the text itself: `or` of `and`s of terms. Columns count the text as it was typed."""

    def __init__(self, text: str, resolve: Resolve) -> None:
        self.text = text
        self.marks = text.translate(_WIDE)  # one character for one, so that columns stay
        self.resolve = resolve
        self.at = 0
        self.depth = 0

    def query(self) -> Query:
        if self.peek() == _END:
            return EVERYTHING
        found = self.either()
        if self.peek() != _END:
            raise self.error("expected & or | or a term")
        return found

    def peek(self) -> str:
        """Return the next character that is no space, or the empty string at the end."""
        while self.at < len(self.marks) and self.marks[self.at].isspace():
            self.at += 1
        return self.marks[self.at] if self.at < len(self.marks) else _END

    def error(self, expected: str, at: int | None = None) -> QuerySyntax:
        at = self.at if at is None else at
        found = f"found {self.text[at]!r}" if at < len(self.text) else "found the end"
        return QuerySyntax(at + 1, f"{expected}, {found}")

    def either(self) -> Query:
        terms = [self.both()]
        while self.peek() == "|":
            self.at += 1
            terms.append(self.both())
        return any_of(terms)

    def both(self) -> Query:
        terms = [self.term()]
        while (mark := self.peek()) not in (_END, "|", ")"):
            if mark == "&":
                self.at += 1
            terms.append(self.term())
        return all_of(terms)

    def term(self) -> Query:
        mark = self.peek()
        if mark in (_END, "&", "|", ")"):
            raise self.error("expected a tag, a word, a filter or (")
        if mark in "-!":
            return self.negated()
        if mark == "(":
            return self.grouped()
        return self.quoted() if mark == '"' else self.word()

    def nested(self, inner: Callable[[], Query]) -> Query:
        self.at += 1
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise QuerySyntax(self.at, f"more than {MAX_DEPTH} groups or negations stand in one another")
        found = inner()
        self.depth -= 1
        return found

    def negated(self) -> Query:
        if self.at + 1 >= len(self.marks) or self.marks[self.at + 1].isspace():
            raise self.error(f"expected a term directly after {self.text[self.at]!r}", self.at + 1)
        return Not(self.nested(self.term))

    def grouped(self) -> Query:
        opened = self.at
        found = self.nested(self.either)
        if self.peek() != ")":
            raise self.error(f"expected ) for the ( in column {opened + 1}")
        self.at += 1
        return found

    def quoted(self) -> Query:
        opened, letters = self.at, list[str]()
        self.at += 1
        while self.at < len(self.marks) and self.marks[self.at] != '"':
            if self.marks[self.at] == "\\":
                self.at += 1
            letters.append(self.text[self.at : self.at + 1])
            self.at += 1
        if self.at >= len(self.marks):
            self.at = len(self.marks)
            raise self.error(f"expected a quote that closes the one in column {opened + 1}")
        self.at += 1
        if not (words := "".join(letters)).strip():
            raise QuerySyntax(opened + 1, "expected words between the quotes")
        return HasText(words)

    def word(self) -> Query:
        start = self.at
        while self.at < len(self.marks) and not (self.marks[self.at].isspace() or self.marks[self.at] in '()|&"'):
            self.at += 1
        word = self.text[start : self.at]
        if tag := self.resolve(word):
            return HasTag(tag)
        key, colon, value = self.marks[start : self.at].partition(":")
        return self.filter(key, value, start) if colon else HasText(word)

    def filter(self, name: str, value: str, start: int) -> Query:
        key = KEYS.get(name.lower())
        if key is None:
            close = get_close_matches(name.lower(), KEYS, n=1)
            hint = f"did you mean {close[0]}:" if close else f"known are {', '.join(get_args(FilterKey))}"
            raise QuerySyntax(start + 1, f"there is no filter {name + ':'!r} ({hint}; put free text in quotes)")
        parts = re.fullmatch(r"(>=|<=|>|<|=|≥|≤)?(.*)", value, re.DOTALL)
        assert parts is not None
        sign = {"≥": ">=", "≤": "<="}.get(parts[1] or "=", parts[1] or "=")
        column = start + len(name) + 2
        if key in NUMERIC:
            return Compare(key, cast("Operator", sign), _number(key, parts[2], column))
        if sign != "=":
            raise QuerySyntax(column, f"{key}: takes a name, not {sign}")
        return Compare(key, "=", self.named(key, parts[2], column))

    def named(self, key: FilterKey, value: str, column: int) -> str:
        if key == "coarse":
            if (tag := self.resolve(value)) is None:
                raise QuerySyntax(column, f"expected a tag after coarse:, found {value!r}")
            return tag
        if key == "car":
            if not re.fullmatch(r"[\w.+·-]{1,100}", value):
                raise QuerySyntax(column, f"expected a car's name after car:, found {value!r:.60}")
            return value.lower()
        pattern, wanted = (r"[0-9a-f]{4,64}", "hex digits") if key == "asset" else (r"[a-z][a-z-]{0,31}", "a name")
        if not re.fullmatch(pattern, value.lower()):
            raise QuerySyntax(column, f"expected {wanted} after {key}:, found {value!r:.60}")
        return value.lower()


def _number(key: FilterKey, text: str, column: int) -> Decimal:
    unit = {"duration": "s?", "height": "p?", "width": "(px)?"}.get(key, "")
    if parts := re.fullmatch(rf"([0-9]{{1,9}}(?:\.[0-9]{{1,9}})?){unit}", text, re.ASCII):
        return Decimal(parts[1])
    if key == "aspect" and (sides := re.fullmatch(r"([1-9][0-9]{0,4}):([1-9][0-9]{0,4})", text, re.ASCII)):
        return (Decimal(sides[1]) / Decimal(sides[2])).quantize(Decimal("0.0001"))
    raise QuerySyntax(column, f"expected a number after {key}:, found {text!r:.60}")

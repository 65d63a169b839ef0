"""The query language of the index: one grammar for the command line, the API and storyboards.

`off-road & (mud | water-crossing) & -night duration:>=3 height:>=720 rights:ok "free words"`

Terms are tags (any zh or en name or synonym of the taxonomy), `&` or a space is and, `|` is or, `-` or `!` at the start of a term
is not, parentheses group, `key:value` filters, quoted or unknown words are free text.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

Operator = Literal[">=", "<=", ">", "<", "="]
FilterKey = Literal["duration", "height", "width", "aspect", "rights", "asset", "coarse", "confidence"]


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
    """A property of the shot: duration in seconds, height and width in pixels, aspect as width / height."""

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

"""A plan query becomes SQL over the postings.

Each tag term reads `shot_tag` by its key (tag first); a refused tag is an anti-join by that key. The score of a shot
is the mean confidence of what was asked with `&` and the best of what was asked with `|`, so an exact tag always stands
above words that merely occur.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from operator import eq, ge, gt, le, lt
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.functions import GenericFunction

from factory.errors import WrongUsage
from factory.plan.query import And, Compare, HasTag, HasText, Not, Or, Query, all_of, format_query
from factory.store.columns import MICROSECONDS, utc_now
from factory.store.schema import RIGHTS, Asset, CarName, Shot, ShotMention, ShotTag, TagRow
from factory.store.words import compact, like_pattern

MIN_CONFIDENCE = 0.3  # what counts as carrying a tag where the query does not say
WORDS_SCORE = 0.05  # words that occur, below any tag that counts
MOST_TERMS = 100
OPERATORS = {">=": ge, "<=": le, ">": gt, "<": lt, "=": eq}
ASPECT_SLACK = 0.01  # 1366x768 is 16:9 too
OLDEST_DAYS = 36_500
DURATION_SLACK_US = MICROSECONDS // 20

Families = Mapping[str, tuple[int, ...]]  # canonical tag -> ids of it and of everything below it


class QueryNotSearchable(WrongUsage):
    code = "query-not-searchable"


class greatest(GenericFunction[float]):  # noqa: N801  (the name of the SQL function)
    """The largest of two or more values."""

    type = sa.Double()
    inherit_cache = True


@compiles(greatest, "sqlite")
def _greatest_in_sqlite(element: greatest, compiler: Any, **options: Any) -> str:
    return f"max({compiler.process(element.clauses, **options)})"


@dataclass(frozen=True, slots=True)
class Compiled:
    """The SQL of a query: which shots, and how well each fits (0 where the query names nothing that can fit)."""

    where: ColumnElement[bool]
    score: ColumnElement[float]


def compile_query(session: Session, query: Query) -> Compiled:
    """Return the SQL for `query`. Raises QueryNotSearchable for what has no meaning or is too long."""
    leaves = list(_leaves(query))
    if len(leaves) > MOST_TERMS:
        raise QueryNotSearchable(
            f"the query has {len(leaves)} terms, at most {MOST_TERMS} work", next_step="ask for less"
        )
    tags = {leaf.tag for leaf in leaves if isinstance(leaf, HasTag)}
    tags |= {str(leaf.value) for leaf in leaves if isinstance(leaf, Compare) and leaf.key == "coarse"}
    compiler = _Compiler(tag_families(session) if tags else {}, _confidence_of(query))
    return Compiled(sa.and_(Asset.status == "added", compiler.where(query)), _or_zero(compiler.score(query)))


def matching_shots(compiled: Compiled) -> sa.Select[int, float]:
    """Return (shot id, score) of every match, in no order."""
    select = sa.select(Shot.id, compiled.score.label("score"))
    return select.join(Asset, Asset.id == Shot.asset_id).where(compiled.where)


def count(session: Session, query: Query, only: ColumnElement[bool] | None = None) -> int:
    """Return how many shots match; `only` is a further condition on `Shot`."""
    where = compile_query(session, query).where
    if only is not None:
        where = sa.and_(where, only)
    total = sa.select(sa.func.count(Shot.id)).join(Asset, Asset.id == Shot.asset_id).where(where)
    return session.scalar(total) or 0


def count_without(session: Session, query: Query) -> tuple[tuple[str, int], ...]:
    """Return each condition with how many shots match when it alone is dropped; the one that removes most is first."""
    terms = query.terms if isinstance(query, And) else (query,)
    if len(terms) > MOST_TERMS:
        raise QueryNotSearchable(f"the query has {len(terms)} terms", next_step="ask for less")
    left = [(format_query(term), count(session, all_of(terms[:i] + terms[i + 1 :]))) for i, term in enumerate(terms)]
    return tuple(sorted(left, key=lambda found: -found[1]))


def tag_families(session: Session) -> Families:
    """Return each tag with the ids of itself and of all its children."""
    rows = session.execute(sa.select(TagRow.id, TagRow.name, TagRow.parent_id)).all()
    parent = {row.id: row.parent_id for row in rows}
    families: dict[int, list[int]] = {row.id: [] for row in rows}
    for row in rows:
        above, seen = row.id, set[int]()
        while above is not None and above not in seen:
            families[above].append(row.id)
            seen.add(above)
            above = parent[above]
    return {row.name: tuple(families[row.id]) for row in rows}


class _Compiler:
    """One walk for the condition, one for the score."""

    def __init__(self, families: Families, confidence: tuple[ColumnElement[bool], ...]) -> None:
        self.families = families
        self.confidence = confidence

    def where(self, query: Query, *, negated: bool = False) -> ColumnElement[bool]:  # noqa: PLR0911  (one per kind)
        match query:
            case HasTag(tag):
                return self._has_tag(tag, negated)
            case HasText(words):
                pattern = like_pattern(words)
                return sa.false() if pattern is None else Shot.words.like(pattern)
            case Compare("coarse", _, tag):
                return self._has_tag(str(tag), negated)
            case Compare():
                return _compare(query)
            case Not(term):
                return sa.not_(self.where(term, negated=not negated))
            case And(terms):
                return sa.and_(sa.true(), *(self.where(term, negated=negated) for term in dict.fromkeys(terms)))
            case Or(terms):
                return sa.or_(sa.false(), *(self.where(term, negated=negated) for term in dict.fromkeys(terms)))

    def score(self, query: Query) -> ColumnElement[float] | None:
        """Return what the shot's tags say for the query, or None where it asks for no tag and no word."""
        match query:
            case HasTag(tag) | Compare("coarse", _, tag):
                return self._confidence(str(tag))
            case Compare("car", _, name):
                best = sa.select(sa.func.max(ShotMention.confidence)).where(ShotMention.shot_id == Shot.id)
                best = best.where(ShotMention.car_id.in_(_cars_called(str(name))))
                return sa.func.coalesce(best.scalar_subquery(), 0.0)
            case HasText():
                return sa.case((self.where(query), WORDS_SCORE), else_=0.0)
            case And(terms):
                tagged = [t for t in dict.fromkeys(terms) if not isinstance(t, HasText)]
                parts = self._scores(tagged) or self._scores(terms)
                return sum(parts[1:], start=parts[0]) / len(parts) if parts else None
            case Or(terms):
                parts = self._scores(dict.fromkeys(terms))
                return greatest(*parts) if len(parts) > 1 else next(iter(parts), None)
            case _:
                return None

    def _scores(self, terms: Any) -> list[ColumnElement[float]]:
        return [score for score in map(self.score, terms) if score is not None]

    def _has_tag(self, tag: str, negated: bool) -> ColumnElement[bool]:
        family = self.families.get(tag, ())
        if not family:
            return sa.false()
        carried = sa.and_(ShotTag.tag_id.in_(family), *self.confidence)
        if negated:  # an anti-join by the key; IN would gather every carrier first
            return sa.exists().where(ShotTag.shot_id == Shot.id, carried)
        return Shot.id.in_(sa.select(ShotTag.shot_id).where(carried))

    def _confidence(self, tag: str) -> ColumnElement[float]:
        family = self.families.get(tag, ())
        if not family:
            return sa.literal(0.0)
        best = sa.select(sa.func.max(ShotTag.confidence))
        best = best.where(ShotTag.shot_id == Shot.id, ShotTag.tag_id.in_(family), *self.confidence)
        return sa.func.coalesce(best.scalar_subquery(), 0.0)


def _or_zero(score: ColumnElement[float] | None) -> ColumnElement[float]:
    return sa.literal(0.0) if score is None else score


def _leaves(query: Query) -> Iterator[HasTag | HasText | Compare]:
    match query:
        case Not(term):
            yield from _leaves(term)
        case And(terms) | Or(terms):
            for term in terms:
                yield from _leaves(term)
        case _:
            yield query


def _confidence_of(query: Query) -> tuple[ColumnElement[bool], ...]:
    """Return what `confidence:` asks of every tag of the query. It can stand only beside the other terms."""
    terms = query.terms if isinstance(query, And) else (query,)
    said = [t for t in terms if isinstance(t, Compare) and t.key == "confidence"]
    if len(said) != sum(isinstance(leaf, Compare) and leaf.key == "confidence" for leaf in _leaves(query)):
        raise QueryNotSearchable(
            "confidence: holds for the whole query and cannot be negated or stand in a group",
            next_step="write it once beside the other terms: mud & confidence:>=0.5",
        )
    conditions = tuple(OPERATORS[t.operator](ShotTag.confidence, float(t.value)) for t in said)
    if any(t.operator in (">=", ">", "=") for t in said):
        return conditions
    return (*conditions, ShotTag.confidence >= MIN_CONFIDENCE)


def _compare(term: Compare) -> ColumnElement[bool]:  # noqa: PLR0911  (one per key)
    compare = OPERATORS[term.operator]
    match term.key:
        case "confidence":
            return sa.true()  # says what counts as carrying a tag: `_confidence_of`
        case "duration":
            wanted = int(_number(term) * MICROSECONDS)
            if term.operator == "=":
                return Shot.length_us.between(wanted - DURATION_SLACK_US, wanted + DURATION_SLACK_US)
            return _condition(compare(Shot.length_us, wanted))
        case "height" | "width":
            return _condition(compare(getattr(Shot, term.key), float(_number(term))))
        case "aspect":
            return _aspect(term)
        case "age":
            return _aged(term)
        case "car":
            named = sa.select(ShotMention.shot_id).where(ShotMention.car_id.in_(_cars_called(str(term.value))))
            return Shot.id.in_(named)
        case "rights":
            return Asset.rights == _known_rights(term)
        case _:
            return Asset.digest.startswith(str(term.value), autoescape=True)


def _aged(term: Compare) -> ColumnElement[bool]:
    """Compare the days since a clip came in; `=` means that day."""
    then = utc_now() - timedelta(days=min(float(_number(term)), OLDEST_DAYS))
    if term.operator == "=":
        return Asset.created_at.between(then - timedelta(days=1), then)
    return _condition(OPERATORS[{">=": "<=", "<=": ">=", ">": "<", "<": ">"}[term.operator]](Asset.created_at, then))


def _cars_called(name: str) -> sa.Select[int]:
    return sa.select(CarName.car_id).where(CarName.folded == compact(name))


def _condition(value: Any) -> ColumnElement[bool]:
    """Name the type of what an operator made of a column."""
    condition: ColumnElement[bool] = value
    return condition


def _aspect(term: Compare) -> ColumnElement[bool]:
    """Compare width with height times the wanted ratio; `=` and the closed signs allow one percent."""
    ratio = float(_number(term))
    low, high = Shot.height * (ratio * (1 - ASPECT_SLACK)), Shot.height * (ratio * (1 + ASPECT_SLACK))
    match term.operator:
        case "=":
            return Shot.width.between(low, high)
        case ">=":
            return Shot.width >= low
        case ">":
            return Shot.width > high
        case "<=":
            return Shot.width <= high
        case "<":
            return Shot.width < low


def _number(term: Compare) -> Decimal:
    if not isinstance(term.value, Decimal):
        raise QueryNotSearchable(f"{term.key}: compares numbers, not {term.value!r}", next_step="write height:>=720")
    return term.value


def _known_rights(term: Compare) -> str:
    if term.operator != "=" or term.value not in RIGHTS:
        raise QueryNotSearchable(
            f"rights:{term.value} is none of {', '.join(RIGHTS)}", next_step="write rights:ok for what may be published"
        )
    return str(term.value)

"""What a storyboard layer wants, said as a query of the index."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal

from factory.errors import WrongUsage
from factory.plan.query import Compare, HasTag, HasText, Not, Query, Resolve, all_of, any_of, parse_query, tags_of
from factory.plan.storyboard import ShotQuery

Nearest = Callable[[str], str | None]


class UnknownTag(WrongUsage):
    """A storyboard asks for a tag that the taxonomy does not know; names the nearest one."""

    code = "unknown-tag"

    def __init__(self, tag: str, nearest: str | None) -> None:
        hint = f"did you mean {nearest!r}?" if nearest else "look it up in the taxonomy"
        super().__init__(f"there is no tag {tag!r}", next_step=f"{hint} Free words belong in `text`, not in a tag list")
        self.tag = tag
        self.nearest = nearest


def storyboard_query(wants: ShotQuery, resolve: Resolve, nearest: Nearest | None = None) -> Query:
    """Return the query that a clip layer means: all lists and `where` must hold, and one word of `text` is carried.

    Where tags are named, each counts from `min_score` on. Raises `UnknownTag` and, for `where`, `QuerySyntax`.
    """

    def tags(names: Iterable[str]) -> list[Query]:
        return [HasTag(_canonical(name, resolve, nearest)) for name in names]

    terms: list[Query] = tags(wants.tags_all)
    if wants.tags_any:
        terms.append(any_of(tags(wants.tags_any)))
    if wants.where.strip():
        terms.append(parse_query(wants.where, resolve))
    terms.extend(Not(tag) for tag in tags(wants.tags_none))
    if words := [word for word in wants.text if word.strip()]:
        car = [Compare("car", "=", wants.car)] if wants.car else []
        terms.append(any_of([*(HasText(word) for word in words), *car]))
    if wants.max_age_days is not None:
        terms.append(Compare("age", "<=", Decimal(wants.max_age_days)))
    if tags_of(all_of(terms)) and wants.min_score > 0:
        terms.append(Compare("confidence", ">=", Decimal(str(wants.min_score))))
    return all_of(terms)


def preferences(wants: ShotQuery, resolve: Resolve) -> tuple[str, ...]:
    """Return what raises a score: canonical tags where the taxonomy knows the word, else the word itself."""
    return tuple(dict.fromkeys(resolve(word) or word for word in wants.prefer if word.strip()))


def _canonical(name: str, resolve: Resolve, nearest: Nearest | None) -> str:
    tag = resolve(name)
    if tag is None:
        raise UnknownTag(name, nearest(name) if nearest else None)
    return tag

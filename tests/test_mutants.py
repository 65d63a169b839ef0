"""The faults that `./run bench-mutants` tries, and the list of those that are none."""

from __future__ import annotations

import ast
import importlib
import inspect
import textwrap

import pytest

from tests.bench.bench_mutants import MODULES, equivalents
from tests.bench.mutants import Mutant, find_mutants

SOURCE = '''
"""A docstring."""
TABLE = {"a": 1, "b": 2}

def first(rows: list[int], most: int = 3) -> int | None:
    """Another."""
    for row in rows:
        if row < most and not row == 2:
            continue
        log("prose of it")
        return row + 1
    return None

def last(session):
    try:
        return session.scalars(select(A).where(and_(B, C)).limit(1)).first()
    except (OSError, KeyError):
        raise Lost(f"{session} is lost", code="lost") from None
'''


def changed(mutant: Mutant) -> list[str]:
    """The lines of the source that the mutant changes, as they are then."""
    before = ast.unparse(ast.parse(SOURCE)).splitlines()
    return [line.strip() for line in ast.unparse(mutant.tree(SOURCE)).splitlines() if line not in before]


@pytest.mark.parametrize(
    ("function", "before", "after", "line"),
    [
        ("", "'a': 1", "", "TABLE = {'b': 2}"),
        ("", "'a'", "'aXX'", "TABLE = {'aXX': 1, 'b': 2}"),
        ("first", "3", "4", "def first(rows: list[int], most: int=4) -> int | None:"),
        ("first", "for .. in rows", "for .. in ()", "for row in ():"),
        ("first", "row < most", "row <= most", "if row <= most and (not row == 2):"),
        ("first", "row < most", "row > most", "if row > most and (not row == 2):"),
        ("first", "row == 2", "row != 2", "if row < most and (not row != 2):"),
        ("first", "row < most and (not row == 2)", "row < most or not row == 2", "if row < most or not row == 2:"),
        ("first", "not row == 2", "row == 2", "if row < most and (not not row == 2):"),
        ("first", "if row < most and (not row == 2)", "if True", "if True:"),
        ("first", "continue", "break", "break"),
        ("first", "log('prose of it')", "pass", "pass"),
        ("first", "'prose of it'", "''", "log('')"),
        ("first", "row + 1", "row - 1", "return row - 1"),
        ("first", "return row + 1", "return None", "return None"),
        ("last", ".limit(1)", "", "return session.scalars(select(A).where(and_(B, C))).first()"),
        ("last", "and_()", "or_()", "return session.scalars(select(A).where(or_(B, C)).limit(1)).first()"),
        ("last", "and_(.., B)", "and_(..)", "return session.scalars(select(A).where(and_(C)).limit(1)).first()"),
        ("last", "Lost(code='lost')", "Lost()", "raise Lost(f'{session} is lost') from None"),
        ("last", "f'{session} is lost'", "''", "raise Lost(f'', code='lost') from None"),
        ("last", "f'{session} is lost'", "f' is lost'", "raise Lost(f' is lost', code='lost') from None"),
        (
            "last",
            "except (OSError, KeyError)",
            "except (OSError, KeyError) without KeyError",
            "except (OSError,):",
        ),
    ],
)
def test_a_fault_is_where_it_says(function: str, before: str, after: str, line: str) -> None:
    (mutant,) = [
        found
        for found in find_mutants("m", SOURCE)
        if (found.function, found.before, found.after, found.nth) == (function, before, after, 1)
    ]
    assert changed(mutant) == [line]


def test_words_for_readers_and_types_are_left_alone() -> None:
    told = [str(mutant) for mutant in find_mutants("m", SOURCE)]
    assert not any("docstring" in line or "Another" in line or "list[int]" in line for line in told)
    source = 'def f(x: "A" = cast("B", 1)) -> "C": ...\nState = Literal["d", "e"]\n'
    assert [mutant.before for mutant in find_mutants("m", source)] == ["1"]


def test_a_fault_is_named_whatever_line_it_stands_in() -> None:
    moved = textwrap.dedent("# one more line\n") + SOURCE
    assert [mutant.key for mutant in find_mutants("m", moved)] == [mutant.key for mutant in find_mutants("m", SOURCE)]
    keys = [mutant.key for mutant in find_mutants("m", SOURCE)]
    assert len(set(keys)) == len(keys)


def test_each_listed_equivalent_is_a_fault_that_is_tried_and_has_a_reason() -> None:
    tried = {
        mutant.key
        for name in MODULES
        for mutant in find_mutants(name, inspect.getsource(importlib.import_module(name)))
    }
    listed = equivalents()
    assert listed
    assert listed.keys() <= tried
    assert all(len(why) > 20 for why in listed.values())

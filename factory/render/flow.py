"""Credits flowed into columns: groups of entries, each entry kept whole, what does not fit counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from factory.render.lettering import drawable, wrap

Sort = Literal["head", "line"]


@dataclass(frozen=True, slots=True)
class FlowLine:
    """One line at a column and a row, both from 0."""

    column: int
    row: int
    words: str
    sort: Sort


@dataclass(frozen=True, slots=True)
class Flow:
    """The placed lines, how many rows the fullest column has, and how many entries found no place."""

    lines: tuple[FlowLine, ...]
    rows: int
    left_out: int


def flow(groups: Sequence[tuple[str, Sequence[str]]], size: float, width: float, columns: int, most_rows: int) -> Flow:
    """Place groups of (heading, entries) in columns of at most `most_rows` rows, filled evenly where all fits.

    An entry takes up to two lines of `width` and is never parted; a heading stays with its first entry; an empty row
    parts groups. One row is left free for a word on what was left out, where something was.
    """
    blocks = _blocks(groups, size, width)
    total = sum(len(block) for block in blocks)
    for rows in range(max(1, -(-total // columns)), most_rows + 1):
        if placed := _place(blocks, columns, rows):
            return Flow(placed, max((line.row + 1 for line in placed), default=0), 0)
    kept = len(blocks)
    while kept and not (placed := _place(blocks[:kept], columns, most_rows, spare=1)):
        kept -= 1
    lines = _place(blocks[:kept], columns, most_rows, spare=1)
    return Flow(lines, most_rows, len(blocks) - kept)


@dataclass(frozen=True, slots=True)
class _Block:
    """Lines that stay together. `opens` marks the first of a group, which an empty row goes before."""

    lines: tuple[tuple[str, Sort], ...]
    opens: bool

    def __len__(self) -> int:
        return len(self.lines) + self.opens


def _blocks(groups: Sequence[tuple[str, Sequence[str]]], size: float, width: float) -> list[_Block]:
    blocks = []
    for heading, entries in groups:
        for number, entry in enumerate(entries):
            words = wrap(drawable(entry), size, width, 2)
            lines: list[tuple[str, Sort]] = [(heading, "head")] if number == 0 else []
            blocks.append(_Block((*lines, *((line, "line") for line in words)), opens=number == 0))
    return blocks


def _place(blocks: Sequence[_Block], columns: int, rows: int, spare: int = 0) -> tuple[FlowLine, ...]:
    """Return where every line goes, or nothing where they do not fit; the last column keeps `spare` rows free."""
    placed: list[FlowLine] = []
    column = row = 0
    for block in blocks:
        gap = 1 if block.opens and row else 0
        if row + gap + len(block.lines) > rows - (spare if column == columns - 1 else 0):
            column, row, gap = column + 1, 0, 0
        if column == columns or len(block.lines) > rows - (spare if column == columns - 1 else 0):
            return ()
        placed += [FlowLine(column, row + gap + at, words, sort) for at, (words, sort) in enumerate(block.lines)]
        row += gap + len(block.lines)
    return tuple(placed)

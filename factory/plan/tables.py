"""A file of rows as text: decoded, split into cells, columns found by name, bad rows named by line and column."""

from __future__ import annotations

import codecs
import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from factory.errors import WrongUsage
from factory.plan.brief import Table
from factory.plan.numbers import UNITS, unit_of

MAX_BYTES = 20_000_000
MAX_ROWS = 50_000
MAX_COLUMNS = 200
MAX_CELL = 2_000  # characters that are read of a cell: more than any name, number or note may have
MAX_NAME = 80
_ODD = frozenset({"Cc", "Cs", "Co", "Cn"})
_TURNS = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")  # marks that turn the direction of what follows


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that was refused: its line in the file (the header is line 1), the column, and why. Of a database's answer
    `line` is the number of the row, from 1."""

    line: int
    column: str
    why: str
    counted: str = "line"

    def __str__(self) -> str:
        return f"{self.counted} {self.line}, column {self.column!r}: {self.why}"


class RowRefused(ValueError):
    """Raised while a row is read, and turned into its `BadRow`."""

    def __init__(self, column: str, why: str) -> None:
        super().__init__(f"{column}: {why}")
        self.column = column
        self.why = why


class TableUnreadable(WrongUsage):
    """Bytes that are no table."""

    code = "table-unreadable"

    def __init__(self, name: str, cause: str) -> None:
        super().__init__(f"{name}: {cause}", next_step="save it as CSV in UTF-8, one header line, then one row a line")


class TableUnfit(WrongUsage):
    """A table that cannot mean what was asked: a column is missing, unknown, or too few rows are good."""

    code = "table-unfit"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table by column name; `line` is where it stands in the file, or in a database's answer."""

    line: int
    cells: dict[str, str]
    counted: str = "line"

    def __getitem__(self, column: str) -> str:
        return self.cells[column]

    def __str__(self) -> str:
        return f"{self.counted} {self.line}"

    def bad(self, column: str, why: str) -> BadRow:
        """Return this row as refused."""
        return BadRow(self.line, column, why, self.counted)


def read_table(data: bytes, name: str) -> Table:
    """Return the table in `data`: UTF-8, UTF-16 with its mark, GB 18030 or Windows-1252; split by `,` `;` or tab.

    Row i stands on line i + 2 of the file: blank lines, and further lines of a cell that holds some, are empty rows.
    """
    text = _decode(data, name)
    records = list(_records(text, name))
    if not records or not any(cell.strip() for cell in records[0][1]):
        raise TableUnreadable(name, "its first line is no header")
    columns = tuple(cell.strip() for cell in records[0][1])
    while columns and not columns[-1]:
        columns = columns[:-1]
    _check_columns(columns, name)
    rows: list[tuple[str, ...]] = []
    for line, cells in records[1:]:
        rows.extend([()] * (line - 2 - len(rows)))
        rows.append(tuple(cell.strip() for cell in cells) if any(cell.strip() for cell in cells) else ())
    if not any(rows):
        raise TableUnreadable(name, "it has a header and no rows")
    return Table(name=name[-255:], columns=columns, rows=tuple(rows))


def rows_of(table: Table) -> tuple[tuple[Row, ...], tuple[BadRow, ...]]:
    """Return the rows that fit under the header, and those with too many cells. Missing cells at the end are empty."""
    good, bad, width = list[Row](), list[BadRow](), len(table.columns)
    for line, cells in enumerate(table.rows, start=2 if table.counted == "line" else 1):
        padded = (*cells[:width], *[""] * (width - len(cells)))
        row = Row(line, dict(zip(table.columns, padded, strict=True)), table.counted)
        if any(cells[width:]):
            bad.append(row.bad(table.columns[-1], f"the row has {len(cells)} cells, the header {width}"))
        elif cells:
            good.append(row)
    return tuple(good), tuple(bad)


def plain_name(column: str) -> str:
    """Return a header as columns are compared: lower case, no unit in brackets, words separated by one space."""
    name = unicodedata.normalize("NFKC", column).lower()
    name = re.sub(r"\([^()]*\)|\[[^\[\]]*\]", " ", name)
    return re.sub(r"[\s_.\-]+", " ", name).strip()


def header_unit(column: str) -> str:
    """Return the unit that a header carries in brackets (`销量（万辆）`) or as its last word (`range_km`), or empty."""
    if inside := re.search(r"\(([^()]+)\)", unicodedata.normalize("NFKC", column)):
        return unit_of(inside[1])
    words = plain_name(column).split()
    if len(words) > 2 and words[-1] == "100km":
        return unit_of(f"{words[-2]}/100km")
    unit = unit_of(words[-1]) if len(words) > 1 else ""
    return unit if unit in UNITS and UNITS[unit].kind == "measure" else ""


def find_column(columns: Iterable[str], names: Sequence[str]) -> str | None:
    """Return the first column that bears one of `names`, the earlier name first."""
    by_name = {plain_name(column): column for column in reversed(tuple(columns)) if column}
    return next((by_name[name] for name in names if name in by_name), None)


def named_column(table: Table, asked: str) -> str:
    """Return the column that a person asked for by its header; `TableUnfit` names the nearest."""
    if asked in table.columns and asked:
        return asked
    by_name = {plain_name(column): column for column in table.columns if column}
    if plain_name(asked) in by_name:
        return by_name[plain_name(asked)]
    close = get_close_matches(plain_name(asked), by_name, n=1)
    hint = f"did you mean {by_name[close[0]]!r}?" if close else f"its columns are: {', '.join(table.columns)[:500]}"
    raise TableUnfit(f"{table.name} has no column {asked[:60]!r}", next_step=hint)


def clean_name(text: str, column: str) -> str:
    """Return a name as it may stand on a card; raises `RowRefused` where it is empty, overlong or no plain text."""
    name = " ".join(unicodedata.normalize("NFC", text).split())
    if not name:
        raise RowRefused(column, "the name is missing")
    if len(name) > MAX_NAME:
        raise RowRefused(column, f"the name has {len(name)} characters; {MAX_NAME} are allowed")
    for character in name:
        if unicodedata.category(character) in _ODD or _TURNS.match(character):
            raise RowRefused(column, f"the name holds the character U+{ord(character):04X}")
    return name


def clean_note(text: str) -> str:
    """Return a side note (a source, a date, a licence) as plain text of one line, shortened to 200 characters."""
    kept = (c for c in text if unicodedata.category(c) not in _ODD - {"Cc"} and not _TURNS.match(c))
    return " ".join("".join(" " if unicodedata.category(c) == "Cc" else c for c in kept).split())[:200]


def is_true(text: str) -> bool:
    return text.strip().lower() in {"1", "true", "yes", "y", "x", "sample", "是", "样例", "示例"}


def _decode(data: bytes, name: str) -> str:
    if len(data) > MAX_BYTES:
        raise TableUnreadable(name, f"it has {len(data)} bytes; {MAX_BYTES} are allowed")
    marked = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    for encoding in ("utf-16",) if marked else ("utf-8-sig", _old_encoding(data)):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise TableUnreadable(name, "it is no text in UTF-8, GB 18030 or Windows-1252")


def _old_encoding(data: bytes) -> str:
    """Chinese text has its high bytes in pairs, western text one by one; each decodes as the other without an error."""
    runs = [len(run) for run in re.findall(rb"[\x80-\xff]+", data)]
    return "gb18030" if 2 * sum(length > 1 for length in runs) >= len(runs) else "cp1252"


def _records(text: str, name: str) -> Iterator[tuple[int, list[str]]]:
    """Yield (line at which it starts, cells) of every record."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    line = 1
    try:
        for cells in reader:
            if line > MAX_ROWS + 1:
                raise TableUnreadable(name, f"it has more than {MAX_ROWS} rows")
            if line == 1 and any(len(cell) > MAX_CELL for cell in cells):
                raise TableUnreadable(name, f"its header has a cell of more than {MAX_CELL} characters")
            yield line, [cell[:MAX_CELL] for cell in cells]
            line = reader.line_num + 1
    except csv.Error as error:
        raise TableUnreadable(name, f"line {line}: {error}") from error


def _delimiter(text: str) -> str:
    """Return the separator that splits the header into most cells, and the next lines alike."""
    head = [line for line in text.splitlines()[:20] if line.strip()]

    def evenness(delimiter: str) -> tuple[int, int]:
        try:
            widths = [len(cells) for cells in csv.reader(head, delimiter=delimiter)]
        except csv.Error:
            return (0, 0)
        return (
            sum(width == widths[0] for width in widths) if widths and widths[0] > 1 else 0,
            widths[0] if widths else 0,
        )

    return max(",;\t", key=evenness)


def _check_columns(columns: tuple[str, ...], name: str) -> None:
    if len(columns) > MAX_COLUMNS:
        raise TableUnreadable(name, f"it has {len(columns)} columns; {MAX_COLUMNS} are allowed")
    named = [column for column in columns if column]
    if twice := next((column for column in named if named.count(column) > 1), None):
        raise TableUnreadable(name, f"two columns are called {twice[:60]!r}")

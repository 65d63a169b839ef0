"""A table of orders: each row says in what one video differs from the others of its batch.

A column is a field of an order (`subject`, `seconds`, `locale`, `aspect`, `seed`, `brand`, `series`, `draft`, `codec`,
`template`), an input of the template as `--set` takes it (`title`, `places`, ...), or says where things are: `data`,
the CSV of that video, beside the table; `output`, the name that its files begin with; `embargo`, until when it is not
published. An empty cell leaves what holds for the whole batch.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError

from factory.errors import FactoryError
from factory.plan.brief import Brief, Table
from factory.plan.embargo import Embargo, EmbargoUnclear, read_embargo
from factory.plan.tables import BadRow, Row, RowRefused, TableUnfit, find_column, plain_name, rows_of

FIELDS: Mapping[str, str] = {
    **{name: name for name in Brief.model_fields if name not in ("data", "set")},
    "aspect": "aspects",
}
BESIDE = ("data", "output", "embargo")
_OUTPUT = re.compile(r"[^\x00-\x1f/\\:*?\"<>|.][^\x00-\x1f/\\:*?\"<>|]{0,79}")
_BETWEEN = re.compile(r"[\s|;,、]+")

InputsOf = Callable[[str], Collection[str]]
"""The inputs that a template declares; raises a FactoryError where there is no such template."""


@dataclass(frozen=True, slots=True)
class OrderRow:
    """One row as an order, still without its table. `headers` gives the header of each field and input, for errors."""

    row: Row
    brief: Brief
    data: str
    output: str
    embargo: Embargo | None
    headers: Mapping[str, str]

    def header(self, name: str) -> str:
        """Return the column that a field or input stands in; its own name where the table has no such column."""
        return self.headers.get(name, name)


def order_rows(table: Table, batch: Brief, inputs_of: InputsOf) -> tuple[tuple[OrderRow, ...], tuple[BadRow, ...]]:
    """Return the orders of a table, and its refused rows. `batch` is what holds where a row says nothing.

    Raises `TableUnfit` where a column is no field and no input of any template that the table asks for: a misspelt one
    would else be passed over in silence.
    """
    rows, bad = rows_of(table)
    kinds = _kinds(table, rows, batch, inputs_of)
    headers = _headers(table, rows, {name for kind in kinds.values() for name in kind.inputs})
    orders, refused, outputs = list[OrderRow](), list(bad), dict[str, Row]()
    for row in rows:
        try:
            order = _order(row, headers, batch, kinds)
            if (twin := outputs.get(order.output.casefold())) is not None:
                raise RowRefused(order.header("output"), f"the output {order.output!r} is that of {twin}")
        except RowRefused as refusal:
            refused.append(row.bad(refusal.column, refusal.why))
        else:
            outputs[order.output.casefold()] = row
            orders.append(order)
    return tuple(orders), tuple(sorted(refused, key=lambda b: b.line))


@dataclass(frozen=True, slots=True)
class _Kind:
    """The inputs of a template, or why there is none of its name."""

    inputs: Collection[str] = ()
    unknown: str = ""


def _kinds(table: Table, rows: Sequence[Row], batch: Brief, inputs_of: InputsOf) -> dict[str, _Kind]:
    """Return every template that is asked for. Raises what `inputs_of` says of the one of the whole batch."""
    column = find_column(table.columns, ["template"])
    names = dict.fromkeys(row[column] for row in rows if row[column]) if column else {}
    found = {batch.template: _Kind(inputs_of(batch.template))}
    for name in names:
        try:
            found[name] = _Kind(inputs_of(name))
        except FactoryError as refusal:
            found[name] = _Kind(unknown=f"{refusal.cause}; {refusal.next_step}")
    return found


def _headers(table: Table, rows: Sequence[Row], inputs: Collection[str]) -> dict[str, str]:
    """Return the header by the field or input that it means. A field of the order wins over an input of its name."""
    meant = {plain_name(name): name for name in (*inputs, *BESIDE)} | {plain_name(f): FIELDS[f] for f in FIELDS}
    headers = dict[str, str]()
    for column in table.columns:
        if not column:
            continue
        name = meant.get(plain_name(column))
        if name is None:
            near = get_close_matches(plain_name(column), meant, 1)
            hint = f"did you mean {meant[near[0]]!r}?" if near else f"columns are: {', '.join(sorted(meant.values()))}"
            raise TableUnfit(f"{table.name}: the column {column[:60]!r} is nothing that an order takes", next_step=hint)
        if name in headers:
            raise TableUnfit(
                f"{table.name}: the columns {headers[name][:60]!r} and {column[:60]!r} mean the same",
                next_step="keep one of them",
            )
        headers[name] = column
    if not headers or not rows:
        raise TableUnfit(f"{table.name} has no row of an order", next_step=f"columns are: {', '.join(sorted(meant))}")
    return headers


def _order(row: Row, headers: Mapping[str, str], batch: Brief, kinds: Mapping[str, _Kind]) -> OrderRow:
    said = {name: row[header] for name, header in headers.items() if row[header]}
    template = said.get("template", batch.template)
    kind = kinds[template]
    if kind.unknown:
        raise RowRefused(headers["template"], kind.unknown)
    fields = {name: text for name, text in said.items() if name in FIELDS.values()}
    sets = {name: text for name, text in said.items() if name not in fields and name not in BESIDE}
    for name in sets:
        if name not in kind.inputs:
            near = get_close_matches(name, kind.inputs, 1)
            hint = f"; the nearest is {near[0]!r}" if near else ""
            raise RowRefused(headers[name], f"{template} has no input {name!r}{hint}")
    brief = _brief(batch, fields, sets, headers)
    output = said.get("output", f"row-{row.line:04d}")
    if not _OUTPUT.fullmatch(output):
        raise RowRefused(headers["output"], f"{output[:80]!r} is no name of a file")
    return OrderRow(row, brief, said.get("data", ""), output, _embargo(said, headers), headers)


def _embargo(said: Mapping[str, str], headers: Mapping[str, str]) -> Embargo | None:
    try:
        return read_embargo(said["embargo"]) if "embargo" in said else None
    except EmbargoUnclear as error:
        raise RowRefused(headers["embargo"], f"{error.cause}; {error.next_step}") from error


def _brief(batch: Brief, fields: Mapping[str, str], sets: Mapping[str, str], headers: Mapping[str, str]) -> Brief:
    values: dict[str, Any] = dict(fields)
    if "aspects" in fields:
        values["aspects"] = tuple(dict.fromkeys(_BETWEEN.split(fields["aspects"].strip())))
    try:
        return Brief(**{**batch.model_dump(), **values, "set": {**batch.set, **sets}})
    except ValidationError as wrong:
        first = wrong.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else "template"
        why = f"{first['msg']}, not {str(first['input'])[:40]!r}"
        raise RowRefused(headers.get(name, name), why[:1].lower() + why[1:]) from None

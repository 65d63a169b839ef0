"""What a template wrote, and which of its lines wrote it, so that a mistake in the text is shown where it was made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from jinja2 import Template, nodes
from jinja2.compiler import CodeGenerator, Frame
from markupsafe import Markup


@dataclass(frozen=True, slots=True)
class Filled:
    """The text, and for each line of it the template's line (from 1) that wrote its first letter.

    What a macro writes counts as written where the macro is called.
    """

    text: str
    lines: tuple[int, ...]

    def written_at(self, line: int) -> int:
        """Return the template's line that wrote line `line` (from 1) of the text."""
        return self.lines[min(max(line, 1), len(self.lines)) - 1] if self.lines else 1


class LineKeeper(CodeGenerator):
    """Compiles templates so that plain text between two tags is known by its line too."""

    def visit_Output(self, node: nodes.Output, frame: Frame) -> None:  # noqa: N802  Jinja's name
        for child in node.nodes:
            self.newline(child)
            super().visit_Output(nodes.Output([child], lineno=child.lineno), frame)


def pieces_of(template: Template, values: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """Yield each piece that a template writes, and the line of the template at which it begins."""
    writing = template.generate(values)
    for piece in writing:
        running: Any = writing.gi_yieldfrom  # type: ignore[attr-defined]  # the compiled template, stopped at its yield
        yield piece, template.get_corresponding_lineno(running.gi_frame.f_lineno) if running else 1


def joined(pieces: Iterable[tuple[str, int]]) -> Filled:
    """Join pieces; a value (`Markup`) stands on one line of its template, plain text goes on to the lines below."""
    parts, lines, open_line = list[str](), list[int](), 0
    for piece, start in pieces:
        parts.append(piece)
        for below, line in enumerate(piece.split("\n")):
            at = start if isinstance(piece, Markup) else start + below
            if below:
                lines.append(open_line or at)
                open_line = 0
            if not open_line and line.strip():
                open_line = at
    return Filled("".join(parts), (*lines, open_line or (lines[-1] if lines else 1)))

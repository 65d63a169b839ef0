"""Commands of those who write templates: check one, start one, look at what it would show."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from factory.cli.console import AsJson, key_value, print_json, print_line
from factory.settings import Settings
from factory.wiring import Parts

app = typer.Typer()


@app.command("check")
def check_command(
    file: Annotated[Path, typer.Argument(help="a template, a card, a brand kit, a storyboard, or a template's name")],
    sets: Annotated[
        list[str] | None, typer.Option("--set", help="fill the template with this input, key=value")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say all that is wrong with a file, by line; exit 1. Example: factory check templates/storyboards/mine.yaml.j2"""
    from factory.checking import check  # noqa: PLC0415  brings the pen

    found = check(file, Parts(Settings()), dict(key_value(text) for text in sets or ()))
    if as_json:
        told = [{"line": p.line, "key": p.where, "why": p.why} for p in found.problems]
        answer = {"file": found.file, "kind": found.sort, "ok": not told, "checked": found.looked_at, "problems": told}
        print_json(answer)
    elif found.problems:
        for problem in found.problems:
            print_line(f"{found.file}:{problem.line}: " + (f"{problem.where}: " if problem.path else "") + problem.why)
    else:
        print_line(f"{found.file}: a good {found.sort} ({'; '.join(found.looked_at)})")
    raise typer.Exit(1 if found.problems else 0)

"""The command that makes and judges the brief set."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from factory.cli.console import AsJson, print_json, print_line, say, show_progress, understood
from factory.settings import Settings

if TYPE_CHECKING:
    from factory.brief_set.making import Record

app = typer.Typer()


@app.command("brief-set")
def brief_set_command(
    library: Annotated[
        list[Path], typer.Option(help="folder of clips, labels.csv beside them if there is one; repeatable")
    ],
    out: Annotated[Path, typer.Option(help="folder for library, videos and contact sheets; a rerun goes on there")],
    only: Annotated[list[str] | None, typer.Option(help="make this brief alone; repeatable")] = None,
    jobs: Annotated[int, typer.Option(min=1, max=16, help="series that are made at once")] = 1,
    draft: Annotated[bool, typer.Option("--draft", help="half size, quick")] = False,
    again: Annotated[bool, typer.Option("--again", help="make anew what an earlier run finished")] = False,
    report: Annotated[Path | None, typer.Option(help="write the figures to this Markdown file too")] = None,
    as_json: AsJson = False,
) -> None:
    """Make forty briefs unattended and judge them. Example: factory brief-set --library clips/ --out set/ --jobs 2"""
    from factory.brief_set.report import FIGURES, report_of  # noqa: PLC0415  with the verb
    from factory.brief_set.run import run_set  # noqa: PLC0415  brings the tagger and the painters

    with understood():
        answer = run_set(
            library,
            out,
            settings=Settings(),
            only=only or (),
            draft=draft,
            again=again,
            jobs=jobs,
            on_progress=show_progress,
            on_made=_tell,
        )
    if report:
        report.write_text(report_of(answer), encoding="utf-8")
    if as_json:
        print_json(answer)
        return
    for name in FIGURES:
        print_line(f"{name:<20}{answer[name]}")
    for failure in answer["failures"]:
        print_line(failure)


def _tell(record: Record) -> None:
    came = f"{record.seconds:.1f} s, {record.numbers} numbers" if record.outcome == "video" else record.cause
    faults = len(record.faults) + len(record.wrong)
    say(f"{record.name}: {record.outcome}, {came}" + (f", {faults} faults" if faults else ""))

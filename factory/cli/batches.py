"""The command that makes a video of each row of a table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from factory import batch_report
from factory.batch import Batch, Outcome, batch
from factory.cli.console import (
    SOME_REFUSED,
    AsJson,
    open_house,
    print_json,
    print_line,
    say,
    show_progress,
)
from factory.cli.order_options import (
    Aspects,
    CodecName,
    Deadline,
    Draft,
    From,
    Language,
    Look,
    Priority,
    Seconds,
    Seed,
    Series,
    Sets,
    Sql,
    brief_of,
    wishes_of,
)
from factory.data_in import table_asked
from factory.errors import WrongUsage
from factory.plan.embargo import read_embargo
from factory.store.files import safe_name
from factory.store.job import A_BATCHS

app = typer.Typer()


@app.command("batch")
def batch_command(
    template: Annotated[str, typer.Argument(help="kind of video, where a row names no other")],
    data: Annotated[Path | None, typer.Option(help="the table of orders, a CSV or a .sql with --from")] = None,
    sql: Sql = "",
    source: From = "",
    sets: Sets = None,
    locale: Language = "zh-CN",
    seconds: Seconds = None,
    brand: Look = "autoreel",
    seed: Seed = 0,
    aspect: Aspects = None,
    series: Series = None,
    out: Annotated[Path | None, typer.Option(help="folder for the finished files and the report")] = None,
    draft: Draft = False,
    codec: CodecName = "h264",
    embargo: Annotated[str, typer.Option(help="not published before, where a row names no other moment")] = "",
    priority: Priority = A_BATCHS,
    deadline: Deadline = "",
    again: Annotated[bool, typer.Option("--again", help="make finished rows anew: the library has grown")] = False,
    as_json: AsJson = False,
) -> None:
    """Make a video of each row; a rerun makes what changed. Example: factory batch ranking --data rows.csv"""
    shared = brief_of(
        template=template,
        sets=sets,
        locale=locale,
        seconds=seconds,
        brand=brand,
        seed=seed,
        aspect=aspect,
        draft=draft,
        codec=codec,
        series=series,
    )
    until, wishes = read_embargo(embargo) if embargo else None, wishes_of(priority, deadline)
    table = table_asked(data, sql, source)
    if table is None:
        raise WrongUsage("a batch needs a table of orders", next_step="give one with --data rows.csv")
    house = open_house()
    folder = out or house.settings.home / "outputs" / safe_name(f"batch-{Path(table.name).stem}")
    beside = data.parent if data else Path()
    rows = Batch(house, beside, folder, again, until, wishes, show_progress)
    outcomes = list[Outcome]()
    try:
        for outcome in batch(table, shared, rows):
            outcomes.append(outcome)
            say(batch_report.line(outcome, table.counted))
            for row in outcome.rows_refused:
                say(f"         refused: {row}")
    finally:
        report = batch_report.write_report(outcomes, folder) if outcomes else None
    told = batch_report.figures(outcomes)
    if as_json:
        print_json({**batch_report.record(outcomes), "report": str(report)})
    else:
        print_line("{rows} rows: {made} made, {reused} reused, {refused} refused, {failed} failed".format(**told))
        print_line(str(report))
    stopped = told["refused"] + told["failed"] + sum(len(outcome.rows_refused) for outcome in outcomes)
    raise typer.Exit(SOME_REFUSED if stopped else 0)

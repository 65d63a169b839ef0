"""Commands that make videos and look after the work."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer

from factory import orders
from factory.cli.console import (
    SOME_REFUSED,
    AsJson,
    key_value,
    open_house,
    print_json,
    print_line,
    say,
    show_progress,
)
from factory.cli.order_options import (
    Aspects,
    CodecName,
    CooldownDays,
    Deadline,
    Draft,
    From,
    Kind,
    Language,
    Look,
    Priority,
    Seconds,
    Seed,
    Series,
    Sets,
    Sql,
    Subject,
    brief_of,
    wishes_of,
)
from factory.cli.watching import show_jobs, watch_jobs
from factory.data_in import table_asked
from factory.doctor import examine
from factory.picture_files import with_pictures
from factory.plan.embargo import read_embargo
from factory.plan.storyboard import schema
from factory.settings import Settings
from factory.store import jobs as ledger
from factory.store.job import A_PERSONS
from factory.wiring import Parts, parts

app = typer.Typer()


@app.command("make")
def make_command(
    template: Kind,
    subject: Subject = None,
    data: Annotated[Path | None, typer.Option(help="the table of this video, a CSV or a .sql with --from")] = None,
    sql: Sql = "",
    source: From = "",
    sets: Sets = None,
    locale: Language = "zh-CN",
    seconds: Seconds = None,
    brand: Look = "autoreel",
    seed: Seed = 0,
    aspect: Aspects = None,
    series: Series = None,
    cooldown_days: CooldownDays = None,
    out: Annotated[Path | None, typer.Option(help="folder for the finished files")] = None,
    draft: Draft = False,
    codec: CodecName = "h264",
    embargo: Annotated[str, typer.Option(help="it is not published before: 2026-12-01T09:00 Asia/Shanghai")] = "",
    priority: Priority = A_PERSONS,
    deadline: Deadline = "",
    draft_words: Annotated[bool, typer.Option("--draft-words", help="other words by the language model set")] = False,
    as_json: AsJson = False,
) -> None:
    """Make a video. Example: factory make ranking --data sales.csv --locale en-US --aspect 16:9 --aspect 9:16"""
    brief = brief_of(
        template=template,
        subject=subject,
        data=table_asked(data, sql, source),
        sets=sets,
        locale=locale,
        seconds=seconds,
        brand=brand,
        seed=seed,
        aspect=aspect,
        draft=draft,
        codec=codec,
        series=series,
        cooldown_days=cooldown_days,
        draft_words=draft_words,
    )
    until, wishes = read_embargo(embargo) if embargo else None, wishes_of(priority, deadline)
    house = open_house()
    complete = with_pictures(brief, house)
    made = orders.make(complete, house, out, on_progress=show_progress, embargo=until, wishes=wishes)
    print_json(made) if as_json else print_line("\n".join(output["video"] for output in made["outputs"]))
    for row in made["rows_refused"]:
        say(f"refused: {row}")
    raise typer.Exit(SOME_REFUSED if made["rows_refused"] else 0)


@app.command("jobs")
def jobs_command(
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 20,
    as_json: AsJson = False,
    cancel: Annotated[str, typer.Option(help="cancel this job")] = "",
    approve: Annotated[str, typer.Option(help="approve this job, after looking at it")] = "",
    publish: Annotated[str, typer.Option(help="publish this approved job")] = "",
    retry: Annotated[str, typer.Option(help="queue this failed job again")] = "",
    hold: Annotated[str, typer.Option(help="put a job under embargo, JOB=WHEN; JOB=none lifts it")] = "",
    watch: Annotated[bool, typer.Option("--watch", help="go on telling until Ctrl-C")] = False,
) -> None:
    """List jobs, newest first, or move one. Example: factory jobs --approve 1f3c"""
    house = open_house()
    moves = {ledger.cancel: cancel, ledger.approve: approve, ledger.publish: publish, ledger.retry: retry}
    with house.sessions.write() as session:
        for move, job in moves.items():
            if job:
                say(f"{job}: {move(session, job)}")
        if hold:
            job, when = key_value(hold, "--hold", "1f3c=2026-12-01T09:00 Asia/Shanghai")
            ledger.hold(session, job, None if when.strip() == "none" else read_embargo(when))
    if watch:
        watch_jobs(house, limit, as_json=as_json)
    else:
        show_jobs(house, limit, as_json=as_json)


@app.command("serve")
def serve_command() -> None:
    """Serve the page on FACTORY_WEB_HOST and FACTORY_WEB_PORT and work jobs off. Example: factory serve"""
    from factory.web.app import serve  # noqa: PLC0415  brings the web server

    house = parts()
    logging.getLogger("factory").setLevel(house.settings.log_level)
    serve(house)


@app.command("doctor")
def doctor_command(as_json: AsJson = False) -> None:
    """Say what is here, in which version, and how to get what is missing. Example: factory doctor --json"""
    report = examine(Parts(Settings()))
    if as_json:
        print_json(report)
    else:
        for check in report["checks"]:
            mark = "ok     " if check["ok"] else "MISSING" if check["needed"] else "absent "
            print_line(
                f"{mark}  {check['name']:<28} {check['version']}"
                + (f"  -> {check['remedy']}" if not check["ok"] else "")
            )
    raise typer.Exit(0 if report["ok"] else 1)


@app.command("demo")
def demo_command(
    out: Annotated[Path, typer.Option(help="folder for the four videos")] = Path("demo"),
    draft: Annotated[bool, typer.Option("--draft", help="half size, quick")] = False,
) -> None:
    """Draw the sample library, ingest it and make four videos. Example: factory demo --out demo"""
    from factory.demo import demo  # noqa: PLC0415  brings the painters

    for video in demo(open_house(), out, draft=draft, say=say, on_progress=show_progress):
        print_line(str(video))


@app.command("schema")
def schema_command() -> None:
    """Print the JSON Schema of storyboards. Example: factory schema > storyboard.schema.json"""
    print_json(schema())

"""Commands of those who write templates: check one, start one, look at what it would show."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from factory.cli.console import AsJson, key_value, open_house, print_json, print_line, say
from factory.cli.order_options import (
    Aspects,
    CooldownDays,
    From,
    Kind,
    Language,
    Look,
    Seconds,
    Seed,
    Series,
    Sets,
    Sql,
    Subject,
    brief_of,
)
from factory.data_in import table_asked
from factory.picture_files import with_pictures
from factory.plan.choosing import NoShotForScene
from factory.settings import Settings
from factory.wiring import Parts

app = typer.Typer()
new_app = typer.Typer(no_args_is_help=True, help="Start something. Example: factory new template spring_drive")
app.add_typer(new_app, name="new")


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


@new_app.command("template")
def new_template_command(name: Annotated[str, typer.Argument(help="of the new kind of video")]) -> None:
    """Start a template in the folder FACTORY_TEMPLATES. Example: factory new template spring_drive"""
    from factory.new_template import new_template  # noqa: PLC0415  brings the pen

    print_line(str(new_template(name, Parts(Settings()))))
    say(f"try it: factory check {name}; factory preview {name}; factory make {name}")


@app.command("preview")
def preview_command(
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
    out: Annotated[Path, typer.Option(help="the picture, a .png")] = Path("preview.png"),
    as_json: AsJson = False,
) -> None:
    """Show on a sheet what make would show, unrendered. Example: factory preview off_road --out off_road.png"""
    from factory.preview import preview  # noqa: PLC0415  brings the decoders

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
        series=series,
        cooldown_days=cooldown_days,
    )
    house = open_house()
    shown = preview(with_pictures(brief, house), house)
    several = len(shown.sheets) > 1
    places = {a: out.with_stem(f"{out.stem}-{a.replace(':', 'x')}") if several else out for a in shown.sheets}
    for name, sheet in shown.sheets.items():
        places[name].parent.mkdir(parents=True, exist_ok=True)
        sheet.save(places[name], "PNG")
    if as_json:
        files = {name: str(place) for name, place in places.items()}
        told = {"sheets": files, "seconds": round(shown.seconds, 2), "took": round(shown.took, 2)}
        print_json({**told, "lacking": shown.lacking, "scenes": shown.scenes})
    else:
        print_line("\n".join(str(place) for place in places.values()))
        say(f"about {shown.seconds:.1f} s of video, drawn in {shown.took:.1f} s")
    if shown.lacking:
        say(f"no shot for {', '.join(shown.lacking)}: see the red tiles")
        raise typer.Exit(NoShotForScene.exit_code)

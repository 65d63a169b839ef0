"""Commands of the library: clips in, shots out, the tables and the database."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal, NoReturn

import typer
from tqdm import tqdm

from factory import orders
from factory.cli.console import (
    SOME_REFUSED,
    AsJson,
    advance,
    key_value,
    open_house,
    print_json,
    print_line,
    say,
)
from factory.clip_jobs import order_clip
from factory.duplicates import duplicates
from factory.errors import WrongUsage
from factory.find import find
from factory.ingest import Ingested, Provenance, Wanted, ingest_all, lies_beside, passed_over, wanted_files
from factory.mezzanines import encode_library
from factory.plan.embargo import read_embargo
from factory.settings import Settings
from factory.wiring import Parts

app = typer.Typer()
samples_app = typer.Typer(
    no_args_is_help=True,
    help="Material to start with: drawn clips and public ones. Example: factory samples draw samples/drawn",
)
catalog_app = typer.Typer(
    no_args_is_help=True,
    help="Cars and rankings with source and date. Example: factory catalog load sales.csv",
)
report_app = typer.Typer(no_args_is_help=True, help="Pictures that people check. Example: factory report tags")
app.add_typer(samples_app, name="samples")
app.add_typer(catalog_app, name="catalog")
app.add_typer(report_app, name="report")


@app.command("ingest")
def ingest_command(
    paths: Annotated[list[Path], typer.Argument(help="files and folders")],
    as_json: AsJson = False,
    credit: Annotated[str, typer.Option(help="who is to be credited for these clips")] = "",
    licence: Annotated[str, typer.Option(help="under which licence they may be used")] = "",
    jobs: Annotated[int, typer.Option(min=1, max=64, help="files at once, each decoded in a process of its own")] = 1,
    queue: Annotated[bool, typer.Option("--queue", help="let workers do it: a job for each file")] = False,
    embargo: Annotated[
        str, typer.Option(help="nothing of them is published before 2026-12-01T09:00 Asia/Shanghai; none lifts it")
    ] = "",
) -> None:
    """Bring clips into the library. Example: factory ingest clips/ --credit "Desk" """
    lift = embargo.strip() == "none"
    provenance = Provenance(credit, licence, read_embargo(embargo) if embargo and not lift else None, lift=lift)
    house = open_house()
    files = list(wanted_files(paths))
    refused = skipped = 0
    if not files:
        say("there is no file in what was named")
    if queue:
        _order_clips(files, house, provenance, as_json=as_json)
    with tqdm(total=len(files), unit="clip", disable=None, file=sys.stderr) as bar:
        for file, outcome in ingest_all(files, house, provenance, jobs=jobs):
            bar.update()
            if passed_over(file, outcome):
                skipped += 1
                continue
            refused += outcome.status == "refused"
            _tell_ingested(outcome, as_json=as_json)
    if skipped:
        say(f"{skipped} files beside the clips are no media and were skipped")
    raise typer.Exit(SOME_REFUSED if refused else 0)


@app.command("retag")
def retag_command(as_json: AsJson = False) -> None:
    """Tag the library anew with the present tagger, or what is left of it. Example: factory retag"""
    from factory.retag import outdated, retag  # noqa: PLC0415  brings torch

    house = open_house()
    refused = 0
    with tqdm(total=len(outdated(house)), unit="clip", disable=None, file=sys.stderr) as bar:
        for clip in retag(house):
            bar.update()
            refused += clip.status == "refused"
            if as_json:
                print_line(json.dumps(asdict(clip), ensure_ascii=True))
            elif clip.status == "refused":
                say(f"{clip.file_name!r}: {clip.code}: {clip.message}")
            else:
                print_line(f"{clip.status} {clip.shots:>3} shots  {clip.file_name!r}")
    raise typer.Exit(SOME_REFUSED if refused else 0)


@app.command("find")
def find_command(
    query: Annotated[str, typer.Argument(help="tags, words and filters")],
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 20,
    as_json: AsJson = False,
) -> None:
    """Find shots. Example: factory find "off-road & (mud | dune) & -night duration:>=3" """
    answer = find(open_house(), query, limit)
    if as_json:
        print_json(answer)
        return
    for shot in answer["shots"]:
        tags = " ".join(f"{tag['tag']}:{tag['confidence']:.2f}" for tag in shot["tags"][:6])
        print_line(
            f"{shot['shot']:>6}  {shot['start']:7.2f}-{shot['end']:7.2f}  {shot['score']:.3f}  {shot['path']!r}  {tags}"
        )
    say(f"{answer['total']} shots in {answer['took_ms']:.1f} ms")


@app.command("duplicates")
def duplicates_command(as_json: AsJson = False) -> None:
    """List shots that show the same moments: no video shows two of them. Example: factory duplicates"""
    groups = duplicates(open_house())
    if as_json:
        print_json(groups)
        return
    for group in groups:
        for shot in group["shots"]:
            print_line(f"{shot['shot']:>6}  {shot['start']:7.2f}-{shot['end']:7.2f}  {shot['path']!r}")
        for pair in group["pairs"]:
            print_line("        {} and {}: {}".format(*pair["shots"], pair["why"]))
    say(f"{len(groups)} groups of near-duplicates")


@app.command("mezzanine")
def mezzanine_command(as_json: AsJson = False) -> None:
    """Encode the library for the aspects of FACTORY_MEZZANINE, or what is left of it. Example: factory mezzanine"""
    house = open_house()
    if not house.settings.mezzanines:
        raise WrongUsage("no aspect is named", next_step="set FACTORY_MEZZANINE, for example to 16:9")
    failed = 0
    for clip in encode_library(house):
        failed += bool(clip.message)
        if as_json:
            print_line(json.dumps(asdict(clip), ensure_ascii=True))
        else:
            print_line(f"{clip.asset[:12]}  {clip.made} of {clip.blocks} blocks made  {clip.message}".rstrip())
    raise typer.Exit(SOME_REFUSED if failed else 0)


@report_app.command("tags")
def report_tags_command(
    out: Annotated[Path, typer.Option(help="a .png, or a folder that gets a page for every dozen shots")] = Path(
        "tags.png"
    ),
    query: Annotated[str, typer.Option(help="only shots that match; without it each clip once, newest first")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="shots at most")] = 20,
    locale: Annotated[Literal["zh", "en", "both"], typer.Option(help="names of the tags")] = "both",
) -> None:
    """Draw shots with their tags, to check them by eye. Example: factory report tags --query mud --out mud.png"""
    from factory.tag_report import report_tags  # noqa: PLC0415  brings the store and the pen

    for page in report_tags(open_house(), out, query=query, limit=limit, language=locale):
        print_line(str(page))


@samples_app.command("draw")
def draw_command(folder: Annotated[Path, typer.Argument(help="where the clips go")]) -> None:
    """Draw the sample clips. Example: factory samples draw samples/drawn"""
    from factory.samples import draw_library  # noqa: PLC0415  brings the painters

    with tqdm(unit="clip", disable=None, file=sys.stderr) as bar:
        for path in draw_library(folder, on_progress=lambda done, total, name: advance(bar, done, total, name)):
            print_line(str(path))


@samples_app.command("fetch")
def fetch_command(folder: Annotated[Path, typer.Argument(help="where the clips go")]) -> None:
    """Fetch real public clips, checked by hash. Example: factory samples fetch samples/public"""
    from factory.samples import fetch  # noqa: PLC0415  brings the painters and requests

    fetched = fetch(folder, local=Settings().samples)
    for path in fetched.paths:
        print_line(str(path))
    for refusal in fetched.failed:
        say(refusal.sentence())
    raise typer.Exit(SOME_REFUSED if fetched.failed else 0)


@catalog_app.command("load")
def catalog_load_command(
    tables: Annotated[list[Path], typer.Argument(help="CSV files of cars or of a ranking")],
    sets: Annotated[list[str] | None, typer.Option("--set", help="how to read the table, key=value")] = None,
) -> None:
    """Load cars or rankings. Example: factory catalog load cars.csv sales.csv"""
    options = dict(key_value(text) for text in sets or ())
    house, bad = open_house(), 0
    for path in tables:
        loaded = orders.load_table(path, house, options)
        bad += len(loaded.refused)
        print_line(f"{path}: {loaded.what}")
        for row in loaded.refused:
            say(f"{path}: {row}")
    raise typer.Exit(SOME_REFUSED if bad else 0)


def _order_clips(files: Sequence[Wanted], house: Parts, provenance: Provenance, *, as_json: bool) -> NoReturn:
    """Order a job for each file, tell of it, and end the command."""
    told = Counter[str]()
    for file in files:
        if lies_beside(file):
            told["skipped"] += 1
            continue
        clip = order_clip(file.path, house, provenance)
        told[clip.status] += 1
        if as_json:
            print_line(json.dumps(asdict(clip), ensure_ascii=True))
        elif clip.status == "refused":
            say(f"{clip.path!r}: {clip.code}: {clip.message}")
        else:
            print_line(f"{clip.status:<7} {clip.job}  {clip.state:<10} {clip.path!r}")
    say(", ".join(f"{count} {status}" for status, count in told.items()) or "nothing to order")
    raise typer.Exit(SOME_REFUSED if told["refused"] else 0)


def _tell_ingested(outcome: Ingested, *, as_json: bool) -> None:
    record = {
        "path": outcome.path,
        "status": outcome.status,
        "asset": outcome.asset,
        "shots": outcome.shots,
        "seconds": round(float(outcome.seconds), 3),
        "code": outcome.code,
        "message": outcome.message,
        "warnings": list(outcome.warnings),
    }
    if as_json:
        print_line(json.dumps(record, ensure_ascii=True))
    elif outcome.status == "refused":
        say(f"{outcome.path!r}: {outcome.code}: {outcome.message}")
    else:
        print_line(f"{outcome.status:<7} {outcome.shots:>3} shots {float(outcome.seconds):7.2f} s  {outcome.path!r}")

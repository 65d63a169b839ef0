"""The command line: each command is one call of a verb, its answer on stdout, everything else on stderr.

Exit codes: 0 done, 1 failure, 2 wrong usage, 3 some files refused, 4 the library lacks material.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import textwrap
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from pydantic import ValidationError
from tqdm import tqdm

from factory import orders
from factory.doctor import examine
from factory.errors import FactoryError, WrongUsage
from factory.ingest import Ingested, Provenance, ingest_all, passed_over, wanted_files
from factory.plan.brief import Brief
from factory.plan.storyboard import schema
from factory.settings import Settings
from factory.store import jobs as ledger
from factory.store.db import migrate, require_migrated
from factory.wiring import Parts, parts
from understanding.errors import Refused
from understanding.sizes import SIZES

app = typer.Typer(no_args_is_help=True, add_completion=False, help="A library of tagged clips becomes finished videos.")
samples_app = typer.Typer(
    no_args_is_help=True,
    help="Material to start with: drawn clips and public ones. Example: factory samples draw samples/drawn",
)
catalog_app = typer.Typer(
    no_args_is_help=True,
    help="Cars and rankings with source and date. Example: factory catalog load sales.csv",
)
db_app = typer.Typer(no_args_is_help=True, help="The database. Example: factory db migrate")
model_app = typer.Typer(no_args_is_help=True, help="The nets that tag. Example: factory model --help")
app.add_typer(samples_app, name="samples")
app.add_typer(catalog_app, name="catalog")
app.add_typer(db_app, name="db")
app.add_typer(model_app, name="model")
train_app = typer.Typer(no_args_is_help=True, help="Train the nets. Example: factory train --help")
app.add_typer(train_app, name="train")
report_app = typer.Typer(no_args_is_help=True, help="Pictures that people check. Example: factory report tags")
app.add_typer(report_app, name="report")

AsJson = Annotated[bool, typer.Option("--json", help="answer in JSON")]

SOME_REFUSED = 3
RETAG = "new clips are tagged by it from now on; `factory retag` brings the library along"


@app.command("ingest")
def ingest_command(
    paths: Annotated[list[Path], typer.Argument(help="files and folders")],
    as_json: AsJson = False,
    credit: Annotated[str, typer.Option(help="who is to be credited for these clips")] = "",
    licence: Annotated[str, typer.Option(help="under which licence they may be used")] = "",
    jobs: Annotated[int, typer.Option(min=1, max=64, help="files at once, each decoded in a process of its own")] = 1,
) -> None:
    """Bring clips into the library. Example: factory ingest clips/ --credit "Desk" """
    house = _house()
    files = list(wanted_files(paths))
    refused = skipped = 0
    if not files:
        _say("there is no file in what was named")
    with tqdm(total=len(files), unit="clip", disable=None, file=sys.stderr) as bar:
        for file, outcome in ingest_all(files, house, Provenance(credit, licence), jobs=jobs):
            bar.update()
            if passed_over(file, outcome):
                skipped += 1
                continue
            refused += outcome.status == "refused"
            _tell_ingested(outcome, as_json=as_json)
    if skipped:
        _say(f"{skipped} files beside the clips are no media and were skipped")
    raise typer.Exit(SOME_REFUSED if refused else 0)


@app.command("retag")
def retag_command(as_json: AsJson = False) -> None:
    """Tag the library anew with the present tagger, or what is left of it. Example: factory retag"""
    from factory.retag import outdated, retag  # noqa: PLC0415  brings torch

    house = _house()
    refused = 0
    with tqdm(total=len(outdated(house)), unit="clip", disable=None, file=sys.stderr) as bar:
        for clip in retag(house):
            bar.update()
            refused += clip.status == "refused"
            if as_json:
                _print(json.dumps(asdict(clip), ensure_ascii=True))
            elif clip.status == "refused":
                _say(f"{clip.file_name!r}: {clip.code}: {clip.message}")
            else:
                _print(f"{clip.status} {clip.shots:>3} shots  {clip.file_name!r}")
    raise typer.Exit(SOME_REFUSED if refused else 0)


@app.command("find")
def find_command(
    query: Annotated[str, typer.Argument(help="tags, words and filters")],
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 20,
    as_json: AsJson = False,
) -> None:
    """Find shots. Example: factory find "off-road & (mud | dune) & -night duration:>=3" """
    from factory.find import find  # noqa: PLC0415  brings the store

    answer = find(_house(), query, limit)
    if as_json:
        _answer(answer)
        return
    for shot in answer["shots"]:
        tags = " ".join(f"{tag['tag']}:{tag['confidence']:.2f}" for tag in shot["tags"][:6])
        _print(
            f"{shot['shot']:>6}  {shot['start']:7.2f}-{shot['end']:7.2f}  {shot['score']:.3f}  {shot['path']!r}  {tags}"
        )
    _say(f"{answer['total']} shots in {answer['took_ms']:.1f} ms")


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

    for page in report_tags(_house(), out, query=query, limit=limit, language=locale):
        _print(str(page))


@app.command("review-queue")
def review_queue_command(
    limit: Annotated[int, typer.Option(min=1, max=200)] = 20,
    as_json: AsJson = False,
) -> None:
    """List the shots whose label would teach the tagger most. Example: factory review-queue --limit 10"""
    from factory.review import queue  # noqa: PLC0415  brings the store

    shots = queue(_house(), limit)
    if as_json:
        _answer(shots)
        return
    for shot in shots:
        asked = "  ".join(_question(one) for one in shot["questions"])
        _print(f"{shot['shot']:>6}  {shot['start']:7.2f}-{shot['end']:7.2f}  {shot['path']!r}  {asked}")
    _say("settle a question by: factory correct SHOT TAG, or --absent where it is not there")


@app.command("correct")
def correct_command(
    shot: Annotated[int, typer.Argument(help="number of the shot, as find and review-queue tell it")],
    tag: Annotated[str, typer.Argument(help="any name of a tag")],
    absent: Annotated[bool, typer.Option("--absent", help="the shot does not show it")] = False,
    take_back: Annotated[bool, typer.Option("--take-back", help="withdraw the correction")] = False,
    author: Annotated[str, typer.Option(help="who says so")] = "",
    note: Annotated[str, typer.Option(help="why")] = "",
) -> None:
    """Say that a shot shows a tag or not; it wins over every tagger. Example: factory correct 12 night --absent"""
    from factory import review  # noqa: PLC0415  brings the store

    house = _house()
    if take_back:
        _print(review.take_back(house, shot, tag))
    else:
        _print(review.correct(house, shot, tag, present=not absent, author=author, note=note))


@app.command("duplicates")
def duplicates_command(as_json: AsJson = False) -> None:
    """List shots that show the same moments: no video shows two of them. Example: factory duplicates"""
    from factory.duplicates import duplicates  # noqa: PLC0415  brings the store

    groups = duplicates(_house())
    if as_json:
        _answer(groups)
        return
    for group in groups:
        for shot in group["shots"]:
            _print(f"{shot['shot']:>6}  {shot['start']:7.2f}-{shot['end']:7.2f}  {shot['path']!r}")
        for pair in group["pairs"]:
            _print("        {} and {}: {}".format(*pair["shots"], pair["why"]))
    _say(f"{len(groups)} groups of near-duplicates")


@app.command("make")
def make_command(
    template: Annotated[str, typer.Argument(help="kind of video")],
    subject: Annotated[str | None, typer.Option(help="car or ranking of the catalogue")] = None,
    data: Annotated[Path | None, typer.Option(help="the table of this video, a CSV")] = None,
    sets: Annotated[list[str] | None, typer.Option("--set", help="input of the template, key=value")] = None,
    locale: Annotated[str, typer.Option(help="zh-CN or en-US")] = "zh-CN",
    seconds: Annotated[int | None, typer.Option(help="wished length")] = None,
    brand: Annotated[str, typer.Option(help="brand kit")] = "autoreel",
    seed: Annotated[int, typer.Option(help="same seed, same video")] = 0,
    aspect: Annotated[list[str] | None, typer.Option(help="16:9, 9:16 or 1:1; repeatable")] = None,
    series: Annotated[str | None, typer.Option(help="series that this video belongs to")] = None,
    out: Annotated[Path | None, typer.Option(help="folder for the finished files")] = None,
    draft: Annotated[bool, typer.Option("--draft", help="half size, quick")] = False,
    as_json: AsJson = False,
) -> None:
    """Make a video. Example: factory make ranking --data sales.csv --locale en-US --aspect 16:9 --aspect 9:16"""
    brief = _brief(
        template=template,
        subject=subject,
        data=orders.table_of(data) if data else None,
        set=dict(_pair(text) for text in sets or ()),
        locale=locale,
        seconds=seconds,
        brand=brand,
        seed=seed,
        aspects=tuple(aspect or ("16:9",)),
        draft=draft,
        series=series,
    )
    made = orders.make(brief, _house(), out, on_progress=_progress)
    _answer(made) if as_json else _print("\n".join(output["video"] for output in made["outputs"]))


@app.command("jobs")
def jobs_command(
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 20,
    as_json: AsJson = False,
    cancel: Annotated[str, typer.Option(help="cancel this job")] = "",
    approve: Annotated[str, typer.Option(help="approve this job, after looking at it")] = "",
    publish: Annotated[str, typer.Option(help="publish this approved job")] = "",
    retry: Annotated[str, typer.Option(help="queue this failed job again")] = "",
) -> None:
    """List jobs, newest first, or move one. Example: factory jobs --approve 1f3c"""
    house = _house()
    moves = {ledger.cancel: cancel, ledger.approve: approve, ledger.publish: publish, ledger.retry: retry}
    with house.sessions.write() as session:
        for move, job in moves.items():
            if job:
                _say(f"{job}: {move(session, job)}")
        found = ledger.list_jobs(session, limit=limit)
    if as_json:
        _answer([orders.job_record(row) for row in found])
        return
    for row in found:
        when, why = f"{row.created_at:%Y-%m-%d %H:%M}", row.error_text or ""
        _print(f"{row.id}  {row.state:<10} {row.progress:4.0%}  {row.brief().template:<22} {when}  {why}")


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
        _answer(report)
    else:
        for check in report["checks"]:
            mark = "ok     " if check["ok"] else "MISSING" if check["needed"] else "absent "
            _print(
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

    for video in demo(_house(), out, draft=draft, say=_say, on_progress=_progress):
        _print(str(video))


@app.command("schema")
def schema_command() -> None:
    """Print the JSON Schema of storyboards. Example: factory schema > storyboard.schema.json"""
    _answer(schema())


@samples_app.command("draw")
def draw_command(folder: Annotated[Path, typer.Argument(help="where the clips go")]) -> None:
    """Draw the sample clips. Example: factory samples draw samples/drawn"""
    from factory.samples import draw_library  # noqa: PLC0415  brings the painters

    with tqdm(unit="clip", disable=None, file=sys.stderr) as bar:
        for path in draw_library(folder, on_progress=lambda done, total, name: _move(bar, done, total, name)):
            _print(str(path))


@samples_app.command("fetch")
def fetch_command(folder: Annotated[Path, typer.Argument(help="where the clips go")]) -> None:
    """Fetch real public clips, checked by hash. Example: factory samples fetch samples/public"""
    from factory.samples import fetch  # noqa: PLC0415  brings the painters and requests

    fetched = fetch(folder, local=Settings().samples)
    for path in fetched.paths:
        _print(str(path))
    for refusal in fetched.failed:
        _say(refusal.sentence())
    raise typer.Exit(SOME_REFUSED if fetched.failed else 0)


@catalog_app.command("load")
def catalog_load_command(
    tables: Annotated[list[Path], typer.Argument(help="CSV files of cars or of a ranking")],
    sets: Annotated[list[str] | None, typer.Option("--set", help="how to read the table, key=value")] = None,
) -> None:
    """Load cars or rankings. Example: factory catalog load cars.csv sales.csv"""
    options = dict(_pair(text) for text in sets or ())
    house, bad = _house(), 0
    for path in tables:
        loaded = orders.load_table(path, house, options)
        bad += len(loaded.refused)
        _print(f"{path}: {loaded.what}")
        for row in loaded.refused:
            _say(f"{path}: {row}")
    raise typer.Exit(SOME_REFUSED if bad else 0)


@db_app.command("migrate")
def migrate_command(revision: Annotated[str, typer.Argument(help="head, base or a revision")] = "head") -> None:
    """Bring the database to a revision. Example: factory db migrate"""
    settings = Settings()
    settings.home.mkdir(parents=True, exist_ok=True)
    _print(migrate(settings.database, revision))


@model_app.command("describe")
def describe_command(
    name: Annotated[str, typer.Argument(help="a size by name")],
    classes: Annotated[int | None, typer.Option(min=1, help="classes, where the data says how many")] = None,
    as_json: AsJson = False,
) -> None:
    """Tell a net's parameters, cost and shapes. Example: factory model describe paper-k112"""
    from understanding.describe import describe, told  # noqa: PLC0415  brings torch

    if name not in SIZES:
        raise WrongUsage(f"there is no net {name!r}", next_step=f"name one of {', '.join(SIZES)}")
    about = describe(name, classes=classes)
    _answer(about) if as_json else _print(told(about))


@model_app.command("list")
def model_list_command(as_json: AsJson = False) -> None:
    """List the taggers that were trained here, newest first, and the shipped one. Example: factory model list"""
    from factory.models import listed  # noqa: PLC0415  brings the store

    rows = listed(_house())
    if as_json:
        _answer(rows)
        return
    for row in rows:
        counts = ", ".join(f"{count} {what.replace('_', ' ')}" for what, count in row.get("trained_on", {}).items())
        _print(f"{row['checkpoint'][:12]:<12}  {row['state']:<9}  {(row.get('made_at') or '')[:16]:<16}  {counts}")


@model_app.command("promote")
def model_promote_command(
    checkpoint: Annotated[str, typer.Argument(help="digest as factory model list tells it, its beginning, or shipped")],
) -> None:
    """Let a tagger speak from now on. Example: factory model promote 3fa9c1d2"""
    from factory.models import promote, told  # noqa: PLC0415  brings the store

    _print(told(promote(_house(), checkpoint)))
    _say(RETAG)


@model_app.command("rollback")
def model_rollback_command() -> None:
    """Take the last promotion back: the tagger before it speaks again. Example: factory model rollback"""
    from factory.models import roll_back, told  # noqa: PLC0415  brings the store

    _print(told(roll_back(_house())))
    _say(RETAG)


@train_app.command("head")
def train_head_command(
    config: Annotated[str, typer.Argument(help="YAML file of an experiment, or the name of one of the house's own")],
    data: Annotated[Path, typer.Option(help="folder of YouTube-8M: train/, tune/, vocabulary.csv")],
    out: Annotated[Path, typer.Option(help="folder of runs; one that was begun goes on")] = Path("runs"),
    seed: Annotated[int | None, typer.Option(min=0, help="decides what is hidden, and the first weights")] = None,
    hidden_share: Annotated[float | None, typer.Option(help="share of the fine cells that is hidden")] = None,
) -> None:
    """Train a head on YouTube-8M. Example: factory train head self-training --data yt8m/"""
    from understanding.train import train_named  # noqa: PLC0415  brings torch

    with _understood():
        train_named(config, data, out, seed=seed, hidden_share=hidden_share)


@train_app.command("tagger")
def train_tagger_command(
    clips: Annotated[Path | None, typer.Option(help="folder of labelled clips")] = None,
    labels: Annotated[Path | None, typer.Option(help="CSV of those clips: file, coarse, tags")] = None,
    out: Annotated[Path, typer.Option(help="the checkpoint that is written, without --library")] = Path(
        "tagger.safetensors"
    ),
    licence: Annotated[list[str] | None, typer.Option(help="learn only from clips under it; repeatable")] = None,
    library: Annotated[bool, typer.Option("--library", help="learn what the desk corrected; kept in the home")] = False,
    promote: Annotated[bool, typer.Option("--promote", help="let it speak whatever the comparison says")] = False,
    as_json: AsJson = False,
) -> None:
    """Train the tagger, on labelled clips or on the desk's corrections. Example: factory train tagger --library"""
    if library:
        _learn(clips, labels, licence or (), force=promote, as_json=as_json)
        return
    if not (clips and labels):
        raise WrongUsage("there is nothing to learn from", next_step="name --clips and --labels, or --library")
    from understanding.learning.tagger_runs import train_tagger  # noqa: PLC0415  brings torch

    house = Parts(Settings())
    with _understood():
        taught = train_tagger(
            labels,
            clips,
            out,
            house.models,
            taxonomy=house.taxonomy,
            features=house.features,
            licences=licence or (),
            say=_say,
        )
    for line in taught.refused:
        _say(line)
    scores = asdict(taught.scores)
    _answer(scores) if as_json else _print("\n".join(f"{name:<16}{value}" for name, value in scores.items()))
    raise typer.Exit(SOME_REFUSED if taught.refused else 0)


def _learn(clips: Path | None, labels: Path | None, licences: Sequence[str], *, force: bool, as_json: bool) -> None:
    """Teach the tagger what the desk corrected, and leave by SOME_REFUSED where a clip or a row could not be used."""
    from factory.learning import Table, learn  # noqa: PLC0415  brings torch

    if bool(clips) != bool(labels):
        raise WrongUsage("--clips and --labels go together", next_step="name both, or neither")
    table = Table(labels, clips, licences) if labels and clips else None
    with _understood():
        learned = learn(_house(), table, force=force, say=_say)
    for line in learned.refused:
        _say(line)
    if as_json:
        _answer(asdict(learned))
    else:
        verb = "promoted" if learned.promoted else "kept as a candidate, not promoted"
        _print(f"{learned.checkpoint[:12]} {verb}: {learned.why}")
    _say(
        RETAG if learned.promoted else f"to let it speak all the same: factory model promote {learned.checkpoint[:12]}"
    )
    raise typer.Exit(SOME_REFUSED if learned.refused else 0)


@app.command("evaluate")
def evaluate_command(
    yt8m: Annotated[
        Path | None, typer.Option(help="folder of shards of the model's level; with --protocol-a: train/, tune/")
    ] = None,
    clips: Annotated[Path | None, typer.Option(help="folder of clips, for the tagger")] = None,
    labels: Annotated[Path | None, typer.Option(help="CSV of those clips: file, coarse, tags")] = None,
    checkpoint: Annotated[
        Path | None, typer.Option(help="the model to score; the shipped one if none is named")
    ] = None,
    protocol_a: Annotated[
        bool, typer.Option("--protocol-a", help="run all experiments, or what is left of them")
    ] = False,
    protocol_b: Annotated[
        bool, typer.Option("--protocol-b", help="train on --clips with each source held out in turn, beside baselines")
    ] = False,
    held_out: Annotated[
        list[Path] | None, typer.Option(help="with --protocol-b: labelled clips never learned from; repeatable")
    ] = None,
    out: Annotated[Path, typer.Option(help="folder of the experiments' runs")] = Path("runs"),
    only: Annotated[list[str] | None, typer.Option(help="experiment of the protocol; repeatable")] = None,
    seeds: Annotated[int, typer.Option(min=1, max=100)] = 3,
    report: Annotated[Path | None, typer.Option(help="Markdown file that takes the table")] = None,
    classes: Annotated[Path | None, typer.Option(help="CSV file that takes a line for each class")] = None,
    as_json: AsJson = False,
) -> None:
    """Score the tagger on clips, or a head on YouTube-8M. Example: factory evaluate --clips c/ --labels c/labels.csv"""
    if clips and protocol_b:
        _protocol_b(clips, held_out or (), report)
        return
    if clips:
        _evaluate_clips(clips, labels, checkpoint, as_json=as_json)
        return
    if not yt8m:
        raise WrongUsage("there is nothing to score on", next_step="name --clips and --labels, or --yt8m")
    from understanding.learning.report import markdown, protocol_rows, write_classes, write_report  # noqa: PLC0415  brings torch
    from understanding.learning.runs import SHIPPED, evaluate  # noqa: PLC0415  brings torch

    with _understood():
        if not protocol_a:
            scores = asdict(evaluate(checkpoint or SHIPPED, yt8m))
            if classes:
                found = write_classes(checkpoint or SHIPPED, yt8m, classes)
                _say(f"expected calibration error {found.expected_error:.4f}, Brier score {found.brier:.5f}")
            _answer(scores) if as_json else _print("\n".join(f"{name:<16}{value}" for name, value in scores.items()))
            return
        from understanding.learning.protocol_a import load_protocol  # noqa: PLC0415  brings the record reader

        rows = protocol_rows(load_protocol(yt8m), out, names=only or (), seeds=range(seeds), report=_tell_run)
    if report:
        write_report(rows, report)
    _answer([asdict(row) for row in rows]) if as_json else _print(markdown(rows))


def _evaluate_clips(folder: Path, labels: Path | None, checkpoint: Path | None, *, as_json: bool) -> None:
    """Score the tagger, and leave by SOME_REFUSED where a row or a clip could not be used."""
    from understanding.build import SHIPPED_TAGGER  # noqa: PLC0415  brings the sentence encoder
    from understanding.clip_scores import evaluate_clips  # noqa: PLC0415  brings torch

    if not labels:
        raise WrongUsage("--clips needs --labels", next_step="name the CSV with the columns file, coarse, tags")
    house = Parts(Settings())
    with _understood(), tqdm(unit="clip", disable=None, file=sys.stderr) as bar:
        tagger = house.tagger_of(checkpoint or SHIPPED_TAGGER)
        found = evaluate_clips(folder, labels, tagger, lambda done, total: _move(bar, done, total, ""))
    for line in found.refused:
        _say(line)
    if found.unknown:
        _say("words that mean no tag: " + ", ".join(f"{word} ({count})" for word, count in found.unknown.items()))
    scores = asdict(found.scores)
    _answer(scores) if as_json else _print("\n".join(f"{name:<16}{value}" for name, value in scores.items()))
    raise typer.Exit(SOME_REFUSED if found.refused else 0)


def _protocol_b(trained: Path, held_out: Sequence[Path], report: Path | None) -> None:
    from understanding.learning.protocol_b_report import markdown, protocol_b, write_page  # noqa: PLC0415  brings torch

    house = Parts(Settings())
    with _understood():
        found = protocol_b(trained, held_out, house.models, taxonomy=house.taxonomy, features=house.features, say=_say)
    for line in found.refused:
        _say(line)
    if report:
        write_page(found, report)
    _print(markdown(found))
    raise typer.Exit(SOME_REFUSED if found.refused else 0)


@contextmanager
def _understood() -> Iterator[None]:
    """Say what the understanding refuses as the factory says it."""
    try:
        yield
    except Refused as refusal:
        wrong = WrongUsage(refusal.cause, next_step=refusal.next_step)
        wrong.code = refusal.code  # type: ignore[misc]  # the code of the understanding is kept
        raise wrong from refusal


def _tell_run(name: str, at: Any) -> None:
    if at.scores:
        _say(f"{name} epoch {at.epoch + 1} of {at.epochs}: GAP {at.scores['gap']:.4f}, {at.seconds_left:.0f} s left")


# --- saying things ---------------------------------------------------------------------------------------------------


def _brief(**values: Any) -> Brief:
    try:
        return Brief(**values)
    except ValidationError as wrong:
        first = wrong.errors()[0]
        name = "--" + str(first["loc"][0]).replace("aspects", "aspect") if first["loc"] else "the order"
        given = textwrap.shorten(repr(first["input"]), 80, placeholder="...")
        raise WrongUsage(f"{name}: {first['msg']}, not {given}", next_step="see factory make --help") from None


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise WrongUsage(f"--set {text!r} is no key=value", next_step="write for example --set top=5")
    return key.strip(), value


def _question(one: dict[str, Any]) -> str:
    sure = "" if one["confidence"] is None else f":{one['confidence']:.2f}"
    return f"{one['tag']}{sure}? ({', '.join(one['why'])})"


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
        _print(json.dumps(record, ensure_ascii=True))
    elif outcome.status == "refused":
        _say(f"{outcome.path!r}: {outcome.code}: {outcome.message}")
    else:
        _print(f"{outcome.status:<7} {outcome.shots:>3} shots {float(outcome.seconds):7.2f} s  {outcome.path!r}")


def _progress(share: float, what: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{share:5.1%}  {what:<40}" + ("\n" if share >= 1 else ""))
        sys.stderr.flush()


def _move(bar: Any, done: int, total: int, name: str) -> None:
    bar.total = total
    bar.set_postfix_str(name)
    bar.update(done - bar.n)


def _house() -> Parts:
    """Return parts over a database that answers and is up to date; refused in one sentence otherwise."""
    house = parts()
    require_migrated(house.sessions.engine)
    return house


def _answer(value: Any) -> None:
    _print(json.dumps(value, ensure_ascii=False, indent=1))


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")


def main() -> None:
    """Run the command line: the one place that turns a refusal into a line on stderr and an exit code."""
    logging.basicConfig(
        level=logging.WARNING, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    logging.Formatter.converter = time.gmtime
    try:
        app()
    except FactoryError as refusal:
        _say(refusal.sentence())
        sys.exit(refusal.exit_code)
    except BrokenPipeError:  # the reader of the answer has gone, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        where = f"{str(error.filename)!r}: " if error.filename else ""
        _say(f"file-refused: {where}{error.strerror or error}. Next: name a place that can be read and written")
        sys.exit(1)
    except ValidationError as wrong:
        first = wrong.errors()[0]
        _say(
            f"setting-refused: FACTORY_{str(first['loc'][0]).upper()}: {first['msg']}. Next: see the README's settings"
        )
        sys.exit(2)


if __name__ == "__main__":
    main()

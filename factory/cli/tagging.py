"""Commands that teach the tagger: what the desk says, training, which model speaks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from factory import models, review
from factory.cli.console import (
    SOME_REFUSED,
    AsJson,
    open_house,
    print_json,
    print_line,
    print_scores,
    say,
    understood,
)
from factory.errors import WrongUsage
from factory.settings import Settings
from factory.wiring import Parts
from understanding.sizes import SIZES

app = typer.Typer()
model_app = typer.Typer(no_args_is_help=True, help="The nets that tag. Example: factory model --help")
train_app = typer.Typer(no_args_is_help=True, help="Train the nets. Example: factory train --help")
app.add_typer(model_app, name="model")
app.add_typer(train_app, name="train")

RETAG = "new clips are tagged by it from now on; `factory retag` brings the library along"


@app.command("review-queue")
def review_queue_command(
    limit: Annotated[int, typer.Option(min=1, max=200)] = 20,
    as_json: AsJson = False,
) -> None:
    """List the shots whose label would teach the tagger most. Example: factory review-queue --limit 10"""
    shots = review.queue(open_house(), limit)
    if as_json:
        print_json(shots)
        return
    for shot in shots:
        asked = "  ".join(_question(one) for one in shot["questions"])
        print_line(f"{shot['shot']:>6}  {shot['start']:7.2f}-{shot['end']:7.2f}  {shot['path']!r}  {asked}")
    say("settle a question by: factory correct SHOT TAG, or --absent where it is not there")


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
    house = open_house()
    if take_back:
        print_line(review.take_back(house, shot, tag))
    else:
        print_line(review.correct(house, shot, tag, present=not absent, author=author, note=note))


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
    print_json(about) if as_json else print_line(told(about))


@model_app.command("list")
def model_list_command(as_json: AsJson = False) -> None:
    """List the taggers that were trained here, newest first, and the shipped one. Example: factory model list"""
    rows = models.listed(open_house())
    if as_json:
        print_json(rows)
        return
    for row in rows:
        counts = ", ".join(f"{count} {what.replace('_', ' ')}" for what, count in row.get("trained_on", {}).items())
        print_line(f"{row['checkpoint'][:12]:<12}  {row['state']:<9}  {(row.get('made_at') or '')[:16]:<16}  {counts}")


@model_app.command("promote")
def model_promote_command(
    checkpoint: Annotated[str, typer.Argument(help="digest as factory model list tells it, its beginning, or shipped")],
) -> None:
    """Let a tagger speak from now on. Example: factory model promote 3fa9c1d2"""
    print_line(models.told(models.promote(open_house(), checkpoint)))
    say(RETAG)


@model_app.command("rollback")
def model_rollback_command() -> None:
    """Take the last promotion back: the tagger before it speaks again. Example: factory model rollback"""
    print_line(models.told(models.roll_back(open_house())))
    say(RETAG)


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

    with understood():
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
    with understood():
        taught = train_tagger(
            labels,
            clips,
            out,
            house.models,
            taxonomy=house.taxonomy,
            features=house.features,
            licences=licence or (),
            say=say,
        )
    for line in taught.refused:
        say(line)
    scores = asdict(taught.scores)
    print_scores(scores, as_json=as_json)
    raise typer.Exit(SOME_REFUSED if taught.refused else 0)


def _learn(clips: Path | None, labels: Path | None, licences: Sequence[str], *, force: bool, as_json: bool) -> None:
    """Teach the tagger what the desk corrected, and leave by SOME_REFUSED where a clip or a row could not be used."""
    from factory.learning import Table, learn  # noqa: PLC0415  brings torch

    if bool(clips) != bool(labels):
        raise WrongUsage("--clips and --labels go together", next_step="name both, or neither")
    table = Table(labels, clips, licences) if labels and clips else None
    with understood():
        learned = learn(open_house(), table, force=force, say=say)
    for line in learned.refused:
        say(line)
    if as_json:
        print_json(asdict(learned))
    else:
        verb = "promoted" if learned.promoted else "kept as a candidate, not promoted"
        print_line(f"{learned.checkpoint[:12]} {verb}: {learned.why}")
    say(RETAG if learned.promoted else f"to let it speak all the same: factory model promote {learned.checkpoint[:12]}")
    raise typer.Exit(SOME_REFUSED if learned.refused else 0)


def _question(one: dict[str, Any]) -> str:
    sure = "" if one["confidence"] is None else f":{one['confidence']:.2f}"
    return f"{one['tag']}{sure}? ({', '.join(one['why'])})"

"""`factory evaluate`: the tagger on clips, a head on YouTube-8M, and both protocols."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from tqdm import tqdm

from factory.cli.console import (
    SOME_REFUSED,
    AsJson,
    advance,
    print_json,
    print_line,
    print_scores,
    say,
    understood,
)
from factory.errors import WrongUsage
from factory.settings import Settings
from factory.wiring import Parts

app = typer.Typer()


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
    only: Annotated[
        list[str] | None, typer.Option(help="experiment of protocol A, or what protocol B leaves out; repeatable")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, max=100)] = 3,
    report: Annotated[Path | None, typer.Option(help="Markdown file that takes the table")] = None,
    classes: Annotated[Path | None, typer.Option(help="CSV file that takes a line for each class")] = None,
    as_json: AsJson = False,
) -> None:
    """Score the tagger on clips, or a head on YouTube-8M. Example: factory evaluate --clips c/ --labels c/labels.csv"""
    if clips and protocol_b:
        _protocol_b(clips, held_out or (), only or (), report)
        return
    if clips:
        _evaluate_clips(clips, labels, checkpoint, as_json=as_json)
        return
    if not yt8m:
        raise WrongUsage("there is nothing to score on", next_step="name --clips and --labels, or --yt8m")
    from understanding.learning.report import markdown, protocol_rows, write_classes, write_report  # noqa: PLC0415  brings torch
    from understanding.learning.runs import SHIPPED, evaluate  # noqa: PLC0415  brings torch

    with understood():
        if not protocol_a:
            scores = asdict(evaluate(checkpoint or SHIPPED, yt8m))
            if classes:
                found = write_classes(checkpoint or SHIPPED, yt8m, classes)
                say(f"expected calibration error {found.expected_error:.4f}, Brier score {found.brier:.5f}")
            print_json(scores) if as_json else print_line(
                "\n".join(f"{name:<16}{value}" for name, value in scores.items())
            )
            return
        from understanding.learning.protocol_a import load_protocol  # noqa: PLC0415  brings the record reader

        rows = protocol_rows(load_protocol(yt8m), out, names=only or (), seeds=range(seeds), report=_tell_run)
    if report:
        write_report(rows, report)
    print_json([asdict(row) for row in rows]) if as_json else print_line(markdown(rows))


def _evaluate_clips(folder: Path, labels: Path | None, checkpoint: Path | None, *, as_json: bool) -> None:
    """Score the tagger, and leave by SOME_REFUSED where a row or a clip could not be used."""
    from understanding.build import SHIPPED_TAGGER  # noqa: PLC0415  brings the sentence encoder
    from understanding.clip_scores import evaluate_clips  # noqa: PLC0415  brings torch

    if not labels:
        raise WrongUsage("--clips needs --labels", next_step="name the CSV with the columns file, coarse, tags")
    house = Parts(Settings())
    with understood(), tqdm(unit="clip", disable=None, file=sys.stderr) as bar:
        tagger = house.tagger_of(checkpoint or SHIPPED_TAGGER)
        found = evaluate_clips(folder, labels, tagger, lambda done, total: advance(bar, done, total, ""))
    for line in found.refused:
        say(line)
    if found.unknown:
        say("words that mean no tag: " + ", ".join(f"{word} ({count})" for word, count in found.unknown.items()))
    scores = asdict(found.scores)
    print_scores(scores, as_json=as_json)
    raise typer.Exit(SOME_REFUSED if found.refused else 0)


def _protocol_b(trained: Path, held_out: Sequence[Path], only: Sequence[str], report: Path | None) -> None:
    from understanding.learning.protocol_b_report import markdown, protocol_b, write_page  # noqa: PLC0415  brings torch

    house = Parts(Settings())
    with understood():
        found = protocol_b(
            trained, held_out, house.models, taxonomy=house.taxonomy, features=house.features, only=only, say=say
        )
    for line in found.refused:
        say(line)
    if report:
        write_page(found, report)
    print_line(markdown(found))
    raise typer.Exit(SOME_REFUSED if found.refused else 0)


def _tell_run(name: str, at: Any) -> None:
    if at.scores:
        say(f"{name} epoch {at.epoch + 1} of {at.epochs}: GAP {at.scores['gap']:.4f}, {at.seconds_left:.0f} s left")

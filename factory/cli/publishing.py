"""Commands that hand a video on: to the cutting room."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, cast

import typer

from factory.cli.console import AsJson, open_house, print_json, print_line
from factory.cutting_room import SUFFIXES, export, told
from factory.errors import WrongUsage
from factory.plan.cutting_losses import Target

app = typer.Typer()


@app.command("export")
def export_command(
    job: Annotated[str, typer.Argument(help="the job, as factory jobs lists it")],
    out: Annotated[Path, typer.Option(help="folder for the lists and their media")],
    to: Annotated[str, typer.Option(help="otio, fcp7 (Final Cut Pro 7 XML) or edl (CMX 3600)")] = "otio",
    as_json: AsJson = False,
) -> None:
    """Write a job for the cutting room, media beside it. Example: factory export 1f3c --to fcp7 --out cut/"""
    if to not in SUFFIXES:
        raise WrongUsage(f"--to cannot be {to[:40]!r}", next_step=f"use one of {', '.join(SUFFIXES)}")
    bundle = export(job, cast("Target", to), out, open_house())
    if as_json:
        print_json(bundle.record())
        return
    print_line("\n".join(str(path) for path in bundle.lists))
    print_line(f"{bundle.media} media files, {bundle.bytes / 1e6:.1f} MB, in {bundle.folder}")
    print_line(told(bundle.losses).rstrip())

"""Commands of queues: how deep each is, and what bounds it."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from factory.cli.console import AsJson, open_house, print_json, print_line
from factory.errors import WrongUsage
from factory.store import places
from factory.store.places import Depth

app = typer.Typer()
queue_app = typer.Typer(no_args_is_help=True, help="What waits and what bounds it. Example: factory queue list")
app.add_typer(queue_app, name="queue")

MOST = 1_000_000


@queue_app.command("list")
def list_command(as_json: AsJson = False) -> None:
    """List queues: jobs that wait and are worked on, and their bounds. Example: factory queue list"""
    with open_house().sessions.read() as session:
        depths = places.depths(session)
    if as_json:
        print_json([_record(depth) for depth in depths])
        return
    for depth in depths:
        running, waiting = depth.bounds.running or "any", depth.bounds.waiting or "any"
        oldest = f"oldest {depth.oldest:%Y-%m-%d %H:%MZ}" if depth.oldest else ""
        told = f"waiting {depth.waiting} of {waiting}", f"running {depth.running} of {running}"
        print_line(f"{depth.name:<12} {told[0]:<24} {told[1]:<24} {oldest}".rstrip())


@queue_app.command("set")
def set_command(
    name: Annotated[str, typer.Argument(help="the queue, as factory queue list names it")],
    running: Annotated[str, typer.Option(help="most jobs worked on at once over all hosts; none lifts it")] = "",
    waiting: Annotated[str, typer.Option(help="most jobs that may wait; none lifts it")] = "",
) -> None:
    """Bound a queue, or lift a bound. Example: factory queue set rendering --running 4 --waiting 500"""
    if not (running or waiting):
        raise WrongUsage("no bound is named", next_step="give --running N, --waiting N or both; none lifts one")
    with open_house().sessions.write() as session:
        bounds = places.bounds(session, name)
        if running:
            bounds = replace(bounds, running=_bound("--running", running))
        if waiting:
            bounds = replace(bounds, waiting=_bound("--waiting", waiting))
        places.set_bounds(session, name, bounds)
    print_line(f"{name}: running {bounds.running or 'any'}, waiting {bounds.waiting or 'any'}")


def _bound(option: str, text: str) -> int | None:
    if text in ("0", "none"):
        return None
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:12]) <= MOST:
        raise WrongUsage(f"{option} cannot be {text[:40]!r}", next_step=f"use 1 to {MOST}, or none for no bound")
    return int(text)


def _record(depth: Depth) -> dict[str, str | int | None]:
    return {
        "queue": depth.name,
        "waiting": depth.waiting,
        "running": depth.running,
        "most_waiting": depth.bounds.waiting,
        "most_running": depth.bounds.running,
        "oldest": None if depth.oldest is None else depth.oldest.isoformat(),
    }

"""Commands of the store that hosts share."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

import typer

from factory.cli.console import AsJson, print_json, print_line, say
from factory.settings import Settings
from factory.store.copies import copy_home
from factory.store.object_url import open_objects
from factory.store.objects import StoreUnusable

app = typer.Typer()
store_app = typer.Typer(no_args_is_help=True, help="The store that hosts share. Example: factory store copy")
app.add_typer(store_app, name="store")


@store_app.callback()
def _group() -> None:
    """Keep the name of a group with one command."""


@store_app.command("copy")
def copy_command(
    cache: Annotated[bool, typer.Option("--cache", help="the derived files too, which can be made anew")] = False,
    as_json: AsJson = False,
) -> None:
    """Put what lies in FACTORY_HOME into FACTORY_STORE; a run that was stopped goes on. Example: factory store copy"""
    settings = Settings()
    if not settings.store:
        raise StoreUnusable("FACTORY_STORE is not set", next_step="set it to the store that the files go to")
    files, sizes = Counter[str](), Counter[str]()
    damaged = list[str]()
    for moved in copy_home(settings.home.resolve(), open_objects(settings.store), cache=cache):
        files[moved.state] += 1
        sizes[moved.state] += moved.size
        if moved.state == "damaged":
            damaged.append(moved.name)
            say(f"damaged: {moved.name} holds other bytes than its name says and was left where it is")
    if as_json:
        print_json({"files": dict(files), "bytes": dict(sizes), "damaged": damaged})
    else:
        told = (f"{files[state]} {state} ({sizes[state]} bytes)" for state in ("copied", "known", "damaged"))
        print_line(", ".join(told))
    if damaged:
        raise typer.Exit(3)

"""Commands of the database: its revision, its copies."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from factory.cli.console import AsJson, print_json, print_line, say
from factory.settings import Settings
from factory.store.backups import backup, read_manifest, restore
from factory.store.db import migrate
from factory.store.rollback import roll_back

app = typer.Typer()
db_app = typer.Typer(no_args_is_help=True, help="The database and its copies. Example: factory db backup")
app.add_typer(db_app, name="db")


@db_app.command("migrate")
def migrate_command(revision: Annotated[str, typer.Argument(help="head, base or a revision")] = "head") -> None:
    """Bring the database to a revision. Example: factory db migrate"""
    print_line(migrate(_settings().database, revision))


@db_app.command("backup")
def backup_command(
    folder: Annotated[Path | None, typer.Argument(help="where the copy goes; else FACTORY_HOME/backups")] = None,
    as_json: AsJson = False,
) -> None:
    """Copy the database while it works, with a manifest beside the copy. Example: factory db backup /mnt/backups"""
    settings = _settings()
    place = backup(settings.database, folder or settings.home / "backups")
    manifest = read_manifest(place)
    if as_json:
        print_json(asdict(manifest) | {"manifest": str(place)})
    else:
        print_line(str(place))
        say(f"{sum(manifest.counts.values())} rows at revision {manifest.revision}, {manifest.bytes} bytes")


@db_app.command("restore")
def restore_command(
    manifest: Annotated[Path, typer.Argument(help="the .json that `factory db backup` wrote")],
    replace: Annotated[bool, typer.Option("--replace", help="over a database that holds rows")] = False,
    as_json: AsJson = False,
) -> None:
    """Put a copy back, checked first. Example: factory db restore backups/autoreel-20270101T020000.000000Z.json"""
    done = restore(_settings().database, manifest, replace=replace)
    if as_json:
        print_json(asdict(done))
    else:
        print_line(f"{sum(done.manifest.counts.values())} rows of {done.manifest.made_at} at revision {done.revision}")


@db_app.command("rollback")
def rollback_command(
    yes: Annotated[bool, typer.Option("--yes", help="also where that loses what the revision holds")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only say what would be lost")] = False,
    as_json: AsJson = False,
) -> None:
    """Take the newest migration back. Example: factory db rollback --dry-run"""
    done = roll_back(_settings().database, accept_loss=yes, keep=not dry_run)
    if as_json:
        print_json(asdict(done))
        return
    print_line(f"{'would undo' if dry_run else 'undone'} {done.undone}: {done.meaning} The database: {done.revision}")
    for lost in done.lost:
        say(f"{'would lose' if dry_run else 'lost'} {lost}")


def _settings() -> Settings:
    """Return the settings without bringing the database up to date, as other commands do."""
    settings = Settings()
    settings.home.mkdir(parents=True, exist_ok=True)
    return settings

"""The command line: each command is one call of a verb, its answer on stdout, everything else on stderr.

Exit codes: 0 done, 1 failure, 2 wrong usage, 3 some files refused, 4 the library lacks material.
"""

from __future__ import annotations

import os
import sys

import typer
from pydantic import ValidationError

from factory import traces
from factory.cli import (
    batches,
    brief_set,
    database,
    language,
    library,
    publishing,
    queues,
    schedules,
    scoring,
    storing,
    tagging,
    videos,
)
from factory.cli.console import say
from factory.errors import FactoryError
from factory.logs import set_up
from factory.settings import Settings

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,  # an address may be among them, with its password
    help="A library of tagged clips becomes finished videos.",
)
for room in (
    *(library, videos, batches, language, publishing, tagging, scoring, brief_set),
    *(database, storing, schedules, queues),
):
    app.add_typer(room.app)


def main() -> None:
    """Run the command line: the one place that turns a refusal into a line on stderr and an exit code."""
    try:
        settings = Settings()
        set_up(settings.log_format)
        traces.turn_on(settings.traces)
        app()
    except FactoryError as refusal:
        say(refusal.sentence())
        sys.exit(refusal.exit_code)
    except BrokenPipeError:  # the reader of the answer has gone, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        where = f"{str(error.filename)!r}: " if error.filename else ""
        say(f"file-refused: {where}{error.strerror or error}. Next: name a place that can be read and written")
        sys.exit(1)
    except ValidationError as wrong:
        first = wrong.errors()[0]
        say(f"setting-refused: FACTORY_{str(first['loc'][0]).upper()}: {first['msg']}. Next: see the README's settings")
        sys.exit(2)

"""Start a template of one's own: a short film that can be made as it is, with a comment on everything in it."""

from __future__ import annotations

from pathlib import Path

from factory.errors import WrongUsage
from factory.render.templates import NAME, PACKAGED
from factory.wiring import Parts

STARTER = PACKAGED / "starters" / "storyboard.yaml.j2"


class TemplateTaken(WrongUsage):
    """A template of that name is there already."""

    code = "template-taken"


def new_template(name: str, parts: Parts) -> Path:
    """Write `storyboards/NAME.yaml.j2` into the user's folder and return it. Nothing that is there is touched."""
    folder = parts.settings.templates
    if not NAME.fullmatch(name):
        cause = f"a template cannot be called {name[:80]!r}"
        raise WrongUsage(cause, next_step="take small letters, digits, - and _, a letter first: spring_drive")
    if folder is None:
        step = "set FACTORY_TEMPLATES to a folder of yours, e.g. export FACTORY_TEMPLATES=$HOME/templates"
        raise WrongUsage("there is no folder for templates of yours", next_step=step)
    if name in parts.templates.names():
        raise TemplateTaken(f"there is a template {name!r} already", next_step="take another name")
    title = name.replace("_", " ").replace("-", " ").title()
    text = STARTER.read_text(encoding="utf-8").replace("@name@", name).replace("@title@", title)
    file = folder / "storyboards" / f"{name}.yaml.j2"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8") as out:
            out.write(text)
    except FileExistsError:
        raise TemplateTaken(f"there is a file {file} already", next_step="take another name") from None
    except OSError as error:
        cause = f"{file} cannot be written: {error.strerror}"
        raise WrongUsage(cause, next_step="set FACTORY_TEMPLATES to a folder that can be written") from None
    return file

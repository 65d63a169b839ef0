"""Check a file of a template folder before a video is made of it: all that is wrong with it, each at its line."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from factory.check_fills import Tried, try_card, try_template, wrong_in
from factory.errors import WrongUsage
from factory.plan.marked_yaml import Problem, load
from factory.plan.part import hint
from factory.plan.storyboard import StoryboardInvalid, read_marked
from factory.render.brands import Brand, brand_problems, read_brand
from factory.render.logos import LogoRefused, read_logo
from factory.render.templates import NAME, Templates
from factory.small_files import read_small
from factory.wiring import Parts

Sort = Literal["template", "card", "brand", "storyboard"]
MOST_BYTES = 1 << 20
_FOLDERS: dict[str, Sort] = {"storyboards": "template", "cards": "card", "brands": "brand"}


@dataclass(frozen=True, slots=True)
class Checked:
    """What was looked at, and what is wrong, in the order of lines."""

    file: str
    sort: Sort
    looked_at: tuple[str, ...]
    problems: tuple[Problem, ...]


def check(path: Path, parts: Parts, given: dict[str, str] | None = None) -> Checked:
    """Look through a storyboard, a storyboard template, a card or a brand kit. `given` are values of `--set`.

    A name that is no file is taken for that of a template.
    """
    path = _file_of(path, parts)
    sort, checker = _sort_of(path)
    data = read_small(path, MOST_BYTES, unread="name a file that exists", too_large="give a template or a storyboard")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        return Checked(str(path), sort, (), (Problem(line, (), "it is no text in UTF-8"),))
    tried = checker(path, text, parts, given or {})
    return Checked(str(path), sort, tried.looked_at, _each_once(tried.problems))


def _file_of(path: Path, parts: Parts) -> Path:
    if not path.exists() and path.name in parts.templates.names():
        return next(f for root in parts.templates.folders if (f := root / f"storyboards/{path}.yaml.j2").is_file())
    return path


Checker = Callable[[Path, str, Parts, dict[str, str]], Tried]


def _sort_of(path: Path) -> tuple[Sort, Checker]:
    if path.name.endswith(".yaml.j2"):
        return "template", _template
    if path.name.endswith(".svg.j2"):
        return "card", _card
    if path.suffix in (".yaml", ".yml", ".json"):
        return ("brand", _brand) if path.absolute().parent.name == "brands" else ("storyboard", _storyboard)
    step = "name a template (*.yaml.j2), a card (*.svg.j2), a brand kit (brands/*.yaml) or a storyboard (*.yaml)"
    raise WrongUsage(f"{path} is none of the files that can be checked", next_step=step)


def _template(path: Path, text: str, parts: Parts, given: dict[str, str]) -> Tried:
    name = path.name.removesuffix(".yaml.j2")
    if wrong := _named_wrong(name):
        return wrong
    return try_template(name, text, _templates_with(path, f"storyboards/{name}.yaml.j2", text, parts), parts, given)


def _card(path: Path, text: str, parts: Parts, _given: dict[str, str]) -> Tried:
    name = path.name.removesuffix(".svg.j2")
    if wrong := _named_wrong(name):
        return wrong
    return try_card(name, _templates_with(path, f"cards/{name}.svg.j2", text, parts))


def _named_wrong(name: str) -> Tried | None:
    """A file whose name begins with `_` is read by others and not by itself; any other has a plain name."""
    if NAME.fullmatch(name):
        return None
    if name.startswith("_"):
        raise WrongUsage(f"{name} is a part for others to import", next_step="check a template that imports it")
    return Tried((), (Problem(1, (), f"the name {name[:60]!r} is not like my_kind: small letters, digits, _ and -"),))


def _storyboard(path: Path, text: str, parts: Parts, _given: dict[str, str]) -> Tried:
    try:
        storyboard, marked = read_marked(text, path.name)
    except StoryboardInvalid as refusal:
        return Tried((), refusal.problems)
    problems, cards = wrong_in(storyboard, marked, parts.templates, parts)
    return Tried((f"{len(storyboard.scenes)} scenes", f"{cards} cards drawn"), tuple(problems))


def _brand(path: Path, text: str, parts: Parts, _given: dict[str, str]) -> Tried:
    name = path.stem
    if wrong := _named_wrong(name):
        return wrong
    problems = list(brand_problems(text, name))
    if not problems:
        brand, lines = read_brand(text, name), load(text)
        absent = [*_missing(brand, path.parent, parts.templates.cards())]
        problems = [Problem(lines.line(keys), keys, why) for keys, why in absent]
    return Tried(("keys, colours and their contrast", "the files that it names"), tuple(problems))


def _missing(brand: Brand, folder: Path, cards: Sequence[str]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield the keys of a kit that name what is not there."""
    if brand.logo:
        try:
            read_logo(folder / brand.logo)
        except LogoRefused as refusal:
            yield ("logo",), refusal.cause
    for key, kit in (("intro", brand.intro), ("outro", brand.outro)):
        if kit.clip and not (folder / kit.clip).is_file():
            yield (key, "clip"), f"there is no file {kit.clip}"
        elif not kit.clip and kit.card not in cards:
            yield (key, "card"), f"there is no card {kit.card!r} ({hint(kit.card, cards, ', '.join(cards))})"


def _templates_with(path: Path, name: str, text: str, parts: Parts) -> Templates:
    """Return the templates as they are where this file is one of them, and lies where it lies."""
    folder = path.absolute().parent
    beside = (folder.parent,) if folder.name in _FOLDERS else ()
    return Templates((*beside, *parts.templates.folders[:-1]), {name: text})


def _each_once(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    """Return the problems by line; one that many scenes of a loop show is told once."""
    found: dict[tuple[int, tuple[str, ...], str], Problem] = {}
    for problem in problems:
        keys = tuple(part for part in problem.path if isinstance(part, str))
        found.setdefault((problem.line, keys, problem.why), problem)
    return tuple(sorted(found.values(), key=lambda problem: problem.line))

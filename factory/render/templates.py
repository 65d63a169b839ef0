"""Fills templates: a storyboard template becomes YAML text, a card template becomes SVG text.

Data is only ever data: in storyboards each `{{ expression }}` becomes one JSON value, which YAML reads as a scalar
or a flow collection, and in cards each one is escaped for XML. Templates run in Jinja's sandbox, see no file but
templates, and stop at the limits below.
"""

from __future__ import annotations

import hashlib
import re
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from contextvars import ContextVar
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn

from jinja2 import (
    ChoiceLoader,
    FileSystemLoader,
    FunctionLoader,
    StrictUndefined,
    TemplateError,
    TemplateNotFound,
    TemplateSyntaxError,
    meta,
    nodes,
    pass_context,
)
from jinja2.runtime import Context
from jinja2.sandbox import SandboxedEnvironment
from markupsafe import Markup

from factory.errors import WrongUsage
from factory.plan.brief import CANVASES, Brief
from factory.plan.facts import Facts
from factory.plan.marked_yaml import Problem
from factory.plan.timeline import Canvas
from factory.render.bounded import (
    MAX_REPEAT,
    REFUSED_FILTERS,
    REFUSED_METHODS,
    LimitReached,
    calculated,
    joined_filter,
    replace_filter,
    strung,
)
from factory.render.brands import Brand, read_brand
from factory.render.cards import card_tools
from factory.render.figures import is_price
from factory.render.filled import Filled, LineKeeper, joined, pieces_of
from factory.render.kinds import Kind, KindUnreadable, read_kind
from factory.render.lettering import drawable
from factory.render.logos import read_logo
from factory.render.plain import as_yaml, plain
from factory.render.speaking import storyboard_tools
from factory.render.template_words import Known, parsed, unknown_words

MAX_TEXT = 2_000_000  # characters that one template may write
MAX_STEPS = 100_000  # turns of all loops of one filling
PACKAGED = Path(__file__).resolve().parents[2] / "templates"
_STORYBOARD, _CARD, _BRAND = "storyboards/{}.yaml.j2", "cards/{}.svg.j2", "brands/{}.yaml"
_CAPTIONS = "captions/{}.ass.j2"
NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}")
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class UnknownTemplate(WrongUsage):
    """No template, card or brand has that name."""

    code = "unknown-template"

    def __init__(self, sort: str, name: str, known: Sequence[str]) -> None:
        near = get_close_matches(name, known, 1)
        hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(known) or 'none'}"
        super().__init__(f"there is no {sort} named {name[:80]!r}", next_step=hint)


class TemplateFailed(WrongUsage):
    """A template could not be filled; the cause names the file and the line where it stopped."""

    code = "template-failed"

    def __init__(self, place: str, line: int | None, cause: str, *, next_step: str) -> None:
        where = f"{place}, line {line}" if line else place
        super().__init__(f"{where}: {cause}", next_step=next_step)
        self.place = place
        self.line = line


class TemplateRefuses(TemplateFailed):
    """The template itself says that it cannot do with what it was given."""


class Refusal(Exception):
    """Raised by a template's `fail(cause, next_step)`: the facts lack what it needs."""

    def __init__(self, cause: str, next_step: str) -> None:
        super().__init__(cause)
        self.next_step = next_step


class Templates:
    """All templates of the house and of the user: `folders` are looked through first, then the packaged ones.

    `given` are texts that stand for files, by their paths in such a folder (`storyboards/mine.yaml.j2`).
    """

    def __init__(self, folders: Sequence[Path] = (), given: Mapping[str, str] | None = None) -> None:
        self.folders = (*folders, PACKAGED)
        self._given = dict(given or {})
        self._storyboards = _Filler(self.folders, self._given, finalize=_as_json)
        self._cards = _Filler(self.folders, self._given, finalize=_as_xml)

    def names(self) -> tuple[str, ...]:
        """Return the kinds of video that can be made."""
        return self._names(_STORYBOARD)

    def cards(self) -> tuple[str, ...]:
        """Return the names of the cards."""
        return self._names(_CARD)

    def brands(self) -> tuple[str, ...]:
        """Return the names of the brand kits."""
        return self._names(_BRAND)

    def captions(self) -> tuple[str, ...]:
        """Return the names of the caption styles."""
        return self._names(_CAPTIONS)

    def pictures(self) -> tuple[str, ...]:
        """Return the names of the still pictures."""
        return tuple(sorted(self._pictures()))

    def describe(self, name: str) -> Kind:
        """Return what a storyboard template says of itself: title, description, needs, inputs and usual length."""
        path = self._path("template", _STORYBOARD, name)
        return read_kind(name, self._storyboards.source(path), path)

    def brand(self, name: str) -> Brand:
        """Return a brand kit, validated, with its logo."""
        brand = read_brand(self._storyboards.source(self._path("brand", _BRAND, name)), name)
        return brand.model_copy(update={"art": read_logo(self.beside(name, brand.logo))}) if brand.logo else brand

    def beside(self, brand: str, name: str) -> Path:
        """Return where a file that a brand kit names lies: in the folder of the kit."""
        return next(f for f in self.folders if (f / _BRAND.format(brand)).is_file()) / "brands" / name

    def image(self, name: str) -> Path:
        """Return where a still picture of the folders `images` lies."""
        known = self._pictures()
        if name not in known:
            raise UnknownTemplate("picture", name, sorted(known))
        return known[name]

    def _pictures(self) -> dict[str, Path]:
        return {p.name: p for root in reversed(self.folders) for p in sorted((root / "images").glob("*.*"))}

    def storyboard(self, name: str, context: Mapping[str, Any]) -> str:
        """Fill a storyboard template and return its YAML text."""
        return self.filled(name, context).text

    def filled(self, name: str, context: Mapping[str, Any]) -> Filled:
        """Fill a storyboard template and return its YAML text with the lines that wrote it.

        `context` holds `brief` (Brief) and `facts` (Facts); `locale` and `seconds` default to the brief's, then to the
        template's. `place` is how many videos of its series come before it.
        The template's declared inputs come from `brief.set`; an undeclared one is refused.
        """
        kind = self.describe(name)
        brief = context["brief"]
        locale = context.get("locale") or brief.locale
        values = {
            **context,
            "inputs": kind.inputs_from(brief.set),
            "locale": locale,
            "seconds": context.get("seconds") or brief.seconds or kind.seconds,
            "brand": self.brand(brief.brand),
            **storyboard_tools(locale, brief, context.get("place", 0)),
            "fail": _refuse,
        }
        return self._storyboards.fill(_STORYBOARD.format(name), values)

    def unknown(self, name: str) -> tuple[Problem, ...]:
        """Return what a storyboard template calls that nobody knows, by line; what Jinja cannot read comes first."""
        path = self._path("template", _STORYBOARD, name)
        given = ("brief", "facts", "inputs", "locale", "seconds", "brand", "fail")
        names = {*given, *storyboard_tools("en-US", Brief(template=name))}
        members = {"brief": [*Brief.model_fields], "facts": [*Facts.__dataclass_fields__], "brand": dir(Brand)}
        members["brand"] += [*Brand.model_fields]
        with suppress(KindUnreadable):
            members["inputs"] = [*self.describe(name).inputs]
        return self._storyboards.unknown(path, Known(names, members))

    def unknown_in_card(self, name: str) -> tuple[Problem, ...]:
        """Return what a card calls that nobody knows, by line; what Jinja cannot read comes first."""
        path = self._path("card", _CARD, name)
        names = {*card_tools(CANVASES["16:9"], "en-US", 1.0), "data", "brand", "locale", "fail"}
        return self._cards.unknown(path, Known(names, {"brand": [*dir(Brand), *Brand.model_fields]}))

    def card(
        self,
        name: str,
        *,
        data: Mapping[str, Any],
        canvas: Canvas,
        brand: Brand | str,
        locale: str,
        progress: float = 1.0,
    ) -> str:
        """Fill a card template and return its SVG text, whose viewBox says where on the canvas it stands.

        `progress` (0..1) is how far numbers have counted and bars have grown; at 1 they show their exact values.
        """
        path = self._path("card", _CARD, name)
        kit = self.brand(brand) if isinstance(brand, str) else brand
        tools = card_tools(canvas, "zh-CN" if locale == "zh-CN" else "en-US", min(max(progress, 0.0), 1.0))
        values = {**tools, "data": plain(data), "brand": kit, "locale": locale, "fail": _refuse}
        return self._cards.fill(path, values).text

    def kind_digest(self, name: str) -> str:
        """Return a digest of a storyboard template's text and of all that it imports."""
        return self._storyboards.digest(self._path("template", _STORYBOARD, name))

    def digest(self, card: str) -> str:
        """Return a digest of a card's text and of all that it imports, for cache keys."""
        return self._cards.digest(self._path("card", _CARD, card))

    def _names(self, pattern: str) -> tuple[str, ...]:
        folder, _, suffix = pattern.partition("/{}")
        files = [p.name for root in self.folders for p in (root / folder).glob(f"*{suffix}")]
        files += [path.removeprefix(f"{folder}/") for path in self._given if path.startswith(f"{folder}/")]
        found = {name.removesuffix(suffix) for name in files if name.endswith(suffix)}
        return tuple(sorted(name for name in found if NAME.fullmatch(name)))

    def _path(self, sort: str, pattern: str, name: str) -> str:
        known = self._names(pattern)
        if name not in known:
            raise UnknownTemplate(sort, name, known)
        return pattern.format(name)


class _Filler:
    """One sandboxed Jinja over the folders. `finalize` turns each value into text of the target language."""

    def __init__(
        self, folders: Sequence[Path], given: Mapping[str, str], *, finalize: Callable[[Context, Any], Any]
    ) -> None:
        texts = FunctionLoader(lambda path: (given[path], path, None) if path in given else None)
        self._jinja = _Sandbox(
            loader=ChoiceLoader([texts, FileSystemLoader([str(folder) for folder in folders])]),
            undefined=StrictUndefined,
            autoescape=True,
            finalize=finalize,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )

    def source(self, path: str) -> str:
        assert self._jinja.loader is not None
        try:
            return self._jinja.loader.get_source(self._jinja, path)[0]
        except UnicodeDecodeError as error:
            raise TemplateFailed(path, None, "it is no text in UTF-8", next_step="save it as UTF-8") from error

    def unknown(self, path: str, known: Known) -> tuple[Problem, ...]:
        def imported(other: str) -> nodes.Template | None:
            try:
                return parsed(self._jinja, self.source(other), other)
            except TemplateNotFound:
                return None

        known = Known({*known.names, *self._jinja.globals}, known.members)
        try:
            return unknown_words(self._jinja.parse(self.source(path), path), self._jinja, known, imported)
        except TemplateSyntaxError as error:
            return (Problem(error.lineno, (), error.message or "not a template"),)
        except RecursionError:
            return (Problem(1, (), "it is nested too deeply"),)

    def digest(self, path: str) -> str:
        digest = hashlib.sha256()
        pending, seen = [path], set()
        while pending:
            at = pending.pop(0)
            if at not in seen:
                seen.add(at)
                text = self.source(at)
                digest.update(f"{at}\0{text}\0".encode())
                pending += sorted(name for name in meta.find_referenced_templates(self._jinja.parse(text)) if name)
        return digest.hexdigest()

    def fill(self, path: str, values: Mapping[str, Any]) -> Filled:
        _steps.set(_Steps())
        try:
            template = self._jinja.get_template(path)
            return joined(_limited(pieces_of(template, values)))
        except TemplateSyntaxError as error:
            cause = error.message or "not a template"
            raise TemplateFailed(error.name or path, error.lineno, cause, next_step="mend the template") from error
        except TemplateNotFound as error:
            step = "add that file beside it, or mend the name"
            raise TemplateFailed(path, None, f"it asks for {error.name}, which is not there", next_step=step) from error
        except Refusal as error:
            raise TemplateRefuses(path, _line(error, path), str(error), next_step=error.next_step) from error
        except LimitReached as error:
            step = "let the template write less: fewer rows, a shorter loop"
            raise TemplateFailed(path, _line(error, path), str(error), next_step=step) from error
        except (
            TemplateError,
            ArithmeticError,
            TypeError,
            ValueError,
            LookupError,
            AttributeError,
            RecursionError,
        ) as error:
            cause = f"{type(error).__name__}: {error}" if not isinstance(error, TemplateError) else str(error)
            raise TemplateFailed(path, _line(error, path), cause, next_step="mend the template or its data") from error


class _Sandbox(SandboxedEnvironment):
    """Jinja's sandbox, in which loops are counted and nothing long is made of something short."""

    code_generator_class = LineKeeper
    intercepted_binops = frozenset(["*", "**", "%", "+"])

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        for name in REFUSED_FILTERS:
            del self.filters[name]
        self.filters.update(join=joined_filter, replace=replace_filter)
        self.tests["price"] = is_price
        self.globals = {
            "range": _short_range,
            "dict": dict,
            "namespace": self.globals["namespace"],
            "zip": zip,
            "_each": _each,
            "_strung": strung,
        }

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        """Parse, and let each loop go through `_each`, which counts its turns, and each `~` through `_strung`."""
        tree = super()._parse(source, name, filename)
        for loop in tree.find_all(nodes.For):
            loop.iter = nodes.Call(nodes.Name("_each", "load"), [loop.iter], [], None, None, lineno=loop.lineno)
        for row in list(tree.find_all(nodes.Concat)):
            row.nodes = [nodes.Call(nodes.Name("_strung", "load"), row.nodes, [], None, None, lineno=row.lineno)]
        return tree

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        calculated(operator, left, right)
        return super().call_binop(context, operator, left, right)

    def wrap_str_format(self, value: Any) -> None:
        """Let `format` be refused like any other method that makes a text as long as it is told to."""

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        return not (isinstance(obj, str) and attr in REFUSED_METHODS) and super().is_safe_attribute(obj, attr, value)


class _Steps:
    """Counts the turns of every loop of one filling."""

    def __init__(self) -> None:
        self.done = 0

    def each(self, values: Iterable[Any]) -> Sequence[Any]:
        """Return the values of one loop as a list, and count them."""
        return list(self._counted(values))

    def _counted(self, values: Iterable[Any]) -> Iterator[Any]:
        for value in values:
            self.done += 1
            if self.done > MAX_STEPS:
                raise LimitReached(f"its loops take more than {MAX_STEPS} turns")
            yield value


_steps: ContextVar[_Steps] = ContextVar("_steps")


def _each(values: Iterable[Any]) -> Sequence[Any]:
    return _steps.get().each(values)


def _limited(pieces: Iterable[tuple[str, int]]) -> Iterator[tuple[str, int]]:
    length = 0
    for piece, line in pieces:
        length += len(piece)
        if length > MAX_TEXT:
            raise LimitReached(f"it writes more than {MAX_TEXT} characters")
        yield piece, line


def _short_range(*bounds: int) -> range:
    numbers = range(*bounds)
    if len(numbers) > MAX_REPEAT:
        raise LimitReached(f"range({', '.join(map(str, bounds))}) is longer than {MAX_REPEAT}")
    return numbers


def _refuse(cause: str, next_step: str) -> NoReturn:
    raise Refusal(cause, next_step)


def _line(error: BaseException, path: str) -> int | None:
    """Return the template line that was being filled when `error` was raised; Jinja writes it into the traceback."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename.endswith(path)]
    return lines[-1] if lines else None


@pass_context  # so that Jinja asks for constants as well, unescaped
def _as_json(_context: Context, value: Any) -> Markup:
    """Write a value as JSON. A macro's own output is template text already and passes."""
    if isinstance(value, Markup):
        return value
    if isinstance(value, StrictUndefined):
        str(value)  # raises, naming what is undefined
    return Markup(as_yaml(value))  # noqa: S704 - JSON is what is wanted, not HTML


@pass_context
def _as_xml(_context: Context, value: Any) -> Any:
    """Drop what XML or the font cannot hold; Jinja escapes the rest."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return drawable(_NOT_XML.sub("", value))
    if isinstance(value, float):
        return format(value, ".2f").rstrip("0").rstrip(".")
    return value

"""What a template calls by a name that nobody knows: names, filters, tests, members and macros, each with its line.

Found in the text alone, so that a branch which is never taken is looked at too.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field

from jinja2 import Environment, TemplateError, meta, nodes

from factory.plan.marked_yaml import Problem
from factory.plan.part import hint


@dataclass(frozen=True, slots=True)
class Known:
    """The names that a template is given, and for those whose members are fixed, their members."""

    names: Collection[str]
    members: Mapping[str, Collection[str]] = field(default_factory=dict)


def unknown_words(
    tree: nodes.Template, jinja: Environment, known: Known, imported: Callable[[str], nodes.Template | None]
) -> tuple[Problem, ...]:
    """Return what `tree` asks for in vain, by line. `imported` parses another template, None where there is none."""
    calls = [
        *_calls(tree, nodes.Filter, jinja.filters, "filter"),
        *_calls(tree, nodes.Test, jinja.tests, "test"),
    ]
    with_all = jinja.overlay()  # compiling, which finds the names, stops at a filter that is not there
    with_all.filters = {node.name: _anything for node in tree.find_all(nodes.Filter)} | jinja.filters
    with_all.tests = {node.name: _anything for node in tree.find_all(nodes.Test)} | jinja.tests
    found = [*calls, *_names(tree.set_environment(with_all), known), *_members(tree, known, imported)]
    return tuple(dict.fromkeys(sorted(found, key=lambda problem: problem.line)))


def exported(tree: nodes.Template) -> frozenset[str]:
    """Return what another template may take from this one: its macros and what it sets, at the top."""
    names = {node.name for node in tree.body if isinstance(node, nodes.Macro)}
    for node in tree.body:
        if isinstance(node, nodes.Assign | nodes.AssignBlock):
            names |= {name.name for name in node.target.find_all(nodes.Name)} | _name_of(node.target)
    return frozenset(name for name in names if not name.startswith("_"))


def _name_of(node: nodes.Node) -> set[str]:
    return {node.name} if isinstance(node, nodes.Name) else set()


def _names(tree: nodes.Node, known: Known) -> Iterator[Problem]:
    """Yield the names that are neither given nor set anywhere in the template, be it in a branch that is not taken."""
    assert isinstance(tree, nodes.Template)
    own = {node.name for node in tree.find_all(nodes.Name) if node.ctx in ("store", "param")}
    own |= {node.name for node in tree.find_all(nodes.Macro)}
    lost = meta.find_undeclared_variables(tree) - set(known.names) - own
    words = {name for name in (*known.names, *own) if not name.startswith("_")}
    for node in tree.find_all(nodes.Name):
        if node.ctx == "load" and node.name in lost:
            yield _problem(node.lineno, "name", node.name, words)


def _calls(
    tree: nodes.Template, kind: type[nodes.Filter] | type[nodes.Test], known: Collection[str], sort: str
) -> Iterator[Problem]:
    for node in tree.find_all(kind):
        if node.name not in known:
            yield _problem(node.lineno, sort, node.name, known)


def _members(tree: nodes.Template, known: Known, imported: Callable[[str], nodes.Template | None]) -> Iterator[Problem]:
    members = dict(known.members)
    for node in tree.find_all((nodes.Import, nodes.FromImport)):
        assert isinstance(node, nodes.Import | nodes.FromImport)
        if not isinstance(node.template, nodes.Const):
            continue
        other = imported(str(node.template.value))
        if other is None:
            yield Problem(node.lineno, (), f"it asks for {str(node.template.value)[:80]!r}, which is not there")
        elif isinstance(node, nodes.Import):
            members[node.target] = exported(other)
        else:
            asked = [name[0] if isinstance(name, tuple) else name for name in node.names]
            for name in asked:
                if name not in exported(other):
                    yield _problem(node.lineno, "macro", name, exported(other))
    own = {node.name for node in tree.find_all(nodes.Name) if node.ctx in ("store", "param")}
    for called in tree.find_all(nodes.Getattr):
        holder = called.node.name if isinstance(called.node, nodes.Name) else ""
        if holder in members and holder not in own and called.attr not in members[holder]:
            yield _problem(called.lineno, f"{holder}.", called.attr, members[holder])


def _problem(line: int, sort: str, name: str, known: Collection[str]) -> Problem:
    listed = ", ".join(sorted(known)[:20]) or "none"
    called = f"{sort}{name[:60]}" if sort.endswith(".") else f"{sort} {name[:60]!r}"
    return Problem(line, (), f"there is no {called} ({hint(name, sorted(known), listed)})")


def _anything(value: object) -> object:
    return value


def parsed(jinja: Environment, source: str, path: str) -> nodes.Template | None:
    """Return a template as Jinja reads it, None where it cannot."""
    try:
        return jinja.parse(source, path)
    except TemplateError:
        return None

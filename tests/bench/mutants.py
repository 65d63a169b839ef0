"""Mutants of a module: small faults that good tests see, each as a step in the module's syntax tree.

A comparison has another boundary or direction; arithmetic, `and`/`or`, `not`, `~` and `-` turn into another. A number
grows by one, a word is changed, prose is emptied, None becomes "". A keyword, an entry, an element, an argument of
`and_`, `where` and their like, a value in prose, a slice or a link of a chain (`.limit(1)`) goes away. `and_`/`or_`,
`min`/`max`, `any`/`all` change places, an order is turned round. A branch is always or never taken, a loop never,
`break` and `continue` change places. A statement goes away, a value that is assigned or returned becomes None, an error
goes on past its handler. Annotations, decorators, imports, docstrings and the type of a `cast` are no
behaviour and stay.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Step = tuple[str, int | None]  # a field of a node and the place in it, from the module down

COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.GtE),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
PAIRS = (("and_", "or_"), ("min", "max"), ("any", "all"), ("startswith", "endswith"))
SWAPPED = dict(PAIRS) | {two: one for one, two in PAIRS} | {"sorted": "list"}
VARIADIC = ("and_", "or_", "where", "order_by", "returning", "coalesce", "min", "max")  # any argument may be missing
LINKS = (
    *("where", "order_by", "limit", "desc", "with_for_update", "execution_options", "group_by", "filter"),
    *("on_conflict_do_nothing", "distinct", "strip"),
)
NO_BEHAVIOUR = ("annotation", "returns", "decorator_list", "type_comment")


@dataclass(frozen=True, slots=True)
class Mutant:
    """One fault: `before` becomes `after` at the `nth` place of `function` where it stands. No `function`: the lines of
    the module itself."""

    module: str
    function: str
    before: str
    after: str
    nth: int
    line: int
    path: tuple[Step, ...]
    new: Any  # what takes the node's place; None in a list: the node goes away

    @property
    def key(self) -> tuple[str, str, str, str, int]:
        """What names it in whatever line it stands."""
        return (self.module, self.function, self.before, self.after, self.nth)

    def __str__(self) -> str:
        nth = f" (number {self.nth})" if self.nth > 1 else ""
        return f"{self.module}:{self.line} {self.function or 'module'}{nth}: {self.before!r} -> {self.after!r}"

    def tree(self, source: str) -> ast.Module:
        """Return the module's tree with this fault in it."""
        made = ast.parse(source)
        node: Any = made
        for field, index in self.path[:-1]:
            node = getattr(node, field) if index is None else getattr(node, field)[index]
        field, index = self.path[-1]
        if index is None:
            setattr(node, field, self.new)
        elif self.new is None:
            del getattr(node, field)[index]
            if isinstance(node, ast.Dict):
                del (node.values if field == "keys" else node.keys)[index]
        else:
            getattr(node, field)[index] = self.new
        return ast.fix_missing_locations(made)


def find_mutants(module: str, source: str) -> list[Mutant]:
    """Return every mutant of a module, from its first line to its last."""
    seen: Counter[tuple[str, str, str]] = Counter()
    found = []
    for function, path, line, before, after, new in _faults(ast.parse(source), "", ()):
        seen[function, before, after] += 1
        found.append(Mutant(module, function, before, after, seen[function, before, after], line, path, new))
    return found


Fault = tuple[str, tuple[Step, ...], int, str, str, Any]


def _faults(node: ast.AST, scope: str, path: tuple[Step, ...]) -> Iterator[Fault]:
    """Walk down in the order of the source; a function within a function belongs to the outer one."""
    inner = scope
    if isinstance(node, ast.ClassDef):
        inner = f"{scope}.{node.name}".strip(".")
    elif isinstance(node, ast.FunctionDef) and not _within_function(path):
        inner = f"{scope}.{node.name}".strip(".")
        path = (*path, ("function", None))
    real = tuple(step for step in path if step[0] != "function")
    for step, before, after, new in _of_node(node):
        line = getattr(node, "lineno", 0)
        yield inner, (*real, *step), line, before, after, new
    for field, value in ast.iter_fields(node):
        if field in NO_BEHAVIOUR or _is_typing(node, field):
            continue
        for index, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
            part = isinstance(node, ast.JoinedStr | ast.Compare) and isinstance(child, ast.Constant)
            covered = part and (isinstance(node, ast.JoinedStr) or getattr(child, "value", 0) is None)
            if isinstance(child, ast.AST) and not (covered or _is_docstring(child) or _is_cast(node, field, index)):
                yield from _faults(child, inner, (*path, (field, index)))


def _within_function(path: tuple[Step, ...]) -> bool:
    return any(field == "function" for field, _ in path)


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_cast(node: ast.AST, field: str, index: int | None) -> bool:
    return isinstance(node, ast.Call) and _name(node.func) == "cast" and (field, index) == ("args", 0)


def _is_typing(node: ast.AST, field: str) -> bool:
    """An alias of a type (`State = Literal[...]`), or the type that `list[Row]()` names."""
    alias = isinstance(node, ast.Assign) and isinstance(node.value, ast.Subscript) and field == "value"
    return (alias and _name(node.value.value) in ("Literal", "Callable")) or (  # type: ignore[attr-defined]
        isinstance(node, ast.Call) and isinstance(node.func, ast.Subscript) and field == "func"
    )


def _name(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


# --- what may be wrong with one node ---------------------------------------------------------------------------------

Change = tuple[tuple[Step, ...], str, str, Any]  # steps from the node, before, after, what takes its place


def _of_node(node: ast.AST) -> Iterator[Change]:
    for kind, faults in FAULTS:
        if isinstance(node, kind):
            yield from faults(node)


def _compare(node: ast.Compare) -> Iterator[Change]:
    for index, op in enumerate(node.ops):
        for other in COMPARISONS[type(op)]:
            ops = [*node.ops[:index], other(), *node.ops[index + 1 :]]
            changed = ast.Compare(node.left, ops, node.comparators)
            yield (("ops", index),), ast.unparse(node), ast.unparse(changed), other()


def _binary(node: ast.BinOp) -> Iterator[Change]:
    if other := ARITHMETIC.get(type(node.op)):
        changed = ast.BinOp(node.left, other(), node.right)
        yield (("op", None),), ast.unparse(node), ast.unparse(changed), other()


def _augmented(node: ast.AugAssign) -> Iterator[Change]:
    if other := ARITHMETIC.get(type(node.op)):
        changed = ast.AugAssign(node.target, other(), node.value)
        yield (("op", None),), ast.unparse(node), ast.unparse(changed), other()


def _boolean(node: ast.BoolOp) -> Iterator[Change]:
    other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
    yield (("op", None),), ast.unparse(node), ast.unparse(ast.BoolOp(other, node.values)), other


def _unary(node: ast.UnaryOp) -> Iterator[Change]:
    twice = ast.UnaryOp(node.op, node.operand)  # not at all
    yield (("operand", None),), ast.unparse(node), ast.unparse(node.operand), twice


def _either(node: ast.IfExp) -> Iterator[Change]:
    for value in (True, False):
        changed = ast.IfExp(ast.Constant(value), node.body, node.orelse)
        yield (("test", None),), ast.unparse(node), ast.unparse(changed), ast.Constant(value)


def _constant(node: ast.Constant) -> Iterator[Change]:
    value = node.value
    if value is ...:
        return
    if value is None:
        other: Any = ""
    elif isinstance(value, bool):
        other = not value
    elif isinstance(value, int | float):
        other = value + 1
    elif isinstance(value, str):
        other = "" if " " in value.strip() else f"{value}XX"
    else:
        return
    yield (("value", None),), repr(value), repr(other), other


def _formatted(node: ast.JoinedStr) -> Iterator[Change]:
    """Prose with values in it is emptied as a whole, or loses one of its values."""
    yield (("values", None),), ast.unparse(node), "''", [ast.Constant("")]
    for index, part in enumerate(node.values):
        if isinstance(part, ast.FormattedValue):
            without = ast.JoinedStr([*node.values[:index], *node.values[index + 1 :]])
            yield (("values", index),), ast.unparse(node), ast.unparse(without), None


def _call(node: ast.Call) -> Iterator[Change]:
    name = _name(node.func)
    for index, keyword in enumerate(node.keywords):
        whole = name in LINKS and len(node.keywords) == 1 and not node.args  # then the link is all of it
        if keyword.arg is not None and not whole:
            yield (("keywords", index),), f"{name}({keyword.arg}={ast.unparse(keyword.value)})", f"{name}()", None
    if name == "suppress" or (name in VARIADIC and len(node.args) > 1):
        for index, argument in enumerate(node.args):
            yield (("args", index),), f"{name}(.., {ast.unparse(argument)})", f"{name}(..)", None
    if name in SWAPPED and not (name in ("any", "all") and isinstance(node.func, ast.Attribute)):
        field = "attr" if isinstance(node.func, ast.Attribute) else "id"
        yield (("func", None), (field, None)), f"{name}()", f"{SWAPPED[name]}()", SWAPPED[name]


def _link(parent: ast.AST) -> Iterator[Change]:
    """Take a link out of a chain, wherever in its parent the chain stands; also a slice."""
    for field, value in ast.iter_fields(parent):
        if field in NO_BEHAVIOUR:
            continue
        for index, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if isinstance(child, ast.Call) and isinstance(child.func, ast.Attribute) and child.func.attr in LINKS:
                arguments = ", ".join(ast.unparse(part) for part in (*child.args, *child.keywords))
                yield ((field, index),), f".{child.func.attr}({arguments})", "", child.func.value
            elif isinstance(child, ast.Subscript) and isinstance(child.slice, ast.Slice):
                yield ((field, index),), ast.unparse(child), ast.unparse(child.value), child.value
            elif isinstance(child, ast.Lambda):
                lost = ast.Lambda(child.args, ast.Constant(None))
                yield ((field, index),), ast.unparse(child), ast.unparse(lost), lost


def _ordered(node: ast.Call) -> Iterator[Change]:
    """Turn the order round by one of its columns."""
    if _name(node.func) == "order_by":
        for index, column in enumerate(node.args):
            if isinstance(column, ast.Attribute):
                turned = ast.Call(ast.Attribute(column, "desc", ast.Load()), [], [])
                yield (("args", index),), f"order_by({ast.unparse(column)})", "desc()", turned


def _entries(node: ast.Dict) -> Iterator[Change]:
    for index, (key, value) in enumerate(zip(node.keys, node.values, strict=True)):
        if key is not None:
            yield (("keys", index),), f"{ast.unparse(key)}: {ast.unparse(value)}", "", None


def _elements(node: ast.Tuple | ast.List | ast.Set) -> Iterator[Change]:
    if len(node.elts) > 1 and all(isinstance(element, ast.Constant) for element in node.elts):
        for index, element in enumerate(node.elts):
            yield (("elts", index),), f"{ast.unparse(node)}", f"without {ast.unparse(element)}", None


def _comprehended(node: ast.comprehension) -> Iterator[Change]:
    for index, condition in enumerate(node.ifs):
        yield (("ifs", index),), f"if {ast.unparse(condition)}", "", None


def _branch(node: ast.If | ast.While) -> Iterator[Change]:
    word = "while" if isinstance(node, ast.While) else "if"
    always = isinstance(node.test, ast.Constant) and node.test.value is True
    for value in (False,) if isinstance(node, ast.While) or always else (True, False):
        yield (("test", None),), f"{word} {ast.unparse(node.test)}", f"{word} {value}", ast.Constant(value)


def _loop(node: ast.For) -> Iterator[Change]:
    yield (("iter", None),), f"for .. in {ast.unparse(node.iter)}", "for .. in ()", ast.Tuple([], ast.Load())


def _assign(node: ast.Assign | ast.AnnAssign) -> Iterator[Change]:
    if node.value is not None and not (isinstance(node.value, ast.Constant)) and not _is_typing(node, "value"):
        target = ast.unparse(node.targets[0] if isinstance(node, ast.Assign) else node.target)
        yield (("value", None),), f"{target} = {ast.unparse(node.value)}", f"{target} = None", ast.Constant(None)


def _return(node: ast.Return) -> Iterator[Change]:
    if node.value is not None and not (isinstance(node.value, ast.Constant) and node.value.value is None):
        yield (("value", None),), ast.unparse(node), "return None", ast.Constant(None)


def _handlers(node: ast.Try) -> Iterator[Change]:
    for index, handler in enumerate(node.handlers):
        kind = f"except {ast.unparse(handler.type)}" if handler.type else "except"
        onward = ast.ExceptHandler(handler.type, handler.name, [ast.Raise()])
        yield (("handlers", index),), kind, f"{kind}: raise", onward
        if isinstance(handler.type, ast.Tuple):
            for which, error in enumerate(handler.type.elts):
                narrower = f"{kind} without {ast.unparse(error)}"
                yield (("handlers", index), ("type", None), ("elts", which)), kind, narrower, None


def _block(node: ast.AST) -> Iterator[Change]:
    """Take one statement out of a block, or let a jump go the other way."""
    for field in ("body", "orelse", "finalbody"):
        block = getattr(node, field, None)
        for index, statement in enumerate(block if isinstance(block, list) else []):
            if isinstance(statement, ast.Expr | ast.Raise | ast.AugAssign) and not _is_docstring(statement):
                yield ((field, index),), ast.unparse(statement), "pass", ast.Pass()
            elif isinstance(statement, ast.Return) and (statement.value is None or isinstance(node, ast.If)):
                yield ((field, index),), f"{ast.unparse(statement)}", "pass", ast.Pass()
            elif isinstance(statement, ast.Break):
                yield ((field, index),), "break", "continue", ast.Continue()
            elif isinstance(statement, ast.Continue):
                yield ((field, index),), "continue", "break", ast.Break()


FAULTS: tuple[tuple[Any, Any], ...] = (
    (ast.Compare, _compare),
    (ast.BinOp, _binary),
    (ast.AugAssign, _augmented),
    (ast.BoolOp, _boolean),
    (ast.UnaryOp, _unary),
    (ast.IfExp, _either),
    (ast.Constant, _constant),
    (ast.JoinedStr, _formatted),
    (ast.Call, _call),
    (ast.Call, _ordered),
    (ast.Dict, _entries),
    (ast.Tuple | ast.List | ast.Set, _elements),
    (ast.comprehension, _comprehended),
    (ast.If | ast.While, _branch),
    (ast.For, _loop),
    (ast.Assign | ast.AnnAssign, _assign),
    (ast.Return, _return),
    (ast.Try, _handlers),
    (ast.AST, _link),
    (ast.AST, _block),
)

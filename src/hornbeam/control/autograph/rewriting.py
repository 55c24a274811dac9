"""Rewrite a function's syntax tree: `if`, `for` and `while` become calls of operators with functions.

    if x > 0:                    def ag__if_1():
        y = 1                        nonlocal y
    else:                            y = 1
        y = 2             ->     def ag__else_1():
                                     nonlocal y
                                     y = 2
                                 ag__.if_(x > 0, ag__if_1, ag__else_1, ("y",), ("y",))

An operator is given the names that the functions bind, and those of them that are read later. It reaches the variables
through the functions' closures, so that it can set and compare them.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar, cast

from hornbeam.control.autograph.expressions import (
    Expressions,
    definition,
    is_python_bool,
    lazy,
    load,
    operator,
    placed,
)
from hornbeam.control.autograph.finding import CannotRewrite, Definition
from hornbeam.control.autograph.jumps import EXTRA_TEST, PREFIX, lower
from hornbeam.control.autograph.liveness import AFTER, LIVE, READ, annotate
from hornbeam.control.autograph.names import (
    bound,
    bound_parts,
    declared,
    own,
    read,
    read_by_closures,
)
from hornbeam.control.autograph.places import Name

D = TypeVar("D", ast.FunctionDef, ast.Lambda)

# They look into the frame that calls them, where the names of branches are not.
_LOOK_INTO_FRAMES = {"locals", "eval", "exec"}
_LOOK_INTO_FRAMES_BARE = {"vars", "dir"}


def rewrite(node: Definition, class_name: str | None) -> None:
    """Rewrite a function in place, `class_name` being the class in which it stands.

    Raises CannotRewrite for one that has to run as it is.
    """
    refuse(node)
    if isinstance(node, ast.Lambda):
        node.body = _Statements(_first_argument(node), {}, class_name).visit(node.body)
    else:
        _rewrite_body(node, class_name)


def refuse(node: Definition) -> None:
    """Raise CannotRewrite where a function would change its meaning."""
    for each in own(node.body if isinstance(node.body, list) else [node.body]):
        if isinstance(each, (ast.Yield, ast.YieldFrom, ast.Await, ast.AsyncFor, ast.AsyncWith)):
            raise CannotRewrite(f"line {each.lineno}: generators and coroutines run as they are")
        if isinstance(each, ast.Call) and isinstance(each.func, ast.Name):
            name, bare = each.func.id, not each.args
            if name in _LOOK_INTO_FRAMES or (bare and name in _LOOK_INTO_FRAMES_BARE):
                raise CannotRewrite(
                    f"line {each.lineno}: `{name}` looks into the frame of its caller"
                )
    for each in ast.walk(node):
        if isinstance(each, ast.Name) and each.id.startswith(PREFIX):
            raise CannotRewrite(
                f"line {each.lineno}: the name {each.id!r} is needed by the rewriting"
            )


def _rewrite_body(node: ast.FunctionDef, class_name: str | None) -> None:
    parameters = {each.arg for each in ast.walk(node.args) if isinstance(each, ast.arg)}
    in_globals, in_others = declared(node.body)
    # Unreachable statements fall away below, but what they bind stays a local name.
    names = bound(node.body).keys()
    kept = _docstring(node)
    body = _Plain().block(node.body[len(kept) :])
    body = lower(body) or [placed(ast.Pass(), node)]
    always = read_by_closures(body) | in_globals.keys() | in_others.keys()
    annotate(body, always)
    own_names = names - in_globals.keys() - in_others.keys()
    statements = _Statements(_first_argument(node), in_globals, class_name, own_names)
    body = statements.block(body)
    locals_ = [n for n in names if n not in parameters | in_globals.keys() | in_others.keys()]
    made = [*bound(body).keys(), *statements.names]
    locals_ += [n for n in dict.fromkeys(made) if n.startswith(PREFIX)]
    head = _declarations(list(in_globals), ast.Global) + _declarations(
        list(in_others), ast.Nonlocal
    )
    head += [_declares(name) for name in locals_ if name in statements.names or name in names]
    node.body = kept + [placed(each, node) for each in head] + body


class _Plain(ast.NodeTransformer):
    """Drop the annotations of local names, which Python does not evaluate, and declarations, which go to the top."""

    def block(self, body: list[ast.stmt]) -> list[ast.stmt]:
        return [self.visit(each) for each in body]

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.stmt:
        if node.value is None:
            return ast.copy_location(ast.Pass(), node)
        return ast.copy_location(ast.Assign([node.target], node.value), node)

    def visit_Global(self, node: ast.Global) -> ast.stmt:
        return ast.copy_location(ast.Pass(), node)

    def visit_Nonlocal(self, node: ast.Nonlocal) -> ast.stmt:
        return ast.copy_location(ast.Pass(), node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.stmt:
        return node

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.stmt:
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.stmt:
        return node


class _Statements(Expressions):
    """Rewrites the statements of one function, whose jumps are lowered and whose live names are noted."""

    def __init__(
        self,
        first_argument: str | None,
        in_globals: dict[str, None],
        class_name: str | None,
        own_names: Iterable[str] = (),
    ) -> None:
        """`own_names` are those that belong to the function alone."""
        super().__init__(first_argument, class_name)
        self.names: dict[str, None] = {}
        """The names that branches and loops bind."""
        self._in_globals = in_globals
        self._own_names = frozenset(own_names)
        self._count = 0

    def block(self, body: list[ast.stmt]) -> list[ast.stmt]:
        out: list[ast.stmt] = []
        for each in body:
            made = self.visit(each)
            out += made if isinstance(made, list) else [made]
        return out

    def visit_If(self, node: ast.If) -> ast.stmt | list[ast.stmt]:
        if is_python_bool(node.test):
            return self._visited(node)
        names, live = self._names(node, [*node.body, *node.orelse])
        number = self._number()
        body = self._branch(f"{PREFIX}if_{number}", [], node.body, names)
        functions = [body]
        other: ast.expr = ast.Constant(None)
        if node.orelse:
            functions.append(self._branch(f"{PREFIX}else_{number}", [], node.orelse, names))
            other = load(functions[-1].name)
        args = [
            self.visit(node.test),
            load(body.name),
            other,
            self._texts(names),
            self._texts(live),
            self._texts(self._changeable(node, [*node.body, *node.orelse])),
        ]
        return self._with_call(node.test, functions, "if_", args)

    def visit_While(self, node: ast.While) -> list[ast.stmt]:
        names, live = self._names(node, [node.test, *node.body])
        described = self._described(node, names, live, [node.test, *node.body])
        number = self._number()
        test = self._branch(f"{PREFIX}test_{number}", [], [ast.Return(node.test)], names)
        body = self._branch(f"{PREFIX}while_{number}", [], node.body, names)
        args = [load(test.name), load(body.name), *described]
        return self._with_call(node.test, [test, body], "while_", args)

    def visit_For(self, node: ast.For) -> list[ast.stmt]:
        names, live = self._names(node, [node.target, *node.body])
        described = self._described(node, names, live, node.body)
        number = self._number()
        item = f"{PREFIX}item_{number}"
        assigned = placed(ast.Assign([node.target], load(item)), node.target)
        body = self._branch(f"{PREFIX}for_{number}", [item], [assigned, *node.body], names)
        extra = getattr(node, EXTRA_TEST, None)
        test = ast.Constant(None) if extra is None else lazy(self.visit(extra))
        args = [self.visit(node.iter), test, load(body.name), *described]
        return self._with_call(node.iter, [body], "for_", args)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.ExceptHandler:
        node = self._visited(node)
        if not isinstance(node.body[-1], ast.Raise):
            call = operator(node.type or node.body[0], "caught")
            node.body.insert(0, placed(ast.Expr(call), node.body[0]))
        return node

    def visit_Assert(self, node: ast.Assert) -> ast.stmt:
        if is_python_bool(node.test):
            return self._visited(node)
        node = self._visited(node)
        text = ast.Constant(None) if node.msg is None else lazy(node.msg)
        call = placed(ast.Expr(operator(node.test, "assert_", node.test, text)), node)
        # Python leaves assertions out under -O.
        return placed(ast.If(ast.Name("__debug__", ast.Load()), [call], []), node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.stmt:
        return _nested(node, self._class_name)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.stmt:
        return node

    def visit_Lambda(self, node: ast.Lambda) -> ast.expr:
        return _nested(node, self._class_name)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.stmt:
        for each in node.body:
            if isinstance(each, ast.ClassDef):
                self.visit(each)
        node.body = [
            _nested(each, node.name) if isinstance(each, ast.FunctionDef) else each
            for each in node.body
        ]
        return node

    def _names(self, node: ast.stmt, parts: list[ast.AST]) -> tuple[list[Name], list[Name]]:
        """Return the names that a statement binds, and those of them that outlive it."""
        names = list(bound(parts))
        self.names |= dict.fromkeys(names)
        live = [each for each in names if each in getattr(node, LIVE)]
        inside = [path for path in bound_parts(parts) if path[0] not in names]
        return [*names, *inside], [*live, *inside]

    def _described(
        self, node: ast.stmt, names: list[Name], live: list[Name], parts: Sequence[ast.AST]
    ) -> list[ast.expr]:
        """Return the names of a loop: those it binds, that outlive a turn, that a turn reads first, that are read behind it.

        Last come those whose values a turn may change.
        """
        first = [each for each in live if not isinstance(each, str) or each in getattr(node, READ)]
        after = [each for each in live if not isinstance(each, str) or each in getattr(node, AFTER)]
        changeable = self._changeable(node, parts)
        return [self._texts(each) for each in (names, live, first, after, changeable)]

    def _changeable(self, node: ast.stmt, parts: Sequence[ast.AST]) -> list[Name]:
        """Return the names of the function's own that a statement reads and that outlive it: it may change a list in one."""
        return sorted(read(parts) & getattr(node, LIVE) & self._own_names)

    def _texts(self, names: list[Name]) -> ast.expr:
        return _texts(names, self._class_name)

    def _number(self) -> int:
        self._count += 1
        return self._count

    def _branch(
        self, name: str, parameters: list[str], body: list[ast.stmt], names: list[Name]
    ) -> ast.FunctionDef:
        variables = [each for each in names if isinstance(each, str)]
        in_globals = [each for each in variables if each in self._in_globals]
        others = [each for each in variables if each not in self._in_globals]
        head = _declarations(in_globals, ast.Global) + _declarations(others, ast.Nonlocal)
        return definition(name, parameters, head + self.block(body))

    def _with_call(
        self, asked: ast.expr, functions: list[ast.FunctionDef], name: str, args: list[ast.expr]
    ) -> list[ast.stmt]:
        """Return the functions and the call of their operator, `asked` being the place that errors point at."""
        call = ast.Expr(operator(asked, name, *args))
        return [placed(each, asked) for each in (*functions, call)]


def _nested(node: D, class_name: str | None) -> D:
    """Return a nested function rewritten, or as it is."""
    made = copy.deepcopy(node)
    try:
        rewrite(made, class_name)
    except CannotRewrite:
        return node
    return made


def _docstring(node: ast.FunctionDef) -> list[ast.stmt]:
    match node.body[0]:
        case ast.Expr(ast.Constant(str())):
            return node.body[:1]
        case _:
            return []


def _first_argument(node: Definition) -> str | None:
    arguments = [*node.args.posonlyargs, *node.args.args]
    return arguments[0].arg if arguments else None


def _declares(name: str) -> ast.stmt:
    """Return `name: 0`, which makes a name local and does nothing else."""
    return ast.AnnAssign(ast.Name(name, ast.Store()), ast.Constant(0), None, 1)


def _declarations(names: list[str], kind: type[ast.Global] | type[ast.Nonlocal]) -> list[ast.stmt]:
    return [kind(names)] if names else []


def _texts(names: list[Name], class_name: str | None) -> ast.expr:
    value: Any = tuple(_mangled(name, class_name) for name in names)
    return ast.Constant(value)


def _mangled(name: Any, class_name: str | None) -> Any:
    """Return a name with the class in it that Python puts into private ones, of attributes too."""
    if isinstance(name, tuple):
        path = cast("tuple[Any, ...]", name)
        return tuple(_mangled(each, class_name) if isinstance(each, str) else each for each in path)
    if class_name is None or name.endswith("__"):
        return name
    dot, bare = ("." if name.startswith(".") else ""), name.removeprefix(".")
    return f"{dot}_{class_name.lstrip('_')}{bare}" if bare.startswith("__") else name

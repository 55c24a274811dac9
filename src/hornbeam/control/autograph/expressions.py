"""Rewrite the expressions of a function whose meaning hangs on a truth value, and its calls.

`a and b` becomes `ag__.and_(a, lambda: b)`; `or`, `not`, `x if c else y`, `a < b < c` likewise; `f(x)` becomes
`ag__.call(f)(x)`, which converts the function that is called. What is certainly a Python bool stays as it is, and so do
operands that assign with `:=`, for a lambda would keep the name to itself.
"""

from __future__ import annotations

import ast
from typing import Any, TypeVar

from hornbeam.control.autograph.names import own

N = TypeVar("N", bound=ast.AST)

OPERATORS = "ag__"
"""The name under which rewritten functions know the operators."""

_PYTHON_BOOLS = {"isinstance", "issubclass", "hasattr", "callable"}


class Expressions(ast.NodeTransformer):
    """Rewrites expressions in place; statements and nested functions are for the classes that derive from it."""

    def __init__(self, first_argument: str | None, class_name: str | None) -> None:
        """`first_argument` is what `super()` without arguments takes, `class_name` the class around the function."""
        self._first_argument = first_argument
        self._class_name = class_name

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.expr:
        if any(map(_assigns, node.values[1:])) or all(map(is_python_bool, node.values[:-1])):
            return self._visited(node)
        name = "and_" if isinstance(node.op, ast.And) else "or_"
        first, *others = (self.visit(value) for value in node.values)
        return operator(node, name, first, *map(lazy, others))

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        if not isinstance(node.op, ast.Not) or is_python_bool(node.operand):
            return self._visited(node)
        return operator(node, "not_", self.visit(node.operand))

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        if is_python_bool(node.test) or _assigns(node.body) or _assigns(node.orelse):
            return self._visited(node)
        test, body, orelse = map(self.visit, (node.test, node.body, node.orelse))
        return operator(node, "if_exp", test, lazy(body), lazy(orelse))

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        if len(node.ops) == 1 or any(map(_assigns, node.comparators)):
            return self._visited(node)
        left, *others = (self.visit(each) for each in (node.left, *node.comparators))
        parts: list[ast.expr] = []
        for comparison, right in zip(node.ops, others, strict=True):
            pair = ast.Compare(load("ag__a"), [comparison], [load("ag__b")])
            parts += [_function(["ag__a", "ag__b"], pair), lazy(right)]
        return operator(node, "chain", left, *parts)

    def visit_Call(self, node: ast.Call) -> ast.expr:
        if is_python_bool(node):
            return self._visited(node)
        if isinstance(node.func, ast.Name) and node.func.id == "super":
            if not node.args and self._first_argument is not None:
                # Python finds the class and the object by the frame: here that may be a branch's.
                node.args = [load("__class__"), load(self._first_argument)]
            return self._visited(node)
        node = self._visited(node)
        node.func = operator(node.func, "call", node.func)
        return node

    def _visited(self, node: ast.AST) -> Any:
        return self.generic_visit(node)


def operator(place: ast.expr | ast.stmt, name: str, *args: ast.expr) -> ast.expr:
    """Return the call `ag__.name(*args)` at the place of another node."""
    call = placed(ast.Call(attribute(name), list(args), []), place)
    # Python reports a call of a method at the end of its name, which has to be the line where the statement begins.
    call.end_lineno, call.end_col_offset = call.lineno, call.col_offset
    if place.end_lineno == place.lineno:
        call.end_col_offset = place.end_col_offset
    return call


def attribute(name: str) -> ast.expr:
    """Return `ag__.name`."""
    return ast.Attribute(load(OPERATORS), name, ast.Load())


def placed(node: N, place: ast.AST) -> N:
    """Return `node` at the position of `place`; `ast.fix_missing_locations` hands it on to the new nodes inside."""
    return ast.copy_location(node, place)


def is_python_bool(node: ast.expr) -> bool:
    """Return whether the value is certainly one that Python's own `if` and `not` can look at."""
    if isinstance(node, ast.Compare):
        return all(isinstance(each, (ast.Is, ast.IsNot)) for each in node.ops)
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id in _PYTHON_BOOLS
    if isinstance(node, ast.BoolOp):
        return all(map(is_python_bool, node.values))
    if isinstance(node, ast.UnaryOp):
        return isinstance(node.op, ast.Not) and is_python_bool(node.operand)
    return isinstance(node, ast.Constant)


def _assigns(node: ast.expr) -> bool:
    return any(isinstance(each, ast.NamedExpr) for each in own([node]))


def lazy(node: ast.expr) -> ast.expr:
    """Return `lambda: node`."""
    return _function([], node)


def _function(names: list[str], body: ast.expr) -> ast.expr:
    return placed(ast.Lambda(arguments(names), body), body)


def arguments(names: list[str]) -> ast.arguments:
    """Return the parameters of a function that takes `names` by position."""
    return ast.arguments([], [ast.arg(name) for name in names], None, [], [], None, [])


def definition(name: str, names: list[str], body: list[ast.stmt]) -> ast.FunctionDef:
    """Return the definition of a function that takes `names` by position."""
    made = ast.FunctionDef(name, arguments(names), body, [])
    setattr(made, "type_params", [])  # noqa: B010 - from Python 3.12 on
    return made


def load(name: str) -> ast.Name:
    """Return the expression that reads a name."""
    return ast.Name(name, ast.Load())

"""Which names a piece of a function's syntax tree binds and reads.

What nested functions and classes do inside is theirs: only their own name, their defaults, decorators and bases belong
to the function around them.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def own(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """Yield all nodes that run in the same scope, in order; bodies of nested functions and classes are left out."""
    for node in nodes:
        yield node
        yield from own(_parts(node))


def _parts(node: ast.AST) -> Iterable[ast.AST]:
    """Return the children that run in the scope of `node` itself."""
    if isinstance(node, ast.Lambda):
        return [node.args]
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return [*node.decorator_list, node.args, *([node.returns] if node.returns else [])]
    if isinstance(node, ast.ClassDef):
        return [*node.decorator_list, *node.bases, *node.keywords]
    return ast.iter_child_nodes(node)


def bound(nodes: Iterable[ast.AST]) -> dict[str, None]:
    """Return the names that `nodes` bind in their scope, in the order of their first binding."""
    found: dict[str, None] = {}
    _bind(nodes, found, in_comprehension=False)
    return found


def _bind(nodes: Iterable[ast.AST], found: dict[str, None], in_comprehension: bool) -> None:
    for node in nodes:
        inside = in_comprehension or isinstance(node, COMPREHENSIONS)
        if isinstance(node, ast.NamedExpr):
            found[node.target.id] = (
                None  # binds in the function, even from inside of a comprehension
            )
            _bind([node.value], found, inside)
            continue
        if not in_comprehension:
            for name in _binds_itself(node):
                found[name] = None
        _bind(_parts(node), found, inside)


def _binds_itself(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Name):
        return [node.id] if isinstance(node.ctx, (ast.Store, ast.Del)) else []
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return [node.name]
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return [each.asname or each.name.split(".")[0] for each in node.names]
    if isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)):
        return [node.name] if node.name else []
    if isinstance(node, ast.MatchMapping):
        return [node.rest] if node.rest else []
    return []


def bound_parts(nodes: Iterable[ast.AST]) -> dict[tuple[object, ...], None]:
    """Return the attributes and items that are assigned, as `places` names them: those that a constant path leads to."""
    found: dict[tuple[object, ...], None] = {}
    for node in own(nodes):
        if isinstance(node, (ast.Attribute, ast.Subscript)) and isinstance(node.ctx, ast.Store):
            path = _path(node)
            if path is not None:
                found[path] = None
    return found


def _path(node: ast.expr) -> tuple[object, ...] | None:
    match node:
        case ast.Name(name):
            return (name,)
        case ast.Attribute(value, attribute):
            step: object = "." + attribute
        case ast.Subscript(value, ast.Constant(str() | int() as key)):
            step = (key,)
        case _:
            return None
    before = _path(value)
    return None if before is None else (*before, step)


def read(nodes: Iterable[ast.AST]) -> set[str]:
    """Return the names that are read, nested functions included."""
    return {
        each.id
        for node in nodes
        for each in ast.walk(node)
        if isinstance(each, ast.Name) and not isinstance(each.ctx, ast.Store)
    }


def read_by_closures(body: Iterable[ast.AST]) -> set[str]:
    """Return the names that functions and classes in `body` mention: they may be read at any time."""
    nested = (n for n in own(body) if isinstance(n, (*FUNCTIONS, ast.ClassDef, ast.GeneratorExp)))
    return {name for node in nested for part in ast.walk(node) for name in _mentioned(part)}


def _mentioned(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Name):
        return [node.id]
    return node.names if isinstance(node, (ast.Nonlocal, ast.Global)) else []


def declared(body: Iterable[ast.AST]) -> tuple[dict[str, None], dict[str, None]]:
    """Return the names that the function declares as `global`, and those it declares as `nonlocal`."""
    every = list(own(body))
    in_globals = [name for each in every if isinstance(each, ast.Global) for name in each.names]
    in_others = [name for each in every if isinstance(each, ast.Nonlocal) for name in each.names]
    return dict.fromkeys(in_globals), dict.fromkeys(in_others)

"""Find the syntax tree of a function: its file is parsed once, so that lines and columns are those of the file."""

from __future__ import annotations

import ast
import inspect
import linecache
import types
from collections.abc import Iterator
from typing import Any

Definition = ast.FunctionDef | ast.Lambda

_FILES = 16
_COROUTINE = inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR
_trees: dict[str, tuple[list[str], ast.Module]] = {}


class CannotRewrite(Exception):
    """Something in a function that has to run as it is."""


class CannotRead(CannotRewrite):
    """The source of a function is not there, or it is not certain which part of it is the function's."""


def find(code: types.CodeType) -> tuple[Definition, str | None]:
    """Return the syntax tree of the function that `code` was compiled from, and the class around it.

    The tree is shared: copy it before changing it. Raises CannotRewrite where it is not there, or not certain.
    """
    if code.co_flags & _COROUTINE:
        raise CannotRewrite("generators and coroutines run as they are")
    tree = _tree(code.co_filename)
    if tree is None:
        raise CannotRead(f"the source of {code.co_filename!r} can't be read")
    candidates = [(node, name) for node, name in _definitions(tree, None) if _matches(node, code)]
    if code.co_name == "<lambda>" and len(candidates) > 1:
        candidates = [each for each in candidates if _holds(each[0], code)]
        # Of lambdas in each other the inner one: not all of the outer one stands inside of it.
        candidates = [
            each for each in candidates if not any(_is_in(o, each[0]) for o, _ in candidates)
        ]
    if len(candidates) != 1:
        raise CannotRead(
            f"{len(candidates)} functions in {code.co_filename!r} at line {code.co_firstlineno} fit {code.co_name!r}"
        )
    return candidates[0]


def _tree(filename: str) -> ast.Module | None:
    linecache.checkcache(filename)
    lines = linecache.getlines(filename)
    if not lines:
        return None
    kept = _trees.get(filename)
    if kept is not None and kept[0] is lines:
        return kept[1]
    try:
        tree = ast.parse("".join(lines), filename)
    except (SyntaxError, ValueError, RecursionError):
        return None
    while len(_trees) >= _FILES:
        _trees.pop(next(iter(_trees)))
    _trees[filename] = lines, tree
    return tree


def _definitions(node: ast.AST, class_name: str | None) -> Iterator[tuple[Definition, str | None]]:
    for each in ast.iter_child_nodes(node):
        if isinstance(each, (ast.FunctionDef, ast.Lambda)):
            yield each, class_name
        yield from _definitions(each, each.name if isinstance(each, ast.ClassDef) else class_name)


def _matches(node: Definition, code: types.CodeType) -> bool:
    if isinstance(node, ast.Lambda):
        name, line = "<lambda>", node.lineno
    else:
        name, line = node.name, min(each.lineno for each in (node, *node.decorator_list))
    if name != code.co_name or line != code.co_firstlineno:
        return False
    arguments = node.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    rest = [each for each in (arguments.vararg, arguments.kwarg) if each is not None]
    flags = bool(code.co_flags & inspect.CO_VARARGS) + bool(code.co_flags & inspect.CO_VARKEYWORDS)
    if (len(every), len(rest)) != (code.co_argcount + code.co_kwonlyargcount, flags):
        return False
    # Private names are mangled in the code: only their ends are compared.
    return all(
        known.endswith(each.arg)
        for each, known in zip([*every, *rest], code.co_varnames, strict=False)
    )


def _is_in(inner: Definition, outer: Definition) -> bool:
    return inner is not outer and any(each is inner for each in ast.walk(outer))


def _holds(node: Definition, code: types.CodeType) -> bool:
    """Return whether all instructions of `code` stand inside of a lambda: others on its line may look the same."""
    body: Any = node.body
    begin, end = (body.lineno, body.col_offset), (body.end_lineno, body.end_col_offset)
    return all(
        column is None
        or end_column == 0
        or begin <= (line, column) <= (end_line, end_column) <= end
        for line, end_line, column, end_column in code.co_positions()
    )

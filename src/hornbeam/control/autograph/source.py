"""Convert a function: find its source, rewrite it, compile it under its own file and lines.

Only source text, syntax trees and code objects are handled here; what the rewritten code does is decided by the
operators that it is given. A conversion is kept by code object, so functions that are made again and again from the same
`def` are rewritten once; closure cells, defaults and globals stay those of the function at hand.
"""

from __future__ import annotations
import __future__

import ast
import copy
import functools
import operator
import threading
import types
import weakref

from hornbeam.control.autograph.expressions import OPERATORS, definition
from hornbeam.control.autograph.finding import CannotRewrite, Definition, find
from hornbeam.control.autograph.rewriting import rewrite

_FUTURES = functools.reduce(
    operator.or_, (getattr(__future__, name).compiler_flag for name in __future__.all_feature_names)
)
# Code objects compare by content, and equal ones may come of different files: kept by identity.
_kept: dict[int, tuple[weakref.ref[types.CodeType], types.CodeType | CannotRewrite]] = {}
_lock = threading.RLock()


def convert(fn: types.FunctionType, operators: object) -> types.FunctionType:
    """Return `fn` rewritten, its control flow done by `operators`.

    Raises CannotRewrite for a function whose source can't be found, or that has to run as it is.
    """
    code = fn.__code__
    if OPERATORS in code.co_freevars:
        return fn  # it came out of the rewriting of the function around it
    made = _converted(code)
    cells = dict(zip(code.co_freevars, fn.__closure__ or (), strict=True))
    cells[OPERATORS] = types.CellType(operators)
    closure = tuple(cells[name] for name in made.co_freevars)
    new = types.FunctionType(made, fn.__globals__, fn.__name__, fn.__defaults__, closure)
    new.__kwdefaults__ = fn.__kwdefaults__
    new.__qualname__ = fn.__qualname__
    new.__module__ = fn.__module__
    new.__doc__ = fn.__doc__
    return new


def to_source(fn: types.FunctionType) -> str:
    """Return the rewritten source of `fn`. Raises CannotRewrite as `convert` does."""
    return ast.unparse(_rewritten(fn.__code__)[0])


def check(code: types.CodeType) -> None:
    """Raise what `convert` raises for functions of `code`, if it does."""
    _converted(code)


def is_made(code: types.CodeType) -> bool:
    """Return whether a conversion made `code`, or the function around it."""
    with _lock:
        made = [each for _, each in _kept.values()]
    while made:
        each = made.pop()
        if each is code:
            return True
        if isinstance(each, types.CodeType):
            made += [part for part in each.co_consts if isinstance(part, types.CodeType)]
    return False


def _converted(code: types.CodeType) -> types.CodeType:
    with _lock:
        found = _kept.get(id(code))
        if found is None or found[0]() is not code:
            number = id(code)
            # The table is an argument: at the end of Python the module has none any more.
            forget = lambda _, kept=_kept: kept.pop(number, None)  # noqa: E731
            found = weakref.ref(code, forget), _compile(code)
            _kept[number] = found
    if isinstance(found[1], CannotRewrite):
        raise type(found[1])(*found[1].args)
    return found[1]


def _compile(code: types.CodeType) -> types.CodeType | CannotRewrite:
    try:
        node, class_name = _rewritten(code)
        module = _in_factory(node, class_name, code)
        flags = code.co_flags & _FUTURES
        made = compile(module, code.co_filename, "exec", flags, dont_inherit=True)
        for _ in range(2 if class_name is None else 3):  # the factory, the class, the function
            made = next(each for each in made.co_consts if isinstance(each, types.CodeType))
    except CannotRewrite as error:
        return error
    except (SyntaxError, RecursionError, StopIteration) as error:
        return CannotRewrite(f"the rewritten code can't be compiled: {error}")
    missing = set(made.co_freevars) - {OPERATORS, *code.co_freevars}
    if missing:
        return CannotRewrite(f"the names {sorted(missing)} are not in its closure")
    return _named(made, code)


def _rewritten(code: types.CodeType) -> tuple[Definition, str | None]:
    """Return the tree of a function, rewritten, and the class in which it stands."""
    node, class_name = find(code)
    node = copy.deepcopy(node)
    if isinstance(node, ast.FunctionDef):
        node.decorator_list, node.returns = [], None
        setattr(node, "type_params", [])  # noqa: B010 - from Python 3.12 on
    rewrite(node, class_name)
    return ast.fix_missing_locations(node), class_name


def _in_factory(node: Definition, class_name: str | None, code: types.CodeType) -> ast.Module:
    """Return a module in which the function stands in a function that has its free names as parameters."""
    arguments = copy.copy(node.args)
    # The code object is all that is wanted: the values of defaults and annotations are not part of it.
    arguments.defaults = []
    arguments.kw_defaults = [None] * len(arguments.kwonlyargs)
    for each in ast.walk(arguments):
        if isinstance(each, ast.arg):
            each.annotation = None
    node.args = arguments
    statement: ast.stmt = node if isinstance(node, ast.FunctionDef) else ast.Expr(node)
    own_name = node.name if isinstance(node, ast.FunctionDef) else None
    if class_name is not None:  # private names are those of the class
        own_name, statement = class_name, ast.ClassDef(class_name, [], [], [statement], [])
        setattr(statement, "type_params", [])  # noqa: B010 - from Python 3.12 on
    body: list[ast.stmt] = [statement]
    if own_name is not None and own_name not in code.co_freevars:
        body.insert(0, ast.Global([own_name]))  # in itself the function is what the module calls so
    factory = definition(OPERATORS, [OPERATORS, *code.co_freevars], body)
    ast.copy_location(statement, node)
    ast.copy_location(factory, node)
    return ast.fix_missing_locations(ast.Module([factory], []))


def _named(made: types.CodeType, code: types.CodeType) -> types.CodeType:
    """Return the code with the names that the original has, in it and in all inside of it.

    Functions that the rewriting made are called as the one around them: that is what a traceback should say.
    """
    return _renamed(made, made.co_qualname, code.co_qualname, code.co_name)


def _renamed(made: types.CodeType, old: str, new: str, owner: str) -> types.CodeType:
    qualname = new + made.co_qualname.removeprefix(old)
    parts = qualname.split(".")
    kept = [
        part
        for i, part in enumerate(parts)
        if not part.startswith(OPERATORS)
        and not (part == "<locals>" and parts[i - 1].startswith(OPERATORS))
    ]
    own_name = made.co_name
    if own_name.startswith(OPERATORS):
        own_name = owner
        kept = kept[:-1] if kept and kept[-1] == "<locals>" else kept
    consts = tuple(
        _renamed(each, old, new, own_name)
        if isinstance(each, types.CodeType)
        else ".".join(kept)
        if each == made.co_qualname and "." in made.co_qualname
        else each
        for each in made.co_consts
    )
    return made.replace(co_name=own_name, co_qualname=".".join(kept), co_consts=consts)

"""Which functions are converted when rewritten code calls them: the user's own, never those of the libraries below."""

from __future__ import annotations

import functools
import logging
import sysconfig
import types
from collections.abc import Callable
from typing import Any

from hornbeam.control.autograph.finding import CannotRewrite
from hornbeam.control.autograph.source import convert

logger = logging.getLogger("hornbeam.autograph")

NOT_CONVERTED = "_hornbeam_runs_as_it_is"
"""The attribute of a function that `do_not_convert` made."""

# Top-level packages whose functions run as they are: their branches are Python's own.
LIBRARIES = frozenset(
    {
        "absl",
        "attr",
        "hornbeam",
        "h5py",
        "jax",
        "jaxlib",
        "keras",
        "matplotlib",
        "ml_dtypes",
        "numpy",
        "pandas",
    }
    | {
        "IPython",
        "PIL",
        "pytest",
        "_pytest",
        "pluggy",
        "scipy",
        "skimage",
        "sklearn",
        "tensorflow",
        "torch",
        "tqdm",
    }
)
_STANDARD = tuple(
    path + "/"
    for path in {sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")}
    if path is not None
)
_PACKAGES = tuple(
    path + "/"
    for path in {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    if path is not None
)


def converted(fn: Any, operators: object) -> Any:
    """Return `fn` converted, or itself where it is not the user's, or can't be rewritten."""
    kind = type(fn)
    if kind is types.FunctionType:
        return _function(fn, operators)
    if kind is types.MethodType:
        inner = fn.__func__
        made = _function(inner, operators) if type(inner) is types.FunctionType else inner
        return fn if made is inner else types.MethodType(made, fn.__self__)
    if kind is functools.partial:
        made = converted(fn.func, operators)
        return fn if made is fn.func else functools.partial(made, *fn.args, **fn.keywords)
    if kind is types.BuiltinFunctionType or isinstance(fn, type):
        return fn
    method: object = getattr(kind, "__call__", None)  # noqa: B004 - of the class, and possibly the user's
    if type(method) is types.FunctionType:
        made = _function(method, operators)
        return fn if made is method else types.MethodType(made, fn)
    return fn


def _function(fn: types.FunctionType, operators: object) -> Callable[..., Any]:
    if not is_users(fn):
        return fn
    try:
        return convert(fn, operators)
    except CannotRewrite as error:
        logger.debug("%r runs as it is: %s", fn, error)
        return fn


def is_users(fn: types.FunctionType) -> bool:
    """Return whether a function is the user's, and not marked to run as it is."""
    if NOT_CONVERTED in fn.__dict__:
        return False
    return is_users_code(fn.__code__, fn.__globals__)


def is_users_code(code: types.CodeType, variables: dict[str, Any]) -> bool:
    """Return whether code that sees `variables` as its globals is of the user."""
    module = variables.get("__name__")
    if isinstance(module, str) and module.partition(".")[0] in LIBRARIES:
        return False
    return not _is_standard(code.co_filename)


@functools.lru_cache(maxsize=4096)
def _is_standard(filename: str) -> bool:
    if filename.startswith("<frozen "):
        return True
    return filename.startswith(_STANDARD) and not filename.startswith(_PACKAGES)

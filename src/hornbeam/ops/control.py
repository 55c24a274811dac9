"""Control flow inside compiled programs, and functions of functions.

The functions that are taken (bodies, branches) are written for tensors; their results may be tensors too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import jax
from jax import lax

from hornbeam.core import jax_typed as typed
from hornbeam.core import recording, tensor
from hornbeam.core.op import is_box, op, wrap
from hornbeam.core.ordered import sealed, tree_map
from hornbeam.core.scope import StateScope
from hornbeam.core.typing import TensorLike
from hornbeam.kernels import native
from hornbeam.ops.common import array, inexact

__all__ = [
    "associative_scan",
    "cond",
    "custom_gradient",
    "fori_loop",
    "jvp",
    "map",
    "scan",
    "switch",
    "vectorize",
    "vectorized_map",
    "while_loop",
]


def raw(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Return `fn`, which is written for tensors, as a function of raw values that JAX can trace.

    Raises RuntimeError where `fn` assigns a variable: the value would not leave the traced body.
    """

    def run(*args: Any) -> Any:
        with StateScope() as scope:
            outputs = fn(*wrap(args))
            recording.used(outputs, is_box)
        if scope.updates:
            names = ", ".join(repr(variable.path) for variable, _ in scope.updates)
            raise RuntimeError(
                f"The body of a loop or branch assigned the variables {names}. Carry the values "
                "through the loop and assign them after it. (Random ops in a body: pass them an "
                "int seed, or draw before the loop.)"
            )
        return tree_map(tensor.unwrap, outputs, is_leaf=is_box)

    return run


def inside(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Return `raw(fn)` for JAX to call: what it puts together again has the dicts that `fn` returned."""
    run = raw(fn)
    return lambda *args: sealed(run(*args), exact=False)


def _arrays(tree: Any) -> Any:
    """Return a structure of arrays for JAX to pass to a function from `inside`."""
    return sealed(tree_map(array, tree), exact=False)


@op
def cond(pred: TensorLike, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
    """Return true_fn() or false_fn(); both must return the same shapes and types.

    >>> from hornbeam.keras import ops
    >>> print(int(ops.cond(ops.convert_to_tensor(3) > 2, lambda: 1, lambda: 0)))
    1
    """
    return typed.cond(array(pred), inside(true_fn), inside(false_fn))


@op
def switch(index: TensorLike, branches: Sequence[Callable[..., Any]], *operands: Any) -> Any:
    """Return branches[index](*operands); an index out of range takes the first or last branch."""
    return typed.switch(array(index), [inside(each) for each in branches], *operands)


@op
def while_loop(
    cond: Callable[..., Any],
    body: Callable[..., Any],
    loop_vars: Any,
    maximum_iterations: int | None = None,
) -> Any:
    """Replace `loop_vars` by body(*loop_vars) as long as cond(*loop_vars) is true.

    `loop_vars` is a tuple or list, or one value that stands alone. Shapes and types must not change.

    >>> from hornbeam.keras import ops
    >>> print(int(ops.while_loop(lambda i: i < 10, lambda i: i * 3, 1)))
    27
    """
    start = _as_tuple(loop_vars)
    test, step = raw(cond), raw(body)

    def go_on(state: Any) -> Any:
        count, values = state
        more = array(test(*values))
        return more if maximum_iterations is None else more & (count < maximum_iterations)

    def advance(state: Any) -> Any:
        count, values = state
        # A Python number that the body returns takes the type that the loop began with.
        changed = tree_map(_in_type_of, values, _as_tuple(step(*values)))
        return count + 1, sealed(changed, exact=False)

    start = _arrays(start)
    _, values = lax.while_loop(go_on, advance, (0, start))
    if not isinstance(loop_vars, (tuple, list)):
        return values[0]
    return list(values) if type(cast("object", loop_vars)) is list else values


def _as_tuple(values: Any) -> tuple[Any, ...]:
    """Return the values of a loop as a tuple; one value may stand alone."""
    if isinstance(values, (tuple, list)):
        return tuple(cast("Sequence[Any]", values))
    return (values,)


def _in_type_of(old: jax.Array, new: TensorLike) -> jax.Array:
    return array(new, old.dtype)


@op
def fori_loop(lower: Any, upper: Any, body_fun: Callable[..., Any], init_val: Any) -> Any:
    """Compute value = body_fun(i, value) for i from lower to upper - 1, starting with init_val.

    >>> from hornbeam.keras import ops
    >>> print(int(ops.fori_loop(0, 4, lambda i, total: total + i, 0)))
    6
    """
    return typed.fori_loop(lower, upper, inside(body_fun), sealed(init_val, exact=False))


@op
def scan(
    f: Callable[..., Any],
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: int | bool = 1,
) -> Any:
    """Compute carry, y = f(carry, x) for each x along the first axis; return the last carry and all y, stacked.

    >>> from hornbeam.keras import ops
    >>> last, all = ops.scan(lambda total, x: (total + x, total + x), 0, ops.arange(1, 5))
    >>> print(int(last), all.numpy())
    10 [ 1  3  6 10]
    """
    return lax.scan(
        inside(f), _arrays(init), _arrays(xs), length=length, reverse=reverse, unroll=unroll
    )


@op
def associative_scan(
    f: Callable[..., Any], elems: Any, reverse: bool = False, axis: int = 0
) -> Any:
    """Return x1, f(x1, x2), f(f(x1, x2), x3), ... for an associative f, in log2(n) parallel steps.

    >>> from hornbeam.keras import ops
    >>> print(ops.associative_scan(lambda a, b: a * b, ops.arange(1, 5)).numpy())
    [ 1  2  6 24]
    """
    return typed.associative_scan(inside(f), _arrays(elems), reverse, axis)


@op
def map(f: Callable[..., Any], xs: Any) -> Any:
    """Return f(x) for each x along the first axis, one after the other, stacked.

    >>> from hornbeam.keras import ops
    >>> print(ops.map(lambda x: x * x, ops.arange(4)).numpy())
    [0 1 4 9]
    """
    return typed.map_first_axis(inside(f), _arrays(xs))


@op
def vectorized_map(function: Callable[..., Any], elements: Any) -> Any:
    """Return function(x) for each x along the first axis, all at once."""
    return jax.vmap(inside(function))(_arrays(elements))


@op
def vectorize_call(
    pyfunc: Callable[..., Any], excluded: Any, signature: str | None, args: Any
) -> Any:
    """Call what `vectorize` makes."""
    made = typed.vectorize(inside(pyfunc), excluded=excluded or (), signature=signature)
    return made(*_arrays(args))


def vectorize(
    pyfunc: Callable[..., Any], *, excluded: Any = None, signature: str | None = None
) -> Callable[..., Any]:
    """Make a function that applies `pyfunc` to every element, its arguments broadcast against each other.

    >>> from hornbeam.keras import ops
    >>> larger = ops.vectorize(lambda a, b: ops.maximum(a, b))
    >>> print(larger([1, 5], 3).numpy())
    [3 5]
    """
    return lambda *args: vectorize_call(pyfunc, excluded, signature, args)


@op
def custom_gradient_call(f: Callable[..., Any], args: Any) -> Any:
    """Call what `custom_gradient` makes."""

    def run(*raw: Any) -> Any:
        outputs, gradient = f(*wrap(tree_map(array, raw)))
        recording.used(outputs, is_box)
        outputs = tree_map(tensor.unwrap, outputs, is_leaf=is_box)
        return sealed(outputs, exact=False), inside(gradient)

    return typed.custom_gradient(run)(*_arrays(args))


def custom_gradient(f: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function with the gradient that `f` returns, instead of the gradient of its operations.

    f(*args) returns `(outputs, gradient)`; gradient(upstream) takes the gradient with regard to the
    outputs and returns the one with regard to the arguments.

    >>> from hornbeam.keras import ops
    >>> @ops.custom_gradient
    ... def log1pexp(x):
    ...     e = ops.exp(x)
    ...     return ops.log(1 + e), lambda upstream: upstream * (1 - 1 / (1 + e))
    >>> float(log1pexp(2.0))
    2.126928
    """
    return lambda *args: custom_gradient_call(f, args)


@op
def jvp(
    fun: Callable[..., Any],
    primals: Sequence[TensorLike],
    tangents: Sequence[TensorLike],
    has_aux: bool = False,
) -> Any:
    """Return fun(*primals), and its derivative in the direction of `tangents` (forward mode).

    >>> from hornbeam.keras import ops
    >>> value, slope = ops.jvp(lambda x: x * x, (3.0,), (1.0,))
    >>> print(float(value), float(slope))
    9.0 6.0
    """
    raw = [inexact(x) for x in primals]
    directions = [array(t, x.dtype) for x, t in zip(raw, tangents, strict=True)]
    with native.switched_off():  # their gradients are reverse mode only
        return typed.jvp(inside(fun), raw, directions, has_aux=has_aux)

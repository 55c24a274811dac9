"""The one door to maths.

`@op` turns a pure function over raw JAX values into one that takes tensors, variables, arrays and numbers in any
nesting. On values it computes; with a `KerasTensor` among its arguments it adds a node to the functional graph, the
output's shape found by tracing. Whatever must see every computation (a gradient tape) listens here.
"""

# `_value` is private to the core: reading it here costs no call.
# pyright: reportPrivateUsage=false

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, TypeAlias, TypeVar, cast, overload

import jax

from hornbeam.core import conversions, handover, host, plans, recording, scope, wide
from hornbeam.core.direct import DIRECT
from hornbeam.core.op_errors import explained
from hornbeam.core.ordered import sealed_call, tree_map
from hornbeam.core.plan_keys import is_box, is_raw_array
from hornbeam.core.recording import Call, is_recording, is_watched
from hornbeam.core.scope import StateScope
from hornbeam.core.symbolic import KerasTensor, record
from hornbeam.core.tensor import Tensor, raw_of
from hornbeam.core.variable import Variable
from hornbeam.core.weight import Weight, is_weight

if TYPE_CHECKING:
    from hornbeam.core.plans import Plan
    from hornbeam.core.typing import TreeDef

P = ParamSpec("P")
R = TypeVar("R")


class Op(Protocol[P, R]):
    """A function that `@op` made: it takes what its body takes, and returns tensors for the body's arrays.

    `direct`: see `core.direct`. `planned`: whether calls are compiled and kept, see `core.plans`.

    A call returns symbolic tensors where there is one among its arguments. Which of the two it is, only the caller
    knows; so the type of the result is left open.
    """

    raw: Callable[P, R]
    name: str
    direct: bool
    planned: bool
    __name__: str
    __qualname__: str
    __module__: str

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Any: ...


Prepare: TypeAlias = Callable[
    [tuple[Any, ...], dict[str, Any]], tuple[tuple[Any, ...], dict[str, Any]]
]
"""From the arguments of a call to those that the body is given; see `core.rng.drawing`."""

registry: dict[str, Op[..., Any]] = {}


@overload
def op(fn: Callable[P, R]) -> Op[P, R]: ...


@overload
def op(
    *,
    name: str | None = None,
    planned: bool = True,
    prepare: Callable[[Callable[..., Any]], Prepare] | None = None,
) -> Callable[[Callable[P, R]], Op[P, R]]: ...


def op(
    fn: Callable[P, R] | None = None,
    *,
    name: str | None = None,
    planned: bool = True,
    prepare: Callable[[Callable[..., Any]], Prepare] | None = None,
) -> Any:
    """Make an op of a pure function over raw JAX values.

    The undecorated function stays reachable as `raw`, for use inside other ops. Saved models know the op by its
    `name`, so a name once published never changes: it is the name in `keras.ops`, by default the function's own. Where
    another library function has the same name, it is the path that a user writes: `name="tf.argmax"`. Of an op that is
    more than a function of its arguments, `prepare(fn)` makes what turns them into arguments of a pure function: a seed
    generator into a seed, so that the call can be computed again with the same result.

    An op is not `planned` if its body, instead of raising an error of JAX where values are not known, then does
    something else.

    >>> import jax.numpy as jnp, hornbeam as tf
    >>> from hornbeam.core.op import op
    >>> @op
    ... def double(x):
    ...     return 2 * x
    >>> double(tf.constant(3.0))
    <tf.Tensor: shape=(), dtype=float32, numpy=6.0>
    """
    if fn is None:
        return functools.partial(_make, name=name, planned=planned, prepare=prepare)
    return _make(fn, name, planned, prepare)


def _make(
    fn: Callable[P, R],
    name: str | None,
    planned: bool,
    prepare: Callable[[Callable[..., Any]], Prepare] | None,
) -> Op[P, R]:
    prepared = None if prepare is None else prepare(fn)

    @functools.wraps(fn)
    def call(*given: P.args, **named: P.kwargs) -> Any:
        args, kwargs = (given, named) if prepared is None else prepared(given, named)
        try:
            return _enter(made, args, kwargs)
        except Exception as error:
            if handover.has_met_step(error):  # of another thread
                with handover.no_step():
                    return _enter(made, args, kwargs)
            if isinstance(error, (TypeError, ValueError)):
                tensors = conversions.with_tensors(given, named)
                if tensors is not None:
                    return call(*tensors[0], **tensors[1])
            better = explained(error, made.name, fn, args, kwargs)
            if better is None:
                raise
            raise better from better.__cause__

    made = cast("Op[P, R]", call)
    made.raw = fn
    made.name = name or fn.__name__
    made.direct = made.name in DIRECT
    made.planned = planned
    _register(made)
    return made


def _register(made: Op[..., Any]) -> None:
    name = made.name
    if name.startswith("_"):
        raise ValueError(
            f"The op {name!r} of {made.__module__} needs a public name, for saved models know it by that name: "
            '@op(name="...").'
        )
    known = registry.get(name)
    if known is not None and _place(known) != _place(made):
        raise ValueError(
            f"Two ops have the name {name!r}: {_place(known)} and {_place(made)}. Saved models know an op by its name; "
            'give one of them another: @op(name="...").'
        )
    registry[name] = made


def _place(made: Op[..., Any]) -> str:
    """Return where the op is defined: a notebook cell or a module that runs again replaces its own ops."""
    return f"{made.__module__}.{made.__qualname__}"


def _enter(made: Op[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Let a call in: by its plan where it has one, else by the body on raw values, or into the functional graph."""
    if made.planned and not scope.is_open() and not is_watched():
        found = plans.find(made, args, kwargs)
        if found is not None:
            outputs = found[0](found[1])
            return Tensor(outputs) if is_raw_array(outputs) else wrap(outputs)
    leaves, tree = jax.tree.flatten(sealed_call(args, kwargs), is_leaf=is_box)
    if any(isinstance(leaf, KerasTensor) for leaf in leaves):
        return record(made, args, kwargs)
    if host.has_strings(leaves):
        return host.call(made, args, kwargs)
    if is_recording():
        return _recorded(made, leaves, tree)
    return compute(made.raw, leaves, tree)


def compute(fn: Callable[..., Any], leaves: list[Any], tree: TreeDef) -> Any:
    """Call `fn` on raw values and wrap what comes out."""
    raw = [
        leaf._value if isinstance(leaf, Tensor) else leaf.read_raw() if is_weight(leaf) else leaf
        for leaf in leaves
    ]
    if wide.settle(leaves, raw):
        fn = wide.in_64_bits(fn)
    return _call(fn, raw, tree)


def _call(fn: Callable[..., Any], raw: list[Any], tree: TreeDef) -> Any:
    args, kwargs = jax.tree.unflatten(tree, raw)
    return wrap(fn(*args, **kwargs))


def _recorded(made: Op[..., Any], leaves: list[Any], tree: TreeDef) -> Any:
    """Compute as an unrecorded call does, and note the call; what its functions capture are arguments of it too."""
    leaves = [_read(leaf) if is_weight(leaf) else leaf for leaf in leaves]
    raw = list(map(raw_of, leaves))
    in_64_bits = wide.settle(leaves, raw)
    fn = wide.in_64_bits(made.raw) if in_64_bits else made.raw
    raw = list(map(wide.explicit, raw)) if in_64_bits else raw
    leaves = [
        leaf if isinstance(leaf, Tensor) else value for leaf, value in zip(leaves, raw, strict=True)
    ]
    if any(map(_is_function, leaves)):
        return _capturing(fn, leaves, tree)
    plan, outputs = None, None
    with recording.paused():
        if made.planned and not scope.is_open():
            plan, outputs = _by_plan(made, leaves, tree)
        if plan is None:
            outputs = _call(fn, raw, tree)
    recording.note(Call(fn, tree, leaves, raw, plan), outputs)
    return outputs


def _by_plan(made: Op[..., Any], leaves: list[Any], tree: TreeDef) -> tuple[Plan | None, Any]:
    """Return the plan of a call and its outputs; None twice where there is no plan."""
    found = plans.find(made, *jax.tree.unflatten(tree, leaves))
    return (None, None) if found is None else (found[0], wrap(found[0](found[1])))


def _capturing(fn: Callable[..., Any], leaves: list[Any], tree: TreeDef) -> Any:
    """Compute and note a call that takes functions."""
    capture = recording.Capture()
    with capture.open():
        outputs = _call(fn, list(map(raw_of, leaves)), tree)
    values = list(map(raw_of, leaves))
    if capture.boxes:
        fn = capture.closed(fn)
        args, kwargs = jax.tree.unflatten(tree, leaves)
        leaves, tree = jax.tree.flatten(((capture.boxes, *args), kwargs), is_leaf=is_box)
        values = [*capture.values, *map(raw_of, leaves[len(capture.boxes) :])]
    recording.note(Call(fn, tree, leaves, values), outputs)
    return outputs


def _read(weight: Weight) -> Any:
    """Return the value of a weight; recorders see how it is computed from its variables."""
    if isinstance(weight, Variable):
        return weight.read_value()
    variables = list(weight.variables)

    def read(*values: jax.Array) -> jax.Array:
        with StateScope(zip(variables, values, strict=True)):
            return weight.read_raw()

    boxes = list(map(_read, variables))
    tree = jax.tree.structure((tuple(boxes), {}), is_leaf=is_box)
    with recording.paused():
        outputs = _call(read, list(map(raw_of, boxes)), tree)
    recording.note(Call(read, tree, boxes, list(map(raw_of, boxes))), outputs)
    return outputs


def _is_function(leaf: object) -> bool:
    return callable(leaf) and not isinstance(leaf, type)


def wrap(outputs: object) -> Any:
    """Return `outputs` with a tensor in place of each JAX array."""
    recording.own(outputs)
    if isinstance(outputs, jax.Array):
        return Tensor(outputs)
    return tree_map(_wrap_leaf, outputs, is_leaf=is_box)


def _wrap_leaf(leaf: object) -> Any:
    return Tensor(leaf) if isinstance(leaf, jax.Array) else leaf

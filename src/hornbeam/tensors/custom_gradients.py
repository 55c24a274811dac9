"""Functions whose gradient is another than that of their operations."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from hornbeam.core import jax_typed as typed
from hornbeam.core import recording, tree
from hornbeam.core.op import is_box, op, wrap
from hornbeam.core.ordered import sealed, sealed_call, tree_map
from hornbeam.core.recording import Call, Capture, CustomCall
from hornbeam.core.scope import StateScope, assign, read
from hornbeam.core.symbolic import is_symbolic
from hornbeam.core.tape import is_differentiable
from hornbeam.core.tensor import Tensor, convert_to_tensor, is_traced, unwrap
from hornbeam.core.variable import Variable


def custom_gradient(f: Callable[..., Any] | None = None) -> Callable[..., Any]:
    """Return a function with the gradient that `f` returns, instead of the gradient of its operations.

    f(*args) returns `(outputs, gradient)`. gradient(*upstream) takes the gradients of the outputs and returns those of
    the arguments, None for one that has none. Where `f` reads trainable variables, `gradient` takes them as `variables`, and
    returns two lists: the gradients of the arguments and those of the variables. Gradients of gradients are those of the
    operations in `gradient`.

    >>> import hornbeam as tf
    >>> @tf.custom_gradient
    ... def log1pexp(x):
    ...     e = tf.exp(x)
    ...     return tf.math.log(1 + e), lambda upstream: upstream * (1 - 1 / (1 + e))
    >>> x = tf.constant(100.0)
    >>> with tf.GradientTape() as tape:
    ...     tape.watch(x)
    ...     y = log1pexp(x)
    >>> print(tape.gradient(y, x).numpy())
    1.0
    """
    if f is None:
        return custom_gradient

    @functools.wraps(f)
    def decorated(*args: Any, **kwargs: Any) -> Any:
        return _call(f, args, kwargs)

    return decorated


def _call(f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    leaves = jax.tree.leaves((args, kwargs), is_leaf=is_box)
    if any(map(is_symbolic, leaves)):
        return _in_graph(f, args, kwargs)
    if not any(is_traced(unwrap(leaf)) for leaf in leaves):
        outputs = _now(f, args, kwargs)
        made = jax.tree.leaves(outputs, is_leaf=is_box)
        if not any(is_traced(unwrap(leaf)) for leaf in made):
            return outputs
    return _Application(f, args, kwargs).inside()


@op(name="tf.custom_gradient")
def _in_graph(f: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """Call a function with a gradient of its own in a functional graph."""
    outputs = _call(f, *wrap((args, kwargs)))
    return tree_map(unwrap, outputs, is_leaf=is_box)


def _now(f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call `f` on known values. Tapes keep what it computes, for second derivatives, and the call itself."""
    if not recording.is_recording():
        return _outputs_and_gradient(f, f(*args, **kwargs))[0]
    application = _Application(f, args, kwargs)
    return application.now()


class _Application:
    """One call of a function with a gradient of its own."""

    def __init__(self, f: Callable[..., Any], args: Any, kwargs: Any) -> None:
        self._f, self._args, self._kwargs = f, args, kwargs
        self._leaves = tree.flatten(list(args))
        # Arguments are found as what is captured is: by other values standing in for theirs.
        self._found = Capture()
        for leaf in jax.tree.leaves((args, kwargs), is_leaf=is_box):
            if isinstance(leaf, Tensor):
                self._found.use(leaf, leaf._value)
            elif isinstance(leaf, Variable):
                self._found.use(leaf, read(leaf))

    # Outside of programs

    def now(self) -> Any:
        """Call the function and note it, with its gradient, for the tapes."""
        seen: list[tuple[Variable, Any]] = []

        def watch(call: Call, outputs: object) -> None:
            seen.extend(
                (box, raw)
                for box, raw in zip(call.boxes, call.values, strict=True)
                if isinstance(box, Variable) and box.trainable
            )

        recording.recorders().append(watch)
        try:
            result = self._f(*self._args, **self._kwargs)
        finally:
            recording.recorders().remove(watch)
        for variable, raw in seen:
            self._found.use(variable, raw)
        outputs, gradient = _outputs_and_gradient(self._f, result)
        # New tensors, for the old ones are made by the operations of `f`, with their gradients.
        made = tree_map(lambda x: wrap(convert_to_tensor(x)._value), outputs, is_leaf=is_box)
        flat = tree.flatten(made)

        def pull(rows: list[Tensor | None]) -> list[Tensor | None]:
            filled = [
                wrap(jnp.zeros_like(each._value)) if row is None else row
                for row, each in zip(rows, flat, strict=True)
            ]
            return self._gradients(gradient, filled)

        values = list(self._found.values)
        _, form = jax.tree.flatten((tuple(values), {}))
        recording.note(
            CustomCall(self._pure, form, list(self._found.boxes), values, gradient=pull), made
        )
        return made

    # Inside

    def inside(self) -> Any:
        """Call the function as part of a program: JAX differentiates it by its gradient."""
        with self._found.open():
            outputs, _ = _outputs_and_gradient(self._f, self._f(*self._args, **self._kwargs))
            recording.used(outputs, is_box)
        boxes, values = list(self._found.boxes), list(self._found.values)
        with recording.paused():
            raw = self._pure(*values)
        made = list(map(wrap, raw))
        _, form = jax.tree.flatten((tuple(values), {}))
        recording.note(Call(self._pure, form, boxes, values), made)
        return tree.pack_like(outputs, made)

    def _pure(self, *values: Any) -> list[Any]:
        """Return the raw outputs, as a pure function that JAX can differentiate."""
        places = [i for i, value in enumerate(values) if is_differentiable(value)]

        def run(*differentiated: Any) -> Any:
            filled = list(values)
            for place, value in zip(places, differentiated, strict=True):
                filled[place] = value
            with self._found.standing_in(filled), StateScope():
                result = self._f(*self._args, **self._kwargs)
                outputs, gradient = _outputs_and_gradient(self._f, result)
                raw = [convert_to_tensor(each)._value for each in tree.flatten(outputs)]

            def pull(rows: Sequence[Any]) -> tuple[Any, ...]:
                with self._found.standing_in(filled), StateScope():
                    found = self._gradients(gradient, list(map(wrap, rows)))
                return tuple(_like(found[place], filled[place]) for place in places)

            return raw, pull

        return typed.custom_gradient(run)(*(values[place] for place in places))

    # Both

    def _gradients(self, gradient: Callable[..., Any], rows: list[Tensor]) -> list[Tensor | None]:
        """Return the gradients of all that was found, by the user's function."""
        variables = self._variables()
        if variables and not _takes_variables(gradient):
            raise TypeError(
                f"@tf.custom_gradient: the function {_name(self._f)} uses the variables {[v.name for v in variables]}, so its "
                "grad_fn must accept keyword argument 'variables', and return (gradients of the arguments, gradients of "
                "the variables)."
            )
        if variables:
            found, of_variables = gradient(*rows, variables=variables)
            of_variables = tree.flatten(of_variables)
            if len(of_variables) != len(variables):
                raise ValueError(
                    f"@tf.custom_gradient: {_name(self._f)} uses {len(variables)} variables, and its grad_fn returned "
                    f"{len(of_variables)} gradients for them. Must return gradient for each variable."
                )
        else:
            found, of_variables = gradient(*rows), []
        found = tree.flatten(list(found) if isinstance(found, tuple) else found)
        if len(found) != len(self._leaves):
            raise ValueError(
                f"custom_gradient function expected to return {len(self._leaves)} gradients, but returned {len(found)} "
                f"instead: one for each argument of {_name(self._f)}, None for what has none."
            )
        by_box: dict[int, Tensor] = {}
        for leaf, each in zip((*self._leaves, *variables), (*found, *of_variables), strict=True):
            if each is not None:
                known = by_box.get(id(leaf))
                tensor = convert_to_tensor(each)
                by_box[id(leaf)] = tensor if known is None else known + tensor
        return [by_box.get(id(box)) for box in self._found.boxes]

    def _variables(self) -> list[Variable]:
        given = {id(leaf) for leaf in jax.tree.leaves((self._args, self._kwargs), is_leaf=is_box)}
        return [
            box
            for box in self._found.boxes
            if isinstance(box, Variable) and box.trainable and id(box) not in given
        ]


def _like(gradient: Tensor | None, value: Any) -> Any:
    """Return a raw gradient in the type of the value; zeros for None."""
    return jnp.zeros_like(value) if gradient is None else gradient._value.astype(value.dtype)


def _outputs_and_gradient(f: Callable[..., Any], result: Any) -> tuple[Any, Callable[..., Any]]:
    if not isinstance(result, tuple) or len(result) != 2 or not callable(result[1]):
        raise TypeError(
            f"@tf.custom_gradient: {_name(f)} returns (outputs, grad_fn), with grad_fn a function from the gradients of the "
            f"outputs to those of the arguments; it returned {type(result).__name__} {result!r}."
        )
    return result


def _takes_variables(gradient: Callable[..., Any]) -> bool:
    parameters = inspect.signature(gradient).parameters
    return "variables" in parameters or any(
        each.kind is inspect.Parameter.VAR_KEYWORD for each in parameters.values()
    )


def _name(f: Callable[..., Any]) -> str:
    return getattr(f, "__name__", repr(f))


def recompute_grad(f: Callable[..., Any]) -> Callable[..., Any]:
    """Return `f` as a function that keeps nothing for its gradient: that computes `f` once more, and needs less memory.

    >>> import hornbeam as tf
    >>> square = tf.recompute_grad(lambda x: x * x)
    >>> x = tf.Variable(3.0)
    >>> with tf.GradientTape() as tape:
    ...     y = square(x)
    >>> print(tape.gradient(y, x).numpy())
    6.0
    """

    @functools.wraps(f)
    def decorated(*args: Any, **kwargs: Any) -> Any:
        return _recomputed(f, args, kwargs)

    return decorated


@op(name="tf.recompute_grad")
def _recomputed(f: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """Call `f` so that its gradient computes it again; what it assigns takes effect."""
    assigned: list[Variable] = []
    leaves, form = jax.tree.flatten(sealed_call(args, kwargs))
    places = [i for i, leaf in enumerate(leaves) if isinstance(leaf, jax.Array)]

    def run(*arrays: Any) -> Any:
        filled = list(leaves)
        for place, value in zip(places, arrays, strict=True):
            filled[place] = value
        inner_args, inner_kwargs = wrap(jax.tree.unflatten(form, filled))
        with StateScope() as scope:
            outputs = f(*inner_args, **inner_kwargs)
            recording.used(outputs, is_box)
        assigned[:] = [variable for variable, _ in scope.updates]
        raw = sealed(tree_map(unwrap, outputs, is_leaf=is_box))
        return raw, [value for _, value in scope.updates]

    outputs, updates = typed.checkpoint(run)(*(leaves[place] for place in places))
    for variable, value in zip(assigned, updates, strict=True):
        assign(variable, value)
    return outputs


def grad_pass_through(f: Callable[..., Any]) -> Callable[..., Any]:
    """Return `f` with the gradient of the identity: a straight-through estimator.

    >>> import hornbeam as tf
    >>> x = tf.constant(1.3)
    >>> with tf.GradientTape() as tape:
    ...     tape.watch(x)
    ...     y = 2.0 * tf.grad_pass_through(tf.round)(x)
    >>> print(tape.gradient(y, x).numpy())
    2.0
    """

    def passing(*args: Any, **kwargs: Any) -> Any:
        def gradient(*upstream: Any, variables: Sequence[Variable] | None = None) -> Any:
            return upstream if variables is None else (upstream, [None] * len(variables))

        return f(*args, **kwargs), gradient

    return functools.wraps(f)(custom_gradient(passing))

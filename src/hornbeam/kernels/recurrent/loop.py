"""The loop of recurrent layers: h[t] from h[t-1] @ U, with a gradient that takes U's product once.

Left to itself, the gradient of a `lax.scan` adds one (b, u) x (b, k) product into the gradient of U at every step. Here
the loop only collects the gradients of h[t-1] @ U, and one product over all steps follows it.

Letters: t time, b batch, u units, k columns of U (u times the number of gates). Time comes first.
"""

# JAX's signatures leave types of options unknown, as of `jnp.einsum`; the results are known.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, TypeAlias, TypeVar, TypeVarTuple, Unpack, cast

import jax
import jax.numpy as jnp
from jax import lax
from jax.export import is_symbolic_dim

from hornbeam.core.jax_typed import eval_shape, tree_map
from hornbeam.kernels import native
from hornbeam.kernels.transforms import custom_gradient, platform_dependent, vjp

_CACHE = 8 << 20  # bytes; about what is still in a core's caches when it is read again

Tree = TypeVar("Tree")  # arrays in any structure
Outputs = TypeVar("Outputs")
Args = TypeVarTuple("Args")

States: TypeAlias = tuple[jax.Array, ...]
# The last states, and h after each step, or None.
Recurred: TypeAlias = tuple[States, jax.Array | None]
# (x[t], h[t-1] @ U + recurrent bias, states) -> new states, of which the first is h[t]. An additive
# cell needs only the sum of the first two: it gets it as the second, and None as the first.
Cell = Callable[[jax.Array | None, jax.Array, States], States]


class Operands(NamedTuple):
    """The arrays of a recurrence."""

    x: jax.Array  # (t, b, k), the inputs times their kernel; (t, b, d), themselves, before that
    kernel: jax.Array  # (u, k)
    bias: jax.Array | None  # (k,), added to h @ kernel
    states: States  # each (b, u)
    dropout: jax.Array | None  # (b, u), what h is multiplied with before the product
    mask: jax.Array | None  # booleans (t, b)


# x and the mask of one step, or of all steps.
_Step: TypeAlias = tuple[jax.Array, jax.Array | None]
# What a cell is given of x and of the product.
_Given: TypeAlias = tuple[jax.Array | None, jax.Array]
# Operands, and of each step the states before it and the product.
_Saved: TypeAlias = tuple[Operands, States, jax.Array]
# x, product, states before, mask and the gradient of h.
_StepBack: TypeAlias = tuple[
    jax.Array | None, jax.Array, States, jax.Array | None, jax.Array | None
]


class Projection(NamedTuple):
    """What makes (t, b, k) of the inputs (t, b, d): x @ kernel + bias."""

    kernel: jax.Array  # (d, k)
    bias: jax.Array | None  # (k,)

    def __call__(self, x: jax.Array) -> jax.Array:
        product = x @ self.kernel
        return product if self.bias is None else product + self.bias


# The gradients of both, from those of what is returned.
_Pull: TypeAlias = Callable[[Recurred], tuple[Projection, Operands]]


class Form(NamedTuple):
    """What is static about a recurrence."""

    cell: Cell
    additive: bool
    reverse: bool
    unroll: bool
    sequences: bool


def select(keep: jax.Array | None, new: Tree, old: Tree) -> Tree:
    """Return `new` for the examples of the batch where `keep` (b,) is true, else `old`."""
    if keep is None:
        return new

    def each(a: jax.Array, b: jax.Array) -> jax.Array:
        return jnp.where(keep.reshape(keep.shape + (1,) * (a.ndim - 1)), a, b)

    return tree_map(each, new, old)


def apart(fn: Callable[[Unpack[Args]], Tree], *args: *Args) -> Tree:
    """Return fn(*args), on CPU compiled as a computation of its own.

    XLA's CPU backend fuses the reading of one step's slice into the arithmetic that uses it, and such
    fusions are not vectorised: sigmoid and tanh become about four times slower. Branches are not
    fused with what surrounds them, so the arithmetic goes into a branch that is always taken, by a
    condition that the compiler does not see through.
    """
    first = jax.tree.leaves(args)[0]
    # A program that is exported is read by others, on machines of all kinds: it holds the plain computation.
    if native.is_switched_off() or not first.size:
        return fn(*args)
    probe = first.ravel()[0]

    def zeros(shape: jax.ShapeDtypeStruct) -> jax.Array:
        return jnp.zeros(shape.shape, shape.dtype)

    def branch(*args: *Args) -> Tree:
        shapes = eval_shape(fn, *args)

        def nothing(*_: *Args) -> Tree:
            return tree_map(zeros, shapes)

        true = jnp.isnan(probe) | jnp.isinf(probe) | jnp.isfinite(probe)
        return cast(Any, lax.cond(true, fn, nothing, *args))

    return platform_dependent(*args, cpu=branch, default=fn)


def _recur(form: Form, operands: Operands, projection: Projection | None) -> Recurred:
    """Return the last states, and h after each step (t, b, u) if `form.sequences`, in the order of time."""

    def body(states: States, inputs: _Step) -> tuple[States, jax.Array | None]:
        x, keep = inputs
        x = x if projection is None else projection(x)
        new = select(keep, _step(form, operands, x, states)[0], states)
        return new, new[0] if form.sequences else None

    return _scan(form, body, operands.states, (operands.x, operands.mask))


def _step(form: Form, o: Operands, x: jax.Array, states: States) -> tuple[States, _Given]:
    """Return the new states, and what the cell was given."""
    h = states[0] if o.dropout is None else states[0] * o.dropout
    product = h @ o.kernel
    if o.bias is not None:
        product = product + o.bias
    given = (None, x + product) if form.additive else (x, product)
    return apart(form.cell, *given, states), given


def _scan(
    form: Form,
    body: Callable[[States, Tree], tuple[States, Outputs]],
    start: States,
    inputs: Tree,
    back: bool = False,
) -> tuple[States, Outputs]:
    unroll = True if form.unroll else 1
    return lax.scan(body, start, inputs, reverse=form.reverse != back, unroll=unroll)


def _forward(form: Form, operands: Operands) -> tuple[Recurred, _Saved]:
    def body(
        states: States, inputs: _Step
    ) -> tuple[States, tuple[States, jax.Array, jax.Array | None]]:
        x, keep = inputs
        new, (_, product) = _step(form, operands, x, states)
        new = select(keep, new, states)
        return new, (states, product, new[0] if form.sequences else None)

    last, (before, products, hs) = _scan(form, body, operands.states, (operands.x, operands.mask))
    return (last, hs), (operands, before, products)


def _pull(
    cell: Cell, x: jax.Array | None, product: jax.Array, states: States, d_new: States
) -> tuple[jax.Array | None, jax.Array, States]:
    return vjp(cell, x, product, states)[1](d_new)


def _backward(form: Form, saved: _Saved, gradients: Recurred) -> tuple[Operands]:
    o, before, products = saved
    d_last, d_hs = gradients

    def body(d_new: States, inputs: _StepBack) -> tuple[States, tuple[jax.Array | None, jax.Array]]:
        x, product, states, keep, d_h = inputs
        if d_h is not None:
            d_new = (d_new[0] + d_h, *d_new[1:])
        nothing = tree_map(jnp.zeros_like, d_new)
        passed, d_cell = (
            (None, d_new)
            if keep is None
            else (
                select(keep, nothing, d_new),
                select(keep, d_new, nothing),
            )
        )
        d_x, d_product, d_states = apart(
            partial(_pull, form.cell), None if form.additive else x, product, states, d_cell
        )
        d_h_before = d_product @ o.kernel.T
        if o.dropout is not None:
            d_h_before = d_h_before * o.dropout
        d_states = (d_states[0] + d_h_before, *d_states[1:])
        if passed is not None:
            d_states = tree_map(jnp.add, d_states, passed)
        return d_states, (d_x, d_product)

    inputs = (None if form.additive else o.x, products, before, o.mask, d_hs)
    d_states, (d_x, d_products) = _scan(form, body, d_last, inputs, back=True)
    h = before[0] if o.dropout is None else before[0] * o.dropout
    d_kernel = jnp.einsum("tbu,tbk->uk", h, d_products)
    d_bias = None if o.bias is None else jnp.sum(d_products, axis=(0, 1))
    d_dropout = None
    if o.dropout is not None:
        d_dropout = jnp.sum((d_products @ o.kernel.T) * before[0], axis=0)
    d_x = d_products if d_x is None else d_x
    return (Operands(d_x, d_kernel, d_bias, d_states, d_dropout, None),)


@custom_gradient(static=1)
def _recur_projected(form: Form, operands: Operands) -> Recurred:
    return _recur(form, operands, None)


_recur_projected.defvjp(_forward, _backward)


def _project_and_recur(form: Form, projection: Projection, operands: Operands) -> Recurred:
    return _recur_projected(form, operands._replace(x=projection(operands.x)))


@custom_gradient(static=1)
def recur(form: Form, projection: Projection, operands: Operands) -> Recurred:
    """Return the last states, and h after each step (t, b, u) if `form.sequences`, in the order of time.

    One product for all steps is the faster one, and what the gradient needs. Without a gradient, and where the
    product would not stay in the cache, each step makes its own.
    """
    steps, batch, _ = operands.x.shape
    size = steps * batch * projection.kernel.shape[1] * operands.x.dtype.itemsize
    if not is_symbolic_dim(size) and size > _CACHE:
        return _recur(form, operands, projection)
    return _project_and_recur(form, projection, operands)


def _recur_forward(
    form: Form, projection: Projection, operands: Operands
) -> tuple[Recurred, _Pull]:
    return vjp(partial(_project_and_recur, form), projection, operands)


def _recur_backward(form: Form, pull: _Pull, gradients: Recurred) -> tuple[Projection, Operands]:
    return pull(gradients)


recur.defvjp(_recur_forward, _recur_backward)

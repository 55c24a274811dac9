"""LSTM and GRU over time, natively on CPU: one call for the value and one for the gradient.

Letters: b batch, t time, d input features, u units, k columns of a kernel.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Literal, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp

from hornbeam.core.origins import LookedUp, Rounded, origin_of
from hornbeam.core.typing import DTypeLike
from hornbeam.kernels import native
from hornbeam.kernels.embedding.gradient import int32
from hornbeam.kernels.recurrent import reference
from hornbeam.kernels.recurrent.reference import Outputs
from hornbeam.kernels.transforms import compiled_whole, custom_gradient, vjp

Cell = Literal["lstm", "gru"]
# y or None, then the last states; or a gradient for each operand.
Returned: TypeAlias = tuple[jax.Array | None, ...]
# Operands, y, and what the kernel saved.
_Residuals: TypeAlias = tuple[Returned, jax.Array | None, native.Arrays]


class Form(NamedTuple):
    """What is static about a recurrence."""

    cell: Cell
    reset_after: bool  # of a GRU
    backwards: bool
    sequences: bool


class Operands(NamedTuple):
    """The arrays of a recurrence; a GRU has no c0.

    They share a type. Beside bfloat16, kernels and bias may all be float32: their products are of rounded values.
    """

    x: jax.Array  # (b, t, d)
    h0: jax.Array  # (b, u)
    c0: jax.Array | None  # (b, u)
    kernel: jax.Array  # (d, k)
    recurrent_kernel: jax.Array  # (u, k)
    bias: jax.Array | None  # (k,), or (2, k) for a GRU with reset_after
    mask: jax.Array | None  # booleans (b, t)
    # int32 (b, t): rows of x with the same number are the same row of a table. The gradient of x may then be that of all
    # of them at one of them, and 0 at the others, which for the table is the same.
    numbers: jax.Array | None = None


def _operands(*arrays: native.Operand) -> Operands:
    x, h0, c0, kernel, recurrent_kernel, *rest = arrays
    assert x is not None and h0 is not None and kernel is not None and recurrent_kernel is not None
    return Operands(x, h0, c0, kernel, recurrent_kernel, *rest)


def suits(form: Form, o: Operands) -> bool:
    """Return whether the native kernel is right for these arrays."""
    # On other platforms the reference's own gradient is the quicker one.
    if not native.suits(*o[:6]) or native.platform() != "cpu":
        return False
    gates = 4 if form.cell == "lstm" else 3
    if o.x.ndim != 3 or o.h0.ndim != 2 or 0 in o.x.shape or 0 in o.h0.shape:
        return False
    (b, t, d), u = o.x.shape, o.h0.shape[1]
    bias = (2, gates * u) if form.cell == "gru" and form.reset_after else (gates * u,)
    # The reference broadcasts, or says what is wrong.
    return (
        o.h0.shape == (b, u)
        and (o.c0 is None or o.c0.shape == (b, u))
        and o.kernel.shape == (d, gates * u)
        and o.recurrent_kernel.shape == (u, gates * u)
        and (o.bias is None or o.bias.shape == bias)
        and (o.mask is None or (o.mask.shape == (b, t) and o.mask.dtype == bool))
    )


def with_origins(o: Operands) -> Operands:
    """Return the operands with what is known of where they come from (see `hornbeam.core.origins`).

    These are the numbers of rows that were looked up, and kernels and bias as the variables store them, where mixed
    precision reads all of them in a narrow type.
    """
    rows = origin_of(o.x, LookedUp)
    if rows is not None and rows.indices.shape == o.x.shape[:2]:
        o = o._replace(numbers=int32(rows.indices, rows.size))
    kernel, recurrent_kernel = _stored(o.kernel), _stored(o.recurrent_kernel)
    bias = None if o.bias is None else _stored(o.bias)
    if kernel is None or recurrent_kernel is None or (bias is None and o.bias is not None):
        return o
    return o._replace(kernel=kernel, recurrent_kernel=recurrent_kernel, bias=bias)


def _stored(weight: jax.Array) -> jax.Array | None:
    """Return a weight as its variable stores it, where that is known and float32."""
    origin = origin_of(weight, Rounded)
    return None if origin is None or origin.wide.dtype != jnp.float32 else origin.wide


@compiled_whole("form", "zero_output_for_mask")  # for eager calls
def run(form: Form, zero_output_for_mask: bool, o: Operands) -> Outputs:
    """Run the layer; arguments have passed `suits`."""
    outputs, *found = _recur(form, *o)
    states = tuple(each for each in found if each is not None)
    last = states[0]
    if o.mask is not None and zero_output_for_mask:
        mask = jnp.flip(o.mask, 1) if form.backwards else o.mask
        last = jnp.where(mask[:, -1:], last, 0)
        outputs = None if outputs is None else jnp.where(mask[..., None], outputs, 0)
    return last, outputs, states


@custom_gradient(static=1)
def _recur(form: Form, *operands: native.Operand) -> Returned:
    """Return y (b, t, u) or None, and the last states."""
    return _kernels(form).value(*operands)


def _forward(form: Form, *operands: native.Operand) -> tuple[Returned, _Residuals]:
    (y, *states), saved = _kernels(form).saving(*operands)
    return (y if form.sequences else None, *states), (operands, y, saved)


def _backward(form: Form, residuals: _Residuals, gradients: Returned) -> Returned:
    operands, y, saved = residuals
    if not form.sequences:
        gradients = (None, *gradients[1:])
    return (*_kernels(form).gradient(*operands, y, *saved, *gradients), None, None)


_recur.defvjp(_forward, _backward)


class _Kernels(NamedTuple):
    value: Callable[..., Returned]
    saving: Callable[..., tuple[Returned, native.Arrays]]  # value and what the gradient needs
    gradient: Callable[..., Returned]


@lru_cache(maxsize=64)
def _kernels(form: Form) -> _Kernels:
    # What the reference saves is never read: where it stands in for the value, it stands in for the
    # gradient, and that computes the value again.
    def save(*operands: native.Operand) -> tuple[Returned, native.Arrays]:
        shapes = _saved_shapes(form, _operands(*operands))
        return _reference(form._replace(sequences=True), *operands), tuple(
            jnp.zeros(s.shape, s.dtype) for s in shapes
        )

    return _Kernels(
        native.transformable(partial(_value_native, form), partial(_reference, form)),
        native.transformable(partial(_saving_native, form), save),
        native.transformable(partial(_gradient_native, form), partial(_gradient_reference, form)),
    )


def _saved_shapes(form: Form, o: Operands) -> tuple[jax.ShapeDtypeStruct, ...]:
    b, t, _ = o.x.shape
    u = o.h0.shape[1]
    if form.cell == "gru":
        return (jax.ShapeDtypeStruct((t, b, (4 if form.reset_after else 3) * u), o.x.dtype),)
    return (
        jax.ShapeDtypeStruct((t, b, 4 * u), o.x.dtype),
        jax.ShapeDtypeStruct((t, b, u), o.x.dtype),
    )


def _reference(form: Form, *operands: native.Operand) -> Returned:
    o = _operands(*operands)
    kernel, recurrent_kernel = o.kernel.astype(o.x.dtype), o.recurrent_kernel.astype(o.x.dtype)
    bias = None if o.bias is None else o.bias.astype(o.x.dtype)
    loop: reference.Loop = {
        "mask": o.mask,
        "go_backwards": form.backwards,
        "return_sequences": form.sequences,
    }
    if o.c0 is not None:
        found = reference.lstm(o.x, o.h0, o.c0, kernel, recurrent_kernel, bias, **loop)
    else:
        reset_after = form.reset_after
        found = reference.gru(
            o.x, o.h0, kernel, recurrent_kernel, bias, reset_after=reset_after, **loop
        )
    _, y, states = found
    return (y, *states)


def _gradient_reference(form: Form, *args: native.Operand) -> Returned:
    *inputs, mask = args[:7]  # numbers don't matter
    dy_and_states = args[-3:] if form.cell == "lstm" else args[-2:]
    pull = vjp(lambda *inputs: _reference(form, *inputs, mask), *inputs)[1]
    return pull(dy_and_states)


def _shape(array: jax.Array) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct(array.shape, array.dtype)


def _or_empty(array: jax.Array | None, dtype: DTypeLike) -> jax.Array:
    return jnp.zeros((0,), dtype) if array is None else array


def _places(o: Operands) -> tuple[jax.Array, jax.Array]:
    """Return what is said of each place (b, t)."""
    return _or_empty(o.mask, bool), _or_empty(o.numbers, "int32")


def _call(
    form: Form, name: str, results: tuple[native.Result, ...], *args: native.Operand
) -> native.Arrays:
    attributes: dict[str, native.Attribute] = {"backwards": form.backwards}
    if form.cell == "gru":
        attributes["reset_after"] = form.reset_after
    return native.call(f"{form.cell}_{name}", results, *args, **attributes)


def _run_native(form: Form, o: Operands, saving: bool) -> native.Arrays:
    b, t, _ = o.x.shape
    empty = jax.ShapeDtypeStruct((0,), o.x.dtype)
    y = jax.ShapeDtypeStruct((b, t, o.h0.shape[1]), o.x.dtype)
    states = [s for s in (o.h0, o.c0) if s is not None]
    saved = _saved_shapes(form, o) if saving else [empty for _ in _saved_shapes(form, o)]
    results = (y if saving or form.sequences else empty, *map(_shape, states), *saved)
    bias = _or_empty(o.bias, o.kernel.dtype)
    given = [a for a in (*o[:5], bias, *_places(o)) if a is not None]
    return _call(form, "forward", results, *given)


def _value_native(form: Form, *operands: native.Operand) -> Returned:
    o = _operands(*operands)
    y, *rest = _run_native(form, o, saving=False)
    states = rest[: 1 if o.c0 is None else 2]
    return (y if form.sequences else None, *states)


def _saving_native(form: Form, *operands: native.Operand) -> tuple[Returned, native.Arrays]:
    o = _operands(*operands)
    y, *rest = _run_native(form, o, saving=True)
    count = 1 if o.c0 is None else 2
    return (y, *rest[:count]), tuple(rest[count:])


def _gradient_native(form: Form, *args: native.Operand) -> Returned:
    o, rest = _operands(*args[:8]), args[8:]
    bias = _or_empty(o.bias, o.kernel.dtype)
    given = [a for a in (*o[:5], *_places(o)) if a is not None]
    count = 2 if o.c0 is None else 3
    saved, (dy, *d_states) = rest[:-count], rest[-count:]
    differentiated = [a for a in o[:5] if a is not None]
    results = tuple(map(_shape, (*differentiated, bias)))
    found = _call(form, "backward", results, *given, *saved, _or_empty(dy, o.x.dtype), *d_states)
    *gradients, d_bias = found
    d_c0 = [None] if o.c0 is None else []
    return *gradients[:2], *d_c0, *gradients[2:], None if o.bias is None else d_bias

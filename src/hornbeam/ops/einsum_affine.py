"""A dense map between axes that an equation names."""

from __future__ import annotations

import functools
import math
import re
from typing import NamedTuple

import jax

from hornbeam.core.jax_typed import einsum
from hornbeam.core.op import op
from hornbeam.core.origins import Rounded, made_of, origin_of
from hornbeam.core.typing import TensorLike
from hornbeam.ops.common import inexact, inexact_pair
from hornbeam.ops.dense import affine

_FORM = re.compile(r"(\.\.\.)?([a-zA-Z]+)(\.\.\.)?,([a-zA-Z]+)->(\.\.\.)?([a-zA-Z]+)(\.\.\.)?")


@op
def einsum_affine(
    x: TensorLike, kernel: TensorLike, bias: TensorLike | None, equation: str
) -> jax.Array:
    """Return einsum(equation, x, kernel) + bias; the bias broadcasts against the result

    A product over the last axes of x and the first ones of the kernel is computed with both laid flat, as in `Dense`.
    """
    x, kernel = inexact_pair(x, kernel)
    shift = None if bias is None else inexact(bias)
    summed = _summed_at_the_end(equation)
    if summed is None:
        y = einsum(equation, x, kernel)
        return y if shift is None else y + shift
    rows, outputs = x.shape[: x.ndim - summed], kernel.shape[summed:]
    units = math.prod(outputs)
    flat = _reshaped(shift, units) if shift is not None and shift.shape == outputs else None
    x = x.reshape(*rows, math.prod(kernel.shape[:summed]))
    y = affine.raw(x, _reshaped(kernel, -1, units), flat).reshape(*rows, *outputs)
    return y if shift is None or flat is not None else y + shift


def _reshaped(weight: jax.Array, *shape: int) -> jax.Array:
    """Return `weight` in another shape, whose origin is still known."""
    origin = origin_of(weight, Rounded)
    return made_of(weight.reshape(shape), origin and Rounded(origin.wide.reshape(shape)))


class Equation(NamedTuple):
    """The letters of an equation, and on which side there is "...": "left", "right" or ""."""

    input: str
    kernel: str
    output: str
    elided: str


@functools.cache
def parse(equation: str) -> Equation:
    """Return the parts of an equation.

    Raises ValueError for another form than "ab,bc->ac", "...b,bc->...c" or "ab...,bc->ac...", and for a letter of the
    kernel or the output that appears nowhere else.

    >>> parse("...x,xy->...y")
    Equation(input='x', kernel='xy', output='y', elided='left')
    """
    found = _FORM.fullmatch(equation)
    if found is None or found[1] != found[5] or found[3] != found[7] or (found[1] and found[3]):
        raise ValueError(
            f'`equation` has the form "ab,bc->ac", "...b,bc->...c" or "ab...,bc->ac..."; received {equation!r}.'
        )
    inputs, kernel, output = found[2], found[4], found[6]
    for name, letters, others in (
        ("kernel", kernel, inputs + output),
        ("output", output, inputs + kernel),
    ):
        lost = [letter for letter in letters if letter not in others]
        if lost:
            raise ValueError(
                f"The axis {lost[0]!r} of the {name} appears nowhere else in the equation {equation!r}, so that its size "
                "is unknown."
            )
    return Equation(inputs, kernel, output, "left" if found[1] else "right" if found[3] else "")


@functools.cache
def _summed_at_the_end(equation: str) -> int | None:
    """Return how many axes are summed over, where they are the last of the input and the first of the kernel; else None.

    Then the rest of the input followed by the rest of the kernel is the output.

    >>> _summed_at_the_end("abcd,cde->abe"), _summed_at_the_end("abc,cd->adb")
    (2, None)
    """
    inputs, kernel, output, elided = parse(equation)
    summed = sum(axis not in output for axis in kernel)
    rows, rest = inputs[: len(inputs) - summed], kernel[summed:]
    plain = (
        summed > 0
        and inputs == rows + kernel[:summed]
        and output == rows + rest
        and len(set(inputs + rest)) == len(inputs + rest)
    )
    return summed if plain and rest and (rows or elided == "left") and elided != "right" else None

"""The steps of optimizers: a rule is a formula for one variable, and a kernel for all of a model at once.

The kernel writes new values and slots over the old ones where these are not needed any more: in a
compiled step that was given them for good, nothing is copied.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hornbeam.core import fusion
from hornbeam.kernels import embedding, native

Slots = dict[str, jax.Array]

# Below, in elements of all variables together, XLA's own loops take as long; see `pays`.
MIN_ELEMENTS = 4096


@dataclass(frozen=True)
class Rule:
    """A formula `(gradient, value, slots, rate, **constants) -> (value, slots)` and its kernel's name."""

    name: str
    formula: Callable[..., tuple[jax.Array, Slots]]
    slots: tuple[str, ...]
    constants: tuple[tuple[str, float], ...]

    def __call__(
        self, gradient: jax.Array, value: jax.Array, slots: Slots, rate: jax.Array
    ) -> tuple[jax.Array, Slots]:
        """New value and slots of one variable."""
        return self.formula(gradient, value, slots, rate, **dict(self.constants))


def sgd(
    gradient: jax.Array,
    value: jax.Array,
    slots: Slots,
    rate: jax.Array,
    momentum: float,
    nesterov: bool,
) -> tuple[jax.Array, Slots]:
    """value - rate * gradient; with a "momentum" slot m: m <- momentum * m - rate * gradient, added to the value."""
    move = -rate * gradient
    if "momentum" not in slots:
        return value + move, slots
    speed = momentum * slots["momentum"] + move
    value = value + (momentum * speed + move if nesterov else speed)
    return value, {"momentum": speed}


def adam(
    gradient: jax.Array,
    value: jax.Array,
    slots: Slots,
    rate: jax.Array,
    beta_1: float,
    beta_2: float,
    epsilon: float,
) -> tuple[jax.Array, Slots]:
    """One step of Adam; with a "velocity_hat" slot, of its AMSGrad variant. The rate is that of `adam_rate`."""
    mean = slots["momentum"] + (gradient - slots["momentum"]) * (1 - beta_1)
    square = slots["velocity"] + (jnp.square(gradient) - slots["velocity"]) * (1 - beta_2)
    new = {"momentum": mean, "velocity": square}
    if "velocity_hat" in slots:
        new["velocity_hat"] = square = jnp.maximum(slots["velocity_hat"], square)
    return value - mean * rate.astype(value.dtype) / (jnp.sqrt(square) + epsilon), new


def adam_rate(rate: jax.Array, step: jax.Array, beta_1: float, beta_2: float) -> jax.Array:
    """The learning rate with both corrections of the bias in it, as at the end of the paper's section 2."""
    # The subtractions cancel digits (6e-6 of the first steps for beta_2 = 0.999), which `complement` of the optimizers
    # would keep; Keras has them so, and users compare.
    step = step.astype(jnp.float32)
    powers = jnp.power(jnp.float32(beta_1), step), jnp.power(jnp.float32(beta_2), step)
    return rate * jnp.sqrt(1 - powers[1]) / (1 - powers[0])


def rmsprop(
    gradient: jax.Array,
    value: jax.Array,
    slots: Slots,
    rate: jax.Array,
    rho: float,
    momentum: float,
    epsilon: float,
) -> tuple[jax.Array, Slots]:
    """One step; centred with an "average_gradient" slot, and with momentum with a "momentum" slot."""
    new = {"velocity": rho * slots["velocity"] + (1 - rho) * jnp.square(gradient)}
    variance = new["velocity"] + epsilon
    if "average_gradient" in slots:
        mean = rho * slots["average_gradient"] + (1 - rho) * gradient
        new["average_gradient"] = mean
        variance = variance - jnp.square(mean)
    move = rate * gradient * jax.lax.rsqrt(variance)
    if "momentum" in slots:
        new["momentum"] = move = momentum * slots["momentum"] + move
    return value - move, new


def decayed(value: jax.Array, share: jax.Array) -> jax.Array:
    """What is left of a value that loses a share of itself."""
    return value - value * share


# The slots that the kernels know, by the name of the rule.
_KERNELS: dict[str, tuple[tuple[str, ...], ...]] = {
    "sgd": ((), ("momentum",)),
    "adam": (("momentum", "velocity"),),
    "rmsprop": (("velocity",), ("velocity", "momentum")),
}


def suits(rule: Rule, *arrays: jax.Array) -> bool:
    """Whether a variable of these arrays (gradient, value, slots) can be updated natively."""
    return (
        rule.slots in _KERNELS.get(rule.name, ())
        and all(isinstance(constant, (int, float)) for _, constant in rule.constants)
        and all(a.dtype == jnp.float32 and a.shape == arrays[0].shape for a in arrays)
        and native.suits(*arrays)
    )


def pays(elements: int) -> bool:
    """Whether the kernel beats XLA's loops for so many elements of all variables together.

    Measured on two AVX-512 cores, in place. Some hundred elements take 0.5 us either way, which is what the foreign
    call takes. From some thousands on the kernel takes half of XLA's time: 28 against 69 us for Adam on the 127,000
    elements of a small CNN, 0.94 against 1.6 ms on the 2.7 million of an embedding and an LSTM.
    """
    return elements >= MIN_ELEMENTS


def update_all(
    rule: Rule,
    rate: jax.Array,
    decay: jax.Array,
    decays: Sequence[bool],
    gradients: Sequence[jax.Array],
    values: Sequence[jax.Array],
    slots: Sequence[Slots],
) -> tuple[list[jax.Array], list[Slots]]:
    """New values and slots of variables; natively where the rule `suits` all of them.

    Where `decays` says so, a value first loses the share `decay` of itself. rate, decay: ()

    A table whose gradient offers its `rows` is updated by these: the gradient itself, which is mostly zeros, is not made.
    """
    count = len(values)
    together = zip(gradients, values, slots, strict=True)
    if not all(suits(rule, g, v, *s.values()) for g, v, s in together):
        kernel, given = partial(_reference, rule, decays), gradients
    else:
        by_rows = [_rows(gradient) for gradient in gradients]
        kernel = _kernel(rule, tuple(decays), tuple(each is not None for each in by_rows))
        pairs = zip(gradients, by_rows, strict=True)
        given = [array for gradient, rows in pairs for array in rows or (gradient,)]
    rates = jnp.stack([jnp.asarray(rate, jnp.float32), jnp.asarray(decay, jnp.float32)])
    new = kernel(rates, *given, *values, *(each[s] for s in rule.slots for each in slots))
    rows = [new[i : i + count] for i in range(0, len(new), count)]
    return list(rows[0]), [
        {name: row[i] for name, row in zip(rule.slots, rows[1:], strict=True)} for i in range(count)
    ]


def _rows(gradient: jax.Array) -> tuple[jax.Array, jax.Array] | None:
    """What makes up the gradient of a table, (indices, dy), where it was offered and is smaller than the table."""
    rows = fusion.taken(gradient, "rows")
    return rows if rows is not None and 0 < rows[1].size <= gradient.size else None


@lru_cache(maxsize=256)
def _kernel(
    rule: Rule, decays: tuple[bool, ...], by_rows: tuple[bool, ...]
) -> Callable[..., native.Arrays]:
    def reference(rates: jax.Array, *arrays: Any) -> native.Arrays:
        arrays = _dense(by_rows, *arrays)
        return _reference(rule, decays, rates, *arrays)

    fold = None if any(by_rows) else _fold
    return native.kernel(partial(_native, rule, decays, by_rows), reference, fold)


def _dense(by_rows: tuple[bool, ...], *arrays: Any) -> native.Arrays:
    """The same arrays with a dense gradient in the place of each (indices, dy)."""
    rest = iter(arrays)
    gradients: list[Any] = [(next(rest), next(rest)) if each else next(rest) for each in by_rows]
    values = list(rest)
    dense = [
        embedding.gradient_reference(value.shape[0], *gradient) if each else gradient
        for each, gradient, value in zip(by_rows, gradients, values, strict=False)
    ]
    return (*dense, *values)


def _native(
    rule: Rule,
    decays: tuple[bool, ...],
    by_rows: tuple[bool, ...],
    rates: jax.Array,
    *arrays: Any,
) -> native.Arrays:
    count = len(decays)
    first = count + sum(by_rows)  # where the values begin
    changing = arrays[first:]
    results = tuple(jax.ShapeDtypeStruct(a.shape, a.dtype) for a in changing)
    constants = {
        name: value if isinstance(value, bool) else np.float64(value)
        for name, value in rule.constants
    }
    return native.call(
        f"update_{rule.name}",
        results,
        rates,
        *arrays,
        aliases={1 + first + i: i for i in range(len(changing))},
        decayed=np.array(decays, np.int32),
        by_rows=np.array(by_rows, np.int32),
        slots=len(rule.slots),
        **constants,
    )


def _reference(rule: Rule, decays: Sequence[bool], rates: jax.Array, *arrays: Any) -> native.Arrays:
    count = len(decays)
    rows = [arrays[i : i + count] for i in range(0, len(arrays), count)]
    new_rows: list[list[jax.Array]] = [[] for _ in rows[1:]]
    for i, decay in enumerate(decays):
        gradient, value, *old = (row[i] for row in rows)
        value = decayed(value, rates[1]) if decay else value
        value, new = rule(gradient, value, dict(zip(rule.slots, old, strict=True)), rates[0])
        for row, array in zip(new_rows, (value, *(new[s] for s in rule.slots)), strict=True):
            row.append(array)
    return tuple(array for row in new_rows for array in row)


def _fold(f: Any, size: int, batched: Sequence[bool], *args: Any) -> Any:
    """Under vmap variables only become larger, as long as their rate is shared."""
    del size
    return None if batched[0] or not all(batched[1:]) else f(*args)

"""What a row of the layers' parity table says, and how both libraries run it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import keras as theirs
import numpy as np

from hornbeam import keras as ours

NAME = "under_test"


@dataclass(frozen=True)
class Row:
    """One layer, configured in one way and called in one way.

    `config`: the constructor's arguments; a function (keras module -> arguments) where they hold objects of a library.
    `inputs`: a shape (batch axis included) for normal floats, or an array; a list of those for a layer that takes a list,
    or, with `apart`, several arguments.
    `call`: further arguments of the call. `mask`: a mask that arrives attached to the inputs.
    `unknown`: which axes of the inputs are unknown in the symbolic call. `vague`: Keras says the symbolic shape of the
    outputs less exactly, or wrongly.
    """

    layer: str
    config: dict[str, Any] | Callable[[Any], dict[str, Any]] = field(default_factory=dict)
    inputs: Any = (2, 5)
    call: dict[str, Any] = field(default_factory=dict)
    mask: Any = None
    unknown: tuple[int, ...] = (0,)
    id: str = ""
    apart: bool = False
    vague: bool = False

    def __str__(self) -> str:
        if self.id or callable(self.config):
            return f"{self.layer}-{self.id or 'objects'}"
        said = {**self.config, **{key: _short(value) for key, value in self.call.items()}}
        text = ",".join(f"{key}={value}" for key, value in said.items()) or "defaults"
        return f"{self.layer}-{text}".replace(" ", "")

    def arguments(self, library: Any) -> dict[str, Any]:
        """The constructor's arguments for one library."""
        config = self.config(library) if callable(self.config) else self.config
        return {"name": NAME, **config}

    @property
    def dtype(self) -> str:
        """The row of the tolerance table: the type that the layer computes in."""
        policy = {} if callable(self.config) else self.config
        return str(policy.get("dtype", "float32")).replace("mixed_", "")

    def arrays(self) -> Any:
        """The inputs."""
        rng = np.random.default_rng(len(str(self)))

        def array(spec: Any) -> np.ndarray:
            return (
                rng.normal(size=spec).astype("float32")
                if isinstance(spec, tuple)
                else np.asarray(spec)
            )

        return (
            [array(spec) for spec in self.inputs]
            if isinstance(self.inputs, list)
            else array(self.inputs)
        )

    def symbols(self, library: Any) -> tuple[Any, dict[str, Any]]:
        """Symbolic inputs, and further arguments of the call, with unknown axes."""

        def symbol(value: Any) -> Any:
            if not isinstance(value, np.ndarray):
                return value
            shape = [
                None if axis in self.unknown else size for axis, size in enumerate(value.shape)
            ]
            return library.Input(batch_shape=tuple(shape), dtype=value.dtype.name)

        return jax.tree.map(symbol, (self.arrays(), self.call))

    def given(self, inputs: Any) -> tuple[Any, ...]:
        """The arguments of a call on `inputs`, or on their shapes."""
        return tuple(inputs) if self.apart else (inputs,)

    def make(self, library: Any) -> Any:
        """The layer."""
        return getattr(library.layers, self.layer)(**self.arguments(library))

    def built(self, library: Any) -> Any:
        """The layer, built for the inputs."""
        layer = self.make(library)
        arrays = self.arrays()
        shapes = [each.shape for each in arrays] if isinstance(arrays, list) else arrays.shape
        layer.build(*self.given(shapes))
        return layer


def both_built(row: Row) -> tuple[Any, Any]:
    """Our layer and theirs with the same random weights."""
    mine, peer = row.built(ours), row.built(theirs)
    rng = np.random.default_rng(7)
    values = []
    for weight in peer.weights:
        value = rng.normal(scale=0.5, size=tuple(weight.shape)).astype("float32")
        values.append(np.abs(value) + 0.5 if "variance" in weight.name else value)
    mine.set_weights(values)
    peer.set_weights(values)
    return mine, peer


def run(layers: tuple[Any, ...], row: Row) -> list[dict[str, Any]]:
    """Return each layer's outputs, losses, new values of other weights, and gradients of trainable weights and inputs.

    One program computes all of it, from the same arrays: what the layers compute alike is compiled once.
    """
    outer = [inside(layer, row) for layer in layers]
    trainable, *same = [_values(each.trainable_variables) for each in outer]
    for others in same:
        for value, other in zip(trainable, others, strict=True):
            np.testing.assert_array_equal(value, other, strict=True)
    inputs = jax.tree.map(jnp.asarray, row.arrays())
    is_float = all(x.dtype == jnp.float32 for x in jax.tree.leaves(inputs))

    def loss_of(layer: Any) -> Any:
        def loss(trainable: Any, inputs: Any, others: Any) -> Any:
            outputs, new, losses = layer.stateless_call(
                trainable, others, inputs, return_losses=True
            )
            leaves, losses = jax.tree.leaves(outputs), jax.tree.leaves(losses)
            total = sum((_weighted_sum(leaf) for leaf in leaves), start=jnp.zeros(()))
            return total + sum(map(jnp.sum, losses)), (leaves, losses, new)

        return jax.value_and_grad(loss, (0, 1) if is_float else (0,), has_aux=True)

    @jax.jit
    def compute(trainable: Any, inputs: Any, others: list[Any]) -> list[Any]:
        pairs = zip(outer, others, strict=True)
        return [loss_of(layer)(trainable, inputs, own) for layer, own in pairs]

    found = compute(trainable, inputs, [_values(each.non_trainable_variables) for each in outer])
    results = []
    for layer, ((_, (outputs, losses, new)), gradients) in zip(layers, found, strict=True):
        kept = len(layer.non_trainable_weights)  # after them come the states of random generators
        values = {
            "outputs": outputs,
            # Keras tells the losses of the layers inside in reverse.
            "losses": sorted(losses, key=float),
            "new_values": new[:kept],
            "gradients": gradients[0],
            **({"input_gradients": gradients[1]} if is_float else {}),
        }
        results.append({k: [np.asarray(x) for x in jax.tree.leaves(v)] for k, v in values.items()})
    return results


def _values(variables: Any) -> list[Any]:
    return [jnp.asarray(np.asarray(each)) for each in variables]


def _weighted_sum(x: Any) -> Any:
    """A number whose gradient in x differs from place to place."""
    if not jnp.issubdtype(x.dtype, jnp.floating):
        return jnp.zeros(())
    weights = jnp.cos(jnp.arange(x.size, dtype="float32")).reshape(x.shape)
    return jnp.sum(x.astype("float32") * weights)


def inside(layer: Any, row: Row) -> Any:
    """A layer that holds `layer`: Keras's stateless_call forgets activity regularizers of the outermost layer."""
    library = ours if isinstance(layer, ours.Layer) else theirs

    class Outer(library.layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.inner = layer
            self.built = True

        def call(self, inputs: Any) -> Any:
            return self.inner(*row.given(inputs), **row.call)

    return Outer()


def with_mask(library: Any, mask: Any) -> Any:
    """A layer that attaches a mask to what it is given."""

    class Attach(library.layers.Layer):
        def call(self, inputs: Any) -> Any:
            return inputs

        def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
            convert = library.ops.convert_to_tensor
            if isinstance(mask, list):
                return [None if each is None else convert(each) for each in mask]
            return convert(mask)

    return Attach()


def plain(config: Any) -> Any:
    """A configuration as JSON keeps it (tuples are lists), numbers to float32: Keras rounds some to that, such as l1."""
    return json.loads(json.dumps(config), parse_float=lambda text: float(f"{float(text):.6g}"))


def _short(value: Any) -> str:
    return f"array{np.shape(value)}" if np.ndim(value) else str(value)

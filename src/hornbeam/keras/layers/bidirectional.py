"""A sequence read in both directions."""

from __future__ import annotations

from typing import Any, Unpack

from hornbeam import ops
from hornbeam.core import tree
from hornbeam.keras.engine.arguments import CommonArguments
from hornbeam.keras.engine.layer import Layer

__all__ = ["Bidirectional"]

_MERGE = {
    "sum": ops.add,
    "mul": ops.multiply,
    "ave": lambda a, b: (a + b) / 2,
    "concat": lambda a, b: ops.concatenate([a, b], axis=-1),
}
_SHARED = ("stateful", "return_sequences", "return_state")


class Bidirectional(Layer):
    """Run a recurrent layer forwards and a copy of it backwards, and merge their outputs step by step.

    Shapes: (b, t, d) -> as the layer's; its last axis is doubled with `merge_mode` "concat".

    `layer` is a model for the two layers `forward_layer` and `backward_layer`; it is not used itself. A
    `backward_layer` that is given is used as it is. `merge_mode` is "concat", "sum", "mul", "ave", or None for both
    outputs in a tuple. With `return_state`, the forward states and then the backward states follow the output;
    `initial_state` has the same order. In sequences, outputs at masked steps are 0.

    Raises ValueError for an unknown `merge_mode`, and for layers that don't fit: no recurrent ones, of the same
    direction, or with other options.

    >>> from hornbeam import keras
    >>> layer = keras.layers.Bidirectional(keras.layers.LSTM(4, return_sequences=True))
    >>> layer(keras.ops.ones((2, 5, 3))).shape
    TensorShape([2, 5, 8])
    """

    def __init__(
        self,
        layer: Layer,
        merge_mode: str | None = "concat",
        weights: Any = None,
        backward_layer: Layer | None = None,
        **kwargs: Unpack[CommonArguments],
    ) -> None:
        _check_recurrent("layer", layer)
        if merge_mode is not None and merge_mode not in _MERGE:
            raise ValueError(
                f"`merge_mode` is one of {', '.join(map(repr, _MERGE))} or None; received {merge_mode!r}."
            )
        super().__init__(weights=weights, **kwargs)
        self.merge_mode = merge_mode
        name = layer.name.removeprefix("forward_")
        self.forward_layer: Any = _copy(layer, f"forward_{name}")
        if backward_layer is None:
            self.backward_layer: Any = _copy(layer, f"backward_{layer.name}", go_backwards=True)
        else:
            _check_recurrent("backward_layer", backward_layer)
            self.backward_layer = backward_layer
        self._check_pair()
        # What a step that is not there gave would otherwise be merged with what a real one gave.
        for each in (self.forward_layer, self.backward_layer):
            if each.return_sequences:
                each.zero_output_for_mask = True
        self.return_sequences = layer.return_sequences
        self.return_state = layer.return_state
        self.stateful = layer.stateful
        self.supports_masking = True
        self.input_spec = layer.input_spec

    def _check_pair(self) -> None:
        forward, backward = self.forward_layer, self.backward_layer
        if forward.go_backwards == backward.go_backwards:
            raise ValueError(
                f"One layer of a Bidirectional reads forwards, the other one backwards; received go_backwards="
                f"{forward.go_backwards} for both {forward.name!r} and {backward.name!r}."
            )
        for name in _SHARED:
            if getattr(forward, name) != getattr(backward, name):
                raise ValueError(
                    f"Both layers of a Bidirectional need the same {name!r}; received {getattr(forward, name)} for "
                    f"`layer` and {getattr(backward, name)} for `backward_layer`."
                )

    @property
    def layer(self) -> Layer:
        """The layer that reads forwards."""
        return self.forward_layer

    @property
    def states(self) -> tuple[Any, ...] | None:
        """The states that stateful layers keep, forward ones first; None if there are none."""
        both = (self.forward_layer.states, self.backward_layer.states)
        return None if None in both else tuple(tree.flatten(both))

    def reset_state(self) -> None:
        """Set the states back to their start, for the next call."""
        self.forward_layer.reset_state()
        self.backward_layer.reset_state()

    def reset_states(self) -> None:
        """Do the same as `reset_state`."""
        self.reset_state()

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        """Build both layers."""
        for each in (self.forward_layer, self.backward_layer):
            if not each.built:
                each.build(sequences_shape)

    def call(
        self,
        sequences: Any,
        initial_state: Any = None,
        mask: Any = None,
        training: bool | None = None,
    ) -> Any:
        """(b, t, d) -> the merged output, with `return_state` followed by the states of both layers"""
        forward_states, backward_states = self._split_states(initial_state)
        forward = self._read(self.forward_layer, sequences, forward_states, mask, training)
        backward = self._read(self.backward_layer, sequences, backward_states, mask, training)
        states: tuple[Any, ...] = ()
        if self.return_state:
            forward, *forward_states = forward
            backward, *backward_states = backward
            states = (*forward_states, *backward_states)
        if self.return_sequences:
            backward = ops.flip(backward, axis=1)
        if self.merge_mode is None:
            return (forward, backward, *states)
        output = _MERGE[self.merge_mode](forward, backward)
        return (output, *states) if states else output

    def _read(
        self, layer: Any, sequences: Any, states: Any, mask: Any, training: bool | None
    ) -> Any:
        options = {"initial_state": states, "mask": mask, "training": training}
        return layer(
            sequences, **{key: value for key, value in options.items() if value is not None}
        )

    def _split_states(self, initial_state: Any) -> tuple[Any, Any]:
        if initial_state is None:
            return None, None
        states = (
            list(initial_state) if isinstance(initial_state, (list, tuple)) else [initial_state]
        )
        half = len(states) // 2
        if len(states) % 2:
            raise ValueError(
                f"The layer {self.name!r} (Bidirectional) takes as `initial_state` a list of the forward layer's states "
                f"followed by as many for the backward layer; received {len(states)}."
            )
        return states[:half], states[half:]

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """Return the mask of the inputs if the outputs are sequences, else None."""
        mask = previous_mask if self.return_sequences else None
        return (mask, mask) if self.merge_mode is None else mask


def _check_recurrent(name: str, layer: Any) -> None:
    missing = [each for each in ("go_backwards", *_SHARED) if not hasattr(layer, each)]
    if not isinstance(layer, Layer) or missing:
        raise ValueError(
            f"Bidirectional takes recurrent layers such as keras.layers.LSTM(8); received {name}={layer!r}, which has "
            f"no {', '.join(map(repr, missing))}."
        )


def _copy(layer: Layer, name: str, **changes: Any) -> Layer:
    return type(layer).from_config({**layer.get_config(), "name": name, **changes})

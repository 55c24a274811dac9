"""Activations, losses, convolutions, pooling and recurrence under the names of `keras.backend`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from hornbeam import ops
from hornbeam.core.config import epsilon
from hornbeam.core.signatures import of_x
from hornbeam.core.typing import TensorLike
from hornbeam.keras.backend.shaping import Format, data_format_of
from hornbeam.nn import normalization
from hornbeam.nn.crossentropy import sigmoid_cross_entropy_with_logits
from hornbeam.ops.activations import shaped_relu

Ints = int | Sequence[int]

softplus = of_x(ops.softplus)
softsign = of_x(ops.softsign)


def relu(
    x: TensorLike, alpha: float = 0.0, max_value: float | None = None, threshold: float = 0.0
) -> Any:
    """Return x from `threshold` up, at most `max_value`; alpha (x - threshold) below.

    >>> from hornbeam.keras import backend as K
    >>> K.relu(K.constant([-2.0, 1.0, 9.0]), alpha=0.5, max_value=6.0).numpy()
    array([-1.,  1.,  6.], dtype=float32)
    """
    return shaped_relu(x, alpha, max_value, threshold)


def elu(x: TensorLike, alpha: float = 1.0) -> Any:
    """Return x for x > 0, alpha (e^x - 1) below."""
    return ops.elu(x, alpha)


def hard_sigmoid(x: TensorLike) -> Any:
    """Return 0.2 x + 0.5, clipped to [0, 1]; `keras.ops.hard_sigmoid` is steeper at the ends: x / 6 + 0.5."""
    return ops.clip(ops.add(ops.multiply(x, 0.2), 0.5), 0, 1)


def softmax(x: Any, axis: int | Sequence[int] = -1) -> Any:
    """Return exp(x) / sum(exp(x)) along an axis; x has two axes or more."""
    if len(x.shape) < 2:
        raise ValueError(f"`softmax` takes a tensor of 2 axes or more; received shape {x.shape}.")
    return ops.softmax(x, axis)


def dropout(x: TensorLike, level: float, noise_shape: Any = None, seed: int | None = None) -> Any:
    """Return x with elements set to 0 with probability `level`, the others scaled by 1 / (1 - level)."""
    return normalization.dropout(x, level, noise_shape, seed)


def bias_add(x: Any, bias: Any, data_format: Format = None) -> Any:
    """Return x plus a bias for each channel, or for each place and channel."""
    layout = data_format_of(data_format)
    if len(bias.shape) == 1:
        return normalization.bias_add(x, bias, "NCHW" if layout == "channels_first" else None)
    if len(bias.shape) != len(x.shape) - 1:
        raise ValueError(
            f"`bias` has one axis, or one less than x. Received bias of shape {tuple(bias.shape)}, x of shape {tuple(x.shape)}."
        )
    if layout == "channels_first":
        bias = ops.moveaxis(bias, -1, 0)
    return ops.add(x, ops.expand_dims(bias, 0))


def batch_normalization(
    x: TensorLike,
    mean: TensorLike,
    var: TensorLike,
    beta: TensorLike | None,
    gamma: TensorLike | None,
    axis: int = -1,
    epsilon: float = 1e-3,
) -> Any:
    """Return gamma (x - mean) / sqrt(var + epsilon) + beta."""
    return normalization.batch_normalization(x, mean, var, beta, gamma, epsilon)


def binary_crossentropy(target: TensorLike, output: TensorLike, from_logits: bool = False) -> Any:
    """Return -(target log(output) + (1 - target) log(1 - output)) for each element, kept away from log(0).

    >>> from hornbeam.keras import backend as K
    >>> K.binary_crossentropy(K.constant([1.0, 0.0]), K.constant([0.5, 0.5])).numpy()
    array([0.693147, 0.693147], dtype=float32)
    """
    if from_logits:
        return sigmoid_cross_entropy_with_logits(target, output)
    small = epsilon()
    output = ops.clip(output, small, 1.0 - small)
    hit = ops.multiply(target, ops.log(ops.add(output, small)))
    rest = ops.log(ops.add(ops.subtract(1, output), small))
    return ops.negative(ops.add(hit, ops.multiply(ops.subtract(1, target), rest)))


def binary_focal_crossentropy(
    target: TensorLike,
    output: TensorLike,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
) -> Any:
    """Return (1 - p)^gamma times the binary cross-entropy, where p is the probability of the true class."""
    chance = ops.sigmoid(output) if from_logits else output
    others = ops.subtract(1, target)
    p = ops.add(ops.multiply(target, chance), ops.multiply(others, ops.subtract(1, chance)))
    loss = ops.multiply(
        ops.power(ops.subtract(1.0, p), gamma), binary_crossentropy(target, output, from_logits)
    )
    if not apply_class_balancing:
        return loss
    weight = ops.add(ops.multiply(target, alpha), ops.multiply(others, 1 - alpha))
    return ops.multiply(weight, loss)


def categorical_crossentropy(
    target: TensorLike, output: TensorLike, from_logits: bool = False, axis: int = -1
) -> Any:
    """Return -sum(target log(output)) along an axis; without logits, output is divided by its sum first."""
    return ops.categorical_crossentropy(target, output, from_logits, axis)


def categorical_focal_crossentropy(
    target: TensorLike,
    output: TensorLike,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    axis: int = -1,
) -> Any:
    """Return sum(alpha (1 - p)^gamma -target log(p)) along an axis, p the output made to add up to 1."""
    p = ops.softmax(output, axis) if from_logits else output
    p = ops.divide(p, ops.sum(p, axis, keepdims=True))
    p = ops.clip(p, epsilon(), 1.0 - epsilon())
    weight = ops.multiply(ops.power(ops.subtract(1.0, p), gamma), alpha)
    losses = ops.multiply(weight, ops.multiply(target, ops.negative(ops.log(p))))
    return ops.sum(losses, axis)


def sparse_categorical_crossentropy(
    target: TensorLike,
    output: TensorLike,
    from_logits: bool = False,
    axis: int = -1,
    ignore_class: int | None = None,
) -> Any:
    """Return -log(output[target]); 0 where the target is `ignore_class`."""
    if ignore_class is None:
        return ops.sparse_categorical_crossentropy(target, output, from_logits, axis)
    target = ops.cast(target, "int32")
    valid = ops.not_equal(target, ignore_class)
    losses = ops.sparse_categorical_crossentropy(
        ops.where(valid, target, 0), output, from_logits, axis
    )
    return ops.where(valid, losses, 0)


def conv1d(
    x: TensorLike,
    kernel: TensorLike,
    strides: Ints = 1,
    padding: str = "valid",
    data_format: Format = None,
    dilation_rate: Ints = 1,
) -> Any:
    """Return the convolution (b, t, c), (k, c, filters) -> (b, t', filters); `padding` "causal" pads before only."""
    return ops.conv(x, kernel, strides, padding, data_format_of(data_format), dilation_rate)


def conv2d(
    x: TensorLike,
    kernel: TensorLike,
    strides: Ints = (1, 1),
    padding: str = "valid",
    data_format: Format = None,
    dilation_rate: Ints = (1, 1),
) -> Any:
    """Return the convolution (b, h, w, c), (k, k, c, filters) -> (b, h', w', filters)"""
    return ops.conv(x, kernel, strides, padding, data_format_of(data_format), dilation_rate)


def conv3d(
    x: TensorLike,
    kernel: TensorLike,
    strides: Ints = (1, 1, 1),
    padding: str = "valid",
    data_format: Format = None,
    dilation_rate: Ints = (1, 1, 1),
) -> Any:
    """Return the convolution (b, d, h, w, c), (k, k, k, c, filters) -> (b, d', h', w', filters)"""
    return ops.conv(x, kernel, strides, padding, data_format_of(data_format), dilation_rate)


def conv2d_transpose(
    x: Any,
    kernel: Any,
    output_shape: Sequence[int | None],
    strides: Sequence[int] = (1, 1),
    padding: str = "valid",
    data_format: Format = None,
    dilation_rate: Sequence[int] = (1, 1),
) -> Any:
    """Return the transposed convolution (b, h, w, c), (k, k, filters, c) -> `output_shape`."""
    layout = data_format_of(data_format)
    first = 1 if layout == "channels_last" else 2
    extra: list[int] = []
    for axis, stride in enumerate(strides):
        width = (kernel.shape[axis] - 1) * dilation_rate[axis] + 1
        size, wanted = x.shape[first + axis], output_shape[first + axis]
        if wanted is None or not 0 <= wanted - (size - 1) * stride - _rest(width, padding) < stride:
            raise ValueError(
                f"`output_shape` {tuple(output_shape)} does not fit inputs of shape {tuple(x.shape)} with strides "
                f"{tuple(strides)} and padding {padding!r}: a convolution of that shape has another output."
            )
        extra.append(wanted - (size - 1) * stride - width + 2 * _margin(width, padding))
    return ops.conv_transpose(
        x, kernel, tuple(strides), padding, tuple(extra), layout, tuple(dilation_rate)
    )


def _margin(width: int, padding: str) -> int:
    return width // 2 if padding == "same" else 0


def _rest(width: int, padding: str) -> int:
    """Return how much of the last window lies inside of the shortest output."""
    return 1 if padding == "same" else width


def depthwise_conv2d(
    x: TensorLike,
    depthwise_kernel: TensorLike,
    strides: Ints = (1, 1),
    padding: str = "valid",
    data_format: Format = None,
    dilation_rate: Ints = (1, 1),
) -> Any:
    """Return the convolution of each channel with its own filters: (b, h, w, c), (k, k, c, m) -> (b, h', w', c m)"""
    return ops.depthwise_conv(
        x, depthwise_kernel, strides, padding, data_format_of(data_format), dilation_rate
    )


def separable_conv2d(
    x: TensorLike,
    depthwise_kernel: TensorLike,
    pointwise_kernel: TensorLike,
    strides: Ints = (1, 1),
    padding: str = "valid",
    data_format: Format = None,
    dilation_rate: Ints = (1, 1),
) -> Any:
    """Return `depthwise_conv2d`, then a convolution of size 1 that mixes the channels."""
    return ops.separable_conv(
        x,
        depthwise_kernel,
        pointwise_kernel,
        strides,
        padding,
        data_format_of(data_format),
        dilation_rate,
    )


def _pool(
    x: TensorLike, size: Ints, strides: Ints, padding: str, data_format: Format, mode: str
) -> Any:
    if mode not in ("max", "avg"):
        raise ValueError(f"`pool_mode` is 'max' or 'avg'; received {mode!r}.")
    pool = ops.max_pool if mode == "max" else ops.average_pool
    return pool(x, size, strides, padding, data_format_of(data_format))


def pool2d(
    x: TensorLike,
    pool_size: Ints,
    strides: Ints = (1, 1),
    padding: str = "valid",
    data_format: Format = None,
    pool_mode: str = "max",
) -> Any:
    """Return the largest element of each window of an image, or with `pool_mode` "avg" the mean."""
    return _pool(x, pool_size, strides, padding, data_format, pool_mode)


def pool3d(
    x: TensorLike,
    pool_size: Ints,
    strides: Ints = (1, 1, 1),
    padding: str = "valid",
    data_format: Format = None,
    pool_mode: str = "max",
) -> Any:
    """Return the largest element of each window of a volume, or with `pool_mode` "avg" the mean."""
    return _pool(x, pool_size, strides, padding, data_format, pool_mode)


def rnn(
    step_function: Callable[[Any, Any], tuple[Any, Any]],
    inputs: Any,
    initial_states: Sequence[TensorLike],
    go_backwards: bool = False,
    mask: Any = None,
    constants: Sequence[TensorLike] | None = None,
    unroll: bool = False,
    input_length: Any = None,
    time_major: bool = False,
    zero_output_for_mask: bool = False,
    return_all_outputs: bool = True,
) -> tuple[Any, Any, list[Any]]:
    """Compute output[t], states = step_function(inputs[t], states) and return the last output, all outputs, the last states.

    inputs: (b, t, ...), or (t, b, ...) with `time_major`, which then holds for the outputs too. The step gets `constants`
    after its states. Without `return_all_outputs` the outputs are the last one alone, (b, 1, ...).
    """
    extra = list(constants or ())

    def step(x: Any, states: Any) -> tuple[Any, Any]:
        output, after = step_function(x, [*states, *extra])
        return output, list(after)

    if time_major:
        inputs, mask = _swapped(inputs), None if mask is None else _swapped(mask)
    last, outputs, states = ops.rnn(
        step,
        inputs,
        list(initial_states),
        go_backwards=go_backwards,
        mask=mask,
        unroll=unroll,
        zero_output_for_mask=zero_output_for_mask,
        return_sequences=True,
    )
    if not return_all_outputs:
        outputs = ops.expand_dims(last, 1)
    return last, _swapped(outputs) if time_major else outputs, list(states)


def _swapped(x: Any) -> Any:
    return ops.swapaxes(x, 0, 1)

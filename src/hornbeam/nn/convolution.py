"""Convolution and pooling under TensorFlow's names and argument order."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.core.tensor import convert_to_tensor

_FIRST = ("NCW", "NCHW", "NCDHW")


def _layout(data_format: str | None) -> str:
    if data_format is not None and data_format not in (*_FIRST, "NWC", "NHWC", "NDHWC"):
        raise ValueError(
            f"`data_format` is 'NHWC' or 'NCHW' (or 'NWC', 'NDHWC', ...); received {data_format!r}."
        )
    return "channels_first" if data_format in _FIRST else "channels_last"


def _sizes(values: Any, rank: int, data_format: str | None, what: str) -> tuple[int, ...]:
    """Sizes of the spatial axes: given as a number, for them alone, or for all axes of the input."""
    if isinstance(values, int):
        return (values,) * rank
    values = tuple(int(v) for v in values)
    if len(values) == 1:
        return values * rank
    if len(values) == rank + 2:
        return values[2:] if data_format in _FIRST else values[1:-1]
    if len(values) != rank:
        raise ValueError(
            f"`{what}` is a number or a list of {rank} or {rank + 2}; received {list(values)}."
        )
    return values


def _images(title: str, x: Any, rank: int | None = None) -> Any:
    """Return `x` as something with a shape; raise ValueError unless it has `rank` spatial axes, by default 1 to 3."""
    x = x if hasattr(x, "shape") else convert_to_tensor(x)
    axes = len(x.shape)
    if axes - 2 not in ((1, 2, 3) if rank is None else (rank,)):
        expected = "3 to 5 axes" if rank is None else f"{rank + 2} axes"
        raise ValueError(
            f"`tf.nn.{title}` takes an input of {expected} (a batch, space, channels); received one of shape {tuple(x.shape)}."
        )
    return x


def _conv(
    rank: int,
    x: Any,
    filters: Any,
    strides: Any,
    padding: Any,
    data_format: str | None,
    dilations: Any,
) -> Any:
    x = _images(f"conv{rank}d", x, rank)
    kind = ops.dtype(x)
    is_whole = kind.is_integer
    if is_whole:  # floats of 64 bits hold what int32 can hold
        x, filters = ops.cast(x, "float64"), ops.cast(filters, "float64")
    found = ops.conv(
        x,
        filters,
        strides=_sizes(strides, rank, data_format, "strides"),
        padding=_padding(padding),
        data_format=_layout(data_format),
        dilation_rate=_sizes(1 if dilations is None else dilations, rank, data_format, "dilations"),
    )
    return ops.cast(found, kind) if is_whole else found


def _padding(padding: Any) -> str:
    if not isinstance(padding, str) or padding.upper() not in ("SAME", "VALID"):
        raise ValueError(
            f"`padding` is 'SAME' or 'VALID'; received {padding!r}. For a margin of your own use tf.pad."
        )
    return padding.lower()


def conv1d(
    input: Any,
    filters: Any,
    stride: Any,
    padding: str,
    data_format: str = "NWC",
    dilations: Any = None,
    name: str | None = None,
) -> Any:
    """Convolution over one axis. (b, w, c) with filters (k, c, n) -> (b, w, n)"""
    return _conv(1, input, filters, stride, padding, data_format, dilations)


def conv2d(
    input: Any,
    filters: Any,
    strides: Any,
    padding: str,
    data_format: str = "NHWC",
    dilations: Any = None,
    name: str | None = None,
) -> Any:
    """Convolution over two axes. (b, h, w, c) with filters (k, l, c, n) -> (b, h, w, n)

    >>> import hornbeam as tf
    >>> tf.nn.conv2d(tf.ones([1, 3, 3, 1]), tf.ones([3, 3, 1, 1]), 1, "VALID").numpy().item()
    9.0
    """
    return _conv(2, input, filters, strides, padding, data_format, dilations)


def conv3d(
    input: Any,
    filters: Any,
    strides: Any,
    padding: str,
    data_format: str = "NDHWC",
    dilations: Any = None,
    name: str | None = None,
) -> Any:
    """Convolution over three axes."""
    return _conv(3, input, filters, strides, padding, data_format, dilations)


def depthwise_conv2d(
    input: Any,
    filter: Any,
    strides: Any,
    padding: str,
    data_format: str | None = None,
    dilations: Any = None,
    name: str | None = None,
) -> Any:
    """Convolution of each channel with filters of its own. (b, h, w, c), (k, l, c, m) -> (b, h, w, c m)"""
    return ops.depthwise_conv(
        _images("depthwise_conv2d", input, 2),
        filter,
        strides=_sizes(strides, 2, data_format, "strides"),
        padding=_padding(padding),
        data_format=_layout(data_format),
        dilation_rate=_sizes(1 if dilations is None else dilations, 2, data_format, "dilations"),
    )


def _pool(
    pool: Any, x: Any, ksize: Any, strides: Any, padding: Any, data_format: str | None
) -> Any:
    rank = len(x.shape) - 2
    size = _sizes(ksize, rank, data_format, "ksize")
    step = _sizes(strides, rank, data_format, "strides")
    return pool(x, size, strides=step, padding=_padding(padding), data_format=_layout(data_format))


def max_pool1d(
    input: Any,
    ksize: Any,
    strides: Any,
    padding: str,
    data_format: str = "NWC",
    name: str | None = None,
) -> Any:
    """The greatest value in each window."""
    return _pool(
        ops.max_pool, _images("max_pool1d", input, 1), ksize, strides, padding, data_format
    )


def max_pool2d(
    input: Any,
    ksize: Any,
    strides: Any,
    padding: str,
    data_format: str = "NHWC",
    name: str | None = None,
) -> Any:
    """The greatest value in each window. (b, h, w, c) -> (b, h, w, c)"""
    return _pool(
        ops.max_pool, _images("max_pool2d", input, 2), ksize, strides, padding, data_format
    )


def max_pool(
    input: Any,
    ksize: Any,
    strides: Any,
    padding: str,
    data_format: str | None = None,
    name: str | None = None,
) -> Any:
    """The greatest value in each window, over as many axes as `input` has between batch and channels."""
    return _pool(ops.max_pool, _images("max_pool", input), ksize, strides, padding, data_format)


def avg_pool1d(
    input: Any,
    ksize: Any,
    strides: Any,
    padding: str,
    data_format: str = "NWC",
    name: str | None = None,
) -> Any:
    """The mean of each window."""
    return _pool(
        ops.average_pool, _images("avg_pool1d", input, 1), ksize, strides, padding, data_format
    )


def avg_pool2d(
    input: Any,
    ksize: Any,
    strides: Any,
    padding: str,
    data_format: str = "NHWC",
    name: str | None = None,
) -> Any:
    """The mean of each window. (b, h, w, c) -> (b, h, w, c)"""
    return _pool(
        ops.average_pool, _images("avg_pool2d", input, 2), ksize, strides, padding, data_format
    )


def avg_pool(
    input: Any,
    ksize: Any,
    strides: Any,
    padding: str,
    data_format: str | None = None,
    name: str | None = None,
) -> Any:
    """The mean of each window, over as many axes as `input` has between batch and channels."""
    return _pool(ops.average_pool, _images("avg_pool", input), ksize, strides, padding, data_format)

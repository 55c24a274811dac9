"""One row per way of calling an op: its name, the names of the arrays it is called on, and keyword arguments.

Each name is one positional array. Names in brackets are passed as one list or tuple: "[floats more_floats]".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np


def arrays() -> dict[str, np.ndarray]:
    """Return the arrays that rows name."""
    draw = np.random.default_rng(7)
    f = draw.normal(size=(3, 4)).astype("float32")
    s = draw.normal(size=(4, 4)).astype("float32")
    gaps = f.copy()
    gaps[0, 1] = gaps[2, 2] = np.nan
    special = np.array([[1.5, np.nan, np.inf, 0.0], [-np.inf, -0.0, 2.5, -1.0]], "float32")
    return {
        "floats": f,
        "more_floats": draw.normal(size=(3, 4)).astype("float32"),
        "positive": draw.uniform(0.5, 3, (3, 4)).astype("float32"),
        "above_one": draw.uniform(1.1, 3, (3, 4)).astype("float32"),
        "fractions": draw.uniform(0.05, 0.95, (3, 4)).astype("float32"),  # inside (0, 1)
        "one_hot": np.eye(4, dtype="float32")[[1, 0, 3]],
        "integers": draw.integers(-5, 6, (3, 4)).astype("int32"),
        "counts": draw.integers(1, 7, (3, 4)).astype("int32"),
        "classes": draw.integers(0, 4, (3,)).astype("int32"),
        "bools": draw.integers(0, 2, (3, 4)).astype("bool"),
        "more_bools": draw.integers(0, 2, (3, 4)).astype("bool"),
        "gaps": gaps,
        "special": special,
        "vector": draw.normal(size=(5,)).astype("float32"),
        "ascending": np.sort(draw.normal(size=(5,))).astype("float32"),
        "triples": draw.normal(size=(2, 3)).astype("float32"),
        "square": s,
        "definite": s @ s.T + 4 * np.eye(4, dtype="float32"),  # positive definite
        "lower": np.tril(s) + 4 * np.eye(4, dtype="float32"),
        "squares": draw.normal(size=(2, 4, 4)).astype("float32"),
        "images": draw.normal(size=(2, 8, 6, 4)).astype("float32"),
        "ties": np.maximum(draw.integers(-3, 4, (2, 7, 8, 3)), 0).astype("float32"),  # many ties
        "sequences": draw.normal(size=(2, 9, 4)).astype("float32"),
        "queries": draw.normal(size=(2, 5, 4, 8)).astype("float32"),  # b t heads d
        "keys": draw.normal(size=(2, 6, 2, 8)).astype("float32"),  # half as many heads
        "attention_mask": draw.integers(0, 2, (2, 1, 5, 6)).astype("bool"),
        "kernel": draw.normal(size=(3, 3, 4, 6)).astype("float32"),
        "grouped_kernel": draw.normal(size=(3, 3, 2, 6)).astype("float32"),  # of two groups
        "depthwise_kernel": draw.normal(size=(3, 3, 4, 2)).astype("float32"),
        "pointwise_kernel": draw.normal(size=(1, 1, 8, 5)).astype("float32"),
        "transposed_kernel": draw.normal(size=(3, 3, 5, 4)).astype("float32"),
        "kernel_1d": draw.normal(size=(3, 4, 5)).astype("float32"),
        "kernel_3d": draw.normal(size=(2, 2, 2, 3, 2)).astype("float32"),
        "volumes": draw.normal(size=(1, 5, 6, 5, 3)).astype("float32"),  # volumes
        "four": draw.normal(size=(4,)).astype("float32"),
        "four_positive": draw.uniform(0.5, 2, (4,)).astype("float32"),
        "signal": draw.normal(size=(16,)).astype("float32"),
        "pairs": draw.normal(size=(3, 2)).astype("float32"),
        "places": draw.integers(0, 4, (4, 4)).astype("int32"),
        "label_rows": np.array([[1, 2, 0], [3, 3, 1]], "int32"),
        "label_counts": np.array([2, 3], "int32"),
        "frame_counts": np.array([9, 7], "int32"),
    }


class Case(NamedTuple):
    """A call: ops.name(*inputs, **kwargs)."""

    name: str
    inputs: str
    kwargs: dict[str, Any]

    def __str__(self) -> str:
        keywords = [f"{key}={value}" for key, value in self.kwargs.items()]
        return f"{self.name}({', '.join([self.inputs, *keywords] if self.inputs else keywords)})"

    def places(self) -> list[str]:
        """Return the names without brackets."""
        return re.findall(r"\w+", self.inputs)

    def arguments(self, values: list[Any]) -> list[Any]:
        """Return one value per place, packed as the brackets say."""
        found: list[Any] = []
        inside = found
        left = iter(values)
        for part in re.findall(r"\w+|[\[\]()]", self.inputs):
            if part in "[(":
                inside = []
            elif part in "])":
                found.append(inside if part == "]" else tuple(inside))
                inside = found
            else:
                inside.append(next(left))
        return found


def row(name: str, inputs: str, **kwargs: Any) -> Case:
    return Case(name, inputs, kwargs)


def each(names: str, *inputs: str, **kwargs: Any) -> Iterator[Case]:
    """Yield the same call of several ops."""
    for name in names.split():
        for one in inputs:
            yield Case(name, one, kwargs)


def axes(names: str, inputs: str, keepdims: bool = True) -> Iterator[Case]:
    """Yield a reduction over everything, one axis and, kept, another."""
    for name in names.split():
        yield Case(name, inputs, {})
        yield Case(name, inputs, {"axis": 1})
        if keepdims:
            yield Case(name, inputs, {"axis": -2, "keepdims": True})


ELEMENTWISE = [
    *each(
        "exp exp2 expm1 sin cos tan sinh cosh tanh arcsinh arctan deg2rad rad2deg",
        "floats",
        "integers",
    ),
    *each("sinc", "positive", "integers"),  # near 0 the bits of JAX's slopes are lost
    *each("log log10 log1p log2 sqrt cbrt reciprocal i0", "positive", "counts"),
    *each("arcsin arccos arctanh erfinv", "fractions"),
    *each("arccosh", "above_one"),
    row("rsqrt", "positive"),
    *each("erf erfc fabs floor ceil trunc round sign signbit square", "floats"),
    *each("floor ceil trunc round sign square fabs", "integers"),
    *each("abs absolute negative", "floats", "integers"),
    *each("real imag conj conjugate angle isreal", "floats"),
    *each("isnan isinf isfinite isposinf isneginf nan_to_num signbit", "special"),
    row("nan_to_num", "special", nan=7.0, posinf=1.0, neginf=-1.0),
    row("round", "floats", decimals=1),
    row("clip", "floats", x_min=-0.5, x_max=0.5),
    row("clip", "integers", x_min=-2, x_max=2),
    row("copy", "floats"),
    row("polar", "positive floats"),
    row("view_as_complex", "pairs"),
    row("view_as_real", "floats"),
    row("view", "floats", dtype="int32"),
    row("cast", "floats", dtype="int32"),
    row("cast", "bools", dtype="float16"),
    row("saturate_cast", "integers", dtype="uint8"),
    row("saturate_cast", "floats", dtype="uint8"),
    row("stop_gradient", "floats"),
]
BINARY = [
    *each(
        "add subtract multiply divide true_divide maximum minimum power",
        "positive above_one",
        "counts counts",
        "positive counts",
        "integers four_positive",
    ),
    *each("floor_divide mod fmod", "floats positive", "integers counts"),
    *each("fmax fmin", "gaps floats"),
    *each(
        "arctan2 hypot logaddexp logaddexp2 nextafter heaviside divide_no_nan", "floats more_floats"
    ),
    row("divide_no_nan", "integers bools"),
    row("ldexp", "floats counts"),
    *each("gcd lcm bitwise_and bitwise_or bitwise_xor", "integers counts"),
    *each("left_shift right_shift bitwise_left_shift bitwise_right_shift", "counts counts"),
    *each("bitwise_not bitwise_invert", "integers", "bools"),
    *each(
        "equal not_equal less less_equal greater greater_equal",
        "integers counts",
        "floats integers",
    ),
    *each("logical_and logical_or logical_xor", "bools more_bools", "integers bools"),
    row("logical_not", "bools"),
    *each("isclose allclose", "floats floats", "floats more_floats"),
    row("isin", "integers counts"),
    row("where", "bools floats more_floats"),
    row("where", "bools integers counts"),
    row("select", "[bools more_bools] [floats more_floats]", default=3.0),
]
REDUCTION = [
    *axes("sum prod mean std var max min amax amin all any ptp logsumexp median", "floats"),
    *axes("sum prod mean std var max min", "integers"),
    *axes("argmax argmin", "integers"),
    *axes(
        "nansum nanprod nanmax nanmin nanmean nanmedian nanstd nanvar nanargmax nanargmin", "gaps"
    ),
    *axes("cumsum cumprod nancumsum nancumprod count_nonzero", "floats", keepdims=False),
    *each("sum mean var max logsumexp median", "squares", axis=(0, 2)),
    row("cumsum", "integers", axis=0, dtype="float32"),
    row("prod", "integers", dtype="float32"),
    row("max", "floats", initial=0.5),
    row("average", "floats"),
    row("average", "integers", axis=1),
    *each("quantile nanquantile", "floats", q=0.3),
    row("quantile", "floats", q=[0.25, 0.5], axis=1),
    row("quantile", "floats", q=0.4, method="nearest", keepdims=True),
    *each("percentile nanpercentile", "floats", q=30, axis=0),
    *each("sort argsort", "floats", "integers"),
    row("sort", "floats", axis=0),
    row("argpartition", "vector", kth=2),
    row("top_k", "floats", k=2),
    row("in_top_k", "classes fractions", k=2),
    row("searchsorted", "ascending vector"),
    row("searchsorted", "ascending vector", side="right"),
    row("digitize", "vector ascending"),
    row("bincount", "classes"),
    row("bincount", "counts", minlength=9),
    row("histogram", "vector", bins=5),
    row("histogram", "vector", bins=4, range=(-1.0, 1.0)),
    row("unique", "classes"),
    row("unique", "counts", return_inverse=True, return_counts=True),
    row("corrcoef", "floats"),
    *each("correlate", "vector ascending", mode="same"),
    row("diff", "floats"),
    row("diff", "floats", n=2, axis=0),
    row("trapezoid", "floats"),
    row("trapezoid", "floats", dx=0.5, axis=0),
    *each("segment_sum segment_prod segment_max segment_min", "floats classes", num_segments=4),
]
SHAPES = [
    row("reshape", "floats", newshape=(2, -1)),
    row("reshape", "floats", newshape=-1),
    *each(
        "ravel squeeze transpose flip fliplr flipud rot90 trace diagonal tril triu diag", "square"
    ),
    row("diag", "vector", k=1),
    row("diagflat", "vector", k=-1),
    row("squeeze", "pointwise_kernel", axis=(0, 1)),
    row("expand_dims", "floats", axis=1),
    row("expand_dims", "floats", axis=(0, -1)),
    row("transpose", "squares", axes=(2, 0, 1)),
    row("moveaxis", "squares", source=0, destination=-1),
    row("swapaxes", "squares", axis1=0, axis2=2),
    row("broadcast_to", "four", shape=(3, 4)),
    row("flip", "floats", axis=1),
    row("roll", "floats", shift=2),
    row("roll", "floats", shift=1, axis=0),
    row("rot90", "squares", k=3, axes=(1, 2)),
    row("concatenate", "[floats more_floats]", axis=1),
    row("concatenate", "[floats integers]"),
    *each("stack hstack vstack dstack", "[floats more_floats]"),
    row("stack", "[floats more_floats]", axis=-1),
    row("append", "floats more_floats"),
    row("append", "floats more_floats", axis=0),
    row("split", "floats", indices_or_sections=3),
    row("split", "floats", indices_or_sections=[1, 3], axis=1),
    row("array_split", "floats", indices_or_sections=3, axis=1),
    *each("hsplit vsplit dsplit", "squares", indices_or_sections=2),
    row("unstack", "floats", axis=1),
    row("tile", "floats", repeats=(2, 1)),
    row("repeat", "floats", repeats=2),
    row("repeat", "floats", repeats=3, axis=0),
    row("pad", "floats", pad_width=((1, 0), (2, 1))),
    row("pad", "floats", pad_width=1, mode="reflect"),
    row("pad", "floats", pad_width=1, constant_values=3.0),
    row("take", "floats classes"),
    row("take", "floats classes", axis=1),
    row("take", "floats", indices=-1, axis=0),
    row("take_along_axis", "square places", axis=1),
    row("unravel_index", "classes", shape=(2, 3)),
    row("meshgrid", "vector ascending"),
    row("meshgrid", "vector ascending", indexing="ij"),
    row("vander", "vector", N=3),
    row("rearrange", "images", pattern="b (h n) (w m) c -> b h w (n m c)", n=2, m=2),
    row("space_to_depth", "images", block_size=2),
    row("space_to_depth", "images", block_size=2, data_format="channels_first"),
    row("depth_to_space", "images", block_size=2),
    row("depth_to_space", "images", block_size=2, data_format="channels_first"),
    row("slice", "floats", start_indices=(1, 0), shape=(2, 2)),
    row("extract_sequences", "sequences", sequence_length=3, sequence_stride=2),
]
CREATION = [
    *each("zeros ones empty", "", shape=(2, 3)),
    *each("zeros ones", "", shape=(2,), dtype="int32"),
    row("full", "", shape=(2, 3), fill_value=2),
    *each("zeros_like ones_like", "floats", "integers", "bools"),
    row("full_like", "integers", fill_value=2.5),
    row("ones_like", "floats", dtype="int32"),
    row("eye", "", N=3, M=4, k=1),
    row("identity", "", n=3),
    row("tri", "", N=3, k=-1),
    row("arange", "", start=5),
    row("arange", "", start=1, stop=8, step=2),
    row("arange", "", start=0.5, stop=3.0),
    row("linspace", "", start=0, stop=5, num=7),
    row("linspace", "", start=0.0, stop=5.0, num=4, endpoint=False, retstep=True),
    row("logspace", "", start=0, stop=2, num=5),
    row("geomspace", "", start=1, stop=100, num=5),
    *each("bartlett blackman hamming hanning", "", x=7),
    row("kaiser", "", x=7, beta=3.0),
    row("array", "floats"),
    row("convert_to_tensor", "integers", dtype="float32"),
    *each("shape ndim size", "floats"),
]
LINALG = [
    *each("matmul dot", "square square", "squares square"),
    *each("vdot inner outer", "vector ascending"),
    row("tensordot", "square square", axes=1),
    row("kron", "triples floats"),
    row("cross", "triples triples"),
    *each("det inv slogdet pinv matrix_rank", "square"),
    *each("cholesky logdet", "definite"),
    row("cholesky", "definite", upper=True),
    row("cholesky_inverse", "lower"),
    row("norm", "floats"),
    row("norm", "floats", axis=1, ord=1),
    row("norm", "floats", ord="fro", axis=(0, 1), keepdims=True),
    row("qr", "square"),
    row("svd", "square", compute_uv=False),
    row("solve", "square four"),
    row("solve", "square square"),
    row("solve_triangular", "lower four", lower=True),
    row("lstsq", "square four"),
    row("lu_factor", "square"),
    row("cdist", "floats more_floats"),
    *each("fft fft2 ifft2", "(floats more_floats)"),
    row("rfft", "floats"),
    row("irfft", "(floats more_floats)"),
    row("stft", "signal", sequence_length=6, sequence_stride=3, fft_length=8),
    row(
        "stft",
        "signal",
        sequence_length=8,
        sequence_stride=4,
        fft_length=8,
        center=False,
        window=None,
    ),
]
NN = [
    *each(
        "relu relu6 leaky_relu elu celu selu gelu silu swish sigmoid log_sigmoid softplus", "floats"
    ),
    *each(
        "hard_sigmoid hard_silu hard_swish hard_tanh hard_shrink soft_shrink tanh_shrink", "floats"
    ),
    *each("softsign squareplus sparse_plus sparse_sigmoid glu softmax log_softmax", "floats"),
    *each("relu softmax elu", "integers"),
    row("leaky_relu", "floats", negative_slope=0.05),
    row("elu", "floats", alpha=0.5),
    row("gelu", "floats", approximate=False),
    row("threshold", "floats", threshold=0.2, default_value=-1.0),
    *each("softmax log_softmax", "floats", axis=None),
    *each("softmax log_softmax", "squares", axis=(1, 2)),
    *each("softmax glu", "squares", axis=1),
    row("ctc_loss", "label_rows sequences label_counts frame_counts"),
    row("ctc_decode", "sequences frame_counts"),
    row("ctc_decode", "sequences frame_counts", merge_repeated=False, mask_index=3),
    row("one_hot", "classes", num_classes=3),
    row("one_hot", "classes", num_classes=4, axis=0, dtype="int32"),
    row("multi_hot", "counts", num_classes=7),
    row("multi_hot", "classes", num_classes=4),
    row("binary_crossentropy", "one_hot fractions"),
    row("binary_crossentropy", "one_hot floats", from_logits=True),
    row("categorical_crossentropy", "one_hot fractions"),
    row("categorical_crossentropy", "one_hot floats", from_logits=True),
    row("categorical_crossentropy", "one_hot fractions", axis=0),
    row("sparse_categorical_crossentropy", "classes fractions"),
    row("sparse_categorical_crossentropy", "classes floats", from_logits=True),
    row("moments", "floats", axes=[0]),
    row("moments", "integers", axes=[0, 1], keepdims=True),
    row("batch_normalization", "floats four four_positive", axis=-1),
    row("batch_normalization", "images four four_positive", axis=3, epsilon=0.1),
    row("psnr", "floats more_floats", max_val=2.0),
    row("layer_normalization", "floats"),
    row("layer_normalization", "floats four four_positive", axis=-1, epsilon=1e-3),
    row("layer_normalization", "squares", axis=(1, 2)),
    row("rms_normalization", "floats four_positive"),
    row("normalize", "floats"),
    row("normalize", "floats", axis=0, order=1),
    row("normalize", "floats", order=3),
    row("dot_product_attention", "queries queries queries"),
    row("dot_product_attention", "queries keys keys", scale=0.3),
    row("dot_product_attention", "queries queries queries", is_causal=True),
    *each("max_pool average_pool", "images", "ties", pool_size=2, strides=2),
    *each("max_pool average_pool", "ties", pool_size=(3, 2), strides=2),
    *each("max_pool average_pool", "ties", pool_size=3, strides=2, padding="same"),
    *each("max_pool average_pool", "ties", pool_size=2, strides=1, padding="same"),
    *each("max_pool average_pool", "ties", pool_size=2, strides=2, data_format="channels_first"),
    *each("max_pool average_pool", "sequences", pool_size=3, strides=3),
    *each("max_pool average_pool", "volumes", pool_size=2, strides=(1, 2, 1)),
    *each("adaptive_average_pool adaptive_max_pool", "images", output_size=(3, 4)),
    *each("adaptive_average_pool adaptive_max_pool", "sequences", output_size=2),
    row("conv", "images kernel"),
    row("conv", "images kernel", strides=2, padding="same"),
    row("conv", "images kernel", dilation_rate=2, padding="same"),
    row("conv", "images grouped_kernel", padding="same"),
    row("conv", "sequences kernel_1d", strides=2),
    row("conv", "volumes kernel_3d", padding="same"),
    row("depthwise_conv", "images depthwise_kernel"),
    row("depthwise_conv", "images depthwise_kernel", strides=2, padding="same"),
    row("separable_conv", "images depthwise_kernel pointwise_kernel", padding="same"),
    row("conv_transpose", "images transposed_kernel"),
    row("conv_transpose", "images transposed_kernel", strides=2, padding="same"),
    row("conv_transpose", "images transposed_kernel", strides=3, padding="same", output_padding=1),
    row("conv_transpose", "images transposed_kernel", strides=2, output_padding=1),
    row("unfold", "images", kernel_size=2, stride=2),
    row("unfold", "images", kernel_size=3, padding=1, dilation=2),
    row("fold", "squares", output_size=(3, 3), kernel_size=2),
]
GROUPS = {
    "elementwise": ELEMENTWISE,
    "binary": BINARY,
    "reduction": REDUCTION,
    "shapes": SHAPES,
    "creation": CREATION,
    "linalg": LINALG,
    "nn": NN,
}
CASES = [case for group in GROUPS.values() for case in group]

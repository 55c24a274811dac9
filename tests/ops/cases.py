"""One row per way of calling an op: its name, letters that stand for arrays, and keyword arguments.

Each letter is one positional array; letters in brackets are passed as one list: "[fg]"; "(uu)" as one tuple.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np


def arrays() -> dict[str, np.ndarray]:
    """The array behind each letter."""
    draw = np.random.default_rng(7)
    f = draw.normal(size=(3, 4)).astype("float32")
    s = draw.normal(size=(4, 4)).astype("float32")
    gaps = f.copy()
    gaps[0, 1] = gaps[2, 2] = np.nan
    special = np.array([[1.5, np.nan, np.inf, 0.0], [-np.inf, -0.0, 2.5, -1.0]], "float32")
    return {
        "f": f,
        "g": draw.normal(size=(3, 4)).astype("float32"),
        "p": draw.uniform(0.5, 3, (3, 4)).astype("float32"),  # positive
        "q": draw.uniform(1.1, 3, (3, 4)).astype("float32"),  # above 1
        "u": draw.uniform(0.05, 0.95, (3, 4)).astype("float32"),  # inside (0, 1)
        "o": np.eye(4, dtype="float32")[[1, 0, 3]],  # one-hot
        "i": draw.integers(-5, 6, (3, 4)).astype("int32"),
        "j": draw.integers(1, 7, (3, 4)).astype("int32"),  # positive
        "k": draw.integers(0, 4, (3,)).astype("int32"),  # classes
        "b": draw.integers(0, 2, (3, 4)).astype("bool"),
        "c": draw.integers(0, 2, (3, 4)).astype("bool"),
        "n": gaps,
        "x": special,
        "v": draw.normal(size=(5,)).astype("float32"),
        "w": np.sort(draw.normal(size=(5,))).astype("float32"),
        "3": draw.normal(size=(2, 3)).astype("float32"),
        "s": s,
        "d": s @ s.T + 4 * np.eye(4, dtype="float32"),  # positive definite
        "l": np.tril(s) + 4 * np.eye(4, dtype="float32"),  # lower triangular
        "t": draw.normal(size=(2, 4, 4)).astype("float32"),
        "y": draw.normal(size=(2, 8, 6, 4)).astype("float32"),  # images
        "r": np.maximum(draw.integers(-3, 4, (2, 7, 8, 3)), 0).astype("float32"),  # many ties
        "z": draw.normal(size=(2, 9, 4)).astype("float32"),  # sequences
        "a": draw.normal(size=(2, 5, 4, 8)).astype("float32"),  # queries: b t heads d
        "e": draw.normal(size=(2, 6, 2, 8)).astype("float32"),  # keys of half as many heads
        "m": draw.integers(0, 2, (2, 1, 5, 6)).astype("bool"),  # attention mask
        "K": draw.normal(size=(3, 3, 4, 6)).astype("float32"),  # 2D kernel
        "G": draw.normal(size=(3, 3, 2, 6)).astype("float32"),  # of two groups
        "D": draw.normal(size=(3, 3, 4, 2)).astype("float32"),  # depthwise
        "P": draw.normal(size=(1, 1, 8, 5)).astype("float32"),  # pointwise
        "T": draw.normal(size=(3, 3, 5, 4)).astype("float32"),  # transposed
        "L": draw.normal(size=(3, 4, 5)).astype("float32"),  # 1D kernel
        "V": draw.normal(size=(2, 2, 2, 3, 2)).astype("float32"),  # 3D kernel
        "B": draw.normal(size=(1, 5, 6, 5, 3)).astype("float32"),  # volumes
        "4": draw.normal(size=(4,)).astype("float32"),
        "5": draw.uniform(0.5, 2, (4,)).astype("float32"),
        "2": draw.normal(size=(16,)).astype("float32"),
        "C": draw.normal(size=(3, 2)).astype("float32"),
        "S": draw.integers(0, 4, (4, 4)).astype("int32"),
    }


class Case(NamedTuple):
    """A call: ops.name(*arrays of the letters, **kwargs)."""

    name: str
    letters: str
    kwargs: dict[str, Any]

    def __str__(self) -> str:
        inner = ", ".join([self.letters, *(f"{k}={v}" for k, v in self.kwargs.items())])
        return f"{self.name}({inner})"

    def places(self) -> list[str]:
        """The letters without brackets."""
        return [letter for letter in self.letters if letter not in "[]()"]

    def arguments(self, values: list[Any]) -> list[Any]:
        """One value per place, packed as the brackets say."""
        found: list[Any] = []
        inside = found
        left = iter(values)
        for letter in self.letters:
            if letter in "[(":
                inside = []
            elif letter in "])":
                found.append(inside if letter == "]" else tuple(inside))
                inside = found
            else:
                inside.append(next(left))
        return found


def row(name: str, letters: str, **kwargs: Any) -> Case:
    return Case(name, letters, kwargs)


def each(names: str, *letters: str, **kwargs: Any) -> Iterator[Case]:
    """The same arguments for several ops."""
    for name in names.split():
        for each_letters in letters:
            yield Case(name, each_letters, kwargs)


def axes(names: str, letters: str, keepdims: bool = True) -> Iterator[Case]:
    """A reduction over everything, one axis and, kept, another."""
    for name in names.split():
        yield Case(name, letters, {})
        yield Case(name, letters, {"axis": 1})
        if keepdims:
            yield Case(name, letters, {"axis": -2, "keepdims": True})


ELEMENTWISE = [
    *each(
        "exp exp2 expm1 sin cos tan sinh cosh tanh arcsinh arctan sinc deg2rad rad2deg", "f", "i"
    ),
    *each("log log10 log1p log2 sqrt cbrt reciprocal i0", "p", "j"),
    *each("arcsin arccos arctanh erfinv", "u"),
    *each("arccosh", "q"),
    row("rsqrt", "p"),
    *each("erf erfc fabs floor ceil trunc round sign signbit square", "f"),
    *each("floor ceil trunc round sign square fabs", "i"),
    *each("abs absolute negative", "f", "i"),
    *each("real imag conj conjugate angle isreal", "f"),
    *each("isnan isinf isfinite isposinf isneginf nan_to_num signbit", "x"),
    row("nan_to_num", "x", nan=7.0, posinf=1.0, neginf=-1.0),
    row("round", "f", decimals=1),
    row("clip", "f", x_min=-0.5, x_max=0.5),
    row("clip", "i", x_min=-2, x_max=2),
    row("copy", "f"),
    row("polar", "pf"),
    row("view_as_complex", "C"),
    row("view_as_real", "f"),
    row("view", "f", dtype="int32"),
    row("cast", "f", dtype="int32"),
    row("cast", "b", dtype="float16"),
    row("saturate_cast", "i", dtype="uint8"),
    row("saturate_cast", "f", dtype="uint8"),
    row("stop_gradient", "f"),
]
BINARY = [
    *each("add subtract multiply divide true_divide maximum minimum power", "pq", "jj", "pj", "i5"),
    *each("floor_divide mod fmod", "fp", "ij"),
    *each("fmax fmin", "nf"),
    *each("arctan2 hypot logaddexp logaddexp2 nextafter heaviside divide_no_nan", "fg"),
    row("divide_no_nan", "ib"),
    row("ldexp", "fj"),
    *each("gcd lcm bitwise_and bitwise_or bitwise_xor", "ij"),
    *each("left_shift right_shift bitwise_left_shift bitwise_right_shift", "jj"),
    *each("bitwise_not bitwise_invert", "i", "b"),
    *each("equal not_equal less less_equal greater greater_equal", "ij", "fi"),
    *each("logical_and logical_or logical_xor", "bc", "ib"),
    row("logical_not", "b"),
    *each("isclose allclose", "ff", "fg"),
    row("isin", "ij"),
    row("where", "bfg"),
    row("where", "bij"),
    row("select", "[bc][fg]", default=3.0),
]
REDUCTION = [
    *axes("sum prod mean std var max min amax amin all any ptp logsumexp median", "f"),
    *axes("sum prod mean std var max min", "i"),
    *axes("argmax argmin", "i"),
    *axes("nansum nanprod nanmax nanmin nanmean nanmedian nanstd nanvar nanargmax nanargmin", "n"),
    *axes("cumsum cumprod nancumsum nancumprod count_nonzero", "f", keepdims=False),
    *each("sum mean var max logsumexp median", "t", axis=(0, 2)),
    row("cumsum", "i", axis=0, dtype="float32"),
    row("prod", "i", dtype="float32"),
    row("max", "f", initial=0.5),
    row("average", "f"),
    row("average", "i", axis=1),
    *each("quantile nanquantile", "f", q=0.3),
    row("quantile", "f", q=[0.25, 0.5], axis=1),
    row("quantile", "f", q=0.4, method="nearest", keepdims=True),
    *each("percentile nanpercentile", "f", q=30, axis=0),
    *each("sort argsort", "f", "i"),
    row("sort", "f", axis=0),
    row("argpartition", "v", kth=2),
    row("top_k", "f", k=2),
    row("in_top_k", "ku", k=2),
    row("searchsorted", "wv"),
    row("searchsorted", "wv", side="right"),
    row("digitize", "vw"),
    row("bincount", "k"),
    row("bincount", "j", minlength=9),
    row("histogram", "v", bins=5),
    row("histogram", "v", bins=4, range=(-1.0, 1.0)),
    row("unique", "k"),
    row("unique", "j", return_inverse=True, return_counts=True),
    row("corrcoef", "f"),
    *each("correlate", "vw", mode="same"),
    row("diff", "f"),
    row("diff", "f", n=2, axis=0),
    row("trapezoid", "f"),
    row("trapezoid", "f", dx=0.5, axis=0),
    *each("segment_sum segment_prod segment_max segment_min", "fk", num_segments=4),
]
SHAPES = [
    row("reshape", "f", newshape=(2, -1)),
    row("reshape", "f", newshape=-1),
    *each("ravel squeeze transpose flip fliplr flipud rot90 trace diagonal tril triu diag", "s"),
    row("diag", "v", k=1),
    row("diagflat", "v", k=-1),
    row("squeeze", "P", axis=(0, 1)),
    row("expand_dims", "f", axis=1),
    row("expand_dims", "f", axis=(0, -1)),
    row("transpose", "t", axes=(2, 0, 1)),
    row("moveaxis", "t", source=0, destination=-1),
    row("swapaxes", "t", axis1=0, axis2=2),
    row("broadcast_to", "4", shape=(3, 4)),
    row("flip", "f", axis=1),
    row("roll", "f", shift=2),
    row("roll", "f", shift=1, axis=0),
    row("rot90", "t", k=3, axes=(1, 2)),
    row("concatenate", "[fg]", axis=1),
    row("concatenate", "[fi]"),
    *each("stack hstack vstack dstack", "[fg]"),
    row("stack", "[fg]", axis=-1),
    row("append", "fg"),
    row("append", "fg", axis=0),
    row("split", "f", indices_or_sections=3),
    row("split", "f", indices_or_sections=[1, 3], axis=1),
    row("array_split", "f", indices_or_sections=3, axis=1),
    *each("hsplit vsplit dsplit", "t", indices_or_sections=2),
    row("unstack", "f", axis=1),
    row("tile", "f", repeats=(2, 1)),
    row("repeat", "f", repeats=2),
    row("repeat", "f", repeats=3, axis=0),
    row("pad", "f", pad_width=((1, 0), (2, 1))),
    row("pad", "f", pad_width=1, mode="reflect"),
    row("pad", "f", pad_width=1, constant_values=3.0),
    row("take", "fk"),
    row("take", "fk", axis=1),
    row("take", "f", indices=-1, axis=0),
    row("take_along_axis", "sS", axis=1),
    row("unravel_index", "k", shape=(2, 3)),
    row("meshgrid", "vw"),
    row("meshgrid", "vw", indexing="ij"),
    row("vander", "v", N=3),
    row("rearrange", "y", pattern="b (h n) (w m) c -> b h w (n m c)", n=2, m=2),
    row("space_to_depth", "y", block_size=2),
    row("space_to_depth", "y", block_size=2, data_format="channels_first"),
    row("depth_to_space", "y", block_size=2),
    row("depth_to_space", "y", block_size=2, data_format="channels_first"),
    row("slice", "f", start_indices=(1, 0), shape=(2, 2)),
    row("extract_sequences", "z", sequence_length=3, sequence_stride=2),
]
CREATION = [
    *each("zeros ones empty", "", shape=(2, 3)),
    *each("zeros ones", "", shape=(2,), dtype="int32"),
    row("full", "", shape=(2, 3), fill_value=2),
    *each("zeros_like ones_like", "f", "i", "b"),
    row("full_like", "i", fill_value=2.5),
    row("ones_like", "f", dtype="int32"),
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
    row("array", "f"),
    row("convert_to_tensor", "i", dtype="float32"),
    *each("shape ndim size", "f"),
]
LINALG = [
    *each("matmul dot", "ss", "ts"),
    *each("vdot inner outer", "vw"),
    row("tensordot", "ss", axes=1),
    row("kron", "3f"),
    row("cross", "33"),
    *each("det inv slogdet pinv matrix_rank", "s"),
    *each("cholesky logdet", "d"),
    row("cholesky", "d", upper=True),
    row("cholesky_inverse", "l"),
    row("norm", "f"),
    row("norm", "f", axis=1, ord=1),
    row("norm", "f", ord="fro", axis=(0, 1), keepdims=True),
    row("qr", "s"),
    row("svd", "s", compute_uv=False),
    row("solve", "s4"),
    row("solve", "ss"),
    row("solve_triangular", "l4", lower=True),
    row("lstsq", "s4"),
    row("lu_factor", "s"),
    row("cdist", "fg"),
    *each("fft fft2 ifft2", "(fg)"),
    row("rfft", "f"),
    row("irfft", "(fg)"),
    row("stft", "2", sequence_length=6, sequence_stride=3, fft_length=8),
    row("stft", "2", sequence_length=8, sequence_stride=4, fft_length=8, center=False, window=None),
]
NN = [
    *each("relu relu6 leaky_relu elu celu selu gelu silu swish sigmoid log_sigmoid softplus", "f"),
    *each("hard_sigmoid hard_silu hard_swish hard_tanh hard_shrink soft_shrink tanh_shrink", "f"),
    *each("softsign squareplus sparse_plus sparse_sigmoid glu softmax log_softmax", "f"),
    *each("relu softmax elu", "i"),
    row("leaky_relu", "f", negative_slope=0.05),
    row("elu", "f", alpha=0.5),
    row("gelu", "f", approximate=False),
    row("threshold", "f", threshold=0.2, default_value=-1.0),
    *each("softmax log_softmax", "f", axis=None),
    *each("softmax log_softmax", "t", axis=(1, 2)),
    *each("softmax glu", "t", axis=1),
    row("one_hot", "k", num_classes=3),
    row("one_hot", "k", num_classes=4, axis=0, dtype="int32"),
    row("multi_hot", "j", num_classes=7),
    row("multi_hot", "k", num_classes=4),
    row("binary_crossentropy", "ou"),
    row("binary_crossentropy", "of", from_logits=True),
    row("categorical_crossentropy", "ou"),
    row("categorical_crossentropy", "of", from_logits=True),
    row("categorical_crossentropy", "ou", axis=0),
    row("sparse_categorical_crossentropy", "ku"),
    row("sparse_categorical_crossentropy", "kf", from_logits=True),
    row("moments", "f", axes=[0]),
    row("moments", "i", axes=[0, 1], keepdims=True),
    row("batch_normalization", "f45", axis=-1),
    row("batch_normalization", "y45", axis=3, epsilon=0.1),
    row("psnr", "fg", max_val=2.0),
    row("layer_normalization", "f"),
    row("layer_normalization", "f45", axis=-1, epsilon=1e-3),
    row("layer_normalization", "t", axis=(1, 2)),
    row("rms_normalization", "f5"),
    row("normalize", "f"),
    row("normalize", "f", axis=0, order=1),
    row("normalize", "f", order=3),
    row("dot_product_attention", "aaa"),
    row("dot_product_attention", "aee", scale=0.3),
    row("dot_product_attention", "aaa", is_causal=True),
    *each("max_pool average_pool", "y", "r", pool_size=2, strides=2),
    *each("max_pool average_pool", "r", pool_size=(3, 2), strides=2),
    *each("max_pool average_pool", "r", pool_size=3, strides=2, padding="same"),
    *each("max_pool average_pool", "r", pool_size=2, strides=1, padding="same"),
    *each("max_pool average_pool", "r", pool_size=2, strides=2, data_format="channels_first"),
    *each("max_pool average_pool", "z", pool_size=3, strides=3),
    *each("max_pool average_pool", "B", pool_size=2, strides=(1, 2, 1)),
    *each("adaptive_average_pool adaptive_max_pool", "y", output_size=(3, 4)),
    *each("adaptive_average_pool adaptive_max_pool", "z", output_size=2),
    row("conv", "yK"),
    row("conv", "yK", strides=2, padding="same"),
    row("conv", "yK", dilation_rate=2, padding="same"),
    row("conv", "yG", padding="same"),
    row("conv", "zL", strides=2),
    row("conv", "BV", padding="same"),
    row("depthwise_conv", "yD"),
    row("depthwise_conv", "yD", strides=2, padding="same"),
    row("separable_conv", "yDP", padding="same"),
    row("conv_transpose", "yT"),
    row("conv_transpose", "yT", strides=2, padding="same"),
    row("conv_transpose", "yT", strides=3, padding="same", output_padding=1),
    row("conv_transpose", "yT", strides=2, output_padding=1),
    row("unfold", "y", kernel_size=2, stride=2),
    row("unfold", "y", kernel_size=3, padding=1, dilation=2),
    row("fold", "t", output_size=(3, 3), kernel_size=2),
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

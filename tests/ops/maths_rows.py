"""Rows of ops that `keras.ops` does not name: matrices, special functions, places, transforms, random numbers, loops."""

from __future__ import annotations

from typing import Any

import jax

from hornbeam import keras
from tests.ops.cases import each, row
from tests.ops.rows import Made

ops = keras.ops

ELEMENTWISE = [
    *each(
        "tf.math.bessel_i0e tf.math.bessel_i1 tf.math.bessel_i1e tf.math.special.bessel_j0 tf.math.special.bessel_j1 "
        "tf.math.special.bessel_k0 tf.math.special.bessel_k0e tf.math.special.bessel_k1 tf.math.special.bessel_k1e "
        "tf.math.special.bessel_y0 tf.math.special.bessel_y1 tf.math.special.dawsn tf.math.special.expint "
        "tf.math.special.fresnel_cos tf.math.special.fresnel_sin tf.math.special.spence digamma lgamma "
        "reciprocal_no_nan tf.math.lbeta",
        "above_one",
    ),
    row("tf.math.erfcinv", "fractions"),
    *each("tf.math.ndtri", "fractions"),
    Made("tf.math.betainc", "fractions", lambda op, x: op(2.0, 3.0, x)),
    *(
        Made(name, "positive", lambda op, x: op(2.0, x))
        for name in ("tf.math.igamma", "tf.math.igammac")
    ),
    Made("tf.math.polygamma", "positive", lambda op, x: op(1.0, x)),
    Made("tf.math.zeta", "positive", lambda op, x: op(3.0, x)),
    # The first parameter too, in first order.
    *each("tf.math.igamma tf.math.igammac tf.math.zeta", "above_one more_above_one"),
    *each(
        "tf.math.truncatediv tf.math.truncatemod multiply_no_nan squared_difference tf.math.divide_no_nan xdivy "
        "xlog1py xlogy tf.truediv tf.floordiv",
        "positive above_one",
    ),
    row("add_n", "[floats more_floats]"),
    row("complex", "floats more_floats"),
    row("mish", "floats"),
    row("sparsemax", "floats"),
    row("parametric_relu", "floats four_positive"),
    row("shaped_relu", "floats", negative_slope=0.1, max_value=1.0, threshold=0.2),
    row("masked_softmax", "floats bools", axis=-1),
]
MADE = [
    Made("cast", "floats", lambda op, x: op(op(x, "float16"), "float32")),
    Made("full", "step", lambda op, x: op((2, 3), x)),
    Made("full_like", "floats step", lambda op, x, y: op(x, y)),
    *each("linspace logspace", "limit upper_limit", num=5),
    row("geomspace", "step upper_limit", num=5),
    Made("kaiser", "step", lambda op, beta: op(7, beta)),
    row("empty_like", "floats"),
    row("saturate_cast", "floats", dtype="float32"),
]
PLACES = [
    Made("get_item", "floats", lambda op, x: op(x, (slice(0, 2), 1))),
    row("gather", "square order", axis=1, batch_dims=0),
    row("gather_nd", "square two_places"),
    *each(
        "tensor_scatter_nd_update tensor_scatter_nd_add tensor_scatter_nd_sub tensor_scatter_nd_max "
        "tensor_scatter_nd_min",
        "square two_places two_rows",
    ),
    *each("tf.scatter_nd_into", "square two_places two_rows", how="add"),
    *(row("tf.scatter_rows", "square two_numbers two_rows", how=how) for how in ("set", "add")),
    Made("tf.strided_slice_assign", "square two_rows", lambda op, x, y: op(x, slice(0, 2), y)),
    row("scatter", "two_places two_rows", shape=(4, 4)),
    row("scatter_update", "square two_places two_rows"),
    row("slice_update", "square starts two_rows"),
    row("tf.IndexedSlices", "two_rows two_numbers", shape=(4, 4)),
    row("embedding_lookup", "square classes"),
    row("tf.math.segment_mean", "floats classes", num_segments=4),
    row("tf.math.unsorted_segment_sqrt_n", "floats classes", num_segments=4),
    row("tf.reverse_sequence", "sequences lengths", seq_axis=1, batch_axis=0),
    row("tf.space_to_batch", "images", block=(2, 3), paddings=((0, 0), (0, 0))),
    Made(
        "tf.batch_to_space",
        "square",
        lambda op, x: op(x[:, None, :, None], (2, 2), ((0, 0), (1, 0))),
    ),
    row("tf.extract_patches", "images", sizes=(2, 2), strides=(2, 2), padding="VALID"),
    row("upsample", "images", factors=(2, 1), data_format="channels_last"),
    row("tf.math.approx_max_k", "floats", k=2, axis=-1, recall=0.95, largest=True),
]
LINALG = [
    row(
        "tf.linalg.diag",
        "two_rows",
        band=(0, 1),
        rows=4,
        columns=4,
        padding=0.0,
        align="RIGHT_LEFT",
    ),
    row("tf.linalg.diag_part", "square", band=(-1, 1), padding=0.0, align="RIGHT_LEFT"),
    row("tf.linalg.set_diag", "square two_rows", band=(0, 1), align="RIGHT_LEFT"),
    *each("tf.linalg.tensor_diag tf.linalg.tensor_diag_part", "square"),
    row("tf.linalg.tridiagonal_matmul", "four four_positive four square"),
    Made(
        "tf.linalg.tridiagonal_solve",
        "four four_positive square",
        lambda op, a, m, x: op(a, m + 4.0, a, x),
    ),
    row("tf.linalg.banded_triangular_solve", "two_rows", lower=True),
    Made("tf.linalg.cholesky_solve", "lower square", lambda op, a, b: op(a, b)),
    *each("tf.linalg.eigvalsh eigh", "definite"),
    *each("tf.linalg.expm tf.linalg.adjoint", "turned"),
    row("tf.linalg.lstsq", "turned square", penalty=0.1, fast=True),
    row("tf.linalg.lu", "turned"),
    row("tf.linalg.lu_reconstruct", "square order"),
    row("tf.linalg.lu_solve", "lower order square"),
    row("tf.linalg.band_part", "square", lower=1, upper=0),
    row("tf.linalg.matvec", "square four", transpose=True),
    row(
        "tf.matmul",
        "square turned",
        transpose_a=True,
        transpose_b=False,
        conjugate_a=False,
        conjugate_b=False,
    ),
    row("batch_dot", "squares two_squares", x_axis=2, y_axis=1),
    Made("einsum", "squares square", lambda op, a, b: op("bij,jk->bik", a, b)),
    row("affine", "floats square four"),
    row("bias_add", "floats four", data_format="channels_last"),
    Made("einsum_affine", "floats square four", lambda op, x, k, b: op(x, k, b, "ab,bc->ac")),
    row("tf.reduce_mean", "integers", axis=1),
    *each(
        "tf.math.cumprod tf.math.cumsum tf.math.cumulative_logsumexp",
        "floats",
        axis=1,
        exclusive=True,
        reverse=True,
    ),
    Made("tf.clip_by_global_norm", "upper_limit limit", lambda op, norm, limit: op(norm, -limit)),
]
TRANSFORMS = [
    *(
        Made(
            name,
            "floats more_floats",
            lambda op, a, b: op(ops.view_as_complex(ops.stack([a, b], -1)), (3, 4), (0, 1)),
        )
        for name in ("tf.fftnd", "tf.ifftnd", "tf.irfftnd")
    ),
    row("tf.rfftnd", "floats", sizes=(3, 4), axes=(0, 1)),
    Made(
        "istft",
        "sequences",
        lambda op, x: op(
            (x[0, :, :], x[1, :, :]), sequence_length=6, sequence_stride=3, fft_length=6
        ),
    ),
]


def of_key(name: str, inputs: str, *after: Any, shape: Any = (3, 4), **kwargs: Any) -> Made:
    """Return a draw by a key; the shape stands between it and the parameters."""
    before = () if shape is None else (shape,)
    return Made(
        name, inputs, lambda op, *values: op(jax.random.key(3), *before, *values, *after, **kwargs)
    )


def of_seed(name: str, inputs: str, *before: Any, **kwargs: Any) -> Made:
    return Made(name, inputs, lambda op, *values: op(*before, *values, seed=3, **kwargs))


RANDOM = [
    *(
        of_key(f"tf.random.{name}", "floats positive", "float32")
        for name in ("normal", "truncated_normal", "uniform")
    ),
    of_key("tf.random.gamma", "above_one positive", "float32", shape=(2,)),
    of_key("tf.random.parameterized_truncated_normal", "floats positive limit upper_limit"),
    of_key("tf.random.shuffle", "floats", shape=None),
    *(
        of_seed(f"random.{name}", "floats positive", (3, 4))
        for name in ("normal", "truncated_normal", "uniform")
    ),
    of_seed("random.gamma", "above_one", (3, 4)),
    of_seed("random.beta", "above_one more_above_one", (3, 4)),
    of_seed("random.dropout", "floats", rate=0.4),
    of_seed("random.shuffle", "floats"),
]


def exponential(x: Any) -> Any:
    """Return exp(x) with a gradient of its own."""
    y = ops.exp(x)
    return y, lambda upstream: upstream * y


LOOPS = [
    Made("associative_scan", "floats", lambda op, x: op(lambda a, b: a * b, x)),
    Made("cond", "step floats", lambda op, n, x: op(n > 2, lambda: ops.sin(x), lambda: ops.cos(x))),
    Made("switch", "floats", lambda op, x: op(1, [ops.sin, ops.cos], x)),
    Made("custom_gradient_call", "floats", lambda op, x: op(exponential, (x,))),
    Made("fori_loop", "floats", lambda op, x: op(0, 3, lambda i, y: y * ops.sin(y), x)),
    Made("jvp", "floats more_floats", lambda op, x, t: op(ops.sin, (x,), (t,))),
    Made("map", "floats", lambda op, x: op(ops.sin, x)),
    Made("vectorized_map", "floats", lambda op, x: op(ops.sin, x)),
    Made(
        "vectorize_call",
        "floats more_floats",
        lambda op, x, y: op(ops.multiply, None, None, (x, y)),
    ),
    Made(
        "scan",
        "four floats",
        lambda op, start, x: op(lambda a, b: (ops.sin(a) * b, a + b), start, x),
    ),
    Made("tf.custom_gradient", "floats", lambda op, x: op(exponential, (x,), {})),
    Made("tf.recompute_grad", "floats", lambda op, x: op(ops.sin, (x,), {})),
    Made(
        "rnn",
        "sequences two_rows",
        lambda op, x, h: op(lambda a, s: (ops.tanh(a + s), ops.tanh(a + s)), x, h),
    ),
]
ROWS = [*ELEMENTWISE, *MADE, *PLACES, *LINALG, *TRANSFORMS, *RANDOM, *LOOPS]

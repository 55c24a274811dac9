"""Every function of `tf` on tensors computes through the door: what a recorder saw computes it again from other inputs."""

from types import ModuleType
from typing import Any

import numpy as np
import pytest

import hornbeam as tf
from hornbeam import keras
from hornbeam.core.tensor import convert_to_tensor
from tests.recorder import Record, raw_leaves
from tests.tolerances import assert_close

draw = np.random.default_rng(0)


def _floats(*shape: int) -> np.ndarray:
    return draw.uniform(0.2, 0.8, shape).astype("float32")


INPUTS = {
    "x": _floats(3, 4),
    "y": _floats(3, 4),
    "square": _floats(3, 3) + 3 * np.eye(3, dtype="float32"),
    "positive": (lambda a: a @ a.T + np.eye(3, dtype="float32"))(_floats(3, 3)),
    "vector": _floats(4),
    "scalar": np.float32(0.7),
    "three": _floats(3, 3),
    "line": _floats(2, 8, 3),
    "image": _floats(2, 8, 8, 3),
    "volume": _floats(2, 5, 5, 5, 3),
    "int": np.array([[0, 2, 1], [1, 0, 2]], "int32"),
    "labels": np.array([[1, 1, 2], [1, 2, 2]], "int32"),
    "ids": np.array([2, 0, 1], "int32"),
    "segments": np.array([0, 2, 2], "int32"),
    "places": np.array([[0], [2]], "int32"),
    "bool": np.array([[True] * 4, [True, False, True, True], [False] * 4]),
    "bools": np.array([[True, True, False, False], [True] * 4, [False, True, False, True]]),
    "complex": (_floats(3, 4) + 1j * _floats(3, 4)).astype("complex64"),
    "chances": (lambda a: a / a.sum(-1, keepdims=True))(_floats(3, 4)),
    "kernel1": _floats(3, 3, 5),
    "kernel2": _floats(3, 3, 3, 5),
    "kernel3": _floats(2, 2, 2, 3, 5),
    "depthwise": _floats(3, 3, 3, 2),
    "table": _floats(3, 5),
}

# By the names of their inputs: a function of one or two of them, with nothing else to say.
PLAIN = {
    "x": """abs acos acosh asin asinh atan atanh cos cosh exp floor identity negative ones_like rank reduce_logsumexp
        reduce_max reduce_mean reduce_min reduce_prod reduce_sum round saturate_cast:float16 shape sigmoid sign sin sinh size
        sort sqrt square squeeze stop_gradient tan tanh transpose zeros_like argmax argmin argsort cumsum norm unstack reverse:0
        nn.elu nn.gelu nn.crelu nn.l2_loss nn.leaky_relu nn.log_softmax nn.relu nn.relu6 nn.selu nn.silu nn.softmax
        nn.softplus nn.softsign nn.zero_fraction nn.moments:0 nn.top_k nn.l2_normalize math.ceil math.digamma math.erf
        math.erfc math.erfinv math.erfcinv math.ndtri math.bessel_i0 math.bessel_i0e math.bessel_i1 math.bessel_i1e
        math.special.bessel_j0 math.special.bessel_j1 math.special.bessel_k0 math.special.bessel_k0e math.special.bessel_k1
        math.special.bessel_k1e math.special.bessel_y0 math.special.bessel_y1 math.special.dawsn math.special.expint
        math.special.fresnel_cos math.special.fresnel_sin math.special.spence math.cumulative_logsumexp linalg.normalize:0
        math.erfc math.erfinv math.expm1 math.is_finite math.is_inf math.is_nan math.lgamma math.log math.log1p
        math.log_sigmoid math.rint math.rsqrt math.reciprocal math.reciprocal_no_nan math.reduce_euclidean_norm
        math.reduce_std math.reduce_variance math.cumprod math.count_nonzero math.sigmoid math.tanh linalg.matrix_transpose
        linalg.adjoint linalg.svd linalg.qr linalg.pinv linalg.matrix_rank""",
    "vector": "math.lbeta linalg.tensor_diag",
    "complex": "math.angle math.conj math.real math.imag",
    "x y": """add atan2 complex divide equal greater greater_equal less less_equal maximum minimum multiply not_equal pow
        subtract truediv realdiv truncatemod math.igamma math.igammac math.nextafter math.zeta math.divide_no_nan math.floordiv math.floormod math.mod math.multiply_no_nan
        math.squared_difference math.xdivy math.xlog1py math.xlogy nn.sigmoid_cross_entropy_with_logits""",
    "int ids": """bitwise.bitwise_and bitwise.bitwise_or bitwise.bitwise_xor bitwise.left_shift bitwise.right_shift""",
    "int": "bitwise.invert",
    "ids": "math.invert_permutation",
    "bool bools": "logical_and logical_or math.logical_xor",
    "bool": "logical_not reduce_all:1 reduce_any:1",
    "square": """linalg.det linalg.inv linalg.logdet linalg.slogdet linalg.trace linalg.expm linalg.sqrtm linalg.lu
        eig eigvals matrix_square_root""",
    "positive": "linalg.cholesky linalg.eigh linalg.eigvalsh",
}

# The others, as calls.
CALLS = {
    "add_n": ("x y", lambda x, y: tf.add_n([x, y])),
    "bitcast": ("x", lambda x: tf.bitcast(x, "int32")),
    "boolean_mask": ("x", lambda x: tf.boolean_mask(x, [True, False, True])),
    "broadcast_to": ("x", lambda x: tf.broadcast_to(x, (2, 3, 4))),
    "case": (
        "x y",
        lambda x, y: tf.case([(x[0, 0] > 9, lambda: x), (y[0, 0] > -9, lambda: x * y)]),
    ),
    "cast": ("x", lambda x: tf.cast(x * 10, "int32")),
    "clip_by_global_norm": ("x y", lambda x, y: tf.clip_by_global_norm([x, y], 0.5)),
    "clip_by_norm": ("x", lambda x: tf.clip_by_norm(x, 0.5)),
    "clip_by_value": ("x scalar", lambda x, s: tf.clip_by_value(x, 0.3, s)),
    "concat": ("x y", lambda x, y: tf.concat([x, y], 0)),
    "cond": ("x y", lambda x, y: tf.cond(x[0, 0] > 0, lambda: x * y, lambda: y)),
    "shape_n": ("x", lambda x: tf.shape_n([x])[0]),
    "constant": ("x", lambda x: tf.constant(x)),
    "convert_to_tensor": ("x", lambda x: tf.convert_to_tensor(x, "float16")),
    "einsum": ("x y", lambda x, y: tf.einsum("ij,kj->ik", x, y)),
    "ensure_shape": ("x", lambda x: tf.ensure_shape(x, (3, None))),
    "expand_dims": ("x", lambda x: tf.expand_dims(x, 1)),
    "eye": ("x", lambda x: tf.eye(3) * x[:, :3]),
    "fill": ("scalar", lambda s: tf.fill((2, 2), s)),
    "foldl": ("x y", lambda x, y: tf.foldl(lambda a, row: a * y[0] + row, x)),
    "foldr": ("x y", lambda x, y: tf.foldr(lambda a, row: a * y[0] + row, x)),
    "gather": ("x ids", lambda x, ids: tf.gather(x, ids)),
    "gather_nd": ("x places", lambda x, p: tf.gather_nd(x, p)),
    "linspace": ("scalar", lambda s: tf.linspace(0.0, s, 4)),
    "map_fn": ("x y", lambda x, y: tf.map_fn(lambda row: row * y, x)),
    "matmul": ("x y", lambda x, y: tf.matmul(x, y, transpose_b=True)),
    "meshgrid": ("vector vector", lambda a, b: tf.meshgrid(a, b)),
    "one_hot": ("ids", lambda ids: tf.one_hot(ids, 3)),
    "pad": ("x", lambda x: tf.pad(x, [[1, 0], [0, 2]])),
    "range": ("x", lambda x: tf.range(4.0) * x),
    "repeat": ("x", lambda x: tf.repeat(x, 2, axis=0)),
    "reshape": ("x", lambda x: tf.reshape(x, (4, -1))),
    "roll": ("x", lambda x: tf.roll(x, 1, 0)),
    "scalar_mul": ("scalar x", lambda s, x: tf.scalar_mul(s, x)),
    "scan": ("x y", lambda x, y: tf.scan(lambda a, row: a * y[0] + row, x)),
    "scatter_nd": ("places", lambda p: tf.scatter_nd(p, tf.constant([1.0, 2.0]), [3])),
    "searchsorted": (
        "vector vector",
        lambda a, b: tf.searchsorted(tf.cumsum(a), tf.reverse(b, [0]) * 2),
    ),
    "sequence_mask": ("ids", lambda ids: tf.sequence_mask(ids, 3)),
    "slice": ("x", lambda x: tf.slice(x, [1, 0], [2, 3])),
    "split": ("x", lambda x: tf.split(x, 2, 1)),
    "stack": ("x y", lambda x, y: tf.stack([x, y])),
    "switch_case": ("x y", lambda x, y: tf.switch_case(1, [lambda: x, lambda: x * y])),
    "tensor_scatter_nd_add": (
        "x three",
        lambda x, u: tf.tensor_scatter_nd_add(x, [[0], [2]], u[:2] @ x),
    ),
    "tensor_scatter_nd_max": ("x y", lambda x, y: tf.tensor_scatter_nd_max(x, [[0], [2]], y[1:])),
    "tensor_scatter_nd_min": ("x y", lambda x, y: tf.tensor_scatter_nd_min(x, [[0], [2]], y[1:])),
    "tensor_scatter_nd_update": (
        "x y",
        lambda x, y: tf.tensor_scatter_nd_update(x, [[0], [2]], y[1:]),
    ),
    "tensordot": ("x y", lambda x, y: tf.tensordot(x, y, [[1], [1]])),
    "tile": ("x", lambda x: tf.tile(x, [2, 1])),
    "unique": ("ids", lambda ids: tf.unique(ids)),
    "vectorized_map": ("x y", lambda x, y: tf.vectorized_map(lambda row: row * y, x)),
    "where": ("bool x y", lambda b, x, y: tf.where(b, x, y)),
    "while_loop": (
        "x y",
        lambda x, y: tf.while_loop(lambda i, a: i < 3, lambda i, a: (i + 1, a * y + x), (0, x))[1],
    ),
    "nn.avg_pool": ("image", lambda x: tf.nn.avg_pool(x, 2, 2, "VALID")),
    "nn.avg_pool1d": ("line", lambda x: tf.nn.avg_pool1d(x, 2, 2, "VALID")),
    "nn.avg_pool2d": ("image", lambda x: tf.nn.avg_pool2d(x, 2, 2, "SAME")),
    "nn.max_pool": ("image", lambda x: tf.nn.max_pool(x, 2, 2, "VALID")),
    "nn.max_pool1d": ("line", lambda x: tf.nn.max_pool1d(x, 2, 2, "VALID")),
    "nn.max_pool2d": ("image", lambda x: tf.nn.max_pool2d(x, 2, 2, "SAME")),
    "nn.batch_normalization": (
        "x vector vector",
        lambda x, m, v: tf.nn.batch_normalization(x, m, v, m * v, v, 1e-3),
    ),
    "nn.ctc_loss": ("line labels", lambda x, y: tf.nn.ctc_loss(y, x, [2, 1], [8, 7], False)),
    "nn.collapse_repeated": ("labels", lambda y: tf.nn.collapse_repeated(y, [3, 2])),
    "nn.bias_add": ("x vector", lambda x, b: tf.nn.bias_add(x, b)),
    "nn.conv1d": ("line kernel1", lambda x, k: tf.nn.conv1d(x, k, 1, "SAME")),
    "nn.conv2d": ("image kernel2", lambda x, k: tf.nn.conv2d(x, k, 2, "VALID")),
    "nn.conv3d": ("volume kernel3", lambda x, k: tf.nn.conv3d(x, k, [1] * 5, "VALID")),
    "nn.depthwise_conv2d": (
        "image depthwise",
        lambda x, k: tf.nn.depthwise_conv2d(x, k, [1, 1, 1, 1], "SAME"),
    ),
    "nn.dropout": ("x", lambda x: tf.nn.dropout(x, 0.3, seed=1)),
    "nn.embedding_lookup": ("table ids", lambda t, ids: tf.nn.embedding_lookup(t, ids)),
    "nn.in_top_k": ("ids x", lambda ids, x: tf.nn.in_top_k(ids, x * tf.range(4.0), 2)),
    "nn.softmax_cross_entropy_with_logits": (
        "chances x",
        lambda y, x: tf.nn.softmax_cross_entropy_with_logits(y, x),
    ),
    "nn.sparse_softmax_cross_entropy_with_logits": (
        "ids x",
        lambda y, x: tf.nn.sparse_softmax_cross_entropy_with_logits(y, x),
    ),
    "math.bincount": ("x", lambda x: tf.math.bincount(tf.cast(x * 4, "int32"), minlength=4)),
    "math.confusion_matrix": ("ids", lambda ids: tf.math.confusion_matrix(ids, [0, 1, 2], 3)),
    "math.polyval": ("x y scalar", lambda x, y, s: tf.math.polyval([x, y], s)),
    **{
        f"math.unsorted_segment_{kind}": (
            "x segments",
            lambda x, s, name=f"unsorted_segment_{kind}": getattr(tf.math, name)(x, s, 3),
        )
        for kind in ("max", "mean", "min", "prod", "sum")
    },
    **{  # their ids rise, and are known
        f"math.segment_{kind}": (
            "x",
            lambda x, name=f"segment_{kind}": getattr(tf.math, name)(x, [0, 2, 2]),
        )
        for kind in ("max", "mean", "min", "prod", "sum")
    },
    "batch_to_space": ("line", lambda x: tf.batch_to_space(x, [2], [[0, 1]])),
    "space_to_batch": ("line", lambda x: tf.space_to_batch(x, [4], [[0, 0]])),
    "reverse_sequence": ("x", lambda x: tf.reverse_sequence(x, [2, 1, 4], 1)),
    "extract_volume_patches": (
        "volume",
        lambda x: tf.extract_volume_patches(x, [1, 2, 2, 2, 1], [1, 2, 2, 2, 1], "VALID"),
    ),
    "histogram_fixed_width": ("x", lambda x: tf.histogram_fixed_width(x, [0.0, 1.0], 4)),
    "histogram_fixed_width_bins": ("x", lambda x: tf.histogram_fixed_width_bins(x, [0.0, 1.0])),
    "dynamic_partition": ("x", lambda x: tf.dynamic_partition(x, [1, 0, 1], 2)),
    "dynamic_stitch": (
        "x three",
        lambda x, y: tf.dynamic_stitch([[0, 2, 1], [3, 5, 1]], [y, x[:, :3]]),
    ),
    "strided_slice": ("x", lambda x: tf.strided_slice(x, [0, 1], [2, 4], [1, 2])),
    "unique_with_counts": ("ids", lambda ids: tf.unique_with_counts(ids)),
    "unravel_index": ("ids", lambda ids: tf.unravel_index(ids, [2, 2])),
    "fftnd": ("complex", lambda x: tf.fftnd(x, [4], [1])),
    "ifftnd": ("complex", lambda x: tf.ifftnd(x, [4], [1])),
    "rfftnd": ("x", lambda x: tf.rfftnd(x, [4], [1])),
    "irfftnd": ("complex", lambda x: tf.irfftnd(x, [4], [1])),
    "tensor_scatter_nd_sub": ("x y", lambda x, y: tf.tensor_scatter_nd_sub(x, [[0], [2]], y[1:])),
    "truncatediv": ("x y", lambda x, y: tf.truncatediv(x * 10, y)),
    "identity_n": ("x y", lambda x, y: tf.identity_n([x, y])),
    "parallel_stack": ("x y", lambda x, y: tf.parallel_stack([x, y])),
    "math.accumulate_n": ("x y", lambda x, y: tf.math.accumulate_n([x, y])),
    "math.approx_max_k": ("x", lambda x: tf.math.approx_max_k(x, 2)),
    "math.approx_min_k": ("x", lambda x: tf.math.approx_min_k(x, 2)),
    "math.betainc": ("x y", lambda x, y: tf.math.betainc(x, y, x)),
    "math.is_non_decreasing": ("vector", lambda x: tf.math.is_non_decreasing(tf.sort(x) * x[0])),
    "math.is_strictly_increasing": ("vector", lambda x: tf.math.is_strictly_increasing(x)),
    "math.polygamma": ("x", lambda x: tf.math.polygamma(tf.constant(1.0), x)),
    "math.unsorted_segment_sqrt_n": (
        "x segments",
        lambda x, s: tf.math.unsorted_segment_sqrt_n(x, s, 3),
    ),
    "linalg.diag": ("x", lambda x: tf.linalg.diag(x, k=1)),
    "linalg.diag_part": ("x", lambda x: tf.linalg.diag_part(x, k=(0, 1))),
    "linalg.set_diag": ("square vector", lambda x, v: tf.linalg.set_diag(x, v[1:])),
    "linalg.tensor_diag_part": ("three", lambda x: tf.linalg.tensor_diag_part(x)),
    "linalg.tridiagonal_matmul": ("three x", lambda d, x: tf.linalg.tridiagonal_matmul(d, x)),
    "linalg.tridiagonal_solve": ("three x", lambda d, x: tf.linalg.tridiagonal_solve(d + 1.0, x)),
    "linalg.banded_triangular_solve": (
        "three x",
        lambda d, x: tf.linalg.banded_triangular_solve(d[:2], x),
    ),
    "linalg.eigh_tridiagonal": (
        "vector three",
        lambda a, b: tf.linalg.eigh_tridiagonal(a, b[0]),
    ),
    "linalg.cholesky_solve": (
        "positive x",
        lambda a, x: tf.linalg.cholesky_solve(tf.linalg.band_part(a, -1, 0), x),
    ),
    "linalg.logm": ("positive", lambda x: tf.linalg.logm(tf.cast(x, "complex64"))),
    "linalg.lstsq": ("square x", lambda a, x: tf.linalg.lstsq(a, x)),
    "linalg.lu_reconstruct": ("square", lambda x: tf.linalg.lu_reconstruct(*tf.linalg.lu(x))),
    "linalg.lu_solve": ("square x", lambda a, x: tf.linalg.lu_solve(*tf.linalg.lu(a), x)),
    "linalg.lu_matrix_inverse": ("square", lambda x: tf.linalg.lu_matrix_inverse(*tf.linalg.lu(x))),
    "linalg.band_part": ("x", lambda x: tf.linalg.band_part(x, 1, 0)),
    "linalg.cross": ("three square", lambda a, b: tf.linalg.cross(a, b)),
    "linalg.global_norm": ("x y", lambda x, y: tf.linalg.global_norm([x, y])),
    "linalg.matvec": ("x vector", lambda x, v: tf.linalg.matvec(x, v)),
    "linalg.solve": ("square x", lambda a, b: tf.linalg.solve(a, b)),
    "linalg.triangular_solve": ("square x", lambda a, b: tf.linalg.triangular_solve(a, b)),
    "random.categorical": ("x", lambda x: tf.random.categorical(x, 20, seed=1)),
    "random.poisson": ("x", lambda x: tf.random.poisson([5], x * 9, seed=1)),
    "random.gamma": ("x", lambda x: tf.random.gamma([2], x, seed=1)),
    "random.normal": ("x", lambda x: tf.random.normal([3, 4], x, seed=1)),
    "random.shuffle": ("x", lambda x: tf.random.shuffle(x, seed=1)),
    "random.truncated_normal": ("x", lambda x: tf.random.truncated_normal([3, 4], x, seed=1)),
    "random.uniform": ("x", lambda x: tf.random.uniform([3, 4], x, 2.0, seed=1)),
    "random.stateless_categorical": (
        "x",
        lambda x: tf.random.stateless_categorical(x, 20, (1, 2)),
    ),
    "random.stateless_gamma": ("x", lambda x: tf.random.stateless_gamma([2, 3, 4], (1, 2), x)),
    "random.stateless_poisson": (
        "x",
        lambda x: tf.random.stateless_poisson([2, 3, 4], (1, 2), x * 9),
    ),
    "random.stateless_binomial": (
        "x",
        lambda x: tf.random.stateless_binomial([5, 3, 4], (1, 2), 40.0, x),
    ),
    "random.stateless_parameterized_truncated_normal": (
        "x",
        lambda x: tf.random.stateless_parameterized_truncated_normal([3, 4], (1, 2), x),
    ),
    "random.experimental.stateless_shuffle": (
        "x",
        lambda x: tf.random.experimental.stateless_shuffle(x, (1, 2)),
    ),
    "random.fold_in": ("ids", lambda ids: tf.random.fold_in([1, 2], ids[0])),
    "random.experimental.index_shuffle": (
        "ids",
        lambda ids: tf.random.experimental.index_shuffle(ids, (1, 2, 3), 5),
    ),
    "random.stateless_normal": ("x", lambda x: tf.random.stateless_normal([3, 4], (1, 2), x)),
    "random.stateless_truncated_normal": (
        "x",
        lambda x: tf.random.stateless_truncated_normal([3, 4], (1, 2), x),
    ),
    "random.stateless_uniform": (
        "x",
        lambda x: tf.random.stateless_uniform([3, 4], (1, 2), x, 2.0),
    ),
}

# What has no tensor among its arguments, or returns none.
NO_MATHS = {
    "Assert",
    "as_dtype",
    "as_string",
    "assert_equal",
    "assert_greater",
    "assert_less",
    "assert_rank",
    "broadcast_dynamic_shape",
    "broadcast_static_shape",
    "control_dependencies",
    "custom_gradient",
    "device",
    "executing_eagerly",
    "function",
    "get_current_name_scope",
    "get_logger",
    "get_static_value",
    "grad_pass_through",
    "gradients",
    "group",
    "guarantee_const",
    "hessians",
    "init_scope",
    "inside_function",
    "is_symbolic_tensor",
    "is_tensor",
    "name_scope",
    "no_op",
    "numpy_function",
    "ones",
    "print",
    "py_function",
    "random.all_candidate_sampler",
    "random.create_rng_state",
    "random.fixed_unigram_candidate_sampler",
    "random.get_global_generator",
    "random.learned_unigram_candidate_sampler",
    "random.log_uniform_candidate_sampler",
    "random.set_global_generator",
    "random.set_seed",
    "random.split",
    "random.uniform_candidate_sampler",
    "recompute_grad",
    "register_tensor_conversion_function",
    "required_space_to_batch_paddings",
    "timestamp",
    "tuple",
    "type_spec_from_value",
    "zeros",
}

# Whose result other inputs of the same shape and kind do not change.
CONSTANT = {"ones_like", "zeros_like", "rank", "shape", "size", "math.is_finite", "math.is_inf", "math.is_nan"}  # fmt: skip
CONSTANT |= {
    "math.count_nonzero",
    "nn.zero_fraction",
    "linalg.matrix_rank",
    "floor",
    "sign",
    "math.ceil",
    "equal",
    "not_equal",
    "shape_n",
    "math.is_non_decreasing",
    "math.is_strictly_increasing",
}


def _rows() -> dict[str, tuple[str, Any]]:
    rows = dict(CALLS)
    for inputs, names in PLAIN.items():
        for word in names.split():
            name, _, argument = word.partition(":")
            more = (int(argument) if argument.isdigit() else argument,) if argument else ()
            rows[name] = (inputs, lambda *xs, name=name, more=more: _find(name)(*xs, *more))
    return rows


def _find(name: str) -> Any:
    value: Any = tf
    for part in name.split("."):
        value = getattr(value, part)
    return value


ROWS = _rows()
ROOMS = ("", "bitwise", "nn", "math", "math.special", "linalg", "random", "random.experimental")


def _functions() -> dict[int, tuple[Any, list[str]]]:
    """All functions of the faces, each with its names."""
    found: dict[int, tuple[Any, list[str]]] = {}
    for room in ROOMS:
        module = _find(room) if room else tf
        for name in module.__all__ if hasattr(module, "__all__") else dir(module):
            value = getattr(module, name)
            if callable(value) and not isinstance(value, (type, ModuleType)) and name[0] != "_":
                path = f"{room}.{name}" if room else name
                found.setdefault(id(value), (value, []))[1].append(path)
    return found


def test_every_function_has_a_row():
    missing = [
        names
        for _, names in _functions().values()
        if not any(name in ROWS or name in NO_MATHS for name in names)
    ]
    assert not missing
    known = {name for _, names in _functions().values() for name in names}
    assert not (set(ROWS) | NO_MATHS) - known


def _other(value: np.ndarray) -> np.ndarray:
    """Another value of the same shape and kind, in another order."""
    turned = np.flip(value).copy()
    return turned if value.dtype.kind in "ib" else (turned * 0.5 + 0.3).astype(value.dtype)


@pytest.mark.parametrize("name", sorted(set(ROWS) - CONSTANT))
def test_functions(name):
    words, fn = ROWS[name]
    values = [INPUTS[word] for word in words.split()]
    tensors = [convert_to_tensor(value) for value in values]
    others = [convert_to_tensor(_other(value)) for value in values]
    with Record() as record:
        first = fn(*tensors)
    pairs = [(a._value, b._value) for a, b in zip(tensors, others, strict=True)]
    replayed = record.replay(pairs, first)
    expected = raw_leaves(fn(*others))
    assert len(replayed) == len(expected) > 0
    for got, want in zip(replayed, expected, strict=True):
        assert_close(got, want)
    assert any(
        not np.array_equal(a, b) for a, b in zip(raw_leaves(first), expected, strict=True)
    ), "the other values change nothing: the check would be empty"


@pytest.mark.parametrize("name", sorted(CONSTANT))
def test_functions_of_shapes_and_signs(name):
    inputs, fn = ROWS[name]
    values = [convert_to_tensor(INPUTS[each]) for each in inputs.split()]
    assert keras.ops.is_tensor(fn(*values))

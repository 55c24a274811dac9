"""TensorFlow's names give what NumPy gives, or what TensorFlow's documentation says."""

import numpy as np
import pytest

import hornbeam as tf
from tests.tolerances import assert_close

A = np.array([[1.0, -2.0, 3.0], [0.5, 4.0, -6.0]], "float32")
B = np.array([[2.0, 0.0, 1.0], [1.0, -1.0, 3.0]], "float32")
I = np.array([[3, 1, 2], [0, 5, 4]], "int32")  # noqa: E741


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


# Computed by the test: what a file computes when it is imported, every worker computes.
CASES = [
    (lambda: tf.constant(A), A),
    (lambda: tf.constant(2.0, shape=[2, 2]), np.full((2, 2), 2.0)),
    (lambda: tf.constant([1, 2, 3, 4], shape=(2, 2)), np.array([[1, 2], [3, 4]])),
    (lambda: tf.zeros([2, 3]), np.zeros((2, 3))),
    (lambda: tf.ones((2,), tf.int32), np.ones(2, "int32")),
    (lambda: tf.zeros_like(I), np.zeros_like(I)),
    (lambda: tf.ones_like(A, dtype=tf.int32), np.ones((2, 3), "int32")),
    (lambda: tf.fill([2, 2], 7), np.full((2, 2), 7)),
    (lambda: tf.eye(2, 3), np.eye(2, 3)),
    (lambda: tf.range(5), np.arange(5)),
    (lambda: tf.range(1.0, 2.0, 0.25), np.arange(1, 2, 0.25)),
    (lambda: tf.linspace(0.0, 1.0, 5), np.linspace(0, 1, 5)),
    (
        lambda: tf.one_hot([0, 2], 3, on_value=5.0, off_value=-1.0),
        np.array([[5.0, -1, -1], [-1, -1, 5]]),
    ),
    (lambda: tf.one_hot([0, 2], 3, axis=0), np.eye(3)[[0, 2]].T),
    (lambda: tf.shape(A), np.array([2, 3])),
    (lambda: tf.size(A), 6),
    (lambda: tf.rank(A), 2),
    (lambda: tf.cast(A, tf.int32), A.astype("int32")),
    (lambda: tf.reshape(A, [3, -1]), A.reshape(3, 2)),
    (lambda: tf.reshape(A, (-1,)), A.reshape(-1)),
    (lambda: tf.transpose(A), A.T),
    (lambda: tf.transpose(A[None], perm=[2, 0, 1]), A[None].transpose(2, 0, 1)),
    (lambda: tf.expand_dims(A, -1), A[..., None]),
    (lambda: tf.squeeze(A[None, ..., None], axis=[0]), A[..., None]),
    (lambda: tf.concat([A, B], 1), np.concatenate([A, B], 1)),
    (lambda: tf.stack([A, B], axis=1), np.stack([A, B], 1)),
    (lambda: tf.unstack(A)[1], A[1]),
    (lambda: tf.split(A, 3, axis=1)[2], A[:, 2:]),
    (lambda: tf.split(A, [1, -1], axis=1)[1], A[:, 1:]),
    (lambda: tf.tile(A, [2, 1]), np.tile(A, (2, 1))),
    (lambda: tf.repeat([1, 2], 2), np.array([1, 1, 2, 2])),
    (lambda: tf.reverse(A, [1]), A[:, ::-1]),
    (lambda: tf.roll(A, 1, axis=1), np.roll(A, 1, 1)),
    (
        lambda: tf.pad(A, [[1, 0], [0, 2]], constant_values=9.0),
        np.pad(A, ((1, 0), (0, 2)), constant_values=9),
    ),
    (lambda: tf.pad(A, [[0, 0], [1, 1]], "REFLECT"), np.pad(A, ((0, 0), (1, 1)), "reflect")),
    (lambda: tf.broadcast_to([1, 2], [2, 2]), np.broadcast_to([1, 2], (2, 2))),
    (lambda: tf.meshgrid([1, 2], [3, 4, 5])[0], np.meshgrid([1, 2], [3, 4, 5])[0]),
    (lambda: tf.where(A > 0, A, B), np.where(A > 0, A, B)),
    (lambda: tf.where(A > 0), np.argwhere(A > 0)),
    (lambda: tf.gather(A, [1, 1, 0]), A[[1, 1, 0]]),
    (lambda: tf.gather(A, [2, 0], axis=1), A[:, [2, 0]]),
    (lambda: tf.gather(A, [[2], [0]], batch_dims=1), np.array([[3.0], [0.5]])),
    (lambda: tf.gather_nd(A, [[0, 2], [1, 1]]), np.array([3.0, 4.0])),
    (lambda: tf.tensor_scatter_nd_update([0, 0, 0], [[1]], [5]), np.array([0, 5, 0])),
    (lambda: tf.tensor_scatter_nd_add([1, 1, 1], [[0], [0]], [5, 6]), np.array([12, 1, 1])),
    (lambda: tf.scatter_nd([[1], [3]], [5, 6], [4]), np.array([0, 5, 0, 6])),
    (lambda: tf.boolean_mask(A, A > 0), A[A > 0]),
    (lambda: tf.slice(A, [0, 1], [-1, 2]), A[:, 1:3]),
    (lambda: tf.sort(A, direction="DESCENDING"), np.sort(A)[:, ::-1]),
    (lambda: tf.argsort(I), np.argsort(I)),
    (lambda: tf.searchsorted([1, 3, 5], [2, 5]), np.array([1, 2])),
    (lambda: tf.unique([3, 1, 3, 2]).y, np.array([3, 1, 2])),
    (lambda: tf.unique([3, 1, 3, 2]).idx, np.array([0, 1, 0, 2])),
    (lambda: tf.sequence_mask([1, 0], 2), np.array([[True, False], [False, False]])),
    (lambda: tf.clip_by_value(A, -1, 1), A.clip(-1, 1)),
    (lambda: tf.clip_by_norm([3.0, 4.0], 1.0), np.array([0.6, 0.8])),
    (lambda: tf.clip_by_global_norm([[3.0], [4.0]], 1.0)[0][1], np.array([0.8])),
    (lambda: tf.clip_by_global_norm([[3.0, 4.0]], -1.0)[0][0], np.array([3.0, 4.0])),
    (lambda: tf.clip_by_global_norm([[np.inf, 1.0]], 1.0)[0][0], np.array([np.nan, np.nan])),
    (lambda: tf.reduce_sum(A), A.sum()),
    (lambda: tf.reduce_sum(A, axis=[0, 1]), A.sum()),
    (lambda: tf.reduce_mean(A, 1, keepdims=True), A.mean(1, keepdims=True)),
    (lambda: tf.reduce_mean([1, 2]), 1),
    (lambda: tf.reduce_max(A, 0), A.max(0)),
    (lambda: tf.reduce_min(A), A.min()),
    (lambda: tf.reduce_prod(A, -1), A.prod(-1)),
    (lambda: tf.reduce_all(A > -9), True),
    (lambda: tf.reduce_any(A > 9), False),
    (lambda: tf.reduce_logsumexp(A), np.log(np.exp(A).sum())),
    (lambda: tf.math.reduce_std(A, 1), A.std(1)),
    (lambda: tf.math.reduce_variance(A), A.var()),
    (lambda: tf.math.reduce_euclidean_norm(A), np.linalg.norm(A)),
    (lambda: tf.argmax(A), A.argmax(0)),
    (lambda: tf.argmax(A, axis=-1), A.argmax(-1)),
    (lambda: tf.argmin(A, 1), A.argmin(1)),
    (lambda: tf.cumsum(A, axis=1), A.cumsum(1)),
    (lambda: tf.cumsum([1, 2, 3], exclusive=True, reverse=True), np.array([5, 3, 0])),
    (lambda: tf.math.cumprod([1, 2, 3], exclusive=True), np.array([1, 1, 2])),
    (lambda: tf.math.count_nonzero(B), 5),
    (lambda: tf.math.top_k(A, 2).indices, np.array([[2, 0], [1, 0]])),
    (lambda: tf.math.in_top_k([2, 0], A, 1), np.array([True, False])),
    (
        lambda: tf.math.confusion_matrix([0, 1, 2], [0, 2, 2]),
        np.array([[1, 0, 0], [0, 0, 1], [0, 0, 1]]),
    ),
    (lambda: tf.math.bincount([1, 1, 3]), np.array([0, 2, 0, 1])),
    (lambda: tf.math.segment_sum([1, 2, 3], [0, 0, 1]), np.array([3, 3])),
    (
        lambda: tf.math.unsorted_segment_mean([1.0, 2.0, 3.0], [1, 0, 1], 3),
        np.array([2.0, 2.0, 0.0]),
    ),
    (lambda: tf.math.divide_no_nan(A, B), np.divide(A, B, out=np.zeros_like(A), where=B != 0)),
    (lambda: tf.math.squared_difference(A, B), (A - B) ** 2),
    (lambda: tf.math.floormod([-3, 3], 2), np.array([1, 1])),
    (lambda: tf.math.floordiv([-3, 3], 2), np.array([-2, 1])),
    (lambda: tf.math.xlogy([0.0, 2.0], [0.0, 3.0]), np.array([0, 2 * np.log(3)])),
    (lambda: tf.math.atan2(1.0, -1.0), np.arctan2(1.0, -1.0)),
    (lambda: tf.math.polyval([2.0, 0.0, 1.0], 3.0), 19.0),
    (lambda: tf.math.l2_normalize([3.0, 4.0]), np.array([0.6, 0.8])),
    (lambda: tf.add_n([A, B, A]), 2 * A + B),
    (lambda: tf.abs(A), abs(A)),
    (lambda: tf.exp(A), np.exp(A)),
    (lambda: tf.sqrt(abs(A)), np.sqrt(abs(A))),
    (lambda: tf.pow(A, 2), A**2),
    (lambda: tf.maximum(A, B), np.maximum(A, B)),
    (lambda: tf.equal(A, A), np.ones((2, 3), bool)),
    (lambda: tf.logical_and(A > 0, B > 0), (A > 0) & (B > 0)),
    (lambda: tf.matmul(A, B, transpose_b=True), A @ B.T),
    (lambda: tf.linalg.matvec(A, [1.0, 2.0, 3.0]), A @ np.array([1.0, 2.0, 3.0])),
    (lambda: tf.tensordot(A, B, axes=[[1], [1]]), A @ B.T),
    (lambda: tf.einsum("ij,kj->ik", A, B), A @ B.T),
    (lambda: tf.norm(A), np.linalg.norm(A)),
    (lambda: tf.norm(A, ord=1, axis=1), np.abs(A).sum(1)),
    (lambda: tf.linalg.trace(A @ B.T), np.trace(A @ B.T)),
    (lambda: tf.linalg.inv([[2.0, 0.0], [0.0, 4.0]]), np.diag([0.5, 0.25])),
    (
        lambda: tf.fftnd(tf.cast(A, "complex64"), [2, 3], [0, 1]),
        np.fft.fft2(A),
    ),
    (lambda: tf.ifftnd(tf.cast(A, "complex64"), [3], [1]), np.fft.ifft(A)),
    (lambda: tf.rfftnd(A, [4], [1]), np.fft.rfft(A, 4)),
    (lambda: tf.irfftnd(tf.cast(A, "complex64"), [4], [1]), np.fft.irfft(A, 4)),
    (lambda: tf.parallel_stack([A, B]), np.stack([A, B])),
    (lambda: tf.math.approx_min_k(A, 1).values, A.min(1, keepdims=True)),
    (lambda: tf.linalg.det([[2.0, 1.0], [0.0, 4.0]]), 8.0),
    (lambda: tf.linalg.solve([[2.0, 0.0], [0.0, 4.0]], [[2.0], [4.0]]), np.ones((2, 1))),
    (lambda: tf.linalg.svd(A)[0], np.linalg.svd(A)[1]),
    (lambda: tf.linalg.diag([1, 2], k=1), np.diag([1, 2], 1)),
    (lambda: tf.linalg.diag_part(A @ B.T), np.diag(A @ B.T)),
    (lambda: tf.linalg.band_part(np.ones((3, 3)), 0, -1), np.triu(np.ones((3, 3)))),
    (lambda: tf.nn.relu(A), A.clip(0)),
    (lambda: tf.nn.relu6(A * 3), (A * 3).clip(0, 6)),
    (lambda: tf.nn.leaky_relu(A), np.where(A > 0, A, 0.2 * A)),
    (lambda: tf.nn.sigmoid(A), sigmoid(A)),
    (lambda: tf.nn.tanh(A), np.tanh(A)),
    (lambda: tf.nn.softmax(A), softmax(A)),
    (lambda: tf.nn.softmax(A, axis=0), softmax(A.T).T),
    (lambda: tf.nn.log_softmax(A), np.log(softmax(A))),
    (lambda: tf.nn.softplus(A), np.log1p(np.exp(A))),
    (lambda: tf.nn.softsign(A), A / (1 + abs(A))),
    (lambda: tf.nn.elu(A), np.where(A > 0, A, np.expm1(A))),
    (lambda: tf.nn.silu(A), A * sigmoid(A)),
    (lambda: tf.nn.swish(A, beta=2.0), A * sigmoid(2 * A)),
    (lambda: tf.nn.crelu(A), np.concatenate([A.clip(0), (-A).clip(0)], -1)),
    (lambda: tf.nn.l2_loss(A), (A**2).sum() / 2),
    (lambda: tf.nn.bias_add(A, [1.0, 2.0, 3.0]), A + np.array([1, 2, 3])),
    (lambda: tf.nn.moments(A, axes=[0])[1], A.var(0)),
    (lambda: tf.nn.batch_normalization(A, 1.0, 4.0, 3.0, 2.0, 0.0), A + 2),
    (lambda: tf.nn.embedding_lookup(A, [[1], [0]]), A[[[1], [0]]]),
    (
        lambda: tf.nn.max_pool2d(A.reshape(1, 2, 3, 1), 2, 1, "VALID"),
        np.array([4.0, 4.0]).reshape(1, 1, 2, 1),
    ),
    (
        lambda: tf.nn.avg_pool(A.reshape(1, 2, 3, 1), [1, 2, 3, 1], 1, "VALID"),
        A.mean().reshape(1, 1, 1, 1),
    ),
    (
        lambda: tf.nn.conv1d(A[..., None], np.ones((2, 1, 1), "float32"), 1, "VALID"),
        (A[:, :-1] + A[:, 1:])[..., None],
    ),
    (
        lambda: tf.nn.softmax_cross_entropy_with_logits(labels=np.eye(3)[[0, 1]], logits=A),
        -np.log(softmax(A))[[0, 1], [0, 1]],
    ),
    (
        lambda: tf.nn.sparse_softmax_cross_entropy_with_logits(labels=[0, 1], logits=A),
        -np.log(softmax(A))[[0, 1], [0, 1]],
    ),
    (
        lambda: tf.nn.sigmoid_cross_entropy_with_logits(labels=np.ones((2, 3)), logits=A),
        -np.log(sigmoid(A)),
    ),
    (lambda: tf.cond(tf.constant(True), lambda: 1, lambda: 2), 1),
    (lambda: tf.while_loop(lambda i: i < 5, lambda i: (i + 1,), (tf.constant(0),))[0], 5),
    (lambda: tf.map_fn(lambda x: x * 2, A), 2 * A),
]


@pytest.mark.parametrize(("compute", "expected"), CASES)
def test_values(compute, expected):
    found, expected = np.asarray(compute()), np.asarray(expected)
    assert found.shape == expected.shape
    assert found.dtype.kind == expected.dtype.kind
    assert_close(found, expected)


def test_names_work_on_symbolic_tensors():
    x = tf.keras.Input((3,))
    h = tf.nn.relu(tf.matmul(x, tf.ones([3, 4])) + 1.0)
    model = tf.keras.Model(
        x, tf.concat([tf.reduce_sum(h, axis=1, keepdims=True), tf.cast(x, tf.float32)], -1)
    )
    assert model.output_shape == (None, 4)
    assert_close(model(A), np.concatenate([(A.sum(1, keepdims=True) + 1).clip(0) * 4, A], -1))


def test_sizes_stay_known_in_compiled_programs():
    class Halves(tf.keras.layers.Layer):
        def call(self, x):
            return tf.reshape(x, [tf.shape(x)[0] * 2, -1])

    model = tf.keras.Sequential([tf.keras.Input((4,)), Halves()])
    assert model.predict(np.zeros((3, 4)), verbose=0).shape == (6, 2)


def test_random_values():
    tf.random.set_seed(4)
    first = [
        tf.random.normal([100]),
        tf.random.uniform([100], 2, 5),
        tf.random.uniform([100], 0, 9, tf.int32),
    ]
    tf.random.set_seed(4)
    again = [
        tf.random.normal([100]),
        tf.random.uniform([100], 2, 5),
        tf.random.uniform([100], 0, 9, tf.int32),
    ]
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a, b)
    assert first[1].numpy().min() >= 2 and first[1].numpy().max() < 5
    assert set(first[2].numpy()) <= set(range(9))
    assert abs(tf.random.truncated_normal([1000])).numpy().max() <= 2
    np.testing.assert_array_equal(
        tf.random.stateless_normal([3], seed=[1, 2]), tf.random.stateless_normal([3], seed=[1, 2])
    )
    assert sorted(tf.random.shuffle(np.arange(9)).numpy()) == list(range(9))
    assert tf.random.categorical([[0.0, -1e9]], 5).numpy().tolist() == [[0] * 5]
    assert tf.random.gamma([4], [1.0, 2.0]).shape == (4, 2)
    assert tf.random.poisson([4], 3.0).dtype == tf.float32


def test_a_variable_with_the_arguments_of_tensorflow():
    v = tf.Variable(3.0, name="v", trainable=False, dtype=tf.float32)
    assert v.assign_add(1.0) is v and float(v.value()) == 4.0 and not v.trainable
    assert tf.Variable(lambda: tf.ones([2])).shape == [2]
    assert repr(v) == "<tf.Variable 'v:0' shape=() dtype=float32, numpy=4.0>"
    with pytest.raises(ValueError, match="`initial_value` arg to"):
        tf.Variable()


@pytest.mark.parametrize(
    ("act", "error", "text"),
    [
        (lambda: tf.nn.rellu, AttributeError, "Did you mean 'relu'"),
        (lambda: tf.constnt, AttributeError, "Did you mean 'constant'"),
        (lambda: tf.keras.layers.Densee, AttributeError, "Did you mean 'Dense'"),
        (lambda: tf.split(A, 2, axis=1), ValueError, "3 elements on axis 1 can't be split into 2"),
        (lambda: tf.split(A, [1, 1], axis=1), ValueError, "don't make up 3"),
        (lambda: tf.sort(A, direction="DOWN"), ValueError, "'ASCENDING' or 'DESCENDING'"),
        (lambda: tf.where(A > 0, A), ValueError, "both x and y"),
        (
            lambda: tf.matmul(A, B),
            ValueError,
            r"takes a .*, m, k\) or \(k,\) and b .* of shape \(2, 3\)",
        ),
        (
            lambda: tf.matmul(A, B[:, :2], transpose_b=True),
            ValueError,
            r"b \(\.\.\., n, k\) to be tr",
        ),
        (lambda: tf.matmul(A[0], B, transpose_a=True), ValueError, r"received a of shape \(3,\)"),
        (
            lambda: tf.nn.conv2d(A.reshape(1, 2, 3, 1), np.ones((1, 1, 1, 1)), 1, "FULL"),
            ValueError,
            "'SAME' or 'VALID'",
        ),
        (lambda: tf.pad(A, [[0, 0], [0, 0]], "WRAP"), ValueError, "CONSTANT"),
        (lambda: tf.constant(object()), ValueError, "unsupported type"),
        (lambda: tf.random.uniform([2], dtype=tf.int32), ValueError, "maxval"),
    ],
)
def test_errors_say_what_to_do(act, error, text):
    with pytest.raises(error, match=text):
        act()

"""Operators on matrices, and what is asked of each; `record.py` keeps TensorFlow's answers."""

from __future__ import annotations

import numpy as np

draw = np.random.default_rng(3)
A = draw.normal(size=(3, 3)).astype("float32") + 3 * np.eye(3, dtype="float32")
B = draw.normal(size=(2, 3, 3)).astype("float32") + 3 * np.eye(3, dtype="float32")
S = (A @ A.T + np.eye(3)).astype("float32")
R = draw.normal(size=(2, 3)).astype("float32")
V = draw.normal(size=3).astype("float32") + 2
C = (draw.normal(size=3) + 1j * draw.normal(size=3)).astype("complex64")
D2 = draw.normal(size=(2, 3)).astype("float32") + 2
THREE = draw.normal(size=(3, 4)).astype("float32") + np.array([[0], [4], [0]], "float32")
KERNEL = draw.normal(size=4).astype("float32") + np.array([5, 0, 0, 0], "float32")
SURE = {"is_self_adjoint": True, "is_positive_definite": True}


def _full(tf, matrix=A, **hints):
    return tf.linalg.LinearOperatorFullMatrix(matrix, **hints)


def _diag(tf, diag=V, **hints):
    return tf.linalg.LinearOperatorDiag(diag, **hints)


OPERATORS = {
    "identity": lambda tf: tf.linalg.LinearOperatorIdentity(3),
    "identities": lambda tf: tf.linalg.LinearOperatorIdentity(3, batch_shape=[2]),
    "scaled": lambda tf: tf.linalg.LinearOperatorScaledIdentity(3, 2.5, is_positive_definite=True),
    "scaled batch": lambda tf: tf.linalg.LinearOperatorScaledIdentity(3, [2.0, -3.0]),
    "zeros": lambda tf: tf.linalg.LinearOperatorZeros(3),
    "wide zeros": lambda tf: tf.linalg.LinearOperatorZeros(
        2, 3, is_square=False, is_self_adjoint=False
    ),
    "diag": lambda tf: _diag(tf, is_non_singular=True),
    "positive diag": lambda tf: _diag(tf, np.abs(D2) + 1, is_positive_definite=True),
    "complex diag": lambda tf: _diag(tf, C),
    "full": _full,
    "full batch": lambda tf: _full(tf, B),
    "wide": lambda tf: _full(tf, R),
    "sure": lambda tf: _full(tf, S, **SURE),
    "lower": lambda tf: tf.linalg.LinearOperatorLowerTriangular(A),
    "lower batch": lambda tf: tf.linalg.LinearOperatorLowerTriangular(B),
    "compact bands": lambda tf: tf.linalg.LinearOperatorTridiag(THREE),
    "matrix bands": lambda tf: tf.linalg.LinearOperatorTridiag(
        np.triu(np.tril(A, 1), -1), "matrix"
    ),
    "sequence of bands": lambda tf: tf.linalg.LinearOperatorTridiag(list(THREE), "sequence"),
    "toeplitz": lambda tf: tf.linalg.LinearOperatorToeplitz(V + 2, np.r_[V[:1] + 2, C.real[1:]]),
    "permutation": lambda tf: tf.linalg.LinearOperatorPermutation([2, 0, 1]),
    "householder": lambda tf: tf.linalg.LinearOperatorHouseholder(V),
    "circulant": lambda tf: tf.linalg.LinearOperatorCirculant(
        np.fft.fft(KERNEL).astype("complex64"), tf.float32
    ),
    "complex circulant": lambda tf: tf.linalg.LinearOperatorCirculant(C + 3),
    "real spectrum": lambda tf: tf.linalg.LinearOperatorCirculant(np.abs(KERNEL) + 1),
    "circulant 2d": lambda tf: tf.linalg.LinearOperatorCirculant2D(
        np.fft.fft2(KERNEL.reshape(2, 2)).astype("complex64"), tf.float32
    ),
    "circulant 3d": lambda tf: tf.linalg.LinearOperatorCirculant3D(
        np.fft.fftn(KERNEL.reshape(2, 1, 2)).astype("complex64"), tf.float32
    ),
    "adjoint": lambda tf: tf.linalg.LinearOperatorAdjoint(_full(tf)),
    "adjoint complex": lambda tf: tf.linalg.LinearOperatorAdjoint(_diag(tf, C)),
    "inversion": lambda tf: tf.linalg.LinearOperatorInversion(_full(tf)),
    "inversion lower": lambda tf: tf.linalg.LinearOperatorInversion(
        tf.linalg.LinearOperatorLowerTriangular(A)
    ),
    "composition": lambda tf: tf.linalg.LinearOperatorComposition(
        [_full(tf), _diag(tf), _full(tf, S)]
    ),
    "wide composition": lambda tf: tf.linalg.LinearOperatorComposition([_full(tf, R), _full(tf)]),
    "kronecker": lambda tf: tf.linalg.LinearOperatorKronecker(
        [_full(tf, A[:2, :2]), _full(tf, S, **SURE)]
    ),
    "wide kronecker": lambda tf: tf.linalg.LinearOperatorKronecker([_full(tf, R), _diag(tf)]),
    "three kroneckers": lambda tf: tf.linalg.LinearOperatorKronecker(
        [_diag(tf, V[:2]), _full(tf, A[:2, :2]), _diag(tf, V)]
    ),
    "blocks": lambda tf: tf.linalg.LinearOperatorBlockDiag([_full(tf), _diag(tf)]),
    "batch blocks": lambda tf: tf.linalg.LinearOperatorBlockDiag([_full(tf, B), _diag(tf, D2)]),
    "lower blocks": lambda tf: tf.linalg.LinearOperatorBlockLowerTriangular(
        [[_full(tf, A[:2, :2])], [_full(tf, B[0][:, :2]), _diag(tf)]]
    ),
    "low rank": lambda tf: tf.linalg.LinearOperatorLowRankUpdate(
        _diag(tf, np.abs(V) + 1, is_positive_definite=True), B[0][:, :2]
    ),
    "low rank both": lambda tf: tf.linalg.LinearOperatorLowRankUpdate(
        _full(tf), B[0][:, :2], [2.0, -3.0], B[1][:, :2]
    ),
}


def _x(tf, operator, size):
    count = int(operator.shape[size]) * 2
    numbers = np.linspace(-1, 2, count).reshape(-1, 2)
    return tf.cast(numbers, operator.dtype)


QUESTIONS = {
    "type": lambda tf, o: o.dtype.name,
    "shape": lambda tf, o: list(o.shape),
    "hints": lambda tf, o: [
        o.is_square,
        o.is_non_singular,
        o.is_self_adjoint,
        o.is_positive_definite,
    ],
    "name": lambda tf, o: o.name,
    "dense": lambda tf, o: o.to_dense(),
    "matmul": lambda tf, o: o.matmul(_x(tf, o, -1)),
    "adjoint matmul": lambda tf, o: o.matmul(_x(tf, o, -2), adjoint=True),
    "adjoint argument": lambda tf, o: o.matmul(tf.linalg.adjoint(_x(tf, o, -1)), adjoint_arg=True),
    "matvec": lambda tf, o: o.matvec(_x(tf, o, -1)[:, 0]),
    "solve": lambda tf, o: o.solve(_x(tf, o, -2)),
    "adjoint solve": lambda tf, o: o.solve(_x(tf, o, -2), adjoint=True),
    "solvevec": lambda tf, o: o.solvevec(_x(tf, o, -2)[:, 1]),
    "determinant": lambda tf, o: o.determinant(),
    "log": lambda tf, o: o.log_abs_determinant(),
    "diagonal": lambda tf, o: o.diag_part(),
    "trace": lambda tf, o: o.trace(),
    "eigenvalues": lambda tf, o: tf.sort(tf.math.real(o.eigvals()), axis=-1),
    "condition": lambda tf, o: o.cond(),
    "sum": lambda tf, o: o.add_to_tensor(tf.ones(o.shape, o.dtype)),
    "adjoint": lambda tf, o: o.adjoint().to_dense(),
    "inverse": lambda tf, o: o.inverse().to_dense(),
    "cholesky": lambda tf, o: o.cholesky().to_dense(),
    "product": lambda tf, o: o.matmul(o.H).to_dense(),
    "sizes": lambda tf, o: [o.shape_tensor(), o.batch_shape_tensor(), o.domain_dimension_tensor()],
}


def answers(tf, name):
    """Return what an operator answers to each question: numbers, texts, or the name of an error's class."""
    found = {}
    for question, ask in QUESTIONS.items():
        try:
            found[question] = _plain(ask(tf, OPERATORS[name](tf)))
        except (ValueError, NotImplementedError) as error:
            found[question] = f"! {type(error).__name__}"
        except Exception as error:  # TensorFlow's own classes, which are not Python's
            found[question] = f"! {type(error).__name__}"
    return found


def _plain(value):
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    if value is None or isinstance(value, (str, bool, int)):
        return value
    array = np.asarray(value)
    if np.iscomplexobj(array):
        return {"real": array.real.tolist(), "imag": array.imag.tolist()}
    return array.tolist()


# Gradients of the sum of squares of what is computed, for the parameter.
GRADIENTS = {
    "diag": lambda tf, p: _diag(tf, p).solve(tf.eye(3)),
    "lower": lambda tf, p: tf.linalg.LinearOperatorLowerTriangular(
        tf.tensordot(p, np.float32(B[0]), 0)[0] + A
    ).log_abs_determinant(),
    "full": lambda tf, p: _full(tf, tf.linalg.diag(p) + A).solve(tf.constant(S)),
    "householder": lambda tf, p: tf.linalg.LinearOperatorHouseholder(p).add_to_tensor(
        tf.constant(A)
    ),
    "toeplitz": lambda tf, p: tf.linalg.LinearOperatorToeplitz(p, p).matmul(tf.constant(A)),
    "circulant": lambda tf, p: tf.linalg.LinearOperatorCirculant(
        tf.cast(p, tf.complex64), tf.float32
    ).convolution_kernel(),
    "kronecker": lambda tf, p: tf.linalg.LinearOperatorKronecker([_diag(tf, p), _full(tf)]).matmul(
        tf.ones([9, 1])
    ),
    "blocks": lambda tf, p: tf.linalg.LinearOperatorBlockDiag([_diag(tf, p), _full(tf)]).solve(
        tf.ones([6, 1])
    ),
    "low rank": lambda tf, p: tf.linalg.LinearOperatorLowRankUpdate(
        _diag(tf, np.abs(V) + 1, is_positive_definite=True), tf.reshape(p, [3, 1])
    ).log_abs_determinant(),
    "bands": lambda tf, p: tf.linalg.LinearOperatorTridiag([p, p + 4, p], "sequence").matmul(
        tf.constant(A)
    ),
    "inverse": lambda tf, p: _full(tf, tf.linalg.diag(p) + A).inverse().to_dense(),
}


def gradient(tf, name):
    """Return the gradient of one of `GRADIENTS`, by a tape."""
    p = tf.constant(V)
    with tf.GradientTape() as tape:
        tape.watch(p)
        loss = tf.reduce_sum(tf.square(GRADIENTS[name](tf, p)))
    return np.asarray(tape.gradient(loss, p)).tolist()


def steps(tf):
    """Return the solution and the number of steps of conjugate gradients."""
    found = tf.linalg.experimental.conjugate_gradient(
        _full(tf, S, **SURE), tf.constant(V), tol=1e-6
    )
    plain = tf.linalg.experimental.conjugate_gradient(
        _full(tf, S, **SURE),
        V,
        preconditioner=_diag(tf, 1 / np.diag(S), **SURE),
        x=tf.constant(C.real),
        max_iter=2,
    )
    return [np.asarray(found.x).tolist(), int(found.i), np.asarray(plain.x).tolist(), int(plain.i)]

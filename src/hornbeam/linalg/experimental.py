"""`tf.linalg.experimental`: solving by steps."""

from __future__ import annotations

from typing import Any, NamedTuple

from hornbeam import ops
from hornbeam.control.loops import while_loop
from hornbeam.core.faces import missing_names
from hornbeam.core.tensor import Tensor, convert_to_tensor
from hornbeam.core.typing import TensorLike
from hornbeam.linalg.operators.base import LinearOperator

__all__ = ["conjugate_gradient"]


class CGState(NamedTuple):
    """Where conjugate gradients stand: after `i` steps, at x with the residual r, about to go along p."""

    i: Any
    x: Any
    r: Any
    p: Any
    gamma: Any


def conjugate_gradient(
    operator: LinearOperator,
    rhs: TensorLike,
    preconditioner: LinearOperator | None = None,
    x: TensorLike | None = None,
    tol: float = 1e-05,
    max_iter: int = 20,
    name: str = "conjugate_gradient",
) -> CGState:
    """Return the state of conjugate gradients for A x = rhs, A self-adjoint and positive definite: `.x` is the solution.

    Starts at `x`, or 0, and ends when |rhs - A x| <= tol * |rhs| or after `max_iter` steps. rhs: (..., n)
    Raises ValueError for an operator that is not known to be self-adjoint and positive definite.

    >>> import hornbeam as tf
    >>> operator = tf.linalg.LinearOperatorFullMatrix([[2.0, 1.0], [1.0, 2.0]], is_self_adjoint=True, is_positive_definite=True)
    >>> tf.linalg.experimental.conjugate_gradient(operator, [3.0, 3.0]).x.numpy()
    array([1., 1.], dtype=float32)
    """
    if not (operator.is_self_adjoint and operator.is_positive_definite):
        raise ValueError("Expected a self-adjoint, positive definite operator.")
    wanted = ops.expand_dims(convert_to_tensor(rhs), -1)
    start = ops.zeros_like(wanted) if x is None else ops.expand_dims(convert_to_tensor(x), -1)
    limit = tol * ops.norm(wanted, axis=(-2, -1))

    def prepared(residual: Tensor) -> Any:
        return residual if preconditioner is None else preconditioner.matmul(residual)

    def dot(a: Tensor, b: Tensor) -> Any:
        return ops.sum(ops.conj(a) * b, axis=(-2, -1), keepdims=True)

    def goes_on(i: Any, x: Any, r: Any, p: Any, gamma: Any) -> Any:
        return ops.logical_and(i < max_iter, ops.any(ops.norm(r, axis=(-2, -1)) > limit))

    def step(i: Any, x: Any, r: Any, p: Any, gamma: Any) -> tuple[Any, ...]:
        z = operator.matmul(p)
        alpha = gamma / dot(p, z)
        x, r = x + alpha * p, r - alpha * z
        q = prepared(r)
        after = dot(r, q)
        return i + 1, x, r, q + after / gamma * p, after

    residual = wanted - operator.matmul(start) if x is not None else wanted
    first = prepared(residual)
    state = (convert_to_tensor(0, "int32"), start, residual, first, dot(residual, first))
    steps, found, left, along, gamma = while_loop(goes_on, step, state)
    vectors = [ops.squeeze(each, -1) for each in (found, left, along)]
    return CGState(steps, vectors[0], vectors[1], vectors[2], ops.squeeze(gamma, (-2, -1)))


__getattr__ = missing_names(__name__)

"""Circulant matrices, which are diagonal under the Fourier transform: convolutions with wrapped ends."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.core.error_types import InvalidArgumentError
from hornbeam.core.shapes import TensorShape
from hornbeam.core.typing import DTypeLike, TensorLike
from hornbeam.linalg.operators.base import Hint, LinearOperator, batch_of, kept, sizes_of
from hornbeam.tensors.transforms import fftnd, ifftnd


class _Circulant(LinearOperator):
    """F^-1 diag(spectrum) F, where F is the Fourier transform over the last `block_depth` axes."""

    _depth = 0

    def __init__(
        self,
        spectrum: TensorLike,
        input_output_dtype: DTypeLike = "complex64",
        is_non_singular: Hint = None,
        is_self_adjoint: Hint = None,
        is_positive_definite: Hint = None,
        is_square: Hint = True,
        name: str = "",
    ) -> None:
        """A real spectrum makes the matrix self-adjoint. Raises ValueError for a spectrum of too few axes."""
        self._spectrum = kept(spectrum)
        if len(sizes_of(self._spectrum)) < self._depth:
            raise ValueError(
                f"Argument `spectrum` must have at least {self._depth} dimensions. Found: {self._spectrum}"
            )
        if not self._spectrum.dtype.is_complex:
            if is_self_adjoint is False:
                raise ValueError(
                    "A real spectrum always corresponds to a self-adjoint operator. The hint is_self_adjoint=False "
                    "contradicts that."
                )
            is_self_adjoint = True
        super().__init__(
            input_output_dtype,
            None,
            is_non_singular,
            is_self_adjoint,
            is_positive_definite,
            True,
            name,
            {"spectrum": spectrum, "input_output_dtype": input_output_dtype},
        )

    @property
    def spectrum(self) -> Any:
        """The Fourier transform of the convolution kernel."""
        return self._spectrum

    @property
    def block_depth(self) -> int:
        """The number of axes that are transformed."""
        return self._depth

    @property
    def block_shape(self) -> TensorShape:
        """The sizes of the transformed axes."""
        return TensorShape(self._blocks())

    def block_shape_tensor(self) -> Any:
        """The sizes of the transformed axes, as a tensor."""
        return ops.convert_to_tensor(list(self._blocks()), dtype="int32")

    def _blocks(self) -> tuple[int, ...]:
        return sizes_of(self._spectrum)[-self._depth :]

    def _size(self) -> int:
        size = 1
        for each in self._blocks():
            size *= each
        return size

    def _shape(self) -> TensorShape:
        batch = sizes_of(self._spectrum)[: -self._depth]
        return TensorShape([*batch, self._size(), self._size()])

    def _axes(self) -> list[int]:
        return list(range(-self._depth, 0))

    def _complex_type(self) -> str:
        return "complex128" if self.dtype.name in ("float64", "complex128") else "complex64"

    def _complex_spectrum(self) -> Any:
        return ops.cast(self._spectrum, self._complex_type())

    def convolution_kernel(self, name: str = "convolution_kernel") -> Any:
        """Return the kernel, the first column of the matrix, in the shape of the blocks."""
        kernel = ifftnd(self._complex_spectrum(), list(self._blocks()), self._axes())
        return self._real(kernel)

    def _real(self, x: Any) -> Any:
        return x if self.dtype.is_complex else ops.cast(ops.real(x), self.dtype)

    def _filtered(self, x: Any, factors: Any) -> Any:
        """Return F^-1 (factors * F x) for the columns of x: (..., n, k)"""
        batch, count = batch_of(self._shape(), x.shape), x.shape[-1]
        given = ops.swapaxes(ops.broadcast_to(x, (*batch, *x.shape[-2:])), -1, -2)
        blocks = ops.reshape(given, (*batch, count, *self._blocks()))
        spectrum = fftnd(ops.cast(blocks, self._complex_type()), list(self._blocks()), self._axes())
        factors = ops.expand_dims(factors, -self._depth - 1)
        done = ifftnd(spectrum * factors, list(self._blocks()), self._axes())
        flat = ops.reshape(done, (*batch, count, self._size()))
        return self._real(ops.swapaxes(flat, -1, -2))

    def _matmul(self, x: Any, adjoint: bool = False) -> Any:
        factors = self._complex_spectrum()
        return self._filtered(x, ops.conj(factors) if adjoint else factors)

    def _solve(self, rhs: Any, adjoint: bool = False) -> Any:
        factors = 1 / self._complex_spectrum()
        return self._filtered(rhs, ops.conj(factors) if adjoint else factors)

    def _flat(self) -> Any:
        spectrum = self._complex_spectrum()
        return ops.reshape(spectrum, (*sizes_of(spectrum)[: -self._depth], self._size()))

    def _determinant(self) -> Any:
        return self._real(ops.prod(self._flat(), axis=-1))

    def _log_abs_determinant(self) -> Any:
        return ops.sum(ops.log(ops.abs(self._flat())), axis=-1)

    def _trace(self) -> Any:
        return self._real(ops.sum(self._flat(), axis=-1))

    def _diag_part(self) -> Any:
        mean = ops.expand_dims(self._trace() / self._size(), -1)
        return mean * ops.ones((self._size(),), dtype=self.dtype)

    def _eigvals(self) -> Any:
        return self._real(self._flat())

    def _inverse(self) -> LinearOperator:
        return type(self)(
            1.0 / self._spectrum, self.dtype, True, self.is_self_adjoint, self.is_positive_definite
        )

    def _adjoint(self) -> LinearOperator:
        return type(self)(ops.conj(self._spectrum), self.dtype, self.is_non_singular)

    def assert_hermitian_spectrum(self, name: str = "assert_hermitian_spectrum") -> None:
        """Raise InvalidArgumentError unless the kernel is real."""
        kernel = ifftnd(self._complex_spectrum(), list(self._blocks()), self._axes())
        limit = 2 * self._size() * (2e-16 if self._complex_type() == "complex128" else 1.2e-7)
        if bool(ops.any(ops.abs(ops.imag(kernel)) > limit)):
            raise InvalidArgumentError(
                None, None, f"Spectrum was not Hermitian: the kernel of {self.name} is not real."
            )


class LinearOperatorCirculant(_Circulant):
    """A matrix whose rows are one row that moves on and wraps around: (..., n) -> (..., n, n)

    With a real `input_output_dtype` the spectrum is to be that of a real kernel.

    >>> import hornbeam as tf
    >>> operator = tf.linalg.LinearOperatorCirculant([6.0 + 0j, -1.5 + 0.8660254j, -1.5 - 0.8660254j], tf.float32)
    >>> operator.to_dense().numpy().round(3)
    array([[1., 3., 2.],
           [2., 1., 3.],
           [3., 2., 1.]], dtype=float32)
    """

    _depth = 1

    def __init__(
        self,
        spectrum: TensorLike,
        input_output_dtype: DTypeLike = "complex64",
        is_non_singular: Hint = None,
        is_self_adjoint: Hint = None,
        is_positive_definite: Hint = None,
        is_square: Hint = True,
        name: str = "LinearOperatorCirculant",
    ) -> None:
        super().__init__(
            spectrum, input_output_dtype, is_non_singular, is_self_adjoint, is_positive_definite, is_square, name
        )  # fmt: skip


class LinearOperatorCirculant2D(_Circulant):
    """A convolution over two axes that wrap around, as a matrix: (..., h, w) -> (..., h w, h w)

    >>> import hornbeam as tf
    >>> operator = tf.linalg.LinearOperatorCirculant2D(tf.ones([2, 2]), tf.float32)
    >>> operator.matvec([1.0, 2.0, 3.0, 4.0]).numpy()
    array([1., 2., 3., 4.], dtype=float32)
    """

    _depth = 2

    def __init__(
        self,
        spectrum: TensorLike,
        input_output_dtype: DTypeLike = "complex64",
        is_non_singular: Hint = None,
        is_self_adjoint: Hint = None,
        is_positive_definite: Hint = None,
        is_square: Hint = True,
        name: str = "LinearOperatorCirculant2D",
    ) -> None:
        super().__init__(
            spectrum, input_output_dtype, is_non_singular, is_self_adjoint, is_positive_definite, is_square, name
        )  # fmt: skip


class LinearOperatorCirculant3D(_Circulant):
    """A convolution over three axes that wrap around, as a matrix: (..., d, h, w) -> (..., d h w, d h w)

    >>> import hornbeam as tf
    >>> tf.linalg.LinearOperatorCirculant3D(tf.ones([2, 1, 2]), tf.float32).shape
    TensorShape([4, 4])
    """

    _depth = 3

    def __init__(
        self,
        spectrum: TensorLike,
        input_output_dtype: DTypeLike = "complex64",
        is_non_singular: Hint = None,
        is_self_adjoint: Hint = None,
        is_positive_definite: Hint = None,
        is_square: Hint = True,
        name: str = "LinearOperatorCirculant3D",
    ) -> None:
        super().__init__(
            spectrum, input_output_dtype, is_non_singular, is_self_adjoint, is_positive_definite, is_square, name
        )  # fmt: skip

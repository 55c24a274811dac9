"""Functions of each element, under TensorFlow's names."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.core.arithmetic import floor_quotient, true_quotient
from hornbeam.core.signatures import of_input, of_x, of_xy
from hornbeam.ops import special

abs = of_x(ops.absolute, "abs")
acos = of_x(ops.arccos, "acos")
acosh = of_x(ops.arccosh, "acosh")
asin = of_x(ops.arcsin, "asin")
asinh = of_x(ops.arcsinh, "asinh")
atan = of_x(ops.arctan, "atan")
atanh = of_x(ops.arctanh, "atanh")
ceil = of_x(ops.ceil)
conj = of_x(ops.conj)
cos = of_x(ops.cos)
cosh = of_x(ops.cosh)
erf = of_x(ops.erf)
erfc = of_x(ops.erfc)
erfinv = of_x(ops.erfinv)
exp = of_x(ops.exp)
expm1 = of_x(ops.expm1)
floor = of_x(ops.floor)
is_finite = of_x(ops.isfinite, "is_finite")
is_inf = of_x(ops.isinf, "is_inf")
is_nan = of_x(ops.isnan, "is_nan")
log = of_x(ops.log)
log1p = of_x(ops.log1p)
log_sigmoid = of_x(ops.log_sigmoid)
logical_not = of_x(ops.logical_not)
negative = of_x(ops.negative)
reciprocal = of_x(ops.reciprocal)
round = of_x(ops.round)
rint = of_x(ops.round, "rint")
rsqrt = of_x(ops.rsqrt)
sigmoid = of_x(ops.sigmoid)
sign = of_x(ops.sign)
sin = of_x(ops.sin)
sinh = of_x(ops.sinh)
sqrt = of_x(ops.sqrt)
square = of_x(ops.square)
tan = of_x(ops.tan)
tanh = of_x(ops.tanh)

angle = of_input(ops.angle)
imag = of_input(ops.imag)
real = of_input(ops.real)

add = of_xy(ops.add)
divide = of_xy(true_quotient, "divide")
divide_no_nan = of_xy(special.divide_no_nan)
equal = of_xy(ops.equal)
floordiv = of_xy(floor_quotient, "floordiv")
floormod = of_xy(ops.mod, "floormod")
greater = of_xy(ops.greater)
greater_equal = of_xy(ops.greater_equal)
less = of_xy(ops.less)
less_equal = of_xy(ops.less_equal)
logical_and = of_xy(ops.logical_and)
logical_or = of_xy(ops.logical_or)
maximum = of_xy(ops.maximum)
minimum = of_xy(ops.minimum)
mod = of_xy(ops.mod)
multiply = of_xy(ops.multiply)
not_equal = of_xy(ops.not_equal)
pow = of_xy(ops.power, "pow")
subtract = of_xy(ops.subtract)
truediv = of_xy(true_quotient, "truediv")


def atan2(y: Any, x: Any, name: str | None = None) -> Any:
    """The angle of the point (x, y), in radians."""
    return ops.arctan2(y, x)


lgamma = of_x(special.lgamma)


digamma = of_x(special.digamma)


reciprocal_no_nan = of_x(special.reciprocal_no_nan)


squared_difference = of_xy(special.squared_difference)


multiply_no_nan = of_xy(special.multiply_no_nan)


xlogy = of_xy(special.xlogy)


xlog1py = of_xy(special.xlog1py)


xdivy = of_xy(special.xdivy)


def add_n(inputs: Any, name: str | None = None) -> Any:
    """The sum of a list of tensors of one shape.

    >>> import hornbeam as tf
    >>> tf.add_n([tf.constant([1, 2]), tf.constant([3, 4])]).numpy()
    array([4, 6], dtype=int32)
    """
    return special.add_n(list(inputs))


def logical_xor(x: Any, y: Any, name: str = "LogicalXor") -> Any:
    """Whether exactly one of both holds."""
    return ops.logical_xor(x, y)


def scalar_mul(scalar: Any, x: Any, name: str | None = None) -> Any:
    """`scalar` times `x`."""
    return ops.multiply(scalar, x)


def polyval(coeffs: Any, x: Any, name: str | None = None) -> Any:
    """The polynomial with `coeffs`, highest power first, at `x`."""
    total: Any = 0
    for coefficient in coeffs:
        total = total * x + coefficient
    return total


def complex(real: Any, imag: Any, name: str | None = None) -> Any:
    """real + i imag"""
    return special.complex_number(real, imag)

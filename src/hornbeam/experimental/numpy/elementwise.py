"""Functions of each element, under NumPy's names."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.core.arithmetic import floor_quotient
from hornbeam.core.typing import TensorLike
from hornbeam.experimental.numpy.promotion import common, floating, of_x, of_x1_x2, tensor

abs = of_x(ops.absolute, "abs")
absolute = abs
arccos = of_x(ops.arccos, "arccos", floating)
arccosh = of_x(ops.arccosh, "arccosh", floating)
arcsin = of_x(ops.arcsin, "arcsin", floating)
arcsinh = of_x(ops.arcsinh, "arcsinh", floating)
arctan = of_x(ops.arctan, "arctan", floating)
arctanh = of_x(ops.arctanh, "arctanh", floating)
bitwise_not = of_x(ops.bitwise_not, "bitwise_not")
cbrt = of_x(ops.cbrt, "cbrt", floating)
ceil = of_x(ops.ceil, "ceil", floating)
conj = of_x(ops.conj, "conj")
conjugate = conj
cos = of_x(ops.cos, "cos", floating)
cosh = of_x(ops.cosh, "cosh", floating)
deg2rad = of_x(ops.deg2rad, "deg2rad", floating)
exp = of_x(ops.exp, "exp", floating)
exp2 = of_x(ops.exp2, "exp2", floating)
expm1 = of_x(ops.expm1, "expm1", floating)
fabs = of_x(ops.absolute, "fabs", floating)
fix = of_x(ops.trunc, "fix", floating)
floor = of_x(ops.floor, "floor", floating)
isfinite = of_x(ops.isfinite, "isfinite")
isinf = of_x(ops.isinf, "isinf")
isnan = of_x(ops.isnan, "isnan")
isneginf = of_x(ops.isneginf, "isneginf")
isposinf = of_x(ops.isposinf, "isposinf")
isreal = of_x(ops.isreal, "isreal")
log = of_x(ops.log, "log", floating)
log10 = of_x(ops.log10, "log10", floating)
log1p = of_x(ops.log1p, "log1p", floating)
log2 = of_x(ops.log2, "log2", floating)
logical_not = of_x(ops.logical_not, "logical_not")
negative = of_x(ops.negative, "negative")
positive = of_x(ops.copy, "positive", text="Return x, the number with its own sign.")
rad2deg = of_x(ops.rad2deg, "rad2deg", floating)
reciprocal = of_x(ops.reciprocal, "reciprocal", floating)
signbit = of_x(ops.signbit, "signbit")
sin = of_x(ops.sin, "sin", floating)
sinc = of_x(ops.sinc, "sinc", floating)
sinh = of_x(ops.sinh, "sinh", floating)
sqrt = of_x(ops.sqrt, "sqrt", floating)
square = of_x(ops.square, "square")
tan = of_x(ops.tan, "tan", floating)
tanh = of_x(ops.tanh, "tanh", floating)

add = of_x1_x2(ops.add, "add")
arctan2 = of_x1_x2(ops.arctan2, "arctan2", floating)
bitwise_and = of_x1_x2(ops.bitwise_and, "bitwise_and")
bitwise_or = of_x1_x2(ops.bitwise_or, "bitwise_or")
bitwise_xor = of_x1_x2(ops.bitwise_xor, "bitwise_xor")
divide = of_x1_x2(ops.divide, "divide", floating)
true_divide = divide
equal = of_x1_x2(ops.equal, "equal")
float_power = of_x1_x2(ops.power, "float_power", floating)
floor_divide = of_x1_x2(floor_quotient, "floor_divide")
gcd = of_x1_x2(ops.gcd, "gcd")
greater = of_x1_x2(ops.greater, "greater")
greater_equal = of_x1_x2(ops.greater_equal, "greater_equal")
heaviside = of_x1_x2(ops.heaviside, "heaviside", floating)
hypot = of_x1_x2(ops.hypot, "hypot", floating)
lcm = of_x1_x2(ops.lcm, "lcm")
less = of_x1_x2(ops.less, "less")
less_equal = of_x1_x2(ops.less_equal, "less_equal")
logaddexp = of_x1_x2(ops.logaddexp, "logaddexp", floating)
logaddexp2 = of_x1_x2(ops.logaddexp2, "logaddexp2", floating)
logical_and = of_x1_x2(ops.logical_and, "logical_and")
logical_or = of_x1_x2(ops.logical_or, "logical_or")
logical_xor = of_x1_x2(ops.logical_xor, "logical_xor")
matmul = of_x1_x2(ops.matmul, "matmul")
maximum = of_x1_x2(ops.maximum, "maximum")
minimum = of_x1_x2(ops.minimum, "minimum")
mod = of_x1_x2(ops.mod, "mod")
multiply = of_x1_x2(ops.multiply, "multiply")
nextafter = of_x1_x2(ops.nextafter, "nextafter", floating)
not_equal = of_x1_x2(ops.not_equal, "not_equal")
power = of_x1_x2(ops.power, "power")
remainder = of_x1_x2(ops.mod, "remainder")
subtract = of_x1_x2(ops.subtract, "subtract")


def sign(x: TensorLike, out: Any = None, where: Any = None, **kwargs: Any) -> Any:
    """Return -1 for negative numbers, 1 for positive ones, 0 for 0."""
    _refuse(out=out, where=where)
    return ops.sign(tensor(x))


def divmod(x1: TensorLike, x2: TensorLike) -> tuple[Any, Any]:
    """Return x1 // x2 and x1 % x2.

    >>> import hornbeam.experimental.numpy as tnp
    >>> [each.numpy().tolist() for each in tnp.divmod([7, -7], 2)]
    [[3, -4], [1, 1]]
    """
    a, b = common(x1, x2)
    return floor_quotient(a, b), ops.mod(a, b)


def real(val: TensorLike) -> Any:
    """Return the real part."""
    return ops.real(tensor(val))


def imag(val: TensorLike) -> Any:
    """Return the imaginary part, 0 for real numbers."""
    return ops.imag(tensor(val))


def angle(z: TensorLike, deg: bool = False) -> Any:
    """Return the angle of a complex number in the plane, in radians or degrees."""
    found = ops.angle(floating(z)[0])
    return ops.rad2deg(found) if deg else found


def around(a: TensorLike, decimals: int = 0) -> Any:
    """Return numbers rounded to so many decimals, halves to the even neighbour.

    >>> import hornbeam.experimental.numpy as tnp
    >>> tnp.around([1.25, 2.5], 1).numpy().tolist()
    [1.2, 2.5]
    """
    return ops.round(tensor(a), decimals)


def round(a: TensorLike, decimals: int = 0) -> Any:
    """Return numbers rounded to so many decimals, halves to the even neighbour."""
    return around(a, decimals)


def clip(a: TensorLike, a_min: TensorLike | None, a_max: TensorLike | None) -> Any:
    """Return `a` with what lies outside of [a_min, a_max] replaced by the nearer limit; None is no limit.

    >>> import hornbeam.experimental.numpy as tnp
    >>> tnp.clip([1, 5, 9], 2, 8).numpy().tolist()
    [2, 5, 8]
    """
    if a_min is None and a_max is None:
        raise ValueError("`clip` needs `a_min`, `a_max` or both.")
    if a_max is None:
        return maximum(a, a_min)
    if a_min is None:
        return minimum(a, a_max)
    return ops.clip(*common(a, a_min, a_max))


def _refuse(**options: Any) -> None:
    """Raise for arguments of NumPy that write into arrays: tensors can't change."""
    given = [name for name, value in options.items() if value is not None]
    if given:
        raise NotImplementedError(
            f"{', '.join(given)}: tensors can't be written into; use `where`."
        )

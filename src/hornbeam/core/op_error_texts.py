"""What JAX, NumPy and Python say about wrong arguments, and what that means to somebody who called an op."""

from __future__ import annotations

import re

import jax

Kind = type[TypeError] | type[ValueError] | type[IndexError]

# The first that fits counts. Groups of a pattern may be used in the text.
_SAID: list[tuple[str, Kind, str]] = [
    (
        r"^None is not a valid value|not a valid JAX array type|requires ndarray|expected ArrayLike"
        r"|^entry not a 2- or 3- tuple|as an abstract array|Unexpected input type for array|as a JAX value",
        TypeError,
        "expected numbers: a tensor, an array, or a list of them",
    ),
    (
        r"inhomogeneous shape|setting an array element with a sequence",
        ValueError,
        "a list whose parts differ in shape is no tensor; pad them to one shape",
    ),
    (
        r"^axis (-?\d+) is out of bounds for array of dimension (\d+)",
        ValueError,
        r"there is no axis \1 in a tensor of \2 axes",
    ),
    (
        r"(?:list|tuple) index out of range|axis out of bounds|out of bounds for array",
        ValueError,
        "there is no such axis: an input has fewer axes than expected",
    ),
    (r"repeated axis|duplicate (?:value|axis|axes)", ValueError, "an axis is named twice"),
    (
        r"[Ii]ncompatible (?:shapes|types) for broadcasting|Cannot broadcast|could not be broadcast"
        r"|must have the same number of dimensions, got|cannot be broadcast",
        ValueError,
        "the shapes don't broadcast; compared from the last axis, sizes must be equal or 1",
    ),
    (
        r"contracting dimensions|shape-mismatch|does not match .* for dot",
        ValueError,
        "the axes that are multiplied and summed over must have the same size",
    ),
    (
        r"isn't a permutation",
        ValueError,
        "the axes must name each axis of the input once, and the input has too few, too many or others",
    ),
    (
        r"Length of slice indices",
        ValueError,
        "a start and a size are expected for each axis of the input",
    ),
    (r"by zero$", ValueError, "an input is empty, or a size is 0"),
    (r"Slice size at index", ValueError, "the input is empty along an axis"),
    (
        r"lhs and rhs ndim to be equal",
        ValueError,
        "expected images: (batch, channels, height, width) or channels last",
    ),
    (
        r"Cannot determine dtype of",
        TypeError,
        "expected a number or a tensor in place of a list",
    ),
    (
        r"cotangent type does not match",
        ValueError,
        "the input's sizes don't belong to an output of this size",
    ),
    (r"Sum of sizes", ValueError, "the axis can't be divided so"),
    (r"batch dimensions", ValueError, "the batch axes must have the same sizes"),
    (
        r"Cannot (?:concatenate|stack) arrays with different numbers of dimensions",
        ValueError,
        "the inputs must have the same number of axes",
    ),
    (
        r"differ in dimensions other than the one being concatenated",
        ValueError,
        "the inputs may differ in size only along the axis that joins them",
    ),
    (r"All input arrays must have the same shape", ValueError, "all inputs must have one shape"),
    (
        r"[Nn]eed at least one array|Need at least one",
        ValueError,
        "expected at least one input, received an empty list",
    ),
    (
        r"does not have enough dimensions for all core|at least two dimensional|at least 2D?\b"
        r"|at least two dimensions|must be at least|last 2 dimensions|Leading dimensions",
        ValueError,
        "an input has too few axes",
    ),
    (
        r"inconsistent size for core dimension|must be square|to be square",
        ValueError,
        "the sizes of the last axes don't fit: a square matrix, or a second input of as many rows, is expected",
    ),
    (
        r"cannot reshape array of shape .*? into shape|Cannot divide evenly the sizes of shapes",
        ValueError,
        "the new shape must hold exactly as many elements as the input",
    ),
    (
        r"does not result in an equal division",
        ValueError,
        "the axis can't be divided into so many equal parts",
    ),
    (
        r"slice_sizes must be less than|must be less than or equal to operand",
        ValueError,
        "the part reaches beyond the input: each size must be at most that of the input's axis",
    ),
    (
        r"nonnegative|non-negative|negative dimensions|[Nn]egative padding",
        ValueError,
        "a size or number is negative",
    ),
    (
        r"safe_map\(\)|safe_zip\(\)|zip\(\) argument|not enough values to unpack|too many values to",
        ValueError,
        "an input or a list has a wrong number of axes or entries",
    ),
    (r"unbound axis name|Named reductions", TypeError, "an axis is an integer"),
    (r"sequences? of concrete values of integer type", TypeError, "sizes are integers"),
    (r"must (?:all )?be positive|strictly positive", ValueError, "a size must be at least 1"),
    (r"^Argument to .* must have shape (\[.*?\])", ValueError, r"expected an input of shape \1"),
    (
        r"does not accept dtype (\w+)|Unsupported dtype (\w+)",
        TypeError,
        r"it isn't defined for \1\2",
    ),
    (
        r"does not (?:accept|support) .*(?:dtype|complex)|not (?:well defined|compatible|defined|supported) "
        r"(?:for|with) (?:input types|complex|bool)|Unsupported input type|same (?:dtype|type)s?|only supports|not inexact|Invalid (?:integer|floating) data type",
        TypeError,
        "it isn't defined for inputs of these types; `ops.cast` changes the type",
    ),
    (
        r"(?:must be|must have|have) (?:of )?(?:an )?(?:integer|integral|int)|integers? or boolean|an integer type",
        TypeError,
        "integers are expected; `ops.cast` changes the type",
    ),
    (
        r"'(\w+)' object (?:cannot be interpreted as an integer|is not iterable|has no|is not subscriptable)"
        r"|object of type '(\w+)' has no",
        TypeError,
        r"an argument can't be of type \1\2",
    ),
    (
        r"^(?:int|float|bool|complex)\(\) argument must be .*, not '(\w+)'|must be real number, not (\w+)|^invalid literal for|^could not convert",
        TypeError,
        r"a number is expected, not one of type \1\2",
    ),
    (
        r"unsupported operand type|unhashable type|Non-hashable|not supported between instances"
        r"|can't multiply sequence|only integer scalar arrays|can only concatenate|indices must be|bad operand type"
        r"|not all arguments converted|not understood|ufunc|Cannot interpret",
        TypeError,
        "an argument is of a wrong type",
    ),
]
# Words that mean nothing to somebody who has not read JAX.
_FOREIGN = re.compile(
    r"JAX|[Tt]racer|[Tt]raced<|XLA|Xla|jax|jnp|lax\b|operand|lhs|rhs|_dim\b|dot_general|pytree|aval|vectorized function|gather op|vmap|np\."
)
_OF_JAX = re.compile(r"\b(?:jax\.numpy|jax\.lax|jnp|lax)\.")
_UNKNOWN = (
    "it needs the values of an argument, but they are not known yet: the function is being compiled. Pass a Python "
    "number, or compile the model with run_eagerly=True"
)
_LEAKED = (
    "a tensor was kept beyond the end of the compiled function that made it. Return it from that function, or assign "
    "it to a tf.Variable"
)


def reason(error: Exception) -> tuple[Kind, str] | None:
    """Return the type and text for an error of JAX, NumPy or Python; None for one that is not about arguments.

    >>> reason(TypeError("add got incompatible shapes for broadcasting: (2,), (3,)."))[0].__name__
    'ValueError'
    """
    if isinstance(error, jax.errors.UnexpectedTracerError):
        return TypeError, _LEAKED
    if isinstance(error, (jax.errors.JAXTypeError, jax.errors.JAXIndexError)):
        return TypeError, _UNKNOWN
    kind = _kind(error)
    if kind is None:
        return None
    said = str(error).split("\n")[0]
    for pattern, known_kind, text in _SAID:
        if found := re.search(pattern, said):
            return known_kind, found.expand(text)
    plain = _OF_JAX.sub("", re.split(r"[,;] (?:but )?got ", said)[0]).rstrip(".: ")
    if not plain or _FOREIGN.search(plain):
        plain = "the arguments don't fit together"
    return kind, plain


def _kind(error: Exception) -> Kind | None:
    if isinstance(error, (TypeError, AttributeError, NameError, NotImplementedError)):
        return TypeError
    if isinstance(error, (ValueError, LookupError, ArithmeticError, AssertionError)):
        return ValueError
    return None

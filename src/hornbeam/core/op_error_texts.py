"""What JAX, NumPy and Python say about wrong arguments, and what that means to somebody who called an op."""

from __future__ import annotations

import re

import jax

from hornbeam.core.leaks import leak

# The first that fits counts. Groups of a pattern may be used in the text.
_SAID: list[tuple[str, str]] = [
    (
        r"^None is not a valid value|not a valid JAX array type|requires ndarray|expected ArrayLike"
        r"|^entry not a 2- or 3- tuple|as an abstract array|Unexpected input type for array|as a JAX value",
        "expected numbers: a tensor, an array, or a list of them",
    ),
    (
        r"inhomogeneous shape|setting an array element with a sequence",
        "a list whose parts differ in shape is no tensor; pad them to one shape",
    ),
    (
        r"^axis (-?\d+) is out of bounds for array of dimension (\d+)",
        r"there is no axis \1 in a tensor of \2 axes",
    ),
    (
        r"(?:list|tuple) index out of range|axis out of bounds|out of bounds for array",
        "there is no such axis: an input has fewer axes than expected",
    ),
    (r"repeated axis|duplicate (?:value|axis|axes)", "an axis is named twice"),
    (
        r"[Ii]ncompatible (?:shapes|types) for broadcasting|Cannot broadcast|could not be broadcast"
        r"|must have the same number of dimensions, got|cannot be broadcast",
        "the shapes don't broadcast; compared from the last axis, sizes must be equal or 1",
    ),
    (
        r"contracting dimensions|shape-mismatch|does not match .* for dot",
        "the axes that are multiplied and summed over must have the same size",
    ),
    (
        r"isn't a permutation",
        "the axes must name each axis of the input once, and the input has too few, too many or others",
    ),
    (
        r"Length of slice indices",
        "a start and a size are expected for each axis of the input",
    ),
    (
        r"overflow was encountered.*with value (-?\d+)|Python integer (-?\d+) out of bounds",
        r"\1\2 does not fit into the type of the tensors that it is used with; `tf.cast(x, tf.int64)` makes room",
    ),
    (r"by zero$", "an input is empty, or a size is 0"),
    (r"Slice size at index", "the input is empty along an axis"),
    (
        r"lhs and rhs ndim to be equal",
        "expected images: (batch, channels, height, width) or channels last",
    ),
    (
        r"Cannot determine dtype of",
        "expected a number or a tensor in place of a list",
    ),
    (
        r"cotangent type does not match",
        "the input's sizes don't belong to an output of this size",
    ),
    (r"Sum of sizes", "the axis can't be divided so"),
    (r"batch dimensions", "the batch axes must have the same sizes"),
    (
        r"Cannot (?:concatenate|stack) arrays with different numbers of dimensions",
        "the inputs must have the same number of axes",
    ),
    (
        r"differ in dimensions other than the one being concatenated",
        "the inputs may differ in size only along the axis that joins them",
    ),
    (r"All input arrays must have the same shape", "all inputs must have one shape"),
    (
        r"[Nn]eed at least one array|Need at least one",
        "expected at least one input, received an empty list",
    ),
    (
        r"does not have enough dimensions for all core|at least two dimensional|at least 2D?\b"
        r"|at least two dimensions|must be at least|last 2 dimensions|Leading dimensions",
        "an input has too few axes",
    ),
    (
        r"inconsistent size for core dimension|must be square|to be square",
        "the sizes of the last axes don't fit: a square matrix, or a second input of as many rows, is expected",
    ),
    (
        r"cannot reshape array of shape .*? into shape|Cannot divide evenly the sizes of shapes",
        "the new shape must hold exactly as many elements as the input",
    ),
    (
        r"does not result in an equal division",
        "the axis can't be divided into so many equal parts",
    ),
    (
        r"slice_sizes must be less than|must be less than or equal to operand",
        "the part reaches beyond the input: each size must be at most that of the input's axis",
    ),
    (
        r"nonnegative|non-negative|negative dimensions|[Nn]egative padding",
        "a size or number is negative",
    ),
    (
        r"safe_map\(\)|safe_zip\(\)|zip\(\) argument|not enough values to unpack|too many values to",
        "an input or a list has a wrong number of axes or entries",
    ),
    (r"unbound axis name|Named reductions", "an axis is an integer"),
    (r"sequences? of concrete values of integer type", "sizes are integers"),
    (r"must (?:all )?be positive|strictly positive", "a size must be at least 1"),
    (r"^Argument to .* must have shape (\[.*?\])", r"expected an input of shape \1"),
    (
        r"does not accept dtype (\w+)|Unsupported dtype (\w+)",
        r"it isn't defined for \1\2",
    ),
    (
        r"does not (?:accept|support) .*(?:dtype|complex)|not (?:well defined|compatible|defined|supported) "
        r"(?:for|with) (?:input types|complex|bool)|Unsupported input type|same (?:dtype|type)s?|only supports|not inexact|Invalid (?:integer|floating) data type",
        "it isn't defined for inputs of these types; `ops.cast` changes the type",
    ),
    (
        r"(?:must be|must have|have) (?:of )?(?:an )?(?:integer|integral|int)|integers? or boolean|an integer type",
        "integers are expected; `ops.cast` changes the type",
    ),
    (
        r"'(\w+)' object (?:cannot be interpreted as an integer|is not iterable|has no|is not subscriptable)"
        r"|object of type '(\w+)' has no",
        r"an argument can't be of type \1\2",
    ),
    (
        r"^(?:int|float|bool|complex)\(\) argument must be .*, not '(\w+)'|must be real number, not (\w+)|^invalid literal for|^could not convert",
        r"a number is expected, not one of type \1\2",
    ),
    (
        r"unsupported operand type|unhashable type|Non-hashable|not supported between instances"
        r"|can't multiply sequence|only integer scalar arrays|can only concatenate|indices must be|bad operand type"
        r"|not all arguments converted|not understood|ufunc|Cannot interpret",
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
    "number, or look at values where nothing is compiled: model.compile(run_eagerly=True), "
    "tf.config.run_functions_eagerly(True)"
)
_OF_ARGUMENTS = (
    *(TypeError, AttributeError, NameError, NotImplementedError),
    *(ValueError, LookupError, ArithmeticError, AssertionError),
)


def reason(error: Exception) -> str | None:
    """Return what is wrong with the arguments, for an error of JAX, NumPy or Python; None for an error of other kinds.

    >>> reason(TypeError("add got incompatible shapes for broadcasting: (2,), (3,)."))
    "the shapes don't broadcast; compared from the last axis, sizes must be equal or 1"
    """
    if not isinstance(error, _OF_ARGUMENTS):
        return None
    said = str(error).split("\n")[0]
    for pattern, text in _SAID:
        if found := re.search(pattern, said):
            return found.expand(text)
    plain = _OF_JAX.sub("", re.split(r"[,;] (?:but )?got ", said)[0]).rstrip(".: ")
    if not plain or _FOREIGN.search(plain):
        plain = "the arguments don't fit together"
    return plain


def tracing_fault(error: Exception) -> str | None:
    """Return what is wrong where values of a program are not known, or are kept beyond its end; else None."""
    if isinstance(error, jax.errors.UnexpectedTracerError):
        return leak(error)
    if isinstance(error, (jax.errors.JAXTypeError, jax.errors.JAXIndexError)):
        return _UNKNOWN
    return None

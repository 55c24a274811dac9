"""Every public op, given what it can't take: an InvalidArgumentError in its own name, which says what came.

Only shapes are traced: nothing is compiled.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from typing import Any

import jax
import numpy as np
import pytest

from hornbeam import errors, keras, ops
from tests.ops.cases import CASES, Case, arrays, row

ARRAYS = arrays()
# What nobody can know who has not read JAX.
FOREIGN = re.compile(
    r"[Tt]racer|JAX|XLA|Xla|\bjax|jnp|\blax\b|operand\b(?! \d)|\blhs\b|\brhs\b|_dim\b|_general|ShapedArray|vmap|gather op"
    r"|pytree|<class|safe_map|\bnp\."
)
# Functions of the user come first in these; they are tried below.
OF_FUNCTIONS = {
    *[
        "associative_scan",
        "cond",
        "fori_loop",
        "jvp",
        "map",
        "scan",
        "switch",
        "vectorized_map",
        "while_loop",
    ]
}
MORE = [
    row("sparsemax", "floats"),
    row("scatter", "places four", shape=(4, 4, 4, 4)),
    row("scatter_update", "images places four"),
    row("slice_update", "squares classes squares"),
    row("empty_like", "floats"),
    *[row(name, "square") for name in ("eig", "eigh", "nonzero")],
    row("einsum", "", subscripts="ij->j"),
    row("get_item", "floats", key=0),
    row("istft", "(images images)", sequence_length=4, sequence_stride=2, fft_length=6),
]
FIRST: dict[str, Case] = {}
for each in [*CASES, *MORE]:
    FIRST.setdefault(each.name, each)
# These are no ops: `shape` and `ndim` are numbers, `convert_to_tensor` names no function.
NO_OPS = {"shape", "ndim", "convert_to_tensor"}
# The sizes of these depend on values, and that is the error that they raise here.
BY_VALUES = {"unique", "nonzero"}
ROWS = [case for name, case in FIRST.items() if case.places() and name not in NO_OPS]

NO_NUMBERS: dict[str, Any] = {
    "string": "abcd",
    "strings": ["yes", "no"],
    "array of strings": np.array(["yes", "no"]),
    "array of objects": np.array([None, 1.0]),
    "None": None,
    "object": object(),
    "ragged list": [[1.0], [2.0, 3.0]],
    "dict": {"a": 1.0},
}
CHANGES: dict[str, Callable[[np.ndarray], Any]] = {
    "a scalar": lambda a: a.reshape(-1)[0],
    "an axis more": lambda a: a[None],
    "three axes more": lambda a: a[None, None, None],
    "an axis less": lambda a: a[0],
    "another last size": lambda a: np.concatenate([a, a[..., :1]], -1),
    "another first size": lambda a: np.concatenate([a, a[:1]], 0),
    "empty": lambda a: a[:0],
    "complex": lambda a: a.astype("complex64"),
    "bool": lambda a: a.astype(bool),
    "int": lambda a: (a > 0).astype("int32"),
    "float": lambda a: a.astype("float32"),
}


def test_every_public_op_has_a_row() -> None:
    public = {name for name in ops.__all__ if hasattr(getattr(ops, name), "raw")}
    assert public - set(FIRST) == OF_FUNCTIONS


def raised(
    name: str, args: list[Any], kwargs: dict[str, Any], build: Any = lambda args: args
) -> Exception | None:
    """Return the error of a call while shapes are traced; arrays become tracers, all else is passed as it is."""
    places = [
        place
        for place, value in enumerate(args)
        if isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind not in "OU"
    ]

    def run(*found: Any) -> None:
        full = list(args)
        for place, value in zip(places, found, strict=True):
            full[place] = value
        getattr(ops, name)(*build(full), **kwargs)

    return error_of(lambda: jax.eval_shape(run, *[args[place] for place in places]))


def raised_by(case: Case, values: list[Any], **changed: Any) -> Exception | None:
    return raised(case.name, values, {**case.kwargs, **changed}, case.arguments)


def error_of(call: Callable[[], Any]) -> Exception | None:
    try:
        call()
    except Exception as error:
        return error
    return None


def fault(name: str, error: Exception | None) -> str | None:
    """Return what is wrong with the error of the op `name`; None where nothing is."""
    if error is None:
        return "nothing was raised"
    public = getattr(ops, name).name
    text = str(error)
    of_caller = type(error) is TypeError  # an argument is missing, or unknown
    if not (of_caller or isinstance(error, errors.InvalidArgumentError)):
        return f"a {type(error).__name__}: {text}"
    if FOREIGN.search(text):
        return f"words of JAX: {text}"
    if not re.search(rf"`({name}|{public})\b", text):
        return f"no name: {text}"
    return None


def with_change(case: Case, place: int, value: Any) -> list[Any]:
    values: list[Any] = [ARRAYS[each] for each in case.places()]
    values[place] = value
    return values


def required(case: Case) -> Iterator[int]:
    """Yield the places of arrays that can't be left out."""
    parameters = list(inspect.signature(getattr(ops, case.name)).parameters.values())
    packed = "[" in case.inputs or "(" in case.inputs
    for place in range(len(case.places())):
        if packed or parameters[min(place, len(parameters) - 1)].default is inspect.Parameter.empty:
            yield place


@pytest.mark.parametrize("case", ROWS, ids=lambda case: case.name)
def test_what_is_no_number(case: Case) -> None:
    found = {
        (place, what): fault(case.name, raised_by(case, with_change(case, place, value)))
        for place in required(case)
        for what, value in NO_NUMBERS.items()
        # NumPy's arrays stay what they are there.
        if not (case.name == "get_item" and isinstance(value, np.ndarray))
    }
    assert len(found) >= len(NO_NUMBERS) - 2
    assert {key: text for key, text in found.items() if text} == {}


# JAX warns where a part of a complex number is lost.
@pytest.mark.filterwarnings("ignore:Casting")
@pytest.mark.parametrize(
    "case", [case for case in ROWS if case.name not in BY_VALUES], ids=lambda case: case.name
)
def test_other_shapes_and_types(case: Case) -> None:
    """Many of these an op takes; where it doesn't, the error is its own."""
    assert raised_by(case, [ARRAYS[each] for each in case.places()]) is None
    errors = {
        (place, what): raised_by(case, with_change(case, place, change(ARRAYS[array])))
        for place, array in enumerate(case.places())
        for what, change in CHANGES.items()
    }
    faults = {key: fault(case.name, error) for key, error in errors.items() if error is not None}
    assert {key: text for key, text in faults.items() if text} == {}


@pytest.mark.parametrize("name", sorted(BY_VALUES))
def test_what_needs_values(name: str) -> None:
    error = raised(name, [ARRAYS["classes"]], {})
    assert fault(name, error) is None
    assert re.search(r"not known yet.*int32 of shape \(3,\)", str(error))


WITH_AXIS = [
    case
    for case in ROWS
    for parameter in [inspect.signature(getattr(ops, case.name)).parameters.get("axis")]
    if parameter is not None
]


@pytest.mark.parametrize("axis", [99, -99, "abc", 1.5], ids=str)
@pytest.mark.parametrize("case", WITH_AXIS, ids=lambda case: case.name)
def test_no_such_axis(case: Case, axis: Any) -> None:
    error = raised_by(case, [ARRAYS[each] for each in case.places()], axis=axis)
    assert fault(case.name, error) is None
    assert repr(axis) in str(error)


def test_most_reductions_have_an_axis() -> None:
    assert len(WITH_AXIS) > 60


A, B, V = np.ones((2, 3), "float32"), np.ones((2, 4), "float32"), np.ones(5, "float32")
INTS, T = np.ones((2, 3), "int32"), np.ones((2, 3, 4), "float32")
# Arrays that don't fit, and what the error says besides the op's name and the shapes.
UNFIT: list[tuple[str, list[Any], dict[str, Any], str]] = [
    *[
        (name, [A, B], {}, "broadcast")
        for name in (
            *[
                "add",
                "subtract",
                "multiply",
                "divide",
                "floor_divide",
                "mod",
                "power",
                "maximum",
                "minimum",
                "equal",
                "not_equal",
            ],
            *[
                "less",
                "less_equal",
                "greater",
                "greater_equal",
                "logical_and",
                "logical_or",
                "logical_xor",
                "hypot",
            ],
            *[
                "arctan2",
                "logaddexp",
                "fmax",
                "fmin",
                "isclose",
                "nextafter",
                "heaviside",
                "copysign",
                "divide_no_nan",
            ],
        )
        if hasattr(ops, name)
    ],
    *[(name, [INTS, INTS[:, :2]], {}, "broadcast") for name in ("bitwise_and", "gcd", "lcm")],
    *[(name, [A, V], {}, "same size") for name in ("dot", "inner", "vdot")],
    ("tensordot", [A, B], {"axes": 1}, "same size"),
    ("matmul", [A, B], {}, "leading axes"),
    ("einsum", ["ij,jk->ik", A, B], {}, "'ij,jk->ik'"),
    ("reshape", [A, (4, 2)], {}, r"as many elements.*newshape: \(4, 2\)"),
    ("reshape", [A, (4, -1)], {}, r"as many elements.*newshape: \(4, -1\)"),
    ("broadcast_to", [A, (3, 3)], {}, r"broadcast.*shape: \(3, 3\)"),
    ("concatenate", [[A, B]], {}, "only along the axis"),
    ("concatenate", [[A, V]], {}, "same number of axes"),
    ("stack", [[A, B]], {}, "one shape"),
    ("hstack", [[A, V]], {}, "same number of axes"),
    ("vstack", [[A, B]], {}, "only along the axis"),
    ("slice", [A, (0, 0), (3, 3)], {}, "beyond the input"),
    ("slice", [A, (0,), (1,)], {}, "for each axis"),
    ("split", [A, 4], {"axis": 1}, "equal parts"),
    ("transpose", [A, (0, 1, 2)], {}, "no axis 2"),
    ("transpose", [A, (0, 0)], {}, "each axis|twice"),
    ("squeeze", [A], {"axis": 0}, "size not equal to one"),
    ("expand_dims", [A, 5], {}, "no axis 5"),
    ("moveaxis", [A, 3, 0], {}, "no axis 3"),
    ("take_along_axis", [A, INTS[0]], {"axis": 1}, "number of dimensions"),
    ("digitize", [A, B], {}, "1-dimensional"),
    ("searchsorted", [A, B], {}, "1-dimensional"),
    ("where", [A, A, B], {}, "broadcast"),
    ("clip", [A, B, 1.0], {}, "broadcast"),
    ("solve", [np.ones((3, 3), "float32"), A], {}, "fit"),
    ("inv", [A], {}, "square"),
    ("det", [A], {}, "square"),
    ("cholesky", [A], {}, "square"),
    ("cross", [A, B], {}, "2 or 3"),
    ("fold", [T], {"output_size": 9, "kernel_size": 1}, "output of this size"),
    ("fold", [A], {"output_size": 3, "kernel_size": 2}, "windows"),
    ("unfold", [A], {"kernel_size": 2}, "expected images"),
    ("pad", [A, ((1, 1), (2, 2), (3, 3))], {}, "pad_width"),
    ("tile", [A, "abc"], {}, "abc"),
    ("segment_sum", [A, INTS[:, 0].repeat(3)], {"num_segments": 3}, "broadcast"),
    ("average", [A], {"weights": B}, "weights"),
    ("cdist", [A, B], {}, "broadcast"),
    ("top_k", [A, 5], {}, "no larger"),
    ("conv", [A, B], {}, "axes"),
    ("bitwise_and", [A, A], {}, "float32"),
]


@pytest.mark.parametrize("mistake", UNFIT, ids=lambda m: f"{m[0]}-{m[3][:12]}")
def test_the_same_words_eagerly_symbolically_and_compiled(mistake: Any) -> None:
    name, args, kwargs, message = mistake
    eager = error_of(lambda: getattr(ops, name)(*args, **kwargs))
    assert fault(name, eager) is None
    text = str(eager)
    assert re.search(message, text)
    for array in jax.tree.leaves(args):
        assert not isinstance(array, np.ndarray) or str(array.shape) in text
    compiled = raised(name, args, kwargs)
    symbolic = error_of(lambda: getattr(ops, name)(*map(symbols, args), **kwargs))
    for other in (compiled, symbolic):
        assert (type(other), str(other)) == (type(eager), text)


def symbols(value: Any) -> Any:
    if isinstance(value, list):
        return [symbols(each) for each in value]
    if isinstance(value, np.ndarray):
        return keras.Input(batch_shape=value.shape, dtype=str(value.dtype))
    return value


@pytest.mark.parametrize(
    ("name", "args", "kwargs"),
    [
        ("dot", [(None, 3), (None, 4)], {}),
        ("add", [(None, 3), (None, 4)], {}),
        ("concatenate", [[(None, 3), (None, 3, 4)]], {}),
        ("reshape", [(None, 3), (None, 4)], {}),
    ],
)
def test_unknown_sizes_are_none(name: str, args: list[Any], kwargs: dict[str, Any]) -> None:
    def symbol(shape: Any) -> Any:
        return (
            list(map(symbol, shape)) if isinstance(shape, list) else keras.Input(batch_shape=shape)
        )

    args = [args[0], args[1]] if name == "reshape" else args
    values = [symbol(args[0]), args[1]] if name == "reshape" else list(map(symbol, args))
    error = error_of(lambda: getattr(ops, name)(*values, **kwargs))
    assert fault(name, error) is None
    assert "(None, 3)" in str(error)
    assert max(map(int, re.findall(r"\d+", str(error).replace("float32", "")))) < 5


class Own(Exception):
    """An error of the user."""


def broken(kind: Any) -> Callable[..., Any]:
    def function(*args: Any) -> Any:
        raise kind("my own words")

    return function


def wrong_shapes(*args: Any) -> Any:
    return np.ones((2, 3)) @ np.ones((2, 3))


CALLERS: dict[str, Callable[[Any], Any]] = {
    "map": lambda f: ops.map(f, A),
    "vectorized_map": lambda f: ops.vectorized_map(f, A),
    "scan": lambda f: ops.scan(f, V, A),
    "associative_scan": lambda f: ops.associative_scan(f, A),
    "fori_loop": lambda f: ops.fori_loop(0, 2, f, A),
    "while_loop": lambda f: ops.while_loop(f, f, (A,)),
    "cond": lambda f: ops.cond(True, f, f),
    "switch": lambda f: ops.switch(0, [f, f], A),
    "jvp": lambda f: ops.jvp(f, (A,), (A,)),
    "custom_gradient": lambda f: ops.custom_gradient(f)(A),
    "vectorize": lambda f: ops.vectorize(f)(A),
}


@pytest.mark.parametrize("kind", [ValueError, TypeError, IndexError, KeyError, Own])
@pytest.mark.parametrize("name", CALLERS)
def test_errors_of_the_users_functions_pass_untouched(name: str, kind: Any) -> None:
    with pytest.raises(kind) as caught:
        CALLERS[name](broken(kind))
    assert caught.value.args == ("my own words",)
    assert caught.value.__cause__ is None
    assert caught.traceback[-1].name == "function"


@pytest.mark.parametrize("name", CALLERS)
def test_what_numpy_says_in_the_users_functions_too(name: str) -> None:
    with pytest.raises(ValueError, match="matmul: Input operand 1"):
        CALLERS[name](wrong_shapes)


def test_an_op_within_a_users_function_speaks_for_itself() -> None:
    with pytest.raises(ValueError, match=r"^`dot`: .* Received x1: float32 of shape \(3,\)"):
        ops.map(lambda x: ops.dot(x, V), A)


def test_python_says_which_argument_is_missing() -> None:
    with pytest.raises(TypeError, match=r"^dot\(\) missing 1 required positional argument: 'x2'"):
        ops.dot(A)
    with pytest.raises(TypeError, match=r"^exp\(\) got an unexpected keyword argument 'axis'"):
        ops.exp(A, axis=1)


def test_the_error_of_jax_is_kept_as_the_cause() -> None:
    error = error_of(lambda: ops.dot(A, V))
    assert "dot_general" in str(error and error.__cause__)

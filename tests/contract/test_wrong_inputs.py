"""Every exported layer, called on what it can't take: a ValueError or TypeError without a word of JAX.

The same for losses. Shapes are traced: nothing is compiled.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import pytest

from hornbeam import errors, keras
from hornbeam.keras import layers, losses
from tests.contract.layer_cases import CASES, Case

# The sentence with "unsupported type (<class 'object'>)" is TensorFlow's.
FOREIGN = re.compile(
    r"[Tt]racer|JAX|XLA|Xla|\bjax|jnp|\blax\b|operand\b(?! \d)|\blhs\b|\brhs\b|_dim\b|dot_general|conv_general|ShapedArray|vmap"
    r"|gather op|pytree|(?<!unsupported type \()<class|safe_map|\bnp\.|out of range|has no attribute|modulo"
)
CHANGES: dict[str, Callable[[Any], Any]] = {
    "an axis more": lambda shape: (*shape, 3),
    "an axis more in front": lambda shape: (2, *shape),
    "an axis less": lambda shape: shape[:-1],
    "one channel more": lambda shape: (*shape[:-1], shape[-1] + 1),
    "no time": lambda shape: (shape[0], 0, *shape[2:]),
    "a vector": lambda shape: shape[:1],
    "a scalar": lambda shape: (),
}
NO_TENSORS: list[Any] = ["abc", None, ["yes", "no"], np.array(["yes", "no"]), object(), {"a": 1}]
NAMES = [name for name in CASES if hasattr(layers, name)]


def make(name: str) -> layers.Layer:
    given = CASES[name].arguments
    return getattr(layers, name)(**(given() if callable(given) else given))


def symbols(shape: Any, dtype: str) -> Any:
    if isinstance(shape, list):
        return [symbols(each, dtype) for each in shape]
    return keras.Input(batch_shape=shape, dtype=dtype)


def call(layer: layers.Layer, case: Case, shape: Any, dtype: str | None = None) -> Any:
    inputs = symbols(shape, dtype or ("int32" if case.highest else "float32"))
    return layer(*inputs) if case.apart else layer(inputs)


def fault(call: Callable[[], Any]) -> str | None:
    """Return what is wrong with the error of a call; None where nothing is, or nothing was raised."""
    try:
        call()
    except Exception as error:
        known = (ValueError, TypeError, errors.InvalidArgumentError)
        if type(error) not in known or FOREIGN.search(str(error)):
            return f"{type(error).__name__}: {error}"
    return None


def changed(shape: Any, change: Callable[[Any], Any]) -> list[Any]:
    """Return the shape with the change; of several shapes, all of them or the first alone."""
    if not isinstance(shape, list):
        return [change(shape)]
    return [list(map(change, shape)), [change(shape[0]), *shape[1:]]]


@pytest.mark.parametrize("name", NAMES)
def test_other_shapes(name: str) -> None:
    """Of a new layer, and of one that has been built for the right shape."""
    case, built = CASES[name], make(name)
    call(built, case, case.shape)
    found = {
        (what, which): fault(lambda layer=layer, shape=shape: call(layer, case, shape))
        for what, change in CHANGES.items()
        for which, shape in enumerate(changed(case.shape, change))
        for layer in (make(name), built)
    }
    assert {key: text for key, text in found.items() if text} == {}


# JAX warns where a part of a complex number is lost.
@pytest.mark.filterwarnings("ignore:Casting")
@pytest.mark.parametrize("name", NAMES)
def test_other_types(name: str) -> None:
    case = CASES[name]
    found = {
        dtype: fault(lambda dtype=dtype: call(make(name), case, case.shape, dtype))
        for dtype in ("int32", "bool", "complex64", "float16")
    }
    assert {key: text for key, text in found.items() if text} == {}


@pytest.mark.parametrize("value", NO_TENSORS, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("name", NAMES)
def test_what_is_no_tensor(name: str, value: Any) -> None:
    layer = make(name)
    args = (value, value) if CASES[name].apart else (value,)
    with pytest.raises((ValueError, TypeError)) as caught:
        layer(*args)
    assert not FOREIGN.search(str(caught.value))


LOSSES = [
    name for name in losses.__all__ if name not in ("Loss", "get", "serialize", "deserialize")
]
TRUTH, GUESS = np.ones((2, 3), "float32"), np.full((2, 3), 0.3, "float32")
NO_TRUTH = [*NO_TENSORS, [[1.0], [2.0, 3.0]], np.ones(5, "float32"), np.ones((2, 5), "float32")]


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize("name", LOSSES)
def test_what_is_no_truth_or_prediction(name: str, place: int) -> None:
    found = getattr(losses, name)
    for value in NO_TRUTH:
        pair: list[Any] = [TRUTH, GUESS]
        pair[place] = value
        loss = found() if inspect.isclass(found) else found
        with pytest.raises((ValueError, TypeError)) as caught:
            jax.eval_shape(lambda loss=loss, pair=pair: [loss(*pair)])
        assert not FOREIGN.search(str(caught.value))

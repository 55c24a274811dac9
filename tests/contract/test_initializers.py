"""What holds for every initializer, regularizer and constraint that is exported. One without an entry fails."""

from __future__ import annotations

import inspect
import json
from typing import Any

import jax
import numpy as np
import pytest

from hornbeam import keras
from hornbeam.core.tensor import unwrap
from hornbeam.keras import constraints, initializers, regularizers
from tests.tolerances import assert_close

INITIALIZERS: dict[str, dict[str, Any]] = {
    "Constant": {"value": 2.0},
    "GlorotNormal": {"seed": 3},
    "GlorotUniform": {"input_axes": (0,), "output_axes": (1,)},
    "HeNormal": {},
    "HeUniform": {},
    "Identity": {"gain": 2.0},
    "LecunNormal": {},
    "LecunUniform": {},
    "Ones": {},
    "Orthogonal": {"gain": 2.0},
    "RandomNormal": {"mean": 1.0, "stddev": 2.0},
    "RandomUniform": {"minval": 1.0, "maxval": 2.0},
    "STFT": {"side": "imag", "scaling": "spectrum"},
    "TruncatedNormal": {"mean": 1.0, "stddev": 2.0},
    "VarianceScaling": {"scale": 2.0, "mode": "fan_out", "distribution": "uniform"},
    "Zeros": {},
}
REGULARIZERS: dict[str, dict[str, Any]] = {
    "L1": {"l1": 0.1},
    "L2": {"l2": 0.1},
    "L1L2": {"l1": 0.1, "l2": 0.2},
    "OrthogonalRegularizer": {"factor": 0.1, "mode": "columns"},
}
CONSTRAINTS: dict[str, dict[str, Any]] = {
    "MaxNorm": {"max_value": 1.5, "axis": [0]},
    "MinMaxNorm": {"min_value": 0.5, "rate": 0.5},
    "NonNeg": {},
    "UnitNorm": {"axis": 1},
}
TABLE = [
    *((initializers, name, kwargs) for name, kwargs in INITIALIZERS.items()),
    *((regularizers, name, kwargs) for name, kwargs in REGULARIZERS.items()),
    *((constraints, name, kwargs) for name, kwargs in CONSTRAINTS.items()),
]
each = pytest.mark.parametrize(
    ("module", "name", "kwargs"), TABLE, ids=[name for _, name, _ in TABLE]
)
# STFT makes weights of three axes only.
ANY_SHAPE = [name for name in INITIALIZERS if name != "STFT"]
each_initializer = pytest.mark.parametrize("name", ANY_SHAPE)
RANDOM = [name for name in ANY_SHAPE if name not in ("Constant", "Identity", "Ones", "Zeros")]
X = np.float32([[1, -2, 0.5], [0.3, 4, -1]])


@pytest.mark.parametrize(
    ("module", "entries", "base"),
    [
        (initializers, INITIALIZERS, "Initializer"),
        (regularizers, REGULARIZERS, "Regularizer"),
        (constraints, CONSTRAINTS, "Constraint"),
    ],
)
def test_everything_exported_has_an_entry(module: Any, entries: dict[str, Any], base: str):
    assert {n.__name__ for n in vars(module).values() if inspect.isclass(n)} == {*entries, base}


@each
def test_config_goes_through_json(module: Any, name: str, kwargs: dict[str, Any]):
    config = json.loads(json.dumps(module.serialize(getattr(module, name)(**kwargs))))
    again = module.deserialize(config)
    assert type(again).__name__ == name
    assert json.loads(json.dumps(again.get_config())) == config["config"]
    assert json.loads(json.dumps(kwargs)).items() <= config["config"].items()


@each
def test_found_by_its_names(module: Any, name: str, kwargs: dict[str, Any]):
    cls = getattr(module, name)
    names = [alias for alias in module.__all__ if getattr(module, alias) is cls]
    for identifier in (*names, cls, {"class_name": name, "config": kwargs}):
        assert type(module.get(identifier)) is cls


@each_initializer
@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_shape_and_type(name: str, dtype: str):
    value = getattr(initializers, name)(**INITIALIZERS[name])((6, 4), dtype=dtype)
    assert (value.shape, value.dtype) == ((6, 4), dtype)
    assert np.isfinite(value.numpy().astype("float32")).all()


@pytest.mark.parametrize("name", [name for name in ANY_SHAPE if name != "Identity"])
def test_weights_of_more_axes(name: str):
    kwargs = INITIALIZERS[name]
    assert getattr(initializers, name)(**kwargs)((3, 3, 2, 4)).shape == (3, 3, 2, 4)


@pytest.mark.parametrize("name", RANDOM)
def test_seeds(name: str):
    def draw(seed: Any, calls: int = 1) -> np.ndarray:
        initializer = getattr(initializers, name)(**{**INITIALIZERS[name], "seed": seed})
        return [initializer((3, 4)).numpy() for _ in range(calls)][-1]

    np.testing.assert_array_equal(draw(1), draw(1, calls=2))
    assert not np.array_equal(draw(1), draw(2))
    generator = keras.random.SeedGenerator(1)
    assert not np.array_equal(draw(generator), draw(generator))
    first = [
        draw(None),
        keras.utils.set_random_seed(0),
        draw(None),
        keras.utils.set_random_seed(0),
        draw(None),
    ]
    np.testing.assert_array_equal(first[2], first[4])


@each_initializer
def test_a_variable_takes_it_inside_a_program_that_is_being_compiled(name: str):
    made = []

    def trace(x: Any) -> Any:
        variable = keras.Variable(getattr(initializers, name)(**INITIALIZERS[name]), shape=(3, 4))
        made.append(variable)
        return x

    jax.jit(trace)(1.0)
    assert np.isfinite(made[0].numpy()).all()


@pytest.mark.parametrize("name", REGULARIZERS)
def test_penalties_are_scalars_with_finite_gradients(name: str):
    regularizer = getattr(regularizers, name)(**REGULARIZERS[name])
    assert regularizer(X).shape == ()
    assert float(regularizer(X)) > 0

    def raw(x: Any) -> Any:
        return unwrap(regularizer(x))

    assert_close(jax.jit(raw)(X), raw(X))
    for x in (X, np.zeros_like(X)):
        assert np.isfinite(jax.grad(raw)(x)).all()


@pytest.mark.parametrize("name", CONSTRAINTS)
def test_constraints_keep_shape_and_type_and_what_is_allowed(name: str):
    constraint = getattr(constraints, name)(**CONSTRAINTS[name])
    once = constraint(X)
    assert (once.shape, once.dtype) == ((2, 3), "float32")
    for _ in range(40):  # MinMaxNorm gets there by steps
        once = constraint(once)
    assert_close(constraint(once), once)
    assert_close(jax.jit(lambda w: unwrap(constraint(w)))(X), constraint(X))
    assert not np.isnan(np.asarray(constraint(np.zeros_like(X)))).any()

"""Initializers: the promised distributions, shapes, types and seeds."""

from __future__ import annotations

import math

import numpy as np
import pytest

from hornbeam import keras
from hornbeam.keras import initializers
from hornbeam.keras.initializers.scaling import fans
from tests.tolerances import assert_close

SHAPE = (200, 300)
# A weight's standard deviation, and the largest size of its elements.
SPREADS = {
    "RandomNormal": (initializers.RandomNormal(stddev=0.5, seed=1), 0.5, math.inf),
    "TruncatedNormal": (initializers.TruncatedNormal(stddev=0.5, seed=1), 0.5 * 0.87962566, 1.0),
    "RandomUniform": (initializers.RandomUniform(-0.5, 0.5, seed=1), 1 / math.sqrt(12), 0.5),
    "GlorotUniform": (initializers.GlorotUniform(seed=1), math.sqrt(2 / 500), math.sqrt(6 / 500)),
    "GlorotNormal": (
        initializers.GlorotNormal(seed=1),
        math.sqrt(2 / 500),
        2.2738 * math.sqrt(2 / 500),
    ),
    "HeUniform": (initializers.HeUniform(seed=1), math.sqrt(2 / 200), math.sqrt(6 / 200)),
    "HeNormal": (initializers.HeNormal(seed=1), math.sqrt(2 / 200), 2.2738 * math.sqrt(2 / 200)),
    "LecunUniform": (initializers.LecunUniform(seed=1), math.sqrt(1 / 200), math.sqrt(3 / 200)),
    "LecunNormal": (
        initializers.LecunNormal(seed=1),
        math.sqrt(1 / 200),
        2.2738 * math.sqrt(1 / 200),
    ),
    "VarianceScaling": (
        initializers.VarianceScaling(3.0, "fan_out", "untruncated_normal", seed=1),
        math.sqrt(3 / 300),
        math.inf,
    ),
}


@pytest.mark.parametrize("name", SPREADS)
def test_mean_deviation_and_bounds_follow_the_formula(name: str):
    initializer, deviation, bound = SPREADS[name]
    values = initializer(SHAPE).numpy()
    n = values.size
    assert abs(values.mean()) < 4 * deviation / math.sqrt(n)
    assert abs(values.std() / deviation - 1) < 4 / math.sqrt(n)
    assert abs(values).max() <= bound * (1 + 1e-6)


def test_mean_is_shifted():
    for cls in (initializers.RandomNormal, initializers.TruncatedNormal):
        assert abs(cls(mean=3.0, seed=1)(SHAPE).numpy().mean() - 3) < 0.01
    assert abs(initializers.RandomUniform(1, 3, seed=1)(SHAPE).numpy().mean() - 2) < 0.02


@pytest.mark.parametrize("shape", [(4, 4), (6, 3), (3, 6), (3, 3, 2, 5)], ids=str)
def test_orthogonal(shape: tuple[int, ...]):
    matrix = initializers.Orthogonal(gain=2.0, seed=1)(shape).numpy().reshape(-1, shape[-1])
    small = matrix.T @ matrix if matrix.shape[0] >= matrix.shape[1] else matrix @ matrix.T
    assert_close(small, 4 * np.eye(len(small), dtype="float32"))


def test_orthogonal_signs_are_random():
    corners = [initializers.Orthogonal(seed=seed)((3, 3)).numpy()[0, 0] for seed in range(20)]
    assert min(corners) < 0 < max(corners)


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((), (1, 1)),
        ((5,), (5, 5)),
        ((4, 7), (4, 7)),
        ((3, 4, 7), (12, 21)),
        ((3, 3, 4, 7), (36, 63)),
    ],
    ids=str,
)
def test_fans(shape: tuple[int, ...], expected: tuple[int, int]):
    assert fans(shape) == expected


def test_fans_of_named_axes():
    assert fans((3, 4, 5, 6), input_axes=(0, 1), output_axes=(2, 3)) == (12, 30)
    assert fans((7, 3, 4), input_axes=(1,), output_axes=(-1,)) == (3, 4)


def test_an_integer_seed_repeats_and_objects_without_one_differ():
    assert_equal(initializers.HeNormal(seed=3), initializers.HeNormal(seed=3))
    first = initializers.HeNormal()
    assert_equal(first, first)
    assert_different(first, initializers.HeNormal())
    assert_different(first, first.clone())


def test_a_generator_advances():
    initializer = initializers.HeNormal(seed=keras.random.SeedGenerator(3))
    assert_different(initializer, initializer)
    again = initializers.deserialize(
        initializers.serialize(initializers.HeNormal(seed=keras.random.SeedGenerator(3)))
    )
    assert_equal(again, initializers.HeNormal(seed=keras.random.SeedGenerator(3)))


def test_the_global_seed_decides_default_seeds():
    keras.utils.set_random_seed(7)
    first = initializers.GlorotUniform()((3, 3)).numpy()
    keras.utils.set_random_seed(7)
    np.testing.assert_array_equal(initializers.GlorotUniform()((3, 3)).numpy(), first)


def assert_equal(a, b):
    np.testing.assert_array_equal(a((3, 3)).numpy(), b((3, 3)).numpy())


def assert_different(a, b):
    assert not np.array_equal(a((3, 3)).numpy(), b((3, 3)).numpy())


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_narrow_types_are_the_rounded_wide_ones(dtype: str):
    initializer = initializers.GlorotUniform(seed=1)
    narrow = initializer((4, 5), dtype=dtype)
    assert narrow.dtype == dtype
    expected = initializer((4, 5)).numpy().astype(narrow.numpy().dtype)
    np.testing.assert_array_equal(narrow.numpy(), expected)


def test_the_default_type_is_floatx():
    keras.config.set_floatx("bfloat16")
    try:
        assert (
            initializers.Zeros()((2,)).dtype == initializers.HeNormal()((2, 2)).dtype == "bfloat16"
        )
    finally:
        keras.config.set_floatx("float32")


def test_constants():
    assert_close(initializers.Zeros()((2, 2)), np.zeros((2, 2), "float32"))
    assert_close(initializers.Ones()((2,), "bool"), np.ones(2, bool))
    assert_close(initializers.Constant([[1, 2]])((3, 2)), np.float32([[1, 2]] * 3))
    assert_close(initializers.Constant(3)((2,), "int32"), np.int32([3, 3]))
    assert_close(initializers.Identity(2.0)((2, 3)), np.float32([[2, 0, 0], [0, 2, 0]]))
    assert_close(initializers.get(np.eye(2))((2, 2)), np.eye(2, dtype="float32"))


ERRORS = [
    (
        lambda: initializers.Identity()((2, 3, 4)),
        r"Identity makes weights of two axes; received shape \(2, 3, 4\)",
    ),
    (lambda: initializers.Orthogonal()((2,)), r"two or more axes; received shape \(2,\)"),
    (
        lambda: initializers.Constant([1, 2, 3])((2,)),
        r"value of shape \(3,\), which can't fill a weight of shape \(2,\)",
    ),
    (
        lambda: initializers.HeNormal()((2, 2), "int32"),
        "HeNormal draws floating-point numbers; received dtype='int32'",
    ),
    (lambda: initializers.Zeros()((None, 2)), "Zeros needs a shape without None"),
    (
        lambda: initializers.RandomNormal(seed=1.5),
        "`seed` is an integer, None or a keras.random.SeedGenerator",
    ),
    (lambda: initializers.VarianceScaling(scale=0), "`scale` must be positive"),
    (
        lambda: initializers.VarianceScaling(mode="fan"),
        "Unknown mode of VarianceScaling: 'fan'.*fan_in",
    ),
    (
        lambda: initializers.VarianceScaling(distribution="cauchy"),
        "Unknown distribution of VarianceScaling",
    ),
    (
        lambda: initializers.get("glorot_unifrom"),
        "Unknown initializer: 'glorot_unifrom'. Did you mean 'glorot_uniform'",
    ),
    (lambda: initializers.get(3), "Could not interpret 3 as a initializer"),
]


@pytest.mark.parametrize(("call", "message"), ERRORS, ids=[message[:30] for _, message in ERRORS])
def test_bad_input(call, message: str):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_subclass_must_say_how():
    with pytest.raises(NotImplementedError, match="Initializer must implement `__call__"):
        initializers.Initializer()((2,))

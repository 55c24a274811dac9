"""Which calls are native, and which the reference takes: those that a native kernel does not know, or where it does not pay."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import pytest
from jax import export

from hornbeam.kernels import (
    attention,
    bernoulli,
    conv,
    dense,
    embedding,
    matmul,
    native,
    normalization,
    pool,
    recurrent,
    updates,
)
from tests.marks import native_only

pytestmark = native_only


def ones(*shape: int, dtype: Any = "float32") -> jax.Array:
    return jnp.ones(shape, dtype)


def is_native(fn: Any, *arrays: Any) -> bool:
    """Return whether the program of a function calls a native kernel; nothing is compiled."""
    return "hornbeam_" in jax.jit(lambda *a: fn(*a)).lower(*arrays).as_text()


def conv2d(padding: Any = "same") -> Any:
    return lambda x, *weights: conv.conv(x, weights[0], (1, 1), padding, (1, 1), *weights[1:])


def pooled(window: tuple[int, int]) -> Any:
    return lambda x: pool.max_pool(x, window, (1, 1), "valid")


def attended(causal: bool = False) -> Any:
    return lambda q, k, v, mask=None: attention.attention(q, k, v, mask, causal)


def moments(*axes: int) -> Any:
    return lambda x: normalization.moments(x, axes)


def lstm(x: Any, u: int = 16, **options: Any) -> Any:
    b, _, d = x.shape
    h, w = jnp.zeros((b, u), x.dtype), jnp.ones((d, 4 * u), x.dtype)
    return recurrent.lstm(x, h, h, w, jnp.ones((u, 4 * u), x.dtype), None, **options)


def drawn(impl: str, shape: Any = (64, 64), probability: Any = 0.5) -> Any:
    return lambda: bernoulli.bernoulli(jax.random.key(0, impl=impl), probability, shape)


Q, X, IMAGES = ones(2, 64, 4, 32), ones(64, 512), ones(4, 16, 16, 8)
KERNEL, WINDOW, STACK = ones(512, 64), ones(3, 3, 8, 16), ones(8, 64, 64)
ROWS, VECTOR, WORDS = ones(2048, 64), ones(64), ones(4, 16, 8)
NUMBERS = jnp.arange(12).reshape(3, 4)

NATIVE: dict[str, tuple[Any, ...]] = {
    "dense": (dense.affine, X, KERNEL, VECTOR),
    "conv": (conv2d(), IMAGES, WINDOW, ones(16)),
    "conv, padded by hand": (conv2d(((1, 1), (2, 0))), IMAGES, WINDOW),
    "pool": (pooled((2, 2)), IMAGES),
    "matmul": (matmul.matmul, STACK, STACK),
    "einsum": (lambda a, b: matmul.einsum("zmk,zkn->zmn", a, b), STACK, STACK),
    "attention": (attended(), Q, Q, Q),
    "attention, masked": (attended(), Q, Q, Q, ones(2, 1, 1, 64, dtype=bool)),
    "moments": (moments(0), ROWS),
    "layer norm": (lambda *a: normalization.layer_normalization(*a, 1e-3), ROWS, VECTOR, VECTOR),
    "lstm": (lstm, WORDS),
    "bernoulli": (drawn("threefry2x32"),),
}

REFERENCE: dict[str, tuple[Any, ...]] = {
    "dense: a bias that broadcasts": (dense.affine, X, KERNEL, ones(1, 64)),
    "dense: float16": (dense.affine, X.astype("float16"), KERNEL.astype("float16")),
    "dense: two types": (dense.affine, X.astype("bfloat16"), KERNEL),
    "dense: one row": (dense.affine, ones(1, 4096), ones(4096, 512)),
    "dense: few multiplications": (dense.affine, ones(8, 16), ones(16, 8)),
    "conv: few multiplications": (conv2d(), ones(1, 4, 4, 1), ones(3, 3, 1, 1)),
    "conv: windows in the padding alone": (conv2d(((3, 3), (0, 0))), IMAGES, WINDOW),
    "conv: a crop": (conv2d(((-1, 0), (0, 0))), IMAGES, WINDOW),
    "conv: an image smaller than the window": (conv2d("valid"), ones(64, 1, 1, 8), WINDOW),
    "conv: volumes": (
        lambda x, w: conv.conv(x, w, (1,) * 3, "same", (1,) * 3),
        ones(2, 8, 8, 8, 8),
        ones(3, 3, 3, 8, 8),
    ),
    "pool: a very large window": (pooled((9, 9)), IMAGES),
    "pool: no channels": (pooled((2, 2)), ones(4, 16, 16, 0)),
    "pool: few channels": (pooled((2, 2)), ones(4, 64, 64, 3)),
    "matmul: one matrix for all": (matmul.matmul, STACK, ones(1, 64, 64)),
    "einsum: a size that broadcasts": (
        lambda a, b: matmul.einsum("zmk,zkn->zmn", a, b),
        ones(8, 128, 128),
        ones(1, 128, 128),
    ),
    "einsum: a narrower result": (
        lambda a, b: matmul.einsum("zmk,zkn->zmn", a, b, "bfloat16"),
        STACK,
        STACK,
    ),
    "attention: a mask of numbers": (attended(), Q, Q, Q, ones(2, 1, 1, 64, dtype="int32")),
    "attention: no keys": (attended(), Q, ones(2, 0, 4, 32), ones(2, 0, 4, 32)),
    "attention: few multiplications": (attended(), *[ones(1, 8, 1, 8)] * 3),
    "moments: of rows": (moments(1), ROWS),
    "moments: few channels": (moments(0), ones(8192, 8)),
    "layer norm: vectors in bfloat16": (
        lambda *a: normalization.layer_normalization(*a, 1e-3),
        ROWS.astype("bfloat16"),
        VECTOR.astype("bfloat16"),
        VECTOR.astype("bfloat16"),
    ),
    "lstm: another activation": (lambda x: lstm(x, activation=jax.nn.relu), WORDS),
    "lstm: another activation of gates": (
        lambda x: lstm(x, recurrent_activation=jax.nn.hard_sigmoid),
        WORDS,
    ),
    "lstm: float16": (lstm, WORDS.astype("float16")),
    "lstm: one row and a large kernel": (lambda x: lstm(x, 300), ones(1, 4, 8)),
    "bernoulli: another generator": (drawn("rbg"),),
    "bernoulli: few draws": (drawn("threefry2x32", (4, 4)),),
}


@pytest.mark.parametrize("name", NATIVE)
def test_native(name: str) -> None:
    assert is_native(*NATIVE[name])


@pytest.mark.parametrize("name", REFERENCE)
def test_reference(name: str) -> None:
    assert not is_native(*REFERENCE[name])


@pytest.mark.parametrize("name", ["dense", "conv", "pool", "matmul", "attention", "layer norm"])
def test_sizes_that_are_symbols_take_the_reference(name: str) -> None:
    fn, first, *rest = NATIVE[name]
    (batch,) = export.symbolic_shape("batch")
    if name in ("matmul", "attention"):
        rest = [jax.ShapeDtypeStruct((batch, *a.shape[1:]), a.dtype) for a in rest]
    spec = jax.ShapeDtypeStruct((batch, *first.shape[1:]), first.dtype)
    program = export.export(jax.jit(fn))(spec, *rest)
    assert "hornbeam_" not in str(program.mlir_module())


def test_an_error_while_they_are_switched_off_switches_them_on_again() -> None:
    with pytest.raises(KeyError), native.switched_off():
        assert not is_native(*NATIVE["dense"])
        raise KeyError
    assert not native.is_switched_off()


def test_a_table_of_more_axes_is_taken_by_the_reference() -> None:
    table = ones(5, 2, 3)
    assert embedding.take_rows(table, NUMBERS).shape == (3, 4, 2, 3)


def test_programs_are_the_same_without_expensive_passes() -> None:
    """Tests compile without LLVM's: what XLA fuses, lays out and calls is what users get."""

    def loss(x: Any, *weights: Any) -> Any:
        y = normalization.layer_normalization(dense.affine(x, *weights), VECTOR, VECTOR, 1e-3)
        return jnp.sum(jnp.tanh(y + jnp.sin(y)[::-1]), 0)[0]

    lowered = jax.jit(jax.grad(loss, argnums=(0, 1, 2))).lower(X, KERNEL, VECTOR)
    options = [
        {"xla_backend_optimization_level": level, "xla_llvm_disable_expensive_passes": quick}
        for level, quick in ((3, False), (0, True))
    ]
    text, quick = (lowered.compile(compiler_options=each).as_text() for each in options)
    assert text == quick and "hornbeam_dense_weight_gradient" in text and "fusion" in text


ADAM = updates.UpdateRule(
    "adam",
    updates.adam,
    ("momentum", "velocity"),
    (("beta_1", 0.9), ("beta_2", 0.999), ("epsilon", 1e-7)),
)
AMSGRAD = updates.UpdateRule("adam", updates.adam, (*ADAM.slots, "velocity_hat"), ADAM.constants)
TRACED = updates.UpdateRule("adam", updates.adam, ADAM.slots, (("epsilon", jnp.float32(1.0)),))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rule", "arrays", "suits"),
    [
        (ADAM, [VECTOR] * 4, True),
        (AMSGRAD, [VECTOR] * 5, False),
        (TRACED, [VECTOR] * 4, False),
        (ADAM, [VECTOR.astype("float16")] * 4, False),
        (ADAM, [VECTOR.astype("bfloat16")] * 4, False),
        (ADAM, [VECTOR, VECTOR, VECTOR, ones(1)], False),
        (updates.UpdateRule("lion", updates.sgd, (), ()), [VECTOR] * 2, False),
    ],
)
def test_updates(rule: updates.UpdateRule, arrays: list[jax.Array], suits: bool) -> None:
    assert updates.suits(rule, *arrays) == suits

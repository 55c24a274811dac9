"""Control flow: bodies see tensors, structures are kept, mistakes are explained."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hornbeam import ops
from hornbeam.core.tensor import Tensor, unwrap
from hornbeam.core.variable import Variable
from hornbeam.ops.dense import affine
from tests.tolerances import assert_close


def seen(x: Any) -> Any:
    """x, which must be a tensor: what users' bodies are promised."""
    assert isinstance(x, Tensor)
    return x


def test_cond_and_switch() -> None:
    x = ops.convert_to_tensor([1.0, 2.0])
    assert_close(ops.cond(ops.sum(x) > 2, lambda: {"y": x * 2}, lambda: {"y": x})["y"], [2.0, 4.0])
    branches = [lambda a: seen(a) + 1, lambda a: a * 10]
    assert [float(ops.switch(i, branches, 3.0)) for i in (-1, 0, 1, 7)] == [4, 4, 30, 30]


def test_while_loop_keeps_its_structure() -> None:
    pair = ops.while_loop(lambda i, x: seen(i) < 3, lambda i, x: (i + 1, x * 2), (0, 1.5))
    assert isinstance(pair, tuple) and [float(v) for v in pair] == [3, 12]
    found = ops.while_loop(lambda i, x: i < 3, lambda i, x: [i + 1, x], [0, 1.0])
    assert isinstance(found, list)
    capped = ops.while_loop(lambda i: i < 100, lambda i: i + 1, 0, maximum_iterations=7)
    assert int(capped) == 7
    nested = ops.while_loop(lambda s: s["i"] < 2, lambda s: {"i": s["i"] + 1}, {"i": 0})
    assert int(nested["i"]) == 2


def test_scans_and_maps() -> None:
    xs = {"a": ops.arange(4.0), "b": ops.ones(4)}
    last, all = ops.scan(lambda c, x: (c + seen(x["a"]) * x["b"], c), 0.0, xs)
    assert float(last) == 6 and all.numpy().tolist() == [0, 0, 1, 3]
    _, turned = ops.scan(lambda c, x: (c + x, c), 0, ops.arange(4), reverse=True)
    assert turned.numpy().tolist() == [6, 5, 3, 0]
    assert int(ops.scan(lambda c, _: (c + 1, None), 0, length=5)[0]) == 5
    products = ops.associative_scan(lambda a, b: seen(a) * b, ops.arange(1, 5), reverse=True)
    assert products.numpy().tolist() == [24, 24, 12, 4]
    assert ops.map(lambda x: seen(x) + 1, ops.arange(3)).numpy().tolist() == [1, 2, 3]
    rows = ops.vectorized_map(lambda p: ops.sum(p[0] * p[1]), (ops.ones((2, 3)), ops.ones((2, 3))))
    assert rows.numpy().tolist() == [3, 3]
    assert int(ops.fori_loop(1, 4, lambda i, v: seen(v) * i, 1)) == 6
    norms = ops.vectorize(lambda v: ops.norm(v), signature="(n)->()")(ops.ones((2, 4)))
    assert norms.numpy().tolist() == [2, 2]


def test_gradients_flow_through_bodies() -> None:
    def loss(w: jax.Array) -> jax.Array:
        total, _ = ops.scan(lambda c, x: (c + ops.square(x * w), None), 0.0, ops.arange(3.0))
        doubled = ops.cond(total > 0, lambda: total * 2, lambda: total)
        return unwrap(ops.fori_loop(0, 2, lambda i, v: v * w, doubled))

    assert_close(jax.grad(loss)(2.0), 10 * 4 * 2.0**3)


def test_an_assignment_in_a_body_is_refused() -> None:
    counter = Variable(0.0, name="counter")

    def body(i: Any) -> Any:
        counter.assign(counter + 1)
        return i + 1

    with pytest.raises(RuntimeError, match=r"assigned the variables 'counter'.*Carry the values"):
        ops.while_loop(lambda i: i < 3, body, 0)
    assert float(counter.numpy()) == 0


def test_custom_gradient() -> None:
    @ops.custom_gradient
    def twice(x: Any, y: Any) -> Any:
        return seen(x) * y, lambda upstream: (upstream * 100, upstream * y)

    assert float(twice(3.0, 4.0)) == 12
    slopes = jax.grad(lambda x, y: unwrap(twice(x, y)), (0, 1))(3.0, 4.0)
    assert [float(s) for s in slopes] == [100, 4]


def test_jvp() -> None:
    (value, slope, aux) = ops.jvp(
        lambda x, y: (seen(x) * y, x), (ops.ones(2), 3.0), (ops.ones(2), 0.0), has_aux=True
    )
    assert_close([value, slope, aux], [np.full(2, 3.0), np.full(2, 3.0), np.ones(2)])


def test_jvp_through_a_product_that_is_large_enough_to_be_native() -> None:
    x, kernel = np.ones((64, 200), np.float32), np.ones((200, 64), np.float32)
    _, slope = ops.jvp(lambda x: affine(x, kernel), (x,), (x,))
    assert_close(slope, np.full((64, 64), 200.0))


def test_stop_gradient() -> None:
    assert float(jax.grad(lambda x: unwrap(ops.stop_gradient(x) * x))(3.0)) == 3


def test_under_jit() -> None:
    @jax.jit
    def run(n: jax.Array) -> jax.Array:
        return unwrap(ops.while_loop(lambda i, x: i < n, lambda i, x: (i + 1, x + x), (0, 1.0))[1])

    assert float(run(jnp.asarray(5))) == 32

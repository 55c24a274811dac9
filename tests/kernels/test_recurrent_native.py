"""LSTM and GRU against their definitions, natively where native kernels exist."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hornbeam.core.origins import Rounded, made_of
from hornbeam.kernels import embedding, native, recurrent
from hornbeam.kernels import kernel as kernel_module
from hornbeam.kernels.recurrent import native as recurrent_native
from tests.kernels import recurrent_by_definition
from tests.marks import native_only
from tests.tolerances import assert_close

CELLS = ["lstm", "gru", "gru_before"]
DTYPES = ["float32", "bfloat16"]
# b, t, d, u
SHAPES = [(1, 9, 16, 16), (5, 1, 1, 1), (7, 6, 20, 33), (33, 12, 40, 48)]


@pytest.fixture(autouse=True)
def _every_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rule of what pays is left out, so that all sizes are computed natively."""
    monkeypatch.setattr(recurrent, "pays", lambda b, t, d, u: True)


def _arrays(cell: str, shape: Any, dtype: str = "float32", bias: bool = True) -> list[Any]:
    """x, the states, both kernels and the bias, such that what comes out is of order one."""
    b, t, d, u = shape
    k = (4 if cell == "lstm" else 3) * u
    draw = np.random.default_rng(b + t + d + u)

    def normal(*shape: int, scale: float = 1) -> Any:
        return (draw.normal(size=shape) * scale).astype(jnp.dtype(dtype))

    states = [normal(b, u) for _ in range(2 if cell == "lstm" else 1)]
    x, kernels = normal(b, t, d), (normal(d, k, scale=d**-0.5), normal(u, k, scale=u**-0.5))
    found = normal(*((2, k) if cell == "gru" else (k,)), scale=0.5)
    return [x, *states, *kernels, found if bias else None]


def _layer(cell: str, reference: bool = False) -> Any:
    name = cell.removesuffix("_before")
    layer = getattr(recurrent, f"{name}_reference" if reference else name)

    def run(*arrays: Any, **options: Any) -> Any:
        if cell == "gru_before":
            options["reset_after"] = False
        last, outputs, states = layer(*arrays, **options)
        return last, outputs, list(states)

    return run


def _definition(cell: str) -> Any:
    return partial(recurrent_by_definition.vjp, cell)


def _slopes(found: Any, b: int) -> Any:
    """The gradients of a sum of order one over all of it."""
    return jax.tree.map(lambda leaf: np.cos(np.arange(leaf.size)).reshape(leaf.shape) / b, found)


def _value_and_gradients(f: Any, arrays: Any, options: dict[str, Any]) -> Any:
    """Everything that comes out, and the gradients of a sum of order one over all of it."""
    found, pull = jax.vjp(lambda arrays: f(*arrays, **options), arrays)
    slopes = _slopes(found, max(arrays[0].shape[0], 1))
    cast = jax.tree.map(lambda slope, leaf: slope.astype(leaf.dtype), slopes, found)
    return found, pull(cast)[0]


def _expected(definition: Any, arrays: Any, **options: Any) -> Any:
    with np.errstate(invalid="ignore"):  # where NaN and infinity are handed on
        found, pull = definition(arrays, **options)
        return found, pull(_slopes(found, max(len(arrays[0]), 1)))


def _compare(
    layer: Any, definition: Any, arrays: Any, dtype: str = "float32", **options: Any
) -> None:
    actual = jax.jit(lambda a: _value_and_gradients(layer, a, options))(arrays)
    assert all(leaf.dtype == dtype for leaf in jax.tree.leaves(actual))
    _assert_alike(actual, _expected(definition, arrays, **options), dtype)


def _assert_alike(actual: Any, expected: Any, dtype: str) -> None:
    assert_close(actual[0], expected[0], dtype)
    for a, e in zip(jax.tree.leaves(actual[1]), jax.tree.leaves(expected[1]), strict=True):
        scale = np.max(np.abs(e), initial=1)  # sums over many steps
        assert_close(np.asarray(a, "float32") / scale, e / scale, dtype)


def _mask(b: int, t: int) -> Any:
    """Ragged rows, holes, one row without any step and one with all."""
    draw = np.random.default_rng(b)
    mask = (np.arange(t) < draw.integers(0, t + 1, (b, 1))) & (draw.random((b, t)) > 0.2)
    mask[0], mask[-1] = False, True
    return mask


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_value_and_gradients(cell: str, shape: Any, dtype: str) -> None:
    _compare(_layer(cell), _definition(cell), _arrays(cell, shape, dtype), dtype)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize(
    ("masked", "backwards", "sequences", "zeros"),
    [
        (True, False, True, False),
        (True, True, True, True),
        (True, True, False, True),
        (False, False, False, False),
    ],
)
def test_options(cell: str, masked: bool, backwards: bool, sequences: bool, zeros: bool) -> None:
    options = {
        "mask": _mask(6, 7) if masked else None,
        "go_backwards": backwards,
        "return_sequences": sequences,
        "zero_output_for_mask": zeros,
    }
    _compare(_layer(cell), _definition(cell), _arrays(cell, (6, 7, 5, 18)), **options)


@pytest.mark.parametrize("cell", CELLS)
def test_masked_in_bfloat16_without_bias(cell: str) -> None:
    arrays = _arrays(cell, (6, 7, 5, 18), "bfloat16", bias=False)
    _compare(_layer(cell), _definition(cell), arrays, "bfloat16", mask=_mask(6, 7))


@pytest.mark.parametrize("cell", CELLS)
def test_float32_weights_beside_bfloat16(cell: str) -> None:
    """As mixed precision reads variables; their gradients are not rounded."""
    arrays = [a.astype("float32") for a in _arrays(cell, (6, 7, 20, 33), "bfloat16")]

    def mixed(*arrays: Any) -> Any:
        def narrow(weight: Any) -> Any:
            return made_of(weight.astype("bfloat16"), Rounded(weight))

        inputs = [a.astype("bfloat16") for a in arrays[:-3]]
        return _layer(cell)(*inputs, *map(narrow, arrays[-3:]))

    actual, gradients = jax.jit(lambda a: _value_and_gradients(mixed, a, {}))(arrays)
    assert all(leaf.dtype == "bfloat16" for leaf in jax.tree.leaves(actual))
    for weight in map(np.asarray, gradients[-3:]):
        rounded = weight.astype(jnp.bfloat16).astype("float32")
        assert (weight != rounded).any() or not native.suits(jnp.ones(1, "bfloat16"))
    _assert_alike((actual, gradients), _expected(_definition(cell), arrays), "bfloat16")


@pytest.mark.parametrize("cell", CELLS)
def test_many_steps_in_several_chunks(cell: str) -> None:
    _compare(
        _layer(cell),
        _definition(cell),
        _arrays(cell, (24, 50, 60, 64)),
        mask=_mask(24, 50),
        go_backwards=True,
    )


@pytest.mark.parametrize("cell", CELLS)
def test_nothing_to_do(cell: str) -> None:
    # No batch and no features: the reference's.
    for b, d in [(0, 4), (2, 0)]:
        x, *states, kernel, recurrent_kernel, bias = _arrays(cell, (2, 3, 4, 5))
        x, kernel, states = x[:b, :, :d], kernel[:d], [s[:b] for s in states]
        arrays = [x, *states, kernel, recurrent_kernel, bias]
        last, outputs, _ = jax.eval_shape(_layer(cell), *arrays)
        assert last.shape == (b, 5) and outputs.shape == (b, 3, 5)
        _compare(_layer(cell), _definition(cell), arrays)
    _compare(
        _layer(cell), _definition(cell), _arrays(cell, (3, 4, 5, 6)), mask=np.zeros((3, 4), bool)
    )


@pytest.mark.parametrize("cell", CELLS)
def test_saturated(cell: str) -> None:
    x, *states, kernel, recurrent_kernel, bias = _arrays(cell, (4, 5, 6, 20))
    # Large sums that cancel are exact in whatever order they are taken: of whole numbers and of sixty-fourths.
    exact = np.round(4 * x) * 2048, *states, np.round(64 * kernel) / 64
    _compare(_layer(cell), _definition(cell), [*exact, recurrent_kernel, bias])
    x[0], x[1], x[2] = 0, 1e-30, 1e30
    found = _layer(cell)(x, *states, kernel, recurrent_kernel, bias)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(found))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("cell", CELLS)
def test_nan_and_infinity_are_handed_on(cell: str, dtype: str) -> None:
    x, *rest = _arrays(cell, (5, 6, 7, 18), dtype)
    infinite = x.copy()
    infinite[2, 3, 4], infinite[3, 0, 2] = np.inf, -np.inf
    x = infinite.copy()
    x[1, 2, 3] = np.nan
    run = jax.jit(lambda a: _value_and_gradients(_layer(cell), a, {}))
    for given in (infinite, x):  # beside a NaN, infinity leaves no trace in the sums over all rows
        arrays = [given, *rest]
        actual = jax.tree.map(lambda a: np.asarray(a, "float32"), run(arrays))
        expected = _expected(_definition(cell), arrays)
        for a, e in zip(jax.tree.leaves(actual), jax.tree.leaves(expected), strict=True):
            np.testing.assert_array_equal(np.isnan(a), np.isnan(e))
            np.testing.assert_array_equal(np.isinf(a), np.isinf(e))
        (_, outputs, _), (d_x, *_, d_kernel, _, _) = actual
        assert np.isnan(outputs[1, 2:]).all() == (given is x)
        assert np.isfinite(outputs[0]).all() and np.isfinite(d_x[0]).all()
        assert np.isnan(d_kernel).any()
    # What is masked is never looked at.
    keep = np.isfinite(x.astype("float32")).all(-1)
    assert bool(jnp.isfinite(_layer(cell)(x, *rest, mask=keep)[1]).all())


@pytest.mark.parametrize("cell", CELLS)
def test_eager_and_other_dtypes(cell: str) -> None:
    arrays = _arrays(cell, (3, 4, 5, 6))
    assert_close(_layer(cell)(*arrays), _definition(cell)(arrays)[0])
    half = [a.astype("float16") for a in arrays]
    assert _layer(cell)(*half)[0].dtype == "float16"
    mixed = _layer(cell)(arrays[0].astype(jnp.bfloat16), *arrays[1:])
    assert mixed[0].dtype == "float32"


@pytest.mark.parametrize("cell", CELLS)
def test_other_activations_and_dropout_are_the_references(cell: str) -> None:
    arrays = _arrays(cell, (3, 4, 5, 6))
    for options in ({"activation": jax.nn.relu}, {"recurrent_dropout": jnp.full((3, 6), 2.0)}):
        with native.switched_off():
            expected = _layer(cell)(*arrays, **options)
        assert_close(_layer(cell)(*arrays, **options), expected)


TRANSFORMED = [(cell, dtype) for cell in CELLS for dtype in DTYPES]


@pytest.mark.parametrize(("cell", "dtype"), TRANSFORMED)
def test_inside_scan_and_checkpoint(cell: str, dtype: str) -> None:
    arrays = _arrays(cell, (6, 5, 18, 18), dtype)

    def deep(x: Any, *rest: Any) -> Any:
        def body(x: Any, _: Any) -> Any:
            return jax.checkpoint(lambda x: _layer(cell)(x, *rest)[1])(x), None

        return jax.lax.scan(body, x, length=3)[0]

    def definition(arrays: Any) -> Any:
        x, *rest = arrays
        pulls = []
        for _ in range(3):
            (_, x, _), pull = _definition(cell)([x, *rest])
            pulls.append(pull)

        def gradients(slope: Any) -> Any:
            totals = [0] * len(rest)
            for pull in reversed(pulls):
                slope, *own = pull((0, slope, [0] * (len(rest) - 3)))
                totals = [a + b for a, b in zip(totals, own, strict=True)]
            return slope, *totals

        return x, gradients

    _compare(deep, definition, arrays, dtype)


@pytest.mark.parametrize(
    ("cell", "dtype", "inputs"),
    [(*each, True) for each in TRANSFORMED] + [(cell, "float32", False) for cell in CELLS],
)
def test_vmap(cell: str, dtype: str, inputs: bool) -> None:
    """Over the inputs alone, or over all but them."""
    arrays = _arrays(cell, (3, 4, 5, 17), dtype)
    mask = _mask(3, 4)
    axes = [0 if (i == 0) == inputs else None for i in range(len(arrays))]
    both = arrays, [a if axis is None else a / 2 for a, axis in zip(arrays, axes, strict=True)]
    stacked = [
        a if axis is None else np.stack([a, b]) for a, b, axis in zip(*both, axes, strict=True)
    ]

    def each(*arrays: Any) -> Any:
        return _value_and_gradients(_layer(cell), list(arrays), {"mask": mask})

    actual = jax.jit(jax.vmap(each, in_axes=axes))(*stacked)
    for i, one in enumerate(both):
        expected = _expected(_definition(cell), one, mask=mask)
        _assert_alike(jax.tree.map(lambda a, i=i: a[i], actual), expected, dtype)


@pytest.mark.parametrize(
    ("cell", "sequences"), [("lstm", True), ("gru", False), ("gru_before", True)]
)
def test_second_gradient(cell: str, sequences: bool) -> None:
    x, *rest = _arrays(cell, (3, 4, 5, 6))

    def penalty(f: Any) -> Any:
        def loss(x: Any, kernel: Any) -> Any:
            found = f(x, *rest[:-3], kernel, *rest[-2:], return_sequences=sequences)
            return sum(jnp.mean(leaf**2) for leaf in jax.tree.leaves(found))

        def slope(x: Any, kernel: Any) -> Any:
            return sum(jnp.sum(g**2) for g in jax.grad(loss, argnums=(0, 1))(x, kernel))

        return jax.jit(jax.grad(slope, argnums=(0, 1)))(x, rest[-3])

    assert_close(penalty(_layer(cell)), penalty(_layer(cell, reference=True)))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("cell", CELLS)
def test_the_same_bits_each_time_and_from_many_threads(cell: str, dtype: str) -> None:
    arrays = _arrays(cell, (33, 20, 50, 64), dtype)
    run = jax.jit(lambda a: _value_and_gradients(_layer(cell), a, {}))
    first = jax.tree.map(np.asarray, run(arrays))
    with ThreadPoolExecutor(4) as threads:
        for job in [threads.submit(run, arrays) for _ in range(8)]:
            jax.tree.map(np.testing.assert_array_equal, job.result(), first)


def _rows(table: Any, indices: Any) -> Any:
    """Rows in float64; those that do not exist are NaN."""
    exists = (indices >= 0) & (indices < len(table))
    rows = np.asarray(table, "float64")[np.where(exists, indices, 0)]
    return np.where(exists[..., None], rows, np.nan)


def _gradient_of_rows(table: Any, indices: Any, slopes: Any) -> Any:
    total = np.zeros(table.shape)
    np.add.at(total, indices, slopes)
    return total


class TestRowsOfATable:
    """Inputs that were looked up: what equal rows give is computed once."""

    N = 12  # rows

    def arrays(self, cell: str, shape: Any, dtype: str = "float32") -> Any:
        b, t, d, _ = shape
        draw = np.random.default_rng(b * t)
        table = draw.normal(size=(self.N, d)).astype(jnp.dtype(dtype))
        return (table, *_arrays(cell, shape, dtype)[1:]), draw.integers(0, self.N, (b, t))

    def layer(self, cell: str, indices: Any, reference: bool = False) -> Any:
        def run(table: Any, *rest: Any, **options: Any) -> Any:
            take = embedding.take_rows_reference if reference else embedding.take_rows
            return _layer(cell, reference)(take(table, indices), *rest, **options)

        return run

    def definition(self, cell: str, indices: Any) -> Any:
        def run(arrays: Any, **options: Any) -> Any:
            table, *rest = arrays
            found, pull = _definition(cell)([_rows(table, indices), *rest], **options)

            def gradients(slopes: Any) -> Any:
                dx, *own = pull(slopes)
                return _gradient_of_rows(table, indices, dx), *own

            return found, gradients

        return run

    @pytest.mark.parametrize("cell", CELLS)
    @pytest.mark.parametrize("dtype", DTYPES)
    def test_value_and_gradients(
        self, cell: str, dtype: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        seen, run = [], recurrent_native.run

        def watched(form: Any, zeros: bool, o: Any) -> Any:
            seen.append(o.numbers)
            return run(form, zeros, o)

        monkeypatch.setattr(recurrent_native, "run", watched)
        arrays, indices = self.arrays(cell, (9, 11, 20, 16), dtype)
        layers = self.layer(cell, indices), self.definition(cell, indices)
        _compare(*layers, arrays, dtype)
        assert all(numbers is not None for numbers in seen)
        assert bool(seen) == native.suits(arrays[0])
        _compare(
            *layers, arrays, dtype, mask=_mask(9, 11), go_backwards=True, return_sequences=False
        )

    @pytest.mark.parametrize("cell", CELLS)
    def test_rows_that_hardly_repeat_or_do_not_exist(self, cell: str) -> None:
        (table, *rest), indices = self.arrays(cell, (2, 7, 5, 6))
        once = np.arange(14).reshape(2, 7) - 1  # -1, 12: no such row
        for given in (once, np.where(indices == indices[1, 1], -1, indices)):
            run = partial(_value_and_gradients, self.layer(cell, given), options={})
            found, slopes = jax.jit(run)([table, *rest])
            assert_close(found, self.definition(cell, given)([table, *rest])[0])
            assert slopes[0].shape == table.shape

    @pytest.mark.parametrize("cell", ["lstm", "gru"])
    def test_rows_used_elsewhere_too(self, cell: str) -> None:
        """By two layers and by themselves: the table's gradient is the sum of all."""
        arrays, indices = self.arrays(cell, (5, 8, 16, 16))

        def twice(table: Any, *rest: Any) -> Any:
            x, layer = embedding.take_rows(table, indices), _layer(cell)
            return layer(x, *rest), layer(x, *rest, go_backwards=True), jnp.tanh(x)

        def definition(arrays: Any) -> Any:
            table, *rest = arrays
            x = _rows(table, indices)
            y, pull = _definition(cell)([x, *rest])
            backwards, pull_backwards = _definition(cell)([x, *rest], go_backwards=True)

            def gradients(slopes: Any) -> Any:
                one, two = pull(slopes[0]), pull_backwards(slopes[1])
                dx, *own = (a + b for a, b in zip(one, two, strict=True))
                dx = dx + slopes[2] * (1 - np.tanh(x) ** 2)
                return _gradient_of_rows(table, indices, dx), *own

            return (y, backwards, np.tanh(x)), gradients

        _compare(twice, definition, arrays)

    @pytest.mark.parametrize("cell", ["lstm", "gru"])
    def test_transformed(self, cell: str) -> None:
        """vmap over indices, and the gradient of a gradient."""
        (table, *rest), indices = self.arrays(cell, (3, 4, 5, 16))
        indices = np.stack([indices, indices[::-1]])

        def slope(reference: bool) -> Any:
            def loss(table: Any, indices: Any) -> Any:
                return jnp.mean(self.layer(cell, indices, reference)(table, *rest)[1] ** 2)

            def penalty(table: Any, indices: Any) -> Any:
                return jnp.sum(jax.grad(loss)(table, indices) ** 2)

            each = jax.vmap(jax.value_and_grad(penalty), in_axes=(None, 0))
            return jax.jit(each)(table, indices)

        assert_close(slope(False), slope(True))

    @pytest.mark.parametrize("cell", ["lstm", "gru"])
    def test_gradients_of_the_rows_themselves(self, cell: str) -> None:
        """What is differentiated by is another value than what was looked up, and knows of no table."""
        (table, *rest), indices = self.arrays(cell, (5, 8, 16, 16))

        @jax.jit
        def slope(table: Any) -> Any:
            x = embedding.take_rows(table, indices)
            return jax.grad(lambda x: jnp.mean(_layer(cell)(x, *rest)[1] ** 2))(x)

        (last, y, states), pull = _definition(cell)([_rows(table, indices), *rest])
        slopes = np.zeros_like(last), 2 * y / y.size, jax.tree.map(np.zeros_like, states)
        assert_close(slope(table), pull(slopes)[0])


@native_only
def test_wrong_shapes() -> None:
    x, h0, c0, kernel, recurrent_kernel, bias = _arrays("lstm", (3, 4, 5, 6))
    empty, mask = jax.ShapeDtypeStruct((0,), "float32"), jnp.zeros(0, bool)
    numbers = jnp.zeros(0, "int32")
    state = jax.ShapeDtypeStruct((3, 6), "float32")
    results = (empty, state, state, empty, empty)
    arrays = [x, h0, c0, kernel, recurrent_kernel, bias, mask, numbers]
    native.call("lstm_forward", results, *arrays, backwards=False)
    native.call("lstm_forward", results, *arrays[:-1], jnp.zeros((3, 4), "int32"), backwards=False)
    for i in (*range(6), 7):
        wrong = list(arrays)
        shape = (*arrays[i].shape[:-1], arrays[i].shape[-1] + 1)
        wrong[i] = jnp.ones(shape, arrays[i].dtype)
        with pytest.raises(Exception, match=r"lstm_forward: expected x \(b, t, d\)"):
            native.call("lstm_forward", results, *wrong, backwards=False)
    with pytest.raises(Exception, match=r"gru_forward: expected x \(b, t, d\)"):
        options = {"backwards": False, "reset_after": True}
        native.call("gru_forward", (empty, state, empty), x, h0, *arrays[3:], **options)


def test_one_row_and_a_large_kernel_are_left_to_xla(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert not recurrent.pays(1, 50, 512, 512)
    assert recurrent.pays(1, 80, 128, 128) and recurrent.pays(32, 80, 512, 512)


def test_the_layers_activations_are_recognised(monkeypatch: pytest.MonkeyPatch) -> None:
    from hornbeam import keras

    seen = []
    monkeypatch.setattr(kernel_module, "wanted", lambda: True)  # also where they are switched off
    monkeypatch.setattr(recurrent_native, "suits", lambda *_: seen.append(True) or False)
    keras.layers.LSTM(3)(jnp.ones((2, 3, 4)))
    keras.layers.GRU(3, activation="tanh")(jnp.ones((2, 3, 4)))
    assert len(seen) >= 2
    seen.clear()
    keras.layers.GRU(3, activation="relu")(jnp.ones((2, 3, 4)))
    assert not seen

"""Optimizers' updates of all variables at once against their formulas, and what the optimizers make of them."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hornbeam import keras
from hornbeam.kernels import embedding, native, updates
from tests.marks import native_only
from tests.tolerances import assert_close

RULES = {
    "sgd": updates.UpdateRule("sgd", updates.sgd, (), (("momentum", 0.0), ("nesterov", False))),
    "momentum": updates.UpdateRule(
        "sgd", updates.sgd, ("momentum",), (("momentum", 0.9), ("nesterov", False))
    ),
    "nesterov": updates.UpdateRule(
        "sgd", updates.sgd, ("momentum",), (("momentum", 0.9), ("nesterov", True))
    ),
    "adam": updates.UpdateRule(
        "adam",
        updates.adam,
        ("momentum", "velocity"),
        (("beta_1", 0.9), ("beta_2", 0.999), ("epsilon", 1e-7)),
    ),
    "rmsprop": updates.UpdateRule(
        "rmsprop",
        updates.rmsprop,
        ("velocity",),
        (("rho", 0.9), ("momentum", 0.0), ("epsilon", 1e-7)),
    ),
    "rmsprop_momentum": updates.UpdateRule(
        "rmsprop",
        updates.rmsprop,
        ("velocity", "momentum"),
        (("rho", 0.9), ("momentum", 0.5), ("epsilon", 1e-7)),
    ),
}
SHAPES = [(3, 5), (1,), (), (0, 4), (1000, 129), (16,), (17,), (300, 301)]
DECAYS = [i % 3 == 0 for i in range(len(SHAPES))]


@pytest.fixture(autouse=True)
def _every_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rule of what pays is left out, so that all sizes are computed natively."""
    monkeypatch.setattr(updates, "pays", lambda elements: True)


def _state(rule: updates.UpdateRule, shapes: Any = SHAPES, seed: int = 0) -> tuple[Any, Any, Any]:
    """Gradients, values and slots of order one; slots positive, as running means of squares are."""
    random = np.random.default_rng(seed)
    gradients, values = (
        [jnp.asarray(random.standard_normal(s), jnp.float32) for s in shapes] for _ in range(2)
    )
    slots = [
        {name: jnp.asarray(random.random(s) + 0.1, jnp.float32) for name in rule.slots}
        for s in shapes
    ]
    return gradients, values, slots


def _formula(rule: updates.UpdateRule, rate: Any, decay: Any, decays: Any, *state: Any) -> Any:
    rows = zip(*state, decays, strict=True)
    new = [
        rule(g, updates.decayed(v, decay) if each else v, s, jnp.float32(rate))
        for g, v, s, each in rows
    ]
    return [v for v, _ in new], [s for _, s in new]


@pytest.mark.parametrize("name", RULES)
def test_values_and_slots(name: str) -> None:
    rule = RULES[name]
    state = _state(rule)
    assert not native.available() or updates.suits(rule, state[0][0], *state[2][0].values())
    actual = updates.update_all(rule, 0.01, 0.25, DECAYS, *state)
    assert_close(actual, _formula(rule, 0.01, 0.25, DECAYS, *state))


@pytest.mark.parametrize("name", RULES)
def test_donated_in_a_loop(name: str) -> None:
    """Steps in a scan whose state is given away: written over, and nothing else is."""
    rule = RULES[name]
    gradients, values, slots = _state(rule)

    def steps(update: Any) -> Any:
        def body(state: Any, factor: Any) -> Any:
            scaled = [factor * g for g in gradients]
            new = update(rule, 0.01, 0.1, DECAYS, scaled, *state)
            return new, sum(jnp.sum(v) for v in state[0])  # the old values are still wanted

        def run(state: Any) -> Any:
            return jax.lax.scan(body, state, jnp.linspace(-1, 2, 7))

        return jax.jit(run, donate_argnums=0)

    expected = steps(_formula)(jax.tree.map(jnp.copy, (values, slots)))
    assert_close(steps(updates.update_all)((values, slots)), expected)


def test_memory_is_reused() -> None:
    """In a compiled step that was given its state, the table stays where it is and is not copied."""
    rule = RULES["adam"]
    gradients, values, slots = _state(rule, [(4000, 64), (7,)])

    def step(state: Any, gradients: Any) -> Any:
        return updates.update_all(rule, 0.01, 0.0, [False, False], gradients, *state)

    compiled = jax.jit(step, donate_argnums=0).lower((values, slots), gradients).compile()
    assert not re.findall(r"f32\[4000,64\]\S* copy\(", compiled.as_text() or "")
    where = values[0].unsafe_buffer_pointer()
    new = compiled((values, slots), gradients)
    assert new[0][0].unsafe_buffer_pointer() == where
    kept = np.array(new[0][0])
    again = jax.jit(step)(new, gradients)  # not given: stays as it was
    np.testing.assert_array_equal(new[0][0], kept)
    assert np.abs(np.array(again[0][0]) - kept).max() > 0


def test_nan_and_infinity_are_handed_on() -> None:
    for rule in RULES.values():
        gradients, values, slots = _state(rule, [(50,), (3,)])
        gradients[0] = gradients[0].at[3].set(jnp.nan).at[20].set(jnp.inf)
        values[0] = values[0].at[40].set(-jnp.inf).at[41].set(jnp.nan)
        state = gradients, values, slots
        actual = updates.update_all(rule, 0.01, 0.1, [True, False], *state)
        expected = _formula(rule, 0.01, 0.1, [True, False], *state)
        for a, e in zip(jax.tree.leaves(actual), jax.tree.leaves(expected), strict=True):
            np.testing.assert_array_equal(jnp.isnan(a), jnp.isnan(e))
            np.testing.assert_array_equal(jnp.isinf(a), jnp.isinf(e))


def test_the_same_bits_each_time_and_from_many_threads() -> None:
    rule = RULES["adam"]
    state = _state(rule)
    run = jax.jit(lambda *state: updates.update_all(rule, 0.01, 0.1, DECAYS, *state))
    first = jax.tree.map(np.asarray, run(*state))
    with ThreadPoolExecutor(6) as threads:
        for job in [threads.submit(run, *state) for _ in range(24)]:
            jax.tree.map(np.testing.assert_array_equal, job.result(), first)


@pytest.mark.parametrize("rates", [False, True])
@pytest.mark.parametrize("name", ["momentum", "adam", "rmsprop"])
def test_vmap(name: str, rates: bool) -> None:
    rule = RULES[name]
    stacked = jax.tree.map(
        lambda *a: jnp.stack(a), *(_state(rule, [(3, 5), (1,)], seed) for seed in range(3))
    )
    rate = jnp.array([0.1, 0.2, 0.3]) if rates else jnp.float32(0.1)

    def mapped(update: Any) -> Any:
        one = lambda rate, *state: update(rule, rate, 0.1, [True, False], *state)  # noqa: E731
        axes = (0 if rates else None, 0, 0, 0)
        return jax.jit(jax.vmap(one, in_axes=axes))(rate, *stacked)

    assert_close(mapped(updates.update_all), mapped(_formula))


def test_gradients_through_an_update() -> None:
    rule = RULES["adam"]
    gradients, values, slots = _state(rule, [(3, 5), (2,)])

    def loss(update: Any) -> Any:
        def of(rate: Any, values: Any) -> Any:
            new, _ = update(rule, rate, 0.1, [True, False], gradients, values, slots)
            return sum(jnp.sum(v**2) for v in new)

        return jax.grad(of, argnums=(0, 1))(jnp.float32(0.3), values)

    assert_close(loss(updates.update_all), loss(_formula))


def _lookups(n: int, d: int, m: int, dtype: str) -> tuple[Any, Any]:
    """Indices, some of them of no row and many of the same one, and dy."""
    random = np.random.default_rng(n)
    indices = np.minimum(random.integers(-2, n + 3, m), n // 2)
    return jnp.asarray(indices), jnp.asarray(random.standard_normal((m, d)), dtype)


def _table_step(rule: updates.UpdateRule, dtype: str) -> Any:
    """One update of three variables, of which the second is a table whose rows are looked up."""

    def step(gradients: Any, values: Any, slots: Any, indices: Any, dy: Any) -> Any:
        pull = jax.vjp(lambda t: embedding.take_rows(t, indices, dtype), values[1])[1]
        gradient = pull(dy)[0]
        given = [gradients[0], gradient, gradients[2]]
        return updates.update_all(rule, 0.01, 0.25, [False, True, True], given, values, slots)

    return jax.jit(step)


def _table_formula(
    rule: updates.UpdateRule, gradients: Any, values: Any, slots: Any, indices: Any, dy: Any
) -> Any:
    dense = embedding.gradient_reference(len(values[1]), indices, dy.astype("float32"))
    given = [gradients[0], dense, gradients[2]]
    return _formula(rule, 0.01, 0.25, [False, True, True], given, values, slots)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("name", RULES)
def test_a_table_by_its_rows(name: str, dtype: str) -> None:
    """One table beside other variables: the rows that were looked up stand for its gradient, which isn't made."""
    rule = RULES[name]
    for n, d, m in ((1, 1, 1), (7, 3, 5), (900, 129, 300), (5000, 64, 700)):
        shapes = [(3, 5), (n, d), (17,)]
        gradients, values, slots = _state(rule, shapes)
        indices, dy = _lookups(n, d, m, dtype)
        arguments = gradients, values, slots, indices, dy
        compiled = _table_step(rule, dtype).lower(*arguments).compile()
        text = compiled.as_text() or ""
        assert ("scatter" not in text and "table_gradient" not in text) or not native.suits(dy)
        actual = compiled(*arguments)
        assert_close(actual, _table_formula(rule, *arguments))
        jax.tree.map(np.testing.assert_array_equal, compiled(*arguments), actual)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("name", RULES)
def test_nan_and_infinity_in_rows_of_a_table(name: str, dtype: str) -> None:
    rule = RULES[name]
    gradients, values, slots = _state(rule, [(3,), (40, 19), (2,)])
    indices = jnp.array([4, 7, 4, 39, 9, 40, -1, 9])  # rows of one and of two, and no rows
    dy = jnp.asarray(np.random.default_rng(1).standard_normal((8, 19)), dtype)
    dy = dy.at[0, 3].set(jnp.nan).at[1, 18].set(-jnp.inf).at[3].set(jnp.inf)
    dy = dy.at[4, 5].set(jnp.inf).at[7, 5].set(-jnp.inf).at[5:7].set(jnp.nan)
    # In rows that are looked up and in one that isn't.
    values[1] = values[1].at[7, 0].set(jnp.nan).at[9, 1].set(-jnp.inf).at[20, 2].set(jnp.inf)
    for slot in slots[1]:
        slots[1][slot] = slots[1][slot].at[4, 7].set(jnp.inf).at[21, 8].set(jnp.nan)
    arguments = gradients, values, slots, indices, dy
    actual = _table_step(rule, dtype)(*arguments)
    expected = _table_formula(rule, *arguments)
    assert_close(actual, expected)
    table = actual[0][1]
    assert bool(jnp.isnan(table[4, 3])) and bool(jnp.isfinite(table[0]).all())


def test_rows_under_transformations() -> None:
    rule = RULES["adam"]
    _, (value,), (slots,) = _state(rule, [(8, 3)])
    indices, dy = _lookups(8, 3, 4, "float32")

    def loss(take: Any, dy: Any) -> Any:
        gradient = jax.vjp(lambda t: take(t, indices), value)[1](dy)[0]
        new, _ = updates.update_all(rule, 0.1, 0.0, [False], [gradient], [value], [slots])
        return jnp.sum(new[0] ** 2)

    def transformed(take: Any) -> Any:
        of = lambda dy: loss(take, dy)  # noqa: E731
        return jax.grad(of)(dy), jax.vmap(of)(jnp.stack([dy, 2 * dy]))

    expected = jax.jit(lambda: transformed(embedding.take_rows_reference))()
    assert_close(jax.jit(lambda: transformed(embedding.take_rows))(), expected)


@pytest.mark.parametrize("options", [{}, {"clipnorm": 0.1}, {"gradient_accumulation_steps": 2}])
def test_embedding_in_a_model(options: dict[str, Any]) -> None:
    def trained(cls: Any) -> Any:
        keras.utils.set_random_seed(1)
        layers = [keras.layers.Embedding(300, 32), keras.layers.GlobalAveragePooling1D()]
        model = keras.Sequential([keras.Input((5,), dtype="int32"), *layers])
        model.compile(cls(0.1, **options), "mse")
        x = np.random.default_rng(0).integers(0, 300, (24, 5)).astype("int32")
        model.fit(x, np.ones((24, 32), "float32"), batch_size=8, verbose=0)
        return model.get_weights()

    assert_close(trained(keras.optimizers.Adam), trained(_ByHand), "training")


@native_only
def test_wrong_arrays() -> None:
    x, y = jnp.ones(3), jnp.ones(4)
    shape = jax.ShapeDtypeStruct((3,), "float32")
    rates, flags = jnp.ones(2), np.zeros(1, np.int32)
    for arguments in ((rates, x, y), (rates, x), (jnp.ones(3), x, x), (rates, x, x, x)):
        with pytest.raises(Exception, match=r"update_sgd: expected rates \(2,\)"):
            native.call(
                "update_sgd",
                (shape,),
                *arguments,
                decayed=flags,
                by_rows=flags,
                slots=0,
                momentum=np.float64(0),
                nesterov=False,
            )
    table, indices, dy = jnp.ones((3, 2)), jnp.zeros(4, int), jnp.ones((4, 2))
    for rows in ((indices[:3], dy), (indices, dy[:, :1]), (indices.astype("float32"), dy)):
        with pytest.raises(Exception, match=r"update_sgd: expected rates \(2,\)"):
            native.call(
                "update_sgd",
                (jax.ShapeDtypeStruct(table.shape, "float32"),),
                *(jnp.ones(2), *rows, table),
                decayed=flags,
                by_rows=np.ones(1, np.int32),
                slots=0,
                momentum=np.float64(0),
                nesterov=False,
            )


# Optimizers


class _ByHand(keras.optimizers.Adam):
    """Adam whose steps are made variable by variable, because `update` is its own."""

    def update(self, *args: Any) -> Any:
        return super().update(*args)


def _trained(optimizer: Any, compiled: bool = True) -> list[np.ndarray]:
    """The weights and slots after some steps."""
    random = np.random.default_rng(1)
    shapes = [(70, 60), (60,), (60, 3), (3,)]
    variables = [
        keras.Variable(random.standard_normal(s).astype("float32"), name=f"v{i}")
        for i, s in enumerate(shapes)
    ]
    variables[1].constraint = keras.constraints.NonNeg()
    optimizer.build(variables)
    step = jax.jit(lambda a, b, g: optimizer.stateless_apply(b, g, a))
    for _ in range(4):
        gradients = [jnp.asarray(random.standard_normal(s), jnp.float32) for s in shapes]
        if compiled:
            state = [v.value for v in variables], [v.value for v in optimizer.variables]
            new, own = step(*jax.tree.map(jnp.asarray, state), gradients)
            for variable, value in zip(
                [*variables, *optimizer.variables], [*new, *own], strict=True
            ):
                variable.assign(value)
        else:
            optimizer.apply(gradients, variables)
    return [v.numpy() for v in [*variables, *optimizer.variables]]


OPTIONS: list[dict[str, Any]] = [
    {},
    {"weight_decay": 0.1},
    {"clipnorm": 0.5},
    {"global_clipnorm": 0.5},
    {"clipvalue": 0.1},
    {"use_ema": True, "ema_overwrite_frequency": 2},
    {"gradient_accumulation_steps": 2},
    {"loss_scale_factor": 8.0},
    {"learning_rate": keras.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)},
    {"amsgrad": True},
]


@pytest.mark.parametrize("options", OPTIONS, ids=["-".join(each) or "plain" for each in OPTIONS])
def test_options_of_optimizers(options: dict[str, Any]) -> None:
    expected = _trained(_ByHand(**options))
    assert_close(_trained(keras.optimizers.Adam(**options)), expected)


@pytest.mark.parametrize("options", OPTIONS[:2], ids=["plain", "weight_decay"])
def test_options_of_optimizers_that_run_eagerly(options: dict[str, Any]) -> None:
    eager = _trained(keras.optimizers.Adam(**options), compiled=False)
    assert_close(eager, _trained(_ByHand(**options)))


def test_exempt_from_decay() -> None:
    def trained(cls: Any) -> Any:
        optimizer = cls(weight_decay=0.5)
        optimizer.exclude_from_weight_decay(var_names=["v0", "v3"])
        return _trained(optimizer)

    assert_close(trained(keras.optimizers.Adam), trained(_ByHand))


def test_variables_of_several_types_and_without_gradients() -> None:
    def trained(cls: Any) -> Any:
        values = [np.ones((40, 40), "float32"), np.ones(5, "float16"), np.ones(7, "float32")]
        variables = [keras.Variable(v, dtype=str(v.dtype)) for v in values]
        optimizer = cls(0.1)
        with pytest.warns(UserWarning, match="Gradients do not exist"):
            optimizer.apply([np.ones((40, 40)), np.ones(5), None], variables)
        return [v.numpy() for v in variables]

    first, half, last = trained(keras.optimizers.Adam)
    assert half.dtype == "float16" and (last == 1).all() and (first < 1).all() and (half < 1).all()
    assert_close([first, last], trained(_ByHand)[::2])


def test_an_update_of_a_subclass_is_used() -> None:
    class Still(keras.optimizers.SGD):
        def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
            self.assign_sub(variable, learning_rate)

    weight = keras.Variable(np.ones(5000, "float32"))
    Still(0.5).apply([np.full(5000, 9.0)], [weight])
    np.testing.assert_array_equal(weight.numpy(), 0.5)


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw", "rmsprop"])
def test_fit_never_copies_the_table(optimizer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from hornbeam.keras.training import step

    texts: list[str] = []
    run = step.Program.run

    def recorded(self: Any, compiled: Any, arguments: Any, shield: Any = None) -> Any:
        outputs = run(self, compiled, arguments, shield)
        state = [[v._value for v in part] for part in (self.changing, self.shared, self.reading)]
        texts.append(compiled.lower(*state, *arguments).compile().as_text())
        return outputs

    monkeypatch.setattr(step.Program, "run", recorded)
    model = keras.Sequential(
        [
            keras.Input((5,), dtype="int32"),
            keras.layers.Embedding(3000, 32),
            keras.layers.GlobalAveragePooling1D(),
            keras.layers.Dense(1),
        ]
    )
    model.compile(optimizer, "mse")
    x, y = np.zeros((24, 5), "int32"), np.zeros((24, 1), "float32")
    model.fit(x, y, batch_size=8, verbose=0)
    model.train_on_batch(x[:8], y[:8])
    assert len(texts) >= 2
    for text in texts:
        assert not re.findall(r"f32\[3000,32\]\S* copy\(", text)
        assert ("hornbeam_update" in text) == native.available()

"""Every path from inputs and weights to outputs goes through the door, where a recorder sees it.

What a recorder kept is computed again with other inputs and weights, and compared with a call on these: a value that was
made, read, cast or reshaped outside of the door would keep its old value.
"""

from __future__ import annotations

import ast
import inspect
import pathlib
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import hornbeam as tf
from hornbeam import keras
from hornbeam.core import scope
from hornbeam.core.tensor import Tensor, convert_to_tensor
from hornbeam.keras import layers
from tests.contract import test_layers as contract
from tests.contract import test_losses, test_metrics
from tests.contract.layer_cases import CASES
from tests.ops import cases
from tests.recorder import Record, raw_leaves
from tests.tolerances import assert_close

SOURCE = pathlib.Path(tf.__file__).parent
POLICIES = ("float32", "mixed_bfloat16")


def other(value: Any, integers_below: int | None = None) -> np.ndarray:
    """Another value of the same shape and kind."""
    value = np.asarray(value)
    if value.dtype.kind in "iub":
        return np.flip(value, 0).copy() if integers_below is None else (integers_below - 1 - value)
    return (np.asarray(value, "float32") * 0.5 + 0.3).astype(value.dtype)


def check(fn: Any, inputs: list[Any], variables: list[Any], highest: int | None = None) -> None:
    """Record `fn(*inputs)`, replay it on other inputs and variables, and call it on these."""
    start = [v._value for v in variables]
    with Record() as record:
        outputs = fn(*inputs)
    after = [v._value for v in variables]
    changed = [(x, convert_to_tensor(other(x, highest))._value) for x in raw_leaves(inputs)]
    news = [
        x if np.asarray(x).dtype.kind == "u" else convert_to_tensor(other(x))._value for x in start
    ]
    for variable, value in zip(variables, start, strict=True):
        variable.assign(value)  # an op that draws takes the next seed where it is computed
    replayed = record.replay([*changed, *zip(start, news, strict=True)], outputs)
    for variable, new in zip(variables, news, strict=True):
        variable.assign(new)
    expected = raw_leaves(fn(*jax.tree.map(Tensor, [new for _, new in changed])))
    assert len(replayed) == len(expected) > 0
    for got, want in zip(replayed, expected, strict=True):
        assert_close(got, want)
    first = raw_leaves(outputs)
    assert any(not np.array_equal(a, b) for a, b in zip(first, expected, strict=True)) or not (
        changed or after
    ), "the other values change nothing: the check would be empty"


def check_layer(name, policy, **options):
    layer = contract.make(name, dtype=policy)

    def flat(values):
        return contract.given(name, list(values) if len(values) > 1 else values[0])

    data = contract.data(name)
    inputs = [convert_to_tensor(x) for x in (data if isinstance(data, list) else [data])]
    layer(*flat(inputs))  # made, and its variables with it
    check(lambda *xs: layer(*flat(xs), **options), inputs, layer.variables, CASES[name].highest)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("name", sorted(CASES))
def test_layers(name, policy):
    check_layer(name, policy)


TRAINED = [
    name
    for name in sorted(contract.EXPORTED & CASES.keys())
    if "training" in inspect.signature(getattr(layers, name).call).parameters
]


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("name", TRAINED)
def test_layers_that_train(name, policy):
    """In training mode: statistics of the batch, and draws, whose seeds `check` lets start alike."""
    check_layer(name, policy, training=True)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("name", test_losses.CLASSES)
def test_loss_objects(name, dtype):
    loss, y, p = test_losses.make(name, dtype=dtype)
    y, p = convert_to_tensor(y), convert_to_tensor(p)
    check(lambda y_pred: loss(y, y_pred), [p], [])


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("name", test_metrics.CLASSES)
def test_metric_objects(name, dtype):
    """An update, and the result that it leads to: through the variables that are assigned in between."""
    metric, batch = test_metrics.make(name, dtype=dtype)
    *before, p = map(convert_to_tensor, batch)
    metric(*before, p)
    metric.reset_state()

    def measured(y_pred):
        metric.update_state(*before, y_pred)
        return [metric.result(), metric.variables[0].value]

    check(measured, [p], metric.variables)


V = keras.Variable([0.5, 2.0], name="captured")
X = convert_to_tensor(np.array([1.0, 3.0], "float32"))
ops = keras.ops


class Cell(layers.Layer):
    """A cell of a user's, whose call uses what it does not hold."""

    state_size = output_size = 2

    def call(self, inputs, states):
        state = states[0] * 0.5 + inputs * V * X
        return state, [state]


def under_bfloat16(fn):
    with scope.autocast("bfloat16"):
        return fn()


# Functions of no arguments: what they use is captured, by themselves, by branches, bodies and cells.
CAPTURING = {
    "reading": lambda: V.value * 2,
    "an operand": lambda: 2 * V + X,
    "a tensor of a variable": lambda: ops.convert_to_tensor(V) * 2,
    "in another type": lambda: ops.convert_to_tensor(X, "bfloat16") * 2,
    "read in bfloat16": lambda: under_bfloat16(lambda: V * 2),
    "tf.convert_to_tensor": lambda: tf.convert_to_tensor(V, "float16") + 1,
    "tf.constant": lambda: tf.constant(X[0], shape=(2, 2)),
    "tf.constant, reshaped": lambda: tf.constant(X, shape=(2, 1)),
    "tf.fill": lambda: tf.fill([2, 2], X[1]),
    "a list": lambda: ops.convert_to_tensor([X[0], V[1], 3.0]) * 2,
    "a list in ops": lambda: tf.stack([X, V]) * [1.0, 2.0],
    "assigned": lambda: [V.assign(X * V), V * 1.0],
    "added": lambda: [V.assign_add(X), V.assign_sub([0.5, 0.5]), V * V],
    "assigned in another type": lambda: [V.assign(ops.cast(X, "bfloat16")), V * 2],
    "tf.random.normal": lambda: tf.random.normal([2], mean=X, stddev=V, seed=1),
    "tf.random.truncated_normal": lambda: tf.random.truncated_normal([2], X, V, seed=1),
    "tf.random.uniform": lambda: tf.random.uniform([2], X, X + V, seed=1),
    "tf.random.gamma": lambda: tf.random.gamma([3], X, V, seed=1),
    "tf.random.shuffle": lambda: tf.random.shuffle(X, seed=1),
    "tf.scatter_nd": lambda: tf.scatter_nd([[1], [0]], X, [3]),
    "tf.boolean_mask": lambda: tf.boolean_mask(X, [True, False]),
    "cond": lambda: ops.cond(X[0] > 0, lambda: V * X, lambda: X),
    "cond, handed through": lambda: ops.cond(X[0] > 0, lambda: X, lambda: V),
    "switch": lambda: ops.switch(1, [lambda: X, lambda: X * V]),
    "while_loop": lambda: ops.while_loop(
        lambda i, y: i < 2, lambda i, y: (i + 1, y * V + X), (0, X)
    )[1],
    "fori_loop": lambda: ops.fori_loop(0, 2, lambda i, y: y * V + X, X),
    "scan": lambda: ops.scan(lambda c, x: (c * V + x * X, c), X, ops.ones((3, 2))),
    "associative_scan": lambda: ops.associative_scan(lambda a, b: a * b + 0 * V, ops.stack([X, V])),
    "map": lambda: ops.map(lambda x: x * V + X, ops.ones((3, 2))),
    "vectorized_map": lambda: ops.vectorized_map(lambda x: x * V + X, ops.ones((3, 2))),
    "vectorize": lambda: ops.vectorize(lambda x: x * V[0])(X),
    "custom_gradient": lambda: ops.custom_gradient(lambda x: (x * V, lambda g: g))(X),
    "jvp": lambda: ops.jvp(lambda x: x * V, (X,), (X,)),
    "a loop in a loop": lambda: ops.map(
        lambda x: ops.fori_loop(0, 2, lambda i, y: y * V + x, X), ops.ones((3, 2))
    ),
    "a cell": lambda: layers.RNN(Cell())(ops.ones((1, 3, 2))),
    "a cell in bfloat16": lambda: layers.RNN(Cell(dtype="mixed_bfloat16"))(ops.ones((1, 3, 2))),
    "a loop in bfloat16": lambda: under_bfloat16(
        lambda: ops.map(lambda x: V / 3.0, ops.ones((3, 2)))
    ),
    "a wrapped layer": lambda: layers.TimeDistributed(layers.Lambda(lambda x: x * V))(
        ops.ones((1, 3, 2))
    ),
    "jnp in a body": lambda: ops.map(
        lambda x: layers.Lambda(lambda y: jnp.sin(y._value))(x) * V, ops.ones((3, 2))
    ),
    "a model with an added axis": lambda: MODEL(X) * 2,
    "a model with an axis too many": lambda: FLAT(ops.reshape(X, (2, 1, 1))) * 2,
    "a tensor's items": lambda: [*X, *V],
}
MODEL = keras.Sequential([keras.Input((1,)), layers.Rescaling(3.0)])
FLAT = keras.Sequential([keras.Input((1,)), layers.Rescaling(3.0)])


@pytest.mark.parametrize("name", CAPTURING)
def test_what_functions_capture(name):
    """Tensors and variables that are no arguments: each that is used changes the result."""
    fn, start = CAPTURING[name], (X._value, V._value)
    try:
        for box, old, new in zip((X, V), start, ([2.0, 0.5], [1.5, 0.25]), strict=True):
            with Record() as record:
                outputs = fn()
            V.assign(start[1])
            new = convert_to_tensor(new)._value
            replayed = record.replay(
                [(old, new), (V._value, new)] if box is V else [(old, new)], outputs
            )
            if box is V:
                V.assign(new)
            else:
                X._value = new
            expected = raw_leaves(fn())
            for got, want in zip(replayed, expected, strict=True):
                assert_close(got, want)
            X._value = start[0]
            V.assign(start[1])
    finally:
        X._value = start[0]
        V.assign(start[1])


def test_the_table_uses_what_it_captures():
    """Each row depends on X or on V, so none of them passes because nothing changes."""
    for name, fn in CAPTURING.items():
        with Record() as record:
            fn()
        V.assign([0.5, 2.0])
        boxes = [box for call, _ in record.calls for box in call.boxes]
        assert any(box is X or box is V for box in boxes), name


def test_ops_that_are_plain_functions():
    """Every op of the table that is not itself a door."""
    plain = [case for case in cases.CASES if not hasattr(getattr(ops, case.name), "raw")]
    assert plain
    for case in plain:
        values = [convert_to_tensor(cases.arrays()[each]) for each in case.places()]
        with Record() as record:
            outputs = getattr(ops, case.name)(*case.arguments(values), **case.kwargs)
        new = [convert_to_tensor(np.flip(x.numpy(), 0).copy()) for x in values]
        changed = [(a._value, b._value) for a, b in zip(values, new, strict=True)]
        expected = raw_leaves(getattr(ops, case.name)(*case.arguments(new), **case.kwargs))
        for got, want in zip(record.replay(changed, outputs), expected, strict=True):
            assert_close(got, want, err_msg=str(case))


# Where tensors may be made of raw values, and why.
MAKERS = {
    "core/tensor.py": "the class",
    "core/op.py": "what comes out of the door",
    "core/variable.py": "the reading of a variable, which recorders are told of",
    "core/block.py": "the arguments of a program",
    "core/compiled.py": "what comes out of a program, which recorders are told of",
    "core/backward.py": "gradients, which outer tapes are told of",
    "core/host.py": "strings, which have no gradients",
    "control/autograph": "conditions and numbers of turns; what comes out of a program's parts, which recorders are told of",
    "control/concrete.py": "stand-ins while a program is traced",
    "core/symbolic.py": "stand-ins while shapes are found",
    "tensors/creation.py": "sizes, which are NumPy's",
    "keras/metrics/base.py": "stateless metrics return state",
    "keras/saving/comparison.py": "arrays of files, which were computed from no tensor",
    "keras/saving/plain_data.py": "stored states, which were computed from no tensor",
    "keras/optimizers": "updates, which are no part of what is differentiated",
}


def makes_tensors(text: str) -> list[int]:
    """The lines on which `Tensor` is called, or handed on as a function."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", "")
            handed = [] if name in ("isinstance", "issubclass", "cast") else node.args
            if any(getattr(each, "id", "") == "Tensor" for each in (node.func, *handed)):
                found.append(node.lineno)
    return found


def test_tensors_are_made_by_ops():
    assert makes_tensors("a = Tensor(1)\nb = map(Tensor, c)\nisinstance(a, Tensor)\nop(a)") == [
        1,
        2,
    ]
    places = {
        f"{path.relative_to(SOURCE).as_posix()}:{line}"
        for path in SOURCE.rglob("*.py")
        for line in makes_tensors(path.read_text())
    }
    used = {maker for maker in MAKERS for place in places if place.startswith(maker)}
    others = sorted(place for place in places if not place.startswith(tuple(MAKERS)))
    assert not others, f"Tensors are made outside of the door: {others}. Make them by an op."
    assert used == set(MAKERS), "places that no longer need to be allowed"

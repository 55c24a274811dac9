"""What the tests of exchanged files share: a file goes from one library to the other, and both take one more step."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import jax
import keras as peer
import numpy as np
import pytest

from hornbeam import keras
from tests.tolerances import assert_close

WAYS = ["to Keras", "from Keras"]
BOTH = pytest.mark.parametrize("way", WAYS)


def sides(way: str) -> tuple[Any, Any]:
    """Return the library that writes and the one that reads."""
    return (keras, peer) if way == "to Keras" else (peer, keras)


def exchanged(made: Any, way: str, path: Path) -> Any:
    """Return what the other library reads from the file that a model is saved in."""
    made.save(path)
    return sides(way)[1].models.load_model(path)


def values(variables: Any) -> list[np.ndarray]:
    return [np.asarray(each.numpy() if hasattr(each, "numpy") else each) for each in variables]


def states(model: Any) -> dict[str, np.ndarray]:
    """Return the weights of a model and the variables of its optimizer by path.

    The totals of metrics and the states of seeds are left out: Keras writes neither into a file, and reads neither.
    """
    # Parts of a layer may have variables of the same path.
    held = enumerate([*model.weights, *model.optimizer.variables])
    return {f"{i} {each.path}": values([each])[0] for i, each in held}


def seed_of(model: Any, layer: str) -> list[int]:
    """Return the state of the seed of a layer: the seed, and how often the layer has drawn."""
    (state,) = values([model.get_layer(layer).seed_generator.state])
    return [int(each) for each in state]


def assert_same_states(a: Any, b: Any, exact: bool) -> None:
    """Compare all that two models hold, bit by bit or to rounding; the error names the variable."""
    compare = np.testing.assert_array_equal if exact else assert_close
    # In what Keras has loaded, paths of layers inside others are shorter, so places count.
    for (path, one), other in zip(states(a).items(), states(b).values(), strict=True):
        compare(one, other, err_msg=path)


def exchange_weights(a: Any, b: Any, path: Path) -> None:
    """Let each model read what the other writes, with the optimizer, after its own values are gone."""
    for writer, reader in ((a, b), (b, a)):
        writer.save_weights(path)
        for variable in (*reader.weights, *reader.optimizer.variables):
            variable.assign(np.zeros(variable.shape, variable.dtype))
        reader.load_weights(path)
        assert_same_states(reader, writer, exact=True)


def assert_same_predictions(a: Any, b: Any, x: Any) -> None:
    """Compare what two models predict; the error says which output differs."""
    for each in (a, b):
        begin_again(each)
    found, expected = (jax.tree.map(np.asarray, each.predict_on_batch(x)) for each in (a, b))
    names = getattr(a, "output_names", None)
    leaves = [jax.tree.leaves(each) for each in (found, expected)]
    for i, (one, other) in enumerate(zip(*leaves, strict=True)):
        assert_close(one, other, err_msg=f"prediction {names[i] if names else i}")


def begin_again(model: Any) -> None:
    """Reset what no file keeps: the totals of metrics, and the states of stateful layers.

    On JAX, Keras does not carry such states from one compiled step to the next at all.
    """
    model.reset_metrics()
    for layer in model.layers:
        if getattr(layer, "stateful", False):
            layer.reset_state()


def logs(model: Any, x: Any, y: Any) -> dict[str, np.ndarray]:
    """Return the loss and metrics of a step of training on one batch."""
    found = model.train_on_batch(x, y, return_dict=True)
    return {name: np.asarray(value, "float32") for name, value in found.items()}


def assert_same_step(a: Any, b: Any, x: Any, y: Any, random: Collection[str] = ()) -> None:
    """Take a step with both; compare loss, metrics, weights and the optimizer's variables.

    The logs named in `random` are of layers that draw: they exist on both sides and differ.
    """
    for each in (a, b):
        begin_again(each)
    found, expected = logs(a, x, y), logs(b, x, y)
    assert found.keys() == expected.keys()
    for each in (found, expected):
        for name in random:
            del each[name]
    assert_close(found, expected)
    assert_same_states(a, b, exact=False)


@contextlib.contextmanager
def zeros_in_keras() -> Iterator[None]:
    """Let Keras begin with zeros: its initializers compile a program for each shape, and files replace the values."""

    def zeros(shape: Any, *_: Any, dtype: Any = None, **__: Any) -> np.ndarray:
        return np.zeros(shape, dtype or "float32")

    with pytest.MonkeyPatch.context() as patch:
        for name in ("uniform", "normal", "truncated_normal"):
            patch.setattr(peer.src.backend.random, name, zeros)
        yield


def check_there_and_back(
    ours: Any, x: Any, y: Any, folder: Path, formats: tuple[str, ...] = ("keras", "h5")
) -> None:
    """Exchange a compiled model of ours in each format, both ways, and train both models a step after each exchange.

    Keras builds the optimizer of a model in a `.h5` file for no variables, so that the optimizer begins anew there: what Keras
    reads from one only predicts.
    """
    ours.train_on_batch(x, y)
    with zeros_in_keras():
        there = [exchanged(ours, "to Keras", folder / f"ours.{each}") for each in formats]
    theirs = there[0]
    assert_same_states(theirs, ours, exact=True)
    for each in there:
        assert_same_predictions(each, ours, x)
    assert_same_step(theirs, ours, x, y)
    for each in formats:
        back = exchanged(theirs, "from Keras", folder / f"theirs.{each}")
        assert_same_states(back, theirs, exact=True)
        assert_same_step(back, theirs, x, y)
    exchange_weights(back, theirs, folder / "m.weights.h5")
    assert_same_step(back, theirs, x, y)

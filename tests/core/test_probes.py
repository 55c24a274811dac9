"""Sizes that stand for unknown dimensions: they meet no size of a user's, and no user meets them."""

import itertools
import threading

import jax
import numpy as np
import pytest

from hornbeam import keras
from hornbeam.core.probes import probes_apart_from, probing, without_probes
from hornbeam.core.symbolic import KerasTensor, infer

layers = keras.layers
FIRST, SECOND = itertools.islice(probes_apart_from([]), 2)
# All sizes from 1 to 8192 that are products of 2, 3, 5 and 7.
SIZES = sorted(
    size
    for a, b, c, d in itertools.product(range(14), range(9), range(6), range(5))
    if (size := 2**a * 3**b * 5**c * 7**d) <= 8192
)


def test_no_usual_size_is_a_probe():
    """Any probe that is near at hand, in a first trace, in its retries and in nested ones."""
    assert len(SIZES) == 317 and SIZES[-1] == 8192
    probes = list(itertools.islice(probes_apart_from([]), 50))
    assert not set(probes) & {*SIZES, *range(1, 10_000), 10_000, 16_384, 32_768, 65_536}
    assert all(probe % (64 * 3 * 7) == 0 for probe in probes)


@pytest.fixture
def seen(monkeypatch):
    """The shapes that layers are built for, without making their weights."""
    shapes = []

    class Note(layers.Layer):
        def build(self, input_shape):
            shapes.append(input_shape)

        def call(self, inputs):
            return inputs

    return Note, shapes


@pytest.mark.parametrize("rows", [2, None])
def test_layers_are_built_for_the_sizes_that_came(seen, rows):
    """Every size, as values and as symbols, at the front and at the back, alone and inside a traced layer."""
    note, shapes = seen

    class Inside(layers.Layer):
        def __init__(self):
            super().__init__()
            self.note = note()

        def call(self, inputs):
            return self.note(inputs)

    expected = []
    for size in SIZES:
        for shape in ((rows, size), (size, rows, size)):
            x = KerasTensor(shape)
            for layer in (note(), Inside()):
                layer(x)
                expected.append(shape)
    assert shapes == expected
    shapes.clear()
    for size in SIZES:
        for shape in ((2, size), (size, 1)):
            note()(np.zeros(shape, "float32"))
    assert shapes == [shape for size in SIZES for shape in ((2, size), (size, 1))]


@pytest.mark.parametrize("size", [1344, 6720, FIRST, SECOND])
def test_sizes_that_are_or_were_probes(size):
    """As width of the data and inside a model, where nothing but a failed trace tells that it is known."""
    assert layers.Dense(3)(np.ones((2, size), "float32")).shape == (2, 3)
    assert layers.Dense(3)(keras.Input((size,))).shape == (None, 3)
    assert layers.BatchNormalization()(np.ones((2, size), "float32")).shape == (2, size)
    assert layers.BatchNormalization()(keras.Input((size,))).shape == (None, size)

    class Two(keras.Model):
        def __init__(self):
            super().__init__()
            self.wide, self.last = layers.Dense(size), layers.Dense(3)

        def call(self, inputs):
            return self.last(self.wide(inputs))

    model = Two()
    assert model(keras.Input((1,))).shape == (None, 3)
    assert model.last.kernel.shape == (size, 3)
    assert model(np.ones((size, 1), "float32")).shape == (size, 3)


def test_probes_are_unknown_only_inside_their_trace():
    shape = {"a": (FIRST, 4), "b": [(2, FIRST)]}
    assert without_probes(shape) is shape
    other = []
    with probing(FIRST):
        assert without_probes(shape) == {"a": (None, 4), "b": [(2, None)]}
        assert next(probes_apart_from([])) != FIRST
        thread = threading.Thread(target=lambda: other.append(without_probes((FIRST, 4))))
        thread.start()
        thread.join()
    assert other == [(FIRST, 4)] and without_probes(shape) is shape


def test_a_size_of_the_call_is_never_its_probe():
    seen = []

    def look(x, y):
        seen.append(x.shape[0])
        return x

    infer(look, KerasTensor((None, FIRST)), np.ones((SECOND, 1)))
    assert len(set(seen)) == 2 and not {FIRST, SECOND} & set(seen)


def test_errors_say_none_for_what_is_not_known():
    """The sizes that unknown axes are traced with are nobody's; those that users wrote stay."""
    with pytest.raises(ValueError, match=r"\(None, 4\)"):
        KerasTensor((None, 4)) + np.ones(5)
    with pytest.raises(ValueError, match=rf"\({FIRST}, 4\)"):
        KerasTensor((FIRST, 4)) + np.ones(5)
    with pytest.raises(ValueError, match=rf"\(None, 4\).* \({FIRST}, 4\)"):
        KerasTensor((None, 4)) @ np.ones((FIRST, 4))


def _told(error):
    """Everything that a traceback prints of an error."""
    texts = []
    while error is not None:
        texts += [str(error), *getattr(error, "__notes__", ())]
        error = error.__cause__ or error.__context__
    return "\n".join(texts)


class _Counted(layers.Layer):
    """Fails with words that differ from call to call, so that two errors can't be compared."""

    calls = 0

    def __init__(self, failure):
        super().__init__()
        self.failure = failure

    def call(self, inputs):
        type(self).calls += 1
        word = "a" * type(self).calls
        raise self.failure(f"{word}: {tuple(inputs.shape)}, {inputs.shape[0] // 2}")


@pytest.mark.parametrize("failure", [ValueError, TypeError, RuntimeError, KeyError, IndexError])
def test_no_error_shows_a_probe(failure):
    """Of any class, in its notes and causes too, and where the words are not the same twice."""
    with pytest.raises(failure, match=r"\(None, 4\)") as caught:
        _Counted(failure)(keras.Input((4,)))
    assert not any(str(probe) in _told(caught.value) for probe in (FIRST, SECOND))
    assert "called with inputs: (None, 4)" in _told(caught.value)


def test_errors_of_layers_inside_layers_say_none():
    class Outer(keras.Model):
        def __init__(self):
            super().__init__()
            self.inner = layers.Dense(3)

        def call(self, inputs):
            return self.inner(inputs) + np.ones(5, "float32")

    for shape in ((4,), (None, 4)):
        with pytest.raises(ValueError, match="None") as caught:
            Outer()(keras.Input(shape))
        assert not any(str(probe) in _told(caught.value) for probe in (FIRST, SECOND))


def test_flattened_unknown_sizes_are_none_in_errors():
    class Flat(layers.Layer):
        def call(self, inputs):
            return keras.ops.reshape(inputs, (-1,)) + np.ones(5, "float32")

    with pytest.raises(ValueError, match=r"\(None,\)") as caught:
        Flat()(keras.Input((4,)))
    assert not any(str(4 * probe) in _told(caught.value) for probe in (FIRST, SECOND))


def test_a_failed_trace_leaves_no_trace_open():
    with pytest.raises(ZeroDivisionError):
        infer(lambda x: 1 / 0, KerasTensor((None, 4)))
    assert without_probes((FIRST,)) == (FIRST,)
    assert jax.eval_shape(lambda: 1.0).shape == ()

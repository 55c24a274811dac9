"""Strings in tensors: what the table `tests/tensors/printed/strings.txt` does not say."""

import jax
import numpy as np
import pytest

import hornbeam as tf
from hornbeam.core import host
from hornbeam.keras import layers


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        *[(each, True) for each in ("a", b"a", ["a"], [[], ["a"]], np.array(["a"]), np.str_("a"))],
        *[(each, False) for each in (1, [1, "a"], [], None, np.ones(2), np.array([1, None]))],
        (np.array(["a", None], object), True),
    ],
)
def test_what_is_text(value, expected):
    assert host.is_text(value) is expected


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (["a", 1], "mixed types"),
        ([["a"], ["b", "c"]], "non-rectangular"),
        (1, "Cannot convert 1"),
        (["a", None], "mixed types"),
    ],
)
def test_what_is_no_tensor_of_strings(value, text):
    with pytest.raises(tf.errors.InvalidArgumentError, match=text):
        host.strings(value)


def test_strings_are_tensors():
    words = tf.constant(["a", "b"])
    assert isinstance(words, tf.Tensor) and words.dtype == tf.string and words.shape == (2,)
    assert host.strings(words) is words
    assert tf.constant([words[1], "c"]).numpy().tolist() == [b"b", b"c"]


def test_what_moves_elements_moves_strings():
    words = tf.constant([["a", "b"], ["", "d"]])
    moved = tf.transpose(tf.concat([words, [["e", "f"]]], 0))
    assert moved.numpy().tolist() == [[b"a", b"", b"e"], [b"b", b"d", b"f"]]
    assert tf.pad(words, [[0, 0], [0, 1]])[0].numpy().tolist() == [b"a", b"b", b""]
    assert tf.tensor_scatter_nd_update(words, [[0, 0]], tf.constant(["x"]))[0, 0] == "x"


@pytest.mark.parametrize("op", [tf.reduce_max, tf.math.exp, tf.sort, tf.argmax, tf.matmul])
def test_what_computes_refuses_strings(op):
    words = tf.constant([["a"]])
    with pytest.raises(tf.errors.InvalidArgumentError, match="isn't defined for strings"):
        op(words, words) if op is tf.matmul else op(words)


def test_casts_name_what_reads_numbers():
    with pytest.raises(tf.errors.UnimplementedError, match="to_number"):
        tf.cast(["1"], tf.float32)


def test_numbers_beside_strings_are_refused():
    with pytest.raises(tf.errors.InvalidArgumentError):
        tf.concat([tf.constant(["a"]), tf.constant([1])], 0)


def test_a_compiled_program_refuses_strings():
    with pytest.raises(TypeError):
        jax.jit(lambda x: x)(tf.constant("a"))


def test_a_layer_refuses_strings():
    with pytest.raises((TypeError, ValueError)):
        layers.Dense(2)(tf.constant([["a"]]))


def test_a_tape_is_not_disturbed():
    x = tf.Variable(2.0)
    with tf.GradientTape() as tape:
        words = tf.concat([tf.constant(["a"]), tf.constant(["b"])], 0)
        y = x * x
    assert tape.gradient(y, x).numpy() == 4.0 and words.numpy().tolist() == [b"a", b"b"]


def test_splitting_several_strings_says_what_is_missing():
    with pytest.raises(NotImplementedError, match="ragged"):
        tf.strings.split(["a b", "c"])

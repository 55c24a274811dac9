"""Variables of strings: everything that TensorFlow does with them, and what no program can do."""

from __future__ import annotations

import copy
from pathlib import Path

import jax
import numpy as np
import pytest

import hornbeam as tf
from hornbeam.keras import Sequential, layers

INVALID = tf.errors.InvalidArgumentError


def words() -> tf.Variable:
    return tf.Variable(["a", "bb"], name="w")


def shown(variable: tf.Variable) -> list[bytes]:
    return variable.numpy().tolist()


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (lambda: tf.Variable("text"), "'Variable:0' shape=() dtype=string, numpy=b'text'"),
        (lambda: tf.Variable(b"\xff"), "'Variable:0' shape=() dtype=string, numpy=b'\\xff'"),
        (lambda: tf.Variable(tf.constant("c")), "'Variable:0' shape=() dtype=string, numpy=b'c'"),
        (lambda: tf.Variable(lambda: "x"), "'Variable:0' shape=() dtype=string, numpy=b'x'"),
        (lambda: tf.Variable("a", dtype=tf.string), "'Variable:0' shape=() dtype=string, numpy=b'a'"),
        (words, "'w:0' shape=(2,) dtype=string, numpy=array([b'a', b'bb'], dtype=object)"),
        (
            lambda: tf.Variable(["a"], shape=[None]).assign(["b", "c"]),
            "'Variable:0' shape=(None,) dtype=string, numpy=array([b'b', b'c'], dtype=object)",
        ),
    ],
)  # fmt: skip
def test_printed(made, text):
    assert repr(made()) == f"<tf.Variable {text}>"


def test_ops_take_them_for_their_strings():
    v, w = tf.Variable("x"), words()
    assert (v + "y").numpy() == b"xy" and bool(v == "x") and not bool(v != "x")
    assert tf.strings.join([v, "q"]).numpy() == b"xq"
    assert tf.strings.length(v).numpy() == 1
    assert tf.concat([w, ["x"]], 0).numpy().tolist() == [b"a", b"bb", b"x"]
    assert tf.gather(w, [1, 0]).numpy().tolist() == [b"bb", b"a"]
    assert tf.reshape(w, [2, 1]).shape == (2, 1)
    assert w.sparse_read([1]).numpy().tolist() == w.gather_nd([[1]]).numpy().tolist() == [b"bb"]
    assert [each.numpy() for each in w] == [b"a", b"bb"]
    assert tf.identity(v).dtype == tf.string and v.trainable
    assert tf.convert_to_tensor(w).shape == (2,)


def test_assigned():
    w = words()
    assert shown(w.assign(["c", "d"])) == [b"c", b"d"]
    assert w.assign(tf.constant(["e", "f"]), read_value=False) is None
    w[0].assign("g")
    assert shown(w) == [b"g", b"f"]
    w.scatter_update(tf.IndexedSlices(tf.constant(["h"]), [1]))
    assert shown(w) == [b"g", b"h"]
    w.scatter_nd_update([[0]], ["i"])
    assert shown(w) == [b"i", b"h"]


def test_copied():
    w = words()
    other = copy.deepcopy(w)
    w.assign(["c", "d"])
    assert shown(other) == [b"a", b"bb"]


@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        (lambda w: w.assign([1, 2]), TypeError, "Cannot convert .* dtype string"),
        (lambda w: w.assign(tf.constant([1.0, 2.0])), INVALID, "dtype string"),
        (lambda w: w.assign(["a"]), ValueError, r"shape \(2,\); it can't take a value of shape \(1,\)"),
        (lambda w: w.assign_add(["a", "b"]), INVALID, r"use `variable.assign\(variable \+ text\)`"),
        (lambda w: w.assign_sub(["a", "b"]), INVALID, "isn't defined for variables of strings"),
        (lambda w: w.scatter_add(tf.IndexedSlices(tf.constant(["a"]), [0])), INVALID, "scatter_update"),
        (lambda w: w.scatter_nd_add([[0]], ["a"]), INVALID, "use `scatter_nd_update`"),
        (lambda w: w.count_up_to(3), INVALID, "isn't defined for variables of strings"),
        (lambda w: -w, INVALID, "isn't defined for strings"),
        (lambda w: tf.Variable(1.0).assign("a"), TypeError, "Cannot convert 'a' to EagerTensor"),
        (lambda w: tf.Variable("a", dtype=tf.float32), TypeError, "dtype float32"),
        (lambda w: tf.Variable(1, dtype=tf.string), TypeError, "dtype string"),
        (lambda w: tf.Variable(["a", 1]), ValueError, "mixed types"),
    ],
)  # fmt: skip
def test_refused(call, kind, text):
    w = words()
    with pytest.raises(kind, match=text):
        call(w)
    assert shown(w) == [b"a", b"bb"]


def test_a_function_sees_each_new_value():
    v, count = tf.Variable("a"), tf.Variable(0)

    @tf.function
    def longer(x):
        count.assign_add(1)
        v.assign(v + "!")
        return tf.strings.join([v, "?"]), x + 1

    text, number = longer(tf.constant(1))
    assert text.numpy() == b"a!?" and number.numpy() == 2
    v.assign("b")
    assert longer(tf.constant(1))[0].numpy() == b"b!?"
    assert v.numpy() == b"b!" and count.numpy() == 2


@pytest.mark.parametrize(
    "use", [lambda v: v, lambda v: v.read_value(), lambda v: v.assign("b"), lambda v: v == "b"]
)
def test_every_use_in_a_function_lets_it_run_as_python(use):
    v = tf.Variable("a")
    function = tf.function(lambda: use(v))
    function()
    v.assign("c")
    np.testing.assert_array_equal(np.asarray(function()), np.asarray(use(v)))


def test_programs_that_do_not_use_them_are_compiled():
    v = tf.Variable("a")
    function = tf.function(lambda x: x + 1)
    assert function(tf.constant(1)).numpy() == 2
    assert function.get_concrete_function(tf.TensorSpec([], tf.int32)) and v.numpy() == b"a"


def test_a_function_may_keep_one():
    class Holder(tf.Module):
        v = None

        @tf.function
        def __call__(self, x):
            if self.v is None:
                self.v = tf.Variable("a")
            return x + 1

    holder = Holder()
    assert holder(tf.constant(1)).numpy() == holder(tf.constant(1)).numpy() == 2
    assert holder.variables[0].numpy() == b"a"


def test_a_compiled_program_refuses_to_assign_them():
    v = tf.Variable("a")
    with pytest.raises(TypeError, match="strings, which live on the host"):
        jax.jit(lambda x: (v.assign("b"), x)[1])(1.0)
    assert v.numpy() == b"a"


def test_a_layer_may_hold_one():
    class Named(layers.Layer):
        def __init__(self):
            super().__init__()
            self.title = tf.Variable("title")
            self.dense = layers.Dense(1)

        def call(self, x):
            return self.dense(x)

    model = Sequential([Named()])
    model.compile("sgd", "mse")
    model.fit(np.ones((2, 3), "float32"), np.ones((2, 1), "float32"), verbose=0)
    assert len(model.trainable_variables) == 2
    assert model.layers[0].title.numpy() == b"title"


def test_a_training_step_that_uses_one_says_what_to_do():
    title = tf.Variable("title")

    class Named(layers.Layer):
        def call(self, x):
            return x if title == "title" else -x

    model = Sequential([Named(), layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(TypeError, match="Do so outside of layers and training steps"):
        model.fit(np.ones((2, 3), "float32"), np.ones((2, 1), "float32"), verbose=0)


def test_checkpoints_hold_them(tmp_path: Path):
    w, v = words(), tf.Variable("x")
    path = tf.train.Checkpoint(w=w, v=v).save(str(tmp_path / "c"))
    w.assign(["", ""])
    v.assign("")
    tf.train.Checkpoint(w=w, v=v).restore(path).assert_consumed()
    assert shown(w) == [b"a", b"bb"] and v.numpy() == b"x"


def test_a_tape_is_not_disturbed():
    v, x = tf.Variable("a"), tf.Variable(2.0)
    with tf.GradientTape() as tape:
        tf.strings.upper(v)
        y = x * x
    assert [each if each is None else each.numpy() for each in tape.gradient(y, [x, v])] == [
        4.0,
        None,
    ]

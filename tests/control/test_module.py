"""`tf.Module`: what it finds."""

import pytest

import hornbeam as tf
from hornbeam import keras


class Dense(tf.Module):
    def __init__(self, name=None):
        super().__init__(name=name)
        self.w = tf.Variable(1.0, name="w")
        self.b = tf.Variable(0.0, trainable=False, name="b")
        self.more = [tf.Variable(2.0), {"a": (tf.Variable(3.0),)}]


class Net(tf.Module):
    def __init__(self):
        super().__init__()
        self.parts = [Dense(), Dense("second")]
        self.same = self.parts[0]
        self.function = lambda: 1


def test_variables_are_found_in_attributes_at_any_depth():
    net = Net()
    assert [type(each) for each in net.submodules] == [Dense, Dense]
    assert len(net.variables) == 8 and len(net.trainable_variables) == 6
    assert [v.path for v in net.non_trainable_variables] == ["b", "b"]
    assert [float(v) for v in net.parts[0].variables] == [0, 2, 3, 1]  # by name, as TensorFlow


def test_layers_in_a_module_tell_their_weights():
    class Model(tf.Module):
        def __init__(self):
            super().__init__()
            self.layer = keras.layers.Dense(2)
            self.layer.build((None, 3))

    model = Model()
    assert list(model.variables) == model.layer.variables and model.submodules == (model.layer,)


def test_modules_that_hold_each_other():
    one, two = Dense("one"), Dense("two")
    one.other, two.other = {"z": [two], "a": two}, one
    assert one.submodules == (two, one) and len(one.variables) == 8


def test_names():
    assert Net().name == "net" and Dense("second").name == "second"
    with Net().name_scope as scope:
        assert scope == "net/" and tf.Variable(1.0, name="v").path == "net/v"
    for wrong in ("a b", "1a"):
        with pytest.raises(ValueError, match="not a valid module name"):
            Dense(wrong)

    class Bare(tf.Module):
        def __init__(self):
            pass

    with pytest.raises(AttributeError, match=r"super\(\).__init__"):
        _ = Bare().name

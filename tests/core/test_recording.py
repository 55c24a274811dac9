"""Who listens at the door hears the computations of its own thread, and nobody else's."""

import threading

import numpy as np
import pytest

from hornbeam import keras
from hornbeam.core.tensor import is_traced
from hornbeam.core.variable import Variable
from tests.recorder import Record

ops = keras.ops
X = np.ones(2, "float32")


def test_an_op_that_fails_leaves_the_listeners():
    with Record() as record:
        with pytest.raises(ValueError, match="as many elements"):
            ops.reshape(X, (7,))
        ops.abs(X)
    assert len(record.calls) == 1


def test_other_threads_are_not_heard():
    with Record() as record:
        thread = threading.Thread(target=ops.abs, args=(X,))
        thread.start()
        thread.join()
    assert not record.calls


def test_what_a_body_makes_itself_is_no_argument_of_the_loop():
    v = Variable(2.0)
    with Record() as record:
        ops.map(lambda x: (x * 3.0 + 1.0) * v, X)
    (call,) = [call for call, _ in record.calls if any(box is v for box in call.boxes)]
    assert not any(map(is_traced, call.values))

"""Programs with `tf.function` do what they do under TensorFlow 2.21, whose results are recorded."""

import json

import pytest

import hornbeam as tf
from tests.control.record import FILE
from tests.control.scripts import SCRIPTS

RECORDED = json.loads(FILE.read_text())


def test_every_script_is_recorded():
    assert list(SCRIPTS) == list(RECORDED)


@pytest.mark.parametrize("name", SCRIPTS)
def test_it_does_what_tensorflow_does(name):
    assert json.loads(json.dumps(SCRIPTS[name](tf))) == RECORDED[name]

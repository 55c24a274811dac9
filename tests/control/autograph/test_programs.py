"""A compiled function does with tensors what Python does with the same values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import hornbeam as tf
from tests.control.autograph import program_classes, program_jumps, program_loops, program_names
from tests.control.autograph.program_table import CASES

assert all((program_names, program_jumps, program_classes, program_loops))  # which fill the table
# The others take a tenth of a second each.
QUICK = ["glob", "alias", "closure_after_loop", "return_nested", "loop_with_try", "loop_else2", "classes", "py_loop_return"]  # fmt: skip
NAMES = [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in CASES]


def plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return list(map(plain, value))
    value = value.numpy() if hasattr(value, "numpy") else value
    return value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value


@pytest.mark.parametrize("name", NAMES)
def test_a_compiled_function_does_what_python_does(name: str) -> None:
    fn, arguments = CASES[name]
    program = tf.function(fn)
    for each in arguments:
        assert plain(program(tf.constant(each))) == plain(fn(tf.constant(each)))

"""Control flow over tensors: eager, compiled and in TensorFlow the same, and errors where a program can't do it."""

from __future__ import annotations

import json
import traceback
from typing import Any

import jax
import pytest

import hornbeam as tf
from tests.control.autograph.record import FILE
from tests.control.autograph.tensor_cases import CASES, outcome

RECORDED = json.loads(FILE.read_text())
# TensorFlow refuses these, or goes wrong; here the compiled function does what Python does.
BETTER = [
    "nested_branches",
    "attributes",
    "closures",
    "while_with_break_and_continue",
    "while_else",
    "widens",
    "return_from_a_loop",
    "while_true",
    "break_of_a_python_loop",
    "reads_none_at_first",
    "a_test_that_assigns",
    "unpacks_rows",
    "matches",
]
# A program can't do these: what is raised here, and where Python itself would not raise.
OTHERS = {
    "undefined_in_one_branch": ["raises UnboundLocalError"] * 2,
    "none_before_while": ["raises ValueError"],
}
SAME = [name for name in CASES if name not in (*BETTER, *OTHERS)]


def compiled(name: str) -> Any:
    fn, calls = CASES[name]
    program = tf.function(fn)
    return json.loads(json.dumps([outcome(tf, program, args) for args in calls]))


def eager(name: str) -> Any:
    fn, calls = CASES[name]
    return json.loads(json.dumps([outcome(tf, fn, args) for args in calls]))


def test_every_case_is_recorded() -> None:
    assert list(CASES) == list(RECORDED)


@pytest.mark.parametrize("name", SAME)
def test_a_compiled_function_does_what_tensorflow_does(name: str) -> None:
    assert compiled(name) == RECORDED[name]


@pytest.mark.parametrize("name", BETTER)
def test_what_tensorflow_refuses_is_done_as_python_does_it(name: str) -> None:
    answers = compiled(name)
    assert answers == eager(name)
    assert answers != RECORDED[name]


@pytest.mark.parametrize("name", OTHERS)
def test_what_a_program_cannot_do(name: str) -> None:
    assert compiled(name) == OTHERS[name]


def refused(fn: Any, *args: Any) -> tuple[str, int, str]:
    """Return the error of a compiled function: its text, and the line and file that its traceback ends with."""
    with pytest.raises(Exception) as caught:
        tf.function(fn)(*args)
    frames = traceback.extract_tb(caught.value.__traceback__)
    place = [each for each in frames if each.filename == fn.__code__.co_filename][-1]
    return str(caught.value), (place.lineno or 0) - fn.__code__.co_firstlineno, place.name


def test_a_name_without_value_is_told_with_its_branch() -> None:
    def fn(x):
        if x > 0:
            y = x
        z = 1
        return y + z

    text, line, name = refused(fn, tf.constant(1))
    assert (line, name) == (4, "fn")
    first = fn.__code__.co_firstlineno + 1
    assert f"'y' where it is not associated with a value: the `if` on line {first} depends" in text
    assert "its else branch does not assign 'y'" in text


def test_a_changed_shape_is_told_with_name_line_and_shapes() -> None:
    def fn(x):
        s = tf.zeros((2, 3))
        for _ in tf.range(x):
            s = tf.concat([s, s], 0)
        return s

    text, line, name = refused(fn, tf.constant(1))
    assert (line, name) == (2, "fn")
    assert text.startswith(
        "'s' has shape (2, 3) before the loop, but shape (4, 3) after one iteration "
        f'(loop in "{__file__}", line {fn.__code__.co_firstlineno + 2})'
    )


def test_other_types_in_branches_are_told() -> None:
    def fn(x):
        return x if x > 0 else tf.cast(x, "float32")

    text, line, _ = refused(fn, tf.constant(1))
    assert line == 1
    assert "int32 in the main branch, but dtype float32 in the else branch" in text


def test_an_error_inside_of_a_branch_of_a_loop_ends_at_its_line() -> None:
    def fn(x):
        for i in tf.range(x):
            if i > 2:
                x = tf.matmul(tf.zeros((2, 3)), tf.zeros((2, 3)))
        return x

    _, line, name = refused(fn, tf.constant(1))
    assert (line, name) == (3, "fn")


def test_python_runs_once_for_each_branch_and_turn() -> None:
    log: list[str] = []

    def fn(x):
        log.append("start")
        if x > 0:
            log.append("if")
        else:
            log.append("else")
        for i in tf.range(x):
            log.append("for")
            x += i
        while x > 5:
            log.append("while")
            x -= 1
        log.append("end")
        return x

    program = tf.function(fn)
    assert [int(program(tf.constant(n))) for n in (3, 9)] == [5, 5]
    assert log == ["start", "if", "else", "for", "while", "end"]


def test_loops_over_tensors_stay_loops() -> None:
    log: list[int] = []

    def fn(x):
        for row in x:
            log.append(1)
            for _ in tf.range(100):
                log.append(2)
                row = row + 1
        return x

    tf.function(fn)(tf.zeros((50, 2)))
    assert log == [1, 2]


def test_assigned_variables_go_through_branches_and_loops() -> None:
    one, other = tf.Variable(1.0), tf.Variable(10.0)

    @tf.function
    def fn(n):
        other.assign(one)  # both have one value: a loop must not take them for the same
        for _ in tf.range(n):
            one.assign_add(2.0)
            if one > 4.0:
                one.assign_sub(other)
        return other * 1.0

    assert [float(fn(tf.constant(3))), float(one), float(other)] == [1.0, 5.0, 1.0]


def test_methods_and_called_functions_are_converted() -> None:
    class Model:
        def __init__(self) -> None:
            self.calls = 0

        @tf.function
        def __call__(self, x):
            self.calls += 1
            return self.clip(helper(x))

        def clip(self, x):
            if x > 10:
                return x * 0 + 10
            return x

    model = Model()
    assert [int(model(tf.constant(n))) for n in (3, -4, 30)] == [6, 4, 10]
    assert model.calls == 1


def helper(x):
    return x * 2 if x > 0 else -x


def test_autograph_false_leaves_python_alone() -> None:
    def fn(x):
        return x if x > 0 else -x

    with pytest.raises(TypeError, match="needs the values of a tensor"):
        tf.function(fn, autograph=False)(tf.constant(1))


def test_a_range_of_unknown_size_makes_no_program() -> None:
    @tf.function
    def fn(n):
        return tf.range(n) + 1

    assert [fn(tf.constant(n)).numpy().tolist() for n in (3, 1)] == [[1, 2, 3], [1]]


def test_a_dynamic_range_is_no_tensor_where_a_program_is_needed() -> None:
    with pytest.raises(ValueError, match="can only loop over it"):
        tf.range(1) + jax.jit(lambda n: (tf.range(n) + 1)._value)(3)


def test_a_list_cannot_collect_tensors_of_turns() -> None:
    values: list[Any] = []

    def fn(n):
        for i in tf.range(n):
            values.append(i)
        return tf.stack(values)

    with pytest.raises(
        TypeError, match=r"fn uses a tensor of shape .* outside of the function, branch or loop"
    ):
        tf.function(fn)(tf.constant(3))


def until_large(x, v):
    while x < 10.0:
        x = x * v
    return x


def at_most(x, v):
    for _ in tf.range(7):
        if x > 10.0:
            break
        x = x * v
    return x


@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize(("fn", "traces"), [(until_large, 0), (at_most, 1)])
def test_gradients_of_loops_that_end_by_a_condition(fn, traces, inside, recwarn) -> None:
    """With a bound they are programs; without one Python runs at each call, and says so once."""
    v, runs = tf.Variable(2.0), []

    def counted(x):
        runs.append(1)
        return fn(x, v)

    def slope(x):
        with tf.GradientTape() as tape:
            y = run(x)
        return y, tape.gradient(y, v)

    run = counted if inside else tf.function(counted)
    compiled = tf.function(slope) if inside else slope
    assert float(tf.function(counted)(tf.constant(1.0))) == 16
    runs.clear()
    for _ in range(3):
        assert [float(each) for each in compiled(tf.constant(1.0))] == [16, 32]
    tries = 1 if inside else 2  # without a tape, and for tapes
    assert len(runs) == tries + (0 if traces else 3)
    told = [str(each.message) for each in recwarn if "range with a known bound" in str(each.message)]  # fmt: skip
    assert len(told) == 1 - traces


def test_a_loop_may_begin_with_a_variable() -> None:
    v = tf.Variable(2.0)
    assert float(tf.function(until_large)(v, v)) == 16 and float(v) == 2

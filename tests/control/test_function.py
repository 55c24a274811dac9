"""`tf.function`: when it traces, what it keeps, what it refuses."""

import collections
import dataclasses
import gc
import threading
import traceback
import weakref

import numpy as np
import pytest

import hornbeam as tf
from hornbeam import keras
from hornbeam.core.scope import autocast
from tests.tolerances import assert_close


def counting(fn, **options):
    """Return the compiled function, and a list that grows with each trace."""
    traces = []

    def counted(*args, **kwargs):
        traces.append(1)
        return fn(*args, **kwargs)

    return tf.function(counted, **options), traces


# Keys


def test_numbers_that_are_equal_but_of_other_types_are_traced_apart():
    f, traces = counting(lambda x: type(x).__name__)
    assert [f(1), f(1.0), f(True), f(1)] == ["int", "float", "bool", "int"]
    assert len(traces) == 3
    g, traces = counting(lambda x: np.copysign(1, x).item())
    assert [float(g(0.0)), float(g(-0.0))] == [1, -1]


def test_a_tensor_an_array_and_a_number_of_numpy_share_a_program():
    f, traces = counting(lambda x: x[0] * 2)
    value = np.ones((), "int32")
    for each in (tf.constant(value), value, np.int32(1), tf.shape(tf.ones([1]))[0]):
        assert int(f([each])) == 2
    assert len(traces) == 1


def test_the_type_that_mixed_precision_reads_variables_in_counts():
    v = tf.Variable(1.0)
    f, traces = counting(lambda: v.read_value())
    with autocast("bfloat16"):
        assert f().dtype == "bfloat16"
    assert f().dtype == "float32" and len(traces) == 2


def test_programs_of_an_object_go_with_it():
    class Thing:
        pass

    f, thing = tf.function(lambda thing, x: x + 1), Thing()
    f(thing, 1.0)
    reference = weakref.ref(thing)
    assert len(f._programs.values()) == 1
    del thing
    gc.collect()
    assert reference() is None and f._programs.values() == []


def test_methods_go_with_their_objects():
    class Model:
        def __init__(self):
            self.v = tf.Variable(1.0)

        @tf.function
        def call(self, x):
            return self.v * x

    model = Model()
    assert float(model.call(tf.constant(3.0))) == 3 and model.call is model.call
    kept, variable = weakref.ref(model), weakref.ref(model.v)
    method = model.call
    del model
    gc.collect()
    assert kept() is None
    with pytest.raises(ReferenceError, match="Keep the object"):
        method(tf.constant([1.0]))
    del method
    gc.collect()
    assert variable() is None


def test_many_traces_are_told_once():
    f = tf.function(lambda x: x)
    with pytest.warns(UserWarning, match="5 out of the last 5 calls to <lambda> triggered"):
        for i in range(20):
            f(i)


# Signatures


def test_an_input_signature_makes_tensors_and_refuses_the_rest():
    f, traces = counting(lambda x: x * 2, input_signature=[tf.TensorSpec([None], "float32")])
    assert f([1, 2]).numpy().tolist() == [2, 4]
    for type_ in ("float32", "float64", "int32"):
        assert f(np.ones(2, type_)).numpy().tolist() == [2, 2] and len(traces) == 1
    for wrong in (tf.constant([1]), tf.constant(1.0), tf.constant([1.0], tf.float64)):
        with pytest.raises(TypeError, match=r"Binding inputs .*Can not cast TensorSpec"):
            f(wrong)
    fixed = tf.function(lambda x: x, input_signature=[tf.TensorSpec([2, None], "float32")])
    assert fixed(np.ones((2, 3), "float32")).shape == (2, 3)
    with pytest.raises(TypeError, match=r"Can not cast TensorSpec\(shape=\(3, 2\)"):
        fixed(np.ones((3, 2), "float32"))
    with pytest.raises(TypeError, match="too many positional"):
        f([1.0], 2)
    with pytest.raises(TypeError, match="missing a required argument"):
        f()


def test_an_input_signature_of_structures():
    spec = [{"a": tf.TensorSpec([], "int32"), "b": (tf.TensorSpec(None, "float32"),)}]
    f = tf.function(lambda pair: pair["b"][0] * 2, input_signature=spec)
    assert f({"a": 1, "b": ([1, 2],)}).numpy().tolist() == [2, 4]
    with pytest.raises(TypeError, match="Can not cast"):
        f({"a": 1})
    with pytest.raises(TypeError, match="does not fit the parameters"):
        tf.function(lambda: 1, input_signature=spec)
    with pytest.raises(TypeError, match="list or tuple"):
        tf.function(lambda x: 1, input_signature=tf.TensorSpec([], "int32"))


def test_an_input_signature_of_a_method_leaves_out_self():
    class Scale(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None], "float32"), tf.TensorSpec([], "int32")])
        def total(self, x, times):
            return tf.reduce_sum(x) * tf.cast(times, "float32")

        @tf.function(input_signature=[])
        def nothing(self):
            return tf.constant(2.0)

    scale = Scale()
    assert float(scale.total([1, 2], 3)) == float(scale.total(times=3, x=[1.0, 2.0])) == 9.0
    assert float(Scale.total(scale, [1, 2], 3)) == 9.0 and float(scale.nothing()) == 2.0
    assert float(scale.total.get_concrete_function()(tf.constant([1.0]), tf.constant(2))) == 2.0
    with pytest.raises(TypeError, match="missing a required argument: 'times'"):
        scale.total([1.0])
    with pytest.raises(TypeError, match="does not fit the parameters"):
        tf.function(input_signature=[tf.TensorSpec([], "int32")])(lambda self: 1)


def test_options_are_taken():
    for option in ("jit_compile", "reduce_retracing", "experimental_relax_shapes", "autograph"):
        assert int(tf.function(**{option: True})(lambda x: x + 1)(tf.constant(1))) == 2


# Concrete functions


def test_a_concrete_function_takes_its_kind_of_arguments_alone():
    power = tf.function(lambda x, n=3, *, flag=False: {"y": x**n, "n": None})
    square = power.get_concrete_function(tf.TensorSpec([None, 1], "float32", name="base"), 2)
    for result in (square(tf.constant([[3.0]])), square(x=[[3]], n=2), square(base=[[3.0]])):
        assert result["y"].numpy().tolist() == [[9]] and result["n"] is None
    assert square.structured_outputs == {"y": tf.TensorSpec([None, 1], "float32"), "n": None}
    spec = tf.TensorSpec([None, 1], "float32", name="base")
    assert square.structured_input_signature == ((spec, 2), {"flag": False})
    assert square.inputs == [spec] and square.outputs == [tf.TensorSpec([None, 1], "float32")]
    assert "base" in repr(square) and square.name == "<lambda>"
    wrong = [((), {}), (([1.0],), {}), ((tf.constant([[1]]),), {}), (([[1.0]], 3), {}), (([[1.0]],), {"m": 1})]  # fmt: skip
    for args, kwargs in wrong:
        with pytest.raises(TypeError, match=r"missing|does not fit|takes"):
            square(*args, **kwargs)


def test_a_concrete_function_is_the_program_of_the_function():
    v = tf.Variable(2.0)
    f, traces = counting(lambda x: v * x)
    concrete = f.get_concrete_function(tf.TensorSpec([2], "float32"))
    assert concrete.variables == (v,) and concrete.trainable_variables == (v,)
    assert f(tf.ones([2])).numpy().tolist() == concrete(tf.ones([2])).numpy().tolist() == [2, 2]
    assert len(traces) == 1
    g = tf.function(lambda x: x + 1, input_signature=[tf.TensorSpec([], "int32")])
    assert int(g.get_concrete_function()(1)) == 2


# Shapes that depend on values


SHAPES = {
    "unique": lambda x: tf.unique(x)[0],
    "boolean_mask": lambda x: tf.boolean_mask(x, x > 1),
    "a mask as index": lambda x: x[x > 1],
    "where": lambda x: tf.where(x > 1),
    "zeros": lambda x: tf.zeros([x[0]]),
    "reshape": lambda x: tf.reshape(tf.zeros([3]), [x[0], 1]),
    "range": lambda x: tf.range(x[0]),
    "repeat": lambda x: tf.repeat(x, x),
    "a slice": lambda x: x[: x[1]],
    "one_hot": lambda x: tf.one_hot(x, x[0]),
    "random": lambda x: tf.random.uniform([x[0]]) * 0,
}


@pytest.mark.parametrize("name", SHAPES)
def test_shapes_that_depend_on_values_let_python_run_at_each_call(name):
    x = tf.constant([3, 1, 3])
    f, traces = counting(SHAPES[name], autograph=False)
    expected = SHAPES[name](x).numpy().tolist()
    assert f(x).numpy().tolist() == f(x).numpy().tolist() == expected
    assert len(traces) == 3  # tried once, then run twice


def test_a_function_that_runs_on_the_host_has_no_concrete_one():
    with pytest.raises(ValueError, match="shape of a result"):
        tf.function(lambda x: tf.unique(x)[0]).get_concrete_function(tf.TensorSpec([3], "int32"))


# Strings


def test_strings_among_the_arguments_let_python_run_at_each_call():
    f, traces = counting(lambda s, x: (tf.strings.join([s, "!"]), x + 1), autograph=False)
    for text in (tf.constant("a"), np.array("b", object), np.str_("c")):
        joined, number = f(text, tf.constant(1))
        assert joined.numpy() == (text.numpy() if isinstance(text, tf.Tensor) else str(text).encode()) + b"!"  # fmt: skip
        assert int(number) == 2
    assert len(traces) == 3
    with pytest.raises(ValueError, match="strings live on the host"):
        f.get_concrete_function(tf.TensorSpec([], tf.string), 1)


def test_python_texts_count_by_value():
    f, traces = counting(lambda mode, x: x + 1 if mode == "up" else x - 1)
    assert [int(f(mode, tf.constant(1))) for mode in ("up", "down", "up")] == [2, 0, 2]
    assert len(traces) == 2


def test_strings_that_a_function_makes_or_closes_over():
    texts = tf.constant(["a", "b"])
    f = tf.function(lambda x: (texts, tf.strings.length(tf.constant("abc")) + x))
    for _ in range(2):
        same, length = f(tf.constant(1))
        assert same.numpy().tolist() == [b"a", b"b"] and int(length) == 4
    assert tf.function(lambda i: texts[i])(tf.constant(1)).numpy() == b"b"


def test_an_input_signature_of_strings():
    f = tf.function(lambda s: s + "b", input_signature=[tf.TensorSpec([], tf.string)])
    assert [f(each).numpy() for each in ("a", tf.constant("c"))] == [b"ab", b"cb"]
    with pytest.raises(TypeError, match="Can not cast 1 to"):
        f(1)


def test_lists_of_tensors_beside_a_tensor_stay_in_the_program():
    f, traces = counting(lambda x: ([x, x] * x, [x[0], 1, 2] * x))
    for _ in range(2):
        doubled, mixed = f(tf.constant([1, 2, 3]))
        assert doubled.numpy().tolist() == [[1, 4, 9]] * 2 and mixed.numpy().tolist() == [1, 2, 6]
    assert len(traces) == 1


# Results


def test_the_order_of_dicts_and_their_classes_come_back():
    Pair = collections.namedtuple("Pair", "a b")
    made = collections.OrderedDict

    @tf.function
    def f(x):
        return {"z": x, "a": made(y=x, b=1), "p": Pair(x, 2), "o": "text", "s": {1}}

    result = f(tf.constant(1))
    assert list(result) == ["z", "a", "p", "o", "s"] and type(result["a"]) is made
    assert list(result["a"]) == ["y", "b"] and int(result["p"].b) == 2
    assert isinstance(result["a"]["b"], tf.Tensor)
    assert result["o"] == "text" and result["s"] == {1}


def test_dataclasses_come_back_and_generators_are_refused():
    @dataclasses.dataclass(frozen=True)
    class Out:
        y: object
        name: str

    f, traces = counting(lambda x: [Out(x * 2, "double")])
    for i in (1, 2):
        (result,) = f(tf.constant(i))
        assert type(result) is Out and int(result.y) == 2 * i and result.name == "double"
    assert len(traces) == 1

    @tf.function
    def yields(x):
        yield x

    with pytest.raises(TypeError, match=r"generator.*Return a list"):
        yields(tf.constant(1))


# Arguments


def test_dicts_come_in_the_order_in_which_they_were_given():
    f = tf.function(lambda d: tf.stack([*d["in"].values()]))
    inner = {"z": tf.constant(1), "a": tf.constant(2)}
    assert f({"y": [inner], "in": inner}).numpy().tolist() == [1, 2]


def test_lists_and_dicts_among_the_arguments_are_not_to_be_changed():
    def appends(x, items):
        items.append(x)

    def sets(x, *, d):
        d["x"] = d["x"] + x

    x = tf.constant(1)
    with pytest.raises(ValueError, match=r"appends should not modify .*modified: items"):
        tf.function(appends)(x, [x])
    with pytest.raises(ValueError, match=r"sets should not modify .*modified: d"):
        tf.function(sets)(x, d={"x": x})


def test_nothing_of_the_trace_is_kept():
    """Neither the arrays that it was traced with nor what it computed."""
    f = tf.function(lambda x: {"y": x * 2, "x": x})
    x = tf.constant(np.ones(3, "float32"))
    reference = weakref.ref(x)
    f(x)
    del x
    gc.collect()
    assert reference() is None


def test_large_constants_are_arguments_of_the_program():
    large = tf.constant(np.arange(5000.0, dtype="float32"))
    f = tf.function(lambda x: tf.reduce_sum(large * x))
    assert float(f(tf.constant(1.0))) == 5000 * 4999 / 2
    (program,) = f._programs.values()
    (arguments,) = program._run.args
    assert [each.shape for each in arguments] == [(5000,)]


# Variables


def test_first_values_that_depend_on_the_arguments():
    made = []

    @tf.function
    def f(x):
        if not made:
            made.append(tf.Variable(x * 2 + tf.ones([2])))
        return made[0].assign_add(x)

    assert f(tf.constant([1.0, 2.0])).numpy().tolist() == [4, 7]
    assert f(tf.constant([1.0, 2.0])).numpy().tolist() == [5, 9]


def test_layers_are_built_on_the_first_call():
    layer = keras.layers.Dense(2, kernel_initializer="ones")
    f, traces = counting(layer)
    assert f(tf.ones([1, 3])).numpy().tolist() == [[3, 3]] and len(traces) == 2
    layer.kernel.assign(tf.zeros([3, 2]))
    assert f(tf.ones([1, 3])).numpy().tolist() == [[0, 0]] and len(traces) == 2


def test_random_numbers_differ_from_call_to_call():
    f, traces = counting(lambda: tf.random.uniform([3]))
    first, second = f().numpy(), f().numpy()
    assert (first != second).all() and len(traces) == 1


def test_a_variable_made_on_each_call_is_named():
    f = tf.function(lambda x: tf.Variable(1.0, name="again") * x)
    with pytest.raises(ValueError, match=r"singleton tf.Variables.*<lambda> makes 'again'"):
        f(tf.constant(1.0))


def line_of(error):
    """The last line of this file in a traceback."""
    return [e.line for e in traceback.extract_tb(error.__traceback__) if e.filename == __file__][-1]


def test_variables_made_too_late_or_each_time_are_told_at_their_line():
    @tf.function
    def each_time(x):
        v = tf.Variable(1.0)  # here
        return v * x

    @tf.function
    def late(x, kept):
        return kept[0] * x if kept else tf.Variable(2.0) * x  # late

    late(1.0, [1.0])
    for call, text, where in (
        (lambda: each_time(1.0), "each_time makes .* on every call", "# here"),
        (lambda: late(1.0, []), "late makes .* it was called before", "# late"),
    ):
        with pytest.raises(ValueError, match=text) as raised:
            call()
        assert line_of(raised.value).endswith(where)


def test_a_trace_that_fails_leaves_no_tracer_in_what_it_made():
    made, is_wrong = [], True

    @tf.function
    def f(x):
        if not made:
            made.append(tf.Variable(x * 2, name="half"))
        if is_wrong:
            raise LookupError
        return made[0] * x

    with pytest.raises(LookupError):
        f(tf.constant(1.0))
    for use in (lambda: made[0] + 1, lambda: f(tf.constant(1.0)), lambda: repr(made[0])):
        is_wrong = False
        with pytest.raises(RuntimeError, match=r"'half' has no value: it was made by f, which"):
            use()
    made[0].assign(3.0)
    assert float(f(tf.constant(2.0))) == 6
    made.clear()
    with pytest.raises(ValueError, match="it was called before"):
        f(tf.constant([1.0]))


def test_a_first_trace_that_fails_does_not_count():
    made = []

    @tf.function
    def f(x):
        y = x + tf.ones([2])
        if not made:
            made.append(tf.Variable(1.0))
        return y * made[0]

    with pytest.raises(ValueError):
        f(tf.ones([3]))
    assert f(tf.ones([2])).numpy().tolist() == [2, 2]


def test_a_tensor_of_a_finished_trace_names_the_function_and_its_file():
    kept, v = [], tf.Variable(1.0)

    @tf.function
    def keeps(x):
        kept.append(x * 2)
        return x

    def other(x):
        return x * kept[0]

    keeps(tf.constant(1.0))
    same = tf.function(lambda x: x)
    for use in (
        *(lambda x: x + 1, lambda x: x.numpy(), float, bool, np.sum, v.assign, same),
        *(lambda x: tf.cond(x > 0, lambda: 1, lambda: 2), tf.convert_to_tensor([1]).__add__),
    ):
        with pytest.raises(TypeError, match=r"'keeps' \(.*test_function.py:\d+\) .*Return it"):
            use(kept[0])
    with pytest.raises(TypeError, match=r"other uses a tensor .*Return it from the function"):
        tf.function(other)(tf.constant(1.0))


def test_values_that_python_needs_are_errors_and_never_constants():
    v = tf.Variable(1.0)
    for use in (float, bool, int, np.asarray, lambda x: x.numpy(), lambda x: 1 if x > 0 else 2):
        for value in (lambda x: x, lambda x: v, lambda x: v * x):
            with pytest.raises((RuntimeError, TypeError), match=r"not known|symbolic|compiled"):
                tf.function(lambda x, use=use, value=value: use(value(x)) and x, autograph=False)(tf.constant(1.0))  # fmt: skip


def test_a_lost_value_is_told():
    gone = tf.Variable(1.0, name="gone")
    f = tf.function(lambda x: gone * x)
    f(tf.constant(1.0))
    gone._value.delete()
    with pytest.raises(RuntimeError, match=r"'gone', which has lost its value.*`assign`"):
        f(tf.constant(1.0))
    gone.assign(5.0)
    assert float(f(tf.constant(1.0))) == 5


def test_an_array_given_to_a_function_outlives_training():
    """What a function assigned may be held by whoever called it."""
    layer = keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")
    model = keras.Sequential([layer])
    model.compile("sgd", "mse")
    model.build((None, 1))
    x = tf.constant([[2.0]])
    result = tf.function(lambda x: layer.kernel.assign(x))(x)
    model.fit(np.ones((4, 1)), np.ones(4), verbose=0)
    assert np.asarray(result).tolist() == np.asarray(x).tolist() == [[2.0]]


# Tapes


def test_a_tape_over_a_call_sees_one_computation():
    v, x = tf.Variable(3.0), tf.constant(2.0)
    f = tf.function(lambda x: {"y": v * x * x, "n": 1})
    for _ in range(2):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = f(x)["y"] * x
        assert [float(g) for g in tape.gradient(y, [x, v])] == [36, 8]


def test_a_tape_in_a_function_goes_through_branches_and_loops():
    v = tf.Variable(3.0)

    def fn(x, n):
        with tf.GradientTape() as tape:
            y = tf.cond(x > 0, lambda: v * x, lambda: v * v)
            z = tf.map_fn(lambda e: e * v, tf.stack([x, x]))
            w = tf.foldl(lambda a, b: a * b * v, z)
            s = tf.switch_case(n, [lambda: v, lambda: v * v * x])
            out = y + w + s
        return tape.gradient(out, v)

    x, n = tf.constant(2.0), tf.constant(1)
    assert float(tf.function(fn)(x, n)) == float(fn(x, n)) == 2 + 108 + 12


def test_a_training_step_by_hand():
    def losses(compile):
        keras.utils.set_random_seed(1)
        model = keras.Sequential([keras.layers.Dense(4), keras.layers.BatchNormalization(), keras.layers.Dense(1)])  # fmt: skip
        optimizer, mean = keras.optimizers.Adam(0.1), keras.metrics.Mean()
        x = np.arange(12, dtype="float32").reshape(4, 3) / 12

        def step(x):
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean((model(x, training=True) - 1.0) ** 2)
            gradients = tape.gradient(loss, model.trainable_variables)
            optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
            mean.update_state(loss)
            return loss

        run = tf.function(step) if compile else step
        return [float(run(tf.constant(x))) for _ in range(3)] + [float(mean.result())]

    assert_close(losses(True), losses(False))


# Threads


def test_two_threads_trace_once_and_lose_no_assignment():
    count, start = tf.Variable(0), threading.Barrier(4)
    f, traces = counting(lambda: count.assign_add(1))

    def run():
        start.wait()
        for _ in range(50):
            f()

    threads = [threading.Thread(target=run) for _ in range(4)]
    [each.start() for each in threads], [each.join() for each in threads]
    assert int(count) == 200 and len(traces) == 1


def test_a_trace_belongs_to_its_thread():
    inside, leave, seen = threading.Event(), threading.Event(), []

    @tf.function
    def f(x):
        inside.set()
        leave.wait()
        return x

    thread = threading.Thread(target=lambda: f(tf.constant(1)))
    thread.start()
    inside.wait()
    v = tf.Variable(1.0)
    seen += [tf.executing_eagerly(), float(v.assign_add(1.0))]
    leave.set()
    thread.join()
    assert seen == [True, 2.0]


# Memory


def test_functions_are_collected():
    def make():
        v = tf.Variable(1.0)

        @tf.function
        def f(x):
            return v * x

        f(tf.constant(1.0))
        return weakref.ref(f), weakref.ref(v)

    references = [make() for _ in range(2)]
    gc.collect()
    assert all(each() is None for pair in references for each in pair)


def test_a_setting_that_a_function_reads_traces_it_again():
    traced = []

    @tf.function
    def f(x):
        traced.append(tf.keras.config.epsilon())
        return x + tf.keras.config.epsilon()

    before = tf.keras.config.epsilon()
    try:
        f(tf.constant(1.0))
        tf.keras.config.set_epsilon(0.5)
        assert float(f(tf.constant(1.0))) == 1.5
    finally:
        tf.keras.config.set_epsilon(before)
    assert traced == [before, 0.5]

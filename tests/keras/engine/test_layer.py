"""The layer base, seen through layers that users write."""

import threading

import jax
import numpy as np
import pytest

from hornbeam import keras
from hornbeam.core import scope
from hornbeam.core.rng import SeedGenerator, draw_key
from hornbeam.core.tensor import Tensor, unwrap
from hornbeam.keras import regularizers
from hornbeam.keras.engine.input_layer import Input
from hornbeam.keras.engine.input_spec import InputSpec
from hornbeam.keras.engine.layer import Layer
from tests.tolerances import assert_close


class Affine(Layer):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape):
        self.kernel = self.add_weight((input_shape[-1], self.units), name="kernel")
        self.bias = self.add_weight((self.units,), initializer="zeros", name="bias")
        self.input_spec = InputSpec(min_ndim=2, axes={-1: input_shape[-1]})

    def call(self, inputs):
        return inputs @ self.kernel + self.bias


class Counter(Layer):
    """Counts its calls in training; counts stay when it is frozen or not."""

    def build(self, input_shape):
        self.count = self.add_weight((), "zeros", dtype="int32", trainable=False, name="count")

    def call(self, inputs, training=False):
        if training:
            self.count.assign(self.count + 1)
        return inputs


class Block(Layer):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.layers_of_block = [Affine(units), Affine(units)]
        self.extra = {"counter": Counter()}
        self.seeds = SeedGenerator(1)

    def call(self, inputs, training=None):
        for layer in self.layers_of_block:
            inputs = layer(inputs)
        return self.extra["counter"](inputs)


def test_weights_in_order_with_paths():
    block = Block(3, name="block")
    block(np.ones((2, 4)))
    assert [v.path.partition("/")[2].rpartition("/")[2] for v in block.weights] == [
        *("kernel", "bias", "kernel", "bias", "count")
    ]
    assert all(v.path.startswith("block/") for v in block.weights)
    assert len(block.trainable_weights) == 4 and len(block.non_trainable_weights) == 1
    assert len(block.variables) == 6  # and the state of the seed generator
    assert block.count_params() == 4 * 3 + 3 + 3 * 3 + 3 + 1


def test_building_twice_makes_no_second_weights():
    layer = Affine(2)
    layer.build((None, 3))
    layer(np.ones((1, 3)))
    assert layer.built and len(layer.weights) == 2
    with pytest.raises(ValueError, match=r"'\w+' \(Affine\) is built already"):
        layer.build((None, 4))
    assert len(layer.weights) == 2 and layer(np.ones((1, 3))).shape == (1, 2)


def test_a_build_may_call_that_of_its_class_late():
    class Late(Affine):
        def build(self, input_shape):
            self.built = True
            super().build(input_shape)

    assert len(Late(2)(np.ones((1, 3))).shape) == 2


def test_a_failed_build_can_be_tried_again():
    class Fussy(Affine):
        def build(self, input_shape):
            super().build(input_shape)
            if input_shape[-1] != 3:
                raise ValueError("three, please")

    layer = Fussy(2)
    with pytest.raises(ValueError, match="three"):
        layer.build((None, 4))
    assert not layer.weights


def test_freezing():
    block = Block(3)
    block(np.ones((2, 4)))
    block.trainable = False
    assert not block.trainable_weights and len(block.non_trainable_weights) == 5
    block.trainable = True
    block.layers_of_block[0].trainable = False
    assert [v is block.layers_of_block[1].kernel for v in block.trainable_weights] == [True, False]


def test_training_reaches_inner_layers():
    block = Block(3)
    x = np.ones((2, 4))
    block(x)
    block(x, training=True)
    block(x, training=True)
    assert int(block.extra["counter"].count) == 2


def test_set_weights_is_all_or_nothing():
    layer = Affine(2)
    layer.build((None, 3))
    before = layer.get_weights()
    with pytest.raises(ValueError, match=r"'.*bias'.*\(2,\).*\(5,\)"):
        layer.set_weights([np.zeros((3, 2)), np.zeros(5)])
    with pytest.raises(ValueError, match="has 2 weights, received 1"):
        layer.set_weights([np.zeros((3, 2))])
    for a, b in zip(before, layer.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    layer.set_weights([np.ones((3, 2)), np.ones(2)])
    assert_close(layer(np.ones((1, 3))), np.full((1, 2), 4.0))


def test_config_comes_from_the_signature():
    layer = Affine(2, name="a", dtype="mixed_bfloat16", trainable=False)
    config = layer.get_config()
    again = Affine.from_config(config)
    assert again.get_config() == config
    assert (again.units, again.name, again.compute_dtype, again.trainable) == (
        2,
        "a",
        "bfloat16",
        False,
    )


def test_config_of_a_layer_that_stores_nothing_is_what_it_was_given():
    class Careless(Layer):
        def __init__(self, size, scale=2.0):
            super().__init__()

        def call(self, x):
            return x

    assert Careless(3).get_config()["size"] == 3
    assert Careless(3, scale=5.0).get_config()["scale"] == 5.0
    frozen = Careless(3)
    frozen.trainable = False
    again = Careless.from_config(frozen.get_config())
    assert not again.trainable and again.name == frozen.name


def test_mixed_precision_computes_in_16_bits_and_keeps_32():
    layer = Affine(2, dtype="mixed_bfloat16")
    out = layer(np.ones((1, 3), "float32"))
    assert out.dtype == "bfloat16" and layer.kernel.dtype == "float32"


def test_losses_of_calls_and_of_weights():
    class Costly(Layer):
        def build(self, input_shape):
            self.w = self.add_weight((2,), "ones", regularizer=regularizers.L2(0.5), name="w")

        def call(self, x):
            self.add_loss(3.0)
            return x

    class Outer(Layer):
        def __init__(self):
            super().__init__()
            self.inner = Costly()

        def call(self, x):
            return self.inner(x)

    outer = Outer()
    outer(np.ones((1, 2)))
    outer(np.ones((1, 2)))
    assert [float(x) for x in outer.losses] == [3.0, 1.0]
    assert [float(x) for x in outer.inner.losses] == [3.0, 1.0]


def test_activity_regularizer():
    """The penalty is the mean over the batch, and that of the last call."""
    layer = Affine(2, activity_regularizer=regularizers.L2(1.0))
    for rows in (1, 4):
        outputs = layer(np.ones((rows, 3)))
        (loss,) = layer.losses
        assert_close(loss, (outputs.numpy()[0] ** 2).sum())


def masked(values):
    x = keras.ops.convert_to_tensor(values)
    x._keras_mask = Tensor(np.array([[True, True, False]] * 2))
    return x


def test_masks_go_through_layers_that_support_them():
    class Pass(Layer):
        def __init__(self):
            super().__init__()
            self.supports_masking = True

        def call(self, x, mask=None):
            self.seen = mask
            return x + 1

    x, layer = masked(np.ones((2, 3), "float32")), Pass()
    out = layer(x)
    assert layer.seen is x._keras_mask and out._keras_mask is x._keras_mask
    explicit = Tensor(np.array([[False, True, False]] * 2))
    assert layer(x, mask=explicit)._keras_mask is explicit


def test_stateless_call_is_pure():
    layer = Counter()
    layer.build((None, 2))

    @jax.jit
    def step(state, x):
        out, new = layer.stateless_call([], state, x, training=True)
        return unwrap(out), new

    _, (state,) = step([unwrap(layer.count)], np.ones((1, 2)))
    _, (state,) = step([state], np.ones((1, 2)))
    assert int(state) == 2 and int(layer.count) == 0


def test_seeds_advance_in_compiled_calls():
    class Noise(Layer):
        def __init__(self):
            super().__init__()
            self.seeds = SeedGenerator(3)

        def call(self, x):
            return x + Tensor(jax.random.normal(draw_key(self.seeds), x.shape))

    layer = Noise()
    run = jax.jit(scope.pure(lambda x: layer(x), layer.variables))
    a, state = run([v.read_raw() for v in layer.variables], np.zeros((1, 2)))
    b, _ = run(state, np.zeros((1, 2)))
    assert (np.asarray(a) != np.asarray(b)).any()


def test_several_arguments_get_their_shapes():
    class Pair(Layer):
        def build(self, query_shape, value_shape):
            self.shapes = (query_shape, value_shape)

        def call(self, query, value):
            return query + value[..., :1]

    layer = Pair()
    layer(np.ones((2, 3)), value=np.ones((2, 5)))
    assert layer.shapes == ((2, 3), (2, 5))


def test_compute_output_shape_builds_and_keeps_the_unknown():
    assert Affine(7).compute_output_shape((None, 3)) == (None, 7)
    assert Block(5).compute_output_shape((None, 3)) == (None, 5)


def test_inner_layers_built_while_tracing_know_no_batch_size():
    class Shy(Layer):
        def build(self, input_shape):
            self.seen = input_shape

        def call(self, x):
            return x

    class Outer(Layer):
        def __init__(self):
            super().__init__()
            self.inner = Shy()

        def call(self, x):
            return self.inner(x)

    outer = Outer()
    outer(Input((4,)))
    assert outer.inner.seen == (None, 4)


def test_first_calls_from_many_threads_build_once():
    block, x = Block(4), np.ones((2, 3))
    barrier, outputs = threading.Barrier(8), []

    def run():
        barrier.wait()
        outputs.append(block(x).numpy())

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(block.weights) == 5 and len(outputs) == 8
    for each in outputs:
        np.testing.assert_array_equal(each, outputs[0])


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda: Affine(2, unit=3), ValueError, "Did you mean 'units'"),
        (lambda: Affine(2, name=3), TypeError, "name of a layer must be a string"),
        (lambda: Affine(2, name="a/b"), ValueError, "slash"),
        (lambda: Affine(2, dtype="float31"), ValueError, "Did you mean 'float32'"),
        (lambda: Affine(2)(np.ones(3)), ValueError, r"'affine.*at least 2 axes, received 1"),
        (lambda: Affine(2)(), TypeError, "missing a required argument"),
        (lambda: Affine(2).count_params(), ValueError, "no weights yet"),
        (lambda: Affine(2).stateless_call([], [], np.ones((1, 3))), ValueError, "must be built"),
        (lambda: Affine(2).unitz, AttributeError, "Did you mean 'units'"),
        (lambda: Affine(2).output, AttributeError, "no symbolic output"),
        (lambda: Layer()(np.ones(2)), NotImplementedError, "no `call`"),
    ],
)
def test_errors_say_what_to_do(make, error, text):
    with pytest.raises(error, match=text):
        make()


def test_a_wrong_feature_size_names_the_layer_and_the_shapes():
    layer = Affine(2, name="head")
    layer(np.ones((1, 3)))
    with pytest.raises(
        ValueError, match=r"'head' \(Affine\) expected size 3 on axis -1.*received 4.*\(1, 4\)"
    ):
        layer(np.ones((1, 4)))


def test_forgetting_super_init_is_explained():
    class Forgetful(Layer):
        def __init__(self):
            self.inner = Affine(1)

    with pytest.raises(RuntimeError, match=r"super\(\).__init__\(\)"):
        Forgetful()(np.ones((1, 2)))


def test_errors_in_call_are_told_where_they_happened():
    class Broken(Layer):
        def call(self, x):
            raise KeyError("oops")

    class Outer(Layer):
        def __init__(self):
            super().__init__()
            self.inner = Broken(name="mine")

        def call(self, x):
            return self.inner(x)

    with pytest.raises(KeyError) as caught:
        Outer()(np.ones((1, 2)))
    assert caught.value.__notes__ == ["In the layer 'mine' (Broken), called with x: (1, 2)."]


def test_a_model_is_a_layer_by_a_short_line_of_classes():
    line = [cls.__name__ for cls in keras.Sequential.__mro__]
    assert line == ["Sequential", "Model", "Trainer", "Layer", "Configurable", "object"]


def test_numbers_of_numpy_are_tensors_in_a_call():
    class Twice(keras.layers.Layer):
        def call(self, inputs, by):
            return inputs * by, type(by)

    _, kind = Twice()(np.ones(2), np.float64(2))
    assert kind is type(keras.ops.ones(2))


def test_a_thread_waits_for_a_build_that_says_too_early_that_it_is_done():
    errors = []

    class Scale(Layer):
        def build(self, input_shape):
            super().build(input_shape)  # sets `built`
            other = threading.Thread(target=call)
            other.start()
            other.join(0.2)  # time to fail in
            self.scale = self.add_weight(shape=(), initializer="ones", name="scale")
            self.other = other

        def call(self, inputs):
            return inputs * self.scale

    layer = Scale()

    def call():
        try:
            layer(np.ones(2))
        except Exception as error:
            errors.append(error)

    layer(np.ones(2))
    layer.other.join()
    assert not errors and len(layer.weights) == 1


def test_an_error_under_mixed_precision_ends_it():
    class Broken(Layer):
        def call(self, x):
            raise ValueError("not today")

    variable = keras.Variable(1.0)
    with pytest.raises(ValueError, match="not today"):
        Broken(dtype="mixed_bfloat16")(np.ones((1, 2)))
    assert variable.value.dtype == "float32"


def test_without_autocast_weights_and_inputs_stay_as_they_are():
    class Seeing(Affine):
        def call(self, x):
            return x, self.kernel.value

    layer = Seeing(2, dtype="mixed_bfloat16", autocast=False)
    assert [each.dtype for each in layer(np.ones((1, 3), "float32"))] == ["float32"] * 2


def test_the_default_of_training_counts_where_nobody_says():
    class Eager(Layer):
        def __init__(self):
            super().__init__()
            self.inner = Counter()

        def call(self, x, training=True):
            self.seen = training
            return self.inner(x)

    layer = Eager()
    layer(np.ones((1, 2)))
    assert layer.seen is True and int(layer.inner.count) == 1
    layer(np.ones((1, 2)), training=False)
    assert layer.seen is False and int(layer.inner.count) == 1


def test_a_symbolic_call_changes_no_state():
    counter = Counter()
    counter(Input((2,)), training=True)
    assert int(counter.count) == 0


def test_masks_end_at_layers_that_do_not_support_them():
    x = masked(np.ones((2, 3), "float32"))
    assert Affine(2)(x)._keras_mask is None


def test_a_mask_that_a_layer_sets_itself_is_kept():
    own = Tensor(np.array([[True, False]] * 2))

    class Setting(Layer):
        def __init__(self):
            super().__init__()
            self.supports_masking = True

        def call(self, x):
            y = x[:, :2]
            y._keras_mask = own
            return y

    assert Setting()(masked(np.ones((2, 3), "float32")))._keras_mask is own


def test_an_input_that_is_cast_keeps_its_mask():
    class Seeing(Layer):
        def call(self, x, mask=None):
            self.seen = mask
            return x

    x, layer = masked(np.ones((2, 3), "float32")), Seeing(dtype="mixed_bfloat16")
    assert layer(x).dtype == "bfloat16" and layer.seen is x._keras_mask


def test_losses_of_a_compiled_call_do_not_stay():
    class Costly(Layer):
        def call(self, x):
            self.add_loss(keras.ops.sum(x))
            return x

    layer = Costly()
    layer(np.ones((1, 2)))
    assert [float(each) for each in layer.losses] == [2.0]
    jax.jit(lambda x: unwrap(layer(x)))(np.ones((1, 2)))
    assert layer.losses == []


def test_frozen_weights_are_not_penalised():
    layer = Affine(2)
    layer.build((None, 3))
    layer.kernel.regularizer = regularizers.L2(0.5)
    assert len(layer.losses) == 1
    layer.trainable = False
    assert layer.losses == []


def test_what_is_thawed_inside_a_frozen_layer_stays_frozen():
    block = Block(3)
    block(np.ones((2, 4)))
    block.trainable = False
    block.layers_of_block[0].trainable = True
    assert not block.trainable_weights and len(block.layers_of_block[0].trainable_weights) == 2


def test_weights_that_train_come_first():
    class Late(Layer):
        def build(self, input_shape):
            self.count = self.add_weight((), "zeros", trainable=False, name="count")
            self.scale = self.add_weight((), "ones", name="scale")

    layer = Late()
    layer.build((None, 2))
    assert [v.name for v in layer.weights] == ["scale", "count"]


def test_layers_in_a_set_are_found():
    class Held(Layer):
        def __init__(self):
            super().__init__()
            self.inner = {Affine(2)}

    layer = Held()
    next(iter(layer.inner)).build((None, 3))
    assert len(layer.weights) == 2


def test_what_a_stateless_call_adds_stays_out_of_the_call_around_it():
    class Costly(Layer):
        def call(self, x):
            self.add_loss(3.0)
            return x

    class Outer(Layer):
        def __init__(self):
            super().__init__()
            self.inner = Costly()

        def call(self, x):
            outputs, _, self.seen = self.inner.stateless_call([], [], x, return_losses=True)
            return outputs

    outer = Outer()
    outer.inner.build((None, 2))
    outer(np.ones((1, 2)))
    assert outer.seen == [3.0] and outer.losses == []


def test_a_size_that_is_not_known_yet_is_no_wrong_size():
    class Five(Layer):
        def __init__(self):
            super().__init__()
            self.input_spec = InputSpec(axes={1: 5})

        def call(self, x):
            return x

    assert Five()(Input((None, 2))).shape == (None, None, 2)
    with pytest.raises(ValueError, match="size 5 on axis 1"):
        Five()(Input((4, 2)))


def test_weights_in_a_store_must_be_as_many():
    layer = Affine(2)
    layer.build((None, 3))
    with pytest.raises(ValueError, match="has 2 weights, the file holds 1"):
        layer.load_own_variables({"0": np.zeros((3, 2))})


def test_first_values_of_weights():
    kernel, bias = np.full((3, 2), 2.0), np.ones(2)
    layer = Affine(2, weights=[kernel, bias])
    assert_close(layer(np.ones((1, 3))), np.full((1, 2), 7.0))


class _MakesWeightsInCall(Layer):
    def call(self, inputs):
        return inputs * self.add_weight(shape=(), initializer="ones")


@pytest.mark.parametrize(
    "inputs", [np.ones((1, 2), "float32"), keras.Input((2,))], ids=["value", "symbol"]
)
def test_weights_made_in_call_are_refused(inputs):
    layer = _MakesWeightsInCall()
    with pytest.raises(
        ValueError, match=r"makes a weight in its `call`.*build\(self, input_shape\)"
    ):
        layer(inputs)
    assert layer.weights == []


def test_a_layer_may_get_weights_outside_of_calls():
    class Scaled(keras.Model):
        def __init__(self):
            inputs = keras.Input((2,))
            super().__init__(inputs, keras.layers.Dense(1)(inputs))
            self.scale = self.add_weight(shape=(), initializer="ones")

    assert len(Scaled().weights) == 3


@pytest.mark.parametrize(
    ("policy", "types"),
    [
        ("mixed_bfloat16", ("bfloat16", "float32")),
        ("float16", ("float16", "float16")),
        (np.dtype("float16"), ("float16", "float16")),
        (keras.DTypePolicy("mixed_float16"), ("float16", "float32")),
        (
            {"class_name": "DTypePolicy", "config": {"name": "mixed_float16"}},
            ("float16", "float32"),
        ),
        (None, ("float32", "float32")),
    ],
)
def test_a_policy_is_set_in_any_spelling(policy, types):
    layer, model = keras.layers.Dense(2), keras.Sequential([keras.layers.Dense(2)])
    for each in (layer, model):
        each.dtype_policy = policy
        assert (each.compute_dtype, each.variable_dtype) == types
    assert layer(np.ones((1, 2))).dtype == types[0]
    with pytest.raises(ValueError, match="nonsense"):
        layer.dtype_policy = "nonsense"
    assert (layer.compute_dtype, layer.variable_dtype) == types


def test_a_penalty_of_outputs_is_set_by_its_name():
    layer = keras.layers.Dense(2, kernel_initializer="ones")
    layer.activity_regularizer = "l2"
    layer(np.ones((1, 2), "float32"))
    assert len(layer.losses) == 1

"""Attention layers: what they refuse, what dropout does, and where they go further than Keras."""

from __future__ import annotations

import numpy as np
import pytest

from hornbeam import keras
from hornbeam.keras import layers
from tests.tolerances import assert_close

RNG = np.random.default_rng(0)
X = RNG.normal(size=(2, 5, 8)).astype("float32")
Y = RNG.normal(size=(2, 7, 8)).astype("float32")
SPACE = RNG.normal(size=(2, 3, 4, 8)).astype("float32")


def heads(**more):
    return layers.MultiHeadAttention(2, 3, **more)


REFUSED = [
    (lambda: layers.MultiHeadAttention(0, 3), "`num_heads` is an integer of at least 1"),
    (lambda: heads(dropout=2), "`dropout` is a number from 0 to 1"),
    (lambda: heads(sliding_window=0), "`sliding_window` is an integer of at least 1"),
    (lambda: heads(output_shape=7.5), "`output_shape` is an integer or several; received 7.5"),
    (lambda: heads(flash_attention=True, dropout=0.1), "can't be combined with dropout=0.1"),
    (
        lambda: heads(flash_attention=True)(X, X, return_attention_scores=True),
        "there are no attention scores to return",
    ),
    (lambda: heads(attention_axes=0)(X, X), "`attention_axes` are axes between"),
    (lambda: heads(attention_axes=(1, 1))(X, X), "`attention_axes` are axes between"),
    (lambda: heads(sliding_window=2)(SPACE, SPACE), "`sliding_window` needs an order in time"),
    (lambda: heads()(SPACE, SPACE, use_causal_mask=True), "`use_causal_mask` needs an order in"),
    (lambda: heads()(X, Y, Y[:, :3]), "needs values and keys of the same shape"),
    (lambda: heads()(X, SPACE), "takes a query and values of as many axes"),
    (lambda: heads()(X, Y, attention_mask=np.ones(7, bool)), "`attention_mask` has the shape"),
    (lambda: heads()(X, Y, value_mask=np.ones(7, bool)), "A mask has the axes of its tensor"),
    (lambda: layers.GroupQueryAttention(3, 4, 3), "is a multiple of `num_key_value_heads`"),
    (lambda: layers.Attention(score_mode="cat"), "Unknown score_mode: 'cat'"),
    (lambda: layers.Attention()(X), "is called on a list [query, value]"),
    (lambda: layers.Attention()([X]), "is called on a list [query, value]"),
    (lambda: layers.Attention()([X, Y], mask=X), "takes as `mask` a list"),
    (lambda: layers.Attention()([X, Y], mask=[None]), "takes as `mask` a list"),
    (lambda: layers.EinsumDense("ab,bc", 3), '`equation` has the form "ab,bc->ac"'),
    (lambda: layers.EinsumDense("...b,bc->c", 3), '`equation` has the form "ab,bc->ac"'),
    (lambda: layers.EinsumDense("ab,bc->ad", 3), "The axis 'c' of the kernel appears nowhere"),
    (lambda: layers.EinsumDense("ab,bc->ac", 3, bias_axes="z"), "`bias_axes` are letters of"),
    (lambda: layers.EinsumDense("abc,cd->abd", 3)(X), "of size 5 in the input"),
    (
        lambda: layers.EinsumDense("abc,cd->abd", (None, None))(X),
        "needs to know the size of axis 'd'",
    ),
]


@pytest.mark.parametrize(("make", "message"), REFUSED, ids=[text for _, text in REFUSED])
def test_refused(make, message):
    with pytest.raises(ValueError) as caught:
        make()
    assert message in str(caught.value)


@pytest.mark.parametrize("name", ["lora_rank", "quantization_config"])
def test_not_supported(name):
    with pytest.raises(NotImplementedError, match=name):
        layers.EinsumDense("ab,bc->ac", 3, **{name: 4})


@pytest.mark.parametrize("concat", [False, True])
def test_dropout_of_scores(concat):
    def outputs(seed, training=True):
        if concat:
            layer = layers.Attention(score_mode="concat", dropout=0.5, seed=seed)
            return layer([X, Y], training=training).numpy()
        layer = heads(dropout=0.5, seed=seed, kernel_initializer="ones")
        return layer(X, Y, training=training).numpy()

    assert_close(outputs(1), outputs(1))
    assert np.abs(outputs(1) - outputs(2)).max() > 1e-3
    assert_close(outputs(1, training=False), outputs(2, training=False))


def test_projections_start_out_different():
    layer = heads(kernel_initializer=keras.initializers.GlorotUniform())
    layer.build(X.shape, X.shape)
    assert np.abs(layer.query_dense.kernel.numpy() - layer.key_dense.kernel.numpy()).max() > 0.01


def test_fans_follow_the_equation():
    layer = layers.EinsumDense("abc,cde->abde", (None, 20, 30))
    layer.build((None, None, 40))
    limit = (6 / (40 + 20 * 30)) ** 0.5
    largest = np.abs(layer.kernel.numpy()).max()
    assert 0.99 * limit < largest <= limit


def test_a_given_query_mask_counts():
    """Keras takes the one attached to the query alone."""
    layer = heads()
    mask = np.array([[True, True, True, False, False]] * 2)
    _, scores = layer(X, Y, query_mask=mask, return_attention_scores=True)
    assert (scores.numpy()[:, :, 3:] == 0).all() and (scores.numpy()[:, :, :3] > 0).all()


def test_values_of_another_size_than_keys():
    layer = heads(value_dim=5)
    assert_close(layer(X, Y), layer(X, Y, return_attention_scores=True)[0])


@pytest.mark.parametrize("axis", [1, 2])
def test_one_of_two_axes(axis):
    """What happens along the other one happens for each of its places alone."""
    layer = heads(attention_axes=axis)
    mask = np.array([[True, False, True], [True, True, False]])
    if axis == 2:
        mask = np.concatenate([mask, mask[:, :1]], axis=1)
    outputs = layer(SPACE, SPACE, use_causal_mask=True, value_mask=mask).numpy()
    other = 3 - axis
    single = layers.MultiHeadAttention(2, 3)
    single.build((2, None, 8), (2, None, 8))
    single.set_weights(layer.get_weights())
    for place in range(SPACE.shape[other]):
        part = np.take(SPACE, place, axis=other)
        expected = single(part, part, use_causal_mask=True, value_mask=mask)
        assert_close(np.take(outputs, place, axis=other), expected)


def test_padding_and_causal_mask_in_a_model():
    """Tokens after the end of a text change nothing before it."""
    tokens = keras.Input((6,), dtype="int32")
    h = layers.Embedding(9, 8, mask_zero=True)(tokens)
    h = layers.MultiHeadAttention(2, 4)(h, h, use_causal_mask=True)
    model = keras.Model(tokens, layers.LayerNormalization()(h))
    long = np.array([[3, 1, 4, 1, 5, 2]])
    short = np.array([[3, 1, 4, 0, 0, 0]])
    assert_close(model(long).numpy()[:, :3], model(short).numpy()[:, :3])
    assert_close(model.predict(short, verbose=0), model(short).numpy())


def test_two_names_of_one_class():
    layer = layers.GroupQueryAttention(3, 2, 1)
    assert layer.name.startswith("grouped_query_attention")
    assert layers.serialize(layer)["class_name"] == "GroupQueryAttention"

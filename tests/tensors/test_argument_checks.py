"""Arguments that TensorFlow refuses although NumPy would make something of them."""

import numpy as np
import pytest

import hornbeam as tf

X = np.ones((2, 3), "float32")

WRONG = {
    "a fraction in a shape": (lambda: tf.ones([1.5]), r"received 1\.5 in it"),
    "a fraction as a shape": (lambda: tf.zeros(2.0), r"received 2\.0 in it"),
    "a negative size": (lambda: tf.random.normal([-2]), "not negative; received -2"),
    "several values to fill with": (
        lambda: tf.fill([2], [1, 2]),
        r"one number; received .* \(2,\)",
    ),
    "classes that are fractions": (lambda: tf.one_hot([1.0], 3), "are integers; received float64"),
    "ids that are fractions": (
        lambda: tf.nn.embedding_lookup(X, tf.constant([0.5])),
        "are integers; received float32",
    ),
    "too few multiples": (lambda: tf.tile(X, [2]), "received 1 for 2 axes"),
    "fewer than no multiples": (lambda: tf.tile(X, [2, -1]), r"multiples\[1\] >= 0, but got -1"),
    "counts of a negative number": (lambda: tf.math.bincount([1, -1]), "non-negative! It holds -1"),
    "a label that is no class": (
        lambda: tf.math.confusion_matrix([1, 5], [1, 1], num_classes=3),
        r"indices\[1\] = 5 is not in \[0, 3\) \[Op:ConfusionMatrix: labels",
    ),
    "a prediction that is no class": (
        lambda: tf.math.confusion_matrix([1, 1], [-1, 1], num_classes=3),
        r"indices\[0\] = -1 is not in \[0, 3\) \[Op:ConfusionMatrix: predictions",
    ),
    "no whole number to draw": (
        lambda: tf.random.uniform([2], 5, 5, dtype=tf.int32),
        "minval < maxval, got 5 >= 5",
    ),
    "too few paddings": (lambda: tf.pad(X, [[1, 1]]), "received 1 for 2 axes"),
    "different values of a matrix": (lambda: tf.unique(X), r"expects a 1D vector; .*\(2, 3\)"),
    "steps of zero": (lambda: tf.range(0, 5, 0), "delta != 0"),
    "an axis that is a fraction": (lambda: tf.reduce_mean(X, axis=0.5), r"received 0\.5"),
    "an axis that is a name": (lambda: tf.reduce_sum(X, axis="rows"), "received 'rows'"),
    "another structure in a scan": (
        lambda: tf.scan(lambda a, x: (a, x), tf.constant([1.0, 2.0])),
        r"begins with, float32\[\]; it returned \(float32\[\], float32\[\]\)",
    ),
    "another structure in a scan of a program": (
        lambda: tf.function(lambda x: tf.scan(lambda a, b: (a, b), x))(tf.constant([1.0, 2.0])),
        r"begins with, float32\[\]; it returned \(float32\[\], float32\[\]\)",
    ),
    "several conditions": (
        lambda: tf.cond(tf.constant([True, False]), lambda: 1, lambda: 2),
        r"Expected one boolean as pred, received .* \(2,\). Reduce it",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_refused_says_what_came(case):
    call, text = WRONG[case]
    with pytest.raises(ValueError, match=text):
        call()


def test_what_is_near_is_taken():
    assert tf.zeros(np.int64(2)).shape == tf.ones(tf.constant([2])).shape == (2,)
    assert tf.one_hot([], 3).shape == (0, 3)
    assert tf.tile(tf.constant(1), []).shape == tf.random.shuffle(tf.constant(1)).shape == ()

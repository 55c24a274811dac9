"""The drawn digits: shaped like MNIST, the same for the same seed, varied, and learnable but not trivially so."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from hornbeam.keras.datasets import digits


@pytest.fixture(scope="module")
def drawn():
    return digits.load_data(num_train=6000, num_test=2000)


def test_shapes_and_types_are_those_of_mnist(drawn):
    (x_train, y_train), (x_test, y_test) = drawn
    assert (x_train.shape, y_train.shape) == ((6000, 28, 28), (6000,))
    assert (x_test.shape, y_test.shape) == ((2000, 28, 28), (2000,))
    assert {each.dtype for each in (x_train, y_train, x_test, y_test)} == {np.dtype("uint8")}


def test_a_seed_draws_the_same_bytes_on_every_machine():
    (x_train, y_train), (x_test, y_test) = digits.load_data(num_train=2000, num_test=700)
    found = hashlib.sha256(b"".join(each.tobytes() for each in (x_train, y_train, x_test, y_test)))
    assert found.hexdigest() == "33bc227704314e2879c9d4829751a253cf92348f12158404296dc87a72b099cd"


def test_fewer_pictures_are_the_first_of_more(drawn):
    (x_train, y_train), (x_test, y_test) = digits.load_data(num_train=701, num_test=3)
    (more_x, more_y), (more_x_test, more_y_test) = drawn
    np.testing.assert_array_equal(x_train, more_x[:701])
    np.testing.assert_array_equal(y_train, more_y[:701])
    np.testing.assert_array_equal(x_test, more_x_test[:3])
    np.testing.assert_array_equal(y_test, more_y_test[:3])


def test_seeds_differ_and_no_picture_is_drawn_twice(drawn):
    (x_train, _), (x_test, _) = drawn
    (other, _), _ = digits.load_data(seed=1, num_train=1000, num_test=0)
    pictures = np.concatenate([x_train, x_test, other]).reshape(-1, 28 * 28)
    assert len({picture.tobytes() for picture in pictures}) == len(pictures)


def test_labels_are_balanced(drawn):
    (_, labels), _ = drawn
    counts = np.bincount(labels, minlength=10)
    # 6 standard deviations of a binomial with p = 1/10
    assert np.abs(counts - len(labels) / 10).max() < 6 * np.sqrt(len(labels) * 0.1 * 0.9)


def test_ink_lies_in_the_middle_as_in_mnist(drawn):
    (pictures, _), _ = drawn
    ink = pictures.astype(float)
    total = ink.sum(axis=(1, 2))
    place = np.arange(28)
    for centre in (ink.sum(axis=1) @ place / total, ink.sum(axis=2) @ place / total):
        assert abs(centre.mean() - 13.5) < 0.1
        assert np.abs(centre - 13.5).max() < 2
    assert 0.1 < (pictures > 0).mean() < 0.3  # MNIST: 0.19
    assert pictures.max(axis=(1, 2)).min() > 150
    assert pictures[:, :2].mean() < 1


def test_a_linear_model_learns_most_but_not_all(drawn):
    """A least-squares classifier reaches 0.89 on the whole set, on real MNIST 0.86."""
    (x_train, y_train), (x_test, y_test) = drawn

    def features(pictures):
        flat = pictures.reshape(len(pictures), -1) / 255
        return np.concatenate([flat, np.ones((len(flat), 1))], axis=1)

    a = features(x_train)
    weights = np.linalg.solve(a.T @ a + 30 * np.eye(a.shape[1]), a.T @ np.eye(10)[y_train])
    accuracy = (np.argmax(features(x_test) @ weights, axis=1) == y_test).mean()
    assert 0.8 < accuracy < 0.95


def test_none_may_be_asked_for():
    (x_train, y_train), (x_test, _) = digits.load_data(num_train=0, num_test=0)
    assert x_train.shape == (0, 28, 28) and y_train.shape == (0,) and x_test.shape == (0, 28, 28)


@pytest.mark.parametrize("name", ["seed", "num_train", "num_test"])
def test_wrong_arguments_are_named(name):
    with pytest.raises(ValueError, match=f"{name} must be at least 0, got -1"):
        digits.load_data(**{"num_train": 1, "num_test": 1, name: -1})
    with pytest.raises(TypeError, match=f"{name} must be a whole number, got 1.5"):
        digits.load_data(**{"num_train": 1, "num_test": 1, name: 1.5})


def test_numpy_numbers_and_great_seeds_are_seeds():
    (small, _), _ = digits.load_data(seed=np.int64(3), num_train=2, num_test=0)
    (great, _), _ = digits.load_data(seed=3 + 2**64, num_train=2, num_test=0)
    assert not np.array_equal(small, great)

"""Candidates for losses over very many classes: some classes drawn in place of all.

They are drawn on the host, with NumPy, since the number of tries that different classes take depends on the draws: not inside
a compiled program.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from hornbeam.core.rng import global_generator, numpy_generator
from hornbeam.core.tensor import convert_to_tensor, unwrap
from hornbeam.core.typing import NumpyArray, TensorLike


class Candidates(NamedTuple):
    """The classes drawn, and how often each true class, and each class drawn, was to be expected among them."""

    sampled_candidates: Any
    true_expected_count: Any
    sampled_expected_count: Any


def _draw(
    true_classes: TensorLike,
    chances: NumpyArray,
    count: int,
    unique: bool,
    seed: int | None,
) -> Candidates:
    known = int(np.count_nonzero(chances))
    if unique and count > known:
        raise ValueError(
            f"{count} different classes can't be drawn from {known}: take a smaller `num_sampled` or unique=False."
        )
    draw = numpy_generator(global_generator() if seed is None else seed)
    edges = np.cumsum(chances)
    chosen: list[int] = []
    seen: set[int] = set()
    tries = 0
    while len(chosen) < count:
        found = int(np.searchsorted(edges, draw.random() * edges[-1], "right"))
        tries += 1
        if unique and found in seen:
            continue
        seen.add(found)
        chosen.append(found)
    chances = chances / edges[-1]

    def expected(classes: NumpyArray) -> Any:
        p = chances[classes]
        values = -np.expm1(tries * np.log1p(-np.minimum(p, 1 - 1e-12))) if unique else p * count
        return convert_to_tensor(values.astype("float32"))

    sampled = np.array(chosen, "int64")
    truth = np.asarray(unwrap(convert_to_tensor(true_classes))).astype("int64")
    return Candidates(convert_to_tensor(sampled, "int64"), expected(truth), expected(sampled))


def uniform_candidate_sampler(
    true_classes: TensorLike,
    num_true: int,
    num_sampled: int,
    unique: bool,
    range_max: int,
    seed: int | None = None,
    name: str | None = None,
) -> Candidates:
    """Draw `num_sampled` of the classes below `range_max`, each with the same probability.

    >>> import hornbeam as tf
    >>> found = tf.random.uniform_candidate_sampler([[1]], 1, 2, True, 5, seed=1)
    >>> found.sampled_candidates.shape
    TensorShape([2])
    """
    return _draw(true_classes, np.ones(range_max), num_sampled, unique, seed)


def learned_unigram_candidate_sampler(
    true_classes: TensorLike,
    num_true: int,
    num_sampled: int,
    unique: bool,
    range_max: int,
    seed: int | None = None,
    name: str | None = None,
) -> Candidates:
    """Draw as `uniform_candidate_sampler`: what is learned is kept by no call, as in TensorFlow's eager mode."""
    return _draw(true_classes, np.ones(range_max), num_sampled, unique, seed)


def log_uniform_candidate_sampler(
    true_classes: TensorLike,
    num_true: int,
    num_sampled: int,
    unique: bool,
    range_max: int,
    seed: int | None = None,
    name: str | None = None,
) -> Candidates:
    """Draw classes below `range_max` with the probabilities log((k + 2) / (k + 1)): Zipf's law, the most frequent first.

    >>> import hornbeam as tf
    >>> found = tf.random.log_uniform_candidate_sampler([[1]], 1, 3, True, 10, seed=1)
    >>> len(set(found.sampled_candidates.numpy().tolist()))
    3
    """
    k = np.arange(range_max)
    return _draw(true_classes, np.log((k + 2) / (k + 1)), num_sampled, unique, seed)


def fixed_unigram_candidate_sampler(
    true_classes: TensorLike,
    num_true: int,
    num_sampled: int,
    unique: bool,
    range_max: int,
    vocab_file: str = "",
    distortion: float = 1.0,
    num_reserved_ids: int = 0,
    num_shards: int = 1,
    shard: int = 0,
    unigrams: Sequence[float] = (),
    seed: int | None = None,
    name: str | None = None,
) -> Candidates:
    """Draw classes with probabilities in proportion to given counts, raised to the power `distortion`.

    The counts are `unigrams`, or the last column of the lines of `vocab_file`; `num_reserved_ids` classes before them are
    never drawn. Of several shards each draws only its own classes.
    """
    if bool(vocab_file) == bool(len(unigrams)):
        raise ValueError("Give one of `vocab_file` and `unigrams`.")
    if vocab_file:
        lines = Path(vocab_file).read_text().split("\n")
        unigrams = [float(line.rsplit(",", 1)[-1]) for line in lines if line.strip()]
    chances = np.array([0.0] * num_reserved_ids + list(unigrams)) ** distortion
    chances[:num_reserved_ids] = 0
    if len(chances) != range_max:
        raise ValueError(
            f"There are counts for {len(chances)} classes, the reserved ones included, but range_max={range_max}."
        )
    chances[np.arange(range_max) % num_shards != shard] = 0
    return _draw(true_classes, chances, num_sampled, unique, seed)


def all_candidate_sampler(
    true_classes: TensorLike,
    num_true: int,
    num_sampled: int,
    unique: bool,
    seed: int | None = None,
    name: str | None = None,
) -> Candidates:
    """Return all classes below `num_sampled` as candidates, for tests of what samples."""
    shape = np.shape(unwrap(convert_to_tensor(true_classes)))
    return Candidates(
        convert_to_tensor(np.arange(num_sampled), "int64"),
        convert_to_tensor(np.ones(shape, "float32")),
        convert_to_tensor(np.ones(num_sampled, "float32")),
    )

"""`tf.random`: generators with states, stateless draws, seeds made of seeds, candidates."""

import numpy as np
import pytest

import hornbeam as tf
from tests.tolerances import assert_close


def values(generator):
    return generator.uniform([3]).numpy().tolist()


def test_a_generator_goes_on_from_a_state():
    first = tf.random.Generator.from_seed(5)
    values(first)
    copies = [
        tf.random.Generator(copy_from=first),
        tf.random.Generator.from_state(first.state, "threefry"),
        tf.random.Generator.from_key_counter(int(first.key), [1, 0], "threefry"),
        tf.random.Generator.from_state([1, 0, 5], "philox"),  # TensorFlow's order: counter, key
    ]
    reset = tf.random.Generator.from_seed(6)
    reset.reset(first.state)
    skipped = tf.random.Generator.from_seed(5)
    skipped.skip(1)
    expected = values(first)
    assert [values(each) for each in [*copies, reset, skipped]] == [expected] * 6
    first.reset_from_seed(5)
    assert values(first) == values(tf.random.Generator.from_seed(5)) != expected


def test_a_generator_needs_one_beginning():
    with pytest.raises(ValueError, match="copy_from"):
        tf.random.Generator()
    with pytest.raises(ValueError, match="two or three words"):
        tf.random.Generator.from_state([1], "philox")


def test_split_generators_and_seeds_differ():
    generator = tf.random.Generator.from_seed(1)
    streams = [values(each) for each in [*generator.split(3), generator]]
    assert len({tuple(each) for each in streams}) == 4
    seeds = generator.make_seeds(4).numpy()
    assert seeds.shape == (2, 4) and len(set(seeds[0])) == 4 and not seeds[1].any()
    rows = [tuple(each) for each in tf.random.split([1, 2], 4).numpy()]
    assert len({*rows, (1, 2), tuple(tf.random.fold_in([1, 2], 0).numpy())}) == 6
    folded = [tf.random.fold_in([1, 2], n).numpy().tolist() for n in (7, 7, 8)]
    assert folded[0] == folded[1] != folded[2]


def test_the_global_generator_is_shared():
    mine = tf.random.Generator.from_seed(3)
    before = tf.random.get_global_generator()
    tf.random.set_global_generator(mine)
    assert tf.random.experimental.get_global_generator() is mine
    tf.random.set_global_generator(before)


STATELESS = [
    lambda seed: tf.random.stateless_normal([4], seed),
    lambda seed: tf.random.stateless_uniform([4], seed, None, None, tf.int32),
    lambda seed: tf.random.stateless_gamma([3, 2], seed, [1.0, 2.0]),
    lambda seed: tf.random.stateless_poisson([8], seed, 40.0),
    lambda seed: tf.random.stateless_binomial([8], seed, 100.0, 0.5),
    lambda seed: tf.random.stateless_categorical([[0.0] * 9], 9, seed),
    lambda seed: tf.random.stateless_parameterized_truncated_normal([4], seed, 1.0, 2.0, 0.0, 9.0),
    lambda seed: tf.random.experimental.stateless_shuffle(tf.range(9), seed),
]


@pytest.mark.parametrize("draw", STATELESS)
def test_stateless_draws_follow_their_seed(draw):
    first, again, other = (draw(seed).numpy().tolist() for seed in ([1, 2], [1, 2], [1, 3]))
    assert first == again != other


def test_draws_stay_within_limits_and_have_the_right_mean():
    found = tf.random.stateless_parameterized_truncated_normal(
        [4000], [1, 2], 1.0, 2.0, 0.0, 1.5
    ).numpy()
    assert found.min() >= 0 and found.max() <= 1.5
    counts = tf.random.Generator.from_seed(1).binomial([4000, 2], [10.0, 20.0], 0.5).numpy()
    assert np.all(np.abs(counts.mean(0) - [5, 10]) < 0.2)
    assert tf.random.Generator.from_seed(1).uniform_full_int([2], tf.uint8).dtype == "uint8"


def test_shapes_end_with_those_of_the_parameters():
    with pytest.raises(ValueError, match="has to end with"):
        tf.random.stateless_gamma([3], [1, 2], [1.0, 2.0])
    order = [int(tf.random.experimental.index_shuffle(i, [1, 2, 3], 4)) for i in range(5)]
    assert sorted(order) == list(range(5))


def test_candidates_that_are_all_different():
    found = tf.random.log_uniform_candidate_sampler([[1, 2]], 2, 4, True, 10, seed=1)
    sampled = found.sampled_candidates.numpy()
    assert len(set(sampled)) == 4 and sampled.max() < 10
    chances = np.log((np.arange(10) + 2) / (np.arange(10) + 1)) / np.log(11)
    # 1 - (1 - p)^n, for the same number of tries n everywhere.
    tries = np.log1p(-found.true_expected_count.numpy()) / np.log1p(-chances[[[1, 2]]])
    assert_close(tries, np.full((1, 2), np.round(tries[0, 0])))
    expected = -np.expm1(np.round(tries[0, 0]) * np.log1p(-chances[sampled]))
    assert_close(found.sampled_expected_count, expected.astype("float32"))
    with pytest.raises(ValueError, match="5 different classes"):
        tf.random.uniform_candidate_sampler([[1]], 1, 5, True, 4)


def test_candidates_that_may_repeat():
    found = tf.random.fixed_unigram_candidate_sampler(
        [[1, 3]], 2, 50, False, 4, num_reserved_ids=1, distortion=0.5, unigrams=[1.0, 4.0, 9.0]
    )
    assert set(found.sampled_candidates.numpy()) <= {1, 2, 3}
    assert_close(found.true_expected_count, np.array([[50 / 6, 50 / 2]], "float32"))
    everything = tf.random.all_candidate_sampler([[0]], 1, 3, True)
    assert everything.sampled_candidates.numpy().tolist() == [0, 1, 2]


def test_counts_of_a_vocabulary_file(tmp_path):
    (tmp_path / "words.csv").write_text("a,1\nb,0\nc,1\n")
    found = tf.random.fixed_unigram_candidate_sampler(
        [[0]], 1, 2, True, 3, vocab_file=str(tmp_path / "words.csv")
    )
    assert sorted(found.sampled_candidates.numpy()) == [0, 2]

"""Checkpoints of variables, lists and dicts: restored at once and later, and refused whole where they do not fit."""

import contextlib
import gc
import os
import subprocess
import sys
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest

import hornbeam as tf
from hornbeam.core import changes
from hornbeam.train.bundle import data_file, index_file
from tests.files.tensorflow.make import TYPES
from tests.train.test_bundle import write

MADE = Path(__file__).parents[1] / "files/tensorflow"


@pytest.fixture(autouse=True)
def nothing_waits():
    yield
    changes.waiting.clear()


def zeros(**shapes):
    return {name: tf.Variable(np.zeros(shape, "float32")) for name, shape in shapes.items()}


def test_variables_lists_and_dicts(tmp_path):
    def objects(k):
        shared = tf.Variable(1.0 * k)
        return {
            "a": tf.Variable([1.0 * k, 2.0]),
            "b": [tf.Variable(3 * k), {"x/y.z": tf.Variable(True), "no": 5}, "text", shared],
            "c": (shared, []),
        }

    one, two = objects(1), objects(5)
    path = tf.train.Checkpoint(**one).save(tmp_path / "new" / "ckpt")
    assert path == str(tmp_path / "new/ckpt-1")
    assert [name.partition("/.ATT")[0] for name, _ in tf.train.list_variables(path)] == [
        "_CHECKPOINTABLE_OBJECT_GRAPH",
        "a",
        "b/0",
        "b/1/x.Sy..z",
        "b/3",
        "save_counter",
    ]
    checkpoint = tf.train.Checkpoint(**two)
    checkpoint.restore(path).assert_consumed()
    np.testing.assert_array_equal(two["a"].numpy(), [1, 2])
    assert (two["b"][0].numpy(), two["b"][3].numpy(), checkpoint.save_counter.numpy()) == (3, 1, 1)
    assert checkpoint.save(tmp_path / "new" / "ckpt") == str(tmp_path / "new/ckpt-2")
    assert tf.train.latest_checkpoint(tmp_path / "new") == str(tmp_path / "new/ckpt-2")


def test_modules(tmp_path):
    class Dense(tf.Module):
        def __init__(self, value):
            super().__init__(name="own")
            self.b, self.size = tf.Variable([value]), 3
            self.w = None

        def build(self, value):
            self.w = tf.Variable([[value]])

    class Net(tf.Module):
        def __init__(self, value):
            super().__init__()
            self.dense, self.extra = Dense(value), {"a": [Dense(value + 1)]}

    one, two = Net(1.0), Net(5.0)
    one.dense.build(7.0)
    path = tf.train.Checkpoint(net=one).save(tmp_path / "ckpt")
    assert [name.partition("/.ATT")[0] for name, _ in tf.train.list_variables(path)] == [
        "_CHECKPOINTABLE_OBJECT_GRAPH",
        "net/dense/b",
        "net/dense/w",
        "net/extra/a/0/b",
        "save_counter",
    ]
    tf.train.Checkpoint(net=two).restore(path)
    assert two.dense.b.numpy() == [1.0] and two.extra["a"][0].b.numpy() == [2.0]
    two.dense.build(0.0)  # a module that makes its variables at its first call
    assert two.dense.w.numpy() == [[7.0]]


def test_every_type_that_tensorflow_wrote():
    """64-bit numbers come into the 32 bits that variables have here."""
    types = [name for name in TYPES if name != "complex128"]
    variables = {name: tf.Variable(tf.zeros((2, 3), name)) for name in types}
    variables |= {"step": tf.Variable(0), "empty": tf.Variable(np.zeros((0, 3)))}
    checkpoint = tf.train.Checkpoint(**variables)
    checkpoint.read(MADE / "types").expect_partial().assert_existing_objects_matched()
    for name in types:
        dtype = np.dtype(getattr(ml_dtypes, name, name))
        np.testing.assert_array_equal(
            variables[name].numpy(), np.arange(6).reshape(2, 3).astype(dtype)
        )
    assert variables["step"].numpy() == 7
    with pytest.raises(
        AssertionError, match=r"3 values .* found no variable: complex128, text, texts"
    ):
        checkpoint.read(MADE / "types").assert_consumed()


def test_types_are_written_as_tensorflow_has_them(tmp_path):
    """What asks for 64 bits is kept in 32 here, and would be refused by TensorFlow if it were written so."""
    path = tf.train.Checkpoint(
        a=tf.Variable(1, dtype="int64"),
        b=tf.Variable(np.zeros(2)),
        c=tf.Variable(3),
        d=tf.Variable(0.5),
        e=tf.Variable([1.0], dtype="bfloat16"),
        f=tf.Variable(np.int64(3)),
    ).save(tmp_path / "ckpt")
    types = tf.train.load_checkpoint(path).get_variable_to_dtype_map()
    found = {name.partition("/")[0]: dtype.name for name, dtype in types.items()}
    assert found == {
        "_CHECKPOINTABLE_OBJECT_GRAPH": "string",
        "a": "int64",
        "b": "float64",
        "c": "int32",
        "d": "float32",
        "e": "bfloat16",
        "f": "int64",
        "save_counter": "int64",
    }


def test_variables_that_come_later(tmp_path):
    values = {"a": tf.Variable(1.0), "b": {"c": tf.Variable(2.0)}, "d": [tf.Variable(3.0)]}
    path = tf.train.Checkpoint(**values).write(tmp_path / "ckpt")
    later = tf.train.Checkpoint(b={}, d=[])
    status = later.read(path)
    with pytest.raises(AssertionError, match=r"3 values .*: a, b\.c, d\.0"):
        status.assert_consumed()
    later.a = tf.Variable(0.0)
    assert later.a.numpy() == 1
    later.b["c"] = tf.Variable(0.0)
    later.d.append(tf.Variable(0.0))
    status.assert_consumed()
    assert (later.b["c"].numpy(), later.d[0].numpy()) == (2, 3)
    assert not changes.waiting


def test_values_that_wait_outlive_their_files(tmp_path):
    """The file is open: a later save under the same name is another file."""
    path = tf.train.Checkpoint(a=tf.Variable(1.0)).write(tmp_path / "ckpt")
    later = tf.train.Checkpoint()
    later.read(path)
    tf.train.Checkpoint(a=tf.Variable(2.0)).write(tmp_path / "ckpt")
    later.a = tf.Variable(0.0)
    assert later.a.numpy() == 1


def test_values_that_wait_outlive_files_that_are_removed(tmp_path):
    """All data files are open, not only the one with the object graph."""
    for path in MADE.glob("parts.*"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    later = tf.train.Checkpoint()
    later.read(tmp_path / "parts").expect_partial()
    for path in tmp_path.iterdir():
        path.unlink()
    later.matrix = tf.Variable(np.zeros((100, 2), "float32"))
    np.testing.assert_array_equal(later.matrix.numpy()[:, 0], np.arange(0, 200, 2))


def test_what_was_not_restored_is_told_when_nothing_can_hold_it_any_more(tmp_path):
    """TensorFlow logs the same, for every status but one with `expect_partial`."""
    variables = {name: tf.Variable(1.0) for name in "abc"}
    path = tf.train.Checkpoint(**variables, inner=tf.train.Checkpoint()).write(tmp_path / "ckpt")
    some = tf.train.Checkpoint(a=tf.Variable(0.0))
    status = some.read(path).assert_existing_objects_matched()
    assert len(changes.waiting) == 1
    del some
    with pytest.warns(UserWarning, match=r"2 values .*ckpt were not restored, .* names: b, c\. If"):
        del status
        gc.collect()
    assert not changes.waiting


def test_nothing_is_told_while_something_can_still_hold_it(tmp_path):
    inner = tf.train.Checkpoint(a=tf.Variable(1.0))
    path = tf.train.Checkpoint(inner=inner, x=tf.Variable(2.0)).write(tmp_path / "ckpt")
    later = tf.train.Checkpoint()
    tf.train.Checkpoint(inner=later).read(path).expect_partial()
    gc.collect()  # what could have held `x` is gone
    later.a = tf.Variable(0.0)
    assert later.a.numpy() == 1.0
    del later
    gc.collect()
    assert not changes.waiting


@pytest.mark.parametrize("said", ["expect_partial", "assert_consumed", "assert_nontrivial_match"])
def test_what_is_expected_or_told_already_is_not_told(tmp_path, said):
    path = tf.train.Checkpoint(a=tf.Variable(1.0)).write(tmp_path / "ckpt")
    status = tf.train.Checkpoint().read(path)
    with contextlib.suppress(AssertionError):
        getattr(status, said)()
    del status
    gc.collect()
    assert not changes.waiting


def test_nothing_is_told_while_python_ends(tmp_path):
    code = """
import hornbeam as tf, sys
path = tf.train.Checkpoint(a=tf.Variable(1.0)).write(sys.argv[1])
kept = tf.train.Checkpoint()
status = kept.read(path)
"""
    command = [sys.executable, "-W", "error", "-c", code, str(tmp_path / "ckpt")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == ""


def test_the_newest_restoration_wins(tmp_path):
    paths = [tf.train.Checkpoint(a=tf.Variable(float(i))).write(tmp_path / f"{i}") for i in (1, 2)]
    checkpoint = tf.train.Checkpoint()
    for path in paths:
        checkpoint.read(path)
    checkpoint.a = tf.Variable(0.0)
    assert checkpoint.a.numpy() == 2


def test_a_root_of_its_own(tmp_path):
    inner = tf.train.Checkpoint(a=tf.Variable(1.0))
    path = tf.train.Checkpoint(inner, b=tf.Variable(2.0)).save(tmp_path / "ckpt")
    assert tf.train.load_checkpoint(path).has_tensor("a/.ATTRIBUTES/VARIABLE_VALUE")
    other, b = tf.train.Checkpoint(), tf.Variable(0.0)
    tf.train.Checkpoint(other, b=b).restore(path)
    other.a = tf.Variable(0.0)  # the outer checkpoint is gone
    assert (other.a.numpy(), b.numpy()) == (1, 2)


def test_statuses(tmp_path):
    path = tf.train.Checkpoint(a=tf.Variable(1.0), b=tf.Variable(2.0)).write(tmp_path / "ckpt")
    some = tf.train.Checkpoint(a=tf.Variable(0.0))
    status = some.read(path).expect_partial()
    status.assert_existing_objects_matched().assert_nontrivial_match()
    assert status.initialize_or_restore() is None and status.run_restore_ops() is None
    with pytest.raises(
        AssertionError, match=r"1 values .*ckpt found no variable: b\. Call expect_p"
    ):
        status.assert_consumed()
    more = tf.train.Checkpoint(a=tf.Variable(0.0), c=[tf.Variable(1.0)])
    with pytest.raises(AssertionError, match=r"has no value for 1 variables: c/0"):
        more.read(path).assert_existing_objects_matched()
    with pytest.raises(AssertionError, match=r"Nothing in the checkpoint .* it has a, b"):
        tf.train.Checkpoint(x=tf.Variable(0.0)).read(path).assert_nontrivial_match()
    with pytest.raises(AssertionError, match="is None"):
        some.restore(None).assert_consumed()
    # `restore` makes a counter; a checkpoint of `write` has none.
    both = tf.train.Checkpoint(a=tf.Variable(0.0), b=tf.Variable(0.0))
    both.restore(path).assert_consumed()


def test_by_name_as_tensorflow_1_wrote():
    table = tf.keras.Variable(np.zeros((7, 3)), name="table")
    status = tf.train.Checkpoint(t=table).restore(MADE / "saver")
    status.assert_consumed()
    assert table.numpy()[6, 0] == 23


def test_what_does_not_fit_changes_nothing(tmp_path):
    path = tf.train.Checkpoint(**zeros(a=3, b=(2, 2), c=1), d=tf.Variable(1)).write(tmp_path / "c")
    values = {"a": tf.Variable([1.0, 1, 1]), "b": tf.Variable([1.0]), "c": tf.Variable([1])}
    with pytest.raises(ValueError, match=r"c does not fit; no variable was changed:") as error:
        tf.train.Checkpoint(**values).read(path)
    assert "has shape (1,), in the checkpoint 'b/.ATTRIBUTES/VARIABLE_VALUE' has (2, 2)" in str(
        error.value
    )
    assert (
        "is of type int32, in the checkpoint 'c/.ATTRIBUTES/VARIABLE_VALUE' holds float32"
        in str(error.value)
    )
    assert values["a"].numpy().tolist() == [1, 1, 1]
    assert not changes.waiting


def test_what_does_not_fit_later_says_so_once(tmp_path):
    path = tf.train.Checkpoint(**zeros(a=3, b=2)).write(tmp_path / "c")
    checkpoint = tf.train.Checkpoint()
    checkpoint.read(path)
    with pytest.raises(ValueError, match=r"has shape \(4,\), in the checkpoint 'a/"):
        checkpoint.a = tf.Variable([1.0, 1, 1, 1])
    checkpoint.b = tf.Variable([1.0, 1])
    assert checkpoint.b.numpy().tolist() == [1, 1]


def test_a_damaged_value_changes_nothing(tmp_path):
    path = tf.train.Checkpoint(**zeros(a=3, b=3)).write(tmp_path / "c")
    data = bytearray(data_file(path).read_bytes())
    data[-1] ^= 1
    data_file(path).write_bytes(data)
    variables = {"a": tf.Variable([1.0, 1, 1]), "b": tf.Variable([1.0, 1, 1])}
    with pytest.raises(
        ValueError, match=r"c\.data-00000-of-00001: the tensor 'b/.* another checksum"
    ):
        tf.train.Checkpoint(**variables).read(path)
    assert variables["a"].numpy().tolist() == variables["b"].numpy().tolist() == [1, 1, 1]


def test_numbers_beyond_32_bits(tmp_path):
    big, small = tf.Variable(np.int64(5)), tf.Variable(5)
    path = tf.train.Checkpoint(big=big).write(tmp_path / "c")
    key = "big/.ATTRIBUTES/VARIABLE_VALUE"
    graph = tf.train.load_checkpoint(path).get_tensor("_CHECKPOINTABLE_OBJECT_GRAPH")
    write(tmp_path / "c", {"_CHECKPOINTABLE_OBJECT_GRAPH": graph, key: np.array(1 << 40)})
    tf.train.Checkpoint(big=big).read(path)
    assert big.dtype == "int64" and big.numpy() == 1 << 40
    with pytest.raises(ValueError, match=r"is kept as int32; 'big/.*beyond"):
        tf.train.Checkpoint(big=small).read(path)
    assert small.numpy() == 5


@pytest.mark.parametrize("value", [3, "text", np.zeros(2), object(), [3]])
def test_what_checkpoints_do_not_know(value):
    with pytest.raises(ValueError, match=r"can't hold x=.*Wrap a number in tf\.Variable"):
        tf.train.Checkpoint(x=value)
    with pytest.raises(ValueError, match=r"can't hold root="):
        tf.train.Checkpoint(value)


def test_keys_that_are_no_texts(tmp_path):
    with pytest.raises(ValueError, match=r"keys of a dict|received 3\. Use '3'"):
        tf.train.Checkpoint(x={3: tf.Variable(1)}).write(tmp_path / "c")


def test_missing_files(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no checkpoint .*none: it would be the files"):
        tf.train.Checkpoint().restore(tmp_path / "none")
    path = tf.train.Checkpoint(a=tf.Variable(1)).save(tmp_path / "ckpt")
    data_file(path).unlink()
    with pytest.raises(FileNotFoundError, match=r"ckpt-1\.data-00000-of-00001"):
        tf.train.Checkpoint(a=tf.Variable(1)).restore(path)
    with pytest.raises(ValueError, match="name of a checkpoint is missing"):
        tf.train.Checkpoint().write(f"{tmp_path}/")


def test_a_save_that_fails_is_not_counted(tmp_path):
    checkpoint = tf.train.Checkpoint(a={3: tf.Variable(1)})
    with pytest.raises(ValueError):
        checkpoint.save(tmp_path / "ckpt")
    assert checkpoint.save_counter.numpy() == 0 and not os.listdir(tmp_path)


def test_paths_of_files_and_folders(tmp_path):
    path = tf.train.Checkpoint(a=tf.Variable(4)).save(tmp_path / "ckpt")
    for place in (path, tmp_path, index_file(path), data_file(path)):
        assert tf.train.load_variable(place, "a/.ATTRIBUTES/VARIABLE_VALUE") == 4
    os.remove(tmp_path / "checkpoint")
    with pytest.raises(ValueError, match=r"has no file `checkpoint` .* Name one of: ckpt-1\."):
        tf.train.load_checkpoint(tmp_path)


def test_options():
    assert tf.train.CheckpointOptions(enable_async=True).experimental_enable_async_checkpoint
    with pytest.raises(NotImplementedError, match="without callbacks"):
        tf.train.CheckpointOptions(experimental_sharding_callback=print)

"""The checkpoints that a manager keeps, in one process and over several."""

import os

import pytest

import hornbeam as tf
from hornbeam.train import manager as manager_module


@pytest.fixture
def clock(monkeypatch):
    now = [1e9]
    monkeypatch.setattr(manager_module.time, "time", lambda: now[0])
    return now


def names(paths):
    return [os.path.basename(path) for path in paths]


def make(folder, value=0, **options):
    step = tf.Variable(value)
    checkpoint = tf.train.Checkpoint(step=step)
    return step, tf.train.CheckpointManager(checkpoint, folder, **{"max_to_keep": 2, **options})


def test_the_newest_are_kept(tmp_path):
    step, manager = make(tmp_path)
    for value in range(1, 5):
        step.assign(value * 10)
        assert manager.save() == str(tmp_path / f"ckpt-{value}") == manager.latest_checkpoint
    assert names(manager.checkpoints) == ["ckpt-3", "ckpt-4"]
    assert sorted(os.listdir(tmp_path)) == [
        "checkpoint",
        "ckpt-3.data-00000-of-00001",
        "ckpt-3.index",
        "ckpt-4.data-00000-of-00001",
        "ckpt-4.index",
    ]
    step, again = make(tmp_path)
    assert names(again.checkpoints) == ["ckpt-3", "ckpt-4"]
    assert again.restore_or_initialize() == str(tmp_path / "ckpt-4") and step.numpy() == 40
    again.save()
    assert names(again.checkpoints) == ["ckpt-4", "ckpt-5"]
    state = tf.train.get_checkpoint_state(tmp_path)
    assert names(state.all_model_checkpoint_paths) == ["ckpt-4", "ckpt-5"]
    assert len(state.all_model_checkpoint_timestamps) == 2


def test_names_and_numbers(tmp_path):
    _, manager = make(tmp_path, checkpoint_name="model", max_to_keep=None)
    manager.save(checkpoint_number=100)
    manager.save(checkpoint_number=7)
    manager.save(checkpoint_number=100)
    assert names(manager.checkpoints) == ["model-7", "model-100"]
    assert manager.checkpoint.save_counter.numpy() == 3
    assert manager.directory == str(tmp_path)


def test_one_in_so_many_hours_is_kept(tmp_path, clock):
    _, manager = make(tmp_path, max_to_keep=1, keep_checkpoint_every_n_hours=2)
    for _ in range(5):
        clock[0] += 3600
        manager.save()
    assert names(manager.checkpoints) == ["ckpt-5"]
    kept = sorted(name for name in os.listdir(tmp_path) if name.endswith(".index"))
    assert kept == ["ckpt-2.index", "ckpt-4.index", "ckpt-5.index"]
    assert tf.train.get_checkpoint_state(tmp_path).last_preserved_timestamp == 1e9 + 4 * 3600


def test_a_clock_that_goes_back(tmp_path, clock):
    _, manager = make(tmp_path)
    manager.save()
    clock[0] -= 7200
    with pytest.warns(UserWarning, match=r"clock has gone back: .* 7200 s"):
        make(tmp_path)


def test_intervals_of_steps(tmp_path):
    step, _ = make(tmp_path)
    _, manager = make(tmp_path, step_counter=step, checkpoint_interval=10)
    assert manager.checkpoint_interval == 10
    found = []
    for value in (0, 5, 10, 19, 20):
        step.assign(value)
        found.append(manager.save() is not None)
    assert found == [True, False, True, False, True]
    step.assign(21)
    assert manager.save(check_interval=False)
    with pytest.raises(ValueError, match="pass the variable that counts them"):
        make(tmp_path, checkpoint_interval=10)
    with pytest.raises(ValueError, match="positive integer or None; received 0"):
        make(tmp_path, max_to_keep=0)


def test_nothing_to_restore(tmp_path):
    called = []
    _, manager = make(tmp_path, init_fn=lambda: called.append(1))
    assert manager.restore_or_initialize() is None and called == [1]
    assert manager.latest_checkpoint is None and manager.checkpoints == []


def test_checkpoints_that_others_removed(tmp_path):
    step, manager = make(tmp_path)
    for value in (1, 2):
        step.assign(value)
        manager.save()
    os.remove(tmp_path / "ckpt-2.index")
    step, again = make(tmp_path)
    assert names(again.checkpoints) == ["ckpt-1"]
    assert again.restore_or_initialize() == str(tmp_path / "ckpt-1") and step.numpy() == 1

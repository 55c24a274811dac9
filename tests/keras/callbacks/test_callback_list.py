"""CallbackList: which hooks are called, with what, and what it tells the loop."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Mapping

import numpy as np
import pytest

from hornbeam.keras.callbacks import (
    Callback,
    CallbackList,
    EarlyStopping,
    History,
    LambdaCallback,
    ModelCheckpoint,
    ProgbarLogger,
    TerminateOnNaN,
)
from hornbeam.keras.callbacks.logs import LazyLogs
from tests.keras.callbacks.fakes import FakeModel

HOOKS = [name for name in dir(Callback) if name.startswith("on_")]


class OnDevice(Mapping):
    """Logs that count how often they are fetched."""

    def __init__(self, **values):
        self.values_, self.fetched = values, 0

    def __getitem__(self, name):
        self.fetched += 1
        return np.float32(self.values_[name])

    def __iter__(self):
        return iter(self.values_)

    def __len__(self):
        return len(self.values_)


def test_every_hook_reaches_every_callback():
    seen = []
    names = [name for name in HOOKS if name not in ("on_batch_begin", "on_batch_end")]
    record = {name: lambda *args, name=name: seen.append((name, args[0])) for name in names}
    callbacks = CallbackList([LambdaCallback(**record), LambdaCallback(**record)])
    for name in names:
        at = (3, {}) if name.startswith("on_epoch") or "_batch_" in name else ({},)
        getattr(callbacks, name)(*at)
        assert seen[-2:] == [(name, at[0])] * 2


def test_hooks_may_be_called_without_logs():
    callbacks = CallbackList([LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(logs))])
    seen = []
    callbacks.on_epoch_end(0)
    callbacks.on_train_begin()
    callbacks.on_train_batch_begin(0)
    assert seen == [{}]


def test_old_names_of_batch_hooks_work():
    seen = []

    class Old(Callback):
        def on_batch_begin(self, batch, logs=None):
            seen.append(("begin", batch))

        def on_batch_end(self, batch, logs=None):
            seen.append(("end", batch, logs["loss"]))

    callbacks = CallbackList(Old())
    assert callbacks.needs_train_batches
    callbacks.on_train_batch_begin(2)
    callbacks.on_train_batch_end(2, {"loss": 1})
    assert seen == [("begin", 2), ("end", 2, 1.0)]


def overriding(*hooks):
    return type("Some", (Callback,), {hook: lambda self, *args: None for hook in hooks})()


@pytest.mark.parametrize(
    ("callback", "needs"),
    [
        (None, (False, False, False)),
        (ProgbarLogger(), (False, False, False)),
        (EarlyStopping(), (False, False, False)),
        (overriding("on_epoch_end", "on_train_begin"), (False, False, False)),
        (overriding("on_train_batch_begin"), (True, False, False)),
        (overriding("on_batch_end"), (True, False, False)),
        (overriding("on_test_batch_end"), (False, True, False)),
        (overriding("on_predict_batch_begin"), (False, False, True)),
        (TerminateOnNaN(), (True, False, False)),
        (LambdaCallback(on_epoch_end=print), (False, False, False)),
        (LambdaCallback(on_train_batch_end=print), (True, False, False)),
        (LambdaCallback(on_batch_begin=print), (True, False, False)),
        (LambdaCallback(on_test_batch_begin=print), (False, True, False)),
        (ModelCheckpoint("a.keras"), (False, False, False)),
        (ModelCheckpoint("a.keras", save_freq=100), (True, False, False)),
    ],
)
def test_needs_batches(callback, needs):
    callbacks = CallbackList(callback, add_history=True, add_progbar=True)
    found = (
        callbacks.needs_train_batches,
        callbacks.needs_test_batches,
        callbacks.needs_predict_batches,
    )
    assert found == needs


def test_overrides_in_subclasses_of_relaxed_callbacks_count():
    class Bar(ProgbarLogger):
        def on_train_batch_end(self, batch, logs=None):
            super().on_train_batch_end(batch, logs)

    class Checkpoint(ModelCheckpoint):
        def on_train_batch_end(self, batch, logs=None):
            super().on_train_batch_end(batch, logs)

    assert CallbackList(Bar()).needs_train_batches
    assert CallbackList(Checkpoint("a.keras")).needs_train_batches


def test_defaults_are_added_once_and_last():
    mine, history, bar = Callback(), History(), ProgbarLogger()
    kinds = [
        type(each) for each in CallbackList(mine, add_history=True, add_progbar=True).callbacks
    ]
    assert kinds == [Callback, History, ProgbarLogger]
    callbacks = CallbackList([history, [bar, mine]], add_history=True, add_progbar=True)
    assert callbacks.callbacks == [history, bar, mine]
    assert callbacks.history is history
    assert CallbackList([CallbackList([mine]), bar]).callbacks == [mine, bar]
    assert CallbackList().history is None


def test_model_and_params_are_handed_on():
    model, mine, late = FakeModel(), Callback(), Callback()
    callbacks = CallbackList([mine], add_history=True, model=model, epochs=3, steps=None, verbose=0)
    callbacks.append(late)
    for each in (mine, late, callbacks):
        assert each.model is model
        assert each.params == {"epochs": 3, "steps": None, "verbose": 0}
    assert model.history is callbacks.history


def test_a_callback_without_super_init_works():
    class Careless(Callback):
        def __init__(self):
            self.epochs = 0

        def on_epoch_end(self, epoch, logs=None):
            self.epochs += 1

    callback = Careless()
    assert callback.model is None
    CallbackList(callback, model=FakeModel()).on_epoch_end(0)
    assert callback.epochs == 1


def test_classes_and_strangers_are_refused():
    with pytest.raises(
        TypeError, match=r"class `EarlyStopping` itself: write `EarlyStopping\(\.\.\.\)`"
    ):
        CallbackList([EarlyStopping])
    with pytest.raises(TypeError, match="LambdaCallback"):
        CallbackList([lambda epoch, logs: None])
    with pytest.raises(TypeError, match="Received 'early' of type str"):
        CallbackList().append("early")


def test_objects_that_only_look_like_callbacks_are_called_where_they_can():
    class Looks:
        seen = 0

        def set_model(self, model): ...
        def set_params(self, params): ...

        def on_epoch_end(self, epoch, logs=None):
            self.seen += 1

    looks = Looks()
    callbacks = CallbackList([looks], model=FakeModel())
    assert not callbacks.needs_train_batches
    callbacks.on_train_begin()
    callbacks.on_epoch_end(0)
    callbacks.close()
    assert looks.seen == 1


def test_epoch_logs_are_floats_sorted_flat_and_shared():
    seen = []

    class Adds(Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["added"] = 1.0

    callbacks = CallbackList(
        [Adds(), LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(logs))]
    )
    given = {"loss": np.float32(0.5), "accuracy": np.ones(()), "nested": {"b": 2, "a": np.ones(2)}}
    callbacks.on_epoch_end(0, given)
    (logs,) = seen
    assert list(logs) == ["accuracy", "loss", "a", "b", "added"]
    assert type(logs) is dict and type(logs["loss"]) is float and type(logs["accuracy"]) is float
    assert "added" not in given


def test_batch_logs_are_fetched_only_when_looked_at():
    logs = OnDevice(loss=0.5, accuracy=1.0)
    CallbackList([LambdaCallback(on_train_batch_end=lambda batch, logs: None)]).on_train_batch_end(
        0, logs
    )
    assert logs.fetched == 0
    seen = []
    looks = LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(logs["loss"]))
    CallbackList([looks, looks]).on_train_batch_end(0, logs)
    assert seen == [0.5, 0.5] and type(seen[0]) is float
    assert logs.fetched == 2  # both values, once


@pytest.mark.parametrize(
    "look",
    [
        dict,
        lambda logs: {**logs},
        lambda logs: (lambda **names: names)(**logs),
        lambda logs: {} | logs,
        lambda logs: logs | {},
        lambda logs: {name: logs[name] for name in logs},
        lambda logs: dict(zip(logs.keys(), logs.values(), strict=True)),
        lambda logs: dict(logs.items()),
        lambda logs: {name: logs.get(name) for name in ("accuracy", "loss")},
        lambda logs: json.loads(json.dumps(logs)),
        lambda logs: copy.copy(logs),
        lambda logs: copy.deepcopy(logs),
        lambda logs: logs.copy(),
        lambda logs: pickle.loads(pickle.dumps(logs)),
        lambda logs: eval(repr(logs)),
        lambda logs: logs if logs == {"accuracy": 1.0, "loss": 0.5} else None,
        lambda logs: {"accuracy": logs.pop("accuracy"), **logs},
        lambda logs: {"accuracy": 1.0, "loss": float("{loss:.4f}".format_map(logs))},
    ],
)
def test_lazy_logs_are_a_dict_whichever_way_they_are_read(look):
    assert look(LazyLogs(OnDevice(loss=0.5, accuracy=1.0))) == {"accuracy": 1.0, "loss": 0.5}


def test_lazy_logs_can_be_changed():
    logs = LazyLogs(OnDevice(loss=0.5))
    logs["added"] = 1.0
    assert "added" in logs and len(logs) == 2 and bool(logs)
    assert dict(logs) == {"loss": 0.5, "added": 1.0}
    assert not LazyLogs(None) and isinstance(LazyLogs(None), dict)


def test_close_reaches_all(tmp_path):
    closed = []
    mine = Callback()
    mine._close = lambda: closed.append(1)
    callbacks = CallbackList([mine])
    callbacks.close()
    assert closed == [1]


def test_all_are_closed_though_one_fails():
    class Closing(Callback):
        def __init__(self, error=None):
            super().__init__()
            self.error, self.is_closed = error, False

        def _close(self):
            self.is_closed = True
            if self.error is not None:
                raise self.error

    several = [Closing(), Closing(KeyboardInterrupt()), Closing()]
    with pytest.raises(KeyboardInterrupt):
        CallbackList(several).close()
    assert all(each.is_closed for each in several)

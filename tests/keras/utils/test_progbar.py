"""Progbar: what is on the screen after each update, with a clock that tests set."""

from __future__ import annotations

import io
import re
import sys
import types

import numpy as np
import pytest

from hornbeam.keras.utils.progbar import Progbar
from tests.tolerances import assert_close

FULL = "━" * 20


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(Progbar, "_clock", staticmethod(clock))
    return clock


class Stream(io.StringIO):
    """A standard output of a given kind that remembers its writes."""

    def __init__(self, terminal: bool, encoding: str = "utf-8"):
        super().__init__()
        self._terminal, self._encoding = terminal, encoding
        self.writes: list[str] = []

    encoding = property(lambda self: self._encoding)

    def isatty(self):
        return self._terminal

    def write(self, text):
        text.encode(self._encoding)
        self.writes.append(text)
        return super().write(text)


def use(
    monkeypatch, terminal: bool, columns: int = 200, encoding: str = "utf-8", colour: bool = False
):
    stream = Stream(terminal, encoding)
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("NO_COLOR", "" if colour else "1")
    return stream


def as_seen(text: str) -> list[str]:
    """The lines that a terminal shows after `text`: carriage returns overwrite, colours don't take room."""
    lines = []
    for line in re.sub(r"\x1b\[\d+m", "", text).split("\n"):
        shown = ""
        for part in line.split("\r"):
            shown = part + shown[len(part) :]
        lines.append(shown.rstrip())
    return lines


def run(clock, bar: Progbar, steps, seconds: float):
    for step in steps:
        clock.now += seconds
        bar.update(step, [("accuracy", 0.5), ("loss", 1.0 / step)], finalize=False)


def test_terminal_redraws_in_place_and_ends_with_a_newline(monkeypatch, clock):
    stream = use(monkeypatch, terminal=True)
    bar = Progbar(5, stateless_metrics=())
    run(clock, bar, [1, 2], 0.3)
    assert as_seen(stream.getvalue()) == [
        "2/5 ━━━━━━━━──────────── 0s 300ms/step - accuracy: 0.5000 - loss: 0.5000"
    ]
    run(clock, bar, [3, 4, 5], 0.3)
    clock.now += 1.5  # validation
    bar.update(5, {"accuracy": 0.75, "loss": 0.0, "val_loss": 1.234e-5}, finalize=True)
    assert as_seen(stream.getvalue()) == [
        f"5/5 {FULL} 3s 300ms/step - accuracy: 0.7500 - loss: 0.0000 - val_loss: 1.2340e-05",
        "",
    ]
    assert all(text.startswith("\r") for text in stream.writes)


def test_colours_are_those_of_keras(monkeypatch, clock):
    stream = use(monkeypatch, terminal=True, colour=True)
    Progbar(4).update(1)
    bar = "\x1b[32m━━━━━\x1b[0m\x1b[37m━━━━━━━━━━━━━━━\x1b[0m"
    assert stream.getvalue() == f"\r\x1b[1m1/4\x1b[0m {bar} \x1b[1m0s\x1b[0m 0s/step"


def test_output_that_is_no_terminal_gets_one_plain_line(monkeypatch, clock):
    stream = use(monkeypatch, terminal=False, colour=True)
    bar = Progbar(1875, stateless_metrics=())
    run(clock, bar, range(1, 1876), 0.008)
    assert stream.writes == []
    bar.update(1875, {"accuracy": 0.9579, "loss": 0.1388}, finalize=True)
    assert stream.writes == [f"1875/1875 {FULL} 15s 8ms/step - accuracy: 0.9579 - loss: 0.1388\n"]


def test_notebook_redraws_without_limit_of_width(monkeypatch, clock):
    module = types.ModuleType("ipykernel.iostream")
    module.OutStream = Stream
    monkeypatch.setitem(sys.modules, "ipykernel.iostream", module)
    stream = use(monkeypatch, terminal=False, columns=40)
    bar = Progbar(2)
    values = [(f"metric_{i}", 1.0) for i in range(5)]
    bar.update(1, values)
    bar.update(2, values)
    (line, rest) = as_seen(stream.getvalue())
    assert stream.getvalue().startswith("\r") and line.endswith("metric_4: 1.0000") and rest == ""


def test_redraws_are_rare_and_read_no_values_in_between(monkeypatch, clock):
    stream = use(monkeypatch, terminal=True)

    class Costly:
        reads = 0

        def __float__(self):
            Costly.reads += 1
            return 1.0

        def __array__(self, dtype=None, copy=None):
            return np.asarray(float(self))

    bar = Progbar(1000, interval=0.1, stateless_metrics=())
    for step in range(1, 1000):
        clock.now += 0.001
        bar.update(step, {"loss": Costly()}, finalize=False)
    assert len(stream.writes) == Costly.reads <= 11
    bar.update(1000, {"loss": Costly()}, finalize=False)  # the last step is always shown
    assert as_seen(stream.getvalue())[0].startswith("1000/1000")


def test_final_values_are_read_even_where_nothing_is_drawn(monkeypatch, clock):
    # Reading waits for the device: without it the time of an epoch would be that of its dispatch.
    use(monkeypatch, terminal=False)
    bar = Progbar(10, stateless_metrics=())

    class Slow:
        def __array__(self, dtype=None, copy=None):
            clock.now += 5
            return np.asarray(1.0)

    bar.update(10, {"loss": Slow()}, finalize=False)
    clock.now += 100  # validation
    assert_close(bar._seconds_per_step(), 0.5, "rounded")


def test_values_are_averaged_over_steps_unless_told_otherwise(monkeypatch, clock):
    stream = use(monkeypatch, terminal=True)
    bar = Progbar(4, stateful_metrics=["learning_rate"])
    bar.add(3, [("loss", 1.0), ("learning_rate", 0.1)])
    bar.add(1, [("loss", 5.0), ("learning_rate", 0.2)])
    assert as_seen(stream.getvalue())[0].endswith("- loss: 2.0000 - learning_rate: 0.2000")

    stream = use(monkeypatch, terminal=True)
    bar = Progbar(4, stateless_metrics=["loss"])
    bar.add(2, [("loss", 1.0), ("accuracy", 0.5)])
    bar.add(2, [("loss", 2.0), ("accuracy", 0.75)])
    assert as_seen(stream.getvalue())[0].endswith("- loss: 1.5000 - accuracy: 0.7500")


def test_both_kinds_of_metrics_are_refused():
    with pytest.raises(ValueError, match="not both"):
        Progbar(4, stateful_metrics=["a"], stateless_metrics=["b"])


FOUR = ("accuracy", "loss", "val_accuracy", "val_loss")


def shown(monkeypatch, clock, columns):
    """Return the lines of a bar with four metrics while it runs, and at its end."""
    stream = use(monkeypatch, terminal=True, columns=columns)
    bar = Progbar(1875, stateless_metrics=())
    values = dict.fromkeys(FOUR, 0.5)
    for step in (1, 900, 1875):
        clock.now += 1
        bar.update(step, values, finalize=False)
    while_running = as_seen(stream.getvalue())
    assert len(while_running) == 1
    bar.update(1875, values, finalize=True)
    return while_running, as_seen(stream.getvalue())


@pytest.mark.parametrize("columns", [10, 30, 50, 80, 120])
def test_no_line_exceeds_the_terminal(monkeypatch, clock, columns):
    while_running, lines = shown(monkeypatch, clock, columns)
    longest = 4 + len("val_accuracy: 0.5000")  # one metric is never cut at the end
    assert max(map(len, [*while_running, *lines])) <= max(columns - 1, longest)


@pytest.mark.parametrize("columns", [30, 50, 80, 120])
def test_every_metric_is_shown_where_there_is_room(monkeypatch, clock, columns):
    _, lines = shown(monkeypatch, clock, columns)
    assert all(name in " ".join(lines) for name in FOUR)


def test_unknown_target(monkeypatch, clock):
    stream = use(monkeypatch, terminal=True)
    bar = Progbar(None)
    run(clock, bar, [1, 2, 3], 2.0)
    assert as_seen(stream.getvalue()) == [
        "      3/Unknown 6s 2s/step - accuracy: 0.5000 - loss: 0.6111"
    ]


def test_shorter_line_leaves_nothing_of_a_longer_one(monkeypatch, clock):
    stream = use(monkeypatch, terminal=True)
    bar = Progbar(100, stateless_metrics=())
    bar.update(1, {"loss": 123456.0}, finalize=False)
    clock.now += 1
    bar.update(2, {"loss": 1.0}, finalize=False)
    assert as_seen(stream.getvalue())[0].endswith("loss: 1.0000")


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "cp437"])
def test_encodings_without_the_bar_fall_back(monkeypatch, clock, encoding):
    stream = use(monkeypatch, terminal=True, encoding=encoding)
    bar = Progbar(2)
    bar.update(1, [("précision", 1.0)])
    assert as_seen(stream.getvalue())[0].startswith("1/2 ==========..........")
    bar.update(2)
    assert as_seen(stream.getvalue())[0].startswith("2/2 ====================")


def test_verbose_2_is_one_line_and_0_none(monkeypatch, clock):
    stream = use(monkeypatch, terminal=True)
    bar = Progbar(5, verbose=2, stateless_metrics=())
    run(clock, bar, range(1, 6), 0.3)
    clock.now += 1
    bar.update(5, {"loss": 0.25}, finalize=True)
    assert stream.getvalue() == "5/5 - 2s - 300ms/step - accuracy: 0.5000 - loss: 0.2500\n"

    stream = use(monkeypatch, terminal=True)
    bar = Progbar(5, verbose=0)
    bar.add(5, [("loss", 1.0)])
    assert stream.getvalue() == ""


def test_close_leaves_the_line_of_an_interrupted_loop(monkeypatch, clock):
    stream = use(monkeypatch, terminal=True)
    bar = Progbar(5)
    bar.close()
    assert stream.getvalue() == ""
    bar.update(1)
    bar.close()
    bar.close()
    assert stream.getvalue().endswith("step\n")


def test_no_standard_output_at_all(monkeypatch, clock):
    monkeypatch.setattr(sys, "stdout", None)
    Progbar(1).update(1)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(3.0, "10:00"), (30.0, "1:40:00"), (0.25, "50s"), (0.0025, "0s"), (2.5e-5, "0s")],
)
def test_time_left(monkeypatch, clock, seconds, shown):
    stream = use(monkeypatch, terminal=True)
    bar = Progbar(202, unit_name="sample")
    run(clock, bar, [1], 7.0)  # the first step compiles, and isn't counted
    run(clock, bar, [2], seconds)
    clock.now += 1
    bar.update(2, finalize=False)
    assert f" {shown} " in as_seen(stream.getvalue())[0]
    assert "/sample" in stream.getvalue()


def test_values_of_all_kinds(monkeypatch, clock):
    stream = use(monkeypatch, terminal=True)
    values = {
        "text": "abc",
        "array": np.array([1.0, 2.0]),
        "none": None,
        "nan": float("nan"),
        "int": 3,
    }
    Progbar(1, stateless_metrics=()).update(1, values)
    assert as_seen(stream.getvalue())[0].endswith(
        "- text: abc - array: 1.5000 - none: None - nan: nan - int: 3.0000"
    )

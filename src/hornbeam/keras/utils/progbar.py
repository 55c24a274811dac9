"""The progress bar: `1875/1875 ━━━━━━━━━━━━━━━━━━━━ 15s 8ms/step - accuracy: 0.9579 - loss: 0.1388`."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

DONE, LEFT = "━", "─"
GREEN, GREY, BOLD = "32", "37", "1"


class Progbar:
    """Shows how far a loop is, how fast it goes and what it measures.

    On a terminal and in a notebook the line is redrawn in place, at most once per `interval` seconds; elsewhere (a file, a
    pipe) one plain line is written at the end. A line that doesn't fit the terminal is shortened while it changes, and
    folded between two metrics at the end, so that it never wraps.

    Args:
        target: number of steps expected, None where unknown.
        width: length of the bar in characters.
        verbose: 0 nothing, 1 the bar, 2 one line at the end without bar.
        interval: least time between two redraws, in seconds.
        stateful_metrics: names whose values are shown as given; all others are averaged over steps.
        stateless_metrics: names whose values are averaged over steps; all others are shown as given, and read only when
            the bar is redrawn. At most one of the two may be given; with neither, all are averaged.
        unit_name: what a step is called.

    >>> from hornbeam import keras
    >>> bar = keras.utils.Progbar(2, verbose=0)
    >>> bar.update(1, [("loss", 0.5)])
    >>> bar.add(1, [("loss", 0.4)])
    """

    # Replaced in tests; perf_counter neither jumps nor goes back when the machine's clock is set.
    _clock = staticmethod(time.perf_counter)

    def __init__(
        self,
        target: int | None,
        width: int = 20,
        verbose: int = 1,
        interval: float = 0.05,
        stateful_metrics: Iterable[str] | None = None,
        stateless_metrics: Iterable[str] | None = None,
        unit_name: str = "step",
    ) -> None:
        if stateful_metrics is not None and stateless_metrics is not None:
            raise ValueError(
                "Give `stateful_metrics` (names that are not averaged) or `stateless_metrics` (names that are), not both. "
                f"Received: stateful_metrics={stateful_metrics!r}, stateless_metrics={stateless_metrics!r}"
            )
        self.target = target or None  # an empty loop has no fraction to show
        self.width = width
        self.verbose = verbose
        self.interval = interval
        self.unit_name = unit_name
        self._stateful = frozenset(stateful_metrics or ())
        self._stateless = None if stateless_metrics is None else frozenset(stateless_metrics)
        self._shown: dict[str, Any] = {}  # name -> value on the line, in order of appearance
        self._sums: dict[str, tuple[float, int]] = {}  # name -> weighted sum, weight
        self._seen = 0
        self._start = self._clock()
        self._first: tuple[float, int] | None = None  # time and step of the first update
        self._latest = (self._start, 0)  # time and step of the last update that brought new steps
        self._drawn_at: float | None = None
        self._drawn_length = 0  # length of the unfinished line on the screen

    def update(self, current: int, values: Any = None, finalize: bool | None = None) -> None:
        """Say that `current` steps are done.

        Args:
            current: number of steps done.
            values: pairs (name, value), or a mapping.
            finalize: whether this is the last state; by default when `current` reaches `target`.
        """
        if not self.verbose:
            self._seen = current
            return
        at_target = self.target is not None and current >= self.target
        finalize = at_target if finalize is None else finalize
        due = finalize or self._redraw_is_due(at_target)
        # At the target values are read even where nothing is drawn: that waits for the device, so that the time is true.
        if due or at_target or self._averages:
            self._take(values, max(current - self._seen, 1))
        self._mark(current)
        if due:
            self._draw(finalize)

    def add(self, n: int, values: Any = None) -> None:
        """Say that `n` more steps are done."""
        self.update(self._seen + n, values)

    def close(self) -> None:
        """Leave the cursor on a new line, where the last line was not finished."""
        if self._drawn_length:
            self._drawn_length = 0
            write("\n")

    @property
    def _averages(self) -> bool:
        return self._stateless is None or bool(self._stateless)

    def _redraw_is_due(self, at_target: bool) -> bool:
        if self.verbose != 1:
            return False
        waited = None if self._drawn_at is None else self._clock() - self._drawn_at
        if waited is not None and waited < self.interval and not at_target:
            return False
        return _screen().live

    def _take(self, values: Any, steps: int) -> None:
        pairs = values.items() if isinstance(values, Mapping) else values or ()
        for name, value in pairs:
            value = _number(value)
            stateless = (
                name not in self._stateful if self._stateless is None else name in self._stateless
            )
            if stateless and isinstance(value, float):
                total, weight = self._sums.get(name, (0.0, 0))
                total, weight = total + value * steps, weight + steps
                self._sums[name] = total, weight
                value = total / weight
            self._shown[name] = value

    def _mark(self, current: int) -> None:
        now = self._clock()
        if self._first is None:
            self._first = now, current
        # Not where the count stays: the final call comes after validation, which isn't part of a step's time.
        if current != self._seen:
            self._latest = now, current
        self._seen = current

    def _seconds_per_step(self) -> float:
        """Mean time of a step, without the first update where there are others: that one includes compilation."""
        time, count = self._latest
        first_time, first_count = self._first or (self._start, 0)
        if count > first_count:
            return (time - first_time) / (count - first_count)
        return (time - self._start) / count if count else 0.0

    def _draw(self, finalize: bool) -> None:
        now = self._clock()
        per_step = self._seconds_per_step()
        speed = f"{_short_time(per_step)}/{self.unit_name}"
        metrics = [f"{name}: {_short_number(value)}" for name, value in self._shown.items()]
        if self.verbose == 1:
            if finalize or self.target is None:
                elapsed = f"{now - self._start:.0f}s"
            else:
                elapsed = _long_time(per_step * (self.target - self._seen))
            self._draw_bar(elapsed, speed, metrics, finalize)
        elif finalize:
            head = f"{self._seen}/{self.target or 'Unknown'} - {now - self._start:.0f}s - {speed}"
            write(" - ".join([head, *metrics]) + "\n")
        self._drawn_at = now

    def _draw_bar(self, elapsed: str, speed: str, metrics: list[str], finalize: bool) -> None:
        screen = _screen()
        if self.target is None:
            count, bar_width = f"{self._seen:7d}/Unknown", 0
        else:
            count, bar_width = f"{self._seen:{len(str(self.target))}d}/{self.target}", self.width
        if screen.columns is not None:
            room = screen.columns - len(f"{count}  {elapsed} {speed}")
            bar_width = min(bar_width, room) if room >= 3 else 0
        done = min(int(bar_width * self._seen / (self.target or 1)), bar_width)
        bar = screen.paint(DONE * done, GREEN)
        bar += screen.paint((DONE if screen.colour else LEFT) * (bar_width - done), GREY)
        pieces = [screen.paint(count, BOLD), bar, screen.paint(elapsed, BOLD), speed]
        head = " ".join(piece for piece in pieces if piece)
        head_length = sum(map(len, (count, elapsed, speed))) + 2 + (bar_width and bar_width + 1)
        if screen.columns is not None and head_length > screen.columns:
            head = f"{count} {elapsed} {speed}"[: screen.columns]
            head_length = len(head)

        lines = _folded(head, head_length, metrics, screen.columns)
        text, length = lines[0]
        if screen.live:
            text = "\r" + text + " " * (self._drawn_length - length)
        if finalize:
            text = "\n".join([text, *(line for line, _ in lines[1:])]) + "\n"
        self._drawn_length = 0 if finalize else length
        write(text)


@dataclass(frozen=True)
class Screen:
    """Where the bar is drawn: whether lines can be redrawn and coloured, and how long they may be (None: any length)."""

    live: bool
    colour: bool
    columns: int | None

    def paint(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour and text else text


def _screen() -> Screen:
    """What standard output is now: it may have been redirected or resized since the last look."""
    stream = sys.stdout
    no_colour = bool(os.environ.get("NO_COLOR"))
    # A notebook's stream says that it is no terminal, but its front end redraws on \r; imported by none of us.
    notebook = getattr(sys.modules.get("ipykernel.iostream"), "OutStream", None)
    if notebook is not None and isinstance(stream, notebook):
        return Screen(live=True, colour=not no_colour, columns=None)
    try:
        terminal = stream.isatty()
    except (AttributeError, ValueError):  # no stream at all, or a closed one
        terminal = False
    if not terminal or os.environ.get("TERM") == "dumb":
        return Screen(live=False, colour=False, columns=None)
    # One column stays free: many terminals wrap as soon as the last one is written.
    columns = max(shutil.get_terminal_size().columns - 1, 1)
    return Screen(live=True, colour=not no_colour, columns=columns)


def write(text: str) -> None:
    """Write to standard output at once, in characters that it can encode."""
    stream = sys.stdout
    if stream is None:  # a program without console, e.g. pythonw
        return
    encoding = getattr(stream, "encoding", None) or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        text = (
            text.replace(DONE, "=").replace(LEFT, ".").encode(encoding, "replace").decode(encoding)
        )
    stream.write(text)
    stream.flush()


def _folded(
    head: str, length: int, metrics: list[str], columns: int | None
) -> list[tuple[str, int]]:
    """Lines with their visible lengths: head and metrics, broken between metrics where `columns` is exceeded."""
    lines, text = [], head
    for metric in metrics:
        piece = f" - {metric}"
        if columns is not None and length + len(piece) > columns:
            lines.append((text, length))
            text, length = f"    {metric}", 4 + len(metric)
        else:
            text, length = text + piece, length + len(piece)
    return [*lines, (text, length)]


def _number(value: Any) -> Any:
    """A Python float; the mean of an array, as in Keras; anything else as it is."""
    if isinstance(value, float | str) or value is None:
        return value
    try:
        return float(np.mean(np.asarray(value)))
    except (TypeError, ValueError):
        return value


def _short_number(value: Any) -> str:
    if not isinstance(value, float):
        return str(value)
    if abs(value) > 1e-3 or value == 0.0 or value != value:
        return f"{value:.4f}"
    return f"{value:.4e}"


def _short_time(seconds: float) -> str:
    if seconds >= 1 or seconds == 0:
        return f"{seconds:.0f}s"
    if seconds >= 1e-3:
        return f"{seconds * 1e3:.0f}ms"
    return f"{seconds * 1e6:.0f}us"


def _long_time(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}:{minutes:02d}:{rest:02d}"
    return f"{minutes}:{rest:02d}" if minutes else f"{rest}s"

"""The demo's pictures, drawn with matplotlib straight to files: no display, no global state of pyplot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from hornbeam.core.optional import require

TRAINING, VALIDATION = "#2f6f4f", "#d9822b"
INK, FAINT, WRONG = "#222222", "#8a8a8a", "#c0392b"
COLUMNS, ROWS = 8, 3
SPACING = {"left": 0.02, "right": 0.98, "hspace": 0.3, "wspace": 0.1}
HEADING = {"fontsize": 9, "style": "italic", "color": FAINT}


def check() -> ModuleType:
    """The module that figures come from, or an ImportError that says how to install it."""
    return require("matplotlib.figure", extra="plot", purpose="drawing the demo's pictures")


def digits(
    path: Path, images: np.ndarray, labels: np.ndarray, probabilities: np.ndarray, title: str
) -> Path:
    """Save test images under their predictions, then a row of the surest mistakes.

    Shapes: images (b, 28, 28, 1), labels (b,), probabilities (b, 10).
    """
    guesses, sureness = probabilities.argmax(axis=-1), probabilities.max(axis=-1)
    first = np.arange(min(ROWS * COLUMNS, len(images)))
    wrong = np.flatnonzero(guesses != labels)
    wrong = wrong[np.argsort(-sureness[wrong])][:COLUMNS]

    figure = check().Figure(figsize=(COLUMNS * 1.15, (ROWS + 1) * 1.3 + 1.0), dpi=150)
    figure.text(0.02, 0.975, title, va="top", fontsize=13, color=INK)
    above = figure.add_gridspec(ROWS, COLUMNS, top=0.85, bottom=0.285, **SPACING)
    below = figure.add_gridspec(1, COLUMNS, top=0.19, bottom=0.02, **SPACING)
    headings = ("what the network reads, and how sure it is", "its surest mistakes")
    for grid, shown, heading in zip((above, below), (first, wrong), headings, strict=True):
        height = grid[0, 0].get_position(figure).y1 + 0.042
        figure.text(0.02, height, heading if len(shown) else "", **HEADING)
        for i, cell in zip(shown, grid, strict=False):
            axes = figure.add_subplot(cell)
            _digit(axes, images[i, ..., 0], int(guesses[i]), int(labels[i]), float(sureness[i]))
    figure.savefig(path, facecolor="white")
    return path


def _digit(axes: Any, image: np.ndarray, guess: int, label: int, sureness: float) -> None:
    """One image, black on white, under what the network says it is."""
    axes.imshow(image, cmap="gray_r", vmin=0, vmax=1, interpolation="bilinear")
    right = guess == label
    text = f"{guess}  {sureness:.0%}" if right else f"{guess}, is {label}"
    axes.set_title(text, fontsize=9, color=INK if right else WRONG, pad=2)
    axes.set_axis_off()


def curves(path: Path, history: Mapping[str, Sequence[float]]) -> Path:
    """Save loss and accuracy over the epochs, for the training and the validation images."""
    figure = check().Figure(figsize=(9, 3.6), dpi=150, layout="constrained")
    figure.get_layout_engine().set(w_pad=0.12, h_pad=0.12)
    for axes, key in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
        epochs = range(1, len(history[key]) + 1)
        axes.plot(epochs, history[key], color=TRAINING, marker="o", ms=4, label="training")
        axes.plot(epochs, history[f"val_{key}"], color=VALIDATION, marker="o", ms=4, label="test")
        axes.set_title(key, loc="left", fontsize=12, color=INK)
        axes.set_xlabel("epoch", color=FAINT)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.tick_params(colors=FAINT, labelsize=9)
        axes.grid(axis="y", color="#e6e6e6", lw=0.8)
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.spines["bottom"].set_color("#cccccc")
        axes.legend(
            loc="upper right" if key == "loss" else "lower right",
            frameon=False,
            fontsize=9,
            labelcolor=INK,
        )
    figure.savefig(path, facecolor="white")
    return path

"""Skeletons of the ten digits, in the ways that people write them.

A style is a list of strokes; a stroke is the points that the pen passes, x to the right and y down, a digit about one
unit high. The pen runs smoothly through the points (Catmull-Rom); a point given twice is a corner.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np

POINTS = 96  # sample points of a style, shared among its strokes by their lengths
CURVE_STEPS = 24  # straight pieces of the curve between two points of a stroke

Stroke = tuple[tuple[float, float], ...]


class Style(NamedTuple):
    """One way to write a digit; `share` is how often it is taken, against the digit's other styles."""

    digit: int
    share: float
    strokes: tuple[Stroke, ...]


class Skeletons(NamedTuple):
    """Every style as `s` sample points at equal distances along its strokes; `k` styles.

    `stroke` is the number, from 0, of the stroke that a point belongs to.

    Shapes: x, y, stroke (s, k); digit, share (k,)
    """

    x: np.ndarray
    y: np.ndarray
    stroke: np.ndarray
    digit: np.ndarray
    share: np.ndarray


def _corner(x: float, y: float) -> Stroke:
    return ((x, y), (x, y))


STYLES: tuple[Style, ...] = (
    # 0: closed oval; started at the top right and overlapping; narrow and left open at the top
    Style(0, 3.0, (((0.5, 0.0), (0.2, 0.12), (0.08, 0.5), (0.22, 0.88), (0.5, 1.0), (0.78, 0.88),
                    (0.92, 0.5), (0.8, 0.12), (0.5, 0.0)),)),
    Style(0, 2.0, (((0.72, 0.08), (0.48, 0.0), (0.2, 0.2), (0.1, 0.6), (0.3, 0.95), (0.6, 0.96),
                    (0.85, 0.65), (0.85, 0.25), (0.66, 0.04), (0.42, 0.1)),)),
    Style(0, 1.0, (((0.42, 0.04), (0.2, 0.3), (0.18, 0.7), (0.4, 1.0), (0.66, 0.84), (0.76, 0.45),
                    (0.66, 0.1), (0.46, 0.12)),)),
    # 1: a bare stroke; with a flag; with a flag and a foot
    Style(1, 5.0, (((0.5, 0.0), (0.5, 0.35), (0.49, 0.7), (0.48, 1.0)),)),
    Style(1, 2.0, (((0.28, 0.24), (0.4, 0.14), *_corner(0.52, 0.0), (0.52, 0.5), (0.52, 1.0)),)),
    Style(1, 0.8, (((0.26, 0.22), *_corner(0.5, 0.0), (0.5, 0.5), (0.5, 0.97)),
                   ((0.22, 0.98), (0.5, 0.97), (0.8, 0.97)))),
    # 2: straight foot; a loop at the lower left; a round back and a waving foot
    Style(2, 3.0, (((0.12, 0.26), (0.26, 0.06), (0.54, 0.0), (0.8, 0.16), (0.76, 0.42), (0.48, 0.7),
                    *_corner(0.1, 0.98), (0.45, 0.98), (0.9, 0.97)),)),
    Style(2, 3.0, (((0.14, 0.2), (0.34, 0.03), (0.62, 0.04), (0.76, 0.26), (0.62, 0.56), (0.36, 0.85),
                    (0.15, 0.96), (0.08, 0.84), (0.24, 0.76), (0.48, 0.88), (0.7, 0.98),
                    (0.95, 0.88)),)),
    Style(2, 2.0, (((0.2, 0.14), (0.5, 0.0), (0.76, 0.14), (0.74, 0.4), (0.5, 0.68), (0.22, 0.9),
                    (0.12, 0.98), (0.3, 0.92), (0.56, 0.94), (0.88, 1.0)),)),
    # 3: two bows; a flat top; a small loop in the middle
    Style(3, 3.0, (((0.16, 0.12), (0.42, 0.0), (0.72, 0.1), (0.7, 0.34), *_corner(0.4, 0.46),
                    (0.72, 0.58), (0.8, 0.8), (0.5, 1.0), (0.12, 0.9)),)),
    Style(3, 1.2, ((*_corner(0.14, 0.04), (0.45, 0.03), *_corner(0.78, 0.03), *_corner(0.42, 0.42),
                    (0.74, 0.52), (0.8, 0.78), (0.5, 0.99), (0.12, 0.9)),)),
    Style(3, 1.8, (((0.2, 0.16), (0.46, 0.0), (0.7, 0.14), (0.58, 0.38), (0.4, 0.46), (0.34, 0.4),
                    (0.5, 0.42), (0.76, 0.6), (0.72, 0.86), (0.42, 1.0), (0.1, 0.86)),)),
    # 4: open, straight; open, with a round left side; closed, in one stroke; with a long foot
    Style(4, 3.0, (((0.2, 0.02), (0.14, 0.3), *_corner(0.1, 0.58), (0.5, 0.56), (0.9, 0.54)),
                   ((0.72, 0.0), (0.7, 0.5), (0.68, 1.0)))),
    Style(4, 2.5, (((0.18, 0.04), (0.12, 0.34), (0.3, 0.54), (0.55, 0.5), *_corner(0.78, 0.36)),
                   ((0.82, 0.02), (0.78, 0.4), (0.7, 0.75), (0.66, 1.0)))),
    Style(4, 1.5, ((*_corner(0.88, 0.68), (0.5, 0.69), *_corner(0.08, 0.7), (0.34, 0.36),
                    *_corner(0.62, 0.0), (0.62, 0.5), (0.62, 1.0)),)),
    Style(4, 1.0, (((0.36, 0.0), (0.26, 0.24), *_corner(0.1, 0.5), (0.46, 0.5), *_corner(0.84, 0.46)),
                   ((0.66, 0.26), (0.62, 0.6), (0.56, 1.0)))),
    # 5: in one stroke; the bar drawn last; a flowing one, near an S
    Style(5, 2.5, ((*_corner(0.84, 0.02), (0.55, 0.02), *_corner(0.26, 0.03), *_corner(0.22, 0.42),
                    (0.5, 0.36), (0.8, 0.54), (0.76, 0.84), (0.46, 1.0), (0.1, 0.9)),)),
    Style(5, 2.0, (((0.24, 0.06), *_corner(0.22, 0.44), (0.48, 0.38), (0.76, 0.56), (0.7, 0.86),
                    (0.4, 1.0), (0.08, 0.92)),
                   ((0.24, 0.05), (0.55, 0.06), (0.92, 0.0)))),
    Style(5, 1.5, (((0.9, 0.04), (0.6, 0.02), (0.36, 0.1), (0.28, 0.34), (0.46, 0.48), (0.64, 0.64),
                    (0.58, 0.88), (0.32, 1.0), (0.06, 0.88)),)),
    # 6: round; a straight back and a small loop; a narrow back and a wide loop
    Style(6, 3.0, (((0.68, 0.0), (0.38, 0.22), (0.18, 0.6), (0.28, 0.92), (0.54, 1.0), (0.78, 0.82),
                    (0.7, 0.58), (0.46, 0.54), (0.22, 0.74)),)),
    Style(6, 2.0, (((0.42, 0.0), (0.3, 0.36), (0.24, 0.74), (0.38, 0.98), (0.62, 0.94), (0.7, 0.72),
                    (0.54, 0.6), (0.34, 0.7), (0.28, 0.86)),)),
    Style(6, 1.5, (((0.82, 0.06), (0.56, 0.04), (0.26, 0.3), (0.1, 0.68), (0.3, 0.98), (0.66, 0.96),
                    (0.86, 0.72), (0.66, 0.5), (0.36, 0.56), (0.16, 0.76)),)),
    # 7: plain; a bowed leg; with a bar; with a hook at the start
    Style(7, 3.0, (((0.12, 0.04), (0.45, 0.04), *_corner(0.84, 0.03), (0.62, 0.45), (0.42, 1.0)),)),
    Style(7, 2.0, (((0.1, 0.1), (0.4, 0.05), (0.76, 0.06), (0.82, 0.16), (0.6, 0.46), (0.46, 0.74),
                    (0.42, 1.0)),)),
    Style(7, 1.5, (((0.14, 0.05), (0.5, 0.05), *_corner(0.86, 0.02), (0.62, 0.46), (0.44, 1.0)),
                   ((0.34, 0.54), (0.58, 0.52), (0.84, 0.5)))),
    Style(7, 1.5, (((0.12, 0.24), *_corner(0.14, 0.06), (0.46, 0.07), *_corner(0.82, 0.04),
                    (0.68, 0.5), (0.6, 1.0)),)),
    # 8: in one stroke from the top right; two rings; a start left open
    Style(8, 3.0, (((0.74, 0.14), (0.5, 0.0), (0.26, 0.14), (0.3, 0.36), (0.56, 0.54), (0.76, 0.78),
                    (0.52, 1.0), (0.24, 0.84), (0.4, 0.56), (0.66, 0.36), (0.76, 0.16)),)),
    Style(8, 1.5, (((0.5, 0.0), (0.26, 0.1), (0.28, 0.36), (0.5, 0.46), (0.72, 0.36), (0.74, 0.1),
                    (0.5, 0.0)),
                   ((0.5, 0.46), (0.22, 0.6), (0.2, 0.88), (0.5, 1.0), (0.8, 0.88), (0.78, 0.6),
                    (0.5, 0.46)))),
    Style(8, 1.5, (((0.86, 0.06), (0.56, 0.02), (0.3, 0.12), (0.32, 0.34), (0.58, 0.54), (0.68, 0.82),
                    (0.46, 1.0), (0.24, 0.86), (0.36, 0.6), (0.64, 0.38), (0.84, 0.14)),)),
    # 9: a ring and a straight leg; a ring and a bowed leg; a ring and a hook; in one sweep
    Style(9, 3.0, (((0.74, 0.14), (0.48, 0.0), (0.22, 0.2), (0.3, 0.44), (0.56, 0.44), *_corner(0.76, 0.12),
                    (0.72, 0.55), (0.68, 1.0)),)),
    Style(9, 2.0, (((0.7, 0.2), (0.52, 0.02), (0.24, 0.12), (0.2, 0.38), (0.46, 0.48), (0.7, 0.28),
                    (0.74, 0.12), (0.68, 0.5), (0.52, 0.8), (0.34, 1.0)),)),
    Style(9, 1.2, (((0.76, 0.16), (0.5, 0.0), (0.22, 0.16), (0.28, 0.42), (0.56, 0.44), *_corner(0.78, 0.14),
                    (0.78, 0.6), (0.68, 0.92), (0.44, 1.0), (0.2, 0.9)),)),
)  # fmt: skip


def _curve(stroke: Stroke) -> np.ndarray:
    """The smooth path through a stroke's points as many short straight pieces: (points, 2)."""
    knots = np.array([stroke[0], *stroke, stroke[-1]])
    u = (np.arange(CURVE_STEPS) / CURVE_STEPS)[:, None]
    pieces = []
    for before, start, end, after in zip(knots, knots[1:], knots[2:], knots[3:], strict=False):
        slope_start, slope_end = (end - before) / 2, (after - start) / 2
        if np.array_equal(start, end):
            continue  # a corner: no path between a point and itself
        rise = end - start
        pieces.append(
            start
            + u * (slope_start + u * (3 * rise - 2 * slope_start - slope_end)
                   + u * u * (slope_start + slope_end - 2 * rise))
        )  # fmt: skip
    return np.concatenate([*pieces, knots[-1:]])


def _at_equal_distances(path: np.ndarray, count: int) -> np.ndarray:
    """`count` points spread over the path from its start to its end: (count, 2)."""
    travelled = np.concatenate([[0.0], np.cumsum(_piece_lengths(path))])
    wanted = np.linspace(0.0, travelled[-1], count)
    return np.stack([np.interp(wanted, travelled, path[:, axis]) for axis in (0, 1)], axis=-1)


def _piece_lengths(path: np.ndarray) -> np.ndarray:
    step = np.diff(path, axis=0)
    return np.sqrt(step[:, 0] * step[:, 0] + step[:, 1] * step[:, 1])


def _sample(style: Style) -> tuple[np.ndarray, np.ndarray]:
    """A style's points (s, 2), and the number of the stroke that each belongs to (s,)."""
    paths = [_curve(stroke) for stroke in style.strokes]
    ends = np.cumsum([_piece_lengths(path).sum() for path in paths])
    bounds = [0, *(round(POINTS * end / ends[-1]) for end in ends)]
    counts = [end - start for start, end in pairwise(bounds)]
    points = [_at_equal_distances(path, count) for path, count in zip(paths, counts, strict=True)]
    return np.concatenate(points), np.repeat(np.arange(len(counts)), counts)


def skeletons() -> Skeletons:
    """All styles as sample points, centred on the origin."""
    points, strokes = zip(*(_sample(style) for style in STYLES), strict=True)
    # on a grid of 1/4096, so that a last bit that differs between machines is gone
    grid = np.round((np.stack(points, axis=1) - 0.5) * 4096) / 4096
    x, y = grid.transpose(2, 0, 1).astype(np.float32)
    return Skeletons(
        x=x,
        y=y,
        stroke=np.stack(strokes, axis=1).astype(np.float32),
        digit=np.array([style.digit for style in STYLES], np.uint8),
        share=np.array([style.share for style in STYLES]),
    )

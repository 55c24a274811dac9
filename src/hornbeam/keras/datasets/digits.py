"""Handwritten-like digits drawn by a program: a stand-in for MNIST that needs no file and no network."""

from __future__ import annotations

import functools
import operator
from typing import NamedTuple

import numpy as np

from hornbeam.core.faces import missing_names
from hornbeam.keras.datasets import _strokes

__all__ = ["load_data"]

__getattr__ = missing_names(__name__)

# Every number below comes from whole random words by additions, multiplications, divisions and square roots in a fixed
# order: no sine, exponential or matrix product, whose last bit depends on the machine. The same seed draws the same bytes
# everywhere.

SIZE = 28
BOX = 20.0  # MNIST fits the ink into 20 x 20 and puts its centre of mass into the middle of 28 x 28
MARGIN = 4  # room around the picture for ink that falls outside of it
PADDED = SIZE + 2 * MARGIN
REACH = 3  # pixels to either side that a pen of the greatest radius inks
CHUNK = 500  # images drawn together, so that they stay in the processor's cache
BENDS = 7  # places along the path where the hand strays

Split = tuple[np.ndarray, np.ndarray]


def load_data(seed: int = 0, num_train: int = 60000, num_test: int = 10000) -> tuple[Split, Split]:
    """Draw `num_train` + `num_test` digits, with the shapes and types of MNIST.

    Each picture is one of several ways to write its digit, as pen strokes with random slant, proportions, rotation,
    bends, elastic distortion, thickness, pressure and grain, fitted and centred as MNIST's are. Train and test come
    from separate random streams. A seed gives the same bytes on every machine, and a smaller number of pictures gives
    the first ones of a greater number.

    Args:
        seed: whole number, at least 0.
        num_train: number of training pictures.
        num_test: number of test pictures.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: pictures (n, 28, 28) of uint8, 0 paper and 255 ink; labels (n,) of uint8.

    Raises:
        ValueError: for a negative argument. TypeError: for one that is no whole number.

    >>> from hornbeam import keras
    >>> (x_train, y_train), (x_test, y_test) = keras.datasets.digits.load_data(num_train=300, num_test=50)
    >>> x_train.shape, y_train.shape, x_test.shape, x_train.dtype
    ((300, 28, 28), (300,), (50, 28, 28), dtype('uint8'))
    """
    seed = _whole("seed", seed)
    train = _draw(seed, 0, _whole("num_train", num_train))
    test = _draw(seed, 1, _whole("num_test", num_test))
    return train, test


def _whole(name: str, value: int) -> int:
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(
            f"digits.load_data: {name} must be a whole number, got {value!r}."
        ) from None
    if number < 0:
        raise ValueError(f"digits.load_data: {name} must be at least 0, got {number}.")
    return number


def _draw(seed: int, split: int, count: int) -> Split:
    images = np.empty((count, SIZE, SIZE), np.uint8)
    labels = np.empty(count, np.uint8)
    for start in range(0, count, CHUNK):
        random = _Words(seed, split, start // CHUNK)
        part = slice(start, min(start + CHUNK, count))
        many = part.stop - start
        x, y, stroke, digit = _skeletons_of(random)
        x, y = _handwriting(random, x, y, stroke, digit)
        pen = _pen(random)
        x, y, weight = _placed(random, x, y, stroke, pen)
        images[part] = _inked(random, x, y, weight, pen)[:many]
        labels[part] = digit[:many]
    return images, labels


class _Words:
    """Random numbers made from the raw words of PCG64, whose stream NumPy promises to keep."""

    def __init__(self, seed: int, split: int, chunk: int) -> None:
        self._source = np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(split, chunk)))

    def words(self, *shape: int) -> np.ndarray:
        return self._source.random_raw(int(np.prod(shape))).reshape(shape)

    def between(self, low: float, high: float, *shape: int) -> np.ndarray:
        """Uniform on [low, high): float32."""
        unit = (self.words(*shape) >> np.uint64(40)).astype(np.float32) * np.float32(2.0**-24)
        return np.float32(low) + np.float32(high - low) * unit

    def bell(self, scale: float, *shape: int) -> np.ndarray:
        """About normal with the standard deviation `scale`, never beyond 3.5 of it: the sum of four uniforms."""
        words = self.words(*shape)
        total = np.zeros(shape, np.int64)
        for shift in (0, 16, 32, 48):
            total += ((words >> np.uint64(shift)) & np.uint64(0xFFFF)).astype(np.int64)
        # four uniforms on 0..65535 have the mean 131070 and the standard deviation 37837.2
        return (total - 131070).astype(np.float32) * np.float32(scale / 37837.2)

    def bytes(self, *shape: int) -> np.ndarray:
        count = int(np.prod(shape))
        words = self._source.random_raw(-(-count // 8)).astype("<u8")
        return words.view(np.uint8)[:count].reshape(shape)


def _skeletons_of(random: _Words) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """A digit, and a way to write it, for each image: x, y, stroke (s, n); digit (n,)."""
    known, bounds = _styles()
    digit = ((random.words(CHUNK) >> np.uint64(32)) * np.uint64(10)) >> np.uint64(32)
    place = digit.astype(np.float32) + random.between(0.0, 1.0, CHUNK)
    style = np.minimum(np.searchsorted(bounds, place, side="right"), len(bounds) - 1)
    return known.x[:, style], known.y[:, style], known.stroke[:, style], known.digit[style]


@functools.cache
def _styles() -> tuple[_strokes.Skeletons, np.ndarray]:
    """The skeletons, and where each one's share of its digit's interval [digit, digit + 1) ends."""
    known = _strokes.skeletons()
    bounds = np.empty(len(known.digit))
    for digit in range(10):
        share = known.share[known.digit == digit]
        bounds[known.digit == digit] = digit + np.cumsum(share) / share.sum()
    return known, bounds


def _handwriting(
    random: _Words, x: np.ndarray, y: np.ndarray, stroke: np.ndarray, digit: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The skeletons as some hand would draw them: bent, warped, stretched, slanted and turned."""
    steady = np.where(digit == 1, np.float32(0.5), np.float32(1))  # few stray on so short a way
    x = x + steady * _strayed(random, 0.04) + stroke * random.bell(0.04, CHUNK)
    y = y + steady * _strayed(random, 0.04) + stroke * random.bell(0.04, CHUNK)
    x, y = x + _elastic(random, x, y), y + _elastic(random, x, y)
    x = x * (1 + random.bell(0.15, CHUNK))
    slant = random.bell(0.2, CHUNK) - np.float32(0.2)  # most hands lean to the right
    x = x + slant * y
    tangent = random.bell(0.05, CHUNK)  # of half the angle: a turn without sine and cosine
    scale = 1 / (1 + tangent * tangent)
    cosine, sine = (1 - tangent * tangent) * scale, 2 * tangent * scale
    return cosine * x - sine * y, sine * x + cosine * y


def _strayed(random: _Words, scale: float) -> np.ndarray:
    """A smooth random offset along the path of every image: (s, n)."""
    offset = np.zeros((_strokes.POINTS, CHUNK), np.float32)
    for weight, knot in zip(_bends().T, random.bell(scale, BENDS, CHUNK), strict=True):
        offset += weight[:, None] * knot
    return offset


@functools.cache
def _bends() -> np.ndarray:
    """Cubic B-splines, with their centres spread over the path from its start to its end: (s, BENDS)."""
    place = np.arange(_strokes.POINTS) * (BENDS - 1) / (_strokes.POINTS - 1)
    away = np.abs(place[:, None] - np.arange(BENDS))
    near, far = 4 - 6 * away * away + 3 * away * away * away, np.maximum(2 - away, 0)
    return (np.where(away < 1, near, far * far * far) / 4).astype(np.float32)


def _elastic(random: _Words, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """A smooth random offset of every place of the paper: a cubic polynomial of x and y."""
    xx, xy, yy = x * x, x * y, y * y
    offset = np.zeros_like(x)
    for term, scale in (
        (xx, 0.15),
        (xy, 0.2),
        (yy, 0.15),
        (xx * x, 0.3),
        (xx * y, 0.4),
        (xy * y, 0.4),
        (yy * y, 0.2),
    ):
        offset += random.bell(scale, CHUNK) * term
    return offset


class _Pen(NamedTuple):
    """How a pen inks: its radius in pixels, how hard its edge is, how dark it is (n,), and its pressure (s, n)."""

    radius: np.ndarray
    hardness: np.ndarray
    ink: np.ndarray
    pressure: np.ndarray


def _pen(random: _Words) -> _Pen:
    return _Pen(
        radius=random.between(1.5, 2.4, CHUNK) + random.between(0.0, 0.7, CHUNK),
        hardness=random.between(1.5, 2.6, CHUNK),
        ink=np.minimum(random.between(0.85, 1.3, CHUNK), np.float32(1)),
        pressure=1 + _strayed(random, 0.15),
    )


def _placed(
    random: _Words, x: np.ndarray, y: np.ndarray, stroke: np.ndarray, pen: _Pen
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The points in pixels of the padded picture, and the ink that each leaves: x, y, weight (s, n)."""
    extent = np.maximum(x.max(axis=0) - x.min(axis=0), y.max(axis=0) - y.min(axis=0))
    scale = (BOX - pen.radius) * random.between(0.92, 1.06, CHUNK) / extent
    x, y = x * scale, y * scale
    step_x, step_y = np.diff(x, axis=0), np.diff(y, axis=0)
    length = np.sqrt(step_x * step_x + step_y * step_y)
    length[np.diff(stroke, axis=0) != 0] = 0  # the pen is up
    weight = np.zeros_like(x)
    weight[:-1] += length / 2
    weight[1:] += length / 2
    weight *= pen.pressure
    ink = _total(weight)
    middle = np.float32((SIZE - 1) / 2 + MARGIN)
    x += middle - _total(weight * x) / ink + random.between(-0.8, 0.8, CHUNK)
    y += middle - _total(weight * y) / ink + random.between(-0.8, 0.8, CHUNK)
    return x, y, weight


def _total(values: np.ndarray) -> np.ndarray:
    """The sum over the points, one after the other: (s, n) -> (n,)."""
    total = np.zeros(values.shape[1:], values.dtype)
    for row in values:
        total += row
    return total


def _inked(
    random: _Words, x: np.ndarray, y: np.ndarray, weight: np.ndarray, pen: _Pen
) -> np.ndarray:
    """Pictures (n, 28, 28) of uint8 from points that leave ink under a round pen."""
    ink = _blurred(_scattered(x, y, weight), pen.radius)
    gain, floor = pen.hardness[:, None, None], (pen.hardness * np.float32(0.2))[:, None, None]
    ink = np.clip(ink * gain - floor, 0, 1) * (255 * pen.ink)[:, None, None]
    grain = random.bytes(CHUNK, SIZE, SIZE) * np.float32(0.12 / 255)
    return (ink * (1 - grain)).astype(np.uint8)


def _scattered(x: np.ndarray, y: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Each point's ink shared among the four pixels around it: (s, n) -> (n, PADDED, PADDED)."""
    x, y = (np.clip(each.T, 0, PADDED - 1.01) for each in (x, y))
    left, top = x.astype(np.int64), y.astype(np.int64)
    corner = (np.arange(CHUNK)[:, None] * PADDED + top) * PADDED + left
    right, down = x - left, y - top
    below = weight.T * down
    above = weight.T - below
    pixels = np.stack([corner, corner + 1, corner + PADDED, corner + PADDED + 1])
    shares = np.stack([above - above * right, above * right, below - below * right, below * right])
    total = np.bincount(pixels.ravel(), shares.ravel(), minlength=CHUNK * PADDED * PADDED)
    return total.astype(np.float32).reshape(CHUNK, PADDED, PADDED)


def _blurred(ink: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """Ink spread by the pen and cut to the picture; the middle of a long line gets 1: (n, 28, 28).

    The pen's profile is (1 - (d / radius)^2)^2 at the distance d, across and along.
    """
    share = [np.float32(distance) / radius for distance in range(REACH + 1)]
    taps = [np.maximum(1 - each * each, 0) for each in share]
    taps = [(each * each)[:, None, None] for each in taps]
    along = taps[0] + 2 * (taps[1] + taps[2] + taps[3])
    rows = _spread(ink, taps, axis=1) / along
    return _spread(rows, taps, axis=2)


def _spread(ink: np.ndarray, taps: list[np.ndarray], axis: int) -> np.ndarray:
    """A symmetric filter along one axis, which is cut from PADDED to SIZE."""

    def shifted(by: int) -> np.ndarray:
        part = slice(MARGIN + by, MARGIN + by + SIZE)
        return ink[:, part] if axis == 1 else ink[:, :, part]

    total = shifted(0) * taps[0]
    for distance in range(1, REACH + 1):
        total += (shifted(distance) + shifted(-distance)) * taps[distance]
    return total

"""What networks for images call, and convolutions of one axis."""

import math
from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

from benchmarks.kernels.kernel import Kernel, normal
from hornbeam.kernels import conv, pool


class _Conv(NamedTuple):
    """A convolution: (b, space..., c) -> (b, ..., filters)."""

    x: tuple[int, ...]
    filters: int
    window: int = 3
    stride: int = 1
    padding: str = "same"
    dilation: int = 1
    groups: int = 1

    def kernel(self, name: str = "conv") -> Kernel:
        b, *space, channels = self.x
        axes = len(space)
        call = partial(
            conv.conv,
            strides=(self.stride,) * axes,
            padding=self.padding,
            dilation=(self.dilation,) * axes,
        )
        window = *(self.window,) * axes, channels // self.groups
        outputs = b, *(side // self.stride for side in space), self.filters
        operations = 2 * math.prod(outputs) * math.prod(window)
        words = [f"{' x '.join(map(str, self.x))} -> {self.filters}"]
        words += [
            f"{word} {self._asdict()[word]}"
            for word in ("window", "stride", "padding", "dilation", "groups")
            if self._asdict()[word] != self._field_defaults[word]
        ]
        arguments = normal(*self.x), normal(*window, self.filters)
        return Kernel(name, ", ".join(words), call, arguments, operations, (0, 1))


def conv_kernels() -> Iterator[Kernel]:
    """Convolutions of ResNet-20, batch 64, and those of the notes' CNN with relu and pooling, batch 32."""
    for side, channels, filters, stride in ((32, 16, 16, 1), (32, 16, 32, 2), (8, 64, 64, 1)):
        yield _Conv((64, side, side, channels), filters, stride=stride).kernel()
    options: dict[str, Any] = {"strides": (1, 1), "padding": "valid", "dilation": (1, 1)}
    for side, channels, filters, wanted in ((28, 1, 32, (1, 2)), (13, 32, 64, (0, 1, 2))):
        call = partial(conv.conv_max_pool, window=(2, 2), **options)
        arguments = (normal(32, side, side, channels), normal(3, 3, channels, filters))
        read = (side - 2) // 2 * 2
        operations = 2 * 32 * read * read * 9 * channels * filters
        size = f"32 x {side} x {side} x {channels} -> {filters}"
        yield Kernel(
            "conv + relu + pool", size, call, (*arguments, normal(filters)), operations, wanted
        )


def other_conv_kernels() -> Iterator[Kernel]:
    """Depthwise, with groups, dilated, of one axis, causal."""
    sizes = (32, 32, 3, 1), (32, 64, 3, 2), (32, 64, 5, 1), (16, 96, 7, 1)
    for side, channels, window, stride in sizes:
        one_each = _Conv((32, side, side, channels), channels, window, stride, groups=channels)
        yield one_each.kernel("depthwise conv")
    yield _Conv((32, 16, 16, 64), 64, groups=4).kernel()
    yield _Conv((32, 32, 32, 32), 32, dilation=2).kernel()
    yield _Conv((32, 128, 64), 64).kernel("conv 1D")
    yield _Conv((32, 128, 64), 64, padding="causal", dilation=4).kernel("conv 1D")


def pool_kernels() -> Iterator[Kernel]:
    """Pooling alone."""
    for name, call in (("max pool", pool.max_pool), ("average pool", pool.average_pool)):
        for window, stride in ((2, 2), (3, 2)):
            each = partial(call, window=(window,) * 2, strides=(stride,) * 2, padding="same")
            size = f"32 x 26 x 26 x 64, window {window}, stride {stride}"
            arguments = (normal(32, 26, 26, 64),)
            yield Kernel(name, size, each, arguments, differentiate=(0,))

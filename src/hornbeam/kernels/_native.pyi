"""The native kernels, built from csrc/; absent where they could not be."""

from typing import Any

def targets() -> dict[str, Any]: ...
def build_info() -> dict[str, Any]: ...
def conv_implementations(
    dtype: str,
    x: tuple[int, int, int, int],
    kernel: tuple[int, int, int, int],
    stride: int = 1,
    dilation: int = 1,
    padding: int = 0,
) -> list[str]: ...

"""The raw value of a tensor of strings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hornbeam.core.typing import NumpyArray


class StringsOnHost(TypeError):
    """Strings would have to enter a program."""


class Strings:
    """An array of bytes objects, with what a tensor asks of its value. JAX refuses it, so it never enters a program."""

    __slots__ = ("_array",)

    def __init__(self, array: NumpyArray) -> None:
        """`array` holds bytes objects, and is not written into."""
        self._array = array

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape."""
        return self._array.shape

    @property
    def dtype(self) -> Any:
        """NumPy's type for objects."""
        return self._array.dtype

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self._array.ndim

    @property
    def size(self) -> int:
        """The number of strings."""
        return self._array.size

    def item(self) -> bytes:
        """Return the only string."""
        return self._array.item()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NumpyArray:
        return self._array if dtype is None else self._array.astype(dtype)

    def __int__(self) -> int:
        return int(self.item())

    def __float__(self) -> float:
        return float(self.item())

    def __len__(self) -> int:
        return len(self._array)

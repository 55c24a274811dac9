"""Data that lies in memory: put on the device once, rows gathered inside the compiled step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hornbeam.core.op import is_box
from hornbeam.core.rng import make_seed
from hornbeam.core.tensor import convert_to_tensor
from hornbeam.keras.utils.packing import unpack_x_y_sample_weight

# Above this many bytes rows are gathered on the host, so that the arrays are not held twice.
DEVICE_LIMIT = 2 << 30


class ArraySource:
    """Batches of rows of arrays."""

    def __init__(
        self,
        data: Any,
        batch_size: int,
        shuffle: bool | str = False,
        resident: bool = True,
    ) -> None:
        """`data` is x, (x, y) or (x, y, sample_weight), structures of arrays of one length. Raises ValueError where they differ.

        Without `resident` the batches are handed over one by one: right for data that are gone through once.
        """
        self.data = data
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.length = common_length(self.data)
        self.steps = -(-self.length // batch_size)
        leaves = jax.tree.leaves(self.data)
        self.is_sparse = any(map(is_sparse, leaves))
        self._on_device = (
            resident
            and not self.is_sparse
            and sum(leaf.size * min(leaf.itemsize, 4) for leaf in leaves) <= DEVICE_LIMIT
        )
        self._resident: Any = None

    @property
    def resident(self) -> Any:
        """What is handed to each step besides the batch."""
        if self._on_device and self._resident is None:
            self._resident = jax.tree.map(jnp.asarray, self.data)
        return self._resident

    @staticmethod
    def gather(resident: Any, rows: Any) -> Any:
        """The rows of a batch; runs inside the compiled step."""
        return jax.tree.map(lambda a: jnp.take(a, rows, axis=0, mode="clip"), resident)

    def first(self) -> Any:
        """A batch on the host, to read shapes and types off."""
        return jax.tree.map(lambda a: dense(a[: self.batch_size]), self.data)

    def first_rows(self) -> np.ndarray:
        """The row numbers of a batch, to read their shape and type off."""
        return np.arange(min(self.batch_size, self.length), dtype="int32")

    def epoch(self) -> Iterator[Any]:
        """The batches of one pass, row numbers where the data are resident."""
        if not self._on_device and not self.shuffle:
            for start in range(0, self.length, self.batch_size):
                yield jax.tree.map(
                    lambda a, at=start: dense(a[at : at + self.batch_size]), self.data
                )
            return
        whole, rest = self.order()
        for rows in [*whole, rest] if len(rest) else whole:
            yield (
                rows
                if self._on_device
                else jax.tree.map(lambda a, rows=rows: dense(a[rows]), self.data)
            )

    def order(self) -> tuple[np.ndarray, np.ndarray]:
        """The row numbers of one pass: those of the whole batches (steps, b), and those that are left over."""
        order = np.arange(self.length, dtype="int32")
        random = np.random.default_rng(make_seed()) if self.shuffle else None
        if random is not None and self.shuffle != "batch":
            random.shuffle(order)
        left = self.length % self.batch_size
        cut = self.length - left
        whole = order[:cut].reshape(-1, min(self.batch_size, self.length))
        if random is not None and self.shuffle == "batch":
            random.shuffle(whole)  # the smaller last batch stays where it is
        return whole, order[cut:]

    def end_epoch(self) -> None:
        """Nothing is left to do."""


def host_arrays(tree: Any) -> Any:
    """Return a structure of arrays of any library, or of lists of numbers, as one of NumPy arrays."""
    return jax.tree.map(host_array, tree, is_leaf=is_array)


def host_array(value: Any) -> Any:
    """Return a leaf of the data as a NumPy array of numbers; a sparse matrix in a form whose rows can be taken."""
    if is_sparse(value):
        return value.tocsr()
    if not isinstance(value, np.ndarray):
        raw = value if hasattr(value, "__array__") else convert_to_tensor(value)
        array = np.asarray(raw)
    else:
        array = value
    if array.dtype == object:
        array = _numbers(value, array)
    if array.dtype == object or (array.dtype.kind in "USV" and array.dtype.itemsize > 2):
        raise ValueError(
            f"Expected arrays of numbers, received an array of dtype {array.dtype} and shape {array.shape}. Lists of "
            "unequal length must be padded first; text must be turned into numbers."
        )
    return array


def _numbers(value: Any, array: np.ndarray) -> np.ndarray:
    """Return an array of Python objects as float32 where they are all numbers; missing ones become NaN."""
    try:
        if hasattr(value, "to_numpy"):  # pandas: nullable columns, or columns of several types
            return value.to_numpy(dtype="float32", na_value=np.nan)
        return array.astype("float32")
    except (TypeError, ValueError):
        return array


def is_sparse(value: object) -> bool:
    """Return whether `value` is a matrix of scipy.sparse, or behaves like one."""
    return hasattr(value, "tocsr") and hasattr(value, "toarray")


def dense(array: Any) -> np.ndarray:
    """Return rows as a NumPy array, sparse ones with their zeros."""
    return array.toarray() if is_sparse(array) else array


def is_array(value: Any) -> bool:
    """Whether `value` is one array: an array of any library, or a nested list of numbers."""
    if isinstance(value, (list, tuple)):
        leaf: Any = value
        while isinstance(leaf, (list, tuple)) and leaf:
            leaf = leaf[0]
        return isinstance(leaf, (int, float, np.number))
    return is_box(value) or hasattr(value, "__array__") or is_sparse(value)


def common_length(data: Any) -> int:
    """The number of rows. Raises ValueError where arrays differ in it, or have none."""
    named = zip(("x", "y", "sample_weight"), unpack_x_y_sample_weight(data), strict=True)
    lengths = []
    for name, tree in named:
        for leaf in jax.tree.leaves(tree):
            if not leaf.ndim:
                raise ValueError(
                    f"`{name}` holds a single number; expected an array with one row for each sample."
                )
            lengths.append((name, leaf.shape[0]))
    if not lengths or lengths[0][0] != "x":
        raise ValueError(
            "There is no data: `x` is None or empty. It takes arrays (NumPy, tensors, DataFrames, sparse matrices), a "
            "list or dict of arrays, a generator of batches, or a PyDataset."
        )
    if len({n for _, n in lengths}) > 1:
        told = ", ".join(f"{name}: {n}" for name, n in lengths)
        raise ValueError(
            f"The arrays differ in their number of rows: {told}. Each sample needs one row in each."
        )
    if lengths[0][1] == 0:
        raise ValueError("There is no data: the arrays have 0 rows.")
    return lengths[0][1]


def split_rows(data: Any, share: float) -> tuple[Any, Any]:
    """The rows before and after the split for `validation_split`; the last `share` is for validation."""
    if not 0 < share < 1:
        raise ValueError(f"`validation_split` is a fraction between 0 and 1; received {share!r}.")
    length = common_length(data)
    cut = int(length * (1 - share))
    if cut in (0, length):
        raise ValueError(
            f"validation_split={share} of {length} rows leaves no row for {'training' if cut == 0 else 'validation'}."
        )
    return jax.tree.map(lambda a: a[:cut], data), jax.tree.map(lambda a: a[cut:], data)

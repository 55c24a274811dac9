"""What users have, lists, DataFrames, sparse matrices, arrays of any library, as NumPy arrays."""

from __future__ import annotations

from typing import Any, TypeAlias, TypeVar

import jax
import numpy as np

from hornbeam.core.op import is_box
from hornbeam.core.ordered import tree_map
from hornbeam.core.tensor import convert_to_tensor
from hornbeam.core.typing import Structure, TensorLike
from hornbeam.keras.sources.source import Data
from hornbeam.keras.utils.packing import unpack_x_y_sample_weight

Arrays: TypeAlias = "Structure[TensorLike]"
T = TypeVar("T")

TAKES = (
    "arrays (NumPy, tensors, DataFrames, sparse matrices), a list or dict of arrays, a generator of batches, or a "
    "PyDataset"
)


def host_arrays(tree: Arrays) -> Arrays:
    """Return a structure of arrays of any library, or of lists of numbers, as one of NumPy arrays.

    Sparse matrices stay sparse, in a form whose rows can be taken.
    """
    if tree is None or (type(tree) is np.ndarray and tree.dtype.kind in "fiub"):
        return tree
    return tree_map(host_array, tree, is_leaf=is_array)


def host_array(value: TensorLike) -> np.ndarray:
    """Return one array as a NumPy array of numbers; a sparse matrix in a form whose rows can be taken."""
    if is_sparse(value):
        return value.tocsr()  # type: ignore[union-attr]
    if isinstance(value, np.ndarray):
        array = value
    else:
        array = np.asarray(value if hasattr(value, "__array__") else convert_to_tensor(value))
    if array.dtype == object:
        array = _numbers(value, array)
    is_small = array.dtype.kind == "V" and array.dtype.itemsize <= 2  # bfloat16 and its like
    if array.dtype.kind not in "biufc" and not is_small:
        raise ValueError(
            f"Expected arrays of numbers, received an array of dtype {array.dtype} and shape {array.shape}. Lists of "
            "unequal length must be padded first; text and dates must be turned into numbers."
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


def dense(rows: T) -> T | np.ndarray:
    """Return rows as they are; sparse ones as a NumPy array, zeros included."""
    return rows.toarray() if is_sparse(rows) else rows  # type: ignore[attr-defined]


def is_array(value: object) -> bool:
    """Return whether `value` is one array: an array of any library, or a nested list of numbers."""
    if isinstance(value, (list, tuple)):
        leaf: object = value
        while isinstance(leaf, (list, tuple)) and leaf:
            leaf = leaf[0]
        return isinstance(leaf, (int, float, np.number, np.bool_))
    return is_box(value) or hasattr(value, "__array__") or is_sparse(value)


def common_length(data: Data) -> int:
    """Return the number of rows. Raises ValueError where arrays differ in it, or have none, or `x` is missing."""
    named = zip(("x", "y", "sample_weight"), unpack_x_y_sample_weight(data), strict=True)
    lengths: list[tuple[str, int]] = []
    for name, tree in named:
        for leaf in jax.tree.leaves(tree):
            if not leaf.ndim:
                raise ValueError(
                    f"`{name}` holds a single number; expected an array with one row for each sample."
                )
            lengths.append((name, leaf.shape[0]))
    if not lengths or lengths[0][0] != "x":
        raise ValueError(f"There is no data: `x` is None or empty. It takes {TAKES}.")
    length = lengths[0][1]
    if any(other != length for _, other in lengths):
        told = ", ".join(f"{name}: {n}" for name, n in lengths)
        raise ValueError(
            f"The arrays differ in their number of rows: {told}. Each sample needs one row in each."
        )
    if length == 0:
        raise ValueError("There is no data: the arrays have 0 rows.")
    return length


def split_rows(data: Data, share: float) -> tuple[Data, Data]:
    """Return the rows before and after the split for `validation_split`; the last `share` is for validation."""
    if not 0 < share < 1:
        raise ValueError(f"`validation_split` is a fraction between 0 and 1; received {share!r}.")
    length = common_length(data)
    cut = int(length * (1 - share))
    if cut in (0, length):
        raise ValueError(
            f"validation_split={share} of {length} rows leaves no row for {'training' if cut == 0 else 'validation'}."
        )
    return tree_map(lambda a: a[:cut], data), tree_map(lambda a: a[cut:], data)

"""Element types and what is known of them, under NumPy's names."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam.core.dtypes import DType, as_dtype
from hornbeam.core.tensor import is_tensor
from hornbeam.core.typing import DTypeLike
from hornbeam.core.variable import Variable
from hornbeam.experimental.numpy import promotion


def _plain(kind: Any) -> Any:
    """Return a type that NumPy knows for a DType, anything else as it is."""
    return np.dtype(kind.name) if isinstance(kind, DType) else kind


def promote_types(type1: DTypeLike, type2: DTypeLike) -> Any:
    """Return the smallest type that both can be cast to.

    >>> import hornbeam.experimental.numpy as tnp
    >>> tnp.promote_types(tnp.int32, tnp.float32)
    dtype('float64')
    """
    found = np.promote_types(_plain(type1), _plain(type2))
    return np.dtype(promotion.wide(found.name)) if promotion.prefers_32_bits else found


def result_type(*arrays_and_dtypes: Any) -> DType:
    """Return the type of the sum of values, or of values of the given types.

    >>> import hornbeam.experimental.numpy as tnp
    >>> tnp.result_type(tnp.ones(2, tnp.float32), 1.0)
    tf.float32
    """
    kinds: list[Any] = []
    for each in arrays_and_dtypes:
        if isinstance(each, (bool, int, float, complex, np.dtype, type)):
            kinds.append(each)
        elif isinstance(each, DType):
            kinds.append(_plain(each))
        else:
            is_ours = is_tensor(each) or isinstance(each, Variable)
            kinds.append(_plain(as_dtype(each.dtype if is_ours else np.asarray(each).dtype)))
    return as_dtype(np.result_type(*kinds))


def finfo(dtype: DTypeLike) -> Any:
    """Return the limits of a floating type.

    >>> import hornbeam.experimental.numpy as tnp
    >>> tnp.finfo(tnp.float32).bits
    32
    """
    return np.finfo(_plain(dtype))


def iinfo(int_type: DTypeLike) -> Any:
    """Return the limits of an integer type."""
    return np.iinfo(_plain(int_type))


def issubdtype(arg1: Any, arg2: Any) -> bool:
    """Return whether the first type is of the kind of the second.

    >>> import numpy as np, hornbeam.experimental.numpy as tnp
    >>> tnp.issubdtype(tnp.float32, np.floating)
    True
    """
    return bool(np.issubdtype(_plain(arg1), _plain(arg2)))


def experimental_enable_numpy_behavior(
    prefer_float32: bool = False, dtype_conversion_mode: str = "legacy"
) -> None:
    """Let the functions of this module follow NumPy's rules, with 32 instead of 64 bits where `prefer_float32`.

    They follow them without this call, too, and tensors have NumPy's indexing in any case; NumPy's methods (`x.astype`, `x.T`)
    are not added to tensors: use the functions of this module. "legacy" is the only conversion mode.
    """
    if dtype_conversion_mode != "legacy":
        raise NotImplementedError(
            f"`dtype_conversion_mode` is 'legacy'; received {dtype_conversion_mode!r}."
        )
    promotion.prefer_32_bits(prefer_float32)

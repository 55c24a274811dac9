"""Which type a layer computes in and which its weights are kept in."""

from __future__ import annotations

from typing import Any

from hornbeam.core import config
from hornbeam.core.dtypes import as_dtype
from hornbeam.core.faces import missing_names
from hornbeam.core.tensor import convert_to_tensor, is_tensor
from hornbeam.keras.registry import Configurable, Registry

__all__ = ["DTypePolicy", "FloatDTypePolicy", "get"]

__getattr__ = missing_names(__name__)

registry = Registry("dtype policy", "keras")


class DTypePolicy(Configurable):
    """The types of a layer: "float32", or "mixed_bfloat16" (compute in bfloat16, keep weights in float32), ...

    >>> from hornbeam import keras
    >>> policy = keras.DTypePolicy("mixed_bfloat16")
    >>> policy.compute_dtype, policy.variable_dtype
    ('bfloat16', 'float32')
    """

    def __init__(self, name: str | None = None) -> None:
        """Raises ValueError for an unknown type name."""
        self.name = (
            str(as_dtype(name).name if not isinstance(name, str) else name)
            if name
            else config.floatx()
        )
        mixed = self.name.startswith("mixed_")
        self.compute_dtype = as_dtype(self.name.removeprefix("mixed_")).name
        self.variable_dtype = "float32" if mixed else self.compute_dtype
        if mixed and self.compute_dtype not in ("bfloat16", "float16"):
            raise ValueError(
                f"A mixed policy is 'mixed_bfloat16' or 'mixed_float16'; received {name!r}."
            )

    quantization_mode = None

    def convert_input(self, x: Any, autocast: bool, dtype: Any) -> Any:
        """Arrays as tensors; floating tensors in `dtype` where `autocast` allows it."""
        if not is_tensor(x):
            return x
        x = convert_to_tensor(x)
        return convert_to_tensor(x, dtype) if autocast and x.dtype.is_floating else x

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DTypePolicy) and other.name == self.name

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f'<DTypePolicy "{self.name}">'


FloatDTypePolicy = DTypePolicy
registry.add(DTypePolicy)
registry.add(DTypePolicy, "FloatDTypePolicy", "Policy")

_global: DTypePolicy | None = None


def dtype_policy() -> DTypePolicy:
    """The policy that new layers take: the one set, else `floatx`."""
    return _global or DTypePolicy(config.floatx())


def set_dtype_policy(policy: DTypePolicy | str) -> None:
    """Set the policy that new layers take.

    >>> from hornbeam import keras
    >>> keras.mixed_precision.set_global_policy("mixed_bfloat16")
    >>> keras.layers.Dense(1).compute_dtype
    'bfloat16'
    >>> keras.mixed_precision.set_global_policy("float32")
    """
    global _global
    _global = get(policy)


def get(identifier: Any) -> DTypePolicy:
    """The policy that a name, a dtype, a configuration or a policy stands for; the global one for None."""
    if identifier is None:
        return dtype_policy()
    if isinstance(identifier, DTypePolicy):
        return identifier
    if isinstance(identifier, dict):
        return registry.deserialize(identifier)
    if isinstance(identifier, str):
        return DTypePolicy(str.__str__(identifier))
    return DTypePolicy(as_dtype(identifier).name)

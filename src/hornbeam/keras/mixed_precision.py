"""`keras.mixed_precision`: compute in 16 bits, keep weights in 32."""

from hornbeam.core.faces import missing_names
from hornbeam.keras.dtype_policies import DTypePolicy, dtype_policy, set_dtype_policy
from hornbeam.keras.optimizers import LossScaleOptimizer

Policy = DTypePolicy
global_policy = dtype_policy
set_global_policy = set_dtype_policy

__all__ = [
    "DTypePolicy",
    "LossScaleOptimizer",
    "Policy",
    "dtype_policy",
    "global_policy",
    "set_dtype_policy",
    "set_global_policy",
]

__getattr__ = missing_names(__name__)

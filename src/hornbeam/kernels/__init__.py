"""Numerical kernels on raw `jax.Array` values, one file per kernel.

Each public function states exactly what it takes (layout channels-last, everything static but the
arrays) and computes it with jax.numpy and jax.lax. That form runs on every platform, is the
fallback where no native kernel exists, and is what native kernels are tested against. User-facing
conveniences (defaults, `data_format`, dtype promotion) belong to `hornbeam.ops`.
"""

"""Numerical kernels on raw `jax.Array` values, a folder for each.

Each public function states exactly what it takes (layout channels-last, everything static but the
arrays). `reference.py` computes it with jax.numpy and jax.lax: that form runs on every platform, is
the fallback where no native kernel exists, and is what native kernels are tested against.
`native.py` calls the library, and `__init__.py` chooses by a `Kernel`. User-facing conveniences
(defaults, `data_format`, dtype promotion) belong to `hornbeam.ops`.
"""

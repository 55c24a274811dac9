"""Native kernels beside their jax.numpy references: `python -m benchmarks.kernels [NAME...]`."""

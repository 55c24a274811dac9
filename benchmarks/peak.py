"""The machine's peak: operations per second of the best matrix product that Hornbeam's Python has.

Run as a program it measures and prints JSON; `measure` runs it in a process of its own.
"""

import json
import subprocess
import time
from pathlib import Path

SIZE = 2048
REPEATS = 12
ROOT = Path(__file__).resolve().parent.parent


def measure(python: str) -> dict[str, float]:
    """Operations per second by dtype: {"float32": ..., "bfloat16": ...}."""
    done = subprocess.run(
        [python, "-m", "benchmarks.peak"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def products() -> dict[str, float]:
    """The same, measured in this process: the best of some repeats, for a peak is what nothing disturbed."""
    import jax
    import jax.numpy as jnp

    from hornbeam.kernels.dense import affine

    found = {}
    for dtype in ("float32", "bfloat16"):
        x = jnp.ones((SIZE, SIZE), dtype)
        product = jax.jit(affine)
        product(x, x).block_until_ready()
        times = []
        for _ in range(REPEATS):
            begin = time.perf_counter()
            product(x, x).block_until_ready()
            times.append(time.perf_counter() - begin)
        found[dtype] = 2 * SIZE**3 / min(times)
    return found


if __name__ == "__main__":
    print(json.dumps(products()))

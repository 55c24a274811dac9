"""Native kernels beside their jax.numpy references, value and gradient: `python -m benchmarks.kernels [NAME...]`.

Each is compiled once; turns are interleaved, native, reference, native, ...; the table shows medians, their ratio, and the
floor: the operations of a kernel's products over the measured peak. Winograd's convolutions, zeros that are skipped and
words that come again take fewer operations than that.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from benchmarks import peak
from benchmarks.kernels import images, products, sequences, training
from benchmarks.kernels.kernel import Kernel
from hornbeam.kernels import native

TURNS = 30

FAMILIES: dict[str, Callable[[], Iterator[Kernel]]] = {
    "dense": products.dense_kernels,
    "matmul": products.matmul_kernels,
    "attention": products.attention_kernels,
    "conv": images.conv_kernels,
    "other-conv": images.other_conv_kernels,
    "pool": images.pool_kernels,
    "recurrent": sequences.recurrent_kernels,
    "embedding": sequences.embedding_kernels,
    "normalization": training.normalization_kernels,
    "dropout": training.dropout_kernels,
    "updates": training.update_kernels,
    "row-updates": training.row_update_kernels,
}


def gradients(kernel: Kernel, *args: Any) -> list[Any]:
    """Those of the arguments that are differentiated, for ones that come back."""
    outputs, pull = jax.vjp(kernel.call, *args)
    slopes = pull(jax.tree.map(jnp.ones_like, outputs))
    return [slopes[i] for i in kernel.differentiate]


def _compiled(kernel: Kernel, dtype: str, gradient: bool, natively: bool) -> Callable[[], Any]:
    arguments = tuple(
        a.astype(dtype) if jnp.issubdtype(a.dtype, jnp.floating) else a for a in kernel.arguments
    )

    run = jax.jit(partial(gradients, kernel) if gradient else kernel.call)
    if natively:
        program = run.lower(*arguments).compile()
    else:
        with native.switched_off():
            program = run.lower(*arguments).compile()
    return lambda: jax.block_until_ready(program(*arguments))


def measure(kernel: Kernel, dtype: str, gradient: bool, turns: int) -> tuple[float, float]:
    """Median seconds, native and reference."""
    programs = [_compiled(kernel, dtype, gradient, natively) for natively in (True, False)]
    times: tuple[list[float], list[float]] = ([], [])
    for turn in range(turns + 2):
        for program, each in zip(programs, times, strict=True):
            begin = time.perf_counter()
            program()
            if turn > 1:
                each.append(time.perf_counter() - begin)
    return statistics.median(times[0]), statistics.median(times[1])


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure the named families (all where none is named) and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kernels", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*FAMILIES, []], metavar="NAME")
    parser.add_argument("--turns", type=int, default=TURNS)
    options = parser.parse_args(arguments)
    if not native.available():
        raise SystemExit(f"There are no native kernels here: {native.why_not()}.")
    peaks = peak.products()
    print("| kernel | size | type | what | native, ms | reference, ms | ratio | floor, ms |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for name in options.names or FAMILIES:
        for kernel in FAMILIES[name]():
            for dtype in kernel.dtypes:
                # The gradients of both factors of a product; a first layer has none of its input.
                backward = 3 if 0 in kernel.differentiate else 2
                for gradient, what, passes in ((False, "value", 1), (True, "gradient", backward)):
                    if gradient and not kernel.differentiate:
                        continue
                    ours, theirs = measure(kernel, dtype, gradient, options.turns)
                    floor = passes * kernel.operations / peaks[dtype]
                    shown = " | ".join(f"{1000 * seconds:.3f}" for seconds in (ours, theirs))
                    print(
                        f"| {kernel.name} | {kernel.size} | {dtype} | {what} | {shown} "
                        f"| {theirs / ours:.2f} | {1000 * floor:.3f} |",
                        flush=True,
                    )


if __name__ == "__main__":
    main()

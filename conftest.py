"""Settings of a test run; at the root because the examples in `src` need them as well as `tests`."""

from __future__ import annotations

import contextlib
import gc
import os
import platform
import shutil
import threading
from pathlib import Path
from typing import Any

import jax
import pytest

# Keras reads this when it is first imported: the peer of tests/parity runs on JAX, in this process.
os.environ["KERAS_BACKEND"] = "jax"
# Nothing is written to the user's cache of programs; the tests have one of their own, see below.
os.environ["HORNBEAM_CACHE"] = "0"
# Pictures are drawn to files, on machines with and without a display.
os.environ["MPLBACKEND"] = "Agg"

# The scripts there make files with packages that are not installed here.
collect_ignore_glob = ["tests/files/*/make*.py"]

_SHARED = Path(__file__).resolve().parent.parent / "shared" / "datasets"
if _SHARED.is_dir():
    os.environ.setdefault("HORNBEAM_DATASETS", str(_SHARED))


# Compiling is most of the time of a run, and half of that is spent on making small programs fast. XLA's expensive passes
# change only the last bits: its program, with all fusions, layouts and calls of kernels, is the same text without them, see
# tests/kernels/test_kernel_choice.py. They stay on for benchmarks. HORNBEAM_TEST_OPTIMIZED=1 keeps them on everywhere, as
# `make test-slow` does for long runs.
_OPTIMIZED = ("tests/benchmarks/",)
_OPTIMIZED_ALWAYS = os.environ.get("HORNBEAM_TEST_OPTIMIZED") == "1"
_LARGEST_CACHE = 1 << 30  # bytes
_PROGRAMS_OF_A_CONTEXT = 100

# How XLA writes code is chosen once for a process, so this holds for all tests: JAX 0.10's newer generator of loops takes
# two to three times as long as the older one and changes nothing but the last bits. Later versions have no other,
# and a flag that is unknown ends the process.
if not _OPTIMIZED_ALWAYS and jax.__version_info__ < (0, 11):
    os.environ.setdefault(
        "XLA_FLAGS",
        "--xla_cpu_use_fusion_emitters=false --xla_cpu_parallel_codegen_split_count=1",
    )


def _share_contexts() -> None:
    """Let JAX write many programs in one context of MLIR: making one takes it longer than writing a small program.

    Each thread has its own, and from time to time a new one: constants of a program stay in its context.
    """
    from jax._src.interpreters import mlir  # noqa: TID251 - there is no public way

    made, kept = mlir.make_ir_context, threading.local()

    def make_ir_context() -> Any:
        kept.programs = getattr(kept, "programs", 0) + 1
        if kept.programs % _PROGRAMS_OF_A_CONTEXT == 1:
            kept.context = made()
        return kept.context

    mlir.make_ir_context = make_ir_context


def pytest_configure(config: pytest.Config) -> None:
    """Keep compiled programs for all workers of a run, and for the next run."""
    if not _OPTIMIZED_ALWAYS and jax.__version_info__ < (0, 11):
        _share_contexts()
    cache = getattr(config, "cache", None)
    if cache is None:  # -p no:cacheprovider
        return
    # Code for one processor may not run on another.
    programs = Path(cache.mkdir(f"programs-{platform.node()}"))
    if not hasattr(config, "workerinput"):
        if sum(each.stat().st_size for each in programs.iterdir()) > _LARGEST_CACHE:
            shutil.rmtree(programs)
        programs.mkdir(exist_ok=True)
    # Set here rather than in the environment: a test's subprocesses start as a user's do.
    jax.config.update("jax_compilation_cache_dir", str(programs))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Compile a test's programs with or without XLA's expensive passes."""
    optimized = _OPTIMIZED_ALWAYS or item.nodeid.startswith(_OPTIMIZED)
    jax.config.update("jax_disable_most_optimizations", not optimized)


def pytest_collection_finish() -> None:
    """Leave modules and tests, hundreds of thousands of objects that stay, out of later collections of garbage."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _same_start(request: pytest.FixtureRequest) -> None:
    """Every test starts from the same seed; a docstring example also from fresh layer names."""
    with contextlib.suppress(ImportError):
        from hornbeam import keras

        if isinstance(request.node, pytest.DoctestItem):
            keras.utils.clear_session()
        keras.utils.set_random_seed(0)

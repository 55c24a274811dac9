"""Freed memory is kept for the next step, unless the environment configures malloc."""

import os
import subprocess
import sys

COUNT_FAULTS = """
import ctypes, resource, threading
from hornbeam.core.memory import keep_freed_memory
kept = keep_freed_memory()
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.malloc.argtypes = [ctypes.c_size_t]
libc.free.argtypes = [ctypes.c_void_p]
def use():
    p = libc.malloc(128 << 20)
    ctypes.memset(p, 1, 128 << 20)
    libc.free(p)
def use_in_a_thread():
    thread = threading.Thread(target=use)
    thread.start()
    thread.join()
use_in_a_thread()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
use_in_a_thread()
print(kept, resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before > 1000)
"""


def run(**environment):
    environment = {**os.environ, **environment}
    result = subprocess.run(
        [sys.executable, "-c", COUNT_FAULTS], env=environment, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.split()


def test_memory_of_128_mb_is_used_again_in_any_thread():
    kept, faults = run()
    assert (kept, faults) in {("True", "False"), ("False", "True")}


def test_the_environment_comes_first():
    assert run(MALLOC_MMAP_THRESHOLD_="65536") == ["False", "True"]

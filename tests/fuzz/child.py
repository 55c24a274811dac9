"""Fuzz one target in this process: started by `python -m tests.fuzz`, which survives what this process does not."""

from __future__ import annotations

import argparse
import contextlib
import encodings.ascii  # noqa: F401  # h5py decodes texts so, and the import would be a finding
import importlib
import importlib.util
import os
import resource
import signal
import sys
import tempfile
import warnings
from pathlib import Path
from random import Random
from typing import Any

_ROOT = Path(__file__).parents[2]
_READERS = ("hornbeam.keras.saving", "hornbeam.keras.registry", "hornbeam.train", "hornbeam.core.protobuf")  # fmt: skip
_DATA = 4 << 30  # bytes that the process may ask for altogether
_HANG = 20.0  # seconds of processor time


def instrumented() -> contextlib.AbstractContextManager[Any]:
    """Return the scope in which modules are imported so that atheris sees which way the readers among them go."""
    import atheris  # not a requirement of the tests

    source = _ROOT / "src"
    names = {
        ".".join(path.relative_to(source).with_suffix("").parts).removesuffix(".__init__")
        for path in source.rglob("*.py")
    }
    others = [name for name in names if not name.startswith(_READERS)]
    return atheris.instrument_imports(include=["hornbeam"], exclude=others)


def main() -> None:
    """Fuzz; the process ends by a signal where a run does not end."""
    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    parser.add_argument("journal", type=Path)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--input", help="one input, in hexadecimal digits")
    options = parser.parse_args()
    has_atheris = importlib.util.find_spec("atheris") is not None and not options.input
    # JAX imports it with the first op that needs it, and that would be a finding.
    importlib.import_module("jaxlib.mlir.dialects.mhlo")
    with instrumented() if has_atheris else contextlib.nullcontext():
        import tests.fuzz.readers  # noqa: F401  # must be seen by atheris
    fuzz(options, has_atheris)


def fuzz(options: argparse.Namespace, has_atheris: bool) -> None:
    """Look for findings and note them."""
    from tests.fuzz.journal import Journal
    from tests.fuzz.judge import Judge, Outcome
    from tests.fuzz.search import search, search_with_atheris
    from tests.fuzz.targets import TARGETS
    from tests.hostile.watching import start_watching

    warnings.simplefilter("ignore")
    resource.setrlimit(resource.RLIMIT_DATA, (_DATA, _DATA))
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    journal = Journal(options.journal)
    known = {line["key"] for line in journal.lines()}
    folder = Path(tempfile.mkdtemp(prefix="hornbeam-fuzz-"))
    os.chdir(folder)
    (work := folder / "work").mkdir()
    judge = Judge(TARGETS[options.name], work)
    for first in range(24):  # what is loaded and compiled once is loaded and compiled
        judge.run(bytes([first] * 3))
    start_watching()

    def run(data: bytes) -> Outcome:
        journal.begin(data)
        signal.setitimer(signal.ITIMER_PROF, _HANG)
        outcome = judge.run(data)
        signal.setitimer(signal.ITIMER_PROF, 0)
        for key in (
            outcome.key,
            outcome.problem and f"finding: {outcome.key}: {outcome.problem[-300:]}",
        ):
            if key and key not in known:
                known.add(key)
                said = (
                    {"problem": outcome.problem, "input": data.hex()} if key != outcome.key else {}
                )
                journal.note(key=key, **said)
        return outcome

    if options.input:
        outcome = run(bytes.fromhex(options.input))
        sys.stdout.write(f"{outcome.key}\n{outcome.problem}\nfiles: {work}\n")
    elif has_atheris:
        search_with_atheris(
            run, options.seed, options.seconds, options.journal.with_suffix(".corpus")
        )
    else:
        search(run, Random(options.seed), options.seconds)


if __name__ == "__main__":
    main()

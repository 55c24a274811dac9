"""`python -m hornbeam`: run a TensorFlow or Keras script, or one of Hornbeam's own commands."""

from __future__ import annotations

import importlib
import os
import sys

import hornbeam
from hornbeam.core.errors import did_you_mean
from hornbeam.core.memory import keep_freed_memory
from hornbeam.launch import runner
from hornbeam.version import VERSION

# Commands and what they do; each is the module `hornbeam.cli.<name>` with a function `main(argv)`.
COMMANDS = {
    "doctor": "say what Hornbeam found on this machine, and what it uses",
    "show": "print what a file of a model holds, without loading it",
    "check": "say whether a file of a model is whole: structure, checksums, every array",
    "demo": "train a small network on handwritten digits and save pictures of the result",
}

_COMMANDS = "\n".join(f"  {name:8} {text}" for name, text in COMMANDS.items())
USAGE = f"""\
usage: python -m hornbeam SCRIPT [ARGS...]      run a TensorFlow or Keras script on Hornbeam
       python -m hornbeam -m MODULE [ARGS...]   run a module of such code
       python -m hornbeam -c CODE [ARGS...]     run a piece of such code
       python -m hornbeam - [ARGS...]           the same, from the standard input
       python -m hornbeam COMMAND [ARGS...]
       python -m hornbeam --version | --help

commands:
{_COMMANDS}
"""


def main(argv: list[str] | None = None) -> int:
    """Do what the arguments say and return the exit status; what a script raises passes through."""
    keep_freed_memory()
    argv = sys.argv[1:] if argv is None else argv
    if not argv:
        return _usage_error("nothing to run")
    first, *rest = argv
    if first in ("-h", "--help"):
        sys.stdout.write(USAGE)
        return 0
    if first in ("-V", "--version"):
        sys.stdout.write(_version())
        return 0
    if first in COMMANDS and not os.path.exists(first):
        # By name: a command brings its own dependencies, which a script should not wait for.
        return importlib.import_module(f"hornbeam.cli.{first}").main(rest) or 0
    try:
        return _run(first, rest)
    except runner.CannotRun as error:
        return _failed(f"{error}{did_you_mean(first, COMMANDS)}\n")


def _run(first: str, rest: list[str]) -> int:
    if first in ("-m", "-c"):
        if not rest:
            return _usage_error(f"{first} needs {'a module' if first == '-m' else 'code'} to run")
        run = runner.run_module if first == "-m" else runner.run_code
        run(rest[0], rest[1:])
    elif first == "-":
        runner.run_stdin(rest)
    elif first.startswith("-"):
        return _usage_error(f"unknown option {first!r}")
    else:
        runner.run_script(first, rest)
    return 0


def _version() -> str:
    apis = f"TensorFlow {VERSION}, Keras {hornbeam.keras.__version__}"
    return f"Hornbeam {hornbeam.__version__} (API of {apis})\n"


def _usage_error(text: str) -> int:
    return _failed(f"{text}\n\n{USAGE}")


def _failed(text: str) -> int:
    sys.stderr.write(f"hornbeam: {text}")
    return 2


if __name__ == "__main__":
    sys.exit(main())

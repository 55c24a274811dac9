"""`python -m hornbeam check FILE`: is a file of a model whole? Structure, checksums and hashes, every array read once.

The exit status is 0 for a whole file, 1 for a damaged one, 2 where there is none or its format is not known. Nothing in
the file is run.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence

from hornbeam.cli.show import escape_unknown_characters, plain
from hornbeam.core.sizes import readable_size
from hornbeam.keras.saving.inspection import Contents, UnknownFormatError, inspected


def main(argv: Sequence[str] | None = None) -> int:
    """Print what is wrong, or that nothing is; return the exit status."""
    parser = argparse.ArgumentParser(prog="hornbeam check", description=__doc__)
    parser.add_argument("file", help="a file, a folder, or the prefix of a checkpoint")
    path = parser.parse_args(argv).file
    escape_unknown_characters()
    try:
        with inspected(path) as contents:
            problems = list(problems_of(contents))
    except (OSError, UnknownFormatError) as error:
        return _failed(error, 2)
    except ValueError as error:
        return _failed(error, 1)
    for problem in problems:
        sys.stdout.write(f"damaged: {plain(problem, 1000)}\n")
    if problems:
        sys.stdout.write(f"{path}: {len(problems)} of {len(contents.checks)} checks failed.\n")
        return 1
    sys.stdout.write(f"{path} is whole: {_summary(contents)}\n")
    return 0


def problems_of(contents: Contents) -> Iterator[str]:
    """Yield what is wrong."""
    for check in contents.checks.values():
        try:
            check()
        except (OSError, ValueError) as error:
            yield str(error)


def _summary(contents: Contents) -> str:
    size = readable_size(sum(array.size for array in contents.arrays))
    found = f"{contents.kind}, {len(contents.arrays)} arrays of {size}"
    if contents.has_checksums:
        return f"{found}; checksums agree."
    return f"{found}. The file has no checksums, so a changed number can't be seen."


def _failed(error: Exception, status: int) -> int:
    sys.stderr.write(f"hornbeam check: {plain(error, 2000)}{os.linesep}")
    return status

"""Words for the person who waits: standard error, so that standard output is the table alone."""

import sys


def say(text: str) -> None:
    """One line on standard error, at once."""
    print(text, file=sys.stderr, flush=True)

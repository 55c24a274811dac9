"""The one way in which Hornbeam fetches a file: only when asked to, checked, and whole or not at all."""

from __future__ import annotations

import http.client
import os
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from typing import TextIO

from hornbeam.core.atomic import atomic_write
from hornbeam.core.sizes import readable_size

__all__ = ["download"]

BLOCK = 1 << 18  # bytes read at a time
TIMEOUT = 30.0  # seconds without a byte before giving up
REDRAW = 0.1  # seconds between two states of the progress bar
BAR = 30  # characters


def download(
    url: str, target: str | os.PathLike[str], check: Callable[[str], None] | None = None
) -> None:
    """Fetch `url` into the file `target`, which appears (or is replaced) only when all of it is there and checked.

    Args:
        url: address; the certificate of an https server is verified.
        target: file to write; its folder is made where it is missing.
        check: called with the path of the finished but not yet named file; an error that it raises ends the download.

    Raises:
        OSError: with the address and the reason: no connection, an answer other than success, a transfer that broke
            off, or a folder that cannot be written.
    """
    os.makedirs(os.path.dirname(os.path.abspath(target)), exist_ok=True)
    with atomic_write(target) as file:
        for block in _received(url):
            file.write(block)
        file.flush()
        if check is not None:
            check(file.name)


def _received(url: str) -> Iterator[bytes]:
    """The blocks of what `url` answers; every failure on the way is an OSError that names the address."""
    try:
        request = urllib.request.Request(url, headers={"User-Agent": "hornbeam"})
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
            length = answer.headers.get("Content-Length")
            expected = int(length) if length and length.isdigit() else None
            progress = _Progress(url, expected, sys.stderr)
            done = 0
            while block := answer.read(BLOCK):
                done += len(block)
                progress.show(done)
                yield block
            if expected is not None and done < expected:  # http.client reports no short answer
                progress.end(f"broke off after {readable_size(done)}")
                raise OSError(f"the transfer broke off after {done} of {expected} bytes")
            progress.end(f"{readable_size(done)} received")
    except (OSError, http.client.HTTPException, ValueError) as error:
        if isinstance(error, urllib.error.HTTPError):
            error.close()  # it holds the connection
        reason = str(error) or type(error).__name__
        raise OSError(f"Downloading {url} failed: {reason}") from error


class _Progress:
    """How far a download is: a bar that is redrawn on a terminal, two plain lines elsewhere.

    It goes to stderr, so that what a script prints stays its own.
    """

    def __init__(self, url: str, total: int | None, stream: TextIO | None) -> None:
        self._stream = stream
        self._total = total
        self._terminal = stream is not None and stream.isatty()
        self._drawn = time.monotonic()
        size = f" ({readable_size(total)})" if total else ""
        self._write(f"Downloading {url}{size}\n")

    def show(self, done: int) -> None:
        now = time.monotonic()
        if not self._terminal or now - self._drawn < REDRAW:
            return
        self._drawn = now
        if self._total:
            filled = min(BAR, BAR * done // self._total)
            percent = min(100, 100 * done // self._total)
            bar = "#" * filled + "." * (BAR - filled)
            self._write(f"\r[{bar}] {percent:3d}% {readable_size(done)}\x1b[K")
        else:
            self._write(f"\r{readable_size(done)}\x1b[K")

    def end(self, text: str) -> None:
        self._write(f"\r{text}\x1b[K\n" if self._terminal else f"{text}\n")

    def _write(self, text: str) -> None:
        if self._stream is not None:
            self._stream.write(text)
            self._stream.flush()

"""The parent's end of a worker process."""

import contextlib
import json
import os
import select
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from benchmarks.cases import Case
from benchmarks.frameworks import Framework

PATIENCE = 600.0
"""Seconds to wait for an answer before the worker counts as hung."""

ROOT = Path(__file__).resolve().parent.parent


class WorkerError(RuntimeError):
    """A worker ended, or hung; the message carries the last lines it wrote."""


class Worker:
    """A started process; a context manager that ends it.

    Standard error goes to a file rather than a pipe: a pipe that nobody reads fills up and stops
    the writer.
    """

    def __init__(self, framework: Framework, case: Case, python: str) -> None:
        self.framework = framework
        self.log = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed by `close`
        self.process = subprocess.Popen(
            [python, "-m", "benchmarks.worker"],
            cwd=ROOT,
            env={**os.environ, **framework.environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
        )
        self.setup = {
            "case": case.name,
            "steps": case.steps,
            "module": framework.module,
            "packages": framework.packages,
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def open(self) -> dict[str, Any]:
        """Import, build the model and make the data; the packages' versions, and what can be measured."""
        return self.ask(self.setup)

    def ask(self, command: dict[str, Any]) -> dict[str, Any]:
        """Send a command and wait for its answer."""
        assert self.process.stdin is not None and self.process.stdout is not None
        try:
            print(json.dumps(command), file=self.process.stdin, flush=True)
        except BrokenPipeError:
            raise WorkerError(self._last_words()) from None
        readable, _, _ = select.select([self.process.stdout], [], [], PATIENCE)
        if not readable:
            self.process.kill()
            raise WorkerError(f"no answer in {PATIENCE:.0f} s to {command}")
        answer = self.process.stdout.readline()
        if not answer:
            raise WorkerError(self._last_words())
        return json.loads(answer)

    def close(self) -> None:
        """End the process: kindly (its input ends), after a while by force."""
        if self.process.stdin is not None and not self.process.stdin.closed:
            with contextlib.suppress(BrokenPipeError):  # it has ended already
                self.process.stdin.close()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()
        self.log.close()

    def _last_words(self) -> str:
        status = self.process.wait()
        self.log.seek(0)
        lines = self.log.read().strip().splitlines()[-5:]
        return f"worker ended with status {status}: " + "\n".join(lines)

"""Starts the process that fuzzes a target, sees it die, and starts it again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.fuzz.journal import Journal

ROOT = Path(__file__).parents[2]
_STUCK = 300.0  # seconds without a new run
_SLOW_START = 1800.0  # seconds until the first, where others take the processor
_PROGRESS = 300.0  # seconds between lines


class Supervisor:
    """One target."""

    def __init__(
        self,
        name: str,
        logs: Path,
        seconds: float,
        seed: int,
        data: str | None = None,
        command: list[str] | None = None,
    ) -> None:
        """`data` is a single input to be run; `command` replaces the process."""
        self.name = name
        self.findings = 0
        self._path = logs / name
        self._seconds, self._seed, self._input = seconds, seed, data
        self._command = command
        self._journal = Journal(self._path)
        self._before = len(self._journal.lines()), self._journal.runs, self._journal.seconds
        self._told = self._before[0]
        self._begin = self._end = 0.0
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Begin."""
        self._begin = time.monotonic()
        self._end = self._begin + self._seconds
        self._spoken = self._begin
        self._spawn()

    def _spawn(self) -> None:
        self._path.with_suffix(".corpus").mkdir(exist_ok=True)
        left = max(self._end - time.monotonic(), 1)
        command = self._command or [sys.executable, "-m", "tests.fuzz.child"]
        command = [
            *command,
            self.name,
            str(self._path),
            f"--seconds={left}",
            f"--seed={self._seed}",
        ]
        command += [f"--input={self._input}"] if self._input else []
        with self._path.with_suffix(".log").open("ab") as log:
            out = None if self._input else log
            python = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
            self._process = subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=out, env={**os.environ, "PYTHONPATH": python})  # fmt: skip
        self._runs, self._seen = self._journal.runs, time.monotonic()
        self._started = self._runs

    def look(self) -> bool:
        """Tell what is new; return whether there is more to come."""
        if self._process is None:
            return False
        now, status = time.monotonic(), self._process.poll()
        if self._journal.runs != self._runs:
            self._runs, self._seen = self._journal.runs, now
        if status is None and now - self._seen > (
            _SLOW_START if self._runs == self._started else _STUCK
        ):
            self._process.kill()
            status = self._process.wait()
        if status is not None:
            self._ended(status)
        self._tell()
        if self._process is None or now - self._spoken > _PROGRESS:
            self._spoken = now
            self._print(self.summary())
        return self._process is not None

    def _ended(self, status: int) -> None:
        """Note a death, and start again where there is time left."""
        self._process = None
        if status and self._input is None:
            self._seed += 1
            how = signal.Signals(-status).name if status < 0 else f"status {status}"
            key = f"finding: the process ended with {how}, or did not end"
            self._journal.note(key=key, problem=key, input=self._journal.last.hex())
            if time.monotonic() < self._end and self.findings < 20:
                self._spawn()

    def _tell(self) -> None:
        lines = self._journal.lines()
        for line in lines[self._told :]:
            if line.get("problem"):
                self.findings += 1
                self._print(
                    f"{line['problem']}\n  python -m tests.fuzz {self.name} --input {line['input']}"
                )
        self._told = len(lines)

    def stop(self) -> None:
        """End the process, where there is one."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def summary(self) -> str:
        """Return the figures so far."""
        lines = self._journal.lines()
        outcomes = sum("problem" not in line for line in lines)
        seconds = time.monotonic() - self._begin
        runs, cpu = self._journal.runs - self._before[1], self._journal.seconds - self._before[2]
        return f"{runs} runs in {seconds:.0f} s ({cpu:.0f} s of processor time), {outcomes} outcomes, {self.findings} findings"

    def _print(self, text: str) -> None:
        sys.stdout.write(f"{self.name}: {text}\n")
        sys.stdout.flush()
        with self._path.with_suffix(".log").open("a") as log:
            log.write(f"{text}\n")

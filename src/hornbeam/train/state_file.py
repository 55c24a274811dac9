"""The file `checkpoint` in a folder of checkpoints: which of them there are, and which is the newest.

It is a CheckpointState in protobuf's text form (tensorflow/python/training/checkpoint_state.proto): lines such as
`model_checkpoint_path: "ckpt-3"`, where paths are relative to the folder if the checkpoints lie in it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from hornbeam.core.atomic import atomic_write
from hornbeam.core.user_code import warn

_NAME = "checkpoint"
# 10,000 checkpoints with long paths.
_LARGEST = 8 << 20
_LINE = re.compile(r'\s*(\w+)\s*:\s*(?:"((?:[^"\\]|\\.)*)"|\'((?:[^\'\\]|\\.)*)\'|([-+.\w]+))\s*')
_SKIPPED = re.compile(r"(?:\s*#[^\n]*\n)*\s*")
_ESCAPE = re.compile(rb"\\([0-7]{1,3}|x[0-9a-fA-F]{1,2}|.)", re.DOTALL)
_ESCAPED = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"a": b"\a", b"b": b"\b", b"f": b"\f", b"v": b"\v"}  # fmt: skip


@dataclass
class CheckpointState:
    """What the file says; paths are complete, times are seconds since 1970."""

    model_checkpoint_path: str = ""
    all_model_checkpoint_paths: list[str] = field(default_factory=list)
    all_model_checkpoint_timestamps: list[float] = field(default_factory=list)
    last_preserved_timestamp: float = 0.0


def get_checkpoint_state(
    checkpoint_dir: str | os.PathLike[str], latest_filename: str | None = None
) -> CheckpointState | None:
    """Return what the file `checkpoint` of a folder says; None if there is no such file.

    Warn, and return None, if it can't be understood.

    >>> import hornbeam as tf
    >>> tf.train.get_checkpoint_state("folder") is None
    True
    """
    path = state_path(checkpoint_dir, latest_filename)
    try:
        if os.path.getsize(path) > _LARGEST:
            raise ValueError(f"it has more than {_LARGEST} bytes")
        with open(path, "rb") as file:
            state = _parsed(file.read().decode())
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
    except ValueError as error:  # UnicodeDecodeError is one
        warn(f"{path} is not a list of checkpoints and is ignored: {error}.")
        return None
    folder = os.fspath(checkpoint_dir)
    state.model_checkpoint_path = os.path.join(folder, state.model_checkpoint_path)
    paths = [os.path.join(folder, each) for each in state.all_model_checkpoint_paths]
    state.all_model_checkpoint_paths = paths
    return state


def state_path(folder: str | os.PathLike[str], name: str | None = None) -> str:
    """Return the path of the file."""
    return os.path.join(os.fspath(folder), name or _NAME)


def write_state(
    folder: str | os.PathLike[str],
    latest: str,
    paths: Sequence[str],
    timestamps: Iterable[float] = (),
    last_preserved: float | None = None,
) -> None:
    """Write the file of a folder, whole or not at all; the arguments are those of `state_text`."""
    text = state_text(folder, latest, paths, timestamps, last_preserved)
    with atomic_write(state_path(folder)) as file:
        file.write(text.encode())


def state_text(
    folder: str | os.PathLike[str],
    latest: str,
    paths: Sequence[str],
    timestamps: Iterable[float] = (),
    last_preserved: float | None = None,
) -> str:
    """Return the text of the file for checkpoints of these prefixes, the oldest first."""
    folder = os.path.abspath(folder)

    def line(name: str, path: str) -> str:
        path = os.path.abspath(path)
        inside = os.path.relpath(path, folder)
        return f'{name}: "{_escaped(path if inside.startswith("..") else inside)}"\n'

    lines = [line("model_checkpoint_path", latest)]
    lines += [line("all_model_checkpoint_paths", path) for path in paths]
    lines += [f"all_model_checkpoint_timestamps: {time!r}\n" for time in timestamps]
    if last_preserved is not None:
        lines.append(f"last_preserved_timestamp: {last_preserved!r}\n")
    return "".join(lines)


def _escaped(text: str) -> str:
    plain = text.replace("\\", "\\\\").replace('"', '\\"').replace("'", "\\'").replace("\n", "\\n")
    return "".join(
        chr(byte) if 32 <= byte < 127 else f"\\{byte:03o}"
        for byte in plain.encode(errors="surrogateescape")
    )


def _unescaped(text: str) -> str:
    def plain(found: re.Match[bytes]) -> bytes:
        code = found[1]
        if code[:1].isdigit():
            return bytes([int(code, 8) & 0xFF])
        if code[:1] == b"x" and len(code) > 1:
            return bytes([int(code[1:], 16)])
        return _ESCAPED.get(code, code)

    return _ESCAPE.sub(plain, text.encode()).decode(errors="surrogateescape")


def _parsed(text: str) -> CheckpointState:
    """Return the state as it is written. Raises ValueError for what is not protobuf's text form."""
    state = CheckpointState()
    at = 0
    while (at := _end(_SKIPPED, text, at)) < len(text):
        found = _LINE.match(text, at)
        if found is None:
            raise ValueError(f"line {text.count(chr(10), 0, at) + 1} is not a field with a value")
        at = found.end()
        name, double, single, number = found.groups()
        quoted = double if double is not None else single
        if name == "model_checkpoint_path" and quoted is not None:
            state.model_checkpoint_path = _unescaped(quoted)
        elif name == "all_model_checkpoint_paths" and quoted is not None:
            state.all_model_checkpoint_paths.append(_unescaped(quoted))
        elif name == "all_model_checkpoint_timestamps" and number is not None:
            state.all_model_checkpoint_timestamps.append(float(number))
        elif name == "last_preserved_timestamp" and number is not None:
            state.last_preserved_timestamp = float(number)
        else:
            raise ValueError(f"the field {name!r} is unknown or has a value of another kind")
    return state


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at

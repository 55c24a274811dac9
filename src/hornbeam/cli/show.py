"""`python -m hornbeam show FILE`: what a file of a model holds. Nothing is loaded, and nothing in it is run."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from hornbeam.core.sizes import readable_size
from hornbeam.keras.saving.inspection import Contents, inspected

# Arguments of a layer that say most about it.
_TELLING = (
    "units",
    "filters",
    "kernel_size",
    "strides",
    "pool_size",
    "input_dim",
    "output_dim",
    "num_heads",
    "key_dim",
    "rate",
    "activation",
    "batch_shape",
    "batch_input_shape",
    "target_shape",
    "return_sequences",
    "max_tokens",
)
_COMPILED = ("optimizer", "optimizer_config", "loss", "loss_weights", "metrics", "weighted_metrics")
_LONGEST = 100  # characters of a text that a file brings
_DEEPEST = 20


def main(argv: Sequence[str] | None = None) -> int:
    """Print what the file holds; return 2 where it can't be opened."""
    parser = argparse.ArgumentParser(prog="hornbeam show", description=__doc__)
    parser.add_argument("file", help="a file, a folder, or the prefix of a checkpoint")
    options = parser.parse_args(argv)
    escape_unknown_characters()
    try:
        with inspected(options.file) as contents:
            sys.stdout.write("\n".join(report(options.file, contents)) + "\n")
    except (OSError, ValueError) as error:
        sys.stderr.write(f"hornbeam show: {plain(error, 2000)}\n")
        return 2
    return 0


def escape_unknown_characters() -> None:
    """Let characters that the terminal's encoding lacks be printed as escapes, instead of an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def report(path: str, contents: Contents) -> Iterator[str]:
    """Yield the lines of a report."""
    size = f", {readable_size(os.path.getsize(path))}" if os.path.isfile(path) else ""
    yield f"{path}: {contents.kind}{size}"
    yield from (f"  {plain(name)}: {plain(value)}" for name, value in contents.facts.items())
    if contents.members:
        yield from ("", "Files")
        yield from _table([(plain(n), readable_size(s)) for n, s in contents.members.items()])
    if contents.config is not None:
        yield from ("", f"Model: {_headline(contents.config)}")
        yield from _table(list(_layers(contents.config, 0)))
    if isinstance(contents.training, dict):
        yield from ("", "Compiled with")
        yield from _table(list(_compiled(contents.training)))
    if contents.arrays:
        yield from ("", "Arrays")
        rows = [
            (plain(a.path), plain(a.dtype), str(a.shape), plain(a.problem) if a.problem else "")
            for a in contents.arrays
        ]
        yield from _table(rows)
        total = sum(array.size for array in contents.arrays)
        yield f"  {len(rows)} arrays, {readable_size(total)}"


def plain(value: object, longest: int = _LONGEST) -> str:
    """Return a text that can't do anything to a terminal: one line, printable, not too long."""
    text = str(value)
    text = text if len(text) <= longest else text[:longest] + "..."
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def _table(rows: list[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield f"  {'  '.join(cells)}".rstrip()


def _parts(config: Any) -> tuple[str, dict[str, Any]]:
    """Return the class and the arguments that a configuration names."""
    if not isinstance(config, dict):
        return plain(config), {}
    inner = config.get("config")
    if isinstance(inner, list):  # a Sequential model of the first versions
        inner = {"layers": inner}
    return plain(config.get("class_name")), inner if isinstance(inner, dict) else {}


def _headline(config: Any) -> str:
    kind, inner = _parts(config)
    return f"{kind} {plain(inner.get('name', ''))!r}"


def _layers(config: Any, depth: int) -> Iterator[tuple[str, str, str]]:
    """Yield name, class and telling arguments of each layer, those of models inside indented."""
    layers = _parts(config)[1].get("layers")
    for layer in layers if isinstance(layers, list) and depth < _DEEPEST else ():
        kind, inner = _parts(layer)
        name = inner.get("name") or (layer.get("name") if isinstance(layer, dict) else "")
        telling = ", ".join(
            f"{key}={plain(_short(inner[key]), 40)}"
            for key in _TELLING
            if inner.get(key) is not None
        )
        yield f"{'  ' * depth}{plain(name or '')}", kind, telling
        yield from _layers(layer, depth + 1)


def _compiled(training: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for key in _COMPILED:
        value = training.get(key)
        if value not in (None, [], {}):
            yield key.removesuffix("_config"), plain(_short(value), 200)


def _short(value: Any) -> Any:
    """Return a configuration as a call: Adam(learning_rate=0.001)."""
    if isinstance(value, dict) and "class_name" in value:
        kind, inner = _parts(value)
        if kind == "__tuple__" or "items" in inner:
            return tuple(map(_short, inner.get("items") or ()))
        rate = inner.get("learning_rate")
        return f"{kind}(learning_rate={_short(rate)})" if rate is not None else kind
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(str(_short(each)) for each in value[:20])}]"
    if isinstance(value, dict):
        pairs = list(value.items())[:20]
        return f"{{{', '.join(f'{key}: {_short(each)}' for key, each in pairs)}}}"
    return value

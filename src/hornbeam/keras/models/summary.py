"""The table that `model.summary()` prints."""

from __future__ import annotations

import math
import shutil
import sys
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from hornbeam.core.op import is_box
from hornbeam.core.ordered import tree_map
from hornbeam.core.variable import Variable
from hornbeam.keras.engine.graph import Graph
from hornbeam.keras.engine.layer import Layer

# Edges of the table: (left, line, middle, right) for top, below the head, between rows, bottom; then the bars.
_BOX = ("┏━┳┓", "┡━╇┩", "├─┼┤", "└─┴┘", "┃│")
_ASCII = ("+-++", "+=++", "+-++", "+-++", "||")


def print_summary(
    model: Any,
    line_length: int | None = None,
    positions: list[float] | None = None,
    print_fn: Callable[[str], Any] | None = None,
    expand_nested: bool = False,
    show_trainable: bool = False,
    layer_range: Any = None,
) -> None:
    """Print the layers of a model, their output shapes and numbers of weights, then the totals."""
    write = print_fn or print
    box = _BOX if print_fn is not None or _can_write("".join(_BOX)) else _ASCII
    graph: Graph | None = model._graph
    shows_links = graph is not None and not _is_chain(graph)
    head = ["Layer (type)", "Output Shape", "Param #"]
    head += (["Connected to"] if shows_links else []) + (["Trainable"] if show_trainable else [])
    rows = [
        _row(layer, depth, owner, shows_links, show_trainable)
        for layer, depth, owner in _listed(
            _in_range(model.layers, layer_range), expand_nested, graph
        )
    ]
    widths = _widths(head, rows, line_length, positions)
    write(f'Model: "{model.name}"')
    write("\n".join(_table(head, rows, widths, box)))
    for line in _totals(model):
        write(line)


def _in_range(layers: list[Layer], names: Any) -> list[Layer]:
    if names is None:
        return layers
    first, last = names
    places = [i for i, layer in enumerate(layers) if layer.name in (first, last)]
    if not places:
        raise ValueError(f"`layer_range` names no layer of the model; received {names!r}.")
    return layers[places[0] : places[-1] + 1]


def _listed(
    layers: Iterable[Layer], expand: bool, graph: Graph | None, depth: int = 0
) -> Iterable[tuple[Layer, int, Graph | None]]:
    for layer in layers:
        yield layer, depth, graph
        if expand and hasattr(layer, "summary"):
            yield from _listed(layer.layers, expand, layer._graph, depth + 1)  # type: ignore[attr-defined]


def _row(layer: Layer, depth: int, graph: Graph | None, links: bool, trainable: bool) -> list[str]:
    indent = "  " * depth + ("└ " if depth else "")
    count = f"{layer.count_params():,}" if layer.built else "0 (unbuilt)"
    cells = [f"{indent}{layer.name} ({type(layer).__name__})", _shape_text(layer, graph), count]
    if links:
        cells.append(", ".join(_sources(layer, graph)) or "-")
    if trainable:
        cells.append(("Y" if layer.trainable else "N") if layer.weights else "-")
    return cells


def _shape_text(layer: Layer, graph: Graph | None) -> str:
    nodes = [n for n in (graph.nodes if graph else layer._inbound_nodes) if n.operation is layer]
    if not nodes:
        return "?"
    shapes = tree_map(lambda x: tuple(x.shape), nodes[0].outputs, is_leaf=is_box)
    if isinstance(shapes, list):
        return ", ".join(map(str, shapes))
    return str(shapes)


def _sources(layer: Layer, graph: Graph | None) -> list[str]:
    found = []
    for node in graph.nodes if graph else []:
        if node.operation is layer:
            found += [
                f"{t.node.operation.name}[0][{t.output_index}]" for t in node.inputs if t.node
            ]
    return found


def _is_chain(graph: Graph) -> bool:
    used: dict[int, int] = {}
    for node in graph.nodes:
        if len(node.inputs) > 1:
            return False
        for tensor in node.inputs:
            used[id(tensor)] = used.get(id(tensor), 0) + 1
    return all(count == 1 for count in used.values())


def _widths(
    head: list[str], rows: list[list[str]], length: int | None, positions: list[float] | None
) -> list[int]:
    natural = [
        max([len(title), *(len(row[i]) for row in rows)]) + 2 for i, title in enumerate(head)
    ]
    limit = length or min(shutil.get_terminal_size((100, 24)).columns, 120)
    if positions and length:
        ends = [int(length * p) if p <= 1 else int(p) for p in positions[: len(head)]]
        return [max(end - start - 1, 4) for start, end in zip([0, *ends], ends, strict=False)]
    room = limit - len(head) - 1
    while sum(natural) > room and max(natural) > 12:
        natural[natural.index(max(natural))] -= 1
    return natural


def _table(
    head: list[str], rows: list[list[str]], widths: list[int], box: tuple[str, ...]
) -> list[str]:
    top, below_head, between, bottom, bars = box

    def edge(kind: str) -> str:
        left, line, middle, right = kind
        return left + middle.join(line * w for w in widths) + right

    lines = [edge(top), *_cells(head, widths, bars[0]), edge(below_head)]
    for i, row in enumerate(rows):
        lines += ([edge(between)] if i else []) + _cells(row, widths, bars[1])
    return [*lines, edge(bottom)]


def _cells(row: list[str], widths: list[int], bar: str) -> list[str]:
    """Return the lines of a row; text that is too long for its cell goes on below."""
    parts = [
        [text[i : i + w - 2] for i in range(0, len(text), w - 2)] or [""]
        for text, w in zip(row, widths, strict=True)
    ]
    lines = []
    for number in range(max(map(len, parts))):
        texts = [part[number] if number < len(part) else "" for part in parts]
        padded = [
            f" {text:>{w - 2}} " if column == 2 else f" {text:<{w - 2}} "
            for column, (text, w) in enumerate(zip(texts, widths, strict=True))
        ]
        lines.append(bar + bar.join(padded) + bar)
    return lines


def _totals(model: Any) -> list[str]:
    trainable, others = model.trainable_weights, model.non_trainable_weights
    optimizer = (
        list(getattr(model.optimizer, "variables", []))
        if model.compiled and model.optimizer.built
        else []
    )
    lines = [
        f" Total params: {_amount([*trainable, *others, *optimizer])}",
        f" Trainable params: {_amount(trainable)}",
        f" Non-trainable params: {_amount(others)}",
    ]
    if optimizer:
        lines.append(f" Optimizer params: {_amount(optimizer)}")
    return lines


def _amount(variables: list[Variable]) -> str:
    count = sum(math.prod(v.shape) for v in variables)
    size: float = sum(math.prod(v.shape) * np.dtype(v.dtype).itemsize for v in variables)
    for unit in ("B", "KB", "MB", "GB"):
        if size < 1024 or unit == "GB":
            return f"{count:,} ({size:.2f} {unit})"
        size /= 1024
    raise AssertionError


def _can_write(text: str) -> bool:
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return False
    return True

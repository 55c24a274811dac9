"""The graph of objects that a checkpoint holds: made from objects, written, and read.

Each node has named edges to others; variables have a value, kept in the bundle under a key that is the path to them.
Source: tensorflow/core/protobuf/trackable_object_graph.proto.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from hornbeam.core.protobuf import Reader, Writer
from hornbeam.train.trackable import Parts, is_leaf, parts_of, variable_of

GRAPH_KEY = "_CHECKPOINTABLE_OBJECT_GRAPH"
VALUE = "VARIABLE_VALUE"
# Names of a path that a message shows.
_LONGEST = 50


@dataclass
class Node:
    """An object in a file: its edges, the keys of its values, and an optimizer's slots."""

    children: dict[str, int] = field(default_factory=dict[str, int])
    values: dict[str, str] = field(default_factory=dict[str, str])
    """Keys in the bundle; a variable has one value, called `VALUE`."""
    slots: list[tuple[int, str, int]] = field(default_factory=list[tuple[int, str, int]])
    """The node of a variable, a name such as "m", and the node of the slot."""
    name: str = ""
    """The path of a variable, for people."""


@dataclass
class ObjectGraph:
    """A graph of objects that exist: node number i stands for `objects[i]`."""

    objects: list[object]
    nodes: list[Node]

    def leaves(self) -> list[tuple[str, object]]:
        """Return the keys and variables, in the order of the keys."""
        pairs = zip(self.nodes, self.objects, strict=True)
        return sorted(
            ((node.values[VALUE], obj) for node, obj in pairs if VALUE in node.values),
            key=lambda pair: pair[0],
        )


def graph_of(root: object) -> ObjectGraph:
    """Return the graph of all that `root` holds. Raises ValueError for an object that checkpoints do not know."""
    return _Builder(root).graph


class _Builder:
    """Finds objects breadth first: paths through chief names win over those through other names."""

    def __init__(self, root: object) -> None:
        self.graph = ObjectGraph([], [])
        self._numbers: dict[int, int] = {}
        self._queue: deque[int] = deque()
        self._others: deque[tuple[int, str, object]] = deque()
        self._paths: list[str] = []
        self._add(root, "")
        while self._queue or self._others:
            if self._queue:
                self._open(self._queue.popleft())
            else:
                self._link(*self._others.popleft())

    def _add(self, obj: object, path: str) -> int:
        key = id(variable_of(obj)) if is_leaf(obj) else id(obj)
        if key not in self._numbers:
            self._numbers[key] = len(self.graph.objects)
            self._queue.append(len(self.graph.objects))
            self.graph.objects.append(obj)
            self.graph.nodes.append(Node())
            self._paths.append(path)
        return self._numbers[key]

    def _open(self, number: int) -> None:
        obj, node = self.graph.objects[number], self.graph.nodes[number]
        if is_leaf(obj):
            node.values[VALUE] = f"{self._paths[number]}/.ATTRIBUTES/{VALUE}"
            node.name = variable_of(obj).path
            return
        parts = checked_parts(obj, self._paths[number])
        for name, child in parts.named.items():
            self._link(number, name, child)
        self._others += [
            (number, n, each) for n, each in parts.others.items() if n not in parts.named
        ]

    def _link(self, number: int, name: str, child: object) -> None:
        prefix = self._paths[number]
        escaped = name.replace(".", "..").replace("/", ".S")
        path = f"{prefix}/{escaped}" if prefix else escaped
        self.graph.nodes[number].children[name] = self._add(child, path)


def checked_parts(obj: object, path: str) -> Parts:
    """Return what an object holds. Raises ValueError if checkpoints do not know it."""
    parts = parts_of(obj)
    if parts is None:
        raise ValueError(
            f"A checkpoint can't hold {path or 'the root'}, which is {obj!r}: it takes variables, layers, models, optimizers, "
            "metrics, checkpoints, and lists and dicts of them. Wrap a number in tf.Variable."
        )
    return parts


def write_graph(nodes: list[Node]) -> bytes:
    """Return the message."""
    have_values = _with_values(nodes)
    out = Writer()
    for node, has_values in zip(nodes, have_values, strict=True):
        message = Writer()
        for name, child in node.children.items():
            message.message(1, Writer().integer(1, child).text(2, name))
        for name, key in node.values.items():
            message.message(2, Writer().text(1, name).text(2, node.name).text(3, key))
        for variable, name, slot in node.slots:
            message.message(3, Writer().integer(1, variable).text(2, name).integer(3, slot))
        out.message(1, message.message(5, Writer().integer(1, int(has_values))))
    return out.data


def _with_values(nodes: list[Node]) -> list[bool]:
    """Return for each node whether it has a value, or leads to one."""
    parents: dict[int, list[int]] = {}
    for number, node in enumerate(nodes):
        for child in [*node.children.values(), *(slot for _, _, slot in node.slots)]:
            parents.setdefault(child, []).append(number)
    found = [bool(node.values) for node in nodes]
    queue = deque(number for number, has in enumerate(found) if has)
    while queue:
        for parent in parents.get(queue.popleft(), ()):
            if not found[parent]:
                found[parent] = True
                queue.append(parent)
    return found


def read_graph(data: bytes, what: str) -> list[Node]:
    """Return the nodes. Raises ValueError, naming `what`, for a message that is no graph."""
    what = f"object graph of {what}"
    messages = Reader(data, what).messages(1, "node")
    if not messages:
        raise ValueError(f"The {what} is damaged: it has no root.")
    nodes = [_read_node(message) for message in messages]
    for node in nodes:
        for number in [*node.children.values(), *(n for a, _, b in node.slots for n in (a, b))]:
            if number >= len(nodes):
                raise ValueError(f"The {what} is damaged: it names node {number} of {len(nodes)}.")
    return nodes


def _read_node(message: Reader) -> Node:
    node = Node()
    for edge in message.messages(1, "edge"):
        node.children[edge.text(2)] = edge.integer(1)
    for value in message.messages(2, "value"):
        node.values[value.text(1)] = value.text(3)
        node.name = value.text(2)
    for slot in message.messages(3, "slot"):
        node.slots.append((slot.integer(1), slot.text(2), slot.integer(3)))
    return node


class Paths:
    """The shortest way to each node of a file."""

    def __init__(self, nodes: list[Node]) -> None:
        # The node before and the name of the edge; complete paths of all nodes could be quadratic in size.
        self._steps: list[tuple[int, str]] = [(-1, "")] * len(nodes)
        # The first name of the path.
        self.first = [""] * len(nodes)
        seen, queue = {0}, deque([0])
        while queue:
            number = queue.popleft()
            for name, child in nodes[number].children.items():
                if child not in seen:
                    seen.add(child)
                    self._steps[child] = number, name
                    self.first[child] = self.first[number] or name
                    queue.append(child)

    def path(self, number: int) -> str:
        """Return the names joined by dots, without the first ones if there are many; "" for what nothing leads to."""
        names: list[str] = []
        while number > 0 and len(names) < _LONGEST:
            number, name = self._steps[number]
            names.append(name)
        return ("..." if number > 0 else "") + ".".join(reversed(names))

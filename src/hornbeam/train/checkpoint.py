"""`tf.train.Checkpoint`: the variables of objects, written and read in TensorFlow's format."""

from __future__ import annotations

import os
from collections.abc import Iterator

import numpy as np

from hornbeam.control.module import Module
from hornbeam.core.changes import note_contents
from hornbeam.core.dtypes import int64
from hornbeam.core.variable import Variable
from hornbeam.train.bundle import Bundle
from hornbeam.train.bundle_writer import Writable, write_bundle
from hornbeam.train.graph import (
    GRAPH_KEY,
    VALUE,
    Node,
    ObjectGraph,
    graph_of,
    read_graph,
    write_graph,
)
from hornbeam.train.options import CheckpointOptions
from hornbeam.train.reader import checkpoint_prefix
from hornbeam.train.restoring import Restoration
from hornbeam.train.state_file import write_state
from hornbeam.train.status import CheckpointLoadStatus, LoadStatus, NothingRestored
from hornbeam.train.trackable import (
    Names,
    Parts,
    Typed,
    is_trackable,
    parts_of,
    stored_type,
    variable_of,
)


class Checkpoint:
    """The variables of the objects that are its attributes, saved and restored together.

    Takes variables, models, layers, modules, optimizers, metrics, other checkpoints, and lists and dicts of them, by keywords
    or as attributes set later; with `root`, the checkpoint is that of `root` itself, with the others beside its own parts.
    TensorFlow reads what it writes, and it reads what TensorFlow writes.

    Restoring matches values with variables by the names that lead to them, not by order. What does not exist yet gets its
    value when it is made.

    >>> import os, tempfile
    >>> import hornbeam as tf
    >>> step = tf.Variable(3)
    >>> path = tf.train.Checkpoint(step=step).save(os.path.join(tempfile.mkdtemp(), "ckpt"))
    >>> os.path.basename(path)
    'ckpt-1'
    >>> _ = step.assign(0)
    >>> status = tf.train.Checkpoint(step=step).restore(path).assert_consumed()
    >>> step.numpy()
    np.int32(3)
    """

    def __init__(self, root: object = None, **kwargs: object) -> None:
        """Raises ValueError for what checkpoints do not know, such as a number."""
        self._root = root
        self._save_counter: Variable | None = None
        if root is not None and not is_trackable(root):
            raise _unknown("root", root)
        for name, value in sorted(kwargs.items()):
            if not is_trackable(value):
                raise _unknown(name, value)
            setattr(self, name, value)

    def __setattr__(self, name: str, value: object) -> None:
        super().__setattr__(name, value)
        note_contents(self)

    @property
    def save_counter(self) -> Variable:
        """The number of calls of `save` so far; it is saved and restored too."""
        if self._save_counter is None:
            self._save_counter = Variable(0, dtype="int32", trainable=False, name="save_counter")
        return self._save_counter

    def save(
        self,
        file_prefix: str | os.PathLike[str],
        options: CheckpointOptions | None = None,
    ) -> str:
        """Write a checkpoint named `file_prefix` and the number of this save; return its path.

        The file `checkpoint` of the folder then names it, for `tf.train.latest_checkpoint`.
        """
        number = int(self.save_counter.numpy())
        self.save_counter.assign(number + 1)
        try:
            path = self.write(f"{os.fspath(file_prefix)}-{number + 1}", options)
        except BaseException:
            self.save_counter.assign(number)
            raise
        write_state(os.path.dirname(path), path, [path])
        return path

    def write(
        self,
        file_prefix: str | os.PathLike[str],
        options: CheckpointOptions | None = None,
    ) -> str:
        """Write a checkpoint of that name, without counting; return its path.

        A crash at any moment leaves the old checkpoint of this name or the new one. Folders are made where they are missing.
        """
        prefix = os.fspath(file_prefix)
        folder, name = os.path.split(prefix)
        if not name:
            raise ValueError(f"The name of a checkpoint is missing behind the folder {prefix!r}.")
        graph = graph_of(self)
        os.makedirs(folder or ".", exist_ok=True)
        write_bundle(prefix, tensors_of(graph))
        return prefix

    def restore(
        self,
        save_path: str | os.PathLike[str] | None,
        options: CheckpointOptions | None = None,
    ) -> LoadStatus:
        """Read a checkpoint that `save` wrote; None reads nothing.

        Return a status, whose methods say whether all was found. Raises ValueError, and changes nothing, if a shape or type
        differs or a file is damaged; FileNotFoundError if there is none.
        """
        if save_path is None:
            return NothingRestored()
        status = self._read(save_path)
        _ = self.save_counter  # made now, it gets its value
        note_contents(self)
        return status

    def read(
        self, save_path: str | os.PathLike[str], options: CheckpointOptions | None = None
    ) -> LoadStatus:
        """Read a checkpoint that `write` wrote. Raises as `restore`."""
        return self._read(save_path)

    def sync(self) -> None:
        """Do nothing: `save` and `write` return when the files are there."""

    def _read(self, save_path: str | os.PathLike[str]) -> LoadStatus:
        bundle = Bundle(checkpoint_prefix(save_path))
        roots = [self] if self._root is None else [self._root, self]
        restoration = Restoration(bundle, nodes_of(bundle, self))
        restoration.start(*roots)
        return CheckpointLoadStatus(restoration, self, lambda: self._save_counter)


@parts_of.register(Checkpoint)
def _(obj: Checkpoint, names: Names = None) -> Parts:
    hidden = ("_root", "_save_counter")
    own = {
        name: each for name, each in vars(obj).items() if name not in hidden and is_trackable(each)
    }
    if obj._save_counter is not None:
        own["save_counter"] = Typed(obj._save_counter, int64)
    inside = parts_of(obj._root, names) if obj._root is not None else None
    return Parts(own) if inside is None else Parts({**inside.named, **own}, inside.others)


@parts_of.register(Module)
def _(obj: Module, names: Names = None) -> Parts:
    del names
    return Parts({name: each for name, each in vars(obj).items() if is_trackable(each)})


def tensors_of(graph: ObjectGraph) -> Iterator[tuple[str, Writable]]:
    """Yield what a checkpoint holds of a graph, one by one."""
    yield GRAPH_KEY, write_graph(graph.nodes)
    for key, leaf in graph.leaves():
        value = np.asarray(variable_of(leaf).numpy())
        yield key, value.astype(stored_type(leaf).as_numpy_dtype, copy=False)


def nodes_of(bundle: Bundle, root: object) -> list[Node]:
    """Return the object graph of a checkpoint; for one of TensorFlow 1, which has none, that of `root`, by paths of variables."""
    if GRAPH_KEY in bundle.entries:
        graph = bundle.read(GRAPH_KEY)
        if not isinstance(graph, bytes):
            raise ValueError(f"{os.fspath(bundle.prefix)} is damaged: {GRAPH_KEY} is no text.")
        return read_graph(graph, os.fspath(bundle.prefix))
    graph = graph_of(root)
    for node in graph.nodes:
        node.values = {VALUE: node.name} if node.name in bundle.entries else {}
    return graph.nodes


def _unknown(name: str, value: object) -> ValueError:
    return ValueError(
        f"A checkpoint can't hold {name}={value!r}: it takes variables, layers, models, modules, optimizers, metrics, "
        "checkpoints, and lists and dicts of them. Wrap a number in tf.Variable."
    )

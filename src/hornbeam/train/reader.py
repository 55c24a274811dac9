"""Looking into checkpoints without the objects that they were made from."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from hornbeam.core.dtypes import DType, as_dtype, string
from hornbeam.train.bundle import Bundle, Value, index_file
from hornbeam.train.state_file import get_checkpoint_state


class CheckpointReader:
    """A checkpoint of TensorFlow's or Hornbeam's, by the names of its tensors; what `load_checkpoint` returns.

    Checksums are compared when a tensor is read.
    """

    def __init__(self, prefix: str | os.PathLike[str]) -> None:
        """`prefix` is the path without `.index`."""
        self._bundle = Bundle(prefix)

    def has_tensor(self, tensor_str: str) -> bool:
        """Return whether there is a tensor of that name."""
        return tensor_str in self._bundle.entries

    def get_tensor(self, tensor_str: str) -> Value:
        """Return a tensor as a NumPy array; texts as `bytes`, or an array of them. Raises KeyError for an unknown name."""
        value = self._bundle.read(tensor_str)
        return value if isinstance(value, bytes) else np.array(value)

    def get_variable_to_shape_map(self) -> dict[str, list[int]]:
        """Return the shapes of all tensors, by name."""
        return {name: list(entry.shape) for name, entry in self._bundle.entries.items()}

    def get_variable_to_dtype_map(self) -> dict[str, DType]:
        """Return the types of all tensors, by name."""
        return {
            name: string if entry.dtype is None else as_dtype(entry.dtype)
            for name, entry in self._bundle.entries.items()
        }

    def debug_string(self) -> bytes:
        """Return a line for each tensor: its name, type and shape."""
        types = self.get_variable_to_dtype_map()
        shapes = self.get_variable_to_shape_map()
        lines = [f"{name} ({types[name].name}) {shape}" for name, shape in shapes.items()]
        return "\n".join(lines).encode(errors="surrogateescape")


def checkpoint_exists(checkpoint_prefix: str | os.PathLike[str]) -> bool:
    """Return whether there is a checkpoint of that prefix.

    >>> import hornbeam as tf
    >>> tf.train.checkpoint_exists("folder/ckpt-1")
    False
    """
    return index_file(checkpoint_prefix).is_file()


def latest_checkpoint(
    checkpoint_dir: str | os.PathLike[str], latest_filename: str | None = None
) -> str | None:
    """Return the prefix of the newest checkpoint of a folder, which the file `checkpoint` names; None if there is none.

    >>> import hornbeam as tf
    >>> tf.train.latest_checkpoint("folder") is None
    True
    """
    state = get_checkpoint_state(checkpoint_dir, latest_filename)
    if state is None or not checkpoint_exists(state.model_checkpoint_path):
        return None
    return state.model_checkpoint_path


def load_checkpoint(ckpt_dir_or_file: str | os.PathLike[str]) -> CheckpointReader:
    """Return a reader of the tensors of a checkpoint: that of a prefix, or the newest of a folder.

    Raises ValueError for a folder without checkpoints and for damaged files, FileNotFoundError for an unknown prefix.

    >>> import os, tempfile
    >>> import hornbeam as tf
    >>> path = tf.train.Checkpoint(step=tf.Variable(3)).save(os.path.join(tempfile.mkdtemp(), "ckpt"))
    >>> reader = tf.train.load_checkpoint(path)
    >>> reader.get_tensor("step/.ATTRIBUTES/VARIABLE_VALUE")
    array(3, dtype=int32)
    >>> reader.has_tensor("model")
    False
    """
    return CheckpointReader(checkpoint_prefix(ckpt_dir_or_file))


def load_variable(ckpt_dir_or_file: str | os.PathLike[str], name: str) -> Value:
    """Return one tensor of a checkpoint as a NumPy array. Raises as `load_checkpoint`, KeyError for an unknown name.

    TensorFlow's `:0` at the end of a name does not count.
    """
    return load_checkpoint(ckpt_dir_or_file).get_tensor(name.removesuffix(":0"))


def list_variables(ckpt_dir_or_file: str | os.PathLike[str]) -> list[tuple[str, list[int]]]:
    """Return the names and shapes of all tensors of a checkpoint, by name. Raises as `load_checkpoint`.

    >>> import os, tempfile
    >>> import hornbeam as tf
    >>> path = os.path.join(tempfile.mkdtemp(), "ckpt")
    >>> _ = tf.train.Checkpoint(step=tf.Variable(3)).write(path)
    >>> for name, shape in tf.train.list_variables(path):
    ...     print(name, shape)
    _CHECKPOINTABLE_OBJECT_GRAPH []
    step/.ATTRIBUTES/VARIABLE_VALUE []
    """
    return sorted(load_checkpoint(ckpt_dir_or_file).get_variable_to_shape_map().items())


def checkpoint_prefix(path: str | os.PathLike[str]) -> str:
    """Return the prefix for a prefix, a folder with checkpoints, a SavedModel's folder, or a file of a checkpoint."""
    text = os.fspath(path)
    if not os.path.isdir(text):
        return str(_without_ending(text))
    for inside in (latest_checkpoint(text), os.path.join(text, "variables", "variables")):
        if inside is not None and checkpoint_exists(inside):
            return inside
    found = sorted(each.name for each in Path(text).glob("*.index"))
    hint = f" Name one of: {', '.join(name[:-6] for name in found[:5])}." if found else ""
    raise ValueError(
        f"The folder {text} has no file `checkpoint` that names a checkpoint in it.{hint}"
    )


def _without_ending(text: str) -> str:
    if checkpoint_exists(text):
        return text
    for ending in (".index", ".data-00000-of-00001"):
        if text.endswith(ending) and checkpoint_exists(text.removesuffix(ending)):
            return text.removesuffix(ending)
    raise FileNotFoundError(
        f"There is no checkpoint {text}: it would be the files {text}.index and {text}.data-00000-of-00001."
    )

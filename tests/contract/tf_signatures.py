"""Rewrite tf_signatures.txt: the public names of TensorFlow in the rooms that Hornbeam follows, with their parameters.

A line is a name, its kind and its parameters, between tabs. Names of rooms that are not in `ROOMS` are listed where
Hornbeam has them. Run from the root where TensorFlow is installed:
`PYTHONPATH=src:. .venv-peers/bin/python -m tests.contract.tf_signatures`.
"""

import inspect
from pathlib import Path

import hornbeam

# Every name of these is listed, whether Hornbeam has it or not. "tf" is what stands right under tf.
ROOMS = [
    "tf",
    "tf.autodiff",
    "tf.autograph",
    "tf.autograph.experimental",
    "tf.bitwise",
    "tf.config",
    "tf.debugging",
    "tf.dtypes",
    "tf.errors",
    "tf.experimental.numpy",
    "tf.experimental.numpy.random",
    "tf.initializers",
    "tf.keras.backend",
    "tf.linalg",
    "tf.linalg.experimental",
    "tf.losses",
    "tf.math",
    "tf.math.special",
    "tf.metrics",
    "tf.nest",
    "tf.optimizers",
    "tf.optimizers.schedules",
    "tf.random",
    "tf.random.experimental",
    "tf.sets",
    "tf.test",
    "tf.version",
]


def names_of_rooms(tensorflow):
    """Yield a line for each name of the rooms, and for each method of their classes."""
    for room in ROOMS:
        module = found(tensorflow, room)
        for name in sorted(n for n in dir(module) if not n.startswith("_")):
            value = getattr(module, name)
            if not inspect.ismodule(value):
                yield from lines(f"{room}.{name}", value)


def names_of_both(ours, theirs, path="tf"):
    """Yield a line for each name of other rooms that both have."""
    for name in sorted(n for n in dir(ours) if not n.startswith("_") and n != "keras"):
        mine, peer = getattr(ours, name), getattr(theirs, name, None)
        if inspect.ismodule(mine) and inspect.ismodule(peer):
            yield from names_of_both(mine, peer, f"{path}.{name}")
        elif path not in ROOMS and peer is not None and not inspect.ismodule(mine):
            yield from lines(f"{path}.{name}", peer)


def lines(path, value):
    """Yield the line of one name, and those of the methods if it is a class of TensorFlow's own."""
    kind = "class" if inspect.isclass(value) else "function" if callable(value) else "value"
    entries = parameters(value) if callable(value) else []
    yield "\t".join([path, kind, *(["?"] if entries is None else entries)])
    if kind == "class" and (value.__module__ or "").startswith("tensorflow"):
        for name in sorted(n for n in dir(value) if not n.startswith("_")):
            method = inspect.getattr_static(value, name)
            if callable(method) or isinstance(method, (classmethod, staticmethod)):
                entries = parameters(getattr(value, name))
                if entries is not None:
                    yield "\t".join([f"{path}.{name}", "method", *entries])


def found(root, path):
    for part in path.split(".")[1:]:
        root = getattr(root, part)
    return root


def parameters(peer):
    """Return the parameters as text without annotations, or None where Python can't tell."""
    if inspect.ismethoddescriptor(peer):  # a method of Python's own types, such as tuple.index
        return None
    # A metaclass that wraps the making of instances, as that of tf.Variable, hides the constructor's parameters.
    wrapped = inspect.isclass(peer) and "__call__" in vars(type(peer)) and type(peer) is not type
    try:
        known = list(inspect.signature(peer.__init__ if wrapped else peer).parameters.values())
    except (ValueError, TypeError):
        return None
    return [plain(str(p.replace(annotation=p.empty))) for p in (known[1:] if wrapped else known)]


def plain(text):
    """The text of one parameter on one line, without addresses."""
    name, _, default = text.partition("=")
    return f"{name}=<object>" if " at 0x" in default or "\n" in default else text


if __name__ == "__main__":
    import tensorflow

    listed = [*names_of_rooms(tensorflow), *names_of_both(hornbeam, tensorflow)]
    Path(__file__).with_name("tf_signatures.txt").write_text("\n".join(listed) + "\n")

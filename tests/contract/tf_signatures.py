"""Rewrite tf_signatures.txt: the parameters of each name that both TensorFlow and Hornbeam have, one name a line.

Run from the root where TensorFlow is installed: `PYTHONPATH=src:. .venv-peers/bin/python -m tests.contract.tf_signatures`.
"""

import inspect
from pathlib import Path

import hornbeam


def shared(ours, theirs, path="tf"):
    """Yield a line for each function and class of two modules, and for each method of the classes."""
    for name in sorted(n for n in dir(ours) if not n.startswith("_") and n != "keras"):
        mine, peer = getattr(ours, name), getattr(theirs, name, None)
        if inspect.ismodule(mine) and inspect.ismodule(peer):
            yield from shared(mine, peer, f"{path}.{name}")
        elif callable(mine) and callable(peer) and not inspect.ismodule(mine):
            entries = parameters(peer)
            if entries is not None:
                yield "\t".join([f"{path}.{name}", *entries])
            if inspect.isclass(mine) and inspect.isclass(peer):
                yield from shared(mine, peer, f"{path}.{name}")


def parameters(peer):
    """Return the parameters as text without annotations, or None where Python can't tell."""
    if inspect.ismethoddescriptor(peer):  # a method of Python's own types, such as tuple.index
        return None
    # A metaclass that wraps the making of instances, as that of tf.Variable, hides the constructor's parameters.
    wrapped = inspect.isclass(peer) and "__call__" in vars(type(peer)) and type(peer) is not type
    try:
        found = list(inspect.signature(peer.__init__ if wrapped else peer).parameters.values())
    except ValueError:
        return None
    return [str(p.replace(annotation=p.empty)) for p in (found[1:] if wrapped else found)]


if __name__ == "__main__":
    import tensorflow

    lines = "\n".join(shared(hornbeam, tensorflow))
    Path(__file__).with_name("tf_signatures.txt").write_text(lines + "\n")

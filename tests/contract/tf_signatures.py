"""Rewrite tf_signatures.txt: the parameters of each name that both TensorFlow and Hornbeam have, one name a line.

Run from the root where TensorFlow is installed: `PYTHONPATH=src:. .venv-peers/bin/python -m tests.contract.tf_signatures`.
"""

import inspect
from pathlib import Path

import hornbeam


def shared(ours, theirs, path="tf"):
    for name in sorted(n for n in dir(ours) if not n.startswith("_") and n != "keras"):
        mine, peer = getattr(ours, name), getattr(theirs, name, None)
        if inspect.ismodule(mine) and inspect.ismodule(peer):
            yield from shared(mine, peer, f"{path}.{name}")
        elif callable(mine) and callable(peer) and not inspect.ismodule(mine):
            try:
                parameters = inspect.signature(peer).parameters.values()
            except ValueError:  # Python can't tell
                continue
            entries = [str(p.replace(annotation=p.empty)) for p in parameters]
            yield "\t".join([f"{path}.{name}", *entries])


if __name__ == "__main__":
    import tensorflow

    lines = "\n".join(shared(hornbeam, tensorflow))
    Path(__file__).with_name("tf_signatures.txt").write_text(lines + "\n")

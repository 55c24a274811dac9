"""The files that saving under one name leaves."""

from __future__ import annotations

import contextlib
import glob
import json
import os
import re


def remove_saved(path: str) -> None:
    """Remove what was saved as `path`: a file, the files of a checkpoint of TensorFlow, or those of a set of weights."""
    parts = glob.glob(f"{glob.escape(path)}.data-?????-of-?????")
    for each in (path, f"{path}.index", *parts, *_shards(path)):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(each)


def _shards(path: str) -> list[str]:
    """Return the files that a `.weights.json` names, as far as they have names that are made for it."""
    if not path.endswith(".weights.json"):
        return []
    folder, name = os.path.split(path.removesuffix(".weights.json"))
    try:
        with open(path, encoding="utf-8") as file:
            found = json.load(file)["weight_map"].values()
        names = {name for each in found for name in ([each] if isinstance(each, str) else each)}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return []
    ours = re.compile(re.escape(name) + r"(-\d+)?_\d{5}\.weights\.h5")
    return [os.path.join(folder, each) for each in names if ours.fullmatch(str(each))]

"""Sets of files: shards, states of training, SavedModels of Keras 2. Hashes are made right again."""

from __future__ import annotations

import functools
import hashlib
import io
import json
import shutil
import tempfile
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from hornbeam import keras
from hornbeam.core.pieces import sha256_of_pieces
from hornbeam.core.protobuf import Reader, Writer
from hornbeam.keras.saving.state_folder import StoredState, newest_state, write_state
from tests.fuzz.changes import as_json, changed, changed_json, changed_tree
from tests.fuzz.checkpoints import changed_bundle
from tests.fuzz.hdf5 import changed_hdf5
from tests.fuzz.models import drop_checksums, load_weights, model
from tests.fuzz.targets import Call, target
from tests.hostile.watching import inspect

_KERAS2 = Path(__file__).parents[1] / "files/keras2"


@functools.cache
def _shards() -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as folder:
        keras.saving.save_weights(model(), Path(folder, "w.weights.json"), max_shard_size=6e-8)
        for each in Path(folder).glob("*.h5"):
            drop_checksums(each)
        index = Path(folder, "w.weights.json")
        index.write_text(index.read_text().replace("hornbeam.crc32", "another"))
        return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


@target("w", smoke=10)
def shards(draw: Random, folder: Path) -> Call | tuple[Call, ...]:
    files = dict(_shards())
    names = sorted(files)
    which = draw.choice([*names, *["w.weights.json"] * 3])
    change = changed_json if which.endswith(".json") else changed_hdf5
    files[which] = change(files[which], draw)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    path = folder / "w.weights.json"
    return lambda: inspect(path), lambda: load_weights(path)


@functools.cache
def _state() -> tuple[dict[str, Any], bytes]:
    arrays = {"layers/dense/vars/kernel": np.ones((4, 3), "float32"), "global_seed": np.ones(2, "uint32")}  # fmt: skip
    data = {"epoch": 3, "best": np.float32(0.5), "done": (1, {2, 3}), "keys": {"a": b"x", 4: None}, "order": np.arange(5)}  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        place = Path(write_state(folder, arrays, data))
        return json.loads((place / "state.json").read_text()), (place / "state.h5").read_bytes()


@target("state-000001", smoke=20)
def training_state(draw: Random, folder: Path) -> Call | tuple[Call, ...]:
    content, arrays = _state()
    content = {key: value for key, value in content.items() if key != "sha256"}
    if draw.randrange(3) == 2:
        arrays = changed_hdf5(arrays, draw)
        said = {"size": len(arrays), "sha256_of_pieces": sha256_of_pieces(io.BytesIO(arrays))}
        content["files"] = {"state.h5": said}
    else:
        content = changed_tree(content, draw)
    place = folder / "state-000001"
    place.mkdir()
    if isinstance(content, dict):
        try:
            text = json.dumps(content, sort_keys=True)
        except (RecursionError, TypeError):  # keys of several types
            text = "{}"
        content["sha256"] = hashlib.sha256(text.encode()).hexdigest()
    data = as_json(content)
    (place / "state.json").write_bytes(changed(data, draw) if draw.randrange(16) == 15 else data)
    (place / "state.h5").write_bytes(arrays)

    def read() -> None:
        found = newest_state(str(folder))
        assert isinstance(found, StoredState)
        with found.entries() as entries:
            for each in entries.values():
                if each.read is not None and each.problem is None:
                    each.read()

    return read, lambda: inspect(place)


@functools.cache
def _nodes(name: str) -> list[tuple[str, bytes]]:
    """Return the objects of a SavedModel with what is said of them."""
    data = (_KERAS2 / name / "keras_metadata.pb").read_bytes()
    return [(each.text(3), each.raw(5)) for each in Reader(data, "seed").messages(1, "node")]


def _metadata(nodes: list[tuple[str, bytes]]) -> bytes:
    out = Writer()
    for number, (place, said) in enumerate(nodes):
        out.message(1, Writer().integer(2, number).text(3, place).raw(5, said))
    return out.data


@target(r"folder|variables\.(index|data)", smoke=1)
def saved_model(draw: Random, folder: Path) -> Call | tuple[Call, ...]:
    name = draw.choice(["cnn", "recurrent", "functional", "nested"])
    place = folder / "folder"
    (place / "variables").mkdir(parents=True)
    shutil.copy(_KERAS2 / name / "saved_model.pb", place)
    nodes, kind = list(_nodes(name)), draw.randrange(4)
    if kind < 2:
        at = draw.randrange(len(nodes)) if kind else 0
        nodes[at] = nodes[at][0], changed_json(nodes[at][1], draw)
    elif kind == 2:
        at, other = draw.randrange(len(nodes)), draw.choice(nodes)
        nodes[at] = draw.choice([other[0], changed(other[0].encode(), draw).decode("utf-8", "replace")]), nodes[at][1]  # fmt: skip
    data = _metadata(nodes)
    data = changed(data, draw) if draw.randrange(8) == 7 else data
    (place / "keras_metadata.pb").write_bytes(data)
    variables = Path("variables/variables")
    if kind == 3:
        changed_bundle(_KERAS2 / name / variables, place / variables, draw)
    else:
        for path in (_KERAS2 / name / "variables").iterdir():
            shutil.copy(path, place / "variables")
    return lambda: inspect(place), lambda: keras.saving.load_model(place)

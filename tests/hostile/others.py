"""Attacks through indexes of several files, safetensors, checkpoints of TensorFlow, and what is no model at all."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import struct
from pathlib import Path
from typing import Any

import numpy as np

from hornbeam.core.crc32c import crc32c, mask
from hornbeam.core.protobuf import Writer, varint
from hornbeam.train.table import write_table
from tests.hostile.archives import _Evil
from tests.hostile.attack import attack, weights

_FILES = Path(__file__).parents[1] / "files"


def _index(name: str, told: str, index: Any) -> None:
    def make(folder: Path) -> Path:
        (folder / "w_00000.weights.h5").write_bytes(weights())
        path = folder / "w.weights.json"
        path.write_bytes(index if isinstance(index, bytes) else json.dumps(index).encode())
        return path

    attack(told, "load_weights", name)(make)


def _map(value: Any) -> dict[str, Any]:
    return {"metadata": {"total_size": 1}, "weight_map": {"/layers/dense/vars": value}}


_index("a_file_above_the_index", "passwd", _map("../../../../etc/passwd"))
_index("a_file_with_an_absolute_path", "passwd", _map("/etc/passwd"))
_index("a_file_that_is_a_device", "zero", _map("/dev/zero"))
_index("a_file_behind_dots", "w_00000", _map("x/../w_00000.weights.h5"))
_index("a_file_that_is_a_number", "/layers/dense/vars", _map(7))
_index("a_file_that_is_missing", "w_00007", _map("w_00007.weights.h5"))
_index(
    "thousands_of_files", "w.weights.json", _map([f"w_{n:05}.weights.h5" for n in range(30_000)])
)
_index("an_index_of_another_kind", "w.weights.json", {"weight_map": [1]})
_index("an_index_of_brackets", "w.weights.json", b'{"weight_map": ' + b"[" * 50_000)


def _tensors(name: str, told: str, data: bytes) -> None:
    def make(folder: Path) -> Path:
        path = folder / "w.safetensors"
        path.write_bytes(data)
        return path

    attack(told, "load_weights", name)(make)


def _packed(header: Any, data: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def _tensor(shape: list[int], begin: int, end: int, dtype: str = "F32") -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


_tensors("a_header_of_exabytes", "w.safetensors", struct.pack("<Q", 1 << 62) + b"{}")
_tensors("a_header_of_brackets", "w.safetensors", _packed(b'{"a": ' + b"[" * 100_000))
_tensors("a_header_of_millions_of_arrays", "w.safetensors", _packed(b'{"a":{},' * 500_000 + b"}"))
_tensors(
    "arrays_that_overlap",
    "'b'",
    _packed({"a": _tensor([2], 0, 8), "b": _tensor([2], 4, 12)}, bytes(12)),
)
_tensors(
    "arrays_with_a_gap",
    "'b'",
    _packed({"a": _tensor([2], 0, 8), "b": _tensor([1], 12, 16)}, bytes(16)),
)
_tensors("an_array_twice", "'a'", _packed(b'{"a": {}, "a": {}}'))
_tensors("an_array_of_exabytes", "'a'", _packed({"a": _tensor([1 << 40, 1 << 22], 0, 8)}, bytes(8)))
_tensors(
    "an_array_behind_the_file",
    "w.safetensors",
    _packed({"a": _tensor([1 << 38], 0, 1 << 40)}, bytes(8)),
)
_tensors("an_array_of_sizes_below_0", "'a'", _packed({"a": _tensor([-1, -2], 0, 8)}, bytes(8)))
_tensors(
    "an_array_of_objects",
    "layers/dense|'a'|a ",
    _packed({"a": _tensor([1], 0, 8, "PICKLE")}, bytes(8)),
)
_tensors(
    "bytes_behind_the_arrays", "w.safetensors", _packed({"a": _tensor([2], 0, 8)}, bytes(1000))
)


def _checkpoint(name: str, told: str) -> Any:
    """Enter a change of a checkpoint: of the index's bytes, or of the data's."""

    def enter(change: Any) -> Any:
        def make(folder: Path) -> Path:
            for each in (_FILES / "tensorflow").glob("types.*"):
                shutil.copy(each, folder)
            change(folder / "types.index", folder / "types.data-00000-of-00001")
            return folder / "types"

        return attack(told, "checkpoint", name)(make)

    return enter


def _bundle(entries: dict[bytes, bytes]) -> bytes:
    header = Writer().integer(1, 1).message(3, Writer().integer(1, 1)).data
    return write_table(sorted({b"": header, **entries}.items()))


def _entry(shape: list[int], offset: int, size: int, kind: int = 1) -> bytes:
    dims = Writer()
    for length in shape:
        dims.message(2, Writer().integer(1, length))
    entry = Writer().integer(1, kind).message(2, dims).integer(4, offset)
    return entry.integer(5, size).fixed32(6, 0).data


@_checkpoint("an_index_that_is_cut", "types.index")
def _(index, data):
    index.write_bytes(index.read_bytes()[:-60])


@_checkpoint("an_index_of_noise", "types.index")
def _(index, data):
    index.write_bytes(np.random.default_rng(0).bytes(3000))


@_checkpoint("a_block_of_exabytes", "types.index")
def _(index, data):
    place = varint(1 << 62) + varint(1 << 62)
    end = struct.pack("<Q", 0xDB4775248B80FB57)
    index.write_bytes(bytes(100) + (place * 2).ljust(40, b"\0")[:40] + end)


@_checkpoint("a_snappy_block_of_gigabytes", "types.index")
def _(index, data):
    packed = varint(4 << 30) + b"\0x" + b"\xfe\x01\x00" * 100_000
    stored = packed + b"\1"
    block = stored + struct.pack("<I", mask(crc32c(stored)))
    place = varint(0) + varint(len(packed))
    index.write_bytes(block + (place * 2).ljust(40, b"\0") + struct.pack("<Q", 0xDB4775248B80FB57))


@_checkpoint("a_tensor_of_exabytes", "huge")
def _(index, data):
    index.write_bytes(_bundle({b"huge": _entry([1 << 40, 1 << 20], 0, 1 << 62)}))


@_checkpoint("a_tensor_behind_the_file", "far")
def _(index, data):
    index.write_bytes(_bundle({b"far": _entry([4], 1 << 50, 16)}))


@_checkpoint("a_tensor_of_sizes_below_0", "below")
def _(index, data):
    index.write_bytes(_bundle({b"below": _entry([-4, -4], 0, 64)}))


@_checkpoint("a_tensor_of_an_unknown_type", "odd")
def _(index, data):
    index.write_bytes(_bundle({b"odd": _entry([4], 0, 16, kind=99)}))


@_checkpoint("texts_by_the_billion", "texts")
def _(index, data):
    index.write_bytes(_bundle({b"texts": _entry([1 << 40], 0, 100, kind=7)}))


@_checkpoint("a_tensor_in_a_missing_file", "types|away")
def _(index, data):
    index.write_bytes(_bundle({b"away": _entry([4], 0, 16)}))
    data.unlink()


@_checkpoint("a_flipped_number", "types.data|checksum")
def _(index, data):
    found = bytearray(data.read_bytes())
    found[0] ^= 1
    data.write_bytes(found)


def _saved_model(name: str, told: str) -> Any:
    def enter(change: Any) -> Any:
        def make(folder: Path) -> Path:
            shutil.copytree(_FILES / "keras2" / "cnn", folder / "cnn")
            change(folder / "cnn")
            return folder / "cnn"

        return attack(told, "load_model", name)(make)

    return enter


@_saved_model("metadata_of_noise", "keras_metadata")
def _(folder):
    (folder / "keras_metadata.pb").write_bytes(np.random.default_rng(0).bytes(5000))


@_saved_model("metadata_that_is_cut", "keras_metadata")
def _(folder):
    path = folder / "keras_metadata.pb"
    path.write_bytes(path.read_bytes()[:1000])


@_saved_model("variables_that_are_cut", "variables")
def _(folder):
    path = folder / "variables" / "variables.data-00000-of-00001"
    path.write_bytes(path.read_bytes()[:100])


@_saved_model("no_variables", "variables")
def _(folder):
    shutil.rmtree(folder / "variables")


@attack("w.weights.h5", "load_weights")
def a_pickle_of_weights(folder: Path) -> Path:
    path = folder / "w.weights.h5"
    path.write_bytes(pickle.dumps(_Evil()))
    return path


@attack("w.weights.h5", "load_weights")
def an_npz_with_a_pickle(folder: Path) -> Path:
    path = folder / "w.weights.h5"
    with path.open("wb") as file:
        np.savez(file, x=np.array([_Evil()], object))
    return path


@attack("w.weights.h5", "load_weights")
def a_device(folder: Path) -> Path:
    path = folder / "w.weights.h5"
    os.symlink("/dev/zero", path)
    return path


@attack("folder", "load_model")
def a_folder_of_nothing(folder: Path) -> Path:
    path = folder / "folder"
    path.mkdir()
    return path


@attack("config.json", "load_model")
def a_folder_whose_config_is_a_device(folder: Path) -> Path:
    path = folder / "folder"
    path.mkdir()
    os.symlink("/dev/zero", path / "config.json")
    (path / "metadata.json").write_text("{}")
    return path

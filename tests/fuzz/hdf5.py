"""HDF5: files that h5py makes with any properties, and files of ours and of Keras 2 with fields of structures changed."""

from __future__ import annotations

import functools
import io
import tempfile
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import h5py
import numpy as np

from hornbeam import keras
from hornbeam.keras.saving.h5_store import h5_reading
from tests.fuzz.changes import HOW_MANY, NUMBERS, changed, changed_json, number, put
from tests.fuzz.hdf5_fields import layout, with_sums
from tests.fuzz.models import drop_checksums, load_weights, model, saved
from tests.fuzz.targets import Call, target
from tests.hostile.watching import inspect

_KERAS2 = Path(__file__).parents[1] / "files/keras2"
_KERNEL, _SHAPE = "layers/dense/vars/0", (4, 3)
_TYPES = ["float32", ">f4", "float16", "float64", "int8", "uint64", "bool", "V2", "V4", "complex64", "S5", [("a", "f4")], "longdouble"]  # fmt: skip
_SHAPES = [_SHAPE, (), (0,), (4, 0), (12,), (3, 4), (1 << 20, 1 << 20), (1,) * 32, (4, 3, 1)]


def changed_hdf5(data: bytes, draw: Random) -> bytes:
    """Return a file with fields of its structures changed; checksums that it has are right."""
    found, out = layout(data), bytearray(data)
    for _ in range(draw.choice(HOW_MANY)):
        kind = draw.randrange(6)
        if kind == 4 and found.pointers:  # leads elsewhere
            put(out, draw.choice(found.pointers), 8, draw.choice([*found.addresses, *NUMBERS]))
        elif kind == 5:
            size = draw.choice([8, 40, 96])
            one, other = (draw.choice(found.addresses or [0]) for _ in range(2))
            out[one : one + size] = out[other : other + size]
        else:
            at, width = draw.choice(found.fields)
            put(out, at, width, number(draw, int.from_bytes(out[at : at + width], "little"), width))
    out = out[: len(data)].ljust(len(data), b"\0")
    with_sums(out, found)
    cut = draw.randrange(len(out)) if draw.randrange(32) == 31 else len(out)
    return bytes(out[:cut])


@functools.cache
def _seeds() -> list[bytes]:
    """Return files of weights, in the format of every version of the library."""
    return [saved(".weights.h5"), *(_made(version) for version in ("earliest", "latest"))]


def _made(version: str) -> bytes:
    stream = io.BytesIO()
    with h5py.File(stream, "w", libver=version) as file:  # fmt: skip
        for layer, (kernel, bias) in {"dense": ((4, 3), 3), "dense_1": ((3, 2), 2)}.items():
            group = file.create_group(f"layers/{layer}/vars")
            group.attrs["name"] = layer
            group.create_dataset("0", data=np.ones(kernel, "float32"), chunks=(2, 2), compression=4, shuffle=True)  # fmt: skip
            group.create_dataset("1", data=np.ones(bias, "float32"))
    return stream.getvalue()


def _options(draw: Random, shape: tuple[int, ...]) -> dict[str, Any]:
    """Return properties with which an array is made."""
    options: dict[str, Any] = {}
    if shape and draw.randrange(2):
        options["chunks"] = tuple(max(min(size, draw.choice([1, 2, 64])), 1) for size in shape)
        options["maxshape"] = draw.choice([None, (None,) * len(shape), shape])
        options["compression"] = draw.choice([None, "gzip", "lzf", 9])
        options["shuffle"], options["fletcher32"] = bool(draw.randrange(2)), bool(draw.randrange(2))
        options["scaleoffset"] = draw.choice([None, None, None, 4])
    elif draw.randrange(8) == 7:
        options["external"] = [("raw", 0, 1 << 20)]
    options["fillvalue"] = draw.choice([None, 1])
    options["track_times"] = bool(draw.randrange(2))
    return options


def _put_array(file: Any, group: Any, name: str, draw: Random) -> None:
    shape, dtype = draw.choice(_SHAPES), draw.choice(_TYPES)
    options = _options(draw, shape)
    if np.prod(shape, dtype=object) < 1000 and draw.randrange(2):
        options["data"] = np.zeros(shape, dtype)
    made = group.create_dataset(name, shape=shape, dtype=dtype, **options)
    if draw.randrange(4) == 3:
        made.attrs["dtype"] = draw.choice(["bfloat16", b"bfloat16", 1, np.ones(9), "x", np.array("bfloat16", "S8")])  # fmt: skip


def _put_link(file: Any, group: Any, name: str, draw: Random) -> None:
    inner = ["/layers/dense_1/vars/0", "/", "..", "/" + _KERNEL, group.name]
    group[name] = draw.choice([h5py.SoftLink(draw.choice(inner)), h5py.ExternalLink("x", "/"), group, file, np.dtype("f4")])  # fmt: skip


def _put_attribute(file: Any, group: Any, name: str, draw: Random) -> None:
    text = draw.choice(["x", "x" * 60_000, b"\xff\xfe", "\0"])
    group.attrs[draw.choice(["name", "dtype", "layer_names", "model_config", "vars"])] = (
        draw.choice(
            [
                text,
                np.array([b"a", b"b"]),
                np.ones((3, 2)),
                h5py.Empty("f4"),
                group.ref,
                [text, "y"],
                2**63,
                True,
            ]
        )
    )


def _groups(file: Any) -> list[Any]:
    found = [file]
    file.visititems(lambda _, each: found.append(each) if isinstance(each, h5py.Group) else None)
    return found


def _remake(data: bytes, draw: Random) -> bytes:
    """Return a file with things put in, in places of others."""
    stream = io.BytesIO(data)
    with h5py.File(stream, "a") as file:
        for _ in range(draw.choice(HOW_MANY)):
            group = draw.choice(_groups(file))
            name = draw.choice(["0", "1", "vars", "dense", "x", "é", "a.b"])
            act: Callable[..., None] = draw.choice(
                [_put_array, _put_array, _put_link, _put_attribute]
            )
            try:
                if act is not _put_attribute and name in group:
                    del group[name]
                act(file, group, name, draw)
            except (ValueError, TypeError, AttributeError, OSError, KeyError, RuntimeError, OverflowError):  # fmt: skip
                continue  # h5py makes no such thing
            if "layers" not in file:
                break
    return stream.getvalue()


@target("w.weights.h5", smoke=15)
def weights_h5(draw: Random, folder: Path) -> Call | tuple[Call, ...]:
    """All arrays and attributes are read, then the weights of a model."""
    data, kind = draw.choice(_seeds()), draw.randrange(8)
    if kind < 6:
        data = changed_hdf5(data, draw)
    else:
        data = _remake(data, draw) if kind == 6 else changed(data, draw)
    path = folder / "w.weights.h5"
    path.write_bytes(data)
    return lambda: _read(path), lambda: inspect(path), lambda: load_weights(path)


def _read(path: Path) -> None:
    with h5_reading(path) as file:
        inner = (_named(path, lambda each=each: file.root.group(each)) for each in ("layers", "layers/dense/vars"))  # fmt: skip
        for group in filter(None, [file.root, *inner]):
            for name in group.attributes():
                _named(path, lambda group=group, name=name: group.attribute(name))
        for entry in [each for each in file.entries() if each.problem is None]:
            assert entry.read is not None
            found = _named(path, entry.read)
            expected = entry.shape, entry.dtype
            assert found is None or (found.shape, found.dtype.name) == expected


def _named(path: Path, act: Callable[[], Any]) -> Any:
    """Return what `act` returns, or None for an error that names the file."""
    try:
        return act()
    except ValueError as error:
        assert path.name in str(error), f"{error!r} does not name the file"
        return None


@functools.cache
def _legacy(name: str) -> bytes:
    if name == "own":
        model()
        return saved(".h5")
    if name == "whole":
        with tempfile.TemporaryDirectory() as folder:
            keras.saving.save_model(model(), Path(folder, "m.h5"))
            drop_checksums(Path(folder, "m.h5"))
            return Path(folder, "m.h5").read_bytes()
    return (_KERAS2 / f"{name}.h5").read_bytes()


_LISTS = ["layer_names", "weight_names"]


def _reconfigured(data: bytes, draw: Random) -> bytes:
    """Return a legacy file whose JSON, or whose lists of names, are changed."""
    stream = io.BytesIO(data)
    with h5py.File(stream, "a") as file:
        groups = _groups(file)
        name = draw.choice(["model_config", "training_config", *_LISTS])
        group = file if name.endswith("config") else draw.choice([g for g in groups if set(_LISTS) & set(g.attrs)])  # fmt: skip
        if name.endswith("config"):
            old = file.attrs.get(name, "{}")
            text = changed_json(old if isinstance(old, bytes) else old.encode(), draw)
            group.attrs[name] = (
                np.bytes_(text.rstrip(b"\0") or b"{}") if len(text) < 60_000 else "{}"
            )
        else:
            name = next(each for each in _LISTS if each in group.attrs)
            names = [
                each if isinstance(each, bytes) else each.encode() for each in group.attrs[name]
            ]
            other = draw.choice([b"..", b"", b"/", b"dense/kernel:0", b"x" * 200, b"\xff", *names])
            names.insert(draw.randrange(len(names) + 1), other)
            group.attrs[name] = draw.choice([names, names[1:], 1, "x", [1, 2]])
    return stream.getvalue()


@target("m.h5", smoke=1)
def legacy_h5(draw: Random, folder: Path) -> Call | tuple[Call, ...]:
    """Files of before Keras 3, whole models and weights alone."""
    name = draw.choice(["cnn", "whole", "own", "recurrent", "functional", "nested", "cnn_weights"])
    data = _legacy(name)
    data = _reconfigured(data, draw) if draw.randrange(3) else changed_hdf5(data, draw)
    path = folder / "m.h5"
    path.write_bytes(data)
    if name in ("own", "cnn_weights"):
        return lambda: inspect(path), lambda: load_weights(path)
    return lambda: inspect(path), lambda: keras.saving.load_model(path)

"""Attacks through HDF5: links, storage outside of the file, filters, shapes, types, depth."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from tests.hostile.attack import attack, good, numbers, weights, zipfile_of
from tests.hostile.configs import _BYTES

_KERNEL = "layers/dense/vars/0"
_SHAPE = (4, 3)


def _changed(data: bytes, change: Callable[[Any], None]) -> bytes:
    stream = io.BytesIO(data)
    with h5py.File(stream, "a") as file:
        change(file)
    return stream.getvalue()


def _weights(told: str, name: str | None = None) -> Callable[..., Any]:
    """Enter a change of the first kernel's place, as a file of weights and within an archive."""

    def enter(change: Callable[[Any, Any], None]) -> Callable[..., Any]:
        title = name or change.__name__

        def replaced(file: Any) -> None:
            del file[_KERNEL]
            change(file, file["layers/dense/vars"])

        def alone(folder: Path) -> Path:
            path = folder / "w.weights.h5"
            os.chdir(folder)
            path.write_bytes(_changed(weights(), replaced))
            return path

        def within(folder: Path) -> Path:
            os.chdir(folder)
            return zipfile_of(
                folder, {"model.weights.h5": _changed(good()["model.weights.h5"], replaced)}
            )

        attack(told, "load_weights", title)(alone)
        attack(told, "load_model", f"{title}_in_an_archive")(within)
        return change

    return enter


@_weights(_KERNEL)
def an_external_link(file, group):
    with h5py.File("secret.h5", "w") as other:
        other["x"] = np.ones(_SHAPE, "float32")
    group["0"] = h5py.ExternalLink("secret.h5", "x")


@_weights(_KERNEL)
def a_soft_link(file, group):
    group["0"] = h5py.SoftLink("/layers/dense_1/vars/0")


@_weights(_KERNEL)
def a_soft_link_to_itself(file, group):
    group["0"] = h5py.SoftLink("/layers/dense/vars/0")


@_weights("layers/dense/vars")
def a_group_behind_an_external_link(file, group):
    with h5py.File("secret.h5", "w") as other:
        other["vars/0"] = np.ones(_SHAPE, "float32")
        other["vars/1"] = np.ones(3, "float32")
    del file["layers/dense/vars"]
    file["layers/dense/vars"] = h5py.ExternalLink("secret.h5", "vars")


@_weights(_KERNEL)
def data_in_another_file(file, group):
    Path("raw").write_bytes(numbers().tobytes())
    group.create_dataset("0", _SHAPE, "float32", external=[("raw", 0, 48)])


@_weights(_KERNEL)
def data_in_the_passwords(file, group):
    group.create_dataset("0", _SHAPE, "float32", external=[("/etc/passwd", 0, 48)])


@_weights(_KERNEL)
def virtual_data(file, group):
    with h5py.File("secret.h5", "w") as other:
        other["x"] = np.ones(_SHAPE, "float32")
    layout = h5py.VirtualLayout(_SHAPE, "float32")
    layout[:] = h5py.VirtualSource("secret.h5", "x", _SHAPE)
    group.create_virtual_dataset("0", layout)


@_weights(_KERNEL)
def virtual_data_of_the_same_file(file, group):
    layout = h5py.VirtualLayout(_SHAPE, "float32")
    layout[:] = h5py.VirtualSource(".", "layers/dense_1/vars/0", _SHAPE)
    group.create_virtual_dataset("0", layout)


def _low(
    group: Any, shape: tuple[int, ...], setup: Callable[[Any], None], kind: Any = None
) -> None:
    plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    setup(plan)
    space = h5py.h5s.create_simple(shape)
    h5py.h5d.create(group.id, b"0", kind or h5py.h5t.IEEE_F32LE, space, plan)


@_weights(_KERNEL)
def a_plug_in_filter(file, group):
    def setup(plan):
        plan.set_chunk(_SHAPE)
        plan.set_filter(32001, h5py.h5z.FLAG_OPTIONAL, (1, 2))

    _low(group, _SHAPE, setup)


@_weights(_KERNEL)
def the_lzf_filter(file, group):
    group.create_dataset("0", data=np.ones(_SHAPE, "float32"), compression="lzf")


@_weights(_KERNEL)
def the_scale_offset_filter(file, group):
    group.create_dataset("0", data=np.ones(_SHAPE, "int32"), scaleoffset=True)


@_weights(_KERNEL)
def a_shape_of_terabytes_without_data(file, group):
    group.create_dataset("0", (1 << 20, 1 << 20), "float32")


@_weights(_KERNEL)
def chunks_of_terabytes_without_data(file, group):
    group.create_dataset("0", (1 << 20, 1 << 20), "float32", chunks=(1024, 1024), fillvalue=1)


@_weights(_KERNEL)
def a_shape_beyond_64_bits(file, group):
    group.create_dataset("0", (1 << 40, 1 << 40, 1 << 40), "uint8", chunks=(1, 1, 1))


@_weights(_KERNEL)
def the_right_shape_without_data(file, group):
    _low(group, _SHAPE, lambda plan: plan.set_layout(h5py.h5d.CONTIGUOUS))


@_weights(_KERNEL)
def compact_data(file, group):
    _low(group, _SHAPE, lambda plan: plan.set_layout(h5py.h5d.COMPACT))


@_weights(_KERNEL)
def a_gigabyte_in_gzip(file, group):
    zeros = group.create_dataset("0", (1 << 28,), "float32", chunks=(1 << 22,), compression=9)
    zeros[: 1 << 22] = 0


@_weights(_KERNEL)
def texts(file, group):
    group.create_dataset("0", data=np.full(_SHAPE, "x" * 9, object), dtype=h5py.string_dtype())


@_weights(_KERNEL)
def lists_of_any_length(file, group):
    group.create_dataset("0", _SHAPE, dtype=h5py.vlen_dtype("float32"))


@_weights(_KERNEL)
def references(file, group):
    group.create_dataset("0", _SHAPE, dtype=h5py.ref_dtype)


@_weights(_KERNEL)
def records(file, group):
    group.create_dataset("0", _SHAPE, dtype=[("a", "f4"), ("b", "f4")])


@_weights(_KERNEL)
def opaque_bytes(file, group):
    group.create_dataset("0", data=np.zeros(_SHAPE, "V4"))


@_weights(_KERNEL)
def opaque_bytes_called_bfloat16(file, group):
    group.create_dataset("0", data=np.zeros(_SHAPE, "V64")).attrs["dtype"] = "bfloat16"


@_weights(_KERNEL)
def complex_numbers(file, group):
    group.create_dataset("0", data=np.ones(_SHAPE, "complex64"))


@_weights(_KERNEL)
def a_group_for_an_array(file, group):
    group.create_group("0")


@_weights(_KERNEL)
def a_type_for_an_array(file, group):
    group["0"] = np.dtype("float32")


@_weights(_KERNEL)
def an_empty_space(file, group):
    group["0"] = h5py.Empty("float32")


@_weights("layers/dense/vars")
def an_array_for_a_group(file, group):
    del file["layers/dense/vars"]
    file["layers/dense/vars"] = numbers()


@_weights("layers/dense/vars")
def a_group_that_holds_itself(file, group):
    group["vars"] = group
    group["0"] = group


@_weights(_KERNEL)
def a_hundred_thousand_more_arrays(file, group):
    for number in range(3000):
        group.create_group(f"more{number}")


@_weights(_KERNEL)
def groups_a_thousand_deep(file, group):
    inner = group
    for _ in range(1000):
        inner = inner.create_group("x")


@_weights(_KERNEL)
def a_name_of_60_kilobytes(file, group):
    group["x" * 60_000] = numbers()


@_weights(_KERNEL)
def an_attribute_of_many_texts(file, group):
    data = group.create_dataset("0", data=np.zeros(_SHAPE, "V2"))
    data.attrs.create("dtype", ["x" * 1000] * 60, dtype=h5py.string_dtype())


@_weights(_KERNEL)
def another_shape_of_the_same_size(file, group):
    group["0"] = numbers().reshape(2, 6)


@_weights(_KERNEL)
def numbers_of_128_bits(file, group):
    group["0"] = np.ones(_SHAPE, np.longdouble)


@attack("w.weights.h5", "load_weights")
def cut_in_the_middle(folder: Path) -> Path:
    path = folder / "w.weights.h5"
    path.write_bytes(weights()[: len(weights()) // 2])
    return path


@attack("w.weights.h5", "load_weights")
def a_signature_and_noise(folder: Path) -> Path:
    path = folder / "w.weights.h5"
    noise = np.random.default_rng(0).bytes(5000)
    path.write_bytes(b"\x89HDF\r\n\x1a\n" + noise)
    return path


def _legacy(told: str, name: str) -> Callable[..., Any]:
    """Enter a change of a whole model of Keras 2."""

    def enter(change: Callable[[Any], None]) -> Callable[..., Any]:
        def make(folder: Path) -> Path:
            os.chdir(folder)
            path = folder / "m.h5"
            source = Path(__file__).parents[1] / "files" / "keras2" / "cnn.h5"
            path.write_bytes(_changed(source.read_bytes(), change))
            return path

        return attack(told, "load_model", name)(make)

    return enter


def _reconfigured(file: Any, change: Callable[[Any], Any]) -> None:
    found = json.loads(file.attrs["model_config"])
    file.attrs["model_config"] = json.dumps(change(found) or found)


@_legacy("bad", "byte_code_in_a_legacy_file")
def _(file):
    bad = {
        "name": "bad",
        "function": [_BYTES, None, None],
        "function_type": "lambda",
        "arguments": {},
    }
    _reconfigured(
        file, lambda c: c["config"]["layers"].append({"class_name": "Lambda", "config": bad})
    )


@_legacy("system", "a_function_of_a_module_in_a_legacy_file")
def _(file):
    bad = {"name": "bad", "function": "system", "function_type": "function", "module": "os"}
    _reconfigured(
        file, lambda c: c["config"]["layers"].append({"class_name": "Lambda", "config": bad})
    )


@_legacy("system|evil", "a_class_of_a_module_in_a_legacy_file")
def _(file):
    bad = {"class_name": "os>system", "config": {"name": "evil"}}
    _reconfigured(file, lambda c: c["config"]["layers"].append(bad))


@_legacy("deep|m.h5", "deep_json_in_a_legacy_file")
def _(file):
    file.attrs["model_config"] = '{"class_name": "Sequential", "config": ' + "[" * 20_000


@_legacy("dense|kernel", "an_external_link_in_a_legacy_file")
def _(file):
    with h5py.File("secret.h5", "w") as other:
        other["x"] = np.ones((32, 3), "float32")
    del file["model_weights/dense/dense/kernel:0"]
    file["model_weights/dense/dense/kernel:0"] = h5py.ExternalLink("secret.h5", "x")


@_legacy("dense|kernel", "terabytes_in_a_legacy_file")
def _(file):
    del file["model_weights/dense/dense/kernel:0"]
    file["model_weights/dense/dense"].create_dataset("kernel:0", (1 << 30, 1 << 20), "float32")


@_legacy("weight_names|dense", "names_that_lead_out_of_a_legacy_group")
def _(file):
    file["model_weights/dense"].attrs["weight_names"] = [b"../conv2d/conv2d/kernel:0", b"x"]


@_legacy("dense", "units_2_to_36_in_a_legacy_file")
def _(file):
    _reconfigured(file, lambda c: c["config"]["layers"][-1]["config"].update(units=2**36))

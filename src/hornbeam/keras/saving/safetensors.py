"""Weights in `.safetensors` files, as other frameworks exchange them.

Format: eight bytes with the length of a header; the header, a JSON object that leads from the name of each array to its type,
shape and place; then the arrays, without gaps. Source: github.com/huggingface/safetensors, "Format".

A weight is called by the path of its object, as in a `.weights.h5`, and its own name: `layers/dense/kernel`. These names
stay the same however many models a process makes. Files whose names are paths of variables (`sequential/dense/kernel`) are
read, too.

The metadata of our files have checksums, which other programs need not know: CRC-32 as eight hexadecimal digits, of the
header with zeros for them, then of each array in the order of the file.
"""

from __future__ import annotations

import json
import math
import os
import struct
import zlib
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

import ml_dtypes
import numpy as np

from hornbeam.core.atomic import atomic_write
from hornbeam.core.variable import Variable
from hornbeam.keras.engine.layer import Layer
from hornbeam.keras.saving import safe_json
from hornbeam.keras.saving.checksums import crc_of, listed
from hornbeam.keras.saving.comparison import Entry, Part, Subject, load, missing
from hornbeam.keras.saving.h5_store import aligned
from hornbeam.keras.saving.places import places

ENDING = ".safetensors"
_TYPES = {
    "BOOL": np.dtype("bool"),
    "U8": np.dtype("uint8"),
    "I8": np.dtype("int8"),
    "U16": np.dtype("uint16"),
    "I16": np.dtype("int16"),
    "F16": np.dtype("float16"),
    "BF16": np.dtype(ml_dtypes.bfloat16),
    "U32": np.dtype("uint32"),
    "I32": np.dtype("int32"),
    "F32": np.dtype("float32"),
    "U64": np.dtype("uint64"),
    "I64": np.dtype("int64"),
    "F64": np.dtype("float64"),
    "F8_E5M2": np.dtype(ml_dtypes.float8_e5m2),
    "F8_E4M3": np.dtype(ml_dtypes.float8_e4m3fn),
}
_NAMES = {dtype: name for name, dtype in _TYPES.items()}
_LARGEST_HEADER = 16 << 20
_MOST_AXES = 32
_FIELDS = {"dtype", "shape", "data_offsets"}
_CHECKSUMS = "hornbeam.crc32"
_DIGITS = 8  # of a checksum


def save_weights(model: Layer, path: str) -> None:
    """Write the weights of `model`; the file is there completely or not at all.

    Raises TypeError for a weight of a type that the format does not have.
    """
    found = {name: each for _, variables in _named(model) for name, each in variables}
    # As the reference does: types with many bytes first, so that each array begins at a multiple of its type's size.
    names = sorted(found, key=lambda name: (-_dtype(found[name]).itemsize, name))
    sums = "0" * _DIGITS * (len(names) + 1)
    header: dict[str, Any] = {"__metadata__": {"model": type(model).__name__, _CHECKSUMS: sums}}
    end = 0
    for name in names:
        variable = found[name]
        begin, end = end, end + math.prod(variable.shape) * _dtype(variable).itemsize
        header[name] = {
            "dtype": _NAMES[_dtype(variable)],
            "shape": list(map(int, variable.shape)),
            "data_offsets": [begin, end],
        }
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    crcs = [zlib.crc32(text)]
    with atomic_write(path) as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for name in names:
            values = np.ascontiguousarray(found[name].numpy()).reshape(-1).view("uint8").data
            file.write(values)
            crcs.append(zlib.crc32(values))
        file.seek(8 + text.index(f'"{sums}"'.encode()) + 1)
        file.write("".join(f"{crc:08x}" for crc in crcs).encode())


def _dtype(variable: Variable) -> np.dtype:
    dtype = np.dtype(variable.dtype.name)
    if dtype not in _NAMES:
        raise TypeError(f"A file of safetensors has no type for {variable.path}, {dtype}.")
    return dtype


def load_weights(
    model: Layer, path: str, skip_mismatch: bool = False, objects_to_skip: Iterable[Any] = ()
) -> None:
    """Read the weights of `model`, without those of `objects_to_skip`; see `comparison.load`."""
    with open(path, "rb") as stream:
        file = SafetensorsFile(stream, os.fspath(path))
        file.check()
        load(
            _parts(model, file, objects_to_skip),
            Subject(file.name, model.name),
            skip_mismatch,
            file.entries,
        )


def _parts(model: Layer, file: SafetensorsFile, skipped: Iterable[Any]) -> list[Part]:
    """Return what each layer takes from the file, and what is left over in it."""
    wanted = {id(obj) for _, obj in places(model, skipped)}
    parts, taken = [], set()
    for obj, variables in _named(model):
        needs = []
        for name, variable in variables:
            short = variable.path.removeprefix(f"{model.name}/")
            names = (name, variable.path, short)
            entry = next((file[each] for each in names if each in file), missing(name))
            taken.add(entry.path)
            needs.append((variable, entry))
        if id(obj) in wanted:
            parts.append(Part(obj.path, needs=needs))
    rest = [name for name in file if name not in taken]
    problems = [f"{model.name}: the file has {name} as well, which nothing takes" for name in rest]
    return [*parts, Part(model.name, problems=problems)]


def _named(model: Layer) -> Iterator[tuple[Layer, list[tuple[str, Variable]]]]:
    """Yield each layer with its own weights by the names in a file; of equal names, later ones are numbered."""
    used: dict[str, int] = {}
    for place, obj in places(model):
        found = []
        for variable in obj._own_weights() if isinstance(obj, Layer) else ():
            name = f"{place}/{variable.name}" if place else variable.name
            number = used[name] = used.get(name, -1) + 1
            found.append((f"{name}_{number}" if number else name, variable))
        if found:
            yield obj, found


class SafetensorsFile:
    """What a file holds: names and entries, whose values are read when asked for."""

    def __init__(self, stream: BinaryIO, name: str) -> None:
        """Read the header from the beginning of `stream`. Raises ValueError for anything but a whole file."""
        self.name = name
        self._stream = stream
        size = stream.seek(0, os.SEEK_END)
        stream.seek(0)
        start = stream.read(8)
        length = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
        if length < 2 or length > _LARGEST_HEADER:
            raise ValueError(
                f"{name} is no file of safetensors: its header would have {length} bytes."
            )
        if length > size - 8:
            raise ValueError(f"{name} is cut: its header of {length} bytes ends behind the file.")
        text = stream.read(length)
        header = safe_json.parse(text, f"The header of {name}", _LARGEST_HEADER)
        if not isinstance(header, dict):
            raise ValueError(f"{name} is no file of safetensors: its header is no JSON object.")
        self.metadata = _metadata(header.pop("__metadata__", {}), name)
        self._start = 8 + length
        self._spans: list[tuple[int, int, str]] = []
        self._entries = self._read_entries(header, size - self._start)
        self._sums = self.metadata.pop(_CHECKSUMS, None)
        self._header_crc = zlib.crc32(text if self._sums is None else _without(text, self._sums))

    def _read_entries(self, header: dict[str, Any], room: int) -> dict[str, Entry]:
        """Check every array, and that they fill the file without gaps."""
        found = {}
        for key, each in header.items():
            what = f"{self.name}: the array {key!r}"
            dtype, shape, (begin, end) = _described(each, what)
            self._spans.append((begin, end, key))
            if dtype in _TYPES:
                entry = Entry(
                    key, shape, _TYPES[dtype].name, self._reading(_TYPES[dtype], shape, begin, what)
                )
                wanted = math.prod(shape) * _TYPES[dtype].itemsize
                if wanted != end - begin:
                    raise ValueError(
                        f"{what} of shape {shape} and type {dtype} needs {wanted} bytes, and has {end - begin}."
                    )
            else:
                entry = Entry(key, shape, problem=f"has values of the type {dtype}")
            found[key] = entry
        last = 0
        for begin, end, key in sorted(self._spans):
            if begin != last:
                raise ValueError(
                    f"{self.name}: the array {key!r} begins at byte {begin}, not at {last}, where the one before ends."
                )
            last = end
        if last != room:
            state = "is cut" if last > room else "has bytes behind its arrays"
            raise ValueError(f"{self.name} {state}: its arrays have {last} bytes, the file {room}.")
        return found

    def _reading(self, dtype: np.dtype, shape: tuple[int, ...], begin: int, what: str) -> Any:
        def read() -> np.ndarray:
            array = aligned(shape, dtype)
            room = array.reshape(-1).view("uint8")
            self._stream.seek(self._start + begin)
            if self._stream.readinto(room) != array.nbytes:  # type: ignore[attr-defined]
                raise ValueError(f"{what} can't be read: the file ends before it does.")
            if dtype.kind == "b" and array.nbytes and room.max() > 1:
                raise ValueError(f"{what} is damaged: a truth value is neither 0 nor 1.")
            return array

        return read

    @property
    def has_checksums(self) -> bool:
        """Whether the file has checksums."""
        return self._sums is not None

    def check(self) -> None:
        """Compare the file with its checksums, where it has any.

        Raises ValueError, which names the arrays, where it is not what was written.
        """
        if self._sums is None:
            return
        hint = f"If another program changed it, let it leave out {_CHECKSUMS!r} from the metadata."
        sums = [self._sums[i : i + _DIGITS] for i in range(0, len(self._sums), _DIGITS)]
        if len(sums) != len(self._spans) + 1 or sums[0] != f"{self._header_crc:08x}":
            raise ValueError(f"{self.name}: its header is not the one that was written. {hint}")
        damaged = [
            key
            for wanted, (begin, end, key) in zip(sums[1:], sorted(self._spans), strict=True)
            if f"{crc_of(self._stream, [(self._start + begin, end - begin)]):08x}" != wanted
        ]
        if damaged:
            raise ValueError(
                f"{self.name} is damaged: the values of {listed(damaged)} are not those that were written. {hint}"
            )

    def entries(self) -> list[Entry]:
        """Return every array of the file."""
        return list(self._entries.values())

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __contains__(self, name: str) -> bool:
        return name in self._entries

    def __getitem__(self, name: str) -> Entry:
        return self._entries[name]


def _without(text: bytes, sums: str) -> bytes:
    """Return a header with zeros for its checksums."""
    return text.replace(f'"{sums}"'.encode(), b'"' + b"0" * len(sums) + b'"', 1)


def _metadata(found: Any, name: str) -> dict[str, str]:
    if isinstance(found, dict) and all(isinstance(each, str) for each in found.values()):
        return found  # type: ignore[return-value]
    raise ValueError(f"{name}: `__metadata__` does not lead from texts to texts.")


def _described(found: Any, what: str) -> tuple[str, tuple[int, ...], tuple[int, int]]:
    """Return the type, the shape and the place of an array; raise ValueError for anything else."""
    if not isinstance(found, dict) or set(found) != _FIELDS:
        raise ValueError(f"{what} is not described by {', '.join(sorted(_FIELDS))}.")
    dtype, shape, place = found["dtype"], found["shape"], found["data_offsets"]
    if not isinstance(dtype, str):
        raise ValueError(f"{what} has the type {dtype!r}, which is no text.")
    sizes, ends = _sizes(shape), _sizes(place)
    if sizes is None or len(sizes) > _MOST_AXES:
        raise ValueError(f"{what} has no shape of at most {_MOST_AXES} sizes.")
    if ends is None or len(ends) != 2 or ends[0] > ends[1]:
        raise ValueError(f"{what} has no place in the file: {str(place)[:100]}.")
    return dtype, sizes, (ends[0], ends[1])


def _sizes(found: Any) -> tuple[int, ...] | None:
    """Return a list of sizes, or None for anything else."""
    if not isinstance(found, list):
        return None
    sizes = tuple(each for each in found if type(each) is int and 0 <= each < 1 << 63)
    return sizes if len(sizes) == len(found) else None

"""HDF5 files, read with suspicion: hard links, numbers and short texts, and nothing else.

Soft and external links are not followed, virtual and external data are not read, and plug-in filters are not run. The
bytes that the file stores are compared with the shape before an array is made, so that a small file can't ask for much
memory. All formats in HDF5 read through `H5File`.
"""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, BinaryIO, Self

import numpy as np

from hornbeam.core.optional import require
from hornbeam.keras.saving import checksums
from hornbeam.keras.saving.checksums import Span
from hornbeam.keras.saving.comparison import MISSING, Entry, missing
from hornbeam.keras.saving.h5_writer import NewGroup

SIGNATURE = b"\x89HDF\r\n\x1a\n"
_FILTERS = {1: "gzip", 2: "shuffle", 3: "fletcher32"}
_MAX_TEXT = 64 << 20  # bytes of an attribute
_MAX_RATIO, _FREE_OF_RATIO = 200, 1 << 20  # of compressed data, above so many bytes
_LAYOUT, _ATTRIBUTE, _CONTINUED = 8, 12, 16  # kinds of messages in the header of an object
_MAX_ENTRIES, _MAX_DEPTH = 200_000, 64
_ALIGNMENT = 64  # JAX shares the memory of arrays that begin at such addresses


def h5py_module() -> Any:
    """Return the package h5py, or say how to install it."""
    return require("h5py", extra=None, purpose="A file of weights")


@contextmanager
def h5_writing(
    stream: BinaryIO, has_checksums: bool = True, /, **options: Any
) -> Generator[NewGroup]:
    """Open an HDF5 file for writing into `stream`; raise what went wrong in the stream when it is closed.

    Checksums are written behind the file unless `has_checksums` is False, or the file stands inside another one, behind a
    `userblock_size`: then what is around it has a checksum of the whole. `options` go to h5py.
    """
    # An error that passes through h5py leaves its file half closed, and breaks another file later.
    guarded = _Guarded(stream)
    spans: dict[str, Span] | None = None
    if has_checksums and "userblock_size" not in options:
        spans = {}
    try:
        with h5py_module().File(guarded, "w", **options) as file:
            yield NewGroup(file, spans)
    finally:
        if guarded.error is not None:
            raise guarded.error
    if spans is not None:
        checksums.append(stream, spans)


class _Guarded:
    """A stream that keeps its first error, and does nothing afterwards."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.error: BaseException | None = None

    def _attempt(self, act: Callable[..., Any], *arguments: Any, failed: Any = None) -> Any:
        if self.error is None:
            try:
                return act(*arguments)
            except BaseException as error:  # Ctrl-C as well: h5py must not see it
                self.error = error
        return failed

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._attempt(self._stream.seek, offset, whence, failed=0)

    def tell(self) -> int:
        return self._attempt(self._stream.tell, failed=0)

    def read(self, size: int = -1) -> bytes:
        return self._attempt(self._stream.read, size, failed=b"")

    def readinto(self, buffer: Any) -> int:
        return self._attempt(self._stream.readinto, buffer, failed=len(buffer))  # type: ignore[attr-defined]

    def write(self, data: Any) -> int:
        return self._attempt(self._stream.write, data, failed=len(data))

    def truncate(self, size: int) -> int:
        return self._attempt(self._stream.truncate, size, failed=size)

    def flush(self) -> None:
        self._attempt(self._stream.flush)


@contextmanager
def h5_reading(path: str | os.PathLike[str], check: bool = True) -> Generator[H5File]:
    """Open the HDF5 file of a name for reading; see `H5File`."""
    with open(path, "rb") as stream, H5File(stream, os.fspath(path), check) as file:
        yield file


class H5File:
    """An HDF5 file that is open for reading."""

    def __init__(self, stream: BinaryIO, name: str, check: bool = True) -> None:
        """`stream` begins with the file; `name` is used in messages.

        Raises ValueError where it is no HDF5 file, or, with `check`, is not what its checksums say.
        """
        self.h5py = h5py_module()
        self.stream = stream
        self.name = name
        stream.seek(0)
        if stream.read(len(SIGNATURE)) != SIGNATURE:
            raise ValueError(f"{name} is no HDF5 file.")
        self.size = stream.seek(0, io.SEEK_END)
        if check:
            checksums.check(stream, name)
        try:
            self._file = self.h5py.File(stream, "r")
        except Exception as error:  # h5py raises whatever the file makes of it
            what = "truncated: its end is missing" if "truncated" in str(error) else "damaged"
            raise ValueError(f"{name} is {what}.") from error
        self.root = Group(self, self._file, "")

    def close(self) -> None:
        """Close the file, not the stream."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def entries(self) -> Iterator[Entry]:
        """Yield every array of the file that hard links lead to."""
        return self.root.entries()

    def reader(self, place: str) -> Reader:
        """Return what the file has for the object whose group is at `place`."""
        return Reader([self], place)


class Group:
    """A group of a file."""

    def __init__(self, file: H5File, group: Any, path: str) -> None:
        """`group` is h5py's object; `path` has no slash at its beginning."""
        self.file = file
        self.path = path
        self._group = group

    def names(self) -> list[str]:
        """Return the names of what the group holds. Raises ValueError for a damaged file."""
        return self._listed(lambda: self._group)

    def group(self, path: str) -> Group | None:
        """Return the group at a path below this one, or None. Raises ValueError for a link."""
        found, problem = self._walk(path)
        if problem is None and isinstance(found, self.file.h5py.Group):
            return Group(self.file, found, self._inner(path))
        if problem not in (None, MISSING):
            raise ValueError(f"{self.file.name}: {self._inner(path)} {problem}.")
        return None

    def entry(self, path: str) -> Entry:
        """Return the array at a path below this one; its `problem` says that there is none."""
        found, problem = self._walk(path)
        inner = self._inner(path)
        if problem is not None:
            return Entry(inner, problem=problem)
        if not isinstance(found, self.file.h5py.Dataset):
            return Entry(inner, problem="holds no numbers")
        return _entry(self.file, found, inner)

    def entries(self) -> Iterator[Entry]:
        """Yield the arrays of this group and those inside it."""
        seen: set[Any] = set()
        left = [(self.path, self._group, 0)]
        while left:
            path, group, depth = left.pop()
            try:
                address = self.file.h5py.h5o.get_info(group.id).addr
            except Exception as error:  # h5py raises whatever the file makes of it
                raise ValueError(
                    f"{self.file.name}: {path or '/'} is damaged ({error})."
                ) from error
            if address in seen or depth > _MAX_DEPTH:
                continue
            seen.add(address)
            inside = Group(self.file, group, path)
            for name in inside.names():
                if len(seen) > _MAX_ENTRIES:
                    raise ValueError(
                        f"{self.file.name} holds more than {_MAX_ENTRIES} groups and arrays."
                    )
                found, _ = inside._walk(name)
                if isinstance(found, self.file.h5py.Group):
                    left.append((inside._inner(name), found, depth + 1))
                elif isinstance(found, self.file.h5py.Dataset):
                    seen.add((address, name))
                    yield _entry(self.file, found, inside._inner(name))

    def attribute(self, name: str) -> Any:
        """Return an attribute: numbers and texts as NumPy has them, a single text as `str`; None where there is none.

        Raises ValueError for one that is too large, or of another type.
        """
        return _attribute(self.file, self._group, self.path, name)

    def attributes(self) -> list[str]:
        """Return the names of the attributes. Raises ValueError for a damaged file."""
        return self._listed(lambda: self._group.attrs)

    def _listed(self, names: Callable[[], Iterable[str]]) -> list[str]:
        try:
            return list(names())
        except Exception as error:  # h5py raises whatever the file makes of it
            raise ValueError(
                f"{self.file.name}: {self.path or '/'} is damaged ({error})."
            ) from error

    def _inner(self, path: str) -> str:
        return f"{self.path}/{path}" if self.path else path

    def _walk(self, path: str) -> tuple[Any, str | None]:
        """Return what stands at a path, walked to link by link, or what is wrong with it."""
        h5py, found = self.file.h5py, self._group
        try:
            for part in path.split("/"):
                if not isinstance(found, h5py.Group) or part in ("", ".") or part not in found:
                    return None, MISSING
                if type(found.get(part, getlink=True)) is not h5py.HardLink:
                    return None, "is a link to another place; links are not followed"
                found = found[part]
        except Exception as error:  # h5py raises whatever the file makes of it
            return None, f"is damaged ({error})"
        return found, None


def _entry(file: H5File, dataset: Any, path: str) -> Entry:
    """Describe an array, and say what stands in the way of reading it."""
    try:
        dtype, shape = dataset.dtype, dataset.shape
    except Exception as error:  # a type that NumPy does not have
        return Entry(path, problem=f"holds values that can't be read ({error})")
    if shape is None:
        return Entry(path, problem="holds no numbers")
    try:
        said = _attribute(file, dataset, path, "dtype") if dtype.kind == "V" else None
        is_bfloat16 = isinstance(said, str) and said == "bfloat16" and dtype.itemsize == 2
    except ValueError as error:
        return Entry(path, problem=f"is damaged ({error})")
    largest = 16 if dtype.kind == "c" else 8
    if (dtype.kind not in "fiubc" and not is_bfloat16) or dtype.itemsize > largest or dtype.fields:
        return Entry(path, tuple(shape), problem=f"holds values of type {dtype}")
    name = "bfloat16" if is_bfloat16 else dtype.newbyteorder("=").name
    try:
        problem = _storage_problem(file, dataset)
    except Exception as error:  # h5py raises whatever the file makes of it
        problem = f"is damaged ({error})"
    return Entry(path, tuple(shape), name, lambda: _read(file, dataset, path, name), problem)


def _storage_problem(file: H5File, dataset: Any) -> str | None:
    """Return why the values of an array are not read, or None: they must be in this file, all of them."""
    h5py = file.h5py
    plan = dataset.id.get_create_plist()
    layout = plan.get_layout()
    if layout == h5py.h5d.VIRTUAL or plan.get_external_count():
        return "keeps its data in another file; that is not followed"
    stored, wanted = dataset.id.get_storage_size(), _nbytes(dataset)
    if layout == h5py.h5d.CONTIGUOUS:
        start = dataset.id.get_offset()
        if wanted and (stored != wanted or start is None):
            return f"has shape {tuple(dataset.shape)}, {wanted} bytes, of which the file holds {stored}"
        return (
            "is cut off: the file ends before it does"
            if (start or 0) + stored > file.size
            else None
        )
    if layout != h5py.h5d.CHUNKED:
        return "is stored in a way that is not read; expected contiguous or chunked data"
    if not _has_first_index(file, h5py.h5o.get_info(dataset.id).addr):
        return "is stored in chunks of a newer format, which is not read; write the file without libver='latest'"
    for place in range(plan.get_nfilters()):
        if plan.get_filter(place)[0] not in _FILTERS:
            return f"is stored with filter {plan.get_filter(place)[0]}; only {', '.join(_FILTERS.values())} are read"
    if stored > file.size or (wanted > _FREE_OF_RATIO and wanted > stored * _MAX_RATIO):
        return f"has shape {tuple(dataset.shape)}, {wanted} bytes, of which the file holds {stored}"
    return None


def _has_first_index(file: H5File, address: int) -> bool:
    """Return whether an array's chunks are found by the index that HDF5 has had from its beginning.

    libhdf5 2.0 reads beyond its memory where one of the newer indexes does not fit the shape.
    """
    found = (body for kind, body in _messages(file, address) if kind == _LAYOUT)
    return next(found, b"")[:1] in (b"\1", b"\2", b"\3")


def _messages(file: H5File, address: int) -> Iterator[tuple[int, bytes]]:
    """Yield kind and content of the messages in an object's header; nothing for one of a newer format.

    The header begins with its version, the number of messages, and the size of the first block of them.
    """
    head = _bytes(file, address, 16)
    if len(head) < 16 or head[0] != 1:
        return
    left, size = struct.unpack("<H4xI", head[2:12])
    blocks = [(address + 16, size)]
    while blocks:
        block, at = _bytes(file, *blocks.pop(0)), 0
        while at + 8 <= len(block) and left:
            kind, length = struct.unpack("<HH", block[at : at + 4])
            body = block[at + 8 : at + 8 + length]
            if kind == _CONTINUED and length >= 16:
                blocks.append(struct.unpack("<QQ", body[:16]))
            yield kind, body
            at, left = at + 8 + length, left - 1


def _text_in_heaps(file: H5File, address: int, name: str) -> int:
    """Return the bytes of an attribute's texts of variable length; many elements may name one text in the file.

    Raises OSError where a text lies in a heap whose pieces do not fill it: libhdf5 2.0 goes round for ever in one with a free
    piece of 0 bytes.
    """
    for kind, body in _messages(file, address):
        if kind != _ATTRIBUTE or len(body) < 8:
            continue
        version, _, *sizes = struct.unpack("<BBHHH", body[:8])
        start = 9 if version == 3 else 8
        if body[start : start + sizes[0]].rstrip(b"\0") != name.encode():
            continue
        steps = [-(-size // 8) * 8 if version == 1 else size for size in sizes]
        texts = body[start + sum(steps) :]
        found = [struct.unpack("<I8s", texts[at : at + 12]) for at in range(0, len(texts) - 15, 16)]
        for place in {place for _, place in found} - {bytes(8), b"\xff" * 8}:
            _check_heap(file, int.from_bytes(place, "little"))
        return sum(length for length, _ in found)
    raise OSError("a text of variable length in a newer format, which is not read")


def _check_heap(file: H5File, address: int) -> None:
    head = _bytes(file, address, 16)
    size = int.from_bytes(head[8:16], "little")
    if head[:4] != b"GCOL" or size > min(file.size - address, _MAX_TEXT):
        raise OSError("its text is not where it should be")
    file.stream.seek(address)
    heap, at = file.stream.read(size), 16
    while at + 16 <= size:
        index, length = struct.unpack("<H6xQ", heap[at : at + 16])
        step = 16 + -(-length // 8) * 8 if index else length
        if step < 16 or step > size - at:
            raise OSError("the heap of its text is broken")
        at += step


def _bytes(file: H5File, start: int, size: int) -> bytes:
    file.stream.seek(min(start, file.size))
    return file.stream.read(min(size, 1 << 16))


def _nbytes(dataset: Any) -> int:
    """Return the number of bytes of an array; Python's integers do not overflow."""
    count = dataset.dtype.itemsize
    for size in dataset.shape:
        count *= int(size)
    return count


def _read(file: H5File, dataset: Any, path: str, name: str) -> np.ndarray:
    """Read an array into memory that JAX can share."""
    array = aligned(dataset.shape, dataset.dtype)
    start = dataset.id.get_offset()  # None where the data are in chunks
    try:
        if start is not None and array.nbytes:
            file.stream.seek(start)
            if file.stream.readinto(array.reshape(-1).view("uint8")) != array.nbytes:  # type: ignore[attr-defined]
                raise OSError("the file ends before it does")
        elif array.nbytes:
            dataset.read_direct(array)
    except Exception as error:
        raise ValueError(f"{file.name}: {path} can't be read ({error}).") from error
    if name == "bfloat16":
        return array.view("bfloat16")
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def aligned(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """Return an array without values whose memory JAX can share."""
    dtype = np.dtype(dtype)
    size = dtype.itemsize * int(np.prod(shape, dtype=object))
    room = np.empty(size + _ALIGNMENT, "uint8")
    skip = -room.ctypes.data % _ALIGNMENT
    return room[skip : skip + size].view(dtype).reshape(shape)


def _attribute(file: H5File, owner: Any, path: str, name: str) -> Any:
    """Read an attribute of a group or an array."""
    place = f"{file.name}: the attribute {name!r} of {path or 'the file'}"
    try:
        return _read_attribute(file, owner, place, name)
    except UnicodeEncodeError as error:
        raise ValueError(f"{place} is damaged: it is not UTF-8.") from error
    except Exception as error:  # h5py raises whatever the file makes of it
        if str(error).startswith(place):
            raise
        raise ValueError(f"{place} is damaged ({error}).") from error


def _read_attribute(file: H5File, owner: Any, place: str, name: str) -> Any:
    h5py = file.h5py
    if name not in owner.attrs:
        return None
    found = owner.attrs.get_id(name)
    kind, count = found.get_type(), found.get_space().get_simple_extent_npoints()
    text = isinstance(kind, h5py.h5t.TypeStringID)
    if not text and kind.get_class() not in (h5py.h5t.INTEGER, h5py.h5t.FLOAT, h5py.h5t.ENUM):
        raise ValueError(f"{place} is of a type that is not read; expected numbers or text.")
    size = count * kind.get_size()
    if text and kind.is_variable_str():
        size += _text_in_heaps(file, h5py.h5o.get_info(owner.id).addr, name)
    if size > _MAX_TEXT:
        raise ValueError(f"{place} is larger than {_MAX_TEXT >> 20} MB.")
    value = owner.attrs[name]
    if isinstance(value, str):
        value.encode()  # h5py keeps the bytes that are no UTF-8, in a form that nothing else can write
    if isinstance(value, bytes):
        with suppress(UnicodeDecodeError):
            return value.decode("utf-8")
    return value


class Reader(Mapping[str, np.ndarray]):
    """What a file has for an object, as the mapping that `load_own_variables` sees; empty where it has nothing."""

    def __init__(self, files: Iterable[H5File], place: str) -> None:
        """`place` is the path of the object's group of variables, of which each file may have a part."""
        files = list(files)
        self.file = files[0].name if files else ""
        self.place = place
        self._groups: list[Group] = []
        # What stands in the way of reading at all, such as a link; a missing group is none.
        self.problem: str | None = None
        for file in files:
            found, problem = file.root._walk(place)
            if problem is None and isinstance(found, file.h5py.Group):
                self._groups.append(Group(file, found, place))
            elif problem != MISSING:
                self.problem = problem or "is no group"

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(name for group in self._groups for name in group.names()))

    def __len__(self) -> int:
        return len(list(iter(self)))

    def entry(self, name: str) -> Entry:
        """Return what stands there."""
        found = (group.entry(name) for group in self._groups)
        return next(
            (each for each in found if not each.is_missing), missing(f"{self.place}/{name}")
        )

    def __getitem__(self, name: str) -> np.ndarray:
        found = self.entry(name)
        if found.problem is not None:
            raise KeyError(f"{found.path} {found.problem}")
        assert found.read is not None
        return found.read()

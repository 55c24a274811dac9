"""The reader of HDF5: numbers that the file itself holds, and nothing that makes it ask for more memory than that."""

import io
import re
import struct

import h5py
import numpy as np
import pytest

from hornbeam.keras.saving import h5_store
from hornbeam.keras.saving.h5_store import H5File, aligned, h5_writing


def opened(fill, **options):
    """Return a file that `fill(h5py.File)` wrote."""
    stream = io.BytesIO()
    with h5py.File(stream, "w", **options) as file:
        fill(file)
    return H5File(stream, "it.h5")


@pytest.mark.parametrize("dtype", ["<f4", ">f4", "<f8", "<f2", "<i8", ">i2", "u1", "bool"])
@pytest.mark.parametrize("shape", [(), (3,), (2, 0), (4, 5)])
@pytest.mark.parametrize(
    "how", [{}, {"chunks": True, "compression": "gzip", "shuffle": True, "fletcher32": True}]
)
def test_arrays_come_back(dtype, shape, how):
    value = np.arange(np.prod(shape, dtype=int)).reshape(shape).astype(dtype)
    options = how if value.size and shape else {}
    with opened(lambda f: f.create_dataset("a/b", data=value, **options)) as file:
        found = file.root.entry("a/b")
        assert found.problem is None and found.shape == shape
        read = found.read()
    assert read.dtype == value.dtype.newbyteorder("=") and found.dtype == read.dtype.name
    np.testing.assert_array_equal(read, value)


def test_arrays_lie_where_jax_can_share_them():
    assert all(aligned((n,), "float32").ctypes.data % 64 == 0 for n in (1, 7, 1000, 10**6))


def compressed(shape, **options):
    return lambda f: f.create_dataset("x", shape, "float32", chunks=True, **options)


ATTACKS = {
    "declared, not stored": (lambda f: f.create_dataset("x", (1 << 40,), "float32"), "holds 0"),
    "declared chunks": (compressed((1 << 40,), compression="gzip"), "holds 0"),
    "a filter of a plug-in": (
        lambda f: f.create_dataset("x", data=np.zeros(99), chunks=True, compression="lzf"),
        "stored with filter 32000",
    ),
    "compact": (lambda f: compact(f), "stored in a way that is not read"),
    "text": (lambda f: f.create_dataset("x", data=["a", "b"]), "holds values of type object"),
    "a compound": (lambda f: f.create_dataset("x", data=np.zeros(2, "f4,i4")), "holds values"),
    "references": (lambda f: f.create_dataset("x", data=f.ref, dtype=h5py.ref_dtype), "holds val"),
    "empty": (lambda f: f.create_dataset("x", data=h5py.Empty("f4")), "holds no numbers"),
    "soft link": (lambda f: f.__setitem__("x", h5py.SoftLink("/y")), "links are not followed"),
    "external link": (lambda f: f.__setitem__("x", h5py.ExternalLink("/etc", "y")), "not followed"),
    "external data": (
        lambda f: f.create_dataset("x", (4,), "f4", external=[("/etc/passwd", 0, 16)]),
        "another file",
    ),
    "virtual": (lambda f: virtual(f), "another file"),
    "a bomb": (
        lambda f: f.create_dataset("x", data=np.zeros(1 << 20, "f4"), compression="gzip"),
        "of which the file holds",
    ),
}


def compact(file):
    plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plan.set_layout(h5py.h5d.COMPACT)
    space = h5py.h5s.create_simple((4,))
    h5py.h5d.create(file.id, b"x", h5py.h5t.NATIVE_FLOAT, space, plan)


def virtual(file):
    layout = h5py.VirtualLayout((4,), "f4")
    layout[:] = h5py.VirtualSource("other.h5", "y", (4,))
    file.create_virtual_dataset("x", layout)


@pytest.mark.parametrize("name", ATTACKS)
def test_what_is_not_read(name):
    fill, problem = ATTACKS[name]
    with opened(fill) as file:
        assert problem in str(file.root.entry("x").problem)


def test_an_array_beyond_the_end(tmp_path):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["x"] = np.ones(1000, "f4")
    data = path.read_bytes()
    end = data.index(len(data).to_bytes(8, "little"))  # the superblock says where the file ends
    cut = data[:end] + (3000).to_bytes(8, "little") + data[end + 8 : 3000]
    with H5File(io.BytesIO(cut), "it.h5") as file:
        assert "is damaged" in str(file.root.entry("x").problem)


def test_groups_that_hold_themselves_end():
    def fill(file):
        inner = file.create_group("a/b")
        inner["again"] = file["a"]
        inner["x"] = np.ones(3)

    with opened(fill) as file:
        assert [entry.path for entry in file.entries()] == ["a/b/x"]


def test_attributes():
    def fill(file):
        file.attrs["text"] = "một"
        file.attrs["bytes"] = np.array([b"ab", b"c"])
        file.attrs["number"] = 3
        file.attrs["pair"] = np.zeros(2, "f4,i4")

    with opened(fill) as file:
        assert file.root.attribute("text") == "một"
        assert list(file.root.attribute("bytes")) == [b"ab", b"c"]
        assert file.root.attribute("number") == 3
        assert file.root.attribute("none") is None
        with pytest.raises(ValueError, match="the attribute 'pair' of the file is of a type"):
            file.root.attribute("pair")


def test_an_attribute_that_is_too_large():
    def fill(file):
        file.attrs.create("big", np.zeros((70 << 20) // 8))

    with (
        opened(fill, libver="latest") as file,
        pytest.raises(ValueError, match="larger than 64 MB"),
    ):
        file.root.attribute("big")


def test_many_short_texts_in_a_large_file():
    """What counts is the length of the texts, not that of the file: ResNet50 has 190 names in 100 MB."""
    names = [f"layer_{i}" for i in range(300)]

    def fill(file):
        file.attrs["layer_names"] = names
        file["values"] = np.zeros(1 << 18, "float32")

    with opened(fill) as file:
        assert list(file.root.attribute("layer_names")) == names


def test_a_long_text_that_many_elements_name():
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        file.attrs["long"] = ["a" * (1 << 20), *("b" for _ in range(99))]
    data = stream.getvalue()
    elements = struct.pack("<I", 1 << 20) + b".{12}" + struct.pack("<I", 1)  # each has 16 bytes
    first = re.search(elements, data, re.DOTALL).start()
    data = data[:first] + 100 * data[first : first + 16] + data[first + 1600 :]
    with (
        H5File(io.BytesIO(data), "it.h5") as file,
        pytest.raises(ValueError, match="'long' of the file is larger than 64 MB"),
    ):
        file.root.attribute("long")


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "no HDF5"),
        (b"PK\x03\x04", "no HDF5"),
        (b"\x89HDF\r\n\x1a\n" + bytes(99), "damaged"),
    ],
)
def test_what_is_no_file_of_the_format(data, text):
    with pytest.raises(ValueError, match=f"it.h5 is {text}"):
        H5File(io.BytesIO(data), "it.h5")


def test_attributes_that_are_damaged():
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        file.attrs["a_name"] = np.ones(3)
    data = stream.getvalue().replace(
        b"\1\0\7\0", b"\x7e\0\7\0"
    )  # its version, the size of its name
    assert data != stream.getvalue()
    with H5File(io.BytesIO(data), "w.h5") as file:
        with pytest.raises(ValueError, match=r"w\.h5: / is damaged"):
            file.root.attributes()
        with pytest.raises(
            ValueError, match=r"w\.h5: the attribute 'a_name' of the file is damaged"
        ):
            file.root.attribute("a_name")


def test_what_stands_in_the_place_of_another():
    def fill(file):
        file["array"] = np.ones(3)
        file["group/array"] = np.ones(3)
        file["link"] = h5py.SoftLink("/group")

    with opened(fill) as file:
        assert file.root.entry("group").problem == "holds no numbers"
        assert file.root.group("array") is None and file.root.group("none") is None
        with pytest.raises(ValueError, match=r"it\.h5: link is a link to another place"):
            file.root.group("link")
        reader = file.reader("group")
        assert reader["array"].tolist() == [1, 1, 1]
        with pytest.raises(KeyError, match="group/none is not in the file"):
            reader["none"]


def test_too_many_arrays(monkeypatch):
    monkeypatch.setattr(h5_store, "_MAX_ENTRIES", 3)

    def fill(file):
        for number in range(5):
            file[f"a{number}"] = number

    with opened(fill) as file, pytest.raises(ValueError, match="more than 3 groups and arrays"):
        list(file.entries())


class Failing(io.BytesIO):
    """A file that takes nothing any more after `left` writes."""

    left = 3

    def write(self, data):
        self.left -= 1
        if self.left < 0:
            raise OSError("disk on fire")
        return super().write(data)


def test_what_goes_wrong_in_the_stream_is_raised():
    with pytest.raises(OSError, match="disk on fire"), h5_writing(Failing()) as file:
        file["a"] = np.ones(1000)
        file["b"] = np.ones(1000)


@pytest.mark.parametrize("libver", ["earliest", "latest"])
def test_chunks_of_a_newer_format_are_not_read(libver):
    """libhdf5 dies where they don't fit what else the file says: here, how far the array may grow."""

    def fill(file):
        chunked = {"chunks": (2, 2), "compression": 4, "shuffle": True, "fletcher32": True}
        made = file.create_dataset("x", data=np.arange(6.0).reshape(3, 2), **chunked)
        for number in range(20):  # the header of the object goes on elsewhere
            made.attrs[f"a{number}"] = number

    with opened(fill, libver=libver) as file:
        entry = file.root.entry("x")
        problems = {"earliest": None, "latest": "is stored in chunks of a newer format, which is not read; write the file without libver='latest'"}  # fmt: skip
        assert entry.problem == problems[libver]
    with opened(fill) as file:
        assert file.root.entry("x").read()[2, 1] == 5


@pytest.mark.parametrize("length", [0x17, 0, 1 << 63, (1 << 64) - 1, (1 << 64) - 20])
def test_a_heap_of_texts_that_is_broken(length):
    """libhdf5 goes round for ever where a free piece has 0 bytes."""
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        file.attrs["a"], file.attrs["b"] = "seven b", "other"
        file.create_group("x").attrs["c"] = "third"
    whole = stream.getvalue()
    with H5File(io.BytesIO(whole), "w.h5") as file:
        assert [file.root.attribute(each) for each in "ab"] == ["seven b", "other"]
    data = bytearray(whole)
    data[data.index(b"seven b") - 8 : data.index(b"seven b")] = length.to_bytes(8, "little")
    with (
        H5File(io.BytesIO(bytes(data)), "w.h5") as file,
        pytest.raises(ValueError, match=r"w\.h5: the attribute 'a' of the file is damaged"),
    ):
        file.root.attribute("a")


def test_places_that_no_file_has_are_told_with_the_file(monkeypatch):
    """h5py passes on the ValueError of a stream that is asked for them."""

    def fill(file):
        file.attrs["a"] = "text"

    def seek(*_):
        raise ValueError("cannot fit 'int' into an offset-sized integer")

    with opened(fill) as file:
        monkeypatch.setattr(h5_store, "_text_in_heaps", seek)
        with pytest.raises(
            ValueError, match=r"it\.h5: the attribute 'a' .* is damaged \(cannot fit"
        ):
            file.root.attribute("a")

"""Checkpoints made to harm: object graphs that loop or point nowhere, names that multiply, parts that overlap."""

import numpy as np
import pytest

import hornbeam as tf
from hornbeam.core import changes
from hornbeam.core.protobuf import Writer
from hornbeam.train.bundle import Bundle, data_file, index_file
from hornbeam.train.graph import GRAPH_KEY, VALUE, Node, Paths, read_graph, write_graph
from hornbeam.train.slices import piece_key
from hornbeam.train.table import read_table, write_table
from tests.train.test_bundle import write

HEADER = Writer().integer(1, 1).data


@pytest.fixture(autouse=True)
def nothing_waits():
    yield
    changes.waiting.clear()


def entry(dtype=1, shape=(), offset=0, size=4, pieces=(), shard=0):
    dims = Writer()
    for length in shape:
        dims.message(2, Writer().integer(1, length))
    out = Writer().integer(1, dtype).message(2, dims).integer(3, shard)
    out.integer(4, offset).integer(5, size).fixed32(6, 0)
    for piece in pieces:
        axes = Writer()
        for start, length in piece:
            axes.message(1, Writer().integer(1, start).integer(2, length))
        out.message(7, axes)
    return out.data


def make(folder, entries, data=b"\0" * 64, header=HEADER):
    index_file(folder / "x").write_bytes(write_table([(b"", header), *sorted(entries.items())]))
    data_file(folder / "x").write_bytes(data)
    return folder / "x"


HUGE = 1 << 40
BAD_ENTRIES = {
    "a shape that multiplies": (entry(shape=(HUGE, HUGE), size=4), "can't have 4 bytes"),
    "a negative size": (entry(shape=(-1,)), r"has the shape \(-1,\)"),
    "too many axes": (entry(shape=(1,) * 65), "has 65 axes"),
    "twenty thousand axes": (
        b"\x08\x01\x12\x80\xf1\x04" + b"\x12\x02\x08\x02" * 20_000,
        "has 20000 axes",
    ),
    "an unknown type": (entry(dtype=77), "unknown type 77"),
    "a resource": (entry(dtype=20), "unknown type 20"),
    "behind the end": (entry(offset=1 << 62), r"x\.data-.* ends at byte \d+ of 64"),
    "more than the file": (entry(shape=(1 << 60,), size=1 << 62), "ends at byte"),
    "another file": (entry(shard=5), "names data file 5 of 1"),
    "texts without end": (entry(dtype=7, shape=(HUGE,), size=64), f"{HUGE} texts can't be in 64"),
    "parts that are missing": (entry(shape=(2,), size=0, pieces=[[(0, 2)]]), "part .* is missing"),
    "parts beyond": (entry(shape=(2,), size=0, pieces=[[(1, 2)]]), "does not fit"),
    "not a message": (b"\xff\xff", r"entry 'v' of x\.index"),
}


@pytest.mark.parametrize(("bad", "error"), BAD_ENTRIES.values(), ids=list(BAD_ENTRIES))
def test_entries(tmp_path, bad, error):
    path = make(tmp_path, {b"v": bad})
    with pytest.raises(ValueError, match=error) as raised:
        Bundle(path).read("v")
    assert "x." in str(raised.value)


def test_parts_that_stand_for_more_than_the_files(tmp_path):
    """Each of many parts is the same few bytes; together they would be 4 TB."""
    side = 1 << 20
    pieces = [[(i, 1), (0, side)] for i in range(300)]
    entries = {
        piece_key(b"v", tuple(each)): entry(shape=(1, side), size=4 * side) for each in pieces
    }
    path = make(tmp_path, entries | {b"v": entry(shape=(300, side), size=0, pieces=pieces)})
    with pytest.raises(
        ValueError, match=r"x\.index: the tensor 'v' is damaged: its parts have more"
    ):
        Bundle(path).read("v")


def test_parts_that_overlap(tmp_path):
    pieces = [[(0, 2)], [(0, 2)]]
    entries = {piece_key(b"v", ((0, 2),)): entry(shape=(2,), size=8)}
    path = make(tmp_path, entries | {b"v": entry(shape=(4,), size=0, pieces=pieces)})
    with pytest.raises(ValueError, match=r"x\..*'v'"):
        Bundle(path).read("v")


def test_an_index_without_end(tmp_path):
    path = make(tmp_path, {b"v": entry()})
    with index_file(path).open("r+b") as file:
        file.truncate(1 << 40)  # no block of it is on the disk
    with pytest.raises(ValueError, match=r"x\.index has 1099511627776 bytes; at most"):
        Bundle(path)


def test_big_endian_numbers(tmp_path):
    with pytest.raises(ValueError, match=r"x\.index was written on a big-endian"):
        Bundle(make(tmp_path, {}, header=Writer().integer(1, 1).integer(2, 1).data))


def checkpoint(folder, nodes, **tensors):
    write(folder / "x", {GRAPH_KEY: write_graph(nodes), **tensors})
    return folder / "x"


def test_a_graph_that_loops(tmp_path):
    """Every list of the user's is an object like another: a loop in the file ends where the objects end."""
    loop: list[object] = [tf.Variable(1.0)]
    loop.append(loop)
    nodes = [Node({"x": 1}), Node({"0": 2, "1": 1, "2": 0}), Node(values={VALUE: "v"})]
    path = checkpoint(tmp_path, nodes, v=np.full((), 5, "float32"))
    status = tf.train.Checkpoint(x=loop).read(path)
    assert loop[0].numpy() == 5
    status.assert_consumed()


def test_a_graph_of_many_nodes_in_a_row(tmp_path):
    """Neither is anything recursive, nor are paths kept whose length grows with each."""
    nodes = [Node({"a": i + 1}) for i in range(5_000)] + [Node(values={VALUE: "v"})]
    path = checkpoint(tmp_path, nodes, v=np.zeros((), "float32"))
    deep: list[object] = []
    with pytest.raises(AssertionError, match=r"found no variable: \.\.\.a(\.a){49}\. Call"):
        tf.train.Checkpoint(a=deep).read(path).assert_consumed()
    paths = Paths(nodes)
    assert paths.path(3) == "a.a.a" and paths.path(0) == "" and paths.first[5_000] == "a"


BAD_GRAPHS = {
    "nothing": (b"", "has no root"),
    "a child that is not there": (write_graph([Node({"a": 7})]), "names node 7 of 1"),
    "a slot that is not there": (write_graph([Node(slots=[(0, "m", 9)])]), "names node 9 of 1"),
    "a name that is no text": (
        Writer().message(1, Writer().message(1, Writer().raw(2, b"\xff"))).data,
        "Field 2 of the edge of the node of the object graph of x is not text",
    ),
    "a cut message": (write_graph([Node({"a": 0})])[:-1], "is cut"),
    "a number in the place of a node": (Writer().integer(1, 5).data, "wire type 0"),
}


@pytest.mark.parametrize(("data", "error"), BAD_GRAPHS.values(), ids=list(BAD_GRAPHS))
def test_graphs(data, error):
    with pytest.raises(ValueError, match=rf"{error}") as raised:
        read_graph(data, "x")
    assert "object graph of x" in str(raised.value)


def test_a_graph_in_the_place_of_numbers(tmp_path):
    write(tmp_path / "x", {GRAPH_KEY: np.zeros(3, "float32")})
    with pytest.raises(ValueError, match=r"x is damaged: _CHECKPOINTABLE_OBJECT_GRAPH is no text"):
        tf.train.Checkpoint().read(tmp_path / "x")


def test_names_in_a_file_are_never_paths(tmp_path):
    """Neither keys nor names of nodes lead to other files, and what a key names must be there."""
    nodes = [Node({"v": 1}), Node(values={VALUE: "../../etc/passwd"})]
    path = checkpoint(tmp_path, nodes)
    with pytest.raises(ValueError, match=r"lists '\.\./\.\./etc/passwd' and does not have it"):
        tf.train.Checkpoint(v=tf.Variable(1.0)).read(path)


def test_values_of_another_form(tmp_path):
    """Nothing is made in the size that a file asks for: shapes are compared with those of the variables first."""
    nodes = [Node({"v": 1}), Node(values={VALUE: "v"})]
    entries = {b"v": entry(shape=(1 << 20, 1 << 20), size=1 << 42)}
    path = checkpoint(tmp_path, nodes)
    entries[GRAPH_KEY.encode()] = dict_of(path)[GRAPH_KEY.encode()]
    make(tmp_path, entries, data_file(path).read_bytes())
    with pytest.raises(ValueError, match=r"in the checkpoint 'v' has \(1048576, 1048576\)"):
        tf.train.Checkpoint(v=tf.Variable(1.0)).read(path)


def dict_of(path):
    return dict(read_table(index_file(path).read_bytes(), "x"))

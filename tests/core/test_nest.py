"""What of `tf.nest` the tables of `tests/tensors/printed` don't say."""

import collections
from types import MappingProxyType, SimpleNamespace

import pytest

import hornbeam as tf
from hornbeam.core import nest

Point = collections.namedtuple("Point", "x y")
Other = collections.namedtuple("Other", "x y")


@pytest.mark.parametrize(
    "structure",
    [
        {"b": [1, Point(2, (3,))], "a": ()},
        collections.OrderedDict([("b", 1), ("a", [2])]),
        collections.defaultdict(list, b=[1]),
        [None, {1, 2}, "abc", tf.TensorShape([1, 2])],
        5,
    ],
)
def test_flattening_and_packing_are_inverse(structure):
    packed = nest.pack_sequence_as(structure, nest.flatten(structure))
    assert packed == structure and type(packed) is type(structure)


def test_other_mappings_become_dicts():
    structure = MappingProxyType({"b": 1, "a": 2})
    assert nest.map_structure(lambda x: x + 1, structure) == {"b": 2, "a": 3}


def test_tensors_and_shapes_are_atoms():
    atoms = [tf.ones(2), tf.Variable(1.0), tf.TensorShape([1, 2]), tf.TensorSpec([2])]
    assert [a is b for a, b in zip(nest.flatten(atoms), atoms, strict=True)] == [True] * 4


def test_named_tuples_differ_by_name():
    nest.assert_same_structure(Point(1, 2), Point(3, 4))
    with pytest.raises(TypeError, match="same sequence type"):
        nest.assert_same_structure(Point(1, 2), Other(3, 4))
    nest.assert_same_structure(Point(1, 2), Other(3, 4), check_types=False)


def test_mappings_of_any_class_are_alike():
    nest.assert_same_structure({"a": 1}, collections.OrderedDict(a=2))


class Pair:
    """As `attrs` makes a class."""

    __attrs_attrs__ = (SimpleNamespace(name="one"), SimpleNamespace(name="other"))

    def __init__(self, one, other):
        self.one, self.other = one, other


def test_attrs_classes_are_structures():
    mapped = nest.map_structure(lambda x: x + 1, Pair(1, [2]))
    assert isinstance(mapped, Pair) and (mapped.one, mapped.other) == (2, [3])

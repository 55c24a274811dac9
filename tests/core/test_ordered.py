"""Structures that come back as they were written."""

import ast
from collections import OrderedDict, defaultdict, namedtuple
from pathlib import Path

import jax
import pytest

import hornbeam
from hornbeam.core import ordered, tree

Pair = namedtuple("Pair", ["z", "a"])


class Named(dict):
    """A user's own dict."""


class Frozen(dict):
    """One that can't be emptied."""

    def clear(self):
        raise TypeError("frozen")


STRUCTURES = {
    "dict": {"z": 1.0, "a": {"q": 2.0, "b": 3.0}},
    "OrderedDict": OrderedDict(z=1.0, a=2.0),
    "defaultdict": defaultdict(list, z=1.0, a=2.0),
    "namedtuple": Pair({"z": 1.0, "a": 2.0}, 3.0),
    "own class": Named(z=1.0, a=Named(q=2.0, b=3.0)),
    "list": [{"z": 1.0, "a": 2.0}, (3.0, {"y": 4.0, "c": 5.0})],
    "keys of two types": {"z": 1.0, 0: 2.0},
    "nothing": {"z": None, "a": ()},
}


def shown(value):
    """Return a structure as a text that tells classes and the order of keys."""
    if isinstance(value, dict):
        return f"{type(value).__name__}{[(key, shown(each)) for key, each in value.items()]}"
    if isinstance(value, (list, tuple)):
        return f"{type(value).__name__}{list(map(shown, value))}"
    return repr(None if value is None else float(value))


@pytest.mark.parametrize("name", STRUCTURES)
def test_a_structure_keeps_its_classes_and_the_order_of_its_keys(name):
    given = STRUCTURES[name]
    assert shown(ordered.tree_map(lambda x: x, given)) == shown(given)
    assert shown(tree.map_structure(lambda x: x, given)) == shown(given)
    assert shown(tree.pack_like(given, tree.flatten(given))) == shown(given)
    leaves, form = jax.tree.flatten(ordered.sealed(given))
    assert shown(jax.tree.unflatten(form, leaves)) == shown(given)


def test_leaves_are_visited_as_jax_visits_them():
    given = [{"z": 1, "a": 2}, OrderedDict(z=3, a=4)]
    seen = []
    ordered.tree_map(seen.append, given)
    assert seen == jax.tree.leaves(given) == jax.tree.leaves(ordered.sealed(given)) == [2, 1, 3, 4]


def test_another_structure_is_filled_in_by_name():
    given, other = {"z": 1, "a": 2}, {"a": 20, "z": 10}
    assert ordered.tree_map(lambda a, b: (a, b), given, other) == {"z": (1, 10), "a": (2, 20)}
    assert tree.flatten_up_to(given, other) == [20, 10]
    assert list(ordered.in_order({"a": 2, "z": 1}, given)) == ["z", "a"]


@pytest.mark.parametrize("other", [{"z": 1}, {"z": 1, "b": 2}, [1, 2], 3])
def test_another_form_is_an_error(other):
    with pytest.raises(ValueError, match=r"differ.*\['z', 'a'\]"):
        ordered.tree_map(lambda a, b: a, {"z": 1, "a": 2}, other)


def test_a_dict_that_can_not_be_emptied_becomes_a_plain_one():
    assert shown(ordered.tree_map(lambda x: x, Frozen(z=1.0, a=2.0))) == shown({"z": 1.0, "a": 2.0})


def test_sealed_forms_differ_by_the_order_of_keys_if_they_are_exact():
    one, other = {"z": 1, "a": 2}, {"a": 2, "z": 1}
    forms = [jax.tree.structure(ordered.sealed(each)) for each in (one, other)]
    assert forms[0] != forms[1]
    forms = [jax.tree.structure(ordered.sealed(each, exact=False)) for each in (one, other)]
    assert forms[0] == forms[1]


# JAX sorts the keys of dicts. These files map structures that no user sees.
OF_ARRAYS = {"core/jax_typed.py", "core/ordered.py", "core/plans.py"}


def test_what_goes_back_to_users_is_not_mapped_by_jax():
    root = Path(hornbeam.__file__).parent
    found = set()
    for file in root.rglob("*.py"):
        name = file.relative_to(root).as_posix()
        text = file.read_text(encoding="utf-8")
        if name.startswith("kernels/") or ("tree_map" not in text and "tree.map" not in text):
            continue
        for node in ast.walk(ast.parse(text)):
            is_named = isinstance(node, ast.Attribute) and ast.unparse(node) in (
                "jax.tree.map",
                "typed.tree_map",
                "jax_typed.tree_map",
                "jax.tree_util.tree_map",
            )
            is_imported = isinstance(node, ast.ImportFrom) and (
                node.module == "hornbeam.core.jax_typed"
                and any(each.name == "tree_map" for each in node.names)
            )
            found |= {name} if is_named or is_imported else set()
    assert found == OF_ARRAYS

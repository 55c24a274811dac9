"""Every public name that Hornbeam has takes the parameters, with the defaults, that Keras and TensorFlow have."""

import inspect

import keras
import pytest

import hornbeam
from tests.contract import tf_api
from tests.contract.parameters import DIFFERENT, difference
from tests.contract.tf_left_out import LEFT_OUT, TO_COME


def names_of_keras(ours=hornbeam.keras, theirs=keras, path="keras"):
    """Yield each public name that both have, with the parameters of real Keras."""
    for name in sorted(n for n in dir(ours) if not n.startswith("_")):
        mine, peer = getattr(ours, name), getattr(theirs, name, None)
        if inspect.ismodule(mine) and inspect.ismodule(peer):
            if mine.__name__.startswith("hornbeam.keras."):
                yield from names_of_keras(mine, peer, f"{path}.{name}")
        elif callable(mine) and callable(peer) and f"{path}.{name}" not in DIFFERENT:
            try:
                parameters = inspect.signature(peer).parameters.values()
            except ValueError:  # Python can't tell
                continue
            entries = [str(p.replace(annotation=p.empty)) for p in parameters]
            yield f"{path}.{name}", entries, mine


def names_of_tensorflow():
    """Yield what Hornbeam has of the list beside this file, which tests/contract/tf_signatures.py makes."""
    for name, _, entries in tf_api.names():
        found = tf_api.find(name)
        if callable(found) and name not in DIFFERENT and entries != ["?"]:
            yield name, entries, found


def test_every_name_of_tensorflow_is_there_or_left_out_for_a_reason():
    listed = [name.path for name in tf_api.names() if name.kind != "method"]
    assert len(listed) > 1000
    missing = {path for path in listed if not tf_api.is_there(path)}
    left_out = {path for path in listed if tf_api.is_listed(path, LEFT_OUT)}
    assert {path for path in missing - left_out if not tf_api.is_listed(path, TO_COME)} == set()
    assert left_out - missing == set(), "these are there now: take them off the list"


@pytest.mark.parametrize(
    ("listed", "fewest"), [(names_of_keras, 500), (names_of_tensorflow, 500)], ids=["keras", "tf"]
)
def test_signatures(listed, fewest):
    found = list(listed())
    assert len(found) > fewest
    wrong = {name: problems for name, params, fn in found if (problems := difference(fn, params))}
    assert not wrong, "\n" + "\n".join(f"{name}: {problems}" for name, problems in wrong.items())

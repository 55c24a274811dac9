"""Every public name that Hornbeam has takes the parameters, with the defaults, that Keras and TensorFlow have."""

import inspect
import re
from pathlib import Path

import keras
import pytest

import hornbeam
from hornbeam.core.dtypes import DType

TENSORFLOW = Path(__file__).with_name("tf_signatures.txt")

# Parameters that differ on purpose: the reason stands beside each.
DIFFERENT = {
    "tf.random.Generator": "made by from_seed and from_non_deterministic_state",
    "tf.TensorShape": "a tuple; made by tensors",
    "tf.DType": "a name; made by as_dtype",
    "tf.Tensor": "made by constant and convert_to_tensor",
    "tf.meshgrid": "the options of **kwargs are spelled out",
}


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
    """Yield the names of the list beside this file, which tests/contract/tf_signatures.py makes."""
    for line in TENSORFLOW.read_text().splitlines():
        name, *entries = line.split("\t")
        found = hornbeam
        for part in name.split(".")[1:]:
            found = getattr(found, part, None)
        assert found is not None, f"{name} is gone: make the list anew"
        if name not in DIFFERENT:
            yield name, entries, found


def plain(value):
    """A default as the lists write it; a number for each axis is the same as that number."""
    numbers = re.fullmatch(r"\((\d+)(?:, \1)+\)", str(value))
    if numbers:
        return numbers[1]
    if isinstance(value, DType):
        return value.name
    return str(value).strip("'\"").removeprefix("tf.").replace("<dtype: '", "").replace("'>", "")


def difference(fn, wanted):
    try:
        parameters = list(inspect.signature(fn).parameters.values())
    except ValueError:
        return None
    own = {p.name: p for p in parameters if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)}
    open_ended = any(p.kind is p.VAR_KEYWORD for p in parameters)
    problems = []
    for entry in wanted:
        name, _, default = entry.partition("=")
        if name.startswith("*"):
            continue
        if name not in own:
            if not open_ended:
                problems.append(f"lacks {name}")
            continue
        mine = own[name].default
        if default and mine is inspect.Parameter.empty:
            problems.append(f"{name} has no default")
        elif default and "<" not in default and plain(mine) != plain(default):
            problems.append(f"{name}={mine!r}, expected {default}")
    order = [e.partition("=")[0] for e in wanted if not e.startswith("*")]
    shared = [name for name in own if name in order]
    if shared != [name for name in order if name in own]:
        problems.append(f"order {shared}")
    return problems or None


@pytest.mark.parametrize(
    ("listed", "fewest"), [(names_of_keras, 500), (names_of_tensorflow, 150)], ids=["keras", "tf"]
)
def test_signatures(listed, fewest):
    found = list(listed())
    assert len(found) > fewest
    wrong = {name: problems for name, params, fn in found if (problems := difference(fn, params))}
    assert not wrong, "\n" + "\n".join(f"{name}: {problems}" for name, problems in wrong.items())

"""Compare the parameters of a function with those that Keras or TensorFlow has."""

import inspect
import re

from hornbeam.core.dtypes import DType

# Parameters that differ on purpose: the reason stands beside each.
DIFFERENT = {
    "tf.TensorShape": "a tuple; made by tensors",
    "tf.DType": "a name; made by as_dtype",
    "tf.Tensor": "made by constant and convert_to_tensor",
    "tf.constant_initializer": "the initializer of Keras, as all of tf.initializers",
    "tf.meshgrid": "the options of **kwargs are spelled out",
}


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

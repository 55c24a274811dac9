"""What is said where a tensor is asked for an attribute that NumPy's arrays have, or that graphs had."""

from __future__ import annotations

# Methods of NumPy's arrays, and what tensors have in their place.
_INSTEAD = {
    "T": "tf.transpose(t)",
    "all": "tf.reduce_all(t)",
    "any": "tf.reduce_any(t)",
    "argmax": "tf.argmax(t, axis)",
    "argmin": "tf.argmin(t, axis)",
    "astype": "tf.cast(t, dtype)",
    "clip": "tf.clip_by_value(t, low, high)",
    "copy": "tf.identity(t)",
    "cumsum": "tf.cumsum(t)",
    "data": "t.numpy().data",
    "detach": "tf.stop_gradient(t)",
    "dot": "tf.tensordot(t, other, 1)",
    "flatten": "tf.reshape(t, [-1])",
    "item": "t.numpy().item()",
    "max": "tf.reduce_max(t)",
    "mean": "tf.reduce_mean(t)",
    "min": "tf.reduce_min(t)",
    "prod": "tf.reduce_prod(t)",
    "ravel": "tf.reshape(t, [-1])",
    "repeat": "tf.repeat(t, repeats)",
    "reshape": "tf.reshape(t, shape)",
    "size": "tf.size(t)",
    "squeeze": "tf.squeeze(t)",
    "std": "tf.math.reduce_std(t)",
    "sum": "tf.reduce_sum(t)",
    "tolist": "t.numpy().tolist()",
    "transpose": "tf.transpose(t, perm)",
    "var": "tf.math.reduce_variance(t)",
    "view": "tf.bitcast(t, dtype)",
}
_OF_GRAPHS = ("consumers", "graph", "name", "op")


def no_attribute(name: str) -> str:
    """Return the text of the AttributeError of a tensor.

    >>> no_attribute("reshape")
    "EagerTensor object has no attribute 'reshape'. Write tf.reshape(t, shape)."
    """
    if name in _OF_GRAPHS:
        return f"Tensor.{name} is undefined when eager execution is enabled."
    hint = f" Write {_INSTEAD[name]}." if name in _INSTEAD else ""
    return f"EagerTensor object has no attribute {name!r}.{hint}"

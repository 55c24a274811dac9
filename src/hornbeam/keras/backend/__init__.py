"""`keras.backend`: process-wide defaults, and TensorFlow's older functions on tensors, by custom also called `K`.

>>> from hornbeam.keras import backend as K
>>> def dice_loss(y_true, y_pred):
...     overlap = K.sum(K.flatten(y_true) * K.flatten(y_pred))
...     return 1 - (2 * overlap + K.epsilon()) / (K.sum(y_true) + K.sum(y_pred) + K.epsilon())
>>> float(dice_loss(K.constant([1, 0]), K.constant([1, 0])))
0.0
"""

from typing import Any

from hornbeam.control.gradients import gradients as _gradients
from hornbeam.core.config import (
    epsilon,
    floatx,
    image_data_format,
    set_epsilon,
    set_floatx,
    set_image_data_format,
)
from hornbeam.core.dtypes import as_dtype, is_float, is_int, result_type
from hornbeam.core.faces import missing_names
from hornbeam.core.names import auto_name, name_scope
from hornbeam.core.symbolic import is_symbolic
from hornbeam.keras.backend.elements import (
    abs,
    all,
    any,
    argmax,
    argmin,
    batch_dot,
    clip,
    cos,
    cumprod,
    cumsum,
    dot,
    equal,
    exp,
    foldl,
    foldr,
    gather,
    greater,
    greater_equal,
    in_top_k,
    l2_normalize,
    less,
    less_equal,
    log,
    map_fn,
    max,
    maximum,
    mean,
    min,
    minimum,
    not_equal,
    pow,
    prod,
    round,
    sigmoid,
    sign,
    sin,
    sqrt,
    square,
    std,
    sum,
    switch,
    tanh,
    var,
)
from hornbeam.keras.backend.networks import (
    batch_normalization,
    bias_add,
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    conv1d,
    conv2d,
    conv2d_transpose,
    conv3d,
    depthwise_conv2d,
    dropout,
    elu,
    hard_sigmoid,
    pool2d,
    pool3d,
    relu,
    rnn,
    separable_conv2d,
    softmax,
    softplus,
    softsign,
    sparse_categorical_crossentropy,
)
from hornbeam.keras.backend.sequences import ctc_batch_cost, ctc_decode
from hornbeam.keras.backend.shaping import (
    batch_flatten,
    concatenate,
    expand_dims,
    flatten,
    one_hot,
    permute_dimensions,
    repeat,
    repeat_elements,
    reshape,
    resize_images,
    resize_volumes,
    reverse,
    spatial_2d_padding,
    spatial_3d_padding,
    squeeze,
    stack,
    stop_gradient,
    temporal_padding,
    tile,
    transpose,
)
from hornbeam.keras.backend.values import (
    arange,
    batch_get_value,
    batch_set_value,
    cast,
    cast_to_floatx,
    constant,
    count_params,
    dtype,
    eval,
    eye,
    get_value,
    int_shape,
    is_sparse,
    moving_average_update,
    ndim,
    ones,
    ones_like,
    random_bernoulli,
    random_normal,
    random_normal_variable,
    random_uniform,
    random_uniform_variable,
    set_value,
    shape,
    to_dense,
    truncated_normal,
    update,
    update_add,
    update_sub,
    variable,
    zeros,
    zeros_like,
)
from hornbeam.keras.config import backend
from hornbeam.keras.utils.session import clear_session

__all__ = [
    "abs",
    "all",
    "any",
    "arange",
    "argmax",
    "argmin",
    "backend",
    "batch_dot",
    "batch_flatten",
    "batch_get_value",
    "batch_normalization",
    "batch_set_value",
    "bias_add",
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "cast",
    "cast_to_floatx",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "clear_session",
    "clip",
    "concatenate",
    "constant",
    "conv1d",
    "conv2d",
    "conv2d_transpose",
    "conv3d",
    "cos",
    "count_params",
    "ctc_batch_cost",
    "ctc_decode",
    "cumprod",
    "cumsum",
    "depthwise_conv2d",
    "dot",
    "dropout",
    "dtype",
    "elu",
    "epsilon",
    "equal",
    "eval",
    "exp",
    "expand_dims",
    "eye",
    "flatten",
    "floatx",
    "foldl",
    "foldr",
    "gather",
    "get_uid",
    "get_value",
    "gradients",
    "greater",
    "greater_equal",
    "hard_sigmoid",
    "image_data_format",
    "in_top_k",
    "int_shape",
    "is_float_dtype",
    "is_int_dtype",
    "is_keras_tensor",
    "is_sparse",
    "l2_normalize",
    "less",
    "less_equal",
    "log",
    "map_fn",
    "max",
    "maximum",
    "mean",
    "min",
    "minimum",
    "moving_average_update",
    "name_scope",
    "ndim",
    "not_equal",
    "one_hot",
    "ones",
    "ones_like",
    "permute_dimensions",
    "pool2d",
    "pool3d",
    "pow",
    "prod",
    "random_bernoulli",
    "random_normal",
    "random_normal_variable",
    "random_uniform",
    "random_uniform_variable",
    "relu",
    "repeat",
    "repeat_elements",
    "reshape",
    "resize_images",
    "resize_volumes",
    "result_type",
    "reverse",
    "rnn",
    "round",
    "separable_conv2d",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
    "set_value",
    "shape",
    "sigmoid",
    "sign",
    "sin",
    "softmax",
    "softplus",
    "softsign",
    "sparse_categorical_crossentropy",
    "spatial_2d_padding",
    "spatial_3d_padding",
    "sqrt",
    "square",
    "squeeze",
    "stack",
    "standardize_dtype",
    "std",
    "stop_gradient",
    "sum",
    "switch",
    "tanh",
    "temporal_padding",
    "tile",
    "to_dense",
    "transpose",
    "truncated_normal",
    "update",
    "update_add",
    "update_sub",
    "var",
    "variable",
    "zeros",
    "zeros_like",
]


def is_float_dtype(dtype: Any) -> bool:
    """Return whether `dtype` is a floating type."""
    return is_float(dtype)


def is_int_dtype(dtype: Any) -> bool:
    """Return whether `dtype` is an integer type (not bool)."""
    return is_int(dtype)


def standardize_dtype(dtype: Any) -> str:
    """Return the name of an element type; None is the default float type.

    >>> import hornbeam as tf
    >>> tf.keras.backend.standardize_dtype(tf.int32)
    'int32'
    """
    return floatx() if dtype is None else as_dtype(dtype).name


def is_keras_tensor(x: Any) -> bool:
    """Return whether `x` is a symbolic tensor."""
    return is_symbolic(x)


def get_uid(prefix: str = "") -> str:
    """Return the next automatic name with that prefix."""
    return auto_name(prefix)


def gradients(loss: Any, variables: Any) -> Any:
    """Return the gradients of `loss` for each of `variables`, in a `tf.function`; elsewhere a `tf.GradientTape` has them.

    >>> import hornbeam as tf
    >>> from hornbeam.keras import backend as K
    >>> f = tf.function(lambda x: K.gradients(x * x, [x])[0])
    >>> float(f(tf.constant(3.0)))
    6.0
    """
    return _gradients(loss, variables)


__getattr__ = missing_names(__name__)

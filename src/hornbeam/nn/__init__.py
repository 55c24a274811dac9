"""`tf.nn`: what networks are made of, under TensorFlow's names."""

from hornbeam.core.faces import missing_names
from hornbeam.nn.convolution import (
    avg_pool,
    avg_pool1d,
    avg_pool2d,
    conv1d,
    conv2d,
    conv3d,
    depthwise_conv2d,
    max_pool,
    max_pool1d,
    max_pool2d,
)
from hornbeam.nn.crossentropy import (
    sigmoid_cross_entropy_with_logits,
    softmax_cross_entropy_with_logits,
    sparse_softmax_cross_entropy_with_logits,
)
from hornbeam.nn.ctc import collapse_repeated, ctc_loss
from hornbeam.nn.normalization import (
    batch_normalization,
    bias_add,
    dropout,
    embedding_lookup,
    l2_loss,
    moments,
)
from hornbeam.tensors.activations import (
    crelu,
    elu,
    gelu,
    leaky_relu,
    log_softmax,
    relu,
    relu6,
    selu,
    sigmoid,
    silu,
    softmax,
    softplus,
    softsign,
    swish,
    tanh,
)
from hornbeam.tensors.reductions import in_top_k, l2_normalize, top_k, zero_fraction

__all__ = [
    "avg_pool",
    "avg_pool1d",
    "avg_pool2d",
    "batch_normalization",
    "bias_add",
    "collapse_repeated",
    "conv1d",
    "conv2d",
    "conv3d",
    "crelu",
    "ctc_loss",
    "depthwise_conv2d",
    "dropout",
    "elu",
    "embedding_lookup",
    "gelu",
    "in_top_k",
    "l2_loss",
    "l2_normalize",
    "leaky_relu",
    "log_softmax",
    "max_pool",
    "max_pool1d",
    "max_pool2d",
    "moments",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "sigmoid_cross_entropy_with_logits",
    "silu",
    "softmax",
    "softmax_cross_entropy_with_logits",
    "softplus",
    "softsign",
    "sparse_softmax_cross_entropy_with_logits",
    "swish",
    "tanh",
    "top_k",
    "zero_fraction",
]

__getattr__ = missing_names(__name__)

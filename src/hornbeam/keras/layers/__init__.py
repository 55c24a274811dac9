"""Layers: the building blocks of models. The `__all__` of each file lists the names that are public."""

import inspect

from hornbeam.core.faces import missing_names
from hornbeam.keras.engine.input_layer import Input, InputLayer
from hornbeam.keras.engine.input_spec import InputSpec
from hornbeam.keras.engine.layer import Layer
from hornbeam.keras.layers import (
    activation,
    attention,
    batch_normalization,
    bidirectional,
    conv,
    conv_transpose,
    dense,
    depthwise_conv,
    dropout,
    einsum_dense,
    elementwise,
    embedding,
    global_pooling,
    grouped_query_attention,
    gru,
    lambda_layer,
    lookup,
    lstm,
    masking,
    merging,
    multi_head_attention,
    normalization,
    padding,
    pooling,
    reshaping,
    rnn,
    simple_rnn,
    stacked_rnn_cells,
    time_distributed,
    upsampling,
    wrapper,
)
from hornbeam.keras.layers.activation import *
from hornbeam.keras.layers.attention import *
from hornbeam.keras.layers.batch_normalization import *
from hornbeam.keras.layers.bidirectional import *
from hornbeam.keras.layers.conv import *
from hornbeam.keras.layers.conv_transpose import *
from hornbeam.keras.layers.dense import *
from hornbeam.keras.layers.depthwise_conv import *
from hornbeam.keras.layers.dropout import *
from hornbeam.keras.layers.einsum_dense import *
from hornbeam.keras.layers.elementwise import *
from hornbeam.keras.layers.embedding import *
from hornbeam.keras.layers.global_pooling import *
from hornbeam.keras.layers.grouped_query_attention import *
from hornbeam.keras.layers.grouped_query_attention import GroupedQueryAttention
from hornbeam.keras.layers.gru import *
from hornbeam.keras.layers.lambda_layer import *
from hornbeam.keras.layers.lookup import *
from hornbeam.keras.layers.lookup import registry as registry
from hornbeam.keras.layers.lstm import *
from hornbeam.keras.layers.masking import *
from hornbeam.keras.layers.merging import *
from hornbeam.keras.layers.multi_head_attention import *
from hornbeam.keras.layers.normalization import *
from hornbeam.keras.layers.padding import *
from hornbeam.keras.layers.pooling import *
from hornbeam.keras.layers.reshaping import *
from hornbeam.keras.layers.rnn import *
from hornbeam.keras.layers.simple_rnn import *
from hornbeam.keras.layers.stacked_rnn_cells import *
from hornbeam.keras.layers.time_distributed import *
from hornbeam.keras.layers.upsampling import *
from hornbeam.keras.layers.wrapper import *

__all__ = ["Input", "InputLayer", "InputSpec", "Layer"]
__all__ += activation.__all__
__all__ += attention.__all__
__all__ += batch_normalization.__all__
__all__ += bidirectional.__all__
__all__ += conv.__all__
__all__ += conv_transpose.__all__
__all__ += dense.__all__
__all__ += depthwise_conv.__all__
__all__ += dropout.__all__
__all__ += einsum_dense.__all__
__all__ += elementwise.__all__
__all__ += embedding.__all__
__all__ += global_pooling.__all__
__all__ += grouped_query_attention.__all__
__all__ += gru.__all__
__all__ += lambda_layer.__all__
__all__ += lookup.__all__
__all__ += lstm.__all__
__all__ += masking.__all__
__all__ += merging.__all__
__all__ += multi_head_attention.__all__
__all__ += normalization.__all__
__all__ += padding.__all__
__all__ += pooling.__all__
__all__ += reshaping.__all__
__all__ += rnn.__all__
__all__ += simple_rnn.__all__
__all__ += stacked_rnn_cells.__all__
__all__ += time_distributed.__all__
__all__ += upsampling.__all__
__all__ += wrapper.__all__

registry.add(GroupedQueryAttention, written="GroupQueryAttention")  # as Keras writes it

# Every exported layer can be named in a configuration; there is no other table.
for _name in __all__:
    _each = globals()[_name]
    if inspect.isclass(_each) and issubclass(_each, Layer) and _each is not Layer:
        registry.add(_each, _name)

__getattr__ = missing_names(__name__)

"""Functions over tensors: the names and signatures of `keras.ops`, one implementation behind every face.

The `__all__` of each file lists what `keras.ops` has. What only Hornbeam's own layers and faces use is imported by name.
"""

from hornbeam.core import arithmetic
from hornbeam.core.arithmetic import *
from hornbeam.core.arithmetic import absolute as abs
from hornbeam.core.tensor import is_tensor
from hornbeam.ops import (
    activations,
    attention,
    binary,
    control,
    convolution,
    core,
    creation,
    crossentropy,
    ctc,
    elementwise,
    encoding,
    linalg,
    logic,
    manipulation,
    nan_reduction,
    normalization,
    number,
    pooling,
    rearrangement,
    reduction,
    segment,
    signal,
    statistics,
)
from hornbeam.ops import random as random
from hornbeam.ops.activations import *
from hornbeam.ops.attention import *
from hornbeam.ops.binary import *
from hornbeam.ops.control import *
from hornbeam.ops.convolution import *
from hornbeam.ops.core import *
from hornbeam.ops.core import array_of as array
from hornbeam.ops.creation import *
from hornbeam.ops.crossentropy import *
from hornbeam.ops.ctc import *
from hornbeam.ops.dense import affine as affine
from hornbeam.ops.dense import embedding_lookup as embedding_lookup
from hornbeam.ops.elementwise import *
from hornbeam.ops.encoding import *
from hornbeam.ops.linalg import *
from hornbeam.ops.logic import *
from hornbeam.ops.manipulation import *
from hornbeam.ops.nan_reduction import *
from hornbeam.ops.normalization import *
from hornbeam.ops.normalization import narrow_batch_normalization as narrow_batch_normalization
from hornbeam.ops.normalization import wide_moments as wide_moments
from hornbeam.ops.number import *
from hornbeam.ops.pooling import *
from hornbeam.ops.rearrangement import *
from hornbeam.ops.recurrent import gru as gru
from hornbeam.ops.recurrent import lstm as lstm
from hornbeam.ops.recurrent import rnn as rnn
from hornbeam.ops.recurrent import simple_rnn as simple_rnn
from hornbeam.ops.reduction import *
from hornbeam.ops.segment import *
from hornbeam.ops.signal import *
from hornbeam.ops.statistics import *

__all__ = ["abs", "array", "is_tensor"]
__all__ += arithmetic.__all__
__all__ += activations.__all__
__all__ += attention.__all__
__all__ += binary.__all__
__all__ += control.__all__
__all__ += convolution.__all__
__all__ += core.__all__
__all__ += creation.__all__
__all__ += crossentropy.__all__
__all__ += ctc.__all__
__all__ += elementwise.__all__
__all__ += encoding.__all__
__all__ += linalg.__all__
__all__ += logic.__all__
__all__ += manipulation.__all__
__all__ += nan_reduction.__all__
__all__ += normalization.__all__
__all__ += number.__all__
__all__ += pooling.__all__
__all__ += rearrangement.__all__
__all__ += reduction.__all__
__all__ += segment.__all__
__all__ += signal.__all__
__all__ += statistics.__all__

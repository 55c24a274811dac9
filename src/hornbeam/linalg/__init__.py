"""`tf.linalg`: matrices, under TensorFlow's names."""

from hornbeam.core.faces import missing_names
from hornbeam.tensors.creation import eye
from hornbeam.tensors.matrices import (
    adjoint,
    band_part,
    cholesky,
    cross,
    det,
    diag,
    diag_part,
    eigh,
    einsum,
    inv,
    logdet,
    matmul,
    matrix_rank,
    matrix_transpose,
    matvec,
    norm,
    pinv,
    qr,
    slogdet,
    solve,
    svd,
    tensordot,
    trace,
    triangular_solve,
)
from hornbeam.tensors.reductions import l2_normalize
from hornbeam.tensors.shaping import global_norm

__all__ = [
    "adjoint",
    "band_part",
    "cholesky",
    "cross",
    "det",
    "diag",
    "diag_part",
    "eigh",
    "einsum",
    "eye",
    "global_norm",
    "inv",
    "l2_normalize",
    "logdet",
    "matmul",
    "matrix_rank",
    "matrix_transpose",
    "matvec",
    "norm",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "svd",
    "tensordot",
    "trace",
    "triangular_solve",
]

__getattr__ = missing_names(__name__)

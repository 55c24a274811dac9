"""`tf.linalg`: matrices, under TensorFlow's names."""

from hornbeam.core.faces import missing_names
from hornbeam.linalg import experimental
from hornbeam.linalg.operators.banded import (
    LinearOperatorToeplitz,
    LinearOperatorTridiag,
)
from hornbeam.linalg.operators.base import (
    LinearOperator,
)
from hornbeam.linalg.operators.blocks import (
    LinearOperatorBlockDiag,
    LinearOperatorBlockLowerTriangular,
)
from hornbeam.linalg.operators.circulant import (
    LinearOperatorCirculant,
    LinearOperatorCirculant2D,
    LinearOperatorCirculant3D,
)
from hornbeam.linalg.operators.inverses import (
    LinearOperatorAdjoint,
    LinearOperatorInversion,
)
from hornbeam.linalg.operators.multiples import (
    LinearOperatorIdentity,
    LinearOperatorScaledIdentity,
    LinearOperatorZeros,
)
from hornbeam.linalg.operators.orthogonal import (
    LinearOperatorHouseholder,
    LinearOperatorPermutation,
)
from hornbeam.linalg.operators.products import (
    LinearOperatorComposition,
    LinearOperatorKronecker,
)
from hornbeam.linalg.operators.stored import (
    LinearOperatorDiag,
    LinearOperatorFullMatrix,
    LinearOperatorLowerTriangular,
)
from hornbeam.linalg.operators.updates import (
    LinearOperatorLowRankUpdate,
)
from hornbeam.tensors.creation import eye
from hornbeam.tensors.diagonals import (
    banded_triangular_solve,
    diag,
    diag_part,
    set_diag,
    tensor_diag,
    tensor_diag_part,
    tridiagonal_matmul,
    tridiagonal_solve,
)
from hornbeam.tensors.factors import (
    cholesky_solve,
    eig,
    eigh_tridiagonal,
    eigvals,
    eigvalsh,
    expm,
    logm,
    lstsq,
    lu,
    lu_matrix_inverse,
    lu_reconstruct,
    lu_solve,
    normalize,
    sqrtm,
)
from hornbeam.tensors.matrices import (
    adjoint,
    band_part,
    cholesky,
    cross,
    det,
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
    "LinearOperator",
    "LinearOperatorAdjoint",
    "LinearOperatorBlockDiag",
    "LinearOperatorBlockLowerTriangular",
    "LinearOperatorCirculant",
    "LinearOperatorCirculant2D",
    "LinearOperatorCirculant3D",
    "LinearOperatorComposition",
    "LinearOperatorDiag",
    "LinearOperatorFullMatrix",
    "LinearOperatorHouseholder",
    "LinearOperatorIdentity",
    "LinearOperatorInversion",
    "LinearOperatorKronecker",
    "LinearOperatorLowRankUpdate",
    "LinearOperatorLowerTriangular",
    "LinearOperatorPermutation",
    "LinearOperatorScaledIdentity",
    "LinearOperatorToeplitz",
    "LinearOperatorTridiag",
    "LinearOperatorZeros",
    "adjoint",
    "band_part",
    "banded_triangular_solve",
    "cholesky",
    "cholesky_solve",
    "cross",
    "det",
    "diag",
    "diag_part",
    "eig",
    "eigh",
    "eigh_tridiagonal",
    "eigvals",
    "eigvalsh",
    "einsum",
    "experimental",
    "expm",
    "eye",
    "global_norm",
    "inv",
    "l2_normalize",
    "logdet",
    "logm",
    "lstsq",
    "lu",
    "lu_matrix_inverse",
    "lu_reconstruct",
    "lu_solve",
    "matmul",
    "matrix_rank",
    "matrix_transpose",
    "matvec",
    "norm",
    "normalize",
    "pinv",
    "qr",
    "set_diag",
    "slogdet",
    "solve",
    "sqrtm",
    "svd",
    "tensor_diag",
    "tensor_diag_part",
    "tensordot",
    "trace",
    "triangular_solve",
    "tridiagonal_matmul",
    "tridiagonal_solve",
]

__getattr__ = missing_names(__name__)

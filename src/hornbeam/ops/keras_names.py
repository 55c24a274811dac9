"""The class that Keras writes into a configuration for each op: `multiply` is `Multiply` of `keras.src.ops.numpy`."""

from __future__ import annotations

# The names of ops by Keras's module, for a class is looked up there. A test compares them with real Keras.
_NAMES = {
    "numpy": """
        absolute add all allclose amax amin angle any append arange arccos arccosh arcsin
        arcsinh arctan arctan2 arctanh argmax argmin argpartition argsort array array_split
        average bincount bitwise_and bitwise_left_shift bitwise_not bitwise_or
        bitwise_right_shift bitwise_xor broadcast_to cbrt ceil clip concatenate conjugate copy corrcoef
        correlate cos cosh count_nonzero cross cumprod cumsum deg2rad diag diagflat diagonal
        diff digitize divide divide_no_nan dot dsplit dstack einsum empty_like equal exp exp2
        expand_dims expm1 fabs flip fliplr flipud floor floor_divide fmax fmin fmod full
        full_like gcd geomspace get_item greater greater_equal heaviside histogram hsplit hstack
        hypot i0 imag inner isclose isfinite isin isinf isnan isneginf isposinf isreal kron lcm
        ldexp less less_equal linspace log log10 log1p log2 logaddexp logaddexp2 logical_and
        logical_not logical_or logical_xor logspace matmul max maximum mean median meshgrid min
        minimum mod moveaxis multiply nan_to_num nanargmax nanargmin nancumprod nancumsum nanmax
        nanmean nanmedian nanmin nanpercentile nanprod nanquantile nanstd nansum nanvar negative
        nextafter nonzero not_equal ones_like outer pad percentile power prod ptp quantile
        rad2deg ravel real reciprocal repeat reshape roll rot90 round searchsorted select sign
        signbit sin sinc sinh size slogdet sort split sqrt square squeeze stack std subtract sum
        swapaxes take take_along_axis tan tanh tensordot tile trace transpose trapezoid tril
        triu trunc unique unravel_index vander var vdot view vsplit vstack where zeros_like
    """,
    "nn": """
        adaptive_average_pool adaptive_max_pool average_pool batch_normalization
        binary_crossentropy categorical_crossentropy celu conv conv_transpose depth_to_space
        ctc_decode ctc_loss depthwise_conv dot_product_attention elu fold gelu glu hard_shrink hard_sigmoid
        hard_silu hard_tanh layer_normalization leaky_relu log_sigmoid log_softmax max_pool
        moments multi_hot normalize one_hot polar psnr relu relu6 rms_normalization selu
        separable_conv sigmoid silu soft_shrink softmax softplus softsign space_to_depth
        sparse_categorical_crossentropy sparse_plus sparse_sigmoid sparsemax squareplus
        tanh_shrink threshold unfold
    """,
    "core": """
        associative_scan cast cond fori_loop map saturate_cast scan scatter scatter_update slice
        slice_update stop_gradient switch unstack vectorized_map while_loop
    """,
    "math": """
        cdist erf erfc erfinv extract_sequences fft fft2 ifft2 in_top_k irfft istft logdet
        logsumexp rfft rsqrt segment_max segment_min segment_prod segment_sum stft top_k
        view_as_complex view_as_real
    """,
    "linalg": """
        cholesky cholesky_inverse det eig eigh inv jvp lstsq lu_factor matrix_rank norm pinv qr
        solve solve_triangular svd
    """,
    "einops": """
        rearrange
    """,
}
_MODULES = {
    name: f"keras.src.ops.{module}" for module, names in _NAMES.items() for name in names.split()
}
# Classes whose names are not the op's name in CamelCase.
_CLASSES = {
    "allclose": "AllClose",
    "batch_normalization": "BatchNorm",
    "cdist": "CDist",
    "ctc_decode": "CTCDecode",
    "ctc_loss": "CTCLoss",
    "fft": "FFT",
    "fft2": "FFT2",
    "ifft2": "IFFT2",
    "irfft": "IRFFT",
    "isin": "IsIn",
    "istft": "ISTFT",
    "jvp": "JVP",
    "layer_normalization": "LayerNorm",
    "psnr": "PSNR",
    "rfft": "RFFT",
    "rms_normalization": "RMSNorm",
    "searchsorted": "SearchSorted",
    "stft": "STFT",
    "svd": "SVD",
}
# Classes of Keras for which another op stands here.
_SAME = {
    "Abs": "absolute",
    "BitwiseInvert": "bitwise_not",
    "Conj": "conjugate",
    "LeftShift": "bitwise_left_shift",
    "RightShift": "bitwise_right_shift",
    "TrueDivide": "divide",
}


def _camel(name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


_OPS = {(module, _CLASSES.get(name, _camel(name))): name for name, module in _MODULES.items()}
_OPS.update({("keras.src.ops.numpy", class_name): name for class_name, name in _SAME.items()})

_CLASS_MODULES = {class_name: module for module, class_name in _OPS}


def keras_class(name: str) -> tuple[str, str] | None:
    """Return Keras's module and class of the op `name`, or None if Keras has no such op.

    >>> from hornbeam.ops.keras_names import keras_class
    >>> keras_class("layer_normalization")
    ('keras.src.ops.nn', 'LayerNorm')
    """
    module = _MODULES.get(name)
    return None if module is None else (module, _CLASSES.get(name, _camel(name)))


def op_name(module: str, class_name: str) -> str | None:
    """Return the name of the op that is this class in Keras, or None if there is none.

    >>> from hornbeam.ops.keras_names import op_name
    >>> op_name("keras.src.ops.numpy", "GetItem")
    'get_item'
    """
    return _OPS.get((module, class_name))


def module_of_class(class_name: str) -> str | None:
    """Return the module of Keras that has the class of an op, or None if none has.

    >>> from hornbeam.ops.keras_names import module_of_class
    >>> module_of_class("Multiply"), module_of_class("Dense")
    ('keras.src.ops.numpy', None)
    """
    return _CLASS_MODULES.get(class_name)

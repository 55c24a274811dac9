"""Ops whose first calls are computed directly, without a program of their own.

Compiling takes milliseconds, and most calls of a script are made once or twice. An op may be computed directly at first,
and by a compiled program later, only if both make the same bits: its body rounds at most once, or is one function that
JAX compiles as a whole by itself. tests/core/test_direct.py checks that of every name.
"""

_NAMES = """
absolute add all amax amin angle any append arccos arccosh arcsin arcsinh arctan arctan2 arctanh argmax argmin
argpartition argsort array array_split bitwise_and bitwise_left_shift bitwise_not bitwise_or bitwise_right_shift
bitwise_xor broadcast_to cast cbrt ceil clip concatenate conjugate copy correlate cos cosh count_nonzero cumprod
cumsum deg2rad depth_to_space diagflat divide divide_no_nan dot dsplit dstack equal erf erfc erfinv exp exp2
expand_dims expm1 extract_sequences fabs fft fft2 flip fliplr flipud floor floor_divide fmax fmin fmod fold full_like
gather gather_nd get_item greater greater_equal hard_shrink hard_tanh heaviside hsplit hstack ifft2 imag in_top_k
inner invert irfft isfinite isin isinf isnan isneginf isposinf isreal kron leaky_relu less less_equal log log1p
logical_and logical_not logical_or logical_xor matmul max max_pool maximum meshgrid min minimum mod moveaxis multi_hot
multiply nan_to_num nanargmax nanargmin nancumprod nancumsum nanmax nanmin nanprod nansum negative nextafter not_equal
one_hot ones_like outer pad power prod ptp rad2deg ravel real rearrange reciprocal relu relu6 repeat reshape rfft roll
rot90 round rsqrt saturate_cast segment_max segment_min segment_prod segment_sum select sigmoid sign signbit sin sinh
slice solve_triangular sort space_to_depth split sqrt square squeeze stack stop_gradient subtract sum swapaxes take
take_along_axis tan tanh tensor_scatter_nd_update tensordot tf.argmax tf.argmin tf.floordiv tf.strided_slice_assign
threshold tile top_k trace transpose tril triu trunc unfold unravel_index unstack vdot view view_as_complex
view_as_real vsplit vstack where zeros_like
"""
# Ops that make arrays of numbers alone; no other op is compiled for a call without arrays.
CREATING = frozenset(("arange", "empty", "eye", "full", "identity", "ones", "tri", "zeros"))
DIRECT = CREATING.union(_NAMES.split())

// Convolutions that give at most sixteen channels, in float32 on AVX-512.
//
// A register holds all channels of one place. oneDNN 3.2 reads a number of x for each of its products, which memory
// limits; here a number serves all columns of the window. See narrow_conv.cc.
#pragma once

#include "conv.h"

namespace hornbeam::conv {

// Whether the convolution, or its input's gradient, is one of these, on this processor.
bool is_narrow(const Shape& shape);
bool has_narrow_input(const Shape& shape);

// n images on the calling thread; as `ImageConv`.
void narrow_forward(const Shape& shape, int64_t n, const float* x, const float* kernel, const float* bias, float* y);
void narrow_input_gradient(const Shape& shape, int64_t n, const float* dy, const float* kernel, float* dx);

}  // namespace hornbeam::conv

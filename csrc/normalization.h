// Normalisation, channels last: sums over rows for batch normalisation, and layer normalisation.
//
// Letters: n rows, c channels (the last axis). x, y and their gradients are (n, c) in float32 or
// bfloat16; everything else is float32. c is 16 at least.
#pragma once

#include "core/matmul.h"
#include "xla/ffi/api/ffi.h"

namespace hornbeam::normalization {

struct Shape {
  Type type;
  int64_t n, c;
};

// mean and variance (c,) of each channel over the rows.
xla::ffi::Error moments(xla::ffi::ThreadPool& pool, const Shape& shape, const void* x, float* mean,
                        float* variance);

// sums = sum of dy, products = sum of x * dy, of each channel over the rows: both (c,).
xla::ffi::Error products(xla::ffi::ThreadPool& pool, const Shape& shape, const void* x,
                         const void* dy, float* sums, float* products);

// y = (x - mean) * factor * gamma + beta in each row, factor = 1 / sqrt(variance + epsilon).
// gamma and beta are (c,); mean and factor (n,) are kept for the gradient.
xla::ffi::Error layer_forward(xla::ffi::ThreadPool& pool, const Shape& shape, const void* x,
                              const float* gamma, const float* beta, float epsilon, void* y,
                              float* mean, float* factor);

// The gradients dx, d_gamma and d_beta of all that.
xla::ffi::Error layer_backward(xla::ffi::ThreadPool& pool, const Shape& shape, const void* x,
                               const void* dy, const float* gamma, const float* mean,
                               const float* factor, void* dx, float* d_gamma, float* d_beta);

}  // namespace hornbeam::normalization

// Normalisation, channels last: of each channel over the rows (batch), and of each row (layer).
//
// Letters: n rows, c channels (the last axis). x, y and their gradients are (n, c) in float32 or
// bfloat16; everything else is float32. c is 16 at least.
#pragma once

#include "core/gemm.h"
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

// y = (x - mean) / sqrt(variance + epsilon) * gamma + beta of each channel, and then of that sum
// with `other` (n, c), which may be null, the part above 0, if asked. All vectors are (c,).
struct Batch {
  const float *mean, *variance, *gamma, *beta;
  float epsilon;
};
xla::ffi::Error batch_forward(xla::ffi::ThreadPool& pool, const Shape& shape, const void* x,
                              const Batch& batch, const void* other, bool relu, void* y);

// The gradients of all that, for mean and variance that are x's own; beta isn't read. The output's
// gradient is dy + `more` (may be null). `y` (may be null) is the output after relu: it counts only
// where that is above 0. `dz` (may be null) is set to what counts, the gradient of `other`.
xla::ffi::Error batch_backward(xla::ffi::ThreadPool& pool, const Shape& shape, const void* x,
                               const void* dy, const void* more, const Batch& batch, const void* y,
                               void* dx, void* dz, float* d_gamma, float* d_beta);

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

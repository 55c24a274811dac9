// The dense layer: y = activation(x @ kernel + bias), and its gradients.
//
// Letters: b rows (the batch), d features, u units. Matrices are row-major; a kernel is (d, u), or
// (u, d) where it is said to be transposed. `y`, where given, is the output after relu: gradients
// count only where it is above 0.
//
// Kernel and bias are of the type of the rows, or of float32 beside bfloat16 rows, and so are their
// gradients.
#pragma once

#include "core/gemm.h"
#include "xla/ffi/api/ffi.h"

namespace hornbeam::dense {

struct Shape {
  Type type, kernel_type;
  int64_t b, d, u;
  bool transposed;  // the kernel
};

// y = x @ kernel + bias (may be null), then relu if asked.
xla::ffi::Error forward(xla::ffi::ThreadPool& pool, const Shape& shape, const void* x,
                        const void* kernel, const void* bias, bool relu, void* y);

// dx = dz @ kernel^T, where dz is dy, or with `y` not null dy where y > 0 and else 0.
xla::ffi::Error input_gradient(xla::ffi::ThreadPool& pool, const Shape& shape, const void* dy,
                               const void* kernel, const void* y, void* dx);

// d_kernel = x^T @ dz, never transposed, and d_bias, the sum of the rows of dz.
xla::ffi::Error weight_gradient(xla::ffi::ThreadPool& pool, const Shape& shape, const void* x,
                                const void* dy, const void* y, void* d_kernel, void* d_bias);

}  // namespace hornbeam::dense

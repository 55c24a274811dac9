// Products of many pairs of matrices.
//
// Letters: z pairs, matrices a (m, k) and b (k, n), all in one piece and of one type; their product
// may be float32 beside bfloat16.
#pragma once

#include "core/gemm.h"
#include "xla/ffi/api/ffi.h"

namespace hornbeam::matmul {

struct Shape {
  Type type, result;
  int64_t z, m, k, n;
  bool a_transposed, b_transposed;  // whether a lies in memory as (z, k, m), b as (z, n, k)
};

// c (z, m, n) = a @ b. Sums are taken in float32.
xla::ffi::Error multiply(xla::ffi::ThreadPool& pool, const Shape& shape, const void* a,
                         const void* b, void* c);

}  // namespace hornbeam::matmul

// Matrix products by oneDNN, divided over threads.
#pragma once

#include <cstdint>

#include "oneapi/dnnl/dnnl.hpp"
#include "xla/ffi/api/ffi.h"

namespace hornbeam {

enum class Type { kFloat32, kBFloat16 };

constexpr int64_t size_of(Type type) { return type == Type::kFloat32 ? 4 : 2; }
dnnl::memory::data_type dnnl_type(Type type);

// A matrix within memory; one of the strides (in elements) is 1.
struct Matrix {
  const void* data;
  int64_t rows, columns;
  int64_t row_stride, column_stride;

  static Matrix of(const void* data, int64_t rows, int64_t columns) {
    return {data, rows, columns, columns, 1};
  }
  Matrix transposed() const { return {data, columns, rows, column_stride, row_stride}; }
};

// c = a @ b (+ bias, one per column), where c is row-major and then, if asked, max(c, 0). Sums are
// taken in float32. Each element of c is computed in one slice, so that the division of the work
// never changes the order of a sum.
xla::ffi::Error matmul(xla::ffi::ThreadPool& pool, Type type, const Matrix& a, const Matrix& b,
                       const void* bias, bool relu, void* c);

// The same on the calling thread alone, without relu; rows of c are `c_stride` apart.
void multiply(Type type, const Matrix& a, const Matrix& b, const void* bias, void* c,
              int64_t c_stride);

}  // namespace hornbeam

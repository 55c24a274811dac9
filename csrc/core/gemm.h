// Matrix products, divided over threads.
#pragma once

#include <cstdint>

#include "oneapi/dnnl/dnnl.hpp"
#include "xla/ffi/api/ffi.h"

namespace hornbeam {

enum class Type { kFloat32, kBFloat16 };

constexpr int64_t size_of(Type type) { return type == Type::kFloat32 ? 4 : 2; }
dnnl::memory::data_type dnnl_type(Type type);

inline const char* at(const void* data, int64_t element, Type type) {
  return static_cast<const char*>(data) + element * size_of(type);
}
inline char* at(void* data, int64_t element, Type type) {
  return static_cast<char*>(data) + element * size_of(type);
}

// A matrix within memory; one of the strides (in elements) is 1. Where there is a mask, an array
// like the data, elements count as 0 unless it is above 0.
struct Matrix {
  const void* data;
  int64_t rows, columns;
  int64_t row_stride, column_stride;
  const void* mask = nullptr;

  static Matrix of(const void* data, int64_t rows, int64_t columns, const void* mask = nullptr) {
    return {data, rows, columns, columns, 1, mask};
  }
  Matrix transposed() const { return {data, columns, rows, column_stride, row_stride, mask}; }
};

// The types of a product c = a @ b.
struct Types {
  Type a, b, c;
  Types(Type all) : a(all), b(all), c(all) {}
  Types(Type a, Type b, Type c) : a(a), b(b), c(c) {}
};

// What a product does besides. What is not wanted is null.
struct Extras {
  const float* bias = nullptr;  // is added to each row of c
  bool relu = false;            // then max(c, 0)
  float* b_sums = nullptr;      // receives the sum of the rows of b
};

// c = a @ b, where c is row-major and dense, and so are a and b or their transposes. Sums are taken
// in float32; a float32 b is rounded to bfloat16 beside such an a. Each element of c is computed in
// one slice, so that the division of the work never changes the order of a sum.
xla::ffi::Error gemm(xla::ffi::ThreadPool& pool, const Types& types, const Matrix& a,
                     const Matrix& b, void* c, const Extras& extras = {});

// c = a @ b (+ bias) on the calling thread alone, for a and b of one type and without masks; rows
// of c are `c_stride` apart.
void multiply(const Types& types, const Matrix& a, const Matrix& b, const float* bias, void* c,
              int64_t c_stride);

}  // namespace hornbeam

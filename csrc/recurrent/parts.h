// What LSTM and GRU share: products with packed weights, the division of the batch, rows by time.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "core/gemm.h"
#include "core/onednn.h"
#include "recurrent/recurrent.h"

namespace hornbeam::recurrent {

// A matrix in the layout that is best on the right of products with about `rows` rows: oneDNN's, or
// the panels of our own loops.
struct Packed {
  Type type = Type::kFloat32;
  int64_t rows = 0, k = 0, n = 0;
  dnnl::memory::desc layout;
  bool panels = false;
  void* data = nullptr;

  // Chooses the layout; `bytes` of `data` are to be given, then `pack` fills them.
  static Packed plan(Type type, int64_t rows, int64_t k, int64_t n);
  int64_t bytes() const {
    return panels ? k * n * size_of(type) : static_cast<int64_t>(layout.get_size());
  }
  void pack(const Matrix& from) const;
};

// Our own product c (rows, n) = or += a (rows, k) @ panels.
struct StepSizes {
  int64_t rows, k, n;
  bool add;
};

// c (m, n) = a (m, k) @ b, or c += it, in float32. Everything lies dense: for other matrices oneDNN
// has only its slow reference. It belongs to a thread.
class Product {
 public:
  Product() = default;
  Product(int64_t m, const Packed& b, bool add);
  // a and b may be transposed; their data is not used.
  Product(Type type, const Matrix& a, const Matrix& b, bool add);

  void operator()(const void* a, const void* b, float* c) const {
    if (multiply_) return multiply_(step_, a, b, c);
    primitive_->run({{DNNL_ARG_SRC, a}, {DNNL_ARG_WEIGHTS, b}, {DNNL_ARG_DST, c}});
  }

 private:
  StepSizes step_{};
  void (*multiply_)(const StepSizes& step, const void* a, const void* b, float* c) = nullptr;
  std::shared_ptr<onednn::Primitive> primitive_;
};

// How many slices the batch is cut into.
int64_t batch_slices(const xla::ffi::ThreadPool& pool, const Shape& shape, int64_t columns);

// How many steps are taken together where each needs so many bytes.
int64_t chunk_steps(const Shape& shape, int64_t bytes_per_step);

// Some rows of the batch, over some steps.
struct Window {
  int64_t row, rows, step, steps;
};

// The rows of x (b, t, d), in the order of time, as (steps, rows, d); and back.
void gather(const Shape& shape, const Window& w, const void* x, void* to);
void scatter(const Shape& shape, const Window& w, const float* from, void* x);
// The states h before each step, as (steps, rows, u).
void gather_before(const Shape& shape, const Window& w, const void* h0, const void* y, void* to);

// `count` weights in the type of products: themselves, or rounded into scratch memory 3 of this
// thread.
const void* rounded_weights(const Shape& shape, const void* weights, int64_t count);

void widen_all(Type type, const void* from, int64_t count, float* to);
void narrow_all(Type type, const float* from, int64_t count, void* to);

// A matrix `to`, rows `to_stride` apart, is the sum of the matrices at from[slice], in the order of
// slices. Those lie dense.
struct Sum {
  const float* from;  // the first slice's; the others follow `stride` elements apart
  int64_t rows, columns;
  void* to;  // may be null
  int64_t to_stride;
};
xla::ffi::Error sum_slices(xla::ffi::ThreadPool& pool, Type type, int64_t slices, int64_t stride,
                           std::initializer_list<Sum> sums);

// sums += the sum of the rows.
template <typename T>
struct Columns {
  const T* from;
  int64_t rows, columns;
  float* sums;
};
void add_rows(Type type, const void* from, int64_t rows, int64_t columns, float* sums);

// Step s is this one of time.
inline int64_t time_of(const Shape& shape, int64_t step) {
  return shape.backwards ? shape.t - 1 - step : step;
}

}  // namespace hornbeam::recurrent

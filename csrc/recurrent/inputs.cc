#include "recurrent/inputs.h"

#include <algorithm>
#include <cstring>

#include "core/onednn.h"

namespace hornbeam::recurrent {
namespace {

// Rows are taken once where they are at most this share of all, since adding up their gradients
// takes time too, and where what products make of them takes no more memory than this: it is read
// again at each step.
constexpr double kMostDistinct = 0.85;
constexpr int64_t kDistinctBytes = 8 << 20;

}  // namespace

Distinct Distinct::of(const Shape& shape, const Inputs& in, int64_t row, int64_t rows,
                      int64_t columns) {
  if (!in.numbers) return {};
  const int32_t* numbers = in.numbers + row * shape.t;
  const int64_t all = rows * shape.t;
  int64_t size = 1;  // of a table in which the row of a number is looked up
  while (size < 2 * all) size *= 2;
  int32_t *which, *places, *found;
  auto divide = [&](Arena arena) {
    which = arena.take<int32_t>(all);
    places = arena.take<int32_t>(all);
    found = arena.take<int32_t>(size);
    return arena.bytes();
  };
  divide(Arena(onednn::scratch(3, divide(Arena()))));
  std::fill_n(found, size, -1);
  int64_t count = 0;
  for (int64_t i = 0; i < all; ++i) {
    const auto hash =
        static_cast<uint32_t>(numbers[i]) * 2654435769u;  // Knuth's multiplicative hashing
    int64_t slot = (hash ^ hash >> 16) & (size - 1);
    while (found[slot] >= 0 && numbers[places[found[slot]]] != numbers[i])
      slot = (slot + 1) & (size - 1);
    if (found[slot] < 0) {
      found[slot] = static_cast<int32_t>(count);
      places[count++] = static_cast<int32_t>(i);
    }
    which[i] = found[slot];
  }
  const bool pays =
      count <= kMostDistinct * all && count * columns * int64_t{sizeof(float)} <= kDistinctBytes;
  return {pays ? count : 0, which, places};
}

void Distinct::gather(const Shape& shape, int64_t row, const void* x, void* to) const {
  const int64_t d = shape.d;
  for (int64_t i = 0; i < count; ++i) {
    std::memcpy(at(to, i * d, shape.type), at(x, (row * shape.t + places[i]) * d, shape.type),
                d * size_of(shape.type));
  }
}

InputProducts::InputProducts(const Shape& shape, const Inputs& in, const Packed& w, int64_t row,
                             int64_t rows)
    : shape_(shape),
      in_(in),
      w_(w),
      row_(row),
      rows_(rows),
      distinct_(Distinct::of(shape, in, row, rows, w.n)) {
  const int64_t bytes_per_step = rows * (w.n * sizeof(float) + shape.d * size_of(shape.type));
  steps_ = distinct_.count ? shape.t : chunk_steps(shape, bytes_per_step);
  most_ = distinct_.count ? distinct_.count : steps_ * rows;
}

void InputProducts::take(Arena& arena) {
  products_ = arena.take<float>(most_ * w_.n);
  x_ = arena.take<char>(most_ * shape_.d * size_of(shape_.type));
  at_ = arena.take<const float*>(rows_);
}

void InputProducts::compute(int64_t begin, int64_t steps) {
  begin_ = begin;
  if (distinct_.count) {
    distinct_.gather(shape_, row_, in_.x, x_);
  } else {
    gather(shape_, {row_, rows_, begin, steps}, in_.x, x_);
  }
  Product(distinct_.count ? distinct_.count : steps * rows_, w_, false)(x_, w_.data, products_);
}

const float* const* InputProducts::at(int64_t step) {
  const int64_t time = time_of(shape_, step);
  for (int64_t r = 0; r < rows_; ++r) {
    const int64_t place =
        distinct_.count ? distinct_.which[r * shape_.t + time] : (step - begin_) * rows_ + r;
    at_[r] = products_ + place * w_.n;
  }
  return at_;
}

InputGradients::InputGradients(const Shape& shape, const Inputs& in, const Packed& w_t,
                               const Window& most)
    : shape_(shape),
      in_(in),
      w_t_(w_t),
      most_(most),
      distinct_(Distinct::of(shape, in, most.row, most.rows, w_t.k)) {}

void InputGradients::take(Arena& arena) {
  const int64_t d = shape_.d, columns = w_t_.k, bytes = size_of(shape_.type);
  const int64_t rows = distinct_.count ? distinct_.count : most_.steps * most_.rows;
  x_ = arena.take<char>(rows * d * bytes);
  dx_ = arena.take<float>(rows * d);
  if (!distinct_.count) return;
  sums_ = arena.take<float>(rows * columns);
  narrow_ = shape_.type == Type::kFloat32
                ? sums_
                : static_cast<void*>(arena.take<char>(rows * columns * bytes));
}

void InputGradients::begin() {
  if (distinct_.count) std::fill_n(sums_, distinct_.count * w_t_.k, 0.0f);
}

void InputGradients::add(const Window& w, const void* da, float* dw, void* dx) {
  const int64_t columns = w_t_.k;
  if (!distinct_.count) {
    gather(shape_, w, in_.x, x_);
    multiply(w.steps * w.rows, da, dw);
    scatter(shape_, w, dx_, dx);
    return;
  }
  for (int64_t step = w.steps - 1; step >= 0;
       --step) {  // the order of all sums doesn't depend on how many come at a time
    const int64_t time = time_of(shape_, w.step + step);
    for (int64_t r = 0; r < w.rows; ++r) {
      float* sums = sums_ + distinct_.which[r * shape_.t + time] * columns;
      add_rows(shape_.type, at(da, (step * w.rows + r) * columns, shape_.type), 1, columns, sums);
    }
  }
}

void InputGradients::finish(float* dw, void* dx) {
  if (!distinct_.count) return;
  const Type type = shape_.type;
  const int64_t count = distinct_.count, d = shape_.d, all = most_.rows * shape_.t;
  if (narrow_ != sums_) narrow_all(type, sums_, count * w_t_.k, narrow_);
  distinct_.gather(shape_, most_.row, in_.x, x_);
  multiply(count, narrow_, dw);
  int64_t next = 0;  // places ascend
  for (int64_t i = 0; i < all; ++i) {
    void* to = at(dx, (most_.row * shape_.t + i) * d, type);
    if (next < count && distinct_.places[next] == i) {
      narrow_all(type, dx_ + next++ * d, d, to);
    } else {
      std::memset(to, 0, d * size_of(type));
    }
  }
}

void InputGradients::multiply(int64_t rows, const void* da, float* dw) {
  const Matrix left = Matrix::of(x_, rows, shape_.d).transposed(),
               right = Matrix::of(da, rows, w_t_.k);
  Product(shape_.type, left, right, any_)(x_, da, dw);
  Product(rows, w_t_, false)(da, w_t_.data, dx_);
  any_ = true;
}

}  // namespace hornbeam::recurrent

// What x gives to LSTM and GRU in a slice of the batch, x @ W, and its gradients. Rows of x that
// are the same row of a table are taken once where that pays.
#pragma once

#include <cstdint>

#include "core/arena.h"
#include "recurrent/parts.h"
#include "recurrent/recurrent.h"

namespace hornbeam::recurrent {

// The rows of x that come up in a slice of the batch, each once. It lies in scratch memory 3 of
// this thread.
struct Distinct {
  int64_t count = 0;                // 0 where all rows are to be taken as they come
  const int32_t* which = nullptr;   // (rows, t): the number of the row that is there
  const int32_t* places = nullptr;  // (count,): where in (rows, t) a row is first

  // What a row gives to products is `columns` long.
  static Distinct of(const Shape& shape, const Inputs& in, int64_t row, int64_t rows,
                     int64_t columns);

  // The rows of x, as (count, d).
  void gather(const Shape& shape, int64_t row, const void* x, void* to) const;
};

// x @ W (columns,): of the rows of some steps at a time, or of all distinct rows at once.
class InputProducts {
 public:
  InputProducts(const Shape& shape, const Inputs& in, const Packed& w, int64_t row, int64_t rows);
  void take(Arena& arena);

  // How many steps are computed together.
  int64_t steps() const { return steps_; }
  void compute(int64_t begin, int64_t steps);

  // Those of one of these steps, row by row. They last until the next call.
  const float* const* at(int64_t step);

 private:
  const Shape& shape_;
  const Inputs& in_;
  const Packed& w_;
  int64_t row_, rows_;
  Distinct distinct_;
  int64_t steps_, most_;  // most_: rows that are multiplied together
  int64_t begin_ = 0;
  void* x_;           // (most_, d)
  float* products_;   // (most_, columns)
  const float** at_;  // (rows_,)
};

// The gradients dW (d, columns), in float32, and dx (b, t, d) from da, that of x @ W: with each
// call of `add`, or of all distinct rows at the end.
class InputGradients {
 public:
  // w_t is W^T; at most so many steps come at a time.
  InputGradients(const Shape& shape, const Inputs& in, const Packed& w_t, const Window& most);
  void take(Arena& arena);

  // Once, before the first `add`.
  void begin();
  // da (steps, rows, columns).
  void add(const Window& window, const void* da, float* dw, void* dx);
  void finish(float* dw, void* dx);

 private:
  const Shape& shape_;
  const Inputs& in_;
  const Packed& w_t_;
  Window most_;
  Distinct distinct_;
  bool any_ = false;  // dW holds something
  void* x_;           // rows of x
  float* dx_;         // and their gradients
  float* sums_;       // da of distinct rows
  void* narrow_;      // the same in the type of products

  // dW = or += x_^T da, dx_ = da W^T.
  void multiply(int64_t rows, const void* da, float* dw);
};

}  // namespace hornbeam::recurrent

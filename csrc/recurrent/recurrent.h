// LSTM and GRU over time, and their gradients, each by one call.
//
// Letters: b batch, t time, d input features, u units. x is (b, t, d), a kernel W (d, k), a
// recurrent kernel U (u, k), with k = 4u for LSTM (gates i, f, g, o) and 3u for GRU (z, r, g). All
// arrays but masks and weights share a type; sums, gates and states are computed in float32.
//
// "Steps" are counted in the order in which they are computed: backwards, step 0 is the last of x.
// y and what is saved are in the order of steps, x and the mask in that of time. The mask is (b,
// t); where it is 0 the states stay as they are and y repeats the state. What may be null says so.
//
// What is saved for the gradient has the steps first. Nothing of it depends on how the batch is
// divided over threads.
#pragma once

#include <cstdint>

#include "core/gemm.h"
#include "xla/ffi/api/ffi.h"

namespace hornbeam::recurrent {

struct Shape {
  Type type;
  Type weights;  // of W, U, the bias and their gradients: `type`, or float32, rounded for products
  int64_t b, t, d, u;
  bool backwards;
};

// What the value and the gradient both read.
struct Inputs {
  const void *x, *h0, *c0;  // (b, t, d), (b, u), (b, u); c0 for LSTM only
  const void *w, *u;        // W, U
  const void* bias;         // (k,), for GRU with reset_after (2, k); may be null
  const uint8_t* mask;      // may be null
  // (b, t): rows of x with the same number are the same row of a table; may be null. What such rows
  // give to products may be computed once, and dx have the sum of their gradients at one of them
  // and 0 at the others.
  const int32_t* numbers = nullptr;
};

struct Outputs {
  void* y;              // (b, t, u), h after each step; may be null where nothing is saved
  void *h, *c;          // (b, u), the last states
  void *gates, *cells;  // saved: see below; may be null
};

struct Gradients {
  const void *y, *gates, *cells;  // from the value
  const void* dy;                 // (b, t, u), may be null
  const void *dh, *dc;            // (b, u)
  void *dx, *dh0, *dc0, *dw, *du;
  void* d_bias;  // may be null
};

// LSTM saves gates (t, b, 4u): i, f, g, o; and cells (t, b, u): c.
xla::ffi::Error lstm_forward(xla::ffi::ThreadPool& pool, const Shape& shape, const Inputs& in,
                             const Outputs& out);
xla::ffi::Error lstm_backward(xla::ffi::ThreadPool& pool, const Shape& shape, const Inputs& in,
                              const Gradients& g);

// GRU saves gates: z, r, g (t, b, 3u), and with reset_after h @ U of g (t, b, 4u).
xla::ffi::Error gru_forward(xla::ffi::ThreadPool& pool, const Shape& shape, bool reset_after,
                            const Inputs& in, const Outputs& out);
xla::ffi::Error gru_backward(xla::ffi::ThreadPool& pool, const Shape& shape, bool reset_after,
                             const Inputs& in, const Gradients& g);

}  // namespace hornbeam::recurrent

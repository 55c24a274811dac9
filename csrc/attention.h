// Attention: softmax(q k^T * scale) v for each example and head, and its gradients, in float32.
//
// Letters: b examples, n heads, t queries, s keys, d features of a head. q, y and their gradients are
// (b, t, n, d), k and v (b, s, n, d), in one piece. No size is 0.
#pragma once

#include <cstdint>

#include "xla/ffi/api/ffi.h"

namespace hornbeam::attention {

struct Problem {
  int64_t b, n, t, s, d;
  float scale;
  bool causal;             // query i sees keys 0 to i
  const bool* mask;        // true where a query may look; null: everywhere
  int64_t strides[4];      // of the mask along b, n, t, s; 0 where it is the same for all
  const float *q, *k, *v;
  float* stats;  // (b, n, t, 2): the largest logit, and 1 / the sum of exp(logit - largest)
};

xla::ffi::Error forward(xla::ffi::ThreadPool& pool, const Problem& problem, float* y);

xla::ffi::Error backward(xla::ffi::ThreadPool& pool, const Problem& problem, const float* dy,
                         float* dq, float* dk, float* dv);

}  // namespace hornbeam::attention

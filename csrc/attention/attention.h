// Attention: softmax(q k^T * scale) v for each example and head, and its gradients.
//
// Letters: b examples, n heads, t queries, s keys, d features of a query or key, e of a value. q
// and dq are (b, t, n, d), k and dk (b, s, n, d), v and dv (b, s, n, e), y and dy (b, t, n, e), in
// one piece, all in float32 or all in bfloat16; sums, logits and their exponentials are float32. No
// size is 0.
#pragma once

#include "core/gemm.h"
#include "xla/ffi/api/ffi.h"

namespace hornbeam::attention {

struct Problem {
  Type type;
  int64_t b, n, t, s, d, e;
  float scale;
  bool causal;         // query i sees keys 0 to i
  const bool* mask;    // true where a query may look; null: everywhere
  int64_t strides[4];  // of the mask along b, n, t, s; 0 where it is the same for all
  const void *q, *k, *v;
  float* stats;  // (b, n, t, 2), z = logit * log2(e): the largest z, and 1 / the sum of 2^(z -
                 // largest)
};

xla::ffi::Error forward(xla::ffi::ThreadPool& pool, const Problem& problem, void* y);

// `y` and `stats` are those of `forward`.
xla::ffi::Error backward(xla::ffi::ThreadPool& pool, const Problem& problem, const void* y,
                         const void* dy, void* dq, void* dk, void* dv);

}  // namespace hornbeam::attention

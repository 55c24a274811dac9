// The steps of optimizers, over all variables of a model in one pass, in place where XLA lets it.
//
// The formulas are those of kernels/updates.py, in the same order of operations. `rate` is what
// moves from step to step: the learning rate, for Adam with the correction of the bias in it.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/gemm.h"
#include "xla/ffi/api/ffi.h"

namespace hornbeam::updates {

constexpr int kMostSlots = 2;

// The gradient of a table (n, d) of which m rows were looked up: 0, to which dy[i] is added at row
// indices[i], in order and in float32. Indices outside [0, n) are left out.
struct RowGradient {
  Type type;  // of dy
  int64_t m, d;
  const int32_t* indices;  // (m,)
  const void* dy;          // (m, d)
};

// One variable. A new array may be the old one.
struct Variable {
  int64_t size;
  const float *gradient, *value;
  const float* slots[kMostSlots];
  float* new_value;
  float* new_slots[kMostSlots];
  float decay;                      // the share of itself that the value loses first
  std::optional<RowGradient> rows;  // in place of `gradient`, which is then not read
};

// No slot.
struct Sgd {
  float rate;
};

// One slot: the momentum.
struct Momentum {
  float rate, momentum;
  bool nesterov;
};

// Slots: the mean of gradients, and of their squares.
struct Adam {
  float rate, share_1, share_2, epsilon;  // shares: 1 - beta
};

// One slot: the mean of squares. (1 - rho is `share`.)
struct RmsProp {
  float rate, rho, share, epsilon;
};

// A second slot: the momentum.
struct RmsPropMomentum {
  float rate, rho, share, epsilon, momentum;
};

using Variables = std::vector<Variable>;
xla::ffi::Error update(xla::ffi::ThreadPool& pool, const Sgd& rule, const Variables& variables);
xla::ffi::Error update(xla::ffi::ThreadPool& pool, const Momentum& rule,
                       const Variables& variables);
xla::ffi::Error update(xla::ffi::ThreadPool& pool, const Adam& rule, const Variables& variables);
xla::ffi::Error update(xla::ffi::ThreadPool& pool, const RmsProp& rule, const Variables& variables);
xla::ffi::Error update(xla::ffi::ThreadPool& pool, const RmsPropMomentum& rule,
                       const Variables& variables);

}  // namespace hornbeam::updates

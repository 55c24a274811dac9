#include "updates/updates.h"

#include <algorithm>
#include <cmath>

#include "core/cpu.h"
#include "core/parallel.h"
#include "updates/row_gradients.h"

namespace hornbeam::updates {
namespace {

namespace ffi = xla::ffi;

// A cache line of float32.
constexpr int64_t kGrain = 16;

// What an element costs, as arithmetic that takes as long: it is memory that is waited for.
constexpr int64_t kOperationsPerElement = 64;

// One element: the new value of `w` with gradient `g`; m and v are its slots, changed in place. The
// loop needs them all as values, for the arrays to be loaded and stored by whole registers.
ALWAYS_INLINE float step(const Sgd& rule, float w, float g, float*) { return w + -rule.rate * g; }

ALWAYS_INLINE float step(const Momentum& rule, float w, float g, float* slots) {
  const float move = -rule.rate * g;
  slots[0] = rule.momentum * slots[0] + move;
  return w + (rule.nesterov ? rule.momentum * slots[0] + move : slots[0]);
}

ALWAYS_INLINE float step(const Adam& rule, float w, float g, float* slots) {
  slots[0] = slots[0] + (g - slots[0]) * rule.share_1;
  slots[1] = slots[1] + (g * g - slots[1]) * rule.share_2;
  return w - slots[0] * rule.rate / (std::sqrt(slots[1]) + rule.epsilon);
}

ALWAYS_INLINE float step(const RmsProp& rule, float w, float g, float* slots) {
  slots[0] = rule.rho * slots[0] + rule.share * (g * g);
  return w - rule.rate * g / std::sqrt(slots[0] + rule.epsilon);
}

ALWAYS_INLINE float step(const RmsPropMomentum& rule, float w, float g, float* slots) {
  slots[0] = rule.rho * slots[0] + rule.share * (g * g);
  slots[1] = rule.momentum * slots[1] + rule.rate * g / std::sqrt(slots[0] + rule.epsilon);
  return w - slots[1];
}

constexpr int slots_of(const Sgd*) { return 0; }
constexpr int slots_of(const Momentum*) { return 1; }
constexpr int slots_of(const Adam*) { return 2; }
constexpr int slots_of(const RmsProp*) { return 1; }
constexpr int slots_of(const RmsPropMomentum*) { return 2; }

template <bool decays, typename Rule>
ALWAYS_INLINE void loop(const Rule rule, const Variable v, int64_t begin, int64_t end) {
  constexpr int slots = slots_of(static_cast<const Rule*>(nullptr));
  // Arrays are the same ones or don't overlap: no element waits for another.
#pragma GCC ivdep
  for (int64_t i = begin; i < end; ++i) {
    float s[kMostSlots];
    if constexpr (slots > 0) s[0] = v.slots[0][i];
    if constexpr (slots > 1) s[1] = v.slots[1][i];
    const float w = decays ? v.value[i] - v.value[i] * v.decay : v.value[i];
    v.new_value[i] = step(rule, w, v.gradient[i], s);
    if constexpr (slots > 0) v.new_slots[0][i] = s[0];
    if constexpr (slots > 1) v.new_slots[1][i] = s[1];
  }
}

// Elements `begin` to `end` of a variable.
template <typename Rule>
ALWAYS_INLINE void run(const Rule& rule, const Variable& v, int64_t begin, int64_t end) {
  v.decay != 0 ? loop<true>(rule, v, begin, end) : loop<false>(rule, v, begin, end);
}

template <typename Rule>
TARGET_AVX512 void run_avx512(const Rule& rule, const Variable& v, int64_t begin, int64_t end) {
  run(rule, v, begin, end);
}
template <typename Rule>
TARGET_AVX2 void run_avx2(const Rule& rule, const Variable& v, int64_t begin, int64_t end) {
  run(rule, v, begin, end);
}
template <typename Rule>
void run_base(const Rule& rule, const Variable& v, int64_t begin, int64_t end) {
  run(rule, v, begin, end);
}

// A slice is a stretch of all variables laid end to end.
template <typename Rule>
ffi::Error update_all(ffi::ThreadPool& pool, const Rule& rule, const Variables& variables) {
  int64_t total = 0;
  for (const Variable& v : variables) total += v.size;
  const int64_t slices = slice_count(pool, total * kOperationsPerElement);
  auto* run = pick(run_avx512<Rule>, run_avx2<Rule>, run_base<Rule>);
  return parallel_for(pool, slices, [&](int64_t slice) {
    const int64_t begin = slice_begin(slice, slices, total, kGrain);
    const int64_t end = slice_begin(slice + 1, slices, total, kGrain);
    int64_t at = 0;  // where the variable begins
    for (const Variable& v : variables) {
      const int64_t from = std::max<int64_t>(begin - at, 0), to = std::min(end - at, v.size);
      if (from < to && v.rows) {
        for_each_block(v, from, to,
                       [&](const Variable& block) { run(rule, block, 0, block.size); });
      } else if (from < to) {
        run(rule, v, from, to);
      }
      at += v.size;
    }
  });
}

}  // namespace

ffi::Error update(ffi::ThreadPool& pool, const Sgd& rule, const Variables& variables) {
  return update_all(pool, rule, variables);
}
ffi::Error update(ffi::ThreadPool& pool, const Momentum& rule, const Variables& variables) {
  return update_all(pool, rule, variables);
}
ffi::Error update(ffi::ThreadPool& pool, const Adam& rule, const Variables& variables) {
  return update_all(pool, rule, variables);
}
ffi::Error update(ffi::ThreadPool& pool, const RmsProp& rule, const Variables& variables) {
  return update_all(pool, rule, variables);
}
ffi::Error update(ffi::ThreadPool& pool, const RmsPropMomentum& rule, const Variables& variables) {
  return update_all(pool, rule, variables);
}

}  // namespace hornbeam::updates

// What core/products.inc is about, the same for all processors.
#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "core/bfloat16.h"
#include "core/cpu.h"
#include "core/divide.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace hornbeam {

// Two bfloat16, the first one in the lower bits.
struct Pair {
  uint32_t bits;
};

// What a word holds.
template <typename W>
using Element = std::conditional_t<std::is_same_v<W, Pair>, BFloat16, float>;

// How many words hold n elements.
template <typename W>
constexpr int64_t words_of(int64_t n) {
  constexpr int64_t each = sizeof(W) / sizeof(Element<W>);
  return divided_up(n, each);
}

// A left matrix: its element (i, k) is data[i * row + k * step].
template <typename W>
struct Left {
  const W* data;
  int64_t rows, row, step;
};

// Where a product goes: c = factor * product (+ c).
struct Result {
  float* data;
  int64_t stride;
  bool add;
  float factor = 1;
};

}  // namespace hornbeam

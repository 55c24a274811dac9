// Sizes in multiples.
#pragma once

#include <cstdint>

namespace hornbeam {

// How many parts of size `by` n takes.
constexpr int64_t divided_up(int64_t n, int64_t by) { return (n + by - 1) / by; }

constexpr int64_t round_up(int64_t n, int64_t multiple) {
  return divided_up(n, multiple) * multiple;
}

}  // namespace hornbeam

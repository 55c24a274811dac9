// The gradient of looking rows up in a table.
//
// Letters: n rows of the table, d their length, m rows that were looked up.
#pragma once

#include <cstdint>

#include "core/gemm.h"
#include "xla/ffi/api/ffi.h"

namespace hornbeam::embedding {

struct Shape {
  Type type;
  int64_t n, d, m;
};

// table (n, d) = 0, then table[indices[i]] += dy[i] for i = 0 ... m - 1, in that order and summed
// in float32. Indices outside [0, n) are left out.
xla::ffi::Error table_gradient(xla::ffi::ThreadPool& pool, const Shape& shape,
                               const int32_t* indices, const void* dy, void* table);

// Whether so many rows can be numbered by int32.
constexpr bool countable(int64_t m) { return m <= INT32_MAX; }

// Which lookups gave each of the rows `begin` to `end` of a table: first(row), then next(i) after
// i, in ascending order until -1. It lies in scratch memory 1 and 2 of the calling thread.
class Lookups {
 public:
  Lookups(const int32_t* indices, int64_t m, int64_t begin, int64_t end);

  int32_t first(int64_t row) const { return first_[row - begin_]; }
  int32_t next(int32_t i) const { return next_[i]; }

 private:
  int64_t begin_;
  int32_t *first_, *next_;
};

}  // namespace hornbeam::embedding

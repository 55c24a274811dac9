// The gradient of looking rows up in a table.
//
// Letters: n rows of the table, d their length, m rows that were looked up.
#pragma once

#include <cstdint>

#include "core/matmul.h"
#include "xla/ffi/api/ffi.h"

namespace hornbeam::embedding {

struct Shape {
  Type type;
  int64_t n, d, m;
};

// table (n, d) = 0, then table[indices[i]] += dy[i] for i = 0 ... m - 1, in that order and summed in
// float32. Indices outside [0, n) are left out.
xla::ffi::Error table_gradient(xla::ffi::ThreadPool& pool, const Shape& shape,
                               const int32_t* indices, const void* dy, void* table);

}  // namespace hornbeam::embedding

#include "embedding/embedding.h"

#include <algorithm>
#include <cstring>

#include "core/bfloat16.h"
#include "core/cpu.h"
#include "core/onednn.h"
#include "core/parallel.h"

namespace hornbeam::embedding {
namespace {

namespace ffi = xla::ffi;

// In float32 the table holds the sums itself, and dy is read as it lies.
struct Rows {
  const int32_t* indices;
  const float* dy;
  int64_t m, d, begin, end;
  float* table;
};

ALWAYS_INLINE void add_rows(const Rows& r) {
  for (int64_t i = 0; i < r.m; ++i) {
    if (r.indices[i] < r.begin || r.indices[i] >= r.end) continue;
    const float* __restrict from = r.dy + i * r.d;
    float* __restrict to = r.table + r.indices[i] * r.d;
    for (int64_t j = 0; j < r.d; ++j) to[j] += from[j];
  }
}

TARGET_AVX512 void add_rows_avx512(const Rows& rows) { add_rows(rows); }
TARGET_AVX2 void add_rows_avx2(const Rows& rows) { add_rows(rows); }
void add_rows_base(const Rows& rows) { add_rows(rows); }

void run(const Shape& shape, const int32_t* indices, const float* dy, float* table, int64_t begin,
         int64_t end) {
  std::memset(table + begin * shape.d, 0, (end - begin) * shape.d * sizeof(float));
  pick(add_rows_avx512, add_rows_avx2,
       add_rows_base)({indices, dy, shape.m, shape.d, begin, end, table});
}

// In bfloat16 each row is summed beside the table.
struct Row {
  const BFloat16* dy;
  int64_t d;
  int32_t first;
  const Lookups* lookups;
  float* sums;  // (d,), scratch
  BFloat16* to;
};

ALWAYS_INLINE void sum_row(const Row& row) {
  float* __restrict sums = row.sums;
  const BFloat16* __restrict from = row.dy + row.first * row.d;
  for (int64_t j = 0; j < row.d; ++j) sums[j] = widen(from[j]);
  for (int32_t i = row.lookups->next(row.first); i >= 0; i = row.lookups->next(i)) {
    from = row.dy + i * row.d;
    for (int64_t j = 0; j < row.d; ++j) sums[j] += widen(from[j]);
  }
  BFloat16* __restrict to = row.to;
  for (int64_t j = 0; j < row.d; ++j) narrow(sums[j], to + j);
}

TARGET_AVX512 void sum_row_avx512(const Row& row) { sum_row(row); }
TARGET_AVX2 void sum_row_avx2(const Row& row) { sum_row(row); }
void sum_row_base(const Row& row) { sum_row(row); }

void run(const Shape& shape, const int32_t* indices, const BFloat16* dy, BFloat16* table,
         int64_t begin, int64_t end) {
  const int64_t d = shape.d;
  std::memset(table + begin * d, 0, (end - begin) * d * sizeof(BFloat16));
  const Lookups lookups(indices, shape.m, begin, end);
  auto* sums = static_cast<float*>(onednn::scratch(3, d * sizeof(float)));
  auto* sum = pick(sum_row_avx512, sum_row_avx2, sum_row_base);
  for (int64_t i = 0; i < shape.m; ++i) {
    const int64_t row = indices[i];
    if (row < begin || row >= end || lookups.first(row) != i) continue;
    sum({dy, d, static_cast<int32_t>(i), &lookups, sums, table + row * d});
  }
}

}  // namespace

Lookups::Lookups(const int32_t* indices, int64_t m, int64_t begin, int64_t end)
    : begin_(begin),
      first_(static_cast<int32_t*>(onednn::scratch(1, (end - begin) * sizeof(int32_t)))),
      next_(static_cast<int32_t*>(onednn::scratch(2, m * sizeof(int32_t)))) {
  std::memset(first_, -1, (end - begin) * sizeof(int32_t));
  for (int64_t i = m - 1; i >= 0; --i) {  // from the end, so that they come in order
    if (indices[i] < begin || indices[i] >= end) continue;
    int32_t& head = first_[indices[i] - begin];
    next_[i] = head;
    head = static_cast<int32_t>(i);
  }
}

ffi::Error table_gradient(ffi::ThreadPool& pool, const Shape& shape, const int32_t* indices,
                          const void* dy, void* table) {
  // Memory is what takes time: counted as four operations for each element.
  const int64_t slices = std::min(slice_count(pool, 4 * (shape.n + 2 * shape.m) * shape.d),
                                  std::max<int64_t>(1, shape.n));
  return parallel_for(pool, slices, [&](int64_t slice) {
    const int64_t begin = slice_begin(slice, slices, shape.n, 1);
    const int64_t end = slice_begin(slice + 1, slices, shape.n, 1);
    if (shape.type == Type::kFloat32) {
      run(shape, indices, static_cast<const float*>(dy), static_cast<float*>(table), begin, end);
    } else {
      run(shape, indices, static_cast<const BFloat16*>(dy), static_cast<BFloat16*>(table), begin,
          end);
    }
  });
}

}  // namespace hornbeam::embedding

#include "embedding.h"

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
  pick(add_rows_avx512, add_rows_avx2, add_rows_base)(
      {indices, dy, shape.m, shape.d, begin, end, table});
}

// In bfloat16 each row is summed beside the table: it is the sum of the rows of dy at `first`,
// next[first], ... until -1.
struct Row {
  const BFloat16* dy;
  int64_t d;
  int32_t first;
  const int32_t* next;
  float* sums;  // (d,), scratch
  BFloat16* to;
};

ALWAYS_INLINE void sum_row(const Row& row) {
  float* __restrict sums = row.sums;
  const BFloat16* __restrict from = row.dy + row.first * row.d;
  for (int64_t j = 0; j < row.d; ++j) sums[j] = widen(from[j]);
  for (int32_t i = row.next[row.first]; i >= 0; i = row.next[i]) {
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
  // Which rows of dy belong to each row: the first of them, and after each one the next. Built from
  // the end, so that they come in order.
  auto* first = static_cast<int32_t*>(onednn::scratch(1, (end - begin) * sizeof(int32_t)));
  auto* next = static_cast<int32_t*>(onednn::scratch(2, shape.m * sizeof(int32_t)));
  auto* sums = static_cast<float*>(onednn::scratch(3, d * sizeof(float)));
  std::memset(first, -1, (end - begin) * sizeof(int32_t));
  for (int64_t i = shape.m - 1; i >= 0; --i) {
    if (indices[i] < begin || indices[i] >= end) continue;
    int32_t& head = first[indices[i] - begin];
    next[i] = head;
    head = static_cast<int32_t>(i);
  }
  auto* sum = pick(sum_row_avx512, sum_row_avx2, sum_row_base);
  for (int64_t i = 0; i < shape.m; ++i) {
    const int64_t row = indices[i];
    if (row < begin || row >= end || first[row - begin] != i) continue;
    sum({dy, d, static_cast<int32_t>(i), next, sums, table + row * d});
  }
}

}  // namespace

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

#include "core/zeros.h"

#include <algorithm>

#include "core/arena.h"
#include "core/cpu.h"
#include "core/onednn.h"
#include "core/parallel.h"
#include "core/products.h"

namespace hornbeam::zeros {
namespace {

namespace ffi = xla::ffi;

// A panel is a part of the other factor, at most so many registers wide, each of which is added to a sum of its own.
// It takes so much of a level 1 cache of 32 KiB.
constexpr int64_t kWidth = 6;
constexpr int64_t kPanelBytes = 24 << 10;
constexpr int64_t kDeepest = kPanelBytes / (kWidth * 4 * sizeof(float));  // rows of one, with the narrowest registers

// So many rows are listed at a time, and so much of a sum: lists and sums stay in the level 2 cache.
constexpr int64_t kRows = 256;
constexpr int64_t kInner = 256;

constexpr int64_t kFewestColumns = 64;  // of a slice, where it could have some of the rows instead

constexpr int64_t kWidest = 16;  // floats in the widest register
constexpr int kScratch = 3;      // the number of the scratch memory; matmul.cc has 1 and 2

// Zeros are skipped where that is expected to take up to this part of the time. The rest is for processors other than
// the one that was measured.
constexpr double kWorth = 0.85;

// A sample of a factor is so many lines, and of each so many elements.
constexpr int64_t kLines = 8;
constexpr int64_t kLine = 256;

// A slice's part of the product: c = left @ right.
struct Work {
  Matrix left, right;
  float* c;
  int64_t c_row, c_column;  // how far apart its rows and its columns are
  const float* bias;        // of the columns; may be null
  bool relu;
};

// The numbers of one row after the other, from ends[r] to ends[r + 1], and where in a panel the row lies that each
// multiplies.
struct Lists {
  float* values;
  uint32_t *places, *ends;

  Lists(Arena& arena, int64_t elements, int64_t rows)
      : values(arena.take<float>(elements + kWidest)),
        places(arena.take<uint32_t>(elements + kWidest)),
        ends(arena.take<uint32_t>(rows + 1)) {}
};

struct Scratch {
  Lists lists;  // of what is not 0
  Lists all;    // of all, beside a panel that is not finite
  float *panel, *sums;

  explicit Scratch(Arena& arena)
      : lists(arena, kRows * kInner, kRows * kInner / kWidest),
        all(arena, kRows * kDeepest, kRows),
        panel(arena.take<float>(kPanelBytes / sizeof(float))),
        sums(arena.take<float>(kRows * kWidth * kWidest)) {}
};

Matrix part(const Matrix& m, int64_t row, int64_t rows, int64_t column, int64_t columns) {
  const auto* data = static_cast<const float*>(m.data) + row * m.row_stride + column * m.column_stride;
  return {data, rows, columns, m.row_stride, m.column_stride};
}

#define BODY "core/zeros.inc"
#define FLOATS_ONLY
#include "core/processors.inc"

// The share of numbers other than 0, by some of its elements.
double share_of_numbers(const Matrix& m) {
  const Matrix lines = m.column_stride == 1 ? m : m.transposed();
  const auto* x = static_cast<const float*>(lines.data);
  const int64_t count = std::min(lines.rows, kLines), length = std::min(lines.columns, kLine);
  int64_t numbers = 0;
  for (int64_t i = 0; i < count; ++i) {
    const float* line = x + i * lines.rows / count * lines.row_stride;
    for (int64_t k = 0; k < length; ++k) numbers += line[k * lines.columns / length] != 0;
  }
  return static_cast<double>(numbers) / static_cast<double>(count * length);
}

// How the work is cut: by columns of the right factor, which is then packed only once, or where these would be few
// by rows of the left one.
struct Division {
  int64_t slices;
  bool by_rows;

  Division(const ffi::ThreadPool& pool, const Matrix& left, const Matrix& right) {
    slices = slice_count(pool, 2 * left.rows * left.columns * right.columns);
    by_rows = right.columns < kFewestColumns * slices && left.rows > right.columns;
    slices = std::min(slices, (items(left, right) + kWidest - 1) / kWidest);
  }
  int64_t items(const Matrix& left, const Matrix& right) const { return by_rows ? left.rows : right.columns; }
};

// The time of skipping zeros of the left factor, as a part of that of all products: it multiplies by the numbers, and
// lists, packs, loads and stores elements, each of which costs less the more often it is used. Measured with 16 lanes
// on Zen 4; with 8 lanes what doesn't multiply costs twice as much.
double relative_cost(const ffi::ThreadPool& pool, const Matrix& left, const Matrix& right) {
  const Division division(pool, left, right);
  const double slices = static_cast<double>(division.slices);
  const double rows = left.rows / (division.by_rows ? slices : 1);
  const double columns = right.columns / (division.by_rows ? 1 : slices);
  const double other = (9.5 / rows + 6.4 / left.columns + 15 / columns) * (cpu().avx512 ? 1 : 2) + 0.1;
  return other < kWorth ? 1.2 * share_of_numbers(left) + other : 1;
}

}  // namespace

Factor worth_skipping(const ffi::ThreadPool& pool, const Matrix& a, const Matrix& b, const Extras& extras) {
  if (!cpu().avx2 || a.columns == 0) return Factor::kNone;
  const double left = relative_cost(pool, a, b);
  // The product comes out turned, and what is done besides goes by columns.
  const bool may_turn = !extras.bias && !extras.relu;
  const double right = may_turn ? relative_cost(pool, b.transposed(), a.transposed()) : 1;
  if (std::min(left, right) > kWorth) return Factor::kNone;
  return left <= right ? Factor::kLeft : Factor::kRight;
}

ffi::Error matmul(ffi::ThreadPool& pool, Factor skipped, const Matrix& a, const Matrix& b, float* c,
                  const Extras& extras) {
  // (a b)^T = b^T a^T
  const bool turned = skipped == Factor::kRight;
  const Matrix left = turned ? b.transposed() : a, right = turned ? a.transposed() : b;
  const int64_t c_row = turned ? 1 : b.columns, c_column = turned ? b.columns : 1;
  const Division division(pool, left, right);
  auto* run = pick(avx512::multiply, avx2::multiply, base::multiply);
  return parallel_for(pool, division.slices, [&](int64_t slice) {
    Arena size;
    const Scratch measured(size);
    Arena arena(onednn::scratch(kScratch, size.bytes()));
    const Scratch scratch(arena);
    const int64_t items = division.items(left, right);
    const int64_t begin = slice_begin(slice, division.slices, items, kWidest);
    const int64_t count = slice_begin(slice + 1, division.slices, items, kWidest) - begin;
    Work work{left, right, c, c_row, c_column, extras.bias, extras.relu};
    if (division.by_rows) {
      work.left = part(left, begin, count, 0, left.columns);
      work.c += begin * c_row;
    } else {
      work.right = part(right, 0, right.rows, begin, count);
      work.c += begin * c_column;
      if (work.bias) work.bias += begin;
    }
    run(work, scratch);
  });
}

}  // namespace hornbeam::zeros

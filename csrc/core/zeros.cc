#include "core/zeros.h"

#include <algorithm>

#include "core/arena.h"
#include "core/bfloat16.h"
#include "core/cpu.h"
#include "core/divide.h"
#include "core/onednn.h"
#include "core/parallel.h"
#include "core/products.h"

namespace hornbeam::zeros {
namespace {

namespace ffi = xla::ffi;

// A panel is a part of the other factor, at most so many registers wide, each of which is added to
// a sum of its own. It takes so much of a level 1 cache of 32 KiB.
constexpr int64_t kWidth = 6;
constexpr int64_t kPanelBytes = 24 << 10;
constexpr int64_t kDeepest =
    kPanelBytes / (kWidth * 4 * sizeof(float));  // rows of one, with the narrowest registers

// So many rows are listed at a time, or fewer where these would have more words than this.
constexpr int64_t kRows = 256;
constexpr int64_t kListed = 1 << 20;

constexpr int64_t kFewestColumns = 64;  // of a slice, where it could have some of the rows instead

constexpr int64_t kWidest = 16;  // floats in the widest register
constexpr int kScratch = 3;      // the number of the scratch memory; gemm.cc has 1 and 2

// Zeros are skipped where that is expected to take up to this part of the time. The rest is for
// processors other than the one that was measured.
constexpr double kWorth = 0.85;

// A sample of a factor is so many lines, and of each so many elements.
constexpr int64_t kLines = 8;
constexpr int64_t kLine = 256;

// A slice's part of the product: c = left @ right.
struct Work {
  Matrix left, right;
  void* c;
  int64_t c_row, c_column;  // how far apart its rows and its columns are
  const float* bias;        // of the columns; may be null
  bool relu;
};

// The numbers of one row after the other, from ends[r] to ends[r + 1], and where in a panel the row
// lies that each multiplies.
template <typename W>
struct Lists {
  W* values;
  uint32_t *places, *ends;

  Lists(Arena& arena, int64_t words, int64_t rows)
      : values(arena.take<W>(words + kWidest)),
        places(arena.take<uint32_t>(words + kWidest)),
        ends(arena.take<uint32_t>(rows + 1)) {}
};

template <typename W>
struct Scratch {
  int64_t rows;    // that are listed at a time
  Lists<W> lists;  // of what is not 0
  Lists<W> all;    // of all, beside a panel that is not finite
  W* panel;
  float* sums;

  Scratch(Arena& arena, int64_t words)
      : rows(std::clamp<int64_t>(kListed / words, kWidest, kRows)),
        lists(arena, rows * words, rows * (words / kWidest + 1)),
        all(arena, rows * kDeepest, rows),
        panel(arena.take<W>(kPanelBytes / sizeof(W))),
        sums(arena.take<float>(rows * kWidth * kWidest)) {}
};

template <typename T>
Matrix part(const Matrix& m, int64_t row, int64_t rows, int64_t column, int64_t columns) {
  const auto* data = static_cast<const T*>(m.data) + row * m.row_stride + column * m.column_stride;
  return {data, rows, columns, m.row_stride, m.column_stride};
}

#define BODY "core/zeros.inc"
#include "core/processors.inc"

// The share of numbers other than 0, by some of its elements.
template <typename T>
double share_of_numbers(const Matrix& m) {
  const Matrix lines = m.column_stride == 1 ? m : m.transposed();
  const auto *x = static_cast<const T*>(lines.data), *mask = static_cast<const T*>(lines.mask);
  const int64_t count = std::min(lines.rows, kLines), length = std::min(lines.columns, kLine);
  int64_t numbers = 0;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t line = i * lines.rows / count * lines.row_stride;
    for (int64_t k = 0; k < length; ++k) {
      const int64_t at = line + k * lines.columns / length;
      numbers += widen(x[at]) != 0 && (!mask || widen(mask[at]) > 0);
    }
  }
  return static_cast<double>(numbers) / static_cast<double>(count * length);
}

// How the work is cut: by columns of the right factor, which is then packed only once, or where
// these would be few by rows of the left one.
struct Division {
  int64_t slices;
  bool by_rows;

  Division(const ffi::ThreadPool& pool, const Matrix& left, const Matrix& right) {
    slices = slice_count(pool, 2 * left.rows * left.columns * right.columns);
    by_rows = right.columns < kFewestColumns * slices && left.rows > right.columns;
    slices = std::min(slices, divided_up(items(left, right), kWidest));
  }
  int64_t items(const Matrix& left, const Matrix& right) const {
    return by_rows ? left.rows : right.columns;
  }
};

// The time of skipping zeros of the left factor, as a part of that of all products: it multiplies
// by the numbers, and lists, packs, loads and stores elements, each of which costs less the more
// often it is used. Measured with 16 lanes on Zen 4, where bfloat16 gave the same; with 8 lanes
// what doesn't multiply costs twice as much. In bfloat16 a pair is left out where both are 0.
double relative_cost(const ffi::ThreadPool& pool, Type type, const Matrix& left,
                     const Matrix& right) {
  const Division division(pool, left, right);
  const double slices = static_cast<double>(division.slices);
  const double rows = left.rows / (division.by_rows ? slices : 1);
  const double columns = right.columns / (division.by_rows ? 1 : slices);
  const double other =
      (9.5 / rows + 6.4 / left.columns + 15 / columns) * (cpu().avx512 ? 1 : 2) + 0.1;
  if (other > kWorth) return 1;
  if (type == Type::kFloat32) return 1.2 * share_of_numbers<float>(left) + other;
  const double zeros = 1 - share_of_numbers<BFloat16>(left);
  return 1.2 * (1 - zeros * zeros) + other;
}

template <typename W, typename R, typename C, typename Run>
ffi::Error multiply_by(Run* run, ffi::ThreadPool& pool, const Matrix& left, const Matrix& right,
                       const Work& whole) {
  const Division division(pool, left, right);
  const int64_t words = words_of<W>(left.columns);
  return parallel_for(pool, division.slices, [&](int64_t slice) {
    Arena size;
    const Scratch<W> measured(size, words);
    Arena arena(onednn::scratch(kScratch, size.bytes()));
    const Scratch<W> scratch(arena, words);
    const int64_t items = division.items(left, right);
    const int64_t begin = slice_begin(slice, division.slices, items, kWidest);
    const int64_t count = slice_begin(slice + 1, division.slices, items, kWidest) - begin;
    Work work = whole;
    if (division.by_rows) {
      work.left = part<Element<W>>(left, begin, count, 0, left.columns);
    } else {
      work.right = part<R>(right, 0, right.rows, begin, count);
      if (work.bias) work.bias += begin;
    }
    work.c = static_cast<C*>(work.c) + begin * (division.by_rows ? work.c_row : work.c_column);
    run(work, scratch);
  });
}

template <typename R, typename C>
ffi::Error multiply_pairs(ffi::ThreadPool& pool, const Matrix& left, const Matrix& right,
                          const Work& work) {
  return multiply_by<Pair, R, C>(avx512_bf16::multiply<Pair, R, C>, pool, left, right, work);
}

}  // namespace

Factor worth_skipping(const ffi::ThreadPool& pool, const Types& types, const Matrix& a,
                      const Matrix& b, const Extras& extras) {
  const bool in_pairs = types.a == Type::kBFloat16;
  if (in_pairs ? !cpu().avx512_bf16 : (!cpu().avx2 || types.c != Type::kFloat32))
    return Factor::kNone;
  if (a.rows == 0 || a.columns == 0 || b.columns == 0) return Factor::kNone;
  const double left = relative_cost(pool, types.a, a, b);
  // The product comes out turned, and what is done besides goes by columns.
  const bool may_turn = !extras.bias && !extras.relu && types.b == types.a;
  const double right = may_turn ? relative_cost(pool, types.a, b.transposed(), a.transposed()) : 1;
  if (std::min(left, right) > kWorth) return Factor::kNone;
  return left <= right ? Factor::kLeft : Factor::kRight;
}

ffi::Error gemm(ffi::ThreadPool& pool, Factor skipped, const Types& types, const Matrix& a,
                const Matrix& b, void* c, const Extras& extras) {
  // (a b)^T = b^T a^T
  const bool turned = skipped == Factor::kRight;
  const Matrix left = turned ? b.transposed() : a, right = turned ? a.transposed() : b;
  const Work work{left,        right,      c, turned ? 1 : b.columns, turned ? b.columns : 1,
                  extras.bias, extras.relu};
  if (types.a == Type::kFloat32) {
    auto* run = pick(avx512::multiply<float, float, float>, avx2::multiply<float, float, float>,
                     base::multiply<float, float, float>);
    return multiply_by<float, float, float>(run, pool, left, right, work);
  }
  const bool wide = types.b == Type::kFloat32;
  if (types.c == Type::kFloat32) {
    auto* run = wide ? multiply_pairs<float, float> : multiply_pairs<BFloat16, float>;
    return run(pool, left, right, work);
  }
  auto* run = wide ? multiply_pairs<float, BFloat16> : multiply_pairs<BFloat16, BFloat16>;
  return run(pool, left, right, work);
}

}  // namespace hornbeam::zeros

// Products that skip zeros beside plain loops, over odd sizes, all layouts, NaN and infinity.
#include "core/zeros.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "core/bfloat16.h"
#include "core/cpu.h"
#include "core/testing.h"

namespace {

using hornbeam::BFloat16;
using hornbeam::Extras;
using hornbeam::Matrix;
using hornbeam::Type;
using hornbeam::Types;
using hornbeam::zeros::Factor;
using hornbeam::zeros::worth_skipping;
using namespace hornbeam::testing;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN(),
                kInfinity = std::numeric_limits<float>::infinity();

// Odd sixteenths, so that none is 0. They are exact in bfloat16, and sums of their products in
// float32, in whatever order these are taken: nothing here needs a tolerance.
Floats sixteenths(int64_t count, uint32_t seed) {
  Floats values = numbers(count, seed);
  for (float& value : values) value = (2 * std::floor(8 * value) + 1) / 16;
  return values;
}

// About this share stays; the rest becomes 0, every other one -0.
Floats thinned(Floats values, double share, uint32_t seed) {
  const Floats chances = numbers(values.size(), seed);
  for (size_t i = 0; i < values.size(); ++i) {
    if (chances[i] >= 2 * share - 1) values[i] = i % 2 ? -0.0f : 0.0f;
  }
  return values;
}

struct Product {
  int64_t rows, inner, columns;
  Floats a, b, bias;

  Product(int64_t rows, int64_t inner, int64_t columns, double share_a, double share_b)
      : rows(rows),
        inner(inner),
        columns(columns),
        a(thinned(sixteenths(rows * inner, 1), share_a, 2)),
        b(thinned(sixteenths(inner * columns, 3), share_b, 4)),
        bias(sixteenths(columns, 5)) {}
};

using Halves = std::vector<BFloat16>;

// A matrix in memory, by rows or by columns.
struct Stored {
  Floats data;
  Halves narrow;
  Matrix matrix;

  Stored(const Floats& values, Type type, int64_t rows, int64_t columns, bool by_columns)
      : data(values), matrix(Matrix::of(nullptr, rows, columns)) {
    for (int64_t i = 0; by_columns && i < rows; ++i) {
      for (int64_t j = 0; j < columns; ++j) data[j * rows + i] = values[i * columns + j];
    }
    if (by_columns) matrix = Matrix::of(nullptr, columns, rows).transposed();
    narrow = rounded(data);
    matrix.data = type == Type::kFloat32 ? static_cast<const void*>(data.data()) : narrow.data();
  }
  Stored(const Stored&) = delete;
};

Floats multiply(Pool& pool, Factor skipped, const Types& types, const Product& p, int layout,
                const Extras& extras = {}) {
  const Stored a(p.a, types.a, p.rows, p.inner, layout & 1),
      b(p.b, types.b, p.inner, p.columns, layout & 2);
  Floats c(p.rows * p.columns, 12345.0f);  // what isn't written shows
  Halves narrow = rounded(c);
  void* to = types.c == Type::kFloat32 ? static_cast<void*>(c.data()) : narrow.data();
  auto view = pool.view();
  CHECK(hornbeam::zeros::gemm(view, skipped, types, a.matrix, b.matrix, to, extras).success());
  for (size_t i = 0; types.c == Type::kBFloat16 && i < c.size(); ++i)
    c[i] = hornbeam::widen(narrow[i]);
  return c;
}

// The types of products that this processor skips zeros in.
std::vector<Types> all_types() {
  constexpr Type kWide = Type::kFloat32, kNarrow = Type::kBFloat16;
  std::vector<Types> all = {kWide};
  if (hornbeam::cpu().avx512_bf16) {
    all.insert(
        all.end(),
        {kNarrow, {kNarrow, kNarrow, kWide}, {kNarrow, kWide, kNarrow}, {kNarrow, kWide, kWide}});
  }
  return all;
}

Floats by_definition(const Product& p) {
  Floats c;
  for (int64_t i = 0; i < p.rows; ++i) {
    std::vector<double> sums(p.columns);
    const float* b = p.b.data();
    for (int64_t k = 0; k < p.inner; ++k, b += p.columns) {
      const double value = p.a[i * p.inner + k];
      for (int64_t j = 0; j < p.columns; ++j) sums[j] += value * b[j];
    }
    c.insert(c.end(), sums.begin(), sums.end());
  }
  return c;
}

Floats finished(Floats c, Type type, int64_t columns, const Extras& extras = {}) {
  for (size_t i = 0; i < c.size(); ++i) {
    if (extras.bias) c[i] += extras.bias[i % columns];
    if (extras.relu && c[i] < 0) c[i] = 0;
    BFloat16 narrow;
    hornbeam::narrow(c[i], &narrow);
    if (type == Type::kBFloat16) c[i] = hornbeam::widen(narrow);
  }
  return c;
}

// NaN where the other is, and else equal.
bool alike(const Floats& actual, const Floats& expected) {
  bool result = actual.size() == expected.size();
  for (size_t i = 0; result && i < expected.size(); ++i) {
    result = std::isnan(expected[i]) ? std::isnan(actual[i]) : actual[i] == expected[i];
  }
  return result;
}

// One without threads and one with.
using Pools = Pool[2];

// Both factors in all layouts. Each layout gets another of four kinds of extras, and other types,
// beginning with `kind`.
void check(Pools& pools, const Product& p, int kind) {
  static const std::vector<Types> types = all_types();
  const Floats sums = by_definition(p);
  for (int layout = 0; layout < 4; ++layout) {
    Extras extras;
    if ((kind + layout) & 1) extras.bias = p.bias.data();
    extras.relu = (kind + layout) & 2;
    const Types& each = types[(kind + layout / 2) % types.size()];
    const Floats expected = finished(sums, each.c, p.columns, extras),
                 plain = finished(sums, each.c, p.columns);
    for (Pool& pool : pools) {
      CHECK(alike(multiply(pool, Factor::kLeft, each, p, layout, extras), expected));
      if (each.a == each.b) CHECK(alike(multiply(pool, Factor::kRight, each, p, layout), plain));
    }
  }
}

void sizes(Pools& pools) {
  int kind = 0;
  for (int64_t rows : {1, 5, 33, 300}) {  // 256 are listed at a time
    for (int64_t inner : {1, 7, 64, 65, 300}) {
      for (int64_t columns : {1, 15, 16, 17, 97, 200}) {
        for (double share : {0.0, 0.1, 0.5, 1.0})
          check(pools, {rows, inner, columns, share, share}, kind++ / 4);
      }
    }
  }
  for (kind = 0; kind < 5; ++kind) {
    check(pools, {1, 66000, 17, 0.1, 0.5}, kind);  // so long that fewer rows are listed at a time
    check(pools, {17, 66000, 1, 0.1, 0.5}, kind);
    check(pools, {300, 4100, 97, 0.5, 0.1}, kind);
    check(pools, {1000, 300, 33, 0.5, 0.5}, kind);  // slices of rows
  }
}

// Where the other factor has 0 as well, which makes NaN of infinity and must not be left out.
void not_finite(Pools& pools, int64_t rows, int64_t inner, int64_t columns) {
  int kind = 0;
  const auto check_with = [&](int64_t row, int64_t k, int64_t column, float in_a, float in_b,
                              double share) {
    Product p(rows, inner, columns, share, share);
    if (in_a != 0) p.a[row * inner + k] = in_a;
    if (in_b != 0) p.b[k * columns + column] = in_b;
    check(pools, p, kind++);
    // Beside nothing but zeros.
    for (int64_t j = 0; in_a != 0 && j < columns; ++j) p.b[k * columns + j] = 0;
    for (int64_t i = 0; in_b != 0 && i < rows; ++i) p.a[i * inner + k] = 0;
    if (in_a != 0) p.a[row * inner + k] = in_a;
    if (in_b != 0) p.b[k * columns + column] = in_b;
    check(pools, p, kind++);
  };
  for (float value : {kNan, kInfinity, -kInfinity}) {
    check_with(0, 0, 0, value, 0, 0.5);
    check_with(rows - 1, inner - 1, columns - 1, value, 0, 0.1);
    check_with(rows / 2, inner / 2, columns / 2, 0, value, 0.5);
    check_with(rows - 1, inner - 1, columns - 1, 0, value, 0.1);
    check_with(rows / 2, inner / 2, columns / 2, value, kInfinity, 0.5);
    check_with(rows - 1, 0, columns - 1, 0, value, 0);
  }

  // Many of them, as a training that diverges leaves them, and in the bias too.
  Product p(rows, inner, columns, 0.5, 0.5);
  for (size_t i = 0; i < p.a.size(); i += 1013) p.a[i] = i % 3 ? kInfinity : kNan;
  for (size_t i = 0; i < p.b.size(); i += 1511) p.b[i] = i % 2 ? kInfinity : -kInfinity;
  p.bias[columns / 2] = kNan;
  p.bias[0] = -kInfinity;
  check(pools, p, 1);
}

// Of numbers whose sums are not exact: however many threads share the work.
void the_same_bits_from_many_calls_at_once(const Types& types) {
  Pool alone(0), pool(3);
  for (int64_t columns : {90, 400}) {  // slices of rows, and of columns
    Product p(500, 300, columns, 0.5, 0.5);
    p.a = thinned(numbers(p.a.size(), 6), 0.5, 7);
    p.b = thinned(numbers(p.b.size(), 8), 0.5, 9);
    p.b[p.b.size() / 2] = kInfinity;
    for (Factor skipped : {Factor::kLeft, Factor::kRight}) {
      if (skipped == Factor::kRight && types.a != types.b) continue;
      const Floats first = multiply(alone, skipped, types, p, 0);
      at_once(6, [&](int number) {
        for (int i = 0; i < 2; ++i) {
          const Floats again = multiply(pool, skipped, types, p, number % 4);
          CHECK(std::memcmp(again.data(), first.data(), first.size() * sizeof(float)) == 0);
        }
      });
    }
  }
}

void where_it_pays(Pool& pool) {
  if (!hornbeam::cpu().avx2) return;
  const auto view = pool.view();
  constexpr int64_t kSize = 1024;
  const Floats full = sixteenths(kSize * kSize, 1), half = thinned(full, 0.5, 2),
               tenth = thinned(full, 0.1, 3);
  Floats margin = full;  // zeros that lie together
  std::fill(margin.begin() + margin.size() / 2, margin.end(), 0.0f);
  Extras bias, relu;
  bias.bias = full.data();
  relu.relu = true;
  for (int layout = 0; layout < 4; ++layout) {
    const auto choice = [&](const Floats& a, const Floats& b, const Extras& extras) {
      const Matrix left = Matrix::of(a.data(), kSize, kSize),
                   right = Matrix::of(b.data(), kSize, kSize);
      return worth_skipping(view, Type::kFloat32, layout & 1 ? left.transposed() : left,
                            layout & 2 ? right.transposed() : right, extras);
    };
    for (const Extras& extras : {Extras{}, bias, relu}) {
      // The product would come out turned, where neither a bias nor relu can be given to it.
      const bool may_turn = !extras.bias && !extras.relu;
      CHECK(choice(full, full, extras) == Factor::kNone);
      CHECK(choice(half, full, extras) == Factor::kLeft);
      CHECK(choice(full, half, extras) == (may_turn ? Factor::kRight : Factor::kNone));
      CHECK(choice(margin, full, extras) == Factor::kLeft);
      CHECK(choice(full, margin, extras) == (may_turn ? Factor::kRight : Factor::kNone));
      CHECK(choice(half, tenth, extras) == (may_turn ? Factor::kRight : Factor::kLeft));
      CHECK(choice(tenth, half, extras) == Factor::kLeft);
    }
  }
  const auto choice = [&](int64_t rows, int64_t inner, int64_t columns) {
    const Floats a(rows * inner), b(inner * columns);
    return worth_skipping(view, Type::kFloat32, Matrix::of(a.data(), rows, inner),
                          Matrix::of(b.data(), inner, columns), {});
  };
  CHECK(choice(1, 300, 300) == Factor::kNone);  // a panel would be packed for one row
  for (int64_t size : {0, 1, 300}) {
    CHECK(choice(0, size, 300) == Factor::kNone);
    CHECK(choice(300, 0, size) == Factor::kNone);
    CHECK(choice(size, 300, 0) == Factor::kNone);
  }
}

// In bfloat16 pairs are skipped, of which fewer are 0. What a mask covers counts as 0.
void where_it_pays_in_pairs(Pool& pool) {
  if (!hornbeam::cpu().avx512_bf16) return;
  const auto view = pool.view();
  constexpr int64_t kSize = 1024;
  const Floats full = sixteenths(kSize * kSize, 1);
  const Halves all = rounded(full), tenth = rounded(thinned(full, 0.1, 3)),
               half = rounded(thinned(full, 0.5, 2));
  const auto choice = [&](const Types& types, const Halves& a, const Halves* mask, const void* b) {
    return worth_skipping(view, types,
                          Matrix::of(a.data(), kSize, kSize, mask ? mask->data() : nullptr),
                          Matrix::of(b, kSize, kSize), {});
  };
  const Types narrow = Type::kBFloat16,
              wide_right(Type::kBFloat16, Type::kFloat32, Type::kBFloat16);
  CHECK(choice(narrow, all, nullptr, all.data()) == Factor::kNone);
  CHECK(choice(narrow, half, nullptr, all.data()) == Factor::kNone);
  CHECK(choice(narrow, tenth, nullptr, all.data()) == Factor::kLeft);
  CHECK(choice(narrow, all, &tenth, all.data()) == Factor::kLeft);
  CHECK(choice(narrow, all, nullptr, tenth.data()) == Factor::kRight);
  CHECK(choice(wide_right, tenth, nullptr, full.data()) == Factor::kLeft);
  CHECK(choice(wide_right, all, nullptr, thinned(full, 0.1, 3).data()) == Factor::kNone);
}

}  // namespace

int main() {
  Pools pools = {Pool(0), Pool(2)};
  sizes(pools);
  not_finite(pools, 1, 7, 17);
  not_finite(pools, 5, 7, 1);
  not_finite(pools, 33, 65, 97);
  not_finite(pools, 300, 300, 200);
  for (Pool& pool : pools) {
    where_it_pays(pool);
    where_it_pays_in_pairs(pool);
  }
  for (const Types& types : all_types()) the_same_bits_from_many_calls_at_once(types);
  std::puts("zeros: passed");
}

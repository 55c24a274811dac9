#include "matmul/matmul.h"

#include <algorithm>
#include <cstring>

#include "core/arena.h"
#include "core/divide.h"
#include "core/onednn.h"
#include "core/parallel.h"
#include "core/products.h"

namespace hornbeam::matmul {
namespace {

namespace ffi = xla::ffi;

// A unit of work is a product of so many rows, taken so many columns and so much of a sum at a
// time: the three parts stay in the level 2 cache together.
constexpr int64_t kRows = 256;
constexpr int64_t kColumns = 256;
constexpr int64_t kDepth = 256;

constexpr int64_t kWidest = 16;  // floats in the widest register

// Rows of c, which is (rows, n), from those of a; rows in memory are `a_stride` and `b_stride`
// apart.
template <typename T, typename C>
struct Product {
  int64_t rows, k, n, a_stride, b_stride;
  bool a_transposed, b_transposed;
  const T *a, *b;
  C* c;
};

template <typename W>
struct Scratch {
  Scratch(Arena& arena, const Shape& s) {
    const int64_t rows = round_up(std::min(s.m, kRows), kWidest),
                  columns = round_up(std::min(s.n, kColumns), kWidest);
    const int64_t words = words_of<W>(std::min(s.k, kDepth));
    a = arena.take<W>(rows * words);
    b = arena.take<W>(columns * words);
    c = arena.take<float>(rows * columns);
  }

  W *a, *b;
  float* c;
};

#define BODY "matmul/matmul.inc"
#include "core/processors.inc"

template <typename W, typename T, typename C, typename Run>
ffi::Error multiply_by(Run* run, ffi::ThreadPool& pool, const Shape& s, const void* a,
                       const void* b, void* c) {
  const int64_t blocks = divided_up(s.m, kRows), units = s.z * blocks;
  const int64_t slices = std::min(slice_count(pool, 2 * s.z * s.m * s.k * s.n), units);
  Arena size;
  Scratch<W>(size, s);
  return parallel_for(pool, slices, [&](int64_t slice) {
    Arena arena(onednn::scratch(1, size.bytes()));
    const Scratch<W> scratch(arena, s);
    const int64_t end = slice_begin(slice + 1, slices, units, 1);
    for (int64_t unit = slice_begin(slice, slices, units, 1); unit < end; ++unit) {
      const int64_t pair = unit / blocks, row = unit % blocks * kRows;
      const int64_t a_stride = s.a_transposed ? s.m : s.k;
      run({std::min(kRows, s.m - row), s.k, s.n, a_stride, s.b_transposed ? s.k : s.n,
           s.a_transposed, s.b_transposed,
           static_cast<const T*>(a) + pair * s.m * s.k + (s.a_transposed ? row : row * s.k),
           static_cast<const T*>(b) + pair * s.k * s.n,
           static_cast<C*>(c) + (pair * s.m + row) * s.n},
          scratch);
    }
  });
}

template <typename T, typename C>
ffi::Error multiply_as(ffi::ThreadPool& pool, const Shape& s, const void* a, const void* b,
                       void* c) {
  if constexpr (std::is_same_v<T, BFloat16>) {
    if (cpu().avx512_bf16)
      return multiply_by<Pair, T, C>(avx512_bf16::multiply<Pair, T, C>, pool, s, a, b, c);
  }
  auto* run =
      pick(avx512::multiply<float, T, C>, avx2::multiply<float, T, C>, base::multiply<float, T, C>);
  return multiply_by<float, T, C>(run, pool, s, a, b, c);
}

}  // namespace

ffi::Error multiply(ffi::ThreadPool& pool, const Shape& s, const void* a, const void* b, void* c) {
  const int64_t results = s.z * s.m * s.n;
  if (results == 0) return ffi::Error::Success();
  if (s.k == 0) {
    std::memset(c, 0, results * size_of(s.result));
    return ffi::Error::Success();
  }
  if (s.type == Type::kFloat32) return multiply_as<float, float>(pool, s, a, b, c);
  if (s.result == Type::kFloat32) return multiply_as<BFloat16, float>(pool, s, a, b, c);
  return multiply_as<BFloat16, BFloat16>(pool, s, a, b, c);
}

}  // namespace hornbeam::matmul

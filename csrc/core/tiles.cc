#include "core/tiles.h"

#if defined(__x86_64__)

#include <immintrin.h>

#include <algorithm>
#include <type_traits>
#include <utility>

#include "core/bfloat16.h"
#include "core/cpu.h"
#include "core/divide.h"
#include "core/onednn.h"
#include "core/parallel.h"

#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // in GCC's own intrinsics (its bug 105593)

namespace hornbeam::tiles {
namespace {

namespace ffi = xla::ffi;
using Step = int32_t;  // the bits of two bfloat16

constexpr int64_t kPerStep = 2, kLanes = 16, kColumns = 2 * kLanes;
constexpr int kRows = 12;  // with two strips of b: 24 of 32 registers
// Steps of a strip that the level 1 cache holds beside what streams through it; steps of all strips
// of b that the level 2 cache holds.
constexpr int64_t kDepth = 512, kBlock = 128 * 1024;
// Panels of b, at least, for which rows of a are laid out again.
constexpr int64_t kPanels = 8;
// More slices than threads: a helper that was asleep comes late.
constexpr int64_t kSlicesPerThread = 4;
// What an element that is laid out costs, as arithmetic that takes as long.
constexpr int64_t kLayOperations = 8;
// Scratch memory of a thread, and of a call.
constexpr int kOwn = 4, kShared = 5;

// Steps that fill whole registers.
constexpr int64_t filled_up(int64_t steps) { return round_up(steps, kLanes); }

// A factor as lanes (rows of a, columns of b) along the inner axis. One of the two lies dense, the
// other one in steps of `stride` elements: `is_across` where the next lane is the neighbour.
template <typename T>
struct Factor {
  const T *data, *mask;
  int64_t lanes, inner, stride;
  bool is_across;

  static Factor rows_of(const Matrix& m) {
    const bool is_across = m.row_stride == 1;
    return {static_cast<const T*>(m.data),
            static_cast<const T*>(m.mask),
            m.rows,
            m.columns,
            is_across ? m.column_stride : m.row_stride,
            is_across};
  }
};

// The second half behind the first, rounded.
ALWAYS_INLINE TARGET_AVX512_BF16 __m512i joined(const __m512 (&parts)[2]) {
  return reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(parts[1], parts[0]));
}
// Elements of the two halves in turns.
ALWAYS_INLINE TARGET_AVX512_BF16 __m512i interleaved(__m512i halves) {
  const __m512i order = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24,
                                         8, 23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
  return _mm512_permutexvar_epi16(order, halves);
}

ALWAYS_INLINE TARGET_AVX512_BF16 void store(__m512 v, __mmask16 lanes, float* to) {
  _mm512_mask_storeu_ps(to, lanes, v);
}
ALWAYS_INLINE TARGET_AVX512_BF16 void store(__m512 v, __mmask16 lanes, BFloat16* to) {
  _mm256_mask_storeu_epi16(to, lanes, reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(v)));
}

ALWAYS_INLINE TARGET_AVX512_BF16 __mmask16 first_lanes(int64_t count) {
  return static_cast<__mmask16>(count >= kLanes ? 0xffff : (1 << std::max<int64_t>(count, 0)) - 1);
}

ALWAYS_INLINE TARGET_AVX512_BF16 __m512 load(const float* from, __mmask16 lanes) {
  return _mm512_maskz_loadu_ps(lanes, from);
}
ALWAYS_INLINE TARGET_AVX512_BF16 __m512 load(const BFloat16* from, __mmask16 lanes) {
  const __m512i bits = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(lanes, from));
  return _mm512_castsi512_ps(_mm512_slli_epi32(bits, 16));
}

// The elements from number `at` on, 0 where the mask is not above 0. kPlain: there is no mask.
template <bool kPlain, typename T>
ALWAYS_INLINE TARGET_AVX512_BF16 __m512 load(const Factor<T>& factor, int64_t at, __mmask16 lanes) {
  const __m512 values = load(factor.data + at, lanes);
  if (kPlain || !factor.mask) return values;
  const __m512 mask = load(factor.mask + at, lanes);
  return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(mask, _mm512_setzero_ps(), _CMP_GT_OQ), values);
}

// Whether elements are taken as they are: neither rounded nor masked.
template <bool kPlain, typename T>
constexpr bool kAsTheyAre = kPlain && std::is_same_v<T, BFloat16>;

// Sixteen lanes of sixteen steps, each other's rows and columns.
ALWAYS_INLINE TARGET_AVX512_BF16 void transpose(__m512i* v) {
  __m512i t[16];
  for (int i = 0; i < 16; i += 4) {
    const __m512i a = _mm512_unpacklo_epi32(v[i], v[i + 1]),
                  b = _mm512_unpackhi_epi32(v[i], v[i + 1]);
    const __m512i c = _mm512_unpacklo_epi32(v[i + 2], v[i + 3]);
    const __m512i d = _mm512_unpackhi_epi32(v[i + 2], v[i + 3]);
    t[i] = _mm512_unpacklo_epi64(a, c), t[i + 1] = _mm512_unpackhi_epi64(a, c);
    t[i + 2] = _mm512_unpacklo_epi64(b, d), t[i + 3] = _mm512_unpackhi_epi64(b, d);
  }
  for (int i = 0; i < 4; ++i) {
    const __m512i a = _mm512_shuffle_i32x4(t[i], t[i + 4], 0x88);
    const __m512i b = _mm512_shuffle_i32x4(t[i], t[i + 4], 0xdd);
    const __m512i c = _mm512_shuffle_i32x4(t[i + 8], t[i + 12], 0x88);
    const __m512i d = _mm512_shuffle_i32x4(t[i + 8], t[i + 12], 0xdd);
    v[i] = _mm512_shuffle_i32x4(a, c, 0x88), v[i + 8] = _mm512_shuffle_i32x4(a, c, 0xdd);
    v[i + 4] = _mm512_shuffle_i32x4(b, d, 0x88), v[i + 12] = _mm512_shuffle_i32x4(b, d, 0xdd);
  }
}

// Lanes `lane` to `lane + count` of steps `begin` to `end` into strips, each `distance` steps
// behind the one before, where an element's neighbour in memory is the next lane. Sums over the
// inner axis are added to `sums` (may be null).
template <bool kPlain, typename T>
ALWAYS_INLINE TARGET_AVX512_BF16 void lay_across(const Factor<T>& factor, int64_t lane,
                                                 int64_t count, int64_t begin, int64_t end,
                                                 Step* strips, int64_t distance, float* sums) {
  // Step by step through all strips, for memory to be read in the order in which it lies.
  for (int64_t step = begin; step < end; ++step) {
    const int64_t k = step * kPerStep, upper = k * factor.stride + lane,
                  lower = upper + factor.stride;
    const bool has_lower = k + 1 < factor.inner;
    for (int64_t i = 0; i < count; i += kLanes) {
      const __mmask16 lanes = first_lanes(count - i), lower_lanes = has_lower ? lanes : 0;
      __m512i halves;
      if constexpr (kAsTheyAre<kPlain, T>) {
        halves = _mm512_inserti64x4(
            _mm512_castsi256_si512(_mm256_maskz_loadu_epi16(lanes, factor.data + upper + i)),
            _mm256_maskz_loadu_epi16(lower_lanes, factor.data + lower + i), 1);
      } else {
        const __m512 rows[] = {load<kPlain>(factor, upper + i, lanes),
                               load<kPlain>(factor, lower + i, lower_lanes)};
        if (!kPlain && sums) {
          const __m512 sum = _mm512_add_ps(_mm512_maskz_loadu_ps(lanes, sums + i), rows[0]);
          _mm512_mask_storeu_ps(sums + i, lanes, _mm512_add_ps(sum, rows[1]));
        }
        halves = joined(rows);
      }
      _mm512_store_si512(strips + i * distance + (step - begin) * kLanes, interleaved(halves));
    }
  }
}

// Sixteen steps of a lane, where an element's neighbour in memory is the next one along the inner
// axis.
template <bool kPlain, typename T>
ALWAYS_INLINE TARGET_AVX512_BF16 __m512i steps_of(const Factor<T>& factor, int64_t lane,
                                                  int64_t step) {
  const int64_t k = step * kPerStep, at = lane * factor.stride + k, left = factor.inner - k;
  if constexpr (kAsTheyAre<kPlain, T>) {
    const __mmask32 there = left >= 2 * kLanes ? ~__mmask32{0} : (__mmask32{1} << left) - 1;
    return _mm512_maskz_loadu_epi16(there, factor.data + at);
  } else {
    const __m512 parts[] = {load<kPlain>(factor, at, first_lanes(left)),
                            load<kPlain>(factor, at + kLanes, first_lanes(left - kLanes))};
    return joined(parts);
  }
}

// As `lay_across`, without sums, for such a factor.
template <bool kPlain, typename T>
ALWAYS_INLINE TARGET_AVX512_BF16 void lay_along(const Factor<T>& factor, int64_t lane,
                                                int64_t count, int64_t begin, int64_t end,
                                                Step* strips, int64_t distance) {
  for (int64_t first = 0; first < count; first += kLanes) {
    for (int64_t step = begin; step < end; step += kLanes) {
      __m512i square[kLanes];
      for (int64_t i = 0; i < kLanes; ++i) {
        // Lanes that are not there repeat the last one; nobody reads them.
        square[i] = steps_of<kPlain>(factor, lane + std::min(first + i, count - 1), step);
      }
      transpose(square);
      Step* to = strips + first * distance + (step - begin) * kLanes;
      for (int64_t i = 0; i < std::min(kLanes, end - step); ++i) {
        _mm512_store_si512(to + i * kLanes, square[i]);
      }
    }
  }
}

template <typename T>
TARGET_AVX512_BF16 void lay(const Factor<T>& factor, int64_t lane, int64_t count, int64_t begin,
                            int64_t end, Step* strips, int64_t distance, float* sums) {
  if (factor.is_across) {
    factor.mask || sums ? lay_across<false>(factor, lane, count, begin, end, strips, distance, sums)
                        : lay_across<true>(factor, lane, count, begin, end, strips, distance, sums);
  } else {
    factor.mask ? lay_along<false>(factor, lane, count, begin, end, strips, distance)
                : lay_along<true>(factor, lane, count, begin, end, strips, distance);
  }
}

// Lanes `lane` to `lane + count` of steps `begin` to `end`, each lane `stride` steps behind the one
// before.
template <bool kPlain, typename T>
TARGET_AVX512_BF16 void lay_lanes(const Factor<T>& factor, int64_t lane, int64_t count,
                                  int64_t begin, int64_t end, Step* to, int64_t stride) {
  for (int64_t i = 0; i < count; ++i) {
    for (int64_t step = begin; step < end; step += kLanes) {
      _mm512_store_si512(to + i * stride + step - begin, steps_of<kPlain>(factor, lane + i, step));
    }
  }
}

// sums = or += rows of a @ strips of b, of which the second lies `distance` behind the first. The
// rows of a lie side by side in a strip where `stride` is 1, or else that far apart; those of sums
// `pitch`.
template <int rows, int strips, bool is_strip>
TARGET_AVX512_BF16 void tile(const Step* a, int64_t stride, const Step* b, int64_t distance,
                             int64_t steps, bool adds, float* sums, int64_t pitch) {
  __m512 c[rows][strips];
#pragma GCC unroll 12
  for (int i = 0; i < rows; ++i) {
#pragma GCC unroll 2
    for (int j = 0; j < strips; ++j) {
      c[i][j] = adds ? _mm512_loadu_ps(sums + i * pitch + j * kLanes) : _mm512_setzero_ps();
    }
  }
  for (int64_t step = 0; step < steps; ++step) {
    __m512bh right[strips];
#pragma GCC unroll 2
    for (int j = 0; j < strips; ++j) {
      right[j] = reinterpret_cast<__m512bh>(_mm512_load_si512(b + j * distance + step * kLanes));
    }
#pragma GCC unroll 12
    for (int i = 0; i < rows; ++i) {
      const auto left = reinterpret_cast<__m512bh>(
          _mm512_set1_epi32(is_strip ? a[step * kLanes + i] : a[i * stride + step]));
#pragma GCC unroll 2
      for (int j = 0; j < strips; ++j) c[i][j] = _mm512_dpbf16_ps(c[i][j], left, right[j]);
    }
  }
#pragma GCC unroll 12
  for (int i = 0; i < rows; ++i) {
#pragma GCC unroll 2
    for (int j = 0; j < strips; ++j) _mm512_storeu_ps(sums + i * pitch + j * kLanes, c[i][j]);
  }
}

// The tile of that many rows and strips.
using Tile = void(const Step*, int64_t, const Step*, int64_t, int64_t, bool, float*, int64_t);
template <bool is_strip, int... row>
Tile* tile_of(int64_t rows, int64_t strips, std::integer_sequence<int, row...>) {
  static constexpr Tile* kTiles[][2] = {
      {tile<row + 1, 1, is_strip>, tile<row + 1, 2, is_strip>}...};
  return kTiles[rows - 1][strips - 1];
}

// What is left to do on a tile, and its store.
template <typename T>
TARGET_AVX512_BF16 void finish(const float* sums, int64_t rows, int64_t columns, const float* bias,
                               bool relu, T* c, int64_t c_stride) {
  for (int64_t j = 0; j < columns; j += kLanes) {
    const __mmask16 lanes = first_lanes(columns - j);
    const __m512 add = bias ? _mm512_maskz_loadu_ps(lanes, bias + j) : _mm512_setzero_ps();
    for (int64_t i = 0; i < rows; ++i) {
      __m512 v = _mm512_add_ps(_mm512_load_ps(sums + i * kColumns + j), add);
      // NaN stays.
      if (relu)
        v = _mm512_mask_mov_ps(v, _mm512_cmp_ps_mask(v, _mm512_setzero_ps(), _CMP_LT_OQ),
                               _mm512_setzero_ps());
      store(v, lanes, c + i * c_stride + j);
    }
  }
}

// c = a @ b and the like; b is bfloat16 or float32, and c.
template <typename B, typename C>
struct Product {
  Factor<BFloat16> a;
  Factor<B> b;
  Extras extras;
  C* c;
  int64_t c_stride;

  int64_t steps() const { return divided_up(a.inner, kPerStep); }
  // From strip to strip of b: not a power of two, for which a cache has few places.
  int64_t distance() const { return steps() + 1; }
  int64_t tiles() const { return divided_up(a.lanes, kRows); }
  int64_t panels() const { return divided_up(b.lanes, kColumns); }
  int64_t top(int64_t tile) const { return a.lanes * tile / tiles(); }
};

// The rows of a tile of c, from a step on: in a strip, or as lanes that lie `stride` steps apart.
struct Rows {
  const Step* at;
  int64_t stride;
};

// Where they lie as they are needed, in the very matrix; nowhere where they must be laid out.
template <typename P>
Rows find_rows(const P& p, int64_t tile, int64_t begin) {
  if (p.a.is_across || p.a.mask || p.a.inner % kPerStep || p.a.stride % kPerStep) return {};
  const int64_t stride = p.a.stride / kPerStep;
  return {reinterpret_cast<const Step*>(p.a.data) + p.top(tile) * stride + begin, stride};
}

// Steps `begin` to `end` of them, laid out in sixteen times so many steps rounded up to sixteen.
template <typename P>
Rows lay_rows(const P& p, int64_t tile, int64_t begin, int64_t end, Step* to) {
  const int64_t top = p.top(tile), height = p.top(tile + 1) - top;
  if (p.a.is_across) {
    lay(p.a, top, height, begin, end, to, 0, nullptr);
    return {to, 1};
  }
  const int64_t stride = filled_up(end - begin);
  p.a.mask ? lay_lanes<false>(p.a, top, height, begin, end, to, stride)
           : lay_lanes<true>(p.a, top, height, begin, end, to, stride);
  return {to, stride};
}

// Columns `first` to `last` into strips.
template <typename P>
void lay_columns(const P& p, int64_t first, int64_t last, Step* strips) {
  float* sums = p.extras.b_sums;
  if (sums) std::fill(sums + first, sums + last, 0.0f);
  lay(p.b, first, last - first, 0, p.steps(), strips, p.distance(), sums ? sums + first : nullptr);
}

// One tile of c, from all steps of its strips; the last ones are `end`.
template <typename P>
void compute(const P& p, int64_t tile, int64_t column, const Rows& a, const Step* b, int64_t begin,
             int64_t end, float* sums) {
  const int64_t top = p.top(tile), height = p.top(tile + 1) - top;
  const int64_t width = std::min(kColumns, p.b.lanes - column);
  const int64_t strips = divided_up(width, kLanes);
  constexpr auto kAll = std::make_integer_sequence<int, kRows>();
  auto* add =
      a.stride == 1 ? tile_of<true>(height, strips, kAll) : tile_of<false>(height, strips, kAll);
  const float* bias = p.extras.bias ? p.extras.bias + column : nullptr;
  auto* c = p.c + top * p.c_stride + column;
  float* to = sums;
  int64_t pitch = kColumns;
  if constexpr (std::is_same_v<decltype(c), float*>) {
    if (!bias && !p.extras.relu && width == strips * kLanes) to = c, pitch = p.c_stride;
  }
  add(a.at, a.stride, b + begin * kLanes, kLanes * p.distance(), end - begin, begin > 0, to, pitch);
  if (to != sums || end < p.steps()) return;
  finish(sums, height, width, bias, p.extras.relu, c, p.c_stride);
}

// Those tiles and columns of c on this thread; what is not null is laid out already.
template <typename P>
void multiply(const P& p, int64_t first_tile, int64_t last_tile, int64_t first, int64_t last,
              Step* a_strips, Step* b_strips) {
  const int64_t steps = p.steps(), depth = std::min(steps, kDepth);
  const int64_t panels = divided_up(last - first, kColumns);
  const int64_t block =
      std::min(panels, std::max(kBlock / p.distance() / kColumns, kPanels)) * kColumns;
  Step* own_b = static_cast<Step*>(onednn::scratch(
      kOwn, sizeof(Step) * (block * p.distance() + kLanes * filled_up(depth) + block * kRows)));
  Step* own_a = own_b + block * p.distance();
  float* sums = reinterpret_cast<float*>(own_a + kLanes * filled_up(depth));

  for (int64_t left = first; left < last; left += block) {
    const int64_t right = std::min(left + block, last);
    const Step* b = b_strips ? b_strips + left * p.distance() : own_b;
    if (!b_strips) lay_columns(p, left, right, own_b);
    for (int64_t tile = first_tile; tile < last_tile; ++tile) {
      for (int64_t begin = 0; begin < steps; begin += depth) {
        const int64_t end = std::min(begin + depth, steps);
        Rows a = find_rows(p, tile, begin);
        if (!a.at && a_strips) {
          Step* strip = a_strips + tile * kLanes * filled_up(steps);
          a = p.a.is_across ? Rows{strip + begin * kLanes, 1}
                            : Rows{strip + begin, filled_up(steps)};
        }
        if (!a.at) a = lay_rows(p, tile, begin, end, own_a);
        for (int64_t j = left; j < right; j += kColumns) {
          compute(p, tile, j, a, b + (j - left) * p.distance(), begin, end,
                  sums + (j - left) * kRows);
        }
      }
    }
  }
}

template <typename P>
void multiply(const P& p) {
  multiply(p, 0, p.tiles(), 0, p.b.lanes, nullptr, nullptr);
}

template <typename P>
ffi::Error multiply(ffi::ThreadPool& pool, const P& p) {
  const int64_t rows = p.a.lanes, columns = p.b.lanes, steps = p.steps();
  const int64_t threads = slice_count(pool, 2 * rows * columns * p.a.inner);
  if (threads == 1) {
    multiply(p);
    return ffi::Error::Success();
  }
  // The smaller factor is needed by all slices and laid out first, unless it lies as is needed;
  // each slice lays out its own part of the other.
  const bool by_rows = rows >= columns;
  const int64_t own = by_rows ? p.tiles() : p.panels(), shared = by_rows ? p.panels() : p.tiles();
  Step* strips = nullptr;
  if (by_rows || !find_rows(p, 0, 0).at) {
    const int64_t size = by_rows ? kColumns * p.distance() : kLanes * filled_up(steps);
    strips = static_cast<Step*>(onednn::scratch(kShared, sizeof(Step) * shared * size));
    const int64_t slices = std::min(shared, slice_count(pool, kLayOperations * shared * size));
    ffi::Error error = parallel_for(pool, slices, [&](int64_t slice) {
      const int64_t begin = slice_begin(slice, slices, shared, 1);
      const int64_t end = slice_begin(slice + 1, slices, shared, 1);
      if (by_rows) {
        lay_columns(p, begin * kColumns, std::min(end * kColumns, columns), strips + begin * size);
      } else {
        for (int64_t tile = begin; tile < end; ++tile)
          lay_rows(p, tile, 0, steps, strips + tile * size);
      }
    });
    if (error.failure()) return error;
  }
  const int64_t slices = std::min(own, threads * kSlicesPerThread);
  return parallel_for(pool, slices, [&](int64_t slice) {
    const int64_t begin = slice_begin(slice, slices, own, 1);
    const int64_t end = slice_begin(slice + 1, slices, own, 1);
    if (by_rows) {
      multiply(p, begin, end, 0, columns, nullptr, strips);
    } else {
      multiply(p, 0, p.tiles(), begin * kColumns, std::min(end * kColumns, columns), strips,
               nullptr);
    }
  });
}

// fn(the product in the types that it has)
template <typename Fn>
auto with_types(const Types& types, const Matrix& a, const Matrix& b, const Extras& extras, void* c,
                int64_t c_stride, const Fn& fn) {
  const auto with = [&](auto right, auto* result) {
    using B = decltype(right);
    using C = std::remove_pointer_t<decltype(result)>;
    return fn(Product<B, C>{Factor<BFloat16>::rows_of(a), Factor<B>::rows_of(b.transposed()),
                            extras, result, c_stride});
  };
  const auto into = [&](auto* result) {
    return types.b == Type::kFloat32 ? with(float(), result) : with(BFloat16(), result);
  };
  return types.c == Type::kFloat32 ? into(static_cast<float*>(c)) : into(static_cast<BFloat16*>(c));
}

}  // namespace

bool suits(const Types& types) {
  return types.a == Type::kBFloat16 && cpu().avx512_bf16 && !cpu().amx_bf16;
}

void multiply(const Types& types, const Matrix& a, const Matrix& b, const Extras& extras, void* c,
              int64_t c_stride) {
  with_types(types, a, b, extras, c, c_stride, [](const auto& product) { multiply(product); });
}

ffi::Error gemm(ffi::ThreadPool& pool, const Types& types, const Matrix& a, const Matrix& b,
                void* c, const Extras& extras) {
  return guarded([&] {
    return with_types(types, a, b, extras, c, b.columns,
                      [&](const auto& product) { return multiply(pool, product); });
  });
}

}  // namespace hornbeam::tiles

#else

namespace hornbeam::tiles {

bool suits(const Types&) { return false; }
void multiply(const Types&, const Matrix&, const Matrix&, const Extras&, void*, int64_t) {}
xla::ffi::Error gemm(xla::ffi::ThreadPool&, const Types&, const Matrix&, const Matrix&, void*,
                     const Extras&) {
  return xla::ffi::Error::Success();
}

}  // namespace hornbeam::tiles

#endif

#include "core/tiles.h"

#if defined(__x86_64__)

#include <immintrin.h>

#include <algorithm>
#include <type_traits>
#include <utility>

#include "core/bfloat16.h"
#include "core/cpu.h"
#include "core/onednn.h"
#include "core/parallel.h"

#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // in GCC's own intrinsics (its bug 105593)

namespace hornbeam::tiles {
namespace {

namespace ffi = xla::ffi;
using Step = int32_t;  // the bits of one float32 or two bfloat16

constexpr int64_t kLanes = 16, kColumns = 2 * kLanes;
constexpr int kRows = 12;  // with two strips of b: 24 of 32 registers
// Steps of a strip that the level 1 cache holds beside what streams through it; steps of all strips of
// b that the level 2 cache holds.
constexpr int64_t kDepth = 512, kBlock = 128 * 1024;
// More slices than threads: a helper that was asleep comes late.
constexpr int64_t kSlicesPerThread = 4;
// What an element that is laid out costs, as arithmetic that takes as long.
constexpr int64_t kLayOperations = 8;
// Scratch memory of a thread, and of a call.
constexpr int kOwn = 4, kShared = 5;

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

namespace float32 {
#define TARGET TARGET_AVX512
constexpr int64_t kPerStep = 1;
TARGET inline __m512i across(const __m512* rows) { return _mm512_castps_si512(rows[0]); }
TARGET inline __m512i along(const __m512* parts) { return _mm512_castps_si512(parts[0]); }
TARGET inline __m512 multiply_add(__m512i a, __m512i b, __m512 c) {
  return _mm512_fmadd_ps(_mm512_castsi512_ps(a), _mm512_castsi512_ps(b), c);
}
TARGET inline void store(__m512 v, __mmask16 lanes, float* to) {
  _mm512_mask_storeu_ps(to, lanes, v);
}
#include "core/tiles.inc"
#undef TARGET
}  // namespace float32

namespace bfloat16 {
#define TARGET TARGET_AVX512_BF16
constexpr int64_t kPerStep = 2;
TARGET inline __m512i along(const __m512* parts) {
  return reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(parts[1], parts[0]));
}
TARGET inline __m512i across(const __m512* rows) {
  const __m512i halves = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8,
                                          23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
  return _mm512_permutexvar_epi16(halves, along(rows));
}
TARGET inline __m512 multiply_add(__m512i a, __m512i b, __m512 c) {
  return _mm512_dpbf16_ps(c, reinterpret_cast<__m512bh>(a), reinterpret_cast<__m512bh>(b));
}
TARGET inline void store(__m512 v, __mmask16 lanes, float* to) {
  _mm512_mask_storeu_ps(to, lanes, v);
}
TARGET inline void store(__m512 v, __mmask16 lanes, BFloat16* to) {
  _mm256_mask_storeu_epi16(to, lanes, reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(v)));
}
#include "core/tiles.inc"
#undef TARGET
}  // namespace bfloat16

}  // namespace

bool suits(const Types& types) {
  if (types.a == Type::kFloat32) return cpu().avx512;
  return cpu().avx512_bf16 && !cpu().amx_bf16;  // oneDNN has loops for AMX
}

namespace {

// fn(the product in the types that it has)
template <typename Fn>
auto with_types(const Types& types, const Matrix& a, const Matrix& b, const Extras& extras, void* c,
                int64_t c_stride, const Fn& fn) {
  const auto columns = b.transposed();
  if (types.a == Type::kFloat32) {
    return fn(float32::Product<float, float, float>{Factor<float>::rows_of(a),
                                                    Factor<float>::rows_of(columns), extras,
                                                    static_cast<float*>(c), c_stride});
  }
  const auto narrow = [&](auto right, auto* result) {
    return fn(bfloat16::Product<BFloat16, decltype(right), std::remove_pointer_t<decltype(result)>>{
        Factor<BFloat16>::rows_of(a), Factor<decltype(right)>::rows_of(columns), extras, result,
        c_stride});
  };
  const auto into = [&](auto* result) {
    return types.b == Type::kFloat32 ? narrow(float(), result) : narrow(BFloat16(), result);
  };
  return types.c == Type::kFloat32 ? into(static_cast<float*>(c)) : into(static_cast<BFloat16*>(c));
}

}  // namespace

void multiply(const Types& types, const Matrix& a, const Matrix& b, const Extras& extras, void* c,
              int64_t c_stride) {
  with_types(types, a, b, extras, c, c_stride, [](const auto& product) { multiply(product); });
}

ffi::Error matmul(ffi::ThreadPool& pool, const Types& types, const Matrix& a, const Matrix& b,
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
xla::ffi::Error matmul(xla::ffi::ThreadPool&, const Types&, const Matrix&, const Matrix&, void*,
                       const Extras&) {
  return xla::ffi::Error::Success();
}

}  // namespace hornbeam::tiles

#endif

#include "core/tiles.h"

#if defined(__x86_64__)

#include <immintrin.h>

#include <algorithm>
#include <utility>

#include "core/bfloat16.h"
#include "core/cpu.h"
#include "core/onednn.h"

#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // in GCC's own intrinsics (its bug 105593)

namespace hornbeam::tiles {
namespace {

using Step = int32_t;  // the bits of one float32 or two bfloat16

constexpr int64_t kLanes = 16, kColumns = 2 * kLanes;
constexpr int kRows = 12;  // with two strips of b: 24 of 32 registers
// Steps of a strip that the level 1 cache holds beside what streams through it; steps of all strips of
// b that the level 2 cache holds.
constexpr int64_t kDepth = 512, kBlock = 128 * 1024;
constexpr int kScratch = 4;

// A factor as lanes (rows of a, columns of b) along the inner axis. One of the two lies dense, the
// other one in steps of `stride` elements: `is_across` where the next lane is the neighbour.
template <typename T>
struct Factor {
  const T *data, *mask;
  int64_t inner, stride;
  bool is_across;

  static Factor rows_of(const Matrix& m) {
    const bool is_across = m.row_stride == 1;
    return {static_cast<const T*>(m.data), static_cast<const T*>(m.mask), m.columns,
            is_across ? m.column_stride : m.row_stride, is_across};
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

void multiply(const Types& types, const Matrix& a, const Matrix& b, const Extras& extras, void* c,
              int64_t c_stride) {
  if (types.a == Type::kFloat32) {
    float32::multiply<float, float>(a, b, extras, static_cast<float*>(c), c_stride);
    return;
  }
  const auto with = [&](auto* result) {
    if (types.b == Type::kFloat32) {
      bfloat16::multiply<BFloat16, float>(a, b, extras, result, c_stride);
    } else {
      bfloat16::multiply<BFloat16, BFloat16>(a, b, extras, result, c_stride);
    }
  };
  if (types.c == Type::kFloat32) {
    with(static_cast<float*>(c));
  } else {
    with(static_cast<BFloat16*>(c));
  }
}

}  // namespace hornbeam::tiles

#else

namespace hornbeam::tiles {
bool suits(const Types&) { return false; }
void multiply(const Types&, const Matrix&, const Matrix&, const Extras&, void*, int64_t) {}
}  // namespace hornbeam::tiles

#endif

// sigmoid and tanh as straight lines of arithmetic, so that compilers make vectors of loops over
// them.
//
// Errors are a few units in the last place; NaN stays NaN and infinities saturate.
#pragma once

#include <cstdint>
#include <cstring>

#include "core/bfloat16.h"
#include "core/cpu.h"

// Before a loop whose iterations don't depend on each other.
#if defined(__clang__)
#define INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#else
#define INDEPENDENT _Pragma("GCC ivdep")
#endif

// The three versions of `name`, a template over a type with one argument, and `name_best<T>()`.
#define FOR_EACH_CPU(name, Argument)                               \
  template <typename T>                                            \
  TARGET_AVX512 void name##_avx512(const Argument<T>& argument) {  \
    name(argument);                                                \
  }                                                                \
  template <typename T>                                            \
  TARGET_AVX2 void name##_avx2(const Argument<T>& argument) {      \
    name(argument);                                                \
  }                                                                \
  template <typename T>                                            \
  void name##_base(const Argument<T>& argument) {                  \
    name(argument);                                                \
  }                                                                \
  template <typename T>                                            \
  auto* name##_best() {                                            \
    return pick(name##_avx512<T>, name##_avx2<T>, name##_base<T>); \
  }

namespace hornbeam {

// 1 / (1 + e^-x), where e^-x = 2^n e^r with n whole and |r| <= ln 2 / 2.
ALWAYS_INLINE float sigmoid(float x) {
  float y = -x;
  y = y > 89.0f ? 89.0f : y;  // 2^128 is infinite, and the result then 0
  y = y < -87.0f ? -87.0f : y;
  const float shift = 12582912.0f;  // 1.5 * 2^23: added, it leaves no bits for a fraction
  const float shifted = y * 1.44269504f + shift;
  const float n = shifted - shift;
  float r =
      y - n * 0.693359375f;  // ln 2 in two parts; the first has few bits, so that this is exact
  r = r + n * 2.12194440e-4f;
  float p = 1.9875691500e-4f;  // Cephes' expf
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * (r * r) + r + 1.0f;
  uint32_t bits;
  std::memcpy(&bits, &shifted, sizeof bits);
  bits = (bits << 23) + 0x3f800000u;
  float power;
  std::memcpy(&power, &bits, sizeof power);
  return 1.0f / (1.0f + p * power);
}

// The rational approximation that XLA and Eigen use: x P(x^2) / Q(x^2).
ALWAYS_INLINE float tanh(float x) {
  float y = x > 7.90531110763549805f ? 7.90531110763549805f : x;
  y = y < -7.90531110763549805f ? -7.90531110763549805f : y;
  const float s = y * y;
  float p = -2.76076847742355e-16f;
  p = p * s + 2.00018790482477e-13f;
  p = p * s + -8.60467152213735e-11f;
  p = p * s + 5.12229709037114e-08f;
  p = p * s + 1.48572235717979e-05f;
  p = p * s + 6.37261928875436e-04f;
  p = p * s + 4.89352455891786e-03f;
  float q = 1.19825839466702e-06f;
  q = q * s + 1.18534705686654e-04f;
  q = q * s + 2.26843463243900e-03f;
  q = q * s + 4.89352518554385e-03f;
  return y * p / q;
}

}  // namespace hornbeam

// bfloat16: the upper half of a float32.
#pragma once

#include <cstdint>
#include <cstring>

#include "core/cpu.h"

namespace hornbeam {

struct BFloat16 {
  uint16_t bits;
};

// The value as a float32, so that one loop can be written for both types.
ALWAYS_INLINE float widen(float value) { return value; }
ALWAYS_INLINE float widen(BFloat16 value) {
  const uint32_t bits = static_cast<uint32_t>(value.bits) << 16;
  float result;
  std::memcpy(&result, &bits, sizeof result);
  return result;
}

// Rounds to nearest, ties to even; a NaN stays one.
ALWAYS_INLINE void narrow(float value, float* to) { *to = value; }
ALWAYS_INLINE void narrow(float value, BFloat16* to) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  const uint32_t rounded = bits + 0x7fff + (bits >> 16 & 1);
  to->bits = static_cast<uint16_t>((value != value ? bits | 0x400000 : rounded) >> 16);
}

}  // namespace hornbeam

// Sixteen float32 as one value: a register of AVX-512, two of AVX2, four of any x86-64.
//
// Only inside ALWAYS_INLINE functions: how such a value is passed depends on the processor.
#pragma once

#include <cstring>

#include "core/bfloat16.h"
#include "core/cpu.h"

#pragma GCC diagnostic ignored "-Wpsabi"

namespace hornbeam {

constexpr int64_t kLanes = 16;

typedef float Vector __attribute__((vector_size(64)));
typedef uint32_t Bits __attribute__((vector_size(64)));
typedef uint16_t HalfBits __attribute__((vector_size(32)));

ALWAYS_INLINE Vector load(const float* from) {
  Vector v;
  std::memcpy(&v, from, sizeof v);
  return v;
}
ALWAYS_INLINE Vector load(const BFloat16* from) {
  HalfBits half;
  std::memcpy(&half, from, sizeof half);
  // Each number behind a zero: one instruction, where widening and shifting are many.
  return reinterpret_cast<Vector>(
      __builtin_shufflevector(HalfBits{}, half, 0, 16, 0, 17, 0, 18, 0, 19, 0, 20, 0, 21, 0, 22, 0,
                              23, 0, 24, 0, 25, 0, 26, 0, 27, 0, 28, 0, 29, 0, 30, 0, 31));
}

// As `narrow`: to nearest, ties to even; a NaN stays one.
ALWAYS_INLINE void store(Vector v, float* to) { std::memcpy(to, &v, sizeof v); }
ALWAYS_INLINE void store(Vector v, BFloat16* to) {
  const Bits bits = reinterpret_cast<Bits>(v);
  const Bits rounded = bits + 0x7fff + (bits >> 16 & 1);
  const Bits chosen = v != v ? bits | 0x400000 : rounded;
  const HalfBits half = __builtin_convertvector(chosen >> 16, HalfBits);
  std::memcpy(to, &half, sizeof half);
}

// The first `count` lanes, where there are fewer than a vector has; the others are 0, and not
// stored.
template <typename T>
ALWAYS_INLINE Vector load(const T* from, int64_t count) {
  if (count >= kLanes) return load(from);
  T part[kLanes] = {};
  for (int64_t i = 0; i < count; ++i) part[i] = from[i];
  return load(part);
}
template <typename T>
ALWAYS_INLINE void store(Vector v, T* to, int64_t count) {
  if (count >= kLanes) return store(v, to);
  T part[kLanes];
  store(v, part);
  for (int64_t i = 0; i < count; ++i) to[i] = part[i];
}

// v with 0 in the lanes before `begin`.
ALWAYS_INLINE Vector from(Vector v, int64_t begin) {
  const Bits lane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  return begin == 0 ? v : lane >= static_cast<uint32_t>(begin) ? v : Vector{};
}

ALWAYS_INLINE float sum(Vector v) {
  v += __builtin_shuffle(v, Bits{8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7});
  v += __builtin_shuffle(v, Bits{4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3});
  v += __builtin_shuffle(v, Bits{2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1});
  return v[0] + v[1];
}

}  // namespace hornbeam

#include "bernoulli/bernoulli.h"

#include <algorithm>
#include <cstring>

#include "core/parallel.h"
#include "core/vector.h"

namespace hornbeam::bernoulli {
namespace {

namespace ffi = xla::ffi;

// What a draw costs, as arithmetic that takes as long: 0.7 ns on an AVX-512 core, and the helper
// that shares it is often awake still.
constexpr int64_t kOperationsPerElement = 100;

typedef uint8_t Bytes __attribute__((vector_size(16)));

ALWAYS_INLINE void rounds(Bits& a, Bits& b, int r0, int r1, int r2, int r3) {
  for (int r : {r0, r1, r2, r3}) {
    a += b;
    b = (b << r | b >> (32 - r)) ^ a;
  }
}

// The bits of sixteen counters; the upper word of all of them is `high`.
ALWAYS_INLINE Bits threefry(const uint32_t* key, uint32_t high, Bits low) {
  const uint32_t k0 = key[0], k1 = key[1], k2 = k0 ^ k1 ^ 0x1bd11bda;
  Bits a = Bits{} + (high + k0), b = low + k1;
  rounds(a, b, 13, 15, 26, 6);
  a += k1, b += k2 + 1;
  rounds(a, b, 17, 29, 16, 24);
  a += k2, b += k0 + 2;
  rounds(a, b, 13, 15, 26, 6);
  a += k0, b += k1 + 3;
  rounds(a, b, 17, 29, 16, 24);
  a += k1, b += k2 + 4;
  rounds(a, b, 13, 15, 26, 6);
  a += k2, b += k0 + 5;
  return a ^ b;
}

// Elements `begin` to `end`; `begin` is a multiple of sixteen.
ALWAYS_INLINE void fill(const uint32_t* key, uint32_t limit, int64_t begin, int64_t end,
                        bool* drawn) {
  const Bits lane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  for (int64_t i = begin; i < end; i += kLanes) {
    const Bits low = lane + static_cast<uint32_t>(i);
    const Bits bits = threefry(key, static_cast<uint32_t>(i >> 32), low);
    const Bits chosen = bits >> 9 < limit ? Bits{} + 1 : Bits{};
    const Bytes bytes = __builtin_convertvector(chosen, Bytes);
    std::memcpy(drawn + i, &bytes, std::min(end - i, kLanes));
  }
}

TARGET_AVX512 void fill_avx512(const uint32_t* key, uint32_t limit, int64_t begin, int64_t end,
                               bool* drawn) {
  fill(key, limit, begin, end, drawn);
}
TARGET_AVX2 void fill_avx2(const uint32_t* key, uint32_t limit, int64_t begin, int64_t end,
                           bool* drawn) {
  fill(key, limit, begin, end, drawn);
}
void fill_base(const uint32_t* key, uint32_t limit, int64_t begin, int64_t end, bool* drawn) {
  fill(key, limit, begin, end, drawn);
}

}  // namespace

ffi::Error draw(ffi::ThreadPool& pool, const uint32_t* key, uint32_t limit, int64_t size,
                bool* drawn) {
  const int64_t slices = slice_count(pool, size * kOperationsPerElement);
  auto* fill = pick(fill_avx512, fill_avx2, fill_base);
  return parallel_for(pool, slices, [&](int64_t slice) {
    fill(key, limit, slice_begin(slice, slices, size, kLanes),
         slice_begin(slice + 1, slices, size, kLanes), drawn);
  });
}

}  // namespace hornbeam::bernoulli

#include "updates/row_gradients.h"

#include <algorithm>

#include "core/bfloat16.h"
#include "core/cpu.h"
#include "core/onednn.h"
#include "embedding/embedding.h"

namespace hornbeam::updates {
namespace {

// Elements of a block: its gradient stays in a core's first cache.
constexpr int64_t kBlock = 4096;

struct Addition {
  const void* from;
  int64_t count;
  float* to;
};

template <typename T>
ALWAYS_INLINE void add(const Addition& a) {
  const T* __restrict from = static_cast<const T*>(a.from);
  float* __restrict to = a.to;
  for (int64_t i = 0; i < a.count; ++i) to[i] += widen(from[i]);
}

template <typename T>
TARGET_AVX512 void add_avx512(const Addition& a) {
  add<T>(a);
}
template <typename T>
TARGET_AVX2 void add_avx2(const Addition& a) {
  add<T>(a);
}
template <typename T>
void add_base(const Addition& a) {
  add<T>(a);
}
template <typename T>
auto* add_best() {
  return pick(add_avx512<T>, add_avx2<T>, add_base<T>);
}

Variable part(const Variable& v, int64_t begin, int64_t size, const float* gradient) {
  Variable block = v;
  block.size = size;
  block.gradient = gradient;
  block.rows.reset();
  block.value += begin;
  block.new_value += begin;
  for (int slot = 0; slot < kMostSlots; ++slot) {
    if (!v.slots[slot]) continue;
    block.slots[slot] += begin;
    block.new_slots[slot] += begin;
  }
  return block;
}

}  // namespace

void for_each_block(const Variable& variable, int64_t begin, int64_t end,
                    const std::function<void(const Variable& block)>& fn) {
  const auto [type, m, d, indices, dy] = *variable.rows;
  const embedding::Lookups lookups(indices, m, begin / d, (end - 1) / d + 1);
  auto* add = type == Type::kFloat32 ? add_best<float>() : add_best<BFloat16>();
  auto* gradient = static_cast<float*>(onednn::scratch(3, kBlock * sizeof(float)));
  bool is_zero = false;
  for (int64_t first = begin; first < end; first += kBlock) {
    const int64_t last = std::min(first + kBlock, end);
    if (!is_zero) std::fill(gradient, gradient + kBlock, 0.0f);
    is_zero = true;
    for (int64_t row = first / d; row * d < last; ++row) {
      // Blocks don't end where rows do.
      const int64_t from = std::max(first, row * d), to = std::min(last, (row + 1) * d);
      for (int32_t i = lookups.first(row); i >= 0; i = lookups.next(i)) {
        const char* of_row =
            static_cast<const char*>(dy) + (i * d + from - row * d) * size_of(type);
        add({of_row, to - from, gradient + from - first});
        is_zero = false;
      }
    }
    fn(part(variable, first, last - first, gradient));
  }
}

}  // namespace hornbeam::updates

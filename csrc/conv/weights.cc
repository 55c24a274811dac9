#include "conv/weights.h"

#include <immintrin.h>

#include <algorithm>

#include "conv/primitives.h"
#include "core/cpu.h"
#include "core/divide.h"

namespace hornbeam::conv {

namespace {

#define TARGET_PAIRS __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16")))

constexpr int64_t kLanes = 16;

// What one place of the window sees of a block stays in the level 1 cache.
constexpr int64_t kBlockBytes = 32 * 1024;

// An instruction multiplies pairs of neighbouring numbers and adds both products. Here a pair is
// one channel at two places of the output, side by side in a row; the places of x are those that
// one column of the window sees from there.
using Pair32 = uint32_t;

// Rows of the output, and the rows of x that they read, in pairs: some rows of one image, or all of
// some images.
//
// From one row of the output to the next, a place of the window moves on by `stride` rows of x.
// Those stand together: an image's x is (kw, stride, reach, pairs, c), its dy (rows, pairs, f), so
// that all that a place sees is one piece.
struct Block {
  const Shape& s;
  int64_t images, begin, rows;
  int64_t pairs;  // of a row
  int64_t reach;  // rows of x, of one column of the window and one remainder of the stride
  Pair32* memory;

  Block(const Shape& s, int64_t images, int64_t begin, int64_t rows, Pair32* memory)
      : s(s),
        images(images),
        begin(begin),
        rows(std::min(rows, s.oh - begin)),
        pairs((s.ow + 1) / 2),
        reach(this->rows + (s.kh - 1) * s.dilation[0] / s.stride[0]),
        memory(memory) {}

  int64_t dy_size() const { return rows * pairs * s.f; }
  int64_t size() const { return dy_size() + s.kw * s.stride[0] * reach * pairs * s.c; }

  TARGET_PAIRS void fill(const BFloat16* x, const BFloat16* dy) {
    Pair32* to = memory;
    for (int64_t image = 0; image < images; ++image) {
      for (int64_t row = begin; row < begin + rows; ++row, to += pairs * s.f) {
        fill_row(dy + (image * s.oh + row) * s.ow * s.f, s.f, s.ow, 1, 0, to);
      }
      for (int64_t j = 0; j < s.kw; ++j) {
        for (int64_t rest = 0; rest < s.stride[0]; ++rest) {
          for (int64_t i = 0; i < reach; ++i, to += pairs * s.c) {
            const int64_t row = (begin + i) * s.stride[0] + rest - s.before[0];
            if (row < 0 || row >= s.h) continue;
            fill_row(x + (image * s.h + row) * s.w * s.c, s.c, s.w, s.stride[1],
                     j * s.dilation[1] - s.before[1], to);
          }
        }
      }
    }
  }

  // The places at `offset`, `offset + step` ... of a row, one for each of the output; zeros
  // outside.
  TARGET_PAIRS void fill_row(const BFloat16* row, int64_t channels, int64_t width, int64_t step,
                             int64_t offset, Pair32* to) const {
    const auto inside = [=](int64_t column) { return column >= 0 && column < width ? 0xffff : 0; };
    for (int64_t p = 0; p < pairs; ++p) {
      const int64_t column = 2 * p * step + offset;
      const int lower = inside(column), upper = 2 * p + 1 < s.ow ? inside(column + step) : 0;
      for (int64_t i = 0; i < channels; i += kLanes, to += kLanes) {
        const BFloat16* from = row + column * channels + i;
        const __m256i low = _mm256_maskz_loadu_epi16(lower, from);
        const __m256i high = _mm256_maskz_loadu_epi16(upper, from + step * channels);
        const __m512i shifted = _mm512_slli_epi32(_mm512_cvtepu16_epi32(high), 16);
        _mm512_storeu_si512(to, _mm512_or_si512(_mm512_cvtepu16_epi32(low), shifted));
      }
    }
  }
};

// What one place of the window sees.
struct Pieces {
  int64_t images, image_size;  // how many pieces, and from one to the next
  int64_t pairs, c, f;         // of a piece
  const Pair32 *x, *dy;        // (pairs, c), (pairs, f)
};

// The gradient of 16 / kWide channels from c and 16 kWide filters from f: sixteen registers of
// sums.
template <int kWide>
TARGET_PAIRS void add_tile(const Pieces& seen, int64_t c, int64_t f, float* d_kernel) {
  constexpr int kChannels = 16 / kWide;
  __m512 sums[kChannels][kWide];
  for (auto& row : sums) {
    for (auto& sum : row) sum = _mm512_setzero_ps();
  }
  for (int64_t image = 0; image < seen.images; ++image) {
    const Pair32* x = seen.x + image * seen.image_size + c;
    const Pair32* dy = seen.dy + image * seen.image_size + f;
    for (int64_t p = 0; p < seen.pairs; ++p, x += seen.c, dy += seen.f) {
      __m512bh slopes[kWide];
#pragma GCC unroll 4
      for (int q = 0; q < kWide; ++q) slopes[q] = (__m512bh)_mm512_loadu_si512(dy + q * kLanes);
#pragma GCC unroll 16
      for (int k = 0; k < kChannels; ++k) {
        const auto pair = (__m512bh)_mm512_set1_epi32(static_cast<int>(x[k]));
#pragma GCC unroll 4
        for (int q = 0; q < kWide; ++q) sums[k][q] = _mm512_dpbf16_ps(sums[k][q], slopes[q], pair);
      }
    }
  }
#pragma GCC unroll 16
  for (int k = 0; k < kChannels; ++k) {
#pragma GCC unroll 4
    for (int q = 0; q < kWide; ++q) {
      float* at = d_kernel + (c + k) * seen.f + f + q * kLanes;
      _mm512_storeu_ps(at, _mm512_add_ps(_mm512_loadu_ps(at), sums[k][q]));
    }
  }
}

template <int kWide>
void add_block(const Block& block, float* d_kernel) {
  const Shape& s = block.s;
  const int64_t stride = s.stride[0];
  for (int64_t i = 0; i < s.kh; ++i) {
    // The rows of the output where row i of the window is inside the image.
    const int64_t above = std::max<int64_t>(0, s.before[0] - i * s.dilation[0]);
    const int64_t below = s.h - 1 + s.before[0] - i * s.dilation[0];
    const int64_t first = std::max(block.begin, divided_up(above, stride));
    const int64_t end = below < 0 ? 0 : std::min(block.begin + block.rows, below / stride + 1);
    if (end <= first) continue;
    const int64_t out = first - block.begin, row = out + i * s.dilation[0] / stride;
    for (int64_t j = 0; j < s.kw; ++j) {
      const int64_t column = (j * stride + i * s.dilation[0] % stride) * block.reach;
      const Pieces seen = {block.images,
                           block.size(),
                           (end - first) * block.pairs,
                           s.c,
                           s.f,
                           block.memory + block.dy_size() + (column + row) * block.pairs * s.c,
                           block.memory + out * block.pairs * s.f};
      float* to = d_kernel + (i * s.kw + j) * s.c * s.f;
      for (int64_t f = 0; f < s.f; f += kLanes * kWide) {
        for (int64_t c = 0; c < s.c; c += 16 / kWide) add_tile<kWide>(seen, c, f, to);
      }
    }
  }
}

}  // namespace

bool has_weight_gradient(const Shape& s) {
  return s.type == Type::kBFloat16 && cpu().avx512_bf16 && s.groups == 1 && s.c % kLanes == 0 &&
         s.f % kLanes == 0;
}

void add_weight_gradient(const Shape& s, int64_t n, const BFloat16* x, const BFloat16* dy,
                         float* d_kernel) {
  const int64_t row_bytes = (s.ow + 1) / 2 * (s.f + s.c) * sizeof(Pair32);
  const int64_t fit = std::max<int64_t>(1, kBlockBytes / row_bytes);
  const int64_t rows = std::min(fit, s.oh), images = std::clamp<int64_t>(fit / s.oh, 1, n);
  auto* memory = static_cast<Pair32*>(onednn::scratch(
      kScratchKernel, images * Block(s, images, 0, rows, nullptr).size() * sizeof(Pair32)));
  auto* add = s.f % (4 * kLanes) == 0   ? add_block<4>
              : s.f % (2 * kLanes) == 0 ? add_block<2>
                                        : add_block<1>;
  for (int64_t image = 0; image < n; image += images) {
    for (int64_t begin = 0; begin < s.oh; begin += rows) {
      Block block(s, std::min(images, n - image), begin, rows, memory);
      block.fill(x + image * s.h * s.w * s.c, dy + image * s.oh * s.ow * s.f);
      // What the next block reads, while this one computes.
      const int64_t read = (image * s.h + (begin + rows) * s.stride[0]) * s.w * s.c;
      const int64_t size = images * rows * s.stride[0] * s.w * s.c;
      fetch(x + read, std::min(size, n * s.h * s.w * s.c - read) * sizeof(BFloat16));
      add(block, d_kernel);
    }
  }
}

}  // namespace hornbeam::conv

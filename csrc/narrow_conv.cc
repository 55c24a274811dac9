#include "narrow_conv.h"

#include <immintrin.h>

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "conv_primitives.h"
#include "core/cpu.h"

namespace hornbeam::conv {
namespace {

constexpr int64_t kLanes = 16;
constexpr int64_t kMostColumns = 16;  // places of a row that are computed at once
constexpr int64_t kFewest = 9;        // channels; with fewer most lanes would be idle

// Rows of a padded image that are held at once: the nearer part of the level 2 cache.
constexpr int64_t kStripBytes = 256 * 1024;

// y (oh, ow, f) of an image (h, w, c) with a window (kh, kw) that moves by ones.
struct Sizes {
  int64_t h, w, c, kh, kw, f, oh, ow, top, left;

  int64_t columns() const { return ow + kw - 1; }  // with the padding around
  int64_t pitch() const { return columns() * c; }
  // The places of a row in pieces of equal width; the last ones may overlap.
  int64_t width() const {
    const int64_t pieces = (ow + kMostColumns - 1) / kMostColumns;
    return (ow + pieces - 1) / pieces;
  }
};

Sizes forward_sizes(const Shape& s) {
  return {s.h, s.w, s.c, s.kh, s.kw, s.f, s.oh, s.ow, s.before[0], s.before[1]};
}

// The gradient of x is a convolution of dy with the window turned around.
Sizes gradient_sizes(const Shape& s) {
  return {s.oh, s.ow, s.f, s.kh, s.kw, s.c, s.h, s.w, s.kh - 1 - s.before[0], s.kw - 1 - s.before[1]};
}

bool suits(const Shape& s, int64_t outputs) {
  return cpu().avx512 && s.type == Type::kFloat32 && s.groups == 1 && (s.kw == 3 || s.kw == 5) &&
         s.stride == Pair{1, 1} && s.dilation == Pair{1, 1} && outputs >= kFewest && outputs <= kLanes;
}

struct Piece {
  const float* image;  // where the window of the first place begins
  const float *weights, *bias;
  float* y;
};

// `columns` places of a row. Weights are (kh, c, kw, 16).
template <int kw, int columns>
TARGET_AVX512 void compute(const Sizes& s, const Piece& piece) {
  const auto lanes = static_cast<__mmask16>((1 << s.f) - 1);
  const __m512 first = piece.bias ? _mm512_maskz_loadu_ps(lanes, piece.bias) : _mm512_setzero_ps();
  __m512 sums[columns];
#pragma GCC unroll 16
  for (int i = 0; i < columns; ++i) sums[i] = first;
  const float* weights = piece.weights;
  for (int64_t row = 0; row < s.kh; ++row) {
    for (int64_t channel = 0; channel < s.c; ++channel, weights += kw * kLanes) {
      const float* x = piece.image + row * s.pitch() + channel;
      __m512 w[kw];
#pragma GCC unroll 5
      for (int j = 0; j < kw; ++j) w[j] = _mm512_loadu_ps(weights + j * kLanes);
#pragma GCC unroll 20
      for (int at = 0; at < columns + kw - 1; ++at, x += s.c) {
        const __m512 value = _mm512_set1_ps(*x);
#pragma GCC unroll 5
        for (int j = 0; j < kw; ++j) {
          if (at >= j && at - j < columns) sums[at - j] = _mm512_fmadd_ps(value, w[j], sums[at - j]);
        }
      }
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < columns; ++i) _mm512_mask_storeu_ps(piece.y + i * s.f, lanes, sums[i]);
}

using Compute = void(const Sizes&, const Piece&);

template <int kw, int... columns>
Compute* of_width(int64_t width, std::integer_sequence<int, columns...>) {
  static constexpr Compute* kAll[] = {compute<kw, columns + 1>...};
  return kAll[width - 1];
}

Compute* compute_for(const Sizes& s) {
  const auto widths = std::make_integer_sequence<int, kMostColumns>();
  return s.kw == 3 ? of_width<3>(s.width(), widths) : of_width<5>(s.width(), widths);
}

// Rows of an image from `begin` on, which may lie outside, with the padding around.
void pad(const Sizes& s, const float* image, int64_t begin, int64_t rows, float* to) {
  const int64_t before = s.left * s.c, own = std::min(s.w, s.columns() - s.left) * s.c;
  for (int64_t row = begin; row < begin + rows; ++row, to += s.pitch()) {
    if (row < 0 || row >= s.h) {
      std::fill_n(to, s.pitch(), 0.0f);
      continue;
    }
    std::fill_n(to, before, 0.0f);
    std::memcpy(to + before, image + row * s.w * s.c, own * sizeof(float));
    std::fill(to + before + own, to + s.pitch(), 0.0f);
  }
}

void convolve(const Sizes& s, int64_t n, const float* x, const float* weights, const float* bias, float* y) {
  auto* compute = compute_for(s);
  const int64_t row_bytes = s.pitch() * static_cast<int64_t>(sizeof(float));
  const int64_t rows = std::clamp<int64_t>(kStripBytes / row_bytes - s.kh + 1, 1, s.oh);
  auto* strip = static_cast<float*>(onednn::scratch(kScratchKernel, (rows + s.kh - 1) * row_bytes));
  for (int64_t image = 0; image < n; ++image, x += s.h * s.w * s.c) {
    for (int64_t begin = 0; begin < s.oh; begin += rows) {
      const int64_t count = std::min(rows, s.oh - begin);
      pad(s, x, begin - s.top, count + s.kh - 1, strip);
      for (int64_t row = 0; row < count; ++row, y += s.ow * s.f) {
        for (int64_t at = 0; at < s.ow; at += s.width()) {
          const int64_t place = std::min(at, s.ow - s.width());
          compute(s, {strip + row * s.pitch() + place * s.c, weights, bias, y + place * s.f});
        }
      }
    }
  }
}

// The element for output channel `out` goes to lane `out`; value(i, j, in, out) gives it.
template <typename Fn>
std::vector<float> laid_out(const Sizes& s, const Fn& value) {
  std::vector<float> weights(s.kh * s.c * s.kw * kLanes);
  float* to = weights.data();
  for (int64_t i = 0; i < s.kh; ++i) {
    for (int64_t in = 0; in < s.c; ++in) {
      for (int64_t j = 0; j < s.kw; ++j, to += kLanes) {
        for (int64_t out = 0; out < s.f; ++out) to[out] = value(i, j, in, out);
      }
    }
  }
  return weights;
}

}  // namespace

bool is_narrow(const Shape& shape) { return suits(shape, shape.f); }
bool has_narrow_input(const Shape& shape) { return suits(shape, shape.c); }

void narrow_forward(const Shape& shape, int64_t n, const float* x, const float* kernel, const float* bias, float* y) {
  const Sizes s = forward_sizes(shape);
  const auto weights = laid_out(s, [&](int64_t i, int64_t j, int64_t in, int64_t out) {
    return kernel[((i * s.kw + j) * s.c + in) * s.f + out];
  });
  convolve(s, n, x, weights.data(), bias, y);
}

void narrow_input_gradient(const Shape& shape, int64_t n, const float* dy, const float* kernel, float* dx) {
  const Sizes s = gradient_sizes(shape);
  const auto weights = laid_out(s, [&](int64_t i, int64_t j, int64_t in, int64_t out) {
    return kernel[(((s.kh - 1 - i) * s.kw + s.kw - 1 - j) * s.f + out) * s.c + in];
  });
  convolve(s, n, dy, weights.data(), nullptr, dx);
}

}  // namespace hornbeam::conv

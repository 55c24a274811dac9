#include "attention.h"

#include <algorithm>
#include <cmath>

#include "core/matmul.h"
#include "core/onednn.h"
#include "core/parallel.h"
#include "core/vector.h"

namespace hornbeam::attention {
namespace {

namespace ffi = xla::ffi;

// The logit where a query may not look: finite, so that a row of nothing else stays free of NaN.
constexpr float kMasked = 0.7f * -3.4028234663852886e38f;

// e^x for x <= 0, within two units in the last place; 0 below -87; a NaN stays one.
ALWAYS_INLINE Vector exp_of(Vector x) {
  const Vector low = Vector{} - 87.0f;
  const Vector inside = x < low ? low : x;
  // x = whole * ln 2 + rest: adding 1.5 * 2^23 rounds to a whole number.
  const Vector magic = Vector{} + 12582912.0f;
  const Vector whole = (inside * 1.44269504f + magic) - magic;
  const Vector rest = inside - whole * 0.693359375f - whole * -2.12194440e-4f;
  Vector p = Vector{} + 1.9875691500e-4f;
  p = p * rest + 1.3981999507e-3f;
  p = p * rest + 8.3334519073e-3f;
  p = p * rest + 4.1665795894e-2f;
  p = p * rest + 1.6666665459e-1f;
  p = p * rest + 5.0000001201e-1f;
  p = p * rest * rest + rest + 1.0f;
  typedef int32_t Whole __attribute__((vector_size(64)));
  const Whole power = __builtin_convertvector(whole, Whole);
  const Vector scale = reinterpret_cast<Vector>((power + 127) << 23);
  const Vector result = p * scale;
  return x != x ? x : x < low ? Vector{} : result;
}

ALWAYS_INLINE float largest(Vector v) {
  float most = v[0];
  for (int64_t i = 1; i < kLanes; ++i) most = v[i] > most || v[i] != v[i] ? v[i] : most;
  return most;
}

// The rows of one example and head; rows of logits are `stride` apart, a multiple of sixteen.
struct Rows {
  int64_t t, s, stride, t_stride, s_stride;
  float scale;
  bool causal;
  const bool* mask;
  float *logits, *slopes, *stats;
};

// Logits of a row times the scale, masked; -inf beyond the last.
ALWAYS_INLINE void prepare(const Rows& r, int64_t i) {
  float* row = r.logits + i * r.stride;
  const Vector scale = Vector{} + r.scale;
  for (int64_t j = 0; j < r.stride; j += kLanes) store(load(row + j) * scale, row + j);
  if (r.mask) {
    for (int64_t j = 0; j < r.s; ++j) {
      row[j] = r.mask[i * r.t_stride + j * r.s_stride] ? row[j] : kMasked;
    }
  }
  if (r.causal) std::fill(row + std::min(i + 1, r.s), row + r.s, kMasked);
  std::fill(row + r.s, row + r.stride, -INFINITY);
}

// logits -> weights, and `stats`.
ALWAYS_INLINE void softmax(const Rows& r) {
  for (int64_t i = 0; i < r.t; ++i) {
    float* row = r.logits + i * r.stride;
    prepare(r, i);
    Vector most = load(row);
    for (int64_t j = kLanes; j < r.stride; j += kLanes) {
      const Vector x = load(row + j);
      most = x > most || x != x ? x : most;
    }
    const float top = largest(most);
    Vector total = {};
    for (int64_t j = 0; j < r.stride; j += kLanes) {
      const Vector e = exp_of(load(row + j) - top);
      total += e;
      store(e, row + j);
    }
    const float factor = 1 / sum(total);
    for (int64_t j = 0; j < r.stride; j += kLanes) store(load(row + j) * factor, row + j);
    r.stats[2 * i] = top;
    r.stats[2 * i + 1] = factor;
  }
}

// logits -> weights by `stats`; slopes, the gradients of weights -> those of q k^T.
ALWAYS_INLINE void softmax_gradient(const Rows& r) {
  for (int64_t i = 0; i < r.t; ++i) {
    float *row = r.logits + i * r.stride, *slopes = r.slopes + i * r.stride;
    prepare(r, i);
    std::fill(slopes + r.s, slopes + r.stride, 0.0f);
    const float top = r.stats[2 * i], factor = r.stats[2 * i + 1];
    Vector total = {};
    for (int64_t j = 0; j < r.stride; j += kLanes) {
      const Vector weight = exp_of(load(row + j) - top) * factor;
      store(weight, row + j);
      total += weight * load(slopes + j);
    }
    const float mean = sum(total);
    for (int64_t j = 0; j < r.stride; j += kLanes) {
      store(load(row + j) * (load(slopes + j) - mean) * r.scale, slopes + j);
    }
    if (r.mask) {
      for (int64_t j = 0; j < r.s; ++j) {
        slopes[j] = r.mask[i * r.t_stride + j * r.s_stride] ? slopes[j] : 0;
      }
    }
    if (r.causal) std::fill(slopes + std::min(i + 1, r.s), slopes + r.s, 0.0f);
  }
}

TARGET_AVX512 void softmax_avx512(const Rows& r) { softmax(r); }
TARGET_AVX2 void softmax_avx2(const Rows& r) { softmax(r); }
void softmax_base(const Rows& r) { softmax(r); }
TARGET_AVX512 void gradient_avx512(const Rows& r) { softmax_gradient(r); }
TARGET_AVX2 void gradient_avx2(const Rows& r) { softmax_gradient(r); }
void gradient_base(const Rows& r) { softmax_gradient(r); }

// The part of an array (b, rows, n, d) that belongs to one example and head.
Matrix part(const Problem& p, const float* data, int64_t unit, int64_t rows) {
  const int64_t example = unit / p.n, head = unit % p.n;
  return {data + (example * rows * p.n + head) * p.d, rows, p.d, p.n * p.d, 1};
}

Rows rows_of(const Problem& p, int64_t unit) {
  const int64_t stride = (p.s + kLanes - 1) / kLanes * kLanes;
  const size_t bytes = p.t * stride * sizeof(float);
  const bool* mask = p.mask;
  if (mask) mask += unit / p.n * p.strides[0] + unit % p.n * p.strides[1];
  return {p.t,
          p.s,
          stride,
          p.strides[2],
          p.strides[3],
          p.scale,
          p.causal,
          mask,
          static_cast<float*>(onednn::scratch(1, bytes)),
          nullptr,
          p.stats + unit * p.t * 2};
}

Matrix square(const Rows& r, const float* data) { return {data, r.t, r.s, r.stride, 1}; }

void product(const Matrix& a, const Matrix& b, const void* c, int64_t c_stride) {
  multiply(Type::kFloat32, a, b, nullptr, const_cast<void*>(c), c_stride);
}

template <typename Fn>
ffi::Error each_head(ffi::ThreadPool& pool, const Problem& p, int64_t products, const Fn& fn) {
  const int64_t units = p.b * p.n;
  const int64_t cost = p.t * p.s * (2 * products * p.d + 30);
  const int64_t slices = std::min(slice_count(pool, units * cost), units);
  return parallel_for(pool, slices, [&](int64_t slice) {
    const int64_t end = slice_begin(slice + 1, slices, units, 1);
    for (int64_t unit = slice_begin(slice, slices, units, 1); unit < end; ++unit) fn(unit);
  });
}

}  // namespace

ffi::Error forward(ffi::ThreadPool& pool, const Problem& p, float* y) {
  auto* run = pick(softmax_avx512, softmax_avx2, softmax_base);
  return each_head(pool, p, 2, [&](int64_t unit) {
    const Rows r = rows_of(p, unit);
    product(part(p, p.q, unit, p.t), part(p, p.k, unit, p.s).transposed(), r.logits, r.stride);
    run(r);
    product(square(r, r.logits), part(p, p.v, unit, p.s), part(p, y, unit, p.t).data, p.n * p.d);
  });
}

ffi::Error backward(ffi::ThreadPool& pool, const Problem& p, const float* dy, float* dq, float* dk,
                    float* dv) {
  auto* run = pick(gradient_avx512, gradient_avx2, gradient_base);
  return each_head(pool, p, 5, [&](int64_t unit) {
    Rows r = rows_of(p, unit);
    r.slopes = static_cast<float*>(onednn::scratch(2, p.t * r.stride * sizeof(float)));
    const Matrix q = part(p, p.q, unit, p.t), k = part(p, p.k, unit, p.s);
    const Matrix v = part(p, p.v, unit, p.s), of_y = part(p, dy, unit, p.t);
    const int64_t stride = p.n * p.d;
    product(q, k.transposed(), r.logits, r.stride);
    product(of_y, v.transposed(), r.slopes, r.stride);
    run(r);
    product(square(r, r.logits).transposed(), of_y, part(p, dv, unit, p.s).data, stride);
    product(square(r, r.slopes), k, part(p, dq, unit, p.t).data, stride);
    product(square(r, r.slopes).transposed(), q, part(p, dk, unit, p.s).data, stride);
  });
}

}  // namespace hornbeam::attention

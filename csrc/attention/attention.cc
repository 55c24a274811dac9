#include "attention/attention.h"

#include <algorithm>
#include <cfloat>
#include <cmath>

#include "core/arena.h"
#include "core/divide.h"
#include "core/onednn.h"
#include "core/parallel.h"
#include "core/products.h"

namespace hornbeam::attention {
namespace {

namespace ffi = xla::ffi;

// Keys are taken by so many at a time, and their logits for so many queries: both stay in the
// nearest caches, and memory grows with t + s, not with t * s.
constexpr int64_t kKeys = 128;
constexpr int64_t kStrip = 32;  // even, so that rows make pairs

// What one unit of work of the forward pass takes on.
constexpr int64_t kQueries = 256;

constexpr int64_t kWidest = 16;  // floats in the widest register
constexpr float kLog2E = 1.44269504f;
constexpr float kLowest = -FLT_MAX;

// The logit where a query may not look: finite, so that a row of nothing else stays free of NaN.
constexpr float kMasked = 0.7f * -FLT_MAX;

// The arrays of one example and head; rows of q and k are `q_stride` apart, those of v and y
// `v_stride`.
template <typename T>
struct Head {
  int64_t t, s, d, e, q_stride, v_stride;
  const T *q, *k, *v;
  float scale;
  bool causal;
  const bool* mask;
  int64_t mask_t, mask_s;
  float* stats;

  // Whether the keys from j on weigh nothing for queries up to i. With a mask a row may have no key
  // at all and take the mean of all of them.
  bool is_beyond(int64_t i, int64_t j) const { return causal && !mask && j > i; }
};

template <typename W>
struct ForwardScratch {
  ForwardScratch(Arena& arena, int64_t queries, int64_t s, int64_t d, int64_t e)
      : stride(round_up(std::min(s, kKeys), kWidest)),
        width(round_up(e, kWidest)),
        q(arena.take<W>(queries * words_of<W>(d))),
        k(arena.take<W>(stride * words_of<W>(d))),
        v(arena.take<W>(words_of<W>(stride) * width)),
        logits(arena.take<float>(kStrip * stride)),
        sums(arena.take<float>(queries * width)) {}

  int64_t stride, width;
  W *q, *k, *v;
  float *logits, *sums;  // (kStrip, stride), (queries, width)
};

template <typename W>
struct BackwardScratch {
  BackwardScratch(Arena& arena, int64_t t, int64_t s, int64_t d, int64_t e)
      : stride(round_up(std::min(s, kKeys), kWidest)),
        d_width(round_up(d, kWidest)),
        e_width(round_up(e, kWidest)),
        k_transposed(arena.take<W>(stride * words_of<W>(d))),
        v_transposed(arena.take<W>(stride * words_of<W>(e))),
        k(arena.take<W>(words_of<W>(stride) * d_width)),
        q_rows(arena.take<W>(kStrip * words_of<W>(d))),
        q(arena.take<W>(words_of<W>(kStrip) * d_width)),
        dy_rows(arena.take<W>(kStrip * words_of<W>(e))),
        dy(arena.take<W>(words_of<W>(kStrip) * e_width)),
        logits(arena.take<float>(kStrip * stride)),
        d_weights(arena.take<float>(kStrip * stride)),
        dk(arena.take<float>(stride * d_width)),
        dv(arena.take<float>(stride * e_width)),
        dq(arena.take<float>(t * d_width)) {
    if constexpr (std::is_same_v<W, Pair>) {
      slopes = arena.take<BFloat16>(kStrip * stride);
    } else {
      slopes = d_weights;
    }
  }

  int64_t stride, d_width, e_width;
  W *k_transposed, *v_transposed, *k, *q_rows, *q, *dy_rows, *dy;
  float *logits, *d_weights, *dk, *dv, *dq;
  Element<W>* slopes;  // d_logits as rows; where words are floats that is what d_weights becomes
};

#define BODY "attention/attention.inc"
#include "core/processors.inc"

// The part of an array (b, rows, n, size) that belongs to one example and head.
template <typename T, typename Void>
T* part(Void* data, const Problem& p, int64_t unit, int64_t rows, int64_t size) {
  return static_cast<T*>(data) + (unit / p.n * rows * p.n + unit % p.n) * size;
}

template <typename T>
Head<T> head_of(const Problem& p, int64_t unit) {
  const bool* mask = p.mask;
  if (mask) mask += unit / p.n * p.strides[0] + unit % p.n * p.strides[1];
  return {p.t,
          p.s,
          p.d,
          p.e,
          p.n * p.d,
          p.n * p.e,
          part<const T>(p.q, p, unit, p.t, p.d),
          part<const T>(p.k, p, unit, p.s, p.d),
          part<const T>(p.v, p, unit, p.s, p.e),
          p.scale,
          p.causal,
          mask,
          p.strides[2],
          p.strides[3],
          p.stats + unit * p.t * 2};
}

// fn(unit) for so many units of equal work, of which each takes so many products.
template <typename Fn>
ffi::Error each_unit(ffi::ThreadPool& pool, const Problem& p, int64_t units, int64_t products,
                     const Fn& fn) {
  const int64_t cost = p.b * p.n * p.t * p.s * (products * (p.d + p.e) + 30);
  const int64_t slices = std::min(slice_count(pool, cost), units);
  return parallel_for(pool, slices, [&](int64_t slice) {
    const int64_t end = slice_begin(slice + 1, slices, units, 1);
    for (int64_t unit = slice_begin(slice, slices, units, 1); unit < end; ++unit) fn(unit);
  });
}

template <typename W, typename T, typename Run>
ffi::Error forward_by(Run* run, ffi::ThreadPool& pool, const Problem& p, void* y) {
  const int64_t blocks = divided_up(p.t, kQueries), queries = std::min(p.t, kQueries);
  Arena size;
  ForwardScratch<W>(size, queries, p.s, p.d, p.e);
  return each_unit(pool, p, p.b * p.n * blocks, 2, [&](int64_t unit) {
    Arena arena(onednn::scratch(1, size.bytes()));
    const int64_t head = unit / blocks, begin = unit % blocks * kQueries;
    run(head_of<T>(p, head), begin, std::min(begin + kQueries, p.t), part<T>(y, p, head, p.t, p.e),
        ForwardScratch<W>(arena, queries, p.s, p.d, p.e));
  });
}

template <typename W, typename T, typename Run>
ffi::Error backward_by(Run* run, ffi::ThreadPool& pool, const Problem& p, const void* y,
                       const void* dy, void* dq, void* dk, void* dv) {
  Arena size;
  BackwardScratch<W>(size, p.t, p.s, p.d, p.e);
  return each_unit(pool, p, p.b * p.n, 5, [&](int64_t unit) {
    Arena arena(onednn::scratch(1, size.bytes()));
    run(head_of<T>(p, unit), part<const T>(y, p, unit, p.t, p.e),
        part<const T>(dy, p, unit, p.t, p.e), part<T>(dq, p, unit, p.t, p.d),
        part<T>(dk, p, unit, p.s, p.d), part<T>(dv, p, unit, p.s, p.e),
        BackwardScratch<W>(arena, p.t, p.s, p.d, p.e));
  });
}

#define PICK(name, T) pick(avx512::name<float, T>, avx2::name<float, T>, base::name<float, T>)

}  // namespace

ffi::Error forward(ffi::ThreadPool& pool, const Problem& p, void* y) {
  if (p.type == Type::kFloat32) return forward_by<float, float>(PICK(forward, float), pool, p, y);
  if (!cpu().avx512_bf16) return forward_by<float, BFloat16>(PICK(forward, BFloat16), pool, p, y);
  return forward_by<Pair, BFloat16>(avx512_bf16::forward<Pair, BFloat16>, pool, p, y);
}

ffi::Error backward(ffi::ThreadPool& pool, const Problem& p, const void* y, const void* dy,
                    void* dq, void* dk, void* dv) {
  if (p.type == Type::kFloat32)
    return backward_by<float, float>(PICK(backward, float), pool, p, y, dy, dq, dk, dv);
  if (!cpu().avx512_bf16) {
    return backward_by<float, BFloat16>(PICK(backward, BFloat16), pool, p, y, dy, dq, dk, dv);
  }
  return backward_by<Pair, BFloat16>(avx512_bf16::backward<Pair, BFloat16>, pool, p, y, dy, dq, dk,
                                     dv);
}

}  // namespace hornbeam::attention

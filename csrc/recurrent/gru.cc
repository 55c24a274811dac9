// z, r = sigmoid(x @ W + h @ U + bias); h' = z h + (1 - z) g, where with reset_after
// g = tanh(x @ W + bias + r (h @ U + recurrent bias)), else g = tanh(x @ W + bias + (r h) @ U).
#include <cstring>

#include "core/bfloat16.h"
#include "core/divide.h"
#include "core/parallel.h"
#include "recurrent/gates.h"
#include "recurrent/inputs.h"
#include "recurrent/parts.h"
#include "recurrent/recurrent.h"

namespace hornbeam::recurrent {
namespace {

namespace ffi = xla::ffi;

// One step of some rows, where one is not masked.
template <typename T>
struct Step {
  int64_t rows, u;
  const float* const* a;  // x @ W of each row, (3u,)
  float* ah;              // h @ U: (rows, 3u); without reset_after (rows, 2u) and, of g, (rows, u)
  const float* bias;      // (4u,): of z, of r, of g, and of h @ U within g
  const uint8_t* mask;    // of the first row, the others `mask_stride` further; may be null
  int64_t mask_stride;
  float* h;     // (rows, u), renewed
  T* h_narrow;  // the same for products
  T* reset;     // (rows, u), r h without reset_after
  T* y;         // rows `y_stride` apart; may be null
  int64_t y_stride;
  T* gates;  // (rows, 4u), or 3u without reset_after; may be null

  bool is_masked(int64_t row) const { return mask && !mask[row * mask_stride]; }
};

template <typename T, bool kSave>
ALWAYS_INLINE void step_row(int64_t u, const float* __restrict a, const float* __restrict ah,
                            const float* __restrict bias, float* __restrict h,
                            T* __restrict h_narrow, T* __restrict gates) {
  INDEPENDENT
  for (int64_t j = 0; j < u; ++j) {
    const float z = sigmoid(a[j] + ah[j] + bias[j]);
    const float r = sigmoid(a[u + j] + ah[u + j] + bias[u + j]);
    const float inner = ah[2 * u + j] + bias[3 * u + j];
    const float g = tanh(a[2 * u + j] + bias[2 * u + j] + r * inner);
    h[j] = z * h[j] + (1 - z) * g;
    narrow(h[j], h_narrow + j);
    if (kSave) {
      narrow(z, gates + j);
      narrow(r, gates + u + j);
      narrow(g, gates + 2 * u + j);
      narrow(inner, gates + 3 * u + j);
    }
  }
}

template <typename T>
ALWAYS_INLINE void step(const Step<T>& s) {
  const int64_t u = s.u;
  for (int64_t row = 0; row < s.rows; ++row) {
    const float *a = s.a[row], *ah = s.ah + row * 3 * u;
    float* h = s.h + row * u;
    T* h_narrow = s.h_narrow + row * u;
    T* gates = s.gates ? s.gates + row * 4 * u : nullptr;
    if (s.is_masked(row)) {
      if (gates) std::memset(gates, 0, 4 * u * sizeof(T));  // not read again
    } else if (gates) {
      step_row<T, true>(u, a, ah, s.bias, h, h_narrow, gates);
    } else {
      step_row<T, false>(u, a, ah, s.bias, h, h_narrow, gates);
    }
    if (s.y) std::memcpy(s.y + row * s.y_stride, h_narrow, u * sizeof(T));
  }
}
FOR_EACH_CPU(step, Step)

// Without reset_after, up to the product (r h) @ U: z and r take their places in ah.
template <typename T>
ALWAYS_INLINE void open_row(int64_t u, const float* __restrict a, float* __restrict ah,
                            const float* __restrict bias, const float* __restrict h,
                            T* __restrict reset) {
  INDEPENDENT
  for (int64_t j = 0; j < u; ++j) {
    const float r = sigmoid(a[u + j] + ah[u + j] + bias[u + j]);
    ah[j] = sigmoid(a[j] + ah[j] + bias[j]);
    ah[u + j] = r;
    narrow(r * h[j], reset + j);
  }
}

template <typename T>
ALWAYS_INLINE void open(const Step<T>& s) {
  const int64_t u = s.u;
  for (int64_t row = 0; row < s.rows; ++row) {
    if (s.is_masked(row)) continue;
    open_row(u, s.a[row], s.ah + row * 2 * u, s.bias, s.h + row * u, s.reset + row * u);
  }
}
FOR_EACH_CPU(open, Step)

// And after it.
template <typename T, bool kSave>
ALWAYS_INLINE void close_row(int64_t u, const float* __restrict a, const float* __restrict zr,
                             const float* __restrict ag, const float* __restrict bias,
                             float* __restrict h, T* __restrict h_narrow, T* __restrict gates) {
  INDEPENDENT
  for (int64_t j = 0; j < u; ++j) {
    const float z = zr[j], g = tanh(a[2 * u + j] + ag[j] + bias[2 * u + j]);
    h[j] = z * h[j] + (1 - z) * g;
    narrow(h[j], h_narrow + j);
    if (kSave) {
      narrow(z, gates + j);
      narrow(zr[u + j], gates + u + j);
      narrow(g, gates + 2 * u + j);
    }
  }
}

template <typename T>
ALWAYS_INLINE void close(const Step<T>& s) {
  const int64_t u = s.u;
  for (int64_t row = 0; row < s.rows; ++row) {
    const float *a = s.a[row], *zr = s.ah + row * 2 * u, *ag = s.ah + (s.rows * 2 + row) * u;
    float* h = s.h + row * u;
    T* h_narrow = s.h_narrow + row * u;
    T* gates = s.gates ? s.gates + row * 3 * u : nullptr;
    if (s.is_masked(row)) {
      if (gates) std::memset(gates, 0, 3 * u * sizeof(T));
    } else if (gates) {
      close_row<T, true>(u, a, zr, ag, s.bias, h, h_narrow, gates);
    } else {
      close_row<T, false>(u, a, zr, ag, s.bias, h, h_narrow, gates);
    }
    if (s.y) std::memcpy(s.y + row * s.y_stride, h_narrow, u * sizeof(T));
  }
}
FOR_EACH_CPU(close, Step)

// The gradient of one step of some rows.
template <typename T>
struct Back {
  int64_t rows, u;
  const T* gates;   // (rows, 4u), or 3u without reset_after
  const T* before;  // (rows, u), h before the step
  const T* dy;      // rows `dy_stride` apart; may be null
  int64_t dy_stride;
  const uint8_t* mask;
  int64_t mask_stride;
  // (rows, u); given that after the step, left as that before it, less what comes through products.
  float* dh;
  T* da;                // (rows, 3u), of x @ W
  T *dah, *dag;         // of h @ U: (rows, 3u); without reset_after (rows, 2u) and, of g, (rows, u)
  const float* dreset;  // (rows, u), of r h, without reset_after
  T* reset;             // (rows, u), r h

  bool is_masked(int64_t row) const { return mask && !mask[row * mask_stride]; }
};

template <typename T>
ALWAYS_INLINE void add_dy(const Back<T>& s, int64_t row) {
  if (!s.dy) return;
  const T* dy = s.dy + row * s.dy_stride;
  float* dh = s.dh + row * s.u;
  INDEPENDENT
  for (int64_t j = 0; j < s.u; ++j) dh[j] += widen(dy[j]);
}

template <typename T>
ALWAYS_INLINE void back_row(int64_t u, const T* __restrict gates, const T* __restrict before,
                            float* __restrict dh, T* __restrict da, T* __restrict dah) {
  INDEPENDENT
  for (int64_t j = 0; j < u; ++j) {
    const float z = widen(gates[j]), r = widen(gates[u + j]);
    const float g = widen(gates[2 * u + j]), inner = widen(gates[3 * u + j]);
    const float dg = dh[j] * (1 - z) * (1 - g * g);
    const float dz = dh[j] * (widen(before[j]) - g) * z * (1 - z);
    const float dr = dg * inner * r * (1 - r);
    narrow(dz, da + j);
    narrow(dz, dah + j);
    narrow(dr, da + u + j);
    narrow(dr, dah + u + j);
    narrow(dg, da + 2 * u + j);
    narrow(dg * r, dah + 2 * u + j);
    dh[j] *= z;
  }
}

template <typename T>
ALWAYS_INLINE void back(const Back<T>& s) {
  const int64_t u = s.u;
  for (int64_t row = 0; row < s.rows; ++row) {
    T *da = s.da + row * 3 * u, *dah = s.dah + row * 3 * u;
    add_dy(s, row);
    if (s.is_masked(row)) {
      std::memset(da, 0, 3 * u * sizeof(T));
      std::memset(dah, 0, 3 * u * sizeof(T));
    } else {
      back_row(u, s.gates + row * 4 * u, s.before + row * u, s.dh + row * u, da, dah);
    }
  }
}
FOR_EACH_CPU(back, Back)

// Without reset_after, up to the product that gives `dreset`.
template <typename T>
ALWAYS_INLINE void back_open_row(int64_t u, const T* __restrict gates, const T* __restrict before,
                                 const float* __restrict dh, T* __restrict da, T* __restrict dah,
                                 T* __restrict dag) {
  INDEPENDENT
  for (int64_t j = 0; j < u; ++j) {
    const float z = widen(gates[j]), g = widen(gates[2 * u + j]);
    const float dz = dh[j] * (widen(before[j]) - g) * z * (1 - z);
    const float dg = dh[j] * (1 - z) * (1 - g * g);
    narrow(dz, da + j);
    narrow(dz, dah + j);
    narrow(dg, da + 2 * u + j);
    narrow(dg, dag + j);
  }
}

template <typename T>
ALWAYS_INLINE void back_open(const Back<T>& s) {
  const int64_t u = s.u;
  for (int64_t row = 0; row < s.rows; ++row) {
    T *da = s.da + row * 3 * u, *dah = s.dah + row * 2 * u, *dag = s.dag + row * u;
    add_dy(s, row);
    if (s.is_masked(row)) {
      std::memset(da, 0, 3 * u * sizeof(T));
      std::memset(dah, 0, 2 * u * sizeof(T));
      std::memset(dag, 0, u * sizeof(T));
    } else {
      back_open_row(u, s.gates + row * 3 * u, s.before + row * u, s.dh + row * u, da, dah, dag);
    }
  }
}
FOR_EACH_CPU(back_open, Back)

// And after it.
template <typename T>
ALWAYS_INLINE void back_close_row(int64_t u, const T* __restrict gates, const T* __restrict before,
                                  const float* __restrict dreset, float* __restrict dh,
                                  T* __restrict da, T* __restrict dah, T* __restrict reset) {
  INDEPENDENT
  for (int64_t j = 0; j < u; ++j) {
    const float z = widen(gates[j]), r = widen(gates[u + j]), h = widen(before[j]);
    const float dr = dreset[j] * h * r * (1 - r);
    narrow(dr, da + u + j);
    narrow(dr, dah + u + j);
    narrow(r * h, reset + j);
    dh[j] = dh[j] * z + dreset[j] * r;
  }
}

template <typename T>
ALWAYS_INLINE void back_close(const Back<T>& s) {
  const int64_t u = s.u;
  for (int64_t row = 0; row < s.rows; ++row) {
    T* reset = s.reset + row * u;
    if (s.is_masked(row)) {
      std::memset(reset, 0, u * sizeof(T));
    } else {
      back_close_row(u, s.gates + row * 3 * u, s.before + row * u, s.dreset + row * u,
                     s.dh + row * u, s.da + row * 3 * u, s.dah + row * 2 * u, reset);
    }
  }
}
FOR_EACH_CPU(back_close, Back)

// U as a whole with reset_after; else that of z and r, and that of g.
struct Weights {
  Packed w, u, candidate;
};

template <typename T>
void run_forward(const Shape& shape, bool reset_after, const Inputs& in, const Outputs& out,
                 const Weights& weights, const float* bias, int64_t row, int64_t rows) {
  const int64_t t = shape.t, u = shape.u, k = 3 * u;
  const int64_t saved = reset_after ? 4 * u : k;
  InputProducts xw(shape, in, weights.w, row, rows);
  float *ah, *h;
  T *h_narrow, *reset;
  auto divide = [&](Arena arena) {
    xw.take(arena);
    h = arena.take<float>(rows * u);
    h_narrow = arena.take<T>(rows * u);
    ah = arena.take<float>(rows * k);
    reset = arena.take<T>(reset_after ? 0 : rows * u);
    return arena.bytes();
  };
  divide(Arena(onednn::scratch(2, divide(Arena()))));
  widen_all(shape.type, at(in.h0, row * u, shape.type), rows * u, h);
  std::memcpy(h_narrow, at(in.h0, row * u, shape.type), rows * u * sizeof(T));
  if (!reset_after) std::memset(reset, 0, rows * u * sizeof(T));  // masked rows are multiplied too

  const Product recur(rows, weights.u, false);
  const Product candidate = reset_after ? Product() : Product(rows, weights.candidate, false);
  for (int64_t begin = 0; begin < t; begin += xw.steps()) {
    const int64_t end = std::min(begin + xw.steps(), t);
    xw.compute(begin, end - begin);
    for (int64_t number = begin; number < end; ++number) {
      Step<T> each{rows, u,        xw.at(number), ah,      bias,  nullptr, t,
                   h,    h_narrow, reset,         nullptr, t * u, nullptr};
      if (in.mask) each.mask = in.mask + row * t + time_of(shape, number);
      if (out.y) each.y = static_cast<T*>(out.y) + (row * t + number) * u;
      if (out.gates) each.gates = static_cast<T*>(out.gates) + (number * shape.b + row) * saved;
      recur(h_narrow, weights.u.data, ah);
      if (reset_after) {
        step_best<T>()(each);
      } else {
        open_best<T>()(each);
        candidate(reset, weights.candidate.data, ah + rows * 2 * u);
        close_best<T>()(each);
      }
    }
  }
  std::memcpy(at(out.h, row * u, shape.type), h_narrow, rows * u * sizeof(T));
}

// `sums`: (d + u + 2, 3u), the gradients of W, U and the biases from these rows; without
// reset_after that of U is (u, 2u) and, of g, (u, u).
template <typename T>
void run_backward(const Shape& shape, bool reset_after, const Inputs& in, const Gradients& g,
                  const Weights& transposed, float* sums, int64_t row, int64_t rows) {
  const int64_t b = shape.b, t = shape.t, d = shape.d, u = shape.u, k = 3 * u;
  const int64_t saved = reset_after ? 4 * u : k;
  const Type type = shape.type;
  const int64_t chunk = chunk_steps(shape, rows * (2 * k + d + u) * sizeof(T));
  InputGradients of_x(shape, in, transposed.w, {row, rows, 0, chunk});
  float *dh, *dreset;
  T *da, *dah, *dag, *before, *reset;
  auto divide = [&](Arena arena) {
    of_x.take(arena);
    dh = arena.take<float>(rows * u);
    da = arena.take<T>(chunk * rows * k);
    dah = arena.take<T>(chunk * rows * (reset_after ? k : 2 * u));
    dag = arena.take<T>(reset_after ? 0 : chunk * rows * u);
    before = arena.take<T>(chunk * rows * u);
    reset = arena.take<T>(reset_after ? 0 : chunk * rows * u);
    dreset = arena.take<float>(reset_after ? 0 : rows * u);
    return arena.bytes();
  };
  divide(Arena(onednn::scratch(2, divide(Arena()))));
  of_x.begin();
  widen_all(type, at(g.dh, row * u, type), rows * u, dh);
  float *du = sums + d * k, *d_bias = du + u * k;
  std::fill(d_bias, d_bias + 2 * k, 0.0f);

  const int64_t kh = reset_after ? k : 2 * u;  // the columns of dah
  const Product recur(rows, transposed.u, true);
  const Product candidate = reset_after ? Product() : Product(rows, transposed.candidate, false);
  for (int64_t end = t; end > 0;) {
    const int64_t begin = (end - 1) / chunk * chunk, steps = end - begin;
    const Window window{row, rows, begin, steps};
    gather_before(shape, window, in.h0, g.y, before);
    for (int64_t s = steps - 1; s >= 0; --s) {
      const int64_t number = begin + s, at_row = s * rows;
      Back<T> each{rows,
                   u,
                   static_cast<const T*>(g.gates) + (number * b + row) * saved,
                   before + at_row * u,
                   nullptr,
                   t * u,
                   nullptr,
                   t,
                   dh,
                   da + at_row * k,
                   dah + at_row * kh,
                   dag + at_row * u,
                   dreset,
                   reset + at_row * u};
      if (g.dy) each.dy = static_cast<const T*>(g.dy) + (row * t + number) * u;
      if (in.mask) each.mask = in.mask + row * t + time_of(shape, number);
      if (reset_after) {
        back_best<T>()(each);
      } else {
        back_open_best<T>()(each);
        candidate(each.dag, transposed.candidate.data, dreset);
        back_close_best<T>()(each);
      }
      recur(each.dah, transposed.u.data, dh);
      if (!g.d_bias) continue;
      add_rows(type, each.da, rows, k, d_bias);
      if (reset_after) add_rows(type, each.dah, rows, k, d_bias + k);
    }
    const int64_t all = steps * rows;
    const bool add = end != t;
    const Matrix left = Matrix::of(before, all, u).transposed();
    Product(type, left, Matrix::of(dah, all, kh), add)(before, dah, du);
    if (!reset_after) {
      Product(type, left, Matrix::of(dag, all, u), add)(reset, dag, du + u * kh);
    }
    of_x.add(window, da, sums, g.dx);
    end = begin;
  }
  of_x.finish(sums, g.dx);
  narrow_all(type, dh, rows * u, at(g.dh0, row * u, type));
}

// The first `count` columns of a (rows, 3u) matrix from column `begin`.
Matrix columns(const Shape& shape, const void* from, int64_t rows, int64_t begin, int64_t count) {
  return {at(from, begin, shape.type), rows, count, 3 * shape.u, 1};
}

// Chooses the layouts and cuts `arena` for them.
void place(Arena& arena, Weights& weights) {
  weights.w.data = arena.take<char>(weights.w.bytes());
  weights.u.data = arena.take<char>(weights.u.bytes());
  if (weights.candidate.k) weights.candidate.data = arena.take<char>(weights.candidate.bytes());
}

ffi::Error pack(ffi::ThreadPool& pool, const Shape& shape, const Inputs& in, bool transposed,
                int64_t slices, const Weights& weights) {
  const int64_t u = shape.u;
  auto turned = [&](const Matrix& m) { return transposed ? m.transposed() : m; };
  const bool whole = !weights.candidate.k;
  return parallel_for(pool, std::min<int64_t>(2, slices), [&](int64_t slice) {
    if (slice == 0) {
      const void* w = rounded_weights(shape, in.w, shape.d * 3 * u);
      weights.w.pack(turned(columns(shape, w, shape.d, 0, 3 * u)));
    }
    if (slice == 0 && slices > 1) return;
    const void* rounded = rounded_weights(shape, in.u, u * 3 * u);
    weights.u.pack(turned(columns(shape, rounded, u, 0, (whole ? 3 : 2) * u)));
    if (!whole) weights.candidate.pack(turned(columns(shape, rounded, u, 2 * u, u)));
  });
}

}  // namespace

ffi::Error gru_forward(ffi::ThreadPool& pool, const Shape& shape, bool reset_after,
                       const Inputs& in, const Outputs& out) {
  return guarded([&] {
    const Type type = shape.type;
    const int64_t d = shape.d, u = shape.u, k = 3 * u;
    const int64_t slices = batch_slices(pool, shape, k);
    const int64_t rows = divided_up(shape.b, slices);
    Weights weights{Packed::plan(type, rows * std::min<int64_t>(16, shape.t), d, k),
                    Packed::plan(type, rows, u, reset_after ? k : 2 * u),
                    {}};
    if (!reset_after) weights.candidate = Packed::plan(type, rows, u, u);
    float *bias, *given;
    auto divide = [&](Arena arena) {
      place(arena, weights);
      bias = arena.take<float>(4 * u);
      given = arena.take<float>(2 * k);
      return arena.bytes();
    };
    divide(Arena(onednn::scratch(1, divide(Arena()))));
    std::fill(given, given + 2 * k, 0.0f);
    if (in.bias) widen_all(shape.weights, in.bias, reset_after ? 2 * k : k, given);
    for (int64_t i = 0; i < 2 * u; ++i) bias[i] = given[i] + given[k + i];
    std::copy(given + 2 * u, given + k, bias + 2 * u);
    std::copy(given + k + 2 * u, given + 2 * k, bias + 3 * u);
    ffi::Error error = pack(pool, shape, in, false, slices, weights);
    if (error.failure()) return error;
    auto* run = type == Type::kFloat32 ? run_forward<float> : run_forward<BFloat16>;
    return parallel_for(pool, slices, [&](int64_t slice) {
      const int64_t begin = slice_begin(slice, slices, shape.b, 1);
      const int64_t end = slice_begin(slice + 1, slices, shape.b, 1);
      run(shape, reset_after, in, out, weights, bias, begin, end - begin);
    });
  });
}

ffi::Error gru_backward(ffi::ThreadPool& pool, const Shape& shape, bool reset_after,
                        const Inputs& in, const Gradients& g) {
  return guarded([&] {
    const Type type = shape.type;
    const int64_t d = shape.d, u = shape.u, k = 3 * u;
    const int64_t slices = batch_slices(pool, shape, k);
    const int64_t rows = divided_up(shape.b, slices);
    Weights transposed{Packed::plan(type, rows * std::min<int64_t>(16, shape.t), k, d),
                       Packed::plan(type, rows, reset_after ? k : 2 * u, u),
                       {}};
    if (!reset_after) transposed.candidate = Packed::plan(type, rows, u, u);
    const int64_t stride = (d + u + 2) * k;
    float* sums;
    auto divide = [&](Arena arena) {
      place(arena, transposed);
      sums = arena.take<float>(slices * stride);
      return arena.bytes();
    };
    divide(Arena(onednn::scratch(1, divide(Arena()))));
    ffi::Error error = pack(pool, shape, in, true, slices, transposed);
    if (error.failure()) return error;
    auto* run = type == Type::kFloat32 ? run_backward<float> : run_backward<BFloat16>;
    error = parallel_for(pool, slices, [&](int64_t slice) {
      const int64_t begin = slice_begin(slice, slices, shape.b, 1);
      const int64_t end = slice_begin(slice + 1, slices, shape.b, 1);
      run(shape, reset_after, in, g, transposed, sums + slice * stride, begin, end - begin);
    });
    if (error.failure()) return error;
    const float *dw = sums, *du = sums + d * k, *d_bias = du + u * k;
    void* du_candidate = reset_after ? nullptr : at(g.du, 2 * u, shape.weights);
    return sum_slices(pool, shape.weights, slices, stride,
                      {{dw, d, k, g.dw, k},
                       {du, u, reset_after ? k : 2 * u, g.du, k},
                       {du + 2 * u * u, u, u, du_candidate, k},
                       {d_bias, reset_after ? 2 : 1, k, g.d_bias, k}});
  });
}

}  // namespace hornbeam::recurrent

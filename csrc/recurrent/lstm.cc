// a = x @ W + h @ U + bias = (i, f, g, o) before their activations; c' = f c + i g; h' = o
// tanh(c').
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

// One step of some rows.
template <typename T>
struct Step {
  int64_t rows, u;
  const float* const* xw;  // x @ W of each row, (4u,)
  const float *hu, *bias;  // h @ U: (rows, 4u); (4u,)
  const uint8_t* mask;     // of the first row, the others `mask_stride` further; may be null
  int64_t mask_stride;
  float* c;  // (rows, u), renewed
  T* h;      // (rows, u), renewed
  T* y;      // rows `y_stride` apart; may be null
  int64_t y_stride;
  T *gates, *cells;  // (rows, 4u), (rows, u); may be null
};

template <typename T>
ALWAYS_INLINE void step_row(int64_t u, const float* __restrict xw, const float* __restrict hu,
                            const float* __restrict bias, float* __restrict c, T* __restrict h) {
  INDEPENDENT
  for (int64_t j = 0; j < u; ++j) {
    const float i = sigmoid(xw[j] + hu[j] + bias[j]);
    const float f = sigmoid(xw[u + j] + hu[u + j] + bias[u + j]);
    const float g = tanh(xw[2 * u + j] + hu[2 * u + j] + bias[2 * u + j]);
    const float o = sigmoid(xw[3 * u + j] + hu[3 * u + j] + bias[3 * u + j]);
    c[j] = f * c[j] + i * g;
    narrow(o * tanh(c[j]), h + j);
  }
}

template <typename T>
ALWAYS_INLINE void step_row_saving(int64_t u, const float* __restrict xw,
                                   const float* __restrict hu, const float* __restrict bias,
                                   float* __restrict c, T* __restrict h, T* __restrict gates,
                                   T* __restrict cells) {
  INDEPENDENT
  for (int64_t j = 0; j < u; ++j) {
    const float i = sigmoid(xw[j] + hu[j] + bias[j]);
    const float f = sigmoid(xw[u + j] + hu[u + j] + bias[u + j]);
    const float g = tanh(xw[2 * u + j] + hu[2 * u + j] + bias[2 * u + j]);
    const float o = sigmoid(xw[3 * u + j] + hu[3 * u + j] + bias[3 * u + j]);
    c[j] = f * c[j] + i * g;
    narrow(o * tanh(c[j]), h + j);
    narrow(i, gates + j);
    narrow(f, gates + u + j);
    narrow(g, gates + 2 * u + j);
    narrow(o, gates + 3 * u + j);
    narrow(c[j], cells + j);
  }
}

template <typename T>
ALWAYS_INLINE void step(const Step<T>& s) {
  const int64_t u = s.u;
  for (int64_t row = 0; row < s.rows; ++row) {
    const float* hu = s.hu + row * 4 * u;
    float* c = s.c + row * u;
    T* h = s.h + row * u;
    T* gates = s.gates ? s.gates + row * 4 * u : nullptr;
    T* cells = s.cells ? s.cells + row * u : nullptr;
    if (s.mask && !s.mask[row * s.mask_stride]) {
      if (gates) {
        std::memset(gates, 0, 4 * u * sizeof(T));  // not read again
        for (int64_t j = 0; j < u; ++j) narrow(c[j], cells + j);
      }
    } else if (gates) {
      step_row_saving(u, s.xw[row], hu, s.bias, c, h, gates, cells);
    } else {
      step_row(u, s.xw[row], hu, s.bias, c, h);
    }
    if (s.y) std::memcpy(s.y + row * s.y_stride, h, u * sizeof(T));
  }
}
FOR_EACH_CPU(step, Step)

// The gradient of one step of some rows.
template <typename T>
struct Back {
  int64_t rows, u;
  const T *gates, *cells;  // (rows, 4u), (rows, u)
  const T* before;         // c before the step; rows `before_stride` apart
  const T* dy;             // rows `dy_stride` apart; may be null
  int64_t dy_stride;
  const uint8_t* mask;
  int64_t mask_stride;
  // (rows, u); given those after the step, left as those before it, less the part of dh that comes
  // through a.
  float *dh, *dc;
  T* da;  // (rows, 4u)
};

template <typename T>
ALWAYS_INLINE void back_row(int64_t u, const T* __restrict gates, const T* __restrict cells,
                            const T* __restrict before, float* __restrict dh, float* __restrict dc,
                            T* __restrict da) {
  INDEPENDENT
  for (int64_t j = 0; j < u; ++j) {
    const float i = widen(gates[j]), f = widen(gates[u + j]);
    const float g = widen(gates[2 * u + j]), o = widen(gates[3 * u + j]);
    const float c = tanh(widen(cells[j]));
    const float d = dc[j] + dh[j] * o * (1 - c * c);
    narrow(d * g * i * (1 - i), da + j);
    narrow(d * widen(before[j]) * f * (1 - f), da + u + j);
    narrow(d * i * (1 - g * g), da + 2 * u + j);
    narrow(dh[j] * c * o * (1 - o), da + 3 * u + j);
    dc[j] = d * f;
    dh[j] = 0;
  }
}

template <typename T>
ALWAYS_INLINE void back(const Back<T>& s) {
  const int64_t u = s.u;
  for (int64_t row = 0; row < s.rows; ++row) {
    float* dh = s.dh + row * u;
    T* da = s.da + row * 4 * u;
    if (s.dy) {
      const T* dy = s.dy + row * s.dy_stride;
      INDEPENDENT
      for (int64_t j = 0; j < u; ++j) dh[j] += widen(dy[j]);
    }
    if (s.mask && !s.mask[row * s.mask_stride]) {
      std::memset(da, 0, 4 * u * sizeof(T));
    } else {
      back_row(u, s.gates + row * 4 * u, s.cells + row * u, s.before + row * u, dh, s.dc + row * u,
               da);
    }
  }
}
FOR_EACH_CPU(back, Back)

template <typename T>
void run_forward(const Shape& shape, const Inputs& in, const Outputs& out, const Packed& w,
                 const Packed& u_packed, const float* bias, int64_t row, int64_t rows) {
  const int64_t t = shape.t, u = shape.u;
  InputProducts xw(shape, in, w, row, rows);
  float *hu, *c;
  T* h;
  auto divide = [&](Arena arena) {
    xw.take(arena);
    hu = arena.take<float>(rows * 4 * u);
    c = arena.take<float>(rows * u);
    h = arena.take<T>(rows * u);
    return arena.bytes();
  };
  divide(Arena(onednn::scratch(2, divide(Arena()))));
  widen_all(shape.type, at(in.c0, row * u, shape.type), rows * u, c);
  std::memcpy(h, at(in.h0, row * u, shape.type), rows * u * sizeof(T));

  const Product recur(rows, u_packed, false);
  for (int64_t begin = 0; begin < t; begin += xw.steps()) {
    const int64_t end = std::min(begin + xw.steps(), t);
    xw.compute(begin, end - begin);
    for (int64_t number = begin; number < end; ++number) {
      recur(h, u_packed.data, hu);
      Step<T> each{rows, u, xw.at(number), hu,    bias,    nullptr, t,
                   c,    h, nullptr,       t * u, nullptr, nullptr};
      if (in.mask) each.mask = in.mask + row * t + time_of(shape, number);
      if (out.y) each.y = static_cast<T*>(out.y) + (row * t + number) * u;
      if (out.gates) {
        each.gates = static_cast<T*>(out.gates) + (number * shape.b + row) * 4 * u;
        each.cells = static_cast<T*>(out.cells) + (number * shape.b + row) * u;
      }
      step_best<T>()(each);
    }
  }
  std::memcpy(at(out.h, row * u, shape.type), h, rows * u * sizeof(T));
  narrow_all(shape.type, c, rows * u, at(out.c, row * u, shape.type));
}

// `sums`: (d + u + 1, 4u), the gradients of W, U and the bias from these rows.
template <typename T>
void run_backward(const Shape& shape, const Inputs& in, const Gradients& g, const Packed& w_t,
                  const Packed& u_t, float* sums, int64_t row, int64_t rows) {
  const int64_t b = shape.b, t = shape.t, d = shape.d, u = shape.u, k = 4 * u;
  const Type type = shape.type;
  const int64_t chunk = chunk_steps(shape, rows * (k + d + u) * sizeof(T));
  InputGradients of_x(shape, in, w_t, {row, rows, 0, chunk});
  float *dh, *dc;
  T *da, *before;
  auto divide = [&](Arena arena) {
    of_x.take(arena);
    dh = arena.take<float>(rows * u);
    dc = arena.take<float>(rows * u);
    da = arena.take<T>(chunk * rows * k);
    before = arena.take<T>(chunk * rows * u);
    return arena.bytes();
  };
  divide(Arena(onednn::scratch(2, divide(Arena()))));
  of_x.begin();
  widen_all(type, at(g.dh, row * u, type), rows * u, dh);
  widen_all(type, at(g.dc, row * u, type), rows * u, dc);
  float* d_bias = sums + (d + u) * k;
  std::fill(d_bias, d_bias + k, 0.0f);

  const Product recur(rows, u_t, true);
  for (int64_t end = t; end > 0;) {
    const int64_t begin = (end - 1) / chunk * chunk, steps = end - begin;
    for (int64_t s = steps - 1; s >= 0; --s) {
      const int64_t number = begin + s;
      T* now = da + s * rows * k;
      const T* cells = static_cast<const T*>(g.cells);
      const T* last =
          number ? cells + ((number - 1) * b + row) * u : static_cast<const T*>(in.c0) + row * u;
      Back<T> each{rows,
                   u,
                   static_cast<const T*>(g.gates) + (number * b + row) * k,
                   cells + (number * b + row) * u,
                   last,
                   nullptr,
                   t * u,
                   nullptr,
                   t,
                   dh,
                   dc,
                   now};
      if (g.dy) each.dy = static_cast<const T*>(g.dy) + (row * t + number) * u;
      if (in.mask) each.mask = in.mask + row * t + time_of(shape, number);
      back_best<T>()(each);
      recur(now, u_t.data, dh);
      if (g.d_bias) add_rows(type, now, rows, k, d_bias);
    }
    const Window window{row, rows, begin, steps};
    const int64_t all = steps * rows;
    gather_before(shape, window, in.h0, g.y, before);
    const Matrix left = Matrix::of(before, all, u).transposed();
    Product(type, left, Matrix::of(da, all, k), end != t)(before, da, sums + d * k);
    of_x.add(window, da, sums, g.dx);
    end = begin;
  }
  of_x.finish(sums, g.dx);
  narrow_all(type, dh, rows * u, at(g.dh0, row * u, type));
  narrow_all(type, dc, rows * u, at(g.dc0, row * u, type));
}

}  // namespace

ffi::Error lstm_forward(ffi::ThreadPool& pool, const Shape& shape, const Inputs& in,
                        const Outputs& out) {
  return guarded([&] {
    const int64_t d = shape.d, u = shape.u, k = 4 * u;
    const int64_t slices = batch_slices(pool, shape, k);
    const int64_t rows = divided_up(shape.b, slices);
    Packed w = Packed::plan(shape.type, rows * std::min<int64_t>(16, shape.t), d, k);
    Packed u_packed = Packed::plan(shape.type, rows, u, k);
    float* bias;
    auto divide = [&](Arena arena) {
      w.data = arena.take<char>(w.bytes());
      u_packed.data = arena.take<char>(u_packed.bytes());
      bias = arena.take<float>(k);
      return arena.bytes();
    };
    divide(Arena(onednn::scratch(1, divide(Arena()))));
    std::fill(bias, bias + k, 0.0f);
    if (in.bias) widen_all(shape.weights, in.bias, k, bias);
    ffi::Error error = parallel_for(pool, std::min<int64_t>(2, slices), [&](int64_t slice) {
      if (slice == 0) w.pack(Matrix::of(rounded_weights(shape, in.w, d * k), d, k));
      if (slice == 0 && slices > 1) return;
      u_packed.pack(Matrix::of(rounded_weights(shape, in.u, u * k), u, k));
    });
    if (error.failure()) return error;
    auto* run = shape.type == Type::kFloat32 ? run_forward<float> : run_forward<BFloat16>;
    return parallel_for(pool, slices, [&](int64_t slice) {
      const int64_t begin = slice_begin(slice, slices, shape.b, 1);
      const int64_t end = slice_begin(slice + 1, slices, shape.b, 1);
      run(shape, in, out, w, u_packed, bias, begin, end - begin);
    });
  });
}

ffi::Error lstm_backward(ffi::ThreadPool& pool, const Shape& shape, const Inputs& in,
                         const Gradients& g) {
  return guarded([&] {
    const int64_t d = shape.d, u = shape.u, k = 4 * u;
    const int64_t slices = batch_slices(pool, shape, k);
    const int64_t rows = divided_up(shape.b, slices);
    Packed w_t = Packed::plan(shape.type, rows * std::min<int64_t>(16, shape.t), k, d);
    Packed u_t = Packed::plan(shape.type, rows, k, u);
    const int64_t stride = (d + u + 1) * k;
    float* sums;
    auto divide = [&](Arena arena) {
      w_t.data = arena.take<char>(w_t.bytes());
      u_t.data = arena.take<char>(u_t.bytes());
      sums = arena.take<float>(slices * stride);
      return arena.bytes();
    };
    divide(Arena(onednn::scratch(1, divide(Arena()))));
    ffi::Error error = parallel_for(pool, std::min<int64_t>(2, slices), [&](int64_t slice) {
      if (slice == 0) {
        w_t.pack(Matrix::of(rounded_weights(shape, in.w, d * k), d, k).transposed());
      }
      if (slice == 0 && slices > 1) return;
      u_t.pack(Matrix::of(rounded_weights(shape, in.u, u * k), u, k).transposed());
    });
    if (error.failure()) return error;
    auto* run = shape.type == Type::kFloat32 ? run_backward<float> : run_backward<BFloat16>;
    error = parallel_for(pool, slices, [&](int64_t slice) {
      const int64_t begin = slice_begin(slice, slices, shape.b, 1);
      const int64_t end = slice_begin(slice + 1, slices, shape.b, 1);
      run(shape, in, g, w_t, u_t, sums + slice * stride, begin, end - begin);
    });
    if (error.failure()) return error;
    return sum_slices(pool, shape.weights, slices, stride,
                      {{sums, d, k, g.dw, k},
                       {sums + d * k, u, k, g.du, k},
                       {sums + (d + u) * k, 1, k, g.d_bias, k}});
  });
}

}  // namespace hornbeam::recurrent

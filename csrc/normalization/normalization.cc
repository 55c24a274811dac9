#include "normalization/normalization.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/parallel.h"
#include "core/vector.h"

namespace hornbeam::normalization {
namespace {

namespace ffi = xla::ffi;

#define INLINED __attribute__((always_inline))  // of a lambda: into a loop for another processor

// Rows are summed in blocks of so many bytes, which stay in the nearest caches for a second look.
constexpr int64_t kBlockBytes = 64 << 10;

// What an element costs, as arithmetic that takes as long.
constexpr int64_t kOperationsPerElement = 16;

// What is summed over rows.
enum class Sum { kPlain, kCentred, kProducts };  // x; (x - mean)^2; dz and (x - mean) * dz

// Gradients of an output: dz = dy + more, where y is above 0. `more` and y may be null.
template <typename T>
struct Slopes {
  const T *dy, *more = nullptr, *y = nullptr;
};

template <typename T>
ALWAYS_INLINE Vector slope_at(const Slopes<T>& of, int64_t at) {
  Vector dz = load(of.dy + at);
  if (of.more) dz += load(of.more + at);
  if (of.y) dz = load(of.y + at) > Vector{} ? dz : Vector{};
  return dz;
}

template <typename T>
struct Columns {
  int64_t rows, c;
  const T* x;
  const float* mean;       // null stands for 0
  float *a, *b = nullptr;  // sums (c,), set; b of kProducts
  Slopes<T> slopes = {};
  T* dz = nullptr;  // set, unless null

  Columns block(int64_t row, int64_t count) const {
    const auto at = [&](auto* array) { return array ? array + row * c : array; };
    return {count, c, at(x), mean, a, b, {at(slopes.dy), at(slopes.more), at(slopes.y)}, at(dz)};
  }
};

// Sixteen channels. Four rows at a time, for additions to overlap.
template <Sum kind, typename T>
ALWAYS_INLINE void sum_columns(const Columns<T> of, int64_t at) {
  Vector a[4] = {}, b[4] = {};
  const Vector mean = of.mean ? load(of.mean + at) : Vector{};
  const auto add = [&](int64_t row, int k) INLINED {
    const Vector x = load(of.x + row * of.c + at);
    if constexpr (kind == Sum::kPlain) a[k] += x;
    if constexpr (kind == Sum::kCentred) a[k] += (x - mean) * (x - mean);
    if constexpr (kind == Sum::kProducts) {
      const Vector dz = slope_at(of.slopes, row * of.c + at);
      if (of.dz) store(dz, of.dz + row * of.c + at);
      a[k] += dz;
      b[k] += (x - mean) * dz;
    }
  };
  int64_t row = 0;
  for (; row + 4 <= of.rows; row += 4) {
    add(row, 0);
    add(row + 1, 1);
    add(row + 2, 2);
    add(row + 3, 3);
  }
  for (; row < of.rows; ++row) add(row, 0);
  store((a[0] + a[1]) + (a[2] + a[3]), of.a + at);
  if constexpr (kind == Sum::kProducts) store((b[0] + b[1]) + (b[2] + b[3]), of.b + at);
}

template <Sum kind, typename T>
ALWAYS_INLINE void sum_rows(const Columns<T>& of) {
  // The last channels are taken with some that were summed before, to the same result.
  for (int64_t at = 0; at < of.c; at += kLanes) sum_columns<kind>(of, std::min(at, of.c - kLanes));
}

template <Sum kind, typename T>
TARGET_AVX512 void sum_rows_avx512(const Columns<T>& of) {
  sum_rows<kind>(of);
}
template <Sum kind, typename T>
TARGET_AVX2 void sum_rows_avx2(const Columns<T>& of) {
  sum_rows<kind>(of);
}
template <Sum kind, typename T>
void sum_rows_base(const Columns<T>& of) {
  sum_rows<kind>(of);
}

template <Sum kind, typename T>
auto* sum_rows_here() {
  return pick(sum_rows_avx512<kind, T>, sum_rows_avx2<kind, T>, sum_rows_base<kind, T>);
}

int64_t slices_of(const ffi::ThreadPool& pool, const Shape& shape) {
  return slice_count(pool, shape.n * shape.c * kOperationsPerElement);
}

// fn(row, count) for the rows of a slice, block by block.
template <typename Fn>
void for_blocks(const Shape& shape, int64_t slice, int64_t slices, const Fn& fn) {
  const int64_t row_bytes = std::max<int64_t>(1, shape.c * size_of(shape.type));
  const int64_t step = std::max<int64_t>(4, kBlockBytes / row_bytes);
  const int64_t end = slice_begin(slice + 1, slices, shape.n, 1);
  for (int64_t row = slice_begin(slice, slices, shape.n, 1); row < end; row += step) {
    fn(row, std::min(step, end - row));
  }
}

// Means and sums of squared distances from them, over `count` rows.
struct Moments {
  explicit Moments(int64_t c) : mean(c), square(c) {}

  // As if the rows of both were one (Chan, Golub and LeVeque 1979).
  void add(const float* other_mean, const float* other_square, int64_t other_count) {
    const int64_t total = count + other_count;
    if (other_count == 0) return;
    const float share = static_cast<float>(other_count) / total, weight = share * count;
    for (size_t i = 0; i < mean.size(); ++i) {
      const float delta = other_mean[i] - mean[i];
      mean[i] += delta * share;
      square[i] += other_square[i] + delta * delta * weight;
    }
    count = total;
  }

  std::vector<float> mean, square;
  int64_t count = 0;
};

template <typename T>
ffi::Error moments_of(ffi::ThreadPool& pool, const Shape& shape, const T* x, float* mean,
                      float* variance) {
  const int64_t n = shape.n, c = shape.c;
  const int64_t slices = slices_of(pool, shape);
  std::vector<Moments> parts(slices, Moments(c));
  auto *sum = sum_rows_here<Sum::kPlain, T>(), *squares = sum_rows_here<Sum::kCentred, T>();
  ffi::Error error = parallel_for(pool, slices, [&](int64_t slice) {
    std::vector<float> block_mean(c), block_square(c);
    for_blocks(shape, slice, slices, [&](int64_t row, int64_t rows) {
      Columns<T> block = {rows, c, x + row * c, nullptr, block_mean.data()};
      sum(block);
      for (float& each : block_mean) each /= rows;
      block.mean = block_mean.data();
      block.a = block_square.data();
      squares(block);
      parts[slice].add(block_mean.data(), block_square.data(), rows);
    });
  });
  if (error.failure()) return error;
  Moments all(c);
  for (const Moments& part : parts) all.add(part.mean.data(), part.square.data(), part.count);
  for (int64_t i = 0; i < c; ++i) {
    mean[i] = n ? all.mean[i] : NAN;
    variance[i] = all.square[i] / n;
  }
  return error;
}

// The sums of kProducts over all rows, into of.a and of.b.
template <typename T>
ffi::Error products_of(ffi::ThreadPool& pool, const Shape& shape, const Columns<T>& of) {
  const int64_t c = shape.c, slices = slices_of(pool, shape);
  std::vector<float> parts(slices * 2 * c);
  auto* sum = sum_rows_here<Sum::kProducts, T>();
  ffi::Error error = parallel_for(pool, slices, [&](int64_t slice) {
    std::vector<float> sums(2 * c);
    float* part = parts.data() + slice * 2 * c;
    for_blocks(shape, slice, slices, [&](int64_t row, int64_t rows) {
      Columns<T> block = of.block(row, rows);
      block.a = sums.data();
      block.b = sums.data() + c;
      sum(block);
      for (int64_t i = 0; i < 2 * c; ++i) part[i] += sums[i];
    });
  });
  for (int64_t i = 0; i < c; ++i) {
    of.a[i] = of.b[i] = 0;
    for (int64_t slice = 0; slice < slices; ++slice) {
      of.a[i] += parts[slice * 2 * c + i];
      of.b[i] += parts[(slice * 2 + 1) * c + i];
    }
  }
  return error;
}

template <typename T>
ffi::Error plain_products_of(ffi::ThreadPool& pool, const Shape& shape, const void* x,
                             const void* dy, float* sums, float* products) {
  Columns<T> of = {shape.n, shape.c, static_cast<const T*>(x), nullptr, sums, products};
  of.slopes.dy = static_cast<const T*>(dy);
  return products_of(pool, shape, of);
}

// fn(at, old) for every sixteen channels. The last ones may overlap those before in `old` lanes,
// which may be stored once more but not be summed again.
template <typename Fn>
ALWAYS_INLINE void by_lanes(int64_t c, const Fn& fn) {
  int64_t at = 0;
  for (; at + kLanes <= c; at += kLanes) fn(at, 0);
  if (at < c) fn(c - kLanes, at + kLanes - c);
}

// Batch normalisation, where the sums are known: elementwise, by coefficients of the channels.
template <typename T>
struct Scaled {
  int64_t c;
  const T *x, *other;  // other may be null
  Slopes<T> slopes;
  const float *mean, *factor, *shift, *slope;
  bool relu;
  T* out;
};

// Sixteen channels of rows [begin, end): out = (x - mean) * factor + shift + other
template <typename T>
ALWAYS_INLINE void scale_columns(const Scaled<T> of, int64_t at, int64_t begin, int64_t end) {
  const Vector mean = load(of.mean + at), factor = load(of.factor + at),
               shift = load(of.shift + at);
  for (int64_t place = begin * of.c + at; place < end * of.c; place += of.c) {
    Vector v = (load(of.x + place) - mean) * factor + shift;
    if (of.other) v += load(of.other + place);
    if (of.relu) v = v < Vector{} ? Vector{} : v;
    store(v, of.out + place);
  }
}

// out = (dz - shift - (x - mean) * slope) * factor
template <typename T>
ALWAYS_INLINE void scale_gradient_columns(const Scaled<T> of, int64_t at, int64_t begin,
                                          int64_t end) {
  const Vector mean = load(of.mean + at), factor = load(of.factor + at);
  const Vector shift = load(of.shift + at), slope = load(of.slope + at);
  for (int64_t place = begin * of.c + at; place < end * of.c; place += of.c) {
    const Vector rest = slope_at(of.slopes, place) - shift - (load(of.x + place) - mean) * slope;
    store(rest * factor, of.out + place);
  }
}

template <bool backward, typename T>
ALWAYS_INLINE void scaled_body(const Scaled<T>& of, int64_t begin, int64_t end) {
  by_lanes(of.c, [&](int64_t at, int64_t) INLINED {
    backward ? scale_gradient_columns(of, at, begin, end) : scale_columns(of, at, begin, end);
  });
}
template <bool backward, typename T>
TARGET_AVX512 void scaled_avx512(const Scaled<T>& of, int64_t begin, int64_t end) {
  scaled_body<backward>(of, begin, end);
}
template <bool backward, typename T>
TARGET_AVX2 void scaled_avx2(const Scaled<T>& of, int64_t begin, int64_t end) {
  scaled_body<backward>(of, begin, end);
}
template <bool backward, typename T>
void scaled_base(const Scaled<T>& of, int64_t begin, int64_t end) {
  scaled_body<backward>(of, begin, end);
}

template <bool backward, typename T>
ffi::Error scale(ffi::ThreadPool& pool, const Shape& shape, const Scaled<T>& of) {
  const int64_t slices = slices_of(pool, shape);
  auto* run = pick(scaled_avx512<backward, T>, scaled_avx2<backward, T>, scaled_base<backward, T>);
  return parallel_for(pool, slices, [&](int64_t slice) {
    for_blocks(shape, slice, slices, [&](int64_t row, int64_t rows) { run(of, row, row + rows); });
  });
}

float one_over_deviation(const Batch& batch, int64_t i) {
  return 1 / std::sqrt(batch.variance[i] + batch.epsilon);
}

template <typename T>
ffi::Error batch_forward_of(ffi::ThreadPool& pool, const Shape& shape, const void* x,
                            const Batch& batch, const void* other, bool relu, void* y) {
  std::vector<float> factor(shape.c);
  for (int64_t i = 0; i < shape.c; ++i) factor[i] = one_over_deviation(batch, i) * batch.gamma[i];
  Scaled<T> of = {};
  of.c = shape.c;
  of.x = static_cast<const T*>(x);
  of.other = static_cast<const T*>(other);
  of.mean = batch.mean;
  of.factor = factor.data();
  of.shift = batch.beta;
  of.relu = relu;
  of.out = static_cast<T*>(y);
  return scale<false>(pool, shape, of);
}

// With r = 1 / sqrt(variance + epsilon) and means over the rows,
// dx = (dz - mean(dz) - (x - mean) * r^2 * mean(dz * (x - mean))) * r * gamma
template <typename T>
ffi::Error batch_backward_of(ffi::ThreadPool& pool, const Shape& shape, const void* x,
                             const void* dy, const void* more, const Batch& batch, const void* y,
                             void* dx, void* dz, float* d_gamma, float* d_beta) {
  const int64_t n = shape.n, c = shape.c;
  Columns<T> sums = {n, c, static_cast<const T*>(x), batch.mean, d_beta, d_gamma};
  sums.slopes = {static_cast<const T*>(dy), static_cast<const T*>(more), static_cast<const T*>(y)};
  sums.dz = static_cast<T*>(dz);
  ffi::Error error = products_of(pool, shape, sums);
  if (error.failure()) return error;
  std::vector<float> factor(c), shift(c), slope(c);
  for (int64_t i = 0; i < c; ++i) {
    const float r = one_over_deviation(batch, i);
    d_gamma[i] *= r;
    factor[i] = r * batch.gamma[i];
    shift[i] = d_beta[i] / n;
    slope[i] = d_gamma[i] * r / n;
  }
  Scaled<T> of = {};
  of.c = c;
  of.x = sums.x;
  of.slopes = dz ? Slopes<T>{sums.dz} : sums.slopes;
  of.mean = batch.mean;
  of.factor = factor.data();
  of.shift = shift.data();
  of.slope = slope.data();
  of.out = static_cast<T*>(dx);
  return scale<true>(pool, shape, of);
}

// Layer normalisation

template <typename T>
struct Rows {
  int64_t begin, end, c;
  const T *x, *dy;
  const float *gamma, *beta;
  float epsilon;
  T* y;  // or dx
  float *mean, *factor;
  float *d_gamma, *d_beta;  // added to
};

template <typename T>
ALWAYS_INLINE void normalize_rows(const Rows<T>& of) {
  const int64_t c = of.c;
  for (int64_t row = of.begin; row < of.end; ++row) {
    const T* x = of.x + row * c;
    T* y = of.y + row * c;
    Vector total = {}, squares = {};
    by_lanes(c, [&](int64_t at, int64_t old) INLINED { total += from(load(x + at), old); });
    const float mean = sum(total) / c;
    by_lanes(c, [&](int64_t at, int64_t old) INLINED {
      const Vector centred = from(load(x + at) - mean, old);
      squares += centred * centred;
    });
    const float factor = 1 / std::sqrt(sum(squares) / c + of.epsilon);
    by_lanes(c, [&](int64_t at, int64_t) INLINED {
      const Vector scale = load(of.gamma + at) * factor;
      store((load(x + at) - mean) * scale + load(of.beta + at), y + at);
    });
    of.mean[row] = mean;
    of.factor[row] = factor;
  }
}

template <typename T>
ALWAYS_INLINE void row_gradients(const Rows<T>& of) {
  const int64_t c = of.c;
  for (int64_t row = of.begin; row < of.end; ++row) {
    const T *x = of.x + row * c, *dy = of.dy + row * c;
    T* dx = of.y + row * c;
    const float mean = of.mean[row], factor = of.factor[row];
    Vector sums = {}, products = {};
    by_lanes(c, [&](int64_t at, int64_t old) INLINED {
      const Vector normal = (load(x + at) - mean) * factor;
      const Vector g = from(load(dy + at), old), slope = from(g * normal, old);
      store(load(of.d_beta + at) + g, of.d_beta + at);
      store(load(of.d_gamma + at) + slope, of.d_gamma + at);
      sums += g * load(of.gamma + at);
      products += slope * load(of.gamma + at);
    });
    const float shift = sum(sums) / c, slope = sum(products) / c;
    by_lanes(c, [&](int64_t at, int64_t) INLINED {
      const Vector normal = (load(x + at) - mean) * factor;
      const Vector g = load(dy + at) * load(of.gamma + at);
      store((g - shift - normal * slope) * factor, dx + at);
    });
  }
}

template <bool backward, typename T>
ALWAYS_INLINE void rows_body(const Rows<T>& of) {
  backward ? row_gradients(of) : normalize_rows(of);
}
template <bool backward, typename T>
TARGET_AVX512 void rows_avx512(const Rows<T>& of) {
  rows_body<backward>(of);
}
template <bool backward, typename T>
TARGET_AVX2 void rows_avx2(const Rows<T>& of) {
  rows_body<backward>(of);
}
template <bool backward, typename T>
void rows_base(const Rows<T>& of) {
  rows_body<backward>(of);
}

template <bool backward, typename T>
ffi::Error each_row(ffi::ThreadPool& pool, const Shape& shape, Rows<T> of) {
  const int64_t n = shape.n, c = shape.c;
  const int64_t slices = slice_count(pool, n * c * kOperationsPerElement * 2);
  std::vector<float> parts(backward ? slices * 2 * c : 0);
  auto* run = pick(rows_avx512<backward, T>, rows_avx2<backward, T>, rows_base<backward, T>);
  ffi::Error error = parallel_for(pool, slices, [&](int64_t slice) {
    Rows<T> mine = of;
    mine.begin = slice_begin(slice, slices, n, 1);
    mine.end = slice_begin(slice + 1, slices, n, 1);
    if (backward) {
      mine.d_gamma = parts.data() + slice * 2 * c;
      mine.d_beta = mine.d_gamma + c;
    }
    run(mine);
  });
  for (int64_t i = 0; backward && i < c; ++i) {
    of.d_gamma[i] = of.d_beta[i] = 0;
    for (int64_t slice = 0; slice < slices; ++slice) {
      of.d_gamma[i] += parts[slice * 2 * c + i];
      of.d_beta[i] += parts[(slice * 2 + 1) * c + i];
    }
  }
  return error;
}

template <typename T>
ffi::Error layer_forward_of(ffi::ThreadPool& pool, const Shape& shape, const void* x,
                            const float* gamma, const float* beta, float epsilon, void* y,
                            float* mean, float* factor) {
  Rows<T> of = {};
  of.c = shape.c;
  of.x = static_cast<const T*>(x);
  of.gamma = gamma;
  of.beta = beta;
  of.epsilon = epsilon;
  of.y = static_cast<T*>(y);
  of.mean = mean;
  of.factor = factor;
  return each_row<false>(pool, shape, of);
}

template <typename T>
ffi::Error layer_backward_of(ffi::ThreadPool& pool, const Shape& shape, const void* x,
                             const void* dy, const float* gamma, const float* mean,
                             const float* factor, void* dx, float* d_gamma, float* d_beta) {
  Rows<T> of = {};
  of.c = shape.c;
  of.x = static_cast<const T*>(x);
  of.dy = static_cast<const T*>(dy);
  of.gamma = gamma;
  of.y = static_cast<T*>(dx);
  of.mean = const_cast<float*>(mean);
  of.factor = const_cast<float*>(factor);
  of.d_gamma = d_gamma;
  of.d_beta = d_beta;
  return each_row<true>(pool, shape, of);
}

}  // namespace

ffi::Error moments(ffi::ThreadPool& pool, const Shape& shape, const void* x, float* mean,
                   float* variance) {
  return guarded([&] {
    return shape.type == Type::kFloat32
               ? moments_of(pool, shape, static_cast<const float*>(x), mean, variance)
               : moments_of(pool, shape, static_cast<const BFloat16*>(x), mean, variance);
  });
}

ffi::Error products(ffi::ThreadPool& pool, const Shape& shape, const void* x, const void* dy,
                    float* sums, float* products) {
  return guarded([&] {
    auto* run =
        shape.type == Type::kFloat32 ? plain_products_of<float> : plain_products_of<BFloat16>;
    return run(pool, shape, x, dy, sums, products);
  });
}

ffi::Error batch_forward(ffi::ThreadPool& pool, const Shape& shape, const void* x,
                         const Batch& batch, const void* other, bool relu, void* y) {
  return guarded([&] {
    auto* run = shape.type == Type::kFloat32 ? batch_forward_of<float> : batch_forward_of<BFloat16>;
    return run(pool, shape, x, batch, other, relu, y);
  });
}

ffi::Error batch_backward(ffi::ThreadPool& pool, const Shape& shape, const void* x, const void* dy,
                          const void* more, const Batch& batch, const void* y, void* dx, void* dz,
                          float* d_gamma, float* d_beta) {
  return guarded([&] {
    auto* run =
        shape.type == Type::kFloat32 ? batch_backward_of<float> : batch_backward_of<BFloat16>;
    return run(pool, shape, x, dy, more, batch, y, dx, dz, d_gamma, d_beta);
  });
}

ffi::Error layer_forward(ffi::ThreadPool& pool, const Shape& shape, const void* x,
                         const float* gamma, const float* beta, float epsilon, void* y, float* mean,
                         float* factor) {
  return guarded([&] {
    auto* run = shape.type == Type::kFloat32 ? layer_forward_of<float> : layer_forward_of<BFloat16>;
    return run(pool, shape, x, gamma, beta, epsilon, y, mean, factor);
  });
}

ffi::Error layer_backward(ffi::ThreadPool& pool, const Shape& shape, const void* x, const void* dy,
                          const float* gamma, const float* mean, const float* factor, void* dx,
                          float* d_gamma, float* d_beta) {
  return guarded([&] {
    auto* run =
        shape.type == Type::kFloat32 ? layer_backward_of<float> : layer_backward_of<BFloat16>;
    return run(pool, shape, x, dy, gamma, mean, factor, dx, d_gamma, d_beta);
  });
}

}  // namespace hornbeam::normalization

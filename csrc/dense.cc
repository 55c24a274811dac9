#include "dense.h"

#include <vector>

#include "core/bfloat16.h"
#include "core/cpu.h"
#include "core/onednn.h"
#include "core/parallel.h"

namespace hornbeam::dense {
namespace {

namespace ffi = xla::ffi;

// dz = dy where y > 0, else 0; sums += dz over the rows. Each of y, dz and sums may be null.
template <typename T>
struct Rows {
  int64_t rows, columns;
  const T *dy, *y;
  T* dz;
  float* sums;
};

template <typename T>
ALWAYS_INLINE void mask_and_sum(const Rows<T>& r) {
  for (int64_t row = 0; row < r.rows; ++row) {
    const int64_t at = row * r.columns;
    const T* dz = r.dy + at;
    if (r.y) {
      for (int64_t i = 0; i < r.columns; ++i) {
        r.dz[at + i] = widen(r.y[at + i]) > 0 ? r.dy[at + i] : T{};
      }
      dz = r.dz + at;
    }
    if (r.sums) {
      for (int64_t i = 0; i < r.columns; ++i) r.sums[i] += widen(dz[i]);
    }
  }
}

template <typename T>
TARGET_AVX512 void mask_and_sum_avx512(const Rows<T>& rows) {
  mask_and_sum(rows);
}
template <typename T>
TARGET_AVX2 void mask_and_sum_avx2(const Rows<T>& rows) {
  mask_and_sum(rows);
}
template <typename T>
void mask_and_sum_base(const Rows<T>& rows) {
  mask_and_sum(rows);
}

// dz for all rows, and their sum into `d_bias`. What is not wanted is null.
template <typename T>
ffi::Error prepare(ffi::ThreadPool& pool, const Shape& shape, const void* dy, const void* y,
                   void* dz, void* d_bias) {
  const int64_t b = shape.b, u = shape.u;
  const int64_t slices = slice_count(pool, 4 * b * u);
  std::vector<float> sums(d_bias ? slices * u : 0);
  auto* run = pick(mask_and_sum_avx512<T>, mask_and_sum_avx2<T>, mask_and_sum_base<T>);
  ffi::Error error = parallel_for(pool, slices, [&](int64_t slice) {
    const int64_t begin = slice_begin(slice, slices, b, 1);
    const int64_t end = slice_begin(slice + 1, slices, b, 1);
    const int64_t at = begin * u;
    run({end - begin, u, static_cast<const T*>(dy) + at,
         y ? static_cast<const T*>(y) + at : nullptr, dz ? static_cast<T*>(dz) + at : nullptr,
         d_bias ? sums.data() + slice * u : nullptr});
  });
  if (error.failure() || !d_bias) return error;
  for (int64_t i = 0; i < u; ++i) {
    float sum = 0;
    for (int64_t slice = 0; slice < slices; ++slice) sum += sums[slice * u + i];
    narrow(sum, static_cast<T*>(d_bias) + i);
  }
  return error;
}

// As `prepare`, for either type; where `y` is null, dz is dy itself.
ffi::Error masked(ffi::ThreadPool& pool, const Shape& shape, const void* dy, const void* y,
                  void* d_bias, const void** dz) {
  *dz = dy;
  void* buffer = nullptr;
  if (y) *dz = buffer = onednn::scratch(1, shape.b * shape.u * size_of(shape.type));
  if (!y && !d_bias) return ffi::Error::Success();
  return shape.type == Type::kFloat32 ? prepare<float>(pool, shape, dy, y, buffer, d_bias)
                                      : prepare<BFloat16>(pool, shape, dy, y, buffer, d_bias);
}

Matrix kernel_matrix(const Shape& shape, const void* kernel) {
  return shape.transposed ? Matrix::of(kernel, shape.u, shape.d).transposed()
                          : Matrix::of(kernel, shape.d, shape.u);
}

}  // namespace

ffi::Error forward(ffi::ThreadPool& pool, const Shape& shape, const void* x, const void* kernel,
                   const void* bias, bool relu, void* y) {
  return matmul(pool, shape.type, Matrix::of(x, shape.b, shape.d), kernel_matrix(shape, kernel),
                bias, relu, y);
}

ffi::Error input_gradient(ffi::ThreadPool& pool, const Shape& shape, const void* dy,
                          const void* kernel, const void* y, void* dx) {
  return guarded([&] {
    const void* dz;
    ffi::Error error = masked(pool, shape, dy, y, nullptr, &dz);
    if (error.failure()) return error;
    return matmul(pool, shape.type, Matrix::of(dz, shape.b, shape.u),
                  kernel_matrix(shape, kernel).transposed(), nullptr, false, dx);
  });
}

ffi::Error weight_gradient(ffi::ThreadPool& pool, const Shape& shape, const void* x, const void* dy,
                           const void* y, void* d_kernel, void* d_bias) {
  return guarded([&] {
    const void* dz;
    ffi::Error error = masked(pool, shape, dy, y, d_bias, &dz);
    if (error.failure()) return error;
    return matmul(pool, shape.type, Matrix::of(x, shape.b, shape.d).transposed(),
                  Matrix::of(dz, shape.b, shape.u), nullptr, false, d_kernel);
  });
}

}  // namespace hornbeam::dense

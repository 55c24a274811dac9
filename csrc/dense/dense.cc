#include "dense/dense.h"

#include <vector>

#include "core/bfloat16.h"
#include "core/parallel.h"

namespace hornbeam::dense {
namespace {

namespace ffi = xla::ffi;

Matrix kernel_matrix(const Shape& shape, const void* kernel) {
  return shape.transposed ? Matrix::of(kernel, shape.u, shape.d).transposed()
                          : Matrix::of(kernel, shape.d, shape.u);
}

}  // namespace

ffi::Error forward(ffi::ThreadPool& pool, const Shape& shape, const void* x, const void* kernel,
                   const void* bias, bool relu, void* y) {
  return guarded([&] {
    Extras extras;
    extras.relu = relu;
    std::vector<float> wide;
    if (bias && shape.kernel_type == Type::kBFloat16) {
      const auto* narrow = static_cast<const BFloat16*>(bias);
      for (int64_t i = 0; i < shape.u; ++i) wide.push_back(widen(narrow[i]));
      extras.bias = wide.data();
    } else {
      extras.bias = static_cast<const float*>(bias);
    }
    return gemm(pool, {shape.type, shape.kernel_type, shape.type}, Matrix::of(x, shape.b, shape.d),
                kernel_matrix(shape, kernel), y, extras);
  });
}

ffi::Error input_gradient(ffi::ThreadPool& pool, const Shape& shape, const void* dy,
                          const void* kernel, const void* y, void* dx) {
  return guarded([&] {
    return gemm(pool, {shape.type, shape.kernel_type, shape.type},
                Matrix::of(dy, shape.b, shape.u, y), kernel_matrix(shape, kernel).transposed(), dx);
  });
}

ffi::Error weight_gradient(ffi::ThreadPool& pool, const Shape& shape, const void* x, const void* dy,
                           const void* y, void* d_kernel, void* d_bias) {
  return guarded([&] {
    std::vector<float> sums(shape.u);
    Extras extras;
    extras.b_sums = sums.data();
    ffi::Error error = gemm(pool, {shape.type, shape.type, shape.kernel_type},
                            Matrix::of(x, shape.b, shape.d).transposed(),
                            Matrix::of(dy, shape.b, shape.u, y), d_kernel, extras);
    for (int64_t i = 0; i < shape.u; ++i) {
      if (shape.kernel_type == Type::kFloat32) {
        static_cast<float*>(d_bias)[i] = sums[i];
      } else {
        narrow(sums[i], static_cast<BFloat16*>(d_bias) + i);
      }
    }
    return error;
  });
}

}  // namespace hornbeam::dense

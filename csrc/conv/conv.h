// Convolution of images, channels last, its gradients, and the same with relu and 2 x 2 max
// pooling.
//
// Letters: b images, h w their size, c channels, k the window, f filters, o the size of the output,
// g groups. x is (b, h, w, c), the kernel (kh, kw, c / g, f), y (b, oh, ow, f). One dimension is an
// image of height 1. `y`, where gradients take it, is the output after relu: they count only where
// it is above 0.
#pragma once

#include <array>
#include <string>

#include "core/gemm.h"
#include "xla/ffi/api/ffi.h"

namespace hornbeam::conv {

using Pair = std::array<int64_t, 2>;  // rows, columns

struct Shape {
  Type type;
  int64_t b, h, w, c;
  int64_t kh, kw, f;
  int64_t oh, ow;
  int64_t groups;
  Pair stride, dilation, before,
      after;  // the padding before and after; below 0 the end of x is not read

  int64_t kernel_size() const { return kh * kw * (c / groups) * f; }
};

// The size of the output along an axis, before any pooling; below 1 where the window doesn't fit.
int64_t output_size(int64_t size, int64_t window, int64_t stride, int64_t dilation, int64_t before,
                    int64_t after);

// y = conv(x, kernel) + bias (may be null), then relu if asked.
xla::ffi::Error forward(xla::ffi::ThreadPool& pool, const Shape& shape, const void* x,
                        const void* kernel, const void* bias, bool relu, void* y);

// `y` may be null.
xla::ffi::Error input_gradient(xla::ffi::ThreadPool& pool, const Shape& shape, const void* dy,
                               const void* kernel, const void* y, void* dx);

// `y` and `d_bias` may be null.
xla::ffi::Error weight_gradient(xla::ffi::ThreadPool& pool, const Shape& shape, const void* x,
                                const void* dy, const void* y, void* d_kernel, void* d_bias);

// With pooling y is (b, oh / 2, ow / 2, f), and so is `argmax` (may be null), the map that the
// gradients need: the number of the largest of the four in row-major order, 4 where relu gave 0.
// What pooling does not read, the last row or column of an odd output, is not computed.
xla::ffi::Error pool_forward(xla::ffi::ThreadPool& pool, const Shape& shape, const void* x,
                             const void* kernel, const void* bias, void* y, uint8_t* argmax);
xla::ffi::Error pool_input_gradient(xla::ffi::ThreadPool& pool, const Shape& shape, const void* dy,
                                    const uint8_t* argmax, const void* kernel, void* dx);
xla::ffi::Error pool_weight_gradient(xla::ffi::ThreadPool& pool, const Shape& shape, const void* x,
                                     const void* dy, const uint8_t* argmax, void* d_kernel,
                                     void* d_bias);

// oneDNN's names of what it would use forward and for the two gradients; for tests.
std::array<std::string, 3> implementations(const Shape& shape);

}  // namespace hornbeam::conv

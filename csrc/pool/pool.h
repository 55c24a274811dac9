// Max and average pooling of images, channels last, and their gradients.
//
// x is (b, h, w, c), y and the argument map `argmax` are (b, oh, ow, c). One dimension is an image
// of height 1. Rows of images are dealt out to the threads.
#pragma once

#include "core/gemm.h"
#include "conv/loops.h"
#include "xla/ffi/api/ffi.h"

namespace hornbeam::pool {

struct Shape {
  Type type;
  int64_t b;
  loops::Window window;  // its range is not read
};

// `argmax` may be null: the number of the largest element in its window, row-major.
xla::ffi::Error max_forward(xla::ffi::ThreadPool& pool, const Shape& shape, const void* x, void* y,
                            uint8_t* argmax);
xla::ffi::Error max_gradient(xla::ffi::ThreadPool& pool, const Shape& shape, const void* dy,
                             const uint8_t* argmax, void* dx);
xla::ffi::Error average_forward(xla::ffi::ThreadPool& pool, const Shape& shape, const void* x,
                                void* y);
xla::ffi::Error average_gradient(xla::ffi::ThreadPool& pool, const Shape& shape, const void* dy,
                                 void* dx);

}  // namespace hornbeam::pool

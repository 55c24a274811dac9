#include "pool/pool.h"

#include <algorithm>
#include <functional>

#include "core/bfloat16.h"
#include "core/parallel.h"

namespace hornbeam::pool {
namespace {

namespace ffi = xla::ffi;
using loops::Window;

// `run` for all rows, of the input (whole images) or else of the output.
ffi::Error over_rows(ffi::ThreadPool& pool, const Shape& shape, bool input,
                     const std::function<void(const Window&)>& run) {
  const Window& w = shape.window;
  const int64_t rows = shape.b * (input ? w.h : w.oh), grain = input ? w.h : 1;
  if (rows == 0) return ffi::Error::Success();
  // Each element of a window is read and compared; what is not cached costs more than that.
  const int64_t work = shape.b * w.c * (8 * w.h * w.w + w.size[0] * w.size[1] * w.oh * w.ow);
  const int64_t slices = std::min(slice_count(pool, work), rows / grain);
  return parallel_for(pool, slices, [&](int64_t slice) {
    Window part = w;
    part.begin = slice_begin(slice, slices, rows, grain);
    part.end = slice_begin(slice + 1, slices, rows, grain);
    run(part);
  });
}

template <typename T>
ffi::Error max_forward_of(ffi::ThreadPool& pool, const Shape& shape, const void* x, void* y,
                          uint8_t* argmax) {
  return over_rows(pool, shape, false, [=](const Window& w) {
    loops::max_pool(w, static_cast<const T*>(x), static_cast<T*>(y), argmax);
  });
}

template <typename T>
ffi::Error max_gradient_of(ffi::ThreadPool& pool, const Shape& shape, const void* dy,
                           const uint8_t* argmax, void* dx) {
  return over_rows(pool, shape, shape.window.overlap(), [=](const Window& w) {
    loops::max_pool_gradient(w, static_cast<const T*>(dy), argmax, static_cast<T*>(dx));
  });
}

template <typename T>
ffi::Error average_forward_of(ffi::ThreadPool& pool, const Shape& shape, const void* x, void* y) {
  return over_rows(pool, shape, false, [=](const Window& w) {
    loops::average_pool(w, static_cast<const T*>(x), static_cast<T*>(y));
  });
}

template <typename T>
ffi::Error average_gradient_of(ffi::ThreadPool& pool, const Shape& shape, const void* dy,
                               void* dx) {
  return over_rows(pool, shape, shape.window.overlap(), [=](const Window& w) {
    loops::average_pool_gradient(w, static_cast<const T*>(dy), static_cast<T*>(dx));
  });
}

}  // namespace

ffi::Error max_forward(ffi::ThreadPool& pool, const Shape& shape, const void* x, void* y,
                       uint8_t* argmax) {
  auto* run = shape.type == Type::kFloat32 ? max_forward_of<float> : max_forward_of<BFloat16>;
  return run(pool, shape, x, y, argmax);
}

ffi::Error max_gradient(ffi::ThreadPool& pool, const Shape& shape, const void* dy,
                        const uint8_t* argmax, void* dx) {
  auto* run = shape.type == Type::kFloat32 ? max_gradient_of<float> : max_gradient_of<BFloat16>;
  return run(pool, shape, dy, argmax, dx);
}

ffi::Error average_forward(ffi::ThreadPool& pool, const Shape& shape, const void* x, void* y) {
  auto* run =
      shape.type == Type::kFloat32 ? average_forward_of<float> : average_forward_of<BFloat16>;
  return run(pool, shape, x, y);
}

ffi::Error average_gradient(ffi::ThreadPool& pool, const Shape& shape, const void* dy, void* dx) {
  auto* run =
      shape.type == Type::kFloat32 ? average_gradient_of<float> : average_gradient_of<BFloat16>;
  return run(pool, shape, dy, dx);
}

}  // namespace hornbeam::pool

// Handlers of conv/pool.h. Attributes: window and strides (2 each), padding (4: rows before and
// after, columns before and after).
#include "pool/pool.h"

#include "core/handlers.h"

namespace hornbeam::pool {
namespace {

namespace ffi = xla::ffi;
using Array = ffi::AnyBuffer;
using Output = ffi::Result<ffi::AnyBuffer>;
using Numbers = ffi::Span<const int64_t>;

ffi::Error wrong(const char* name) {
  return wrong_shape(
      name,
      "x or dx (b, h, w, c), y or dy and argmax (uint8) (b, oh, ow, c), float32 or "
      "bfloat16, windows of at most 255 elements, and sizes that window, strides and "
      "padding agree with");
}

std::optional<Shape> shape_of(const Array& x, const Array& y, Numbers window, Numbers strides,
                              Numbers padding) {
  const auto type = type_of(x.element_type());
  const auto image = x.dimensions();
  if (!type || image.size() != 4 || window.size() != 2 || strides.size() != 2 ||
      padding.size() != 4) {
    return {};
  }
  loops::Window w = {};
  w.h = image[1], w.w = image[2], w.c = image[3];
  int64_t out[2];
  for (int axis : {0, 1}) {
    const int64_t before = padding[2 * axis], after = padding[2 * axis + 1];
    w.size[axis] = window[axis], w.stride[axis] = strides[axis], w.before[axis] = before;
    if (window[axis] < 1 || window[axis] > 255 || strides[axis] < 1 || before < 0 || after < 0) {
      return {};
    }
    const int64_t room = image[1 + axis] + before + after - window[axis];
    out[axis] = room < 0 ? 0 : room / strides[axis] + 1;
  }
  w.oh = out[0], w.ow = out[1];
  if (window[0] * window[1] > 255 || w.h < 1 || w.w < 1 || w.oh < 1 || w.ow < 1 ||
      !has_shape(y, x.element_type(), {image[0], w.oh, w.ow, w.c})) {
    return {};
  }
  return Shape{*type, image[0], w};
}

bool is_map(const Array& argmax, const Shape& s) {
  return has_shape(argmax, ffi::DataType::U8, {s.b, s.window.oh, s.window.ow, s.window.c});
}

ffi::Error max_value_handler(ffi::ThreadPool pool, Array x, Output y, Numbers window,
                             Numbers strides, Numbers padding) {
  const auto shape = shape_of(x, *y, window, strides, padding);
  if (!shape) return wrong("max_pool_value");
  return max_forward(pool, *shape, x.untyped_data(), y->untyped_data(), nullptr);
}

ffi::Error max_forward_handler(ffi::ThreadPool pool, Array x, Output y, Output argmax,
                               Numbers window, Numbers strides, Numbers padding) {
  const auto shape = shape_of(x, *y, window, strides, padding);
  if (!shape || !is_map(*argmax, *shape)) return wrong("max_pool_forward");
  return max_forward(pool, *shape, x.untyped_data(), y->untyped_data(),
                     static_cast<uint8_t*>(argmax->untyped_data()));
}

ffi::Error max_gradient_handler(ffi::ThreadPool pool, Array dy, Array argmax, Output dx,
                                Numbers window, Numbers strides, Numbers padding) {
  const auto shape = shape_of(*dx, dy, window, strides, padding);
  if (!shape || !is_map(argmax, *shape)) return wrong("max_pool_gradient");
  return max_gradient(pool, *shape, dy.untyped_data(),
                      static_cast<const uint8_t*>(argmax.untyped_data()), dx->untyped_data());
}

ffi::Error average_forward_handler(ffi::ThreadPool pool, Array x, Output y, Numbers window,
                                   Numbers strides, Numbers padding) {
  const auto shape = shape_of(x, *y, window, strides, padding);
  if (!shape) return wrong("average_pool_forward");
  return average_forward(pool, *shape, x.untyped_data(), y->untyped_data());
}

ffi::Error average_gradient_handler(ffi::ThreadPool pool, Array dy, Output dx, Numbers window,
                                    Numbers strides, Numbers padding) {
  const auto shape = shape_of(*dx, dy, window, strides, padding);
  if (!shape) return wrong("average_pool_gradient");
  return average_gradient(pool, *shape, dy.untyped_data(), dx->untyped_data());
}

// What all of them take; a macro because each step of binding is a type of its own.
#define WINDOW Attr<Numbers>("window").Attr<Numbers>("strides").Attr<Numbers>("padding")

XLA_FFI_DEFINE_HANDLER(kMaxValue, max_value_handler, gives<1>(takes<1>()).WINDOW);
XLA_FFI_DEFINE_HANDLER(kMaxForward, max_forward_handler, gives<2>(takes<1>()).WINDOW);
XLA_FFI_DEFINE_HANDLER(kMaxGradient, max_gradient_handler, gives<1>(takes<2>()).WINDOW);
XLA_FFI_DEFINE_HANDLER(kAverageForward, average_forward_handler, gives<1>(takes<1>()).WINDOW);
XLA_FFI_DEFINE_HANDLER(kAverageGradient, average_gradient_handler, gives<1>(takes<1>()).WINDOW);

}  // namespace
}  // namespace hornbeam::pool

hornbeam::Handlers hornbeam::pool_handlers() {
  return {{"hornbeam_max_pool_value", pool::kMaxValue},
          {"hornbeam_max_pool_forward", pool::kMaxForward},
          {"hornbeam_max_pool_gradient", pool::kMaxGradient},
          {"hornbeam_average_pool_forward", pool::kAverageForward},
          {"hornbeam_average_pool_gradient", pool::kAverageGradient}};
}

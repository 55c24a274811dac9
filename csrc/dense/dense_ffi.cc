// Handlers of dense/dense.h. An optional array comes as a remaining argument: there or not.
#include "dense/dense.h"

#include "core/handlers.h"

namespace hornbeam::dense {
namespace {

namespace ffi = xla::ffi;
using Array = ffi::AnyBuffer;
using Output = ffi::Result<ffi::AnyBuffer>;

constexpr const char* kTypes =
    "; all float32 or all bfloat16, or kernel, bias and their gradients float32 and all else "
    "bfloat16";

// The sizes, from (b, d) or (b, u) rows and the kernel; nothing where they or the types don't fit.
std::optional<Shape> shape_of(const Array& rows, const Array& kernel, bool transposed) {
  const auto type = type_of(rows.element_type()), kernel_type = type_of(kernel.element_type());
  if (!type || !kernel_type || rows.dimensions().size() != 2 || kernel.dimensions().size() != 2) {
    return {};
  }
  if (*type != *kernel_type && *kernel_type != Type::kFloat32) return {};
  const int64_t first = kernel.dimensions()[0], second = kernel.dimensions()[1];
  return Shape{*type,
               *kernel_type,
               rows.dimensions()[0],
               transposed ? second : first,
               transposed ? first : second,
               transposed};
}

ffi::Error wrong(const char* handler, const char* expected) {
  return wrong_shape(handler, (std::string(expected) + kTypes).c_str());
}

ffi::Error forward_handler(ffi::ThreadPool pool, Array x, Array kernel, ffi::RemainingArgs rest,
                           Output y, bool relu, bool transposed) {
  const auto type = x.element_type();
  const auto shape = shape_of(x, kernel, transposed);
  if (!shape || !has_shape(x, type, {shape->b, shape->d}) ||
      !has_shape(*y, type, {shape->b, shape->u})) {
    return wrong("dense_forward", "x (b, d), kernel (d, u), y (b, u)");
  }
  const void* bias;
  if (!optional(rest, kernel.element_type(), {shape->u}, &bias)) {
    return wrong("dense_forward", "at most one more argument, bias (u,)");
  }
  return forward(pool, *shape, x.untyped_data(), kernel.untyped_data(), bias, relu,
                 y->untyped_data());
}

ffi::Error input_gradient_handler(ffi::ThreadPool pool, Array dy, Array kernel,
                                  ffi::RemainingArgs rest, Output dx, bool transposed) {
  const auto type = dy.element_type();
  const auto shape = shape_of(dy, kernel, transposed);
  if (!shape || !has_shape(dy, type, {shape->b, shape->u}) ||
      !has_shape(*dx, type, {shape->b, shape->d})) {
    return wrong("dense_input_gradient", "dy (b, u), kernel (d, u), dx (b, d)");
  }
  const void* y;
  if (!optional(rest, type, {shape->b, shape->u}, &y)) {
    return wrong("dense_input_gradient", "at most one more argument, y (b, u)");
  }
  return input_gradient(pool, *shape, dy.untyped_data(), kernel.untyped_data(), y,
                        dx->untyped_data());
}

ffi::Error weight_gradient_handler(ffi::ThreadPool pool, Array x, Array dy, ffi::RemainingArgs rest,
                                   Output d_kernel, Output d_bias) {
  const auto type = x.element_type();
  const auto shape = shape_of(x, *d_kernel, false);
  if (!shape || !has_shape(x, type, {shape->b, shape->d}) ||
      !has_shape(dy, type, {shape->b, shape->u}) ||
      !has_shape(*d_bias, d_kernel->element_type(), {shape->u})) {
    return wrong("dense_weight_gradient", "x (b, d), dy (b, u), d_kernel (d, u), d_bias (u,)");
  }
  const void* y;
  if (!optional(rest, type, {shape->b, shape->u}, &y)) {
    return wrong("dense_weight_gradient", "at most one more argument, y (b, u)");
  }
  return weight_gradient(pool, *shape, x.untyped_data(), dy.untyped_data(), y,
                         d_kernel->untyped_data(), d_bias->untyped_data());
}

XLA_FFI_DEFINE_HANDLER(
    kForward, forward_handler,
    gives<1>(takes<2>().RemainingArgs()).Attr<bool>("relu").Attr<bool>("transposed"));
XLA_FFI_DEFINE_HANDLER(kInputGradient, input_gradient_handler,
                       gives<1>(takes<2>().RemainingArgs()).Attr<bool>("transposed"));
XLA_FFI_DEFINE_HANDLER(kWeightGradient, weight_gradient_handler,
                       gives<2>(takes<2>().RemainingArgs()));

}  // namespace
}  // namespace hornbeam::dense

hornbeam::Handlers hornbeam::dense_handlers() {
  return {{"hornbeam_dense_forward", dense::kForward},
          {"hornbeam_dense_input_gradient", dense::kInputGradient},
          {"hornbeam_dense_weight_gradient", dense::kWeightGradient}};
}

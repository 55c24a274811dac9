// Handlers of conv/conv.h. An optional array comes as a remaining argument: there or not.
// Attributes: strides and dilation (2 each), padding (4: rows before and after, columns before and
// after; the latter below 0 for what is not read).
#include "conv/conv.h"

#include "core/handlers.h"

namespace hornbeam::conv {
namespace {

namespace ffi = xla::ffi;
using Array = ffi::AnyBuffer;
using Output = ffi::Result<ffi::AnyBuffer>;
using Numbers = ffi::Span<const int64_t>;

constexpr const char* kForms =
    "x (b, h, w, c), kernel (kh, kw, c / groups, f), y or dy (b, oh, ow, f), b and d_bias (f,), "
    "with "
    "pooling y, dy and argmax (uint8) (b, oh / 2, ow / 2, f), all others float32 or bfloat16, and "
    "sizes that strides, dilation and padding agree with";

ffi::Error wrong(const char* name) { return wrong_shape(name, kForms); }

// How the convolution slides, from the attributes.
struct Slide {
  Pair stride, dilation, before, after;
};
std::optional<Slide> slide_of(Numbers strides, Numbers dilation, Numbers padding) {
  if (strides.size() != 2 || dilation.size() != 2 || padding.size() != 4) return {};
  const auto below = [](Numbers numbers, int64_t least) {
    return std::any_of(numbers.begin(), numbers.end(), [=](int64_t n) { return n < least; });
  };
  if (below(strides, 1) || below(dilation, 1) || padding[0] < 0 || padding[2] < 0) return {};
  return Slide{{strides[0], strides[1]},
               {dilation[0], dilation[1]},
               {padding[0], padding[2]},
               {padding[1], padding[3]}};
}

// The sizes, where x, the kernel and y (whole or pooled) fit together.
std::optional<Shape> shape_of(const Array& x, const Array& kernel, const Array& y, bool pooled,
                              const std::optional<Slide>& slide) {
  const auto type = type_of(x.element_type());
  const auto image = x.dimensions(), window = kernel.dimensions();
  if (!type || !slide || image.size() != 4 || window.size() != 4) return {};
  Shape s = {};
  s.type = *type;
  s.b = image[0], s.h = image[1], s.w = image[2], s.c = image[3];
  s.kh = window[0], s.kw = window[1], s.f = window[3];
  if (s.h < 1 || s.w < 1 || s.c < 1 || s.kh < 1 || s.kw < 1 || s.f < 1) return {};
  if (window[2] < 1 || s.c % window[2] != 0) return {};
  s.groups = s.c / window[2];
  if (s.f % s.groups != 0) return {};
  s.stride = slide->stride, s.dilation = slide->dilation;
  s.before = slide->before, s.after = slide->after;
  s.oh = output_size(s.h, s.kh, s.stride[0], s.dilation[0], s.before[0], s.after[0]);
  s.ow = output_size(s.w, s.kw, s.stride[1], s.dilation[1], s.before[1], s.after[1]);
  const int64_t part = pooled ? 2 : 1;
  if (s.oh < part || s.ow < part || kernel.element_type() != x.element_type() ||
      !has_shape(y, x.element_type(), {s.b, s.oh / part, s.ow / part, s.f})) {
    return {};
  }
  return s;
}

bool is_map(const Array& argmax, const Shape& s) {
  return has_shape(argmax, ffi::DataType::U8, {s.b, s.oh / 2, s.ow / 2, s.f});
}

ffi::Error forward_handler(ffi::ThreadPool pool, Array x, Array kernel, ffi::RemainingArgs rest,
                           Output y, Numbers strides, Numbers dilation, Numbers padding,
                           bool relu) {
  const auto shape = shape_of(x, kernel, *y, false, slide_of(strides, dilation, padding));
  const void* bias;
  if (!shape || !optional(rest, x.element_type(), {shape->f}, &bias)) return wrong("conv_forward");
  return forward(pool, *shape, x.untyped_data(), kernel.untyped_data(), bias, relu,
                 y->untyped_data());
}

ffi::Error input_gradient_handler(ffi::ThreadPool pool, Array dy, Array kernel,
                                  ffi::RemainingArgs rest, Output dx, Numbers strides,
                                  Numbers dilation, Numbers padding) {
  const auto shape = shape_of(*dx, kernel, dy, false, slide_of(strides, dilation, padding));
  const void* y;
  if (!shape ||
      !optional(rest, dy.element_type(), {shape->b, shape->oh, shape->ow, shape->f}, &y)) {
    return wrong("conv_input_gradient");
  }
  return input_gradient(pool, *shape, dy.untyped_data(), kernel.untyped_data(), y,
                        dx->untyped_data());
}

ffi::Error weight_gradient_handler(ffi::ThreadPool pool, Array x, Array dy, ffi::RemainingArgs rest,
                                   Output d_kernel, Output d_bias, Numbers strides,
                                   Numbers dilation, Numbers padding, bool bias) {
  const auto shape = shape_of(x, *d_kernel, dy, false, slide_of(strides, dilation, padding));
  const void* y;
  if (!shape || !has_shape(*d_bias, x.element_type(), {bias ? shape->f : 0}) ||
      !optional(rest, dy.element_type(), {shape->b, shape->oh, shape->ow, shape->f}, &y)) {
    return wrong("conv_weight_gradient");
  }
  return weight_gradient(pool, *shape, x.untyped_data(), dy.untyped_data(), y,
                         d_kernel->untyped_data(), bias ? d_bias->untyped_data() : nullptr);
}

ffi::Error pool_forward_of(ffi::ThreadPool& pool, const Array& x, const Array& kernel,
                           const ffi::RemainingArgs& rest, Array& y, Array* argmax,
                           const std::optional<Slide>& slide) {
  const auto shape = shape_of(x, kernel, y, true, slide);
  const void* bias;
  if (!shape || !optional(rest, x.element_type(), {shape->f}, &bias) ||
      (argmax && !is_map(*argmax, *shape))) {
    return wrong("conv_pool_forward");
  }
  return pool_forward(pool, *shape, x.untyped_data(), kernel.untyped_data(), bias, y.untyped_data(),
                      argmax ? static_cast<uint8_t*>(argmax->untyped_data()) : nullptr);
}

ffi::Error pool_value_handler(ffi::ThreadPool pool, Array x, Array kernel, ffi::RemainingArgs rest,
                              Output y, Numbers strides, Numbers dilation, Numbers padding) {
  return pool_forward_of(pool, x, kernel, rest, *y, nullptr, slide_of(strides, dilation, padding));
}

ffi::Error pool_forward_handler(ffi::ThreadPool pool, Array x, Array kernel,
                                ffi::RemainingArgs rest, Output y, Output argmax, Numbers strides,
                                Numbers dilation, Numbers padding) {
  return pool_forward_of(pool, x, kernel, rest, *y, &*argmax, slide_of(strides, dilation, padding));
}

ffi::Error pool_input_gradient_handler(ffi::ThreadPool pool, Array dy, Array argmax, Array kernel,
                                       Output dx, Numbers strides, Numbers dilation,
                                       Numbers padding) {
  const auto shape = shape_of(*dx, kernel, dy, true, slide_of(strides, dilation, padding));
  if (!shape || !is_map(argmax, *shape)) return wrong("conv_pool_input_gradient");
  return pool_input_gradient(pool, *shape, dy.untyped_data(),
                             static_cast<const uint8_t*>(argmax.untyped_data()),
                             kernel.untyped_data(), dx->untyped_data());
}

ffi::Error pool_weight_gradient_handler(ffi::ThreadPool pool, Array x, Array dy, Array argmax,
                                        Output d_kernel, Output d_bias, Numbers strides,
                                        Numbers dilation, Numbers padding) {
  const auto shape = shape_of(x, *d_kernel, dy, true, slide_of(strides, dilation, padding));
  if (!shape || !is_map(argmax, *shape) || !has_shape(*d_bias, x.element_type(), {shape->f})) {
    return wrong("conv_pool_weight_gradient");
  }
  return pool_weight_gradient(pool, *shape, x.untyped_data(), dy.untyped_data(),
                              static_cast<const uint8_t*>(argmax.untyped_data()),
                              d_kernel->untyped_data(), d_bias->untyped_data());
}

// What all of them take; a macro because each step of binding is a type of its own.
#define SLIDE Attr<Numbers>("strides").Attr<Numbers>("dilation").Attr<Numbers>("padding")

XLA_FFI_DEFINE_HANDLER(kForward, forward_handler,
                       gives<1>(takes<2>().RemainingArgs()).SLIDE.Attr<bool>("relu"));
XLA_FFI_DEFINE_HANDLER(kInputGradient, input_gradient_handler,
                       gives<1>(takes<2>().RemainingArgs()).SLIDE);
XLA_FFI_DEFINE_HANDLER(kWeightGradient, weight_gradient_handler,
                       gives<2>(takes<2>().RemainingArgs()).SLIDE.Attr<bool>("bias"));
XLA_FFI_DEFINE_HANDLER(kPoolValue, pool_value_handler, gives<1>(takes<2>().RemainingArgs()).SLIDE);
XLA_FFI_DEFINE_HANDLER(kPoolForward, pool_forward_handler,
                       gives<2>(takes<2>().RemainingArgs()).SLIDE);
XLA_FFI_DEFINE_HANDLER(kPoolInputGradient, pool_input_gradient_handler, gives<1>(takes<3>()).SLIDE);
XLA_FFI_DEFINE_HANDLER(kPoolWeightGradient, pool_weight_gradient_handler,
                       gives<2>(takes<3>()).SLIDE);

}  // namespace
}  // namespace hornbeam::conv

hornbeam::Handlers hornbeam::conv_handlers() {
  return {{"hornbeam_conv_forward", conv::kForward},
          {"hornbeam_conv_input_gradient", conv::kInputGradient},
          {"hornbeam_conv_weight_gradient", conv::kWeightGradient},
          {"hornbeam_conv_pool_value", conv::kPoolValue},
          {"hornbeam_conv_pool_forward", conv::kPoolForward},
          {"hornbeam_conv_pool_input_gradient", conv::kPoolInputGradient},
          {"hornbeam_conv_pool_weight_gradient", conv::kPoolWeightGradient}};
}

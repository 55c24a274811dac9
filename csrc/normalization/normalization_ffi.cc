// Handlers of normalization.h.
#include "normalization/normalization.h"

#include "core/handlers.h"

namespace hornbeam::normalization {
namespace {

namespace ffi = xla::ffi;
using Array = ffi::AnyBuffer;
using Output = ffi::Result<ffi::AnyBuffer>;
constexpr auto F32 = ffi::DataType::F32;

std::optional<Shape> shape_of(const Array& x) {
  const auto type = type_of(x.element_type());
  if (!type || x.dimensions().size() != 2 || x.dimensions()[1] < 16) return {};
  return Shape{*type, x.dimensions()[0], x.dimensions()[1]};
}

const float* floats(const Array& array) { return static_cast<const float*>(array.untyped_data()); }
float* floats(Output& array) { return static_cast<float*>(array->untyped_data()); }

ffi::Error moments_handler(ffi::ThreadPool pool, Array x, Output mean, Output variance) {
  const auto shape = shape_of(x);
  if (!shape || !has_shape(*mean, F32, {shape->c}) || !has_shape(*variance, F32, {shape->c})) {
    return wrong_shape("moments", "x (n, c >= 16) in float32 or bfloat16, mean and variance (c,)");
  }
  return moments(pool, *shape, x.untyped_data(), floats(mean), floats(variance));
}

ffi::Error products_handler(ffi::ThreadPool pool, Array x, Array dy, Output sums, Output result) {
  const auto shape = shape_of(x);
  if (!shape || !has_shape(dy, x.element_type(), {shape->n, shape->c}) ||
      !has_shape(*sums, F32, {shape->c}) || !has_shape(*result, F32, {shape->c})) {
    return wrong_shape("channel_products",
                       "x and dy (n, c >= 16) in float32 or bfloat16, sums and products (c,)");
  }
  return products(pool, *shape, x.untyped_data(), dy.untyped_data(), floats(sums), floats(result));
}

// The vectors of batch normalisation; beta may be null. Nothing where one has not c numbers.
std::optional<Batch> batch_of(const Shape& shape, const Array& mean, const Array& variance,
                              const Array& gamma, const Array* beta, double epsilon) {
  for (const Array* vector : {&mean, &variance, &gamma, beta}) {
    if (vector && !has_shape(*vector, F32, {shape.c})) return {};
  }
  return Batch{floats(mean), floats(variance), floats(gamma), beta ? floats(*beta) : nullptr,
               static_cast<float>(epsilon)};
}

ffi::Error batch_forward_handler(ffi::ThreadPool pool, Array x, Array mean, Array variance,
                                 Array gamma, Array beta, ffi::RemainingArgs rest, Output y,
                                 double epsilon, bool relu) {
  const auto wrong = wrong_shape("batch_norm_forward",
                                 "x, y and the optional other (n, c >= 16) in float32 or bfloat16, "
                                 "mean, variance, gamma and beta (c,) in float32");
  const auto shape = shape_of(x);
  const auto type = x.element_type();
  const void* other;
  if (!shape || !has_shape(*y, type, {shape->n, shape->c}) ||
      !optional(rest, type, {shape->n, shape->c}, &other)) {
    return wrong;
  }
  const auto batch = batch_of(*shape, mean, variance, gamma, &beta, epsilon);
  if (!batch) return wrong;
  return batch_forward(pool, *shape, x.untyped_data(), *batch, other, relu, y->untyped_data());
}

ffi::Error batch_backward_handler(ffi::ThreadPool pool, Array x, Array dy, Array mean,
                                  Array variance, Array gamma, ffi::RemainingArgs rest, Output dx,
                                  Output dz, Output d_gamma, Output d_beta, double epsilon,
                                  bool relu, bool residual) {
  const auto wrong =
      wrong_shape("batch_norm_backward",
                  "x, dy, dx, with relu y, and at most one more gradient of y, all (n, "
                  "c >= 16) in float32 or bfloat16, dz the same or (0, c), mean, variance, gamma, "
                  "d_gamma and d_beta "
                  "(c,) in float32");
  const auto shape = shape_of(x);
  const auto type = x.element_type();
  const size_t least = relu ? 1 : 0;
  if (!shape || rest.size() < least || rest.size() > 1 + least ||
      !has_shape(dy, type, {shape->n, shape->c}) || !has_shape(*dx, type, {shape->n, shape->c}) ||
      !has_shape(*dz, type, {residual ? shape->n : 0, shape->c}) ||
      !has_shape(*d_gamma, F32, {shape->c}) || !has_shape(*d_beta, F32, {shape->c})) {
    return wrong;
  }
  const void* others[2] = {};  // y, more
  for (size_t i = 0; i < rest.size(); ++i) {
    auto array = rest.get<Array>(i);
    if (!array.has_value() || !has_shape(*array, type, {shape->n, shape->c})) return wrong;
    others[relu ? i : 1] = array->untyped_data();
  }
  const auto batch = batch_of(*shape, mean, variance, gamma, nullptr, epsilon);
  if (!batch) return wrong;
  return batch_backward(pool, *shape, x.untyped_data(), dy.untyped_data(), others[1], *batch,
                        others[0], dx->untyped_data(), residual ? dz->untyped_data() : nullptr,
                        floats(d_gamma), floats(d_beta));
}

ffi::Error layer_forward_handler(ffi::ThreadPool pool, Array x, Array gamma, Array beta, Output y,
                                 Output mean, Output factor, double epsilon) {
  const auto shape = shape_of(x);
  if (!shape || !has_shape(gamma, F32, {shape->c}) || !has_shape(beta, F32, {shape->c}) ||
      !has_shape(*y, x.element_type(), {shape->n, shape->c}) ||
      !has_shape(*mean, F32, {shape->n}) || !has_shape(*factor, F32, {shape->n})) {
    return wrong_shape("layer_norm_forward",
                       "x and y (n, c >= 16) in float32 or bfloat16, gamma and beta (c,), mean and "
                       "factor (n,) in float32");
  }
  return layer_forward(pool, *shape, x.untyped_data(), floats(gamma), floats(beta),
                       static_cast<float>(epsilon), y->untyped_data(), floats(mean),
                       floats(factor));
}

ffi::Error layer_backward_handler(ffi::ThreadPool pool, Array x, Array dy, Array gamma, Array mean,
                                  Array factor, Output dx, Output d_gamma, Output d_beta) {
  const auto shape = shape_of(x);
  const auto type = x.element_type();
  if (!shape || !has_shape(dy, type, {shape->n, shape->c}) || !has_shape(gamma, F32, {shape->c}) ||
      !has_shape(mean, F32, {shape->n}) || !has_shape(factor, F32, {shape->n}) ||
      !has_shape(*dx, type, {shape->n, shape->c}) || !has_shape(*d_gamma, F32, {shape->c}) ||
      !has_shape(*d_beta, F32, {shape->c})) {
    return wrong_shape(
        "layer_norm_backward",
        "x, dy and dx (n, c >= 16) in float32 or bfloat16, gamma, d_gamma and d_beta "
        "(c,), mean and factor (n,) in float32");
  }
  return layer_backward(pool, *shape, x.untyped_data(), dy.untyped_data(), floats(gamma),
                        floats(mean), floats(factor), dx->untyped_data(), floats(d_gamma),
                        floats(d_beta));
}

XLA_FFI_DEFINE_HANDLER(kMoments, moments_handler, gives<2>(takes<1>()));
XLA_FFI_DEFINE_HANDLER(kProducts, products_handler, gives<2>(takes<2>()));
XLA_FFI_DEFINE_HANDLER(
    kBatchForward, batch_forward_handler,
    gives<1>(takes<5>().RemainingArgs()).Attr<double>("epsilon").Attr<bool>("relu"));
XLA_FFI_DEFINE_HANDLER(kBatchBackward, batch_backward_handler,
                       gives<4>(takes<5>().RemainingArgs())
                           .Attr<double>("epsilon")
                           .Attr<bool>("relu")
                           .Attr<bool>("residual"));
XLA_FFI_DEFINE_HANDLER(kLayerForward, layer_forward_handler,
                       gives<3>(takes<3>()).Attr<double>("epsilon"));
XLA_FFI_DEFINE_HANDLER(kLayerBackward, layer_backward_handler, gives<3>(takes<5>()));

}  // namespace
}  // namespace hornbeam::normalization

hornbeam::Handlers hornbeam::normalization_handlers() {
  return {{"hornbeam_moments", normalization::kMoments},
          {"hornbeam_channel_products", normalization::kProducts},
          {"hornbeam_batch_norm_forward", normalization::kBatchForward},
          {"hornbeam_batch_norm_backward", normalization::kBatchBackward},
          {"hornbeam_layer_norm_forward", normalization::kLayerForward},
          {"hornbeam_layer_norm_backward", normalization::kLayerBackward}};
}

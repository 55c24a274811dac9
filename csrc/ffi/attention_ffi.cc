// Handlers of attention.h. A mask comes as a remaining argument: there or not.
#include "attention.h"

#include "ffi/handlers.h"

namespace hornbeam::attention {
namespace {

namespace ffi = xla::ffi;
using Array = ffi::AnyBuffer;
using Output = ffi::Result<ffi::AnyBuffer>;
constexpr auto F32 = ffi::DataType::F32;
constexpr const char* kExpected =
    "q and y (b, t, n, d), k and v (b, s, n, d), stats (b, n, t, 2) in float32, none empty, and at "
    "most one more argument, a mask (b or 1, n or 1, t or 1, s or 1) of booleans";

const float* floats(const Array& array) { return static_cast<const float*>(array.untyped_data()); }
float* floats(Output array) { return static_cast<float*>(array->untyped_data()); }

std::optional<Problem> problem_of(const Array& q, const Array& k, const Array& v,
                                  const Array& stats, const ffi::RemainingArgs& rest, bool causal,
                                  double scale) {
  if (q.dimensions().size() != 4 || k.dimensions().size() != 4 || rest.size() > 1) return {};
  Problem p = {};
  p.b = q.dimensions()[0];
  p.t = q.dimensions()[1];
  p.n = q.dimensions()[2];
  p.d = q.dimensions()[3];
  p.s = k.dimensions()[1];
  if (!has_shape(q, F32, {p.b, p.t, p.n, p.d}) || !has_shape(k, F32, {p.b, p.s, p.n, p.d}) ||
      !has_shape(v, F32, {p.b, p.s, p.n, p.d}) || !has_shape(stats, F32, {p.b, p.n, p.t, 2}) ||
      p.b * p.t * p.n * p.d * p.s == 0) {
    return {};
  }
  p.scale = static_cast<float>(scale);
  p.causal = causal;
  p.q = floats(q);
  p.k = floats(k);
  p.v = floats(v);
  p.stats = static_cast<float*>(stats.untyped_data());
  if (rest.size() == 1) {
    const Array mask = *rest.get<Array>(0);
    const int64_t sizes[] = {p.b, p.n, p.t, p.s};
    if (mask.element_type() != ffi::DataType::PRED || mask.dimensions().size() != 4) return {};
    p.mask = static_cast<const bool*>(mask.untyped_data());
    int64_t stride = 1;
    for (int axis = 3; axis >= 0; --axis) {
      const int64_t size = mask.dimensions()[axis];
      if (size != 1 && size != sizes[axis]) return {};
      p.strides[axis] = size == 1 ? 0 : stride;
      stride *= size;
    }
  }
  return p;
}

ffi::Error forward_handler(ffi::ThreadPool pool, Array q, Array k, Array v, ffi::RemainingArgs rest,
                           Output y, Output stats, bool causal, double scale) {
  const auto problem = problem_of(q, k, v, *stats, rest, causal, scale);
  if (!problem || !has_shape(*y, F32, {problem->b, problem->t, problem->n, problem->d})) {
    return wrong_shape("attention_forward", kExpected);
  }
  return forward(pool, *problem, floats(y));
}

ffi::Error backward_handler(ffi::ThreadPool pool, Array q, Array k, Array v, Array stats, Array dy,
                            ffi::RemainingArgs rest, Output dq, Output dk, Output dv, bool causal,
                            double scale) {
  const auto problem = problem_of(q, k, v, stats, rest, causal, scale);
  const auto is_like = [](const Array& a, const Array& b) {
    const auto x = a.dimensions(), y = b.dimensions();
    return a.element_type() == F32 && std::equal(x.begin(), x.end(), y.begin(), y.end());
  };
  if (!problem || !is_like(dy, q) || !is_like(*dq, q) || !is_like(*dk, k) || !is_like(*dv, k)) {
    return wrong_shape("attention_backward", kExpected);
  }
  return backward(pool, *problem, floats(dy), floats(dq), floats(dk), floats(dv));
}

using ffi::Ffi;
XLA_FFI_DEFINE_HANDLER(kForward, forward_handler,
                       Ffi::Bind()
                           .Ctx<ffi::ThreadPool>()
                           .Arg<Array>()
                           .Arg<Array>()
                           .Arg<Array>()
                           .RemainingArgs()
                           .Ret<Array>()
                           .Ret<Array>()
                           .Attr<bool>("causal")
                           .Attr<double>("scale"));
XLA_FFI_DEFINE_HANDLER(kBackward, backward_handler,
                       Ffi::Bind()
                           .Ctx<ffi::ThreadPool>()
                           .Arg<Array>()
                           .Arg<Array>()
                           .Arg<Array>()
                           .Arg<Array>()
                           .Arg<Array>()
                           .RemainingArgs()
                           .Ret<Array>()
                           .Ret<Array>()
                           .Ret<Array>()
                           .Attr<bool>("causal")
                           .Attr<double>("scale"));

}  // namespace
}  // namespace hornbeam::attention

hornbeam::Handlers hornbeam::attention_handlers() {
  return {{"hornbeam_attention_forward", attention::kForward},
          {"hornbeam_attention_backward", attention::kBackward}};
}

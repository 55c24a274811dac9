// Handlers of attention/attention.h. A mask comes as a remaining argument: there or not.
#include "attention/attention.h"

#include "core/handlers.h"

namespace hornbeam::attention {
namespace {

namespace ffi = xla::ffi;
using Array = ffi::AnyBuffer;
using Output = ffi::Result<ffi::AnyBuffer>;
constexpr auto F32 = ffi::DataType::F32;
constexpr const char* kExpected =
    "q (b, t, n, d), k (b, s, n, d), v (b, s, n, e) and y (b, t, n, e), all in float32 or all in "
    "bfloat16, none empty, "
    "stats (b, n, t, 2) in float32, and at most one more argument, a mask (b or 1, n or 1, t or 1, "
    "s or 1) of booleans";

std::optional<Problem> problem_of(const Array& q, const Array& k, const Array& v,
                                  const Array& stats, const ffi::RemainingArgs& rest, bool causal,
                                  double scale) {
  const auto type = type_of(q.element_type());
  const auto has_rank_4 = [](const Array& a) { return a.dimensions().size() == 4; };
  if (!type || !has_rank_4(q) || !has_rank_4(k) || !has_rank_4(v) || rest.size() > 1) return {};
  Problem p = {};
  p.type = *type;
  p.b = q.dimensions()[0];
  p.t = q.dimensions()[1];
  p.n = q.dimensions()[2];
  p.d = q.dimensions()[3];
  p.s = k.dimensions()[1];
  p.e = v.dimensions()[3];
  if (!has_shape(k, q.element_type(), {p.b, p.s, p.n, p.d}) ||
      !has_shape(v, q.element_type(), {p.b, p.s, p.n, p.e}) ||
      !has_shape(stats, F32, {p.b, p.n, p.t, 2}) || p.b * p.t * p.n * p.d * p.s * p.e == 0) {
    return {};
  }
  p.scale = static_cast<float>(scale);
  p.causal = causal;
  p.q = q.untyped_data();
  p.k = k.untyped_data();
  p.v = v.untyped_data();
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

bool is_like(const Array& a, const Array& b) {
  const auto x = a.dimensions(), y = b.dimensions();
  return a.element_type() == b.element_type() && std::equal(x.begin(), x.end(), y.begin(), y.end());
}

bool is_result(const Array& y, const Array& q, const Problem& p) {
  return has_shape(y, q.element_type(), {p.b, p.t, p.n, p.e});
}

ffi::Error forward_handler(ffi::ThreadPool pool, Array q, Array k, Array v, ffi::RemainingArgs rest,
                           Output y, Output stats, bool causal, double scale) {
  const auto problem = problem_of(q, k, v, *stats, rest, causal, scale);
  if (!problem || !is_result(*y, q, *problem)) return wrong_shape("attention_forward", kExpected);
  return forward(pool, *problem, y->untyped_data());
}

ffi::Error backward_handler(ffi::ThreadPool pool, Array q, Array k, Array v, Array y, Array stats,
                            Array dy, ffi::RemainingArgs rest, Output dq, Output dk, Output dv,
                            bool causal, double scale) {
  const auto problem = problem_of(q, k, v, stats, rest, causal, scale);
  if (!problem || !is_result(y, q, *problem) || !is_like(dy, y) || !is_like(*dq, q) ||
      !is_like(*dk, k) || !is_like(*dv, v)) {
    return wrong_shape("attention_backward", kExpected);
  }
  return backward(pool, *problem, y.untyped_data(), dy.untyped_data(), dq->untyped_data(),
                  dk->untyped_data(), dv->untyped_data());
}

XLA_FFI_DEFINE_HANDLER(
    kForward, forward_handler,
    gives<2>(takes<3>().RemainingArgs()).Attr<bool>("causal").Attr<double>("scale"));
XLA_FFI_DEFINE_HANDLER(
    kBackward, backward_handler,
    gives<3>(takes<6>().RemainingArgs()).Attr<bool>("causal").Attr<double>("scale"));

}  // namespace
}  // namespace hornbeam::attention

hornbeam::Handlers hornbeam::attention_handlers() {
  return {{"hornbeam_attention_forward", attention::kForward},
          {"hornbeam_attention_backward", attention::kBackward}};
}

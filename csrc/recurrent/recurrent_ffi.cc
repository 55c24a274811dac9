// Handlers of recurrent/recurrent.h. An array without elements stands for one that may be null
// there.
#include "recurrent/recurrent.h"

#include "core/handlers.h"

namespace hornbeam::recurrent {
namespace {

namespace ffi = xla::ffi;
using Array = ffi::AnyBuffer;
using Output = ffi::Result<ffi::AnyBuffer>;

const void* data(const Array& array) {
  return array.element_count() ? array.untyped_data() : nullptr;
}
void* data(Output& array) { return array->element_count() ? array->untyped_data() : nullptr; }

const uint8_t* mask_data(const Array& mask) { return static_cast<const uint8_t*>(data(mask)); }

const int32_t* numbers_data(const Array& numbers) {
  return static_cast<const int32_t*>(data(numbers));
}

bool empty(const Array& array) { return array.element_count() == 0; }

std::optional<Shape> shape_of(const Array& x, const Array& u, bool backwards) {
  const auto type = type_of(x.element_type()), weights = type_of(u.element_type());
  if (!type || !weights || (*weights != *type && *weights != Type::kFloat32)) return {};
  if (x.dimensions().size() != 3 || u.dimensions().size() != 2) return {};
  Shape shape{*type,
              *weights,
              x.dimensions()[0],
              x.dimensions()[1],
              x.dimensions()[2],
              u.dimensions()[0],
              backwards};
  if (shape.b < 1 || shape.t < 1 || shape.d < 1 || shape.u < 1) return {};
  return shape;
}

// Checks one array after the other and remembers whether any was wrong.
class Check {
 public:
  Check(const Array& x, const Array& w) : type_(x.element_type()), weights_(w.element_type()) {}
  Check& is(const Array& array, std::initializer_list<int64_t> dimensions) {
    good_ = good_ && has_shape(array, type_, dimensions);
    return *this;
  }
  Check& maybe(const Array& array, std::initializer_list<int64_t> dimensions) {
    return empty(array) && array.element_type() == type_ ? *this : is(array, dimensions);
  }
  Check& weights(const Array& array, std::initializer_list<int64_t> dimensions) {
    good_ = good_ && has_shape(array, weights_, dimensions);
    return *this;
  }
  Check& maybe_weights(const Array& array, std::initializer_list<int64_t> dimensions) {
    return empty(array) && array.element_type() == weights_ ? *this : weights(array, dimensions);
  }
  Check& mask(const Array& array, int64_t b, int64_t t) {
    good_ = good_ && array.element_type() == ffi::PRED &&
            (empty(array) || has_shape(array, ffi::PRED, {b, t}));
    return *this;
  }
  Check& numbers(const Array& array, int64_t b, int64_t t) {
    good_ = good_ && array.element_type() == ffi::S32 &&
            (empty(array) || has_shape(array, ffi::S32, {b, t}));
    return *this;
  }
  explicit operator bool() const { return good_; }

 private:
  ffi::DataType type_, weights_;
  bool good_ = true;
};

constexpr const char* kLstm =
    "x (b, t, d), h0 and c0 (b, u), W (d, 4u), U (u, 4u), bias (4u,) or empty, mask and int32 "
    "numbers (b, t) or empty, "
    "float32 or bfloat16, weights of that type or float32, no size 0";

ffi::Error lstm_forward_handler(ffi::ThreadPool pool, Array x, Array h0, Array c0, Array w, Array u,
                                Array bias, Array mask, Array numbers, Output y, Output h, Output c,
                                Output gates, Output cells, bool backwards) {
  const auto shape = shape_of(x, u, backwards);
  if (!shape) return wrong_shape("lstm_forward", kLstm);
  const auto [type, weights, b, t, d, units, _] = *shape;
  Check check(x, w);
  check.is(h0, {b, units}).is(c0, {b, units});
  check.weights(w, {d, 4 * units}).weights(u, {units, 4 * units});
  check.maybe_weights(bias, {4 * units}).mask(mask, b, t).numbers(numbers, b, t);
  check.maybe(*y, {b, t, units}).is(*h, {b, units}).is(*c, {b, units});
  check.maybe(*gates, {t, b, 4 * units}).maybe(*cells, {t, b, units});
  if (!check || empty(*gates) != empty(*cells)) return wrong_shape("lstm_forward", kLstm);
  return lstm_forward(pool, *shape,
                      {x.untyped_data(), h0.untyped_data(), c0.untyped_data(), w.untyped_data(),
                       u.untyped_data(), data(bias), mask_data(mask), numbers_data(numbers)},
                      {data(y), data(h), data(c), data(gates), data(cells)});
}

ffi::Error lstm_backward_handler(ffi::ThreadPool pool, Array x, Array h0, Array c0, Array w,
                                 Array u, Array mask, Array numbers, Array y, Array gates,
                                 Array cells, Array dy, Array dh, Array dc, Output dx, Output dh0,
                                 Output dc0, Output dw, Output du, Output d_bias, bool backwards) {
  const auto shape = shape_of(x, u, backwards);
  if (!shape) return wrong_shape("lstm_backward", kLstm);
  const auto [type, weights, b, t, d, units, _] = *shape;
  Check check(x, w);
  check.is(h0, {b, units}).is(c0, {b, units});
  check.weights(w, {d, 4 * units}).weights(u, {units, 4 * units});
  check.mask(mask, b, t).numbers(numbers, b, t).is(y, {b, t, units}).is(gates, {t, b, 4 * units});
  check.is(cells, {t, b, units}).maybe(dy, {b, t, units}).is(dh, {b, units}).is(dc, {b, units});
  check.is(*dx, {b, t, d}).is(*dh0, {b, units}).is(*dc0, {b, units});
  check.weights(*dw, {d, 4 * units})
      .weights(*du, {units, 4 * units})
      .maybe_weights(*d_bias, {4 * units});
  if (!check) return wrong_shape("lstm_backward", kLstm);
  return lstm_backward(pool, *shape,
                       {x.untyped_data(), h0.untyped_data(), c0.untyped_data(), w.untyped_data(),
                        u.untyped_data(), nullptr, mask_data(mask), numbers_data(numbers)},
                       {data(y), data(gates), data(cells), data(dy), data(dh), data(dc), data(dx),
                        data(dh0), data(dc0), data(dw), data(du), data(d_bias)});
}

constexpr const char* kGru =
    "x (b, t, d), h0 (b, u), W (d, 3u), U (u, 3u), bias (3u,), with reset_after (2, 3u), or empty, "
    "mask "
    "and int32 numbers (b, t) or empty, float32 or bfloat16, weights of that type or float32, no "
    "size 0";

// An array (3u,), or with reset_after (2, 3u), or empty.
void check_bias(Check& check, const Array& bias, bool reset_after, int64_t units) {
  if (reset_after) {
    check.maybe_weights(bias, {2, 3 * units});
  } else {
    check.maybe_weights(bias, {3 * units});
  }
}

ffi::Error gru_forward_handler(ffi::ThreadPool pool, Array x, Array h0, Array w, Array u,
                               Array bias, Array mask, Array numbers, Output y, Output h,
                               Output gates, bool backwards, bool reset_after) {
  const auto shape = shape_of(x, u, backwards);
  if (!shape) return wrong_shape("gru_forward", kGru);
  const auto [type, weights, b, t, d, units, _] = *shape;
  Check check(x, w);
  check.is(h0, {b, units}).mask(mask, b, t).numbers(numbers, b, t);
  check.weights(w, {d, 3 * units}).weights(u, {units, 3 * units});
  check_bias(check, bias, reset_after, units);
  check.maybe(*y, {b, t, units}).is(*h, {b, units});
  check.maybe(*gates, {t, b, (reset_after ? 4 : 3) * units});
  if (!check) return wrong_shape("gru_forward", kGru);
  return gru_forward(pool, *shape, reset_after,
                     {x.untyped_data(), h0.untyped_data(), nullptr, w.untyped_data(),
                      u.untyped_data(), data(bias), mask_data(mask), numbers_data(numbers)},
                     {data(y), data(h), nullptr, data(gates), nullptr});
}

ffi::Error gru_backward_handler(ffi::ThreadPool pool, Array x, Array h0, Array w, Array u,
                                Array mask, Array numbers, Array y, Array gates, Array dy, Array dh,
                                Output dx, Output dh0, Output dw, Output du, Output d_bias,
                                bool backwards, bool reset_after) {
  const auto shape = shape_of(x, u, backwards);
  if (!shape) return wrong_shape("gru_backward", kGru);
  const auto [type, weights, b, t, d, units, _] = *shape;
  Check check(x, w);
  check.is(h0, {b, units}).mask(mask, b, t).numbers(numbers, b, t);
  check.weights(w, {d, 3 * units}).weights(u, {units, 3 * units});
  check.is(y, {b, t, units}).is(gates, {t, b, (reset_after ? 4 : 3) * units});
  check.maybe(dy, {b, t, units}).is(dh, {b, units}).is(*dx, {b, t, d}).is(*dh0, {b, units});
  check.weights(*dw, {d, 3 * units}).weights(*du, {units, 3 * units});
  check_bias(check, *d_bias, reset_after, units);
  if (!check) return wrong_shape("gru_backward", kGru);
  return gru_backward(pool, *shape, reset_after,
                      {x.untyped_data(), h0.untyped_data(), nullptr, w.untyped_data(),
                       u.untyped_data(), nullptr, mask_data(mask), numbers_data(numbers)},
                      {data(y), data(gates), nullptr, data(dy), data(dh), nullptr, data(dx),
                       data(dh0), nullptr, data(dw), data(du), data(d_bias)});
}

XLA_FFI_DEFINE_HANDLER(kLstmForward, lstm_forward_handler,
                       takes<1>()         // x
                           .Arg<Array>()  // h0
                           .Arg<Array>()  // c0
                           .Arg<Array>()  // W
                           .Arg<Array>()  // U
                           .Arg<Array>()  // bias
                           .Arg<Array>()  // mask
                           .Arg<Array>()  // numbers
                           .Ret<Array>()  // y
                           .Ret<Array>()  // h
                           .Ret<Array>()  // c
                           .Ret<Array>()  // gates
                           .Ret<Array>()  // cells
                           .Attr<bool>("backwards"));
XLA_FFI_DEFINE_HANDLER(kLstmBackward, lstm_backward_handler,
                       takes<1>()         // x
                           .Arg<Array>()  // h0
                           .Arg<Array>()  // c0
                           .Arg<Array>()  // W
                           .Arg<Array>()  // U
                           .Arg<Array>()  // mask
                           .Arg<Array>()  // numbers
                           .Arg<Array>()  // y
                           .Arg<Array>()  // gates
                           .Arg<Array>()  // cells
                           .Arg<Array>()  // dy
                           .Arg<Array>()  // dh
                           .Arg<Array>()  // dc
                           .Ret<Array>()  // dx
                           .Ret<Array>()  // dh0
                           .Ret<Array>()  // dc0
                           .Ret<Array>()  // dW
                           .Ret<Array>()  // dU
                           .Ret<Array>()  // d_bias
                           .Attr<bool>("backwards"));
XLA_FFI_DEFINE_HANDLER(kGruForward, gru_forward_handler,
                       takes<1>()         // x
                           .Arg<Array>()  // h0
                           .Arg<Array>()  // W
                           .Arg<Array>()  // U
                           .Arg<Array>()  // bias
                           .Arg<Array>()  // mask
                           .Arg<Array>()  // numbers
                           .Ret<Array>()  // y
                           .Ret<Array>()  // h
                           .Ret<Array>()  // gates
                           .Attr<bool>("backwards")
                           .Attr<bool>("reset_after"));
XLA_FFI_DEFINE_HANDLER(kGruBackward, gru_backward_handler,
                       takes<1>()         // x
                           .Arg<Array>()  // h0
                           .Arg<Array>()  // W
                           .Arg<Array>()  // U
                           .Arg<Array>()  // mask
                           .Arg<Array>()  // numbers
                           .Arg<Array>()  // y
                           .Arg<Array>()  // gates
                           .Arg<Array>()  // dy
                           .Arg<Array>()  // dh
                           .Ret<Array>()  // dx
                           .Ret<Array>()  // dh0
                           .Ret<Array>()  // dW
                           .Ret<Array>()  // dU
                           .Ret<Array>()  // d_bias
                           .Attr<bool>("backwards")
                           .Attr<bool>("reset_after"));

}  // namespace
}  // namespace hornbeam::recurrent

hornbeam::Handlers hornbeam::recurrent_handlers() {
  return {{"hornbeam_lstm_forward", recurrent::kLstmForward},
          {"hornbeam_lstm_backward", recurrent::kLstmBackward},
          {"hornbeam_gru_forward", recurrent::kGruForward},
          {"hornbeam_gru_backward", recurrent::kGruBackward}};
}

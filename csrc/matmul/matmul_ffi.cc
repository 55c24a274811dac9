// The handler of matmul/matmul.h.
#include "matmul/matmul.h"

#include "core/handlers.h"

namespace hornbeam::matmul {
namespace {

namespace ffi = xla::ffi;
using Array = ffi::AnyBuffer;
using Output = ffi::Result<ffi::AnyBuffer>;

ffi::Error multiply_handler(ffi::ThreadPool pool, Array a, Array b, Output c, bool a_transposed,
                            bool b_transposed) {
  const auto type = type_of(a.element_type()), result = type_of(c->element_type());
  const auto of_a = a.dimensions(), of_b = b.dimensions();
  if (type && result && of_a.size() == 3 && of_b.size() == 3) {
    Shape s = {*type, *result, of_a[0], of_a[1], of_a[2], of_b[2], a_transposed, b_transposed};
    if (a_transposed) std::swap(s.m, s.k);
    if (b_transposed) s.n = of_b[1];
    const int64_t rows = b_transposed ? s.n : s.k, columns = b_transposed ? s.k : s.n;
    if (has_shape(b, a.element_type(), {s.z, rows, columns}) &&
        has_shape(*c, c->element_type(), {s.z, s.m, s.n}) &&
        (*result == *type || *result == Type::kFloat32)) {
      return multiply(pool, s, a.untyped_data(), b.untyped_data(), c->untyped_data());
    }
  }
  return wrong_shape("batched_matmul",
                     "a (z, m, k), or (z, k, m) where it is transposed, b (z, k, n), or (z, n, k), "
                     "and c (z, m, n), all "
                     "in float32 or all in bfloat16, but c may be in float32");
}

XLA_FFI_DEFINE_HANDLER(kMultiply, multiply_handler,
                       gives<1>(takes<2>()).Attr<bool>("a_transposed").Attr<bool>("b_transposed"));

}  // namespace
}  // namespace hornbeam::matmul

hornbeam::Handlers hornbeam::matmul_handlers() {
  return {{"hornbeam_batched_matmul", matmul::kMultiply}};
}

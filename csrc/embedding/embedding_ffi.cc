// The handler of embedding.h.
#include "embedding/embedding.h"

#include "core/handlers.h"

namespace hornbeam::embedding {
namespace {

namespace ffi = xla::ffi;

ffi::Error table_gradient_handler(ffi::ThreadPool pool, ffi::AnyBuffer indices, ffi::AnyBuffer dy,
                                  ffi::Result<ffi::AnyBuffer> table) {
  const auto type = type_of(dy.element_type());
  if (!type || dy.dimensions().size() != 2 || table->dimensions().size() != 2 ||
      !has_shape(indices, ffi::S32, {dy.dimensions()[0]}) || !countable(dy.dimensions()[0]) ||
      !has_shape(*table, dy.element_type(), {table->dimensions()[0], dy.dimensions()[1]})) {
    return wrong_shape(
        "embedding_table_gradient",
        "indices (m,) int32, m < 2^31, dy (m, d), table (n, d), float32 or bfloat16");
  }
  const Shape shape{*type, table->dimensions()[0], dy.dimensions()[1], dy.dimensions()[0]};
  return table_gradient(pool, shape, static_cast<const int32_t*>(indices.untyped_data()),
                        dy.untyped_data(), table->untyped_data());
}

XLA_FFI_DEFINE_HANDLER(kTableGradient, table_gradient_handler, gives<1>(takes<2>()));

}  // namespace
}  // namespace hornbeam::embedding

hornbeam::Handlers hornbeam::embedding_handlers() {
  return {{"hornbeam_embedding_table_gradient", embedding::kTableGradient}};
}

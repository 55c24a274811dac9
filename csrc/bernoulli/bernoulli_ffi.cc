// The handler of bernoulli.h.
#include "bernoulli/bernoulli.h"

#include "core/handlers.h"

namespace hornbeam::bernoulli {
namespace {

namespace ffi = xla::ffi;

ffi::Error draw_handler(ffi::ThreadPool pool, ffi::AnyBuffer key, ffi::Result<ffi::AnyBuffer> drawn,
                        int64_t limit) {
  if (!has_shape(key, ffi::DataType::U32, {2}) || drawn->element_type() != ffi::DataType::PRED ||
      limit < 0 || limit > 1 << 23) {
    return wrong_shape("bernoulli", "a key (2,) in uint32, a result of booleans, limit <= 2^23");
  }
  return draw(pool, static_cast<const uint32_t*>(key.untyped_data()), limit, drawn->element_count(),
              static_cast<bool*>(drawn->untyped_data()));
}

XLA_FFI_DEFINE_HANDLER(kDraw, draw_handler, gives<1>(takes<1>()).Attr<int64_t>("limit"));

}  // namespace
}  // namespace hornbeam::bernoulli

hornbeam::Handlers hornbeam::bernoulli_handlers() {
  return {{"hornbeam_bernoulli", bernoulli::kDraw}};
}

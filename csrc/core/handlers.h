// What all handlers share, and where they are listed. A handler checks types and shapes, for what
// XLA hands over is only as right as the call that was written in Python, and calls the pure C++.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/gemm.h"
#include "xla/ffi/api/ffi.h"

namespace hornbeam {

// The native type of a buffer; nothing where kernels don't know it.
inline std::optional<Type> type_of(xla::ffi::DataType type) {
  if (type == xla::ffi::DataType::F32) return Type::kFloat32;
  if (type == xla::ffi::DataType::BF16) return Type::kBFloat16;
  return std::nullopt;
}

inline bool has_shape(const xla::ffi::AnyBuffer& buffer, xla::ffi::DataType type,
                      std::initializer_list<int64_t> dimensions) {
  const auto actual = buffer.dimensions();
  return buffer.element_type() == type && actual.size() == dimensions.size() &&
         std::equal(dimensions.begin(), dimensions.end(), actual.begin());
}

// The optional last argument of a handler into `data`, null where it is not given; false where
// there are more, or its shape is another.
inline bool optional(const xla::ffi::RemainingArgs& rest, xla::ffi::DataType type,
                     std::initializer_list<int64_t> dimensions, const void** data) {
  *data = nullptr;
  if (rest.size() == 0) return true;
  auto array = rest.get<xla::ffi::AnyBuffer>(0);
  if (rest.size() > 1 || !array.has_value() || !has_shape(*array, type, dimensions)) return false;
  *data = array->untyped_data();
  return true;
}

inline xla::ffi::Error wrong_shape(const char* kernel, const char* expected) {
  return xla::ffi::Error::InvalidArgument(std::string(kernel) + ": expected " + expected);
}

// `binding` with so many arrays, at least one, as further arguments, and as results. It can be
// neither copied nor moved, only be what a function makes.
template <size_t count, typename Binding>
auto with_arguments(Binding&& binding) {
  if constexpr (count == 1) {
    return std::move(binding).template Arg<xla::ffi::AnyBuffer>();
  } else {
    return with_arguments<count - 1>(std::move(binding).template Arg<xla::ffi::AnyBuffer>());
  }
}
template <size_t count, typename Binding>
auto gives(Binding&& binding) {
  if constexpr (count == 1) {
    return std::move(binding).template Ret<xla::ffi::AnyBuffer>();
  } else {
    return gives<count - 1>(std::move(binding).template Ret<xla::ffi::AnyBuffer>());
  }
}

// What a handler takes first: XLA's threads and so many arrays. `gives<2>(takes<3>())` binds two
// results to three.
template <size_t count>
auto takes() {
  return with_arguments<count>(xla::ffi::Ffi::Bind().Ctx<xla::ffi::ThreadPool>());
}

// The names that Python calls, and the handlers; each kernel has its own.
using Handlers = std::vector<std::pair<const char*, XLA_FFI_Handler*>>;
Handlers attention_handlers();
Handlers matmul_handlers();
Handlers bernoulli_handlers();
Handlers conv_handlers();
Handlers dense_handlers();
Handlers embedding_handlers();
Handlers normalization_handlers();
Handlers pool_handlers();
Handlers recurrent_handlers();
Handlers updates_handlers();

}  // namespace hornbeam

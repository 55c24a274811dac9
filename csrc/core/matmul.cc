#include "core/matmul.h"

#include <algorithm>
#include <cstring>

#include "core/bfloat16.h"
#include "core/cpu.h"
#include "core/onednn.h"
#include "core/parallel.h"

namespace hornbeam {
namespace {

namespace ffi = xla::ffi;
using dnnl::memory;

// Rows and columns are dealt out in multiples of the widest register, in float32.
constexpr int64_t kGrain = 16;

const char* at(const void* data, int64_t element, Type type) {
  return static_cast<const char*>(data) + element * size_of(type);
}

memory::desc describe(const Matrix& m, Type type) {
  return {{m.rows, m.columns}, dnnl_type(type), {m.row_stride, m.column_stride}};
}

// max(c, 0), by a pass of its own because oneDNN's relu makes 0 of NaN, which must stay seen.
template <typename T>
ALWAYS_INLINE void relu(T* c, int64_t rows, int64_t columns, int64_t stride) {
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t i = 0; i < columns; ++i) {
      T& value = c[row * stride + i];
      value = widen(value) < 0 ? T{} : value;
    }
  }
}

template <typename T>
TARGET_AVX512 void relu_avx512(T* c, int64_t rows, int64_t columns, int64_t stride) {
  relu(c, rows, columns, stride);
}
template <typename T>
TARGET_AVX2 void relu_avx2(T* c, int64_t rows, int64_t columns, int64_t stride) {
  relu(c, rows, columns, stride);
}
template <typename T>
void relu_base(T* c, int64_t rows, int64_t columns, int64_t stride) {
  relu(c, rows, columns, stride);
}

template <typename T>
void relu_in_place(void* c, int64_t rows, int64_t columns, int64_t stride) {
  pick(relu_avx512<T>, relu_avx2<T>, relu_base<T>)(static_cast<T*>(c), rows, columns, stride);
}

}  // namespace

void multiply(Type type, const Matrix& a, const Matrix& b, const void* bias, void* c,
              int64_t c_stride) {
  onednn::Key key("matmul");
  key.add(static_cast<int64_t>(type)).add({a.rows, a.columns, b.columns});
  key.add({a.row_stride, a.column_stride, b.row_stride, b.column_stride, c_stride});
  key.add(bias != nullptr);
  auto primitive = onednn::primitive(key, [&](const dnnl::engine& engine) {
    const memory::desc a_desc = describe(a, type), b_desc = describe(b, type);
    const memory::desc c_desc({a.rows, b.columns}, dnnl_type(type), {c_stride, 1});
    memory::desc bias_desc;
    if (bias) bias_desc = {{1, b.columns}, dnnl_type(type), memory::format_tag::ab};
    const dnnl::primitive_attr attr = onednn::attributes();
    using Description = dnnl::matmul::primitive_desc;
    const auto pd = bias ? Description(engine, a_desc, b_desc, bias_desc, c_desc, attr)
                         : Description(engine, a_desc, b_desc, c_desc, attr);
    return std::make_shared<onednn::Primitive>(
        pd, dnnl::matmul(pd),
        std::initializer_list<std::pair<int, memory::desc>>{{DNNL_ARG_SRC, a_desc},
                                                            {DNNL_ARG_WEIGHTS, b_desc},
                                                            {DNNL_ARG_BIAS, bias_desc},
                                                            {DNNL_ARG_DST, c_desc}});
  });
  primitive->run({{DNNL_ARG_SRC, a.data},
                  {DNNL_ARG_WEIGHTS, b.data},
                  {DNNL_ARG_BIAS, bias},
                  {DNNL_ARG_DST, c}});
}

memory::data_type dnnl_type(Type type) {
  return type == Type::kFloat32 ? memory::data_type::f32 : memory::data_type::bf16;
}

ffi::Error matmul(ffi::ThreadPool& pool, Type type, const Matrix& a, const Matrix& b,
                  const void* bias, bool relu, void* c) {
  const int64_t rows = a.rows, columns = b.columns, inner = a.columns;
  if (rows == 0 || columns == 0) return ffi::Error::Success();
  if (inner == 0) {
    if (bias) return ffi::Error::InvalidArgument("matmul: a bias needs an inner size above 0");
    std::memset(c, 0, rows * columns * size_of(type));
    return ffi::Error::Success();
  }
  // Along the longer side: each slice then shares the smaller matrix with the others.
  const bool by_rows = rows >= columns;
  const int64_t items = by_rows ? rows : columns;
  const int64_t slices = std::min(slice_count(pool, 2 * rows * columns * inner),
                                  (items + kGrain - 1) / kGrain);
  return parallel_for(pool, slices, [&](int64_t slice) {
    const int64_t begin = slice_begin(slice, slices, items, kGrain);
    const int64_t count = slice_begin(slice + 1, slices, items, kGrain) - begin;
    Matrix part_a = a, part_b = b;
    const void* part_bias = bias;
    int64_t offset = 0;
    if (by_rows) {
      part_a.data = at(a.data, begin * a.row_stride, type);
      part_a.rows = count;
      offset = begin * columns;
    } else {
      part_b.data = at(b.data, begin * b.column_stride, type);
      part_b.columns = count;
      if (bias) part_bias = at(bias, begin, type);
      offset = begin;
    }
    void* part_c = const_cast<char*>(at(c, offset, type));
    multiply(type, part_a, part_b, part_bias, part_c, columns);
    if (!relu) return;
    auto* pass = type == Type::kFloat32 ? relu_in_place<float> : relu_in_place<BFloat16>;
    pass(part_c, part_a.rows, part_b.columns, columns);
  });
}

}  // namespace hornbeam

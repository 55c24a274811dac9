#include "core/matmul.h"

#include <algorithm>
#include <cstring>

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

// One product on this thread; rows of c are `c_stride` apart.
void multiply(Type type, const Matrix& a, const Matrix& b, const void* bias, bool relu, void* c,
              int64_t c_stride) {
  onednn::Key key("matmul");
  key.add(static_cast<int64_t>(type)).add({a.rows, a.columns, b.columns});
  key.add({a.row_stride, a.column_stride, b.row_stride, b.column_stride, c_stride});
  key.add({bias != nullptr, relu});
  auto primitive = onednn::primitive(key, [&](const dnnl::engine& engine) {
    const memory::desc a_desc = describe(a, type), b_desc = describe(b, type);
    const memory::desc c_desc({a.rows, b.columns}, dnnl_type(type), {c_stride, 1});
    memory::desc bias_desc;
    if (bias) bias_desc = {{1, b.columns}, dnnl_type(type), memory::format_tag::ab};
    dnnl::primitive_attr attr = onednn::attributes();
    if (relu) {
      dnnl::post_ops ops;
      ops.append_eltwise(dnnl::algorithm::eltwise_relu, 0, 0);
      attr.set_post_ops(ops);
    }
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

}  // namespace

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
    multiply(type, part_a, part_b, part_bias, relu, const_cast<char*>(at(c, offset, type)),
             columns);
  });
}

}  // namespace hornbeam

#include "core/gemm.h"

#include <algorithm>
#include <cstring>
#include <type_traits>
#include <vector>

#include "core/bfloat16.h"
#include "core/divide.h"
#include "core/onednn.h"
#include "core/parallel.h"
#include "core/tiles.h"
#include "core/vector.h"
#include "core/zeros.h"

namespace hornbeam {
namespace {

namespace ffi = xla::ffi;
using dnnl::memory;

// Rows and columns are dealt out in multiples of the widest register, in float32.
constexpr int64_t kGrain = 16;

// What an element of a copy costs, as arithmetic that takes as long.
constexpr int64_t kCopyOperations = 4;

memory::desc describe(const Matrix& m, Type type) {
  return {{m.rows, m.columns}, dnnl_type(type), {m.row_stride, m.column_stride}};
}

// `rows` x `columns` elements of `from`, where `mask` (may be null) is above 0 and 0 elsewhere,
// into `to` (may be null), and their sum over the rows added to `sums` (may be null).
template <typename From, typename To>
struct Copy {
  int64_t rows, columns;
  const From *from, *mask;
  To* to;
  float* sums;
};

template <typename From, typename To>
ALWAYS_INLINE void copy(const Copy<From, To>& c) {
  for (int64_t row = 0; row < c.rows; ++row) {
    for (int64_t i = 0; i < c.columns; i += kLanes) {
      const int64_t at = row * c.columns + i, count = c.columns - i;
      Vector v = load(c.from + at, count);
      if (c.mask) v = load(c.mask + at, count) > 0 ? v : Vector{};
      if (c.to) store(v, c.to + at, count);
      if (c.sums) store(load(c.sums + i, count) + v, c.sums + i, count);
    }
  }
}

template <typename From, typename To>
TARGET_AVX512 void copy_avx512(const Copy<From, To>& c) {
  copy(c);
}
template <typename From, typename To>
TARGET_AVX2 void copy_avx2(const Copy<From, To>& c) {
  copy(c);
}
template <typename From, typename To>
void copy_base(const Copy<From, To>& c) {
  copy(c);
}

// Gives `m`, a matrix of `From`, as one of `To` without a mask, in this thread's scratch memory of
// that number where it has to be made; `sums` (may be null) receives the sum of its rows.
template <typename From, typename To>
ffi::Error prepare(ffi::ThreadPool& pool, Matrix* m, int number, float* sums) {
  const bool is_made = m->mask || !std::is_same_v<From, To>;
  if (!is_made && !sums) return ffi::Error::Success();
  const bool is_transposed = m->column_stride != 1;
  const Matrix from = is_transposed ? m->transposed() : *m;
  const int64_t columns = from.columns;
  To* to = nullptr;
  if (is_made) to = static_cast<To*>(onednn::scratch(number, from.rows * columns * sizeof(To)));
  const int64_t slices = slice_count(pool, kCopyOperations * from.rows * columns);
  std::vector<float> parts(sums ? slices * columns : 0);
  auto* run = pick(copy_avx512<From, To>, copy_avx2<From, To>, copy_base<From, To>);
  ffi::Error error = parallel_for(pool, slices, [&](int64_t slice) {
    const int64_t begin = slice_begin(slice, slices, from.rows, 1);
    const int64_t end = slice_begin(slice + 1, slices, from.rows, 1);
    const int64_t at = begin * columns;
    run({end - begin, columns, static_cast<const From*>(from.data) + at,
         from.mask ? static_cast<const From*>(from.mask) + at : nullptr, to ? to + at : nullptr,
         sums ? parts.data() + slice * columns : nullptr});
  });
  if (is_made) *m = Matrix::of(to, from.rows, columns);
  if (is_made && is_transposed) *m = m->transposed();
  for (int64_t i = 0; sums && i < columns; ++i) {
    sums[i] = 0;
    for (int64_t slice = 0; slice < slices; ++slice) sums[i] += parts[slice * columns + i];
  }
  return error;
}

ffi::Error prepare(ffi::ThreadPool& pool, Type from, Type to, Matrix* m, int number, float* sums) {
  if (from == Type::kBFloat16) return prepare<BFloat16, BFloat16>(pool, m, number, sums);
  if (to == Type::kBFloat16) return prepare<float, BFloat16>(pool, m, number, sums);
  return prepare<float, float>(pool, m, number, sums);
}

// max(c, 0), by a pass of its own because oneDNN's relu makes 0 of NaN, which must stay seen.
template <typename T>
ALWAYS_INLINE void relu(T* c, int64_t rows, int64_t columns, int64_t stride) {
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t i = 0; i < columns; i += kLanes) {
      T* at = c + row * stride + i;
      const Vector v = load(at, columns - i);
      store(v < 0 ? Vector{} : v, at, columns - i);
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

void multiply_by_onednn(const Types& types, const Matrix& a, const Matrix& b, const float* bias,
                        void* c, int64_t c_stride) {
  onednn::Key key("gemm");
  key.add({static_cast<int64_t>(types.a), static_cast<int64_t>(types.c)});
  key.add({a.rows, a.columns, b.columns});
  key.add({a.row_stride, a.column_stride, b.row_stride, b.column_stride, c_stride});
  key.add(bias != nullptr);
  auto primitive = onednn::primitive(key, [&](const dnnl::engine& engine) {
    const memory::desc a_desc = describe(a, types.a), b_desc = describe(b, types.b);
    const memory::desc c_desc({a.rows, b.columns}, dnnl_type(types.c), {c_stride, 1});
    memory::desc bias_desc;
    if (bias) bias_desc = {{1, b.columns}, memory::data_type::f32, memory::format_tag::ab};
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

}  // namespace

memory::data_type dnnl_type(Type type) {
  return type == Type::kFloat32 ? memory::data_type::f32 : memory::data_type::bf16;
}

void multiply(const Types& types, const Matrix& a, const Matrix& b, const float* bias, void* c,
              int64_t c_stride) {
  Extras extras;
  extras.bias = bias;
  if (tiles::suits(types)) {
    tiles::multiply(types, a, b, extras, c, c_stride);
  } else {
    multiply_by_onednn(types, a, b, bias, c, c_stride);
  }
}

ffi::Error gemm(ffi::ThreadPool& pool, const Types& types, const Matrix& a, const Matrix& b,
                void* c, const Extras& extras) {
  const int64_t rows = a.rows, columns = b.columns, inner = a.columns;
  const zeros::Factor skipped = zeros::worth_skipping(pool, types, a, b, extras);
  const bool skips = skipped != zeros::Factor::kNone;
  if (!skips && rows > 0 && columns > 0 && inner > 0 && tiles::suits(types)) {
    return tiles::gemm(pool, types, a, b, c, extras);
  }
  Matrix left = a, right = b;
  ffi::Error error = prepare(pool, types.a, types.a, &left, 1, nullptr);
  if (error.success())
    error = prepare(pool, types.b, skips ? types.b : types.a, &right, 2, extras.b_sums);
  if (error.success() && skips) return zeros::gemm(pool, skipped, types, left, right, c, extras);
  if (error.failure() || rows == 0 || columns == 0) return error;
  if (inner == 0) {
    if (extras.bias) return ffi::Error::InvalidArgument("gemm: a bias needs an inner size above 0");
    std::memset(c, 0, rows * columns * size_of(types.c));
    return error;
  }
  const Types plain(types.a, types.a, types.c);
  // Along the longer side: each slice then shares the smaller matrix with the others.
  const bool by_rows = rows >= columns;
  const int64_t items = by_rows ? rows : columns;
  const int64_t slices =
      std::min(slice_count(pool, 2 * rows * columns * inner), divided_up(items, kGrain));
  return parallel_for(pool, slices, [&](int64_t slice) {
    const int64_t begin = slice_begin(slice, slices, items, kGrain);
    const int64_t count = slice_begin(slice + 1, slices, items, kGrain) - begin;
    Matrix part_a = left, part_b = right;
    const float* bias = extras.bias;
    int64_t offset = 0;
    if (by_rows) {
      part_a.data = at(left.data, begin * left.row_stride, plain.a);
      part_a.rows = count;
      offset = begin * columns;
    } else {
      part_b.data = at(right.data, begin * right.column_stride, plain.b);
      part_b.columns = count;
      if (bias) bias += begin;
      offset = begin;
    }
    void* part_c = const_cast<char*>(at(c, offset, plain.c));
    multiply_by_onednn(plain, part_a, part_b, bias, part_c, columns);
    if (!extras.relu) return;
    auto* pass = plain.c == Type::kFloat32 ? relu_in_place<float> : relu_in_place<BFloat16>;
    pass(part_c, part_a.rows, part_b.columns, columns);
  });
}

}  // namespace hornbeam

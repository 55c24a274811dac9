#include "recurrent/parts.h"

#include <cstring>

#include "core/bfloat16.h"
#include "core/divide.h"
#include "core/parallel.h"
#include "core/products.h"
#include "recurrent/gates.h"

namespace hornbeam::recurrent {
namespace {

namespace ffi = xla::ffi;
using dnnl::memory;

// With fewer rows the reading of the weights, not the arithmetic, is what takes time, and a second
// thread would only read them again.
constexpr int64_t kRowsPerSlice = 4;

// What a chunk of steps may take, so that it stays in a core's second cache beside the weights. On
// 1 MiB of it an eighth to all of this made no difference; the whole sequence at once was 6 %
// slower.
constexpr int64_t kChunkBytes = 512 << 10;

// From so many rows on our own product is the quicker one: it starts at once, where oneDNN takes
// half a microsecond. For all rows of some steps together it is 4 % of an LSTM's training step.
constexpr int64_t kFewestRows = 4;

#define BODY "recurrent/parts.inc"
#include "core/processors.inc"

// Own products fill rows of c by whole registers, and read a by whole words.
bool has_own_product(Type type, int64_t rows, int64_t k, int64_t n) {
  if (rows < kFewestRows || k % 2 != 0 || n % 16 != 0) return false;
  return type == Type::kFloat32 ? cpu().avx512 : cpu().avx512_bf16;
}

memory::desc describe(const Matrix& m, Type type) {
  return {{m.rows, m.columns}, dnnl_type(type), {m.row_stride, m.column_stride}};
}

std::shared_ptr<onednn::Primitive> make_product(const dnnl::engine& engine, const memory::desc& a,
                                                const memory::desc& b, const memory::desc& c,
                                                bool add) {
  dnnl::primitive_attr attr = onednn::attributes();
  if (add) {
    dnnl::post_ops ops;
    ops.append_sum(1.0f);
    attr.set_post_ops(ops);
  }
  const dnnl::matmul::primitive_desc pd(engine, a, b, c, attr);
  return std::make_shared<onednn::Primitive>(
      pd, dnnl::matmul(pd),
      std::initializer_list<std::pair<int, memory::desc>>{{DNNL_ARG_SRC, pd.src_desc()},
                                                          {DNNL_ARG_WEIGHTS, pd.weights_desc()},
                                                          {DNNL_ARG_DST, pd.dst_desc()}});
}

template <typename T>
ALWAYS_INLINE void add_columns(const Columns<T>& c) {
  for (int64_t row = 0; row < c.rows; ++row) {
    const T* from = c.from + row * c.columns;
    float* sums = c.sums;
    INDEPENDENT
    for (int64_t i = 0; i < c.columns; ++i) sums[i] += widen(from[i]);
  }
}
FOR_EACH_CPU(add_columns, Columns)

template <typename T>
struct Conversion {
  const T* narrow_from;  // one of the two pairs is null
  float* wide_to;
  const float* wide_from;
  T* narrow_to;
  int64_t count;
};

template <typename T>
ALWAYS_INLINE void convert(const Conversion<T>& c) {
  if (c.wide_to) {
    INDEPENDENT
    for (int64_t i = 0; i < c.count; ++i) c.wide_to[i] = widen(c.narrow_from[i]);
  } else {
    INDEPENDENT
    for (int64_t i = 0; i < c.count; ++i) narrow(c.wide_from[i], c.narrow_to + i);
  }
}
FOR_EACH_CPU(convert, Conversion)

template <typename T>
struct Total {
  const float* from;
  int64_t slices, stride, count;
  T* to;
};

template <typename T>
ALWAYS_INLINE void total(const Total<T>& t) {
  constexpr int64_t kBlock = 1024;
  float sums[kBlock];
  for (int64_t begin = 0; begin < t.count; begin += kBlock) {
    const int64_t count = t.count - begin < kBlock ? t.count - begin : kBlock;
    INDEPENDENT
    for (int64_t i = 0; i < count; ++i) sums[i] = t.from[begin + i];
    for (int64_t slice = 1; slice < t.slices; ++slice) {
      const float* from = t.from + slice * t.stride + begin;
      INDEPENDENT
      for (int64_t i = 0; i < count; ++i) sums[i] += from[i];
    }
    INDEPENDENT
    for (int64_t i = 0; i < count; ++i) narrow(sums[i], t.to + begin + i);
  }
}
FOR_EACH_CPU(total, Total)

}  // namespace

Packed Packed::plan(Type type, int64_t rows, int64_t k, int64_t n) {
  if (has_own_product(type, rows, k, n)) return {type, rows, k, n, {}, true, nullptr};
  onednn::Key key("recurrent weights");
  key.add(static_cast<int64_t>(type)).add({rows, k, n});
  auto primitive = onednn::primitive(key, [&](const dnnl::engine& engine) {
    const memory::desc a({rows, k}, dnnl_type(type), memory::format_tag::ab);
    const memory::desc b({k, n}, dnnl_type(type), memory::format_tag::any);
    const memory::desc c({rows, n}, memory::data_type::f32, memory::format_tag::ab);
    return make_product(engine, a, b, c, false);
  });
  return {type, rows, k, n, primitive->layout(DNNL_ARG_WEIGHTS), false, nullptr};
}

void Packed::pack(const Matrix& from) const {
  if (panels) {
    return type == Type::kFloat32 ? avx512::pack<float>(from, data)
                                  : avx512_bf16::pack<Pair>(from, data);
  }
  onednn::Key key("recurrent pack");
  key.add(static_cast<int64_t>(type)).add({rows, k, n, from.row_stride, from.column_stride});
  auto primitive = onednn::primitive(key, [&](const dnnl::engine& engine) {
    const memory::desc source = describe(from, type);
    const dnnl::reorder::primitive_desc pd(engine, source, engine, layout, onednn::attributes());
    return std::make_shared<onednn::Primitive>(pd, dnnl::reorder(pd),
                                               std::initializer_list<std::pair<int, memory::desc>>{
                                                   {DNNL_ARG_FROM, source}, {DNNL_ARG_TO, layout}});
  });
  primitive->run({{DNNL_ARG_FROM, from.data}, {DNNL_ARG_TO, data}});
}

Product::Product(int64_t m, const Packed& b, bool add) {
  if (b.panels) {
    step_ = {m, b.k, b.n, add};
    multiply_ = b.type == Type::kFloat32 ? avx512::multiply<float> : avx512_bf16::multiply<Pair>;
    return;
  }
  onednn::Key key("recurrent product");
  key.add(static_cast<int64_t>(b.type)).add({m, b.rows, b.k, b.n, add});
  primitive_ = onednn::primitive(key, [&](const dnnl::engine& engine) {
    const memory::desc a({m, b.k}, dnnl_type(b.type), memory::format_tag::ab);
    const memory::desc c({m, b.n}, memory::data_type::f32, memory::format_tag::ab);
    return make_product(engine, a, b.layout, c, add);
  });
}

Product::Product(Type type, const Matrix& a, const Matrix& b, bool add) {
  onednn::Key key("recurrent plain product");
  key.add(static_cast<int64_t>(type)).add({a.rows, a.columns, b.columns, add});
  key.add({a.row_stride, a.column_stride, b.row_stride, b.column_stride});
  primitive_ = onednn::primitive(key, [&](const dnnl::engine& engine) {
    const memory::desc c({a.rows, b.columns}, memory::data_type::f32, memory::format_tag::ab);
    return make_product(engine, describe(a, type), describe(b, type), c, add);
  });
}

int64_t batch_slices(const ffi::ThreadPool& pool, const Shape& shape, int64_t columns) {
  const int64_t operations = 2 * shape.b * shape.t * (shape.d + shape.u) * columns;
  return std::min(slice_count(pool, operations), divided_up(shape.b, kRowsPerSlice));
}

int64_t chunk_steps(const Shape& shape, int64_t bytes_per_step) {
  return std::clamp<int64_t>(kChunkBytes / std::max<int64_t>(1, bytes_per_step), 1, shape.t);
}

void gather(const Shape& shape, const Window& w, const void* x, void* to) {
  const int64_t d = shape.d;
  for (int64_t s = 0; s < w.steps; ++s) {
    const int64_t time = time_of(shape, w.step + s);
    for (int64_t r = 0; r < w.rows; ++r) {
      std::memcpy(at(to, (s * w.rows + r) * d, shape.type),
                  at(x, ((w.row + r) * shape.t + time) * d, shape.type), d * size_of(shape.type));
    }
  }
}

void scatter(const Shape& shape, const Window& w, const float* from, void* x) {
  const int64_t d = shape.d;
  for (int64_t s = 0; s < w.steps; ++s) {
    const int64_t time = time_of(shape, w.step + s);
    for (int64_t r = 0; r < w.rows; ++r) {
      narrow_all(shape.type, from + (s * w.rows + r) * d, d,
                 at(x, ((w.row + r) * shape.t + time) * d, shape.type));
    }
  }
}

void gather_before(const Shape& shape, const Window& w, const void* h0, const void* y, void* to) {
  const int64_t u = shape.u;
  for (int64_t s = 0; s < w.steps; ++s) {
    const int64_t step = w.step + s;
    for (int64_t r = 0; r < w.rows; ++r) {
      const int64_t row = w.row + r;
      const char* from =
          step ? at(y, (row * shape.t + step - 1) * u, shape.type) : at(h0, row * u, shape.type);
      std::memcpy(at(to, (s * w.rows + r) * u, shape.type), from, u * size_of(shape.type));
    }
  }
}

const void* rounded_weights(const Shape& shape, const void* weights, int64_t count) {
  if (shape.weights == shape.type) return weights;
  void* rounded = onednn::scratch(3, count * size_of(shape.type));
  narrow_all(shape.type, static_cast<const float*>(weights), count, rounded);
  return rounded;
}

void widen_all(Type type, const void* from, int64_t count, float* to) {
  if (type == Type::kFloat32) {
    std::memcpy(to, from, count * sizeof(float));
  } else {
    convert_best<BFloat16>()({static_cast<const BFloat16*>(from), to, nullptr, nullptr, count});
  }
}

void narrow_all(Type type, const float* from, int64_t count, void* to) {
  if (type == Type::kFloat32) {
    std::memcpy(to, from, count * sizeof(float));
  } else {
    convert_best<BFloat16>()({nullptr, nullptr, from, static_cast<BFloat16*>(to), count});
  }
}

ffi::Error sum_slices(ffi::ThreadPool& pool, Type type, int64_t slices, int64_t stride,
                      std::initializer_list<Sum> sums) {
  int64_t all = 0;
  for (const Sum& sum : sums) all += sum.rows * sum.columns;
  const int64_t parts = slice_count(pool, 8 * slices * all);
  return parallel_for(pool, parts, [&](int64_t part) {
    for (const Sum& sum : sums) {
      if (!sum.to) continue;
      const int64_t first = slice_begin(part, parts, sum.rows, 1);
      const int64_t last = slice_begin(part + 1, parts, sum.rows, 1);
      for (int64_t row = first; row < last; ++row) {
        const float* from = sum.from + row * sum.columns;
        void* to = at(sum.to, row * sum.to_stride, type);
        if (type == Type::kFloat32) {
          total_best<float>()({from, slices, stride, sum.columns, static_cast<float*>(to)});
        } else {
          total_best<BFloat16>()({from, slices, stride, sum.columns, static_cast<BFloat16*>(to)});
        }
      }
    }
  });
}

void add_rows(Type type, const void* from, int64_t rows, int64_t columns, float* sums) {
  if (type == Type::kFloat32) {
    add_columns_best<float>()({static_cast<const float*>(from), rows, columns, sums});
  } else {
    add_columns_best<BFloat16>()({static_cast<const BFloat16*>(from), rows, columns, sums});
  }
}

}  // namespace hornbeam::recurrent

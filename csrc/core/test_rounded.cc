// Kernels in bfloat16 beside the same ones in float32, on numbers that both types hold: memory, and
// that nothing is computed in less than float32.
#include <cmath>

#include "conv/conv.h"
#include "pool/pool.h"
#include "core/cpu.h"
#include "embedding/embedding.h"
#include "normalization/normalization.h"
#include "recurrent/recurrent.h"
#include "core/testing.h"

namespace {

using hornbeam::BFloat16;
using hornbeam::Type;
using namespace hornbeam::testing;

// An array of that type.
class Stored {
 public:
  Stored(Type type, int64_t count)
      : type_(type), floats_(type == Type::kFloat32 ? count : 0), halves_(count - floats_.size()) {}
  // Numbers that bfloat16 holds, in [-scale, scale).
  Stored(Type type, int64_t count, uint32_t seed, float scale = 1) : Stored(type, count) {
    auto values = numbers(count, seed);
    for (float& value : values) value *= scale;
    halves_ = rounded(values);
    if (type == Type::kBFloat16) return;
    floats_ = this->values(Type::kBFloat16);
    halves_.clear();
  }

  void* data() {
    return type_ == Type::kFloat32 ? static_cast<void*>(floats_.data()) : halves_.data();
  }
  Floats values() const { return values(type_); }

 private:
  Floats values(Type type) const {
    if (type == Type::kFloat32) return floats_;
    Floats result(halves_.size());
    for (size_t i = 0; i < result.size(); ++i) result[i] = hornbeam::widen(halves_[i]);
    return result;
  }

  Type type_;
  Floats floats_;
  std::vector<BFloat16> halves_;
};

using Results = std::vector<Floats>;

// What is stored is rounded to 8 bits, once for each array that is in between.
template <typename Fn>
void in_both_types(const Fn& fn) {
  const Results actual = fn(Type::kBFloat16), expected = fn(Type::kFloat32);
  CHECK(actual.size() == expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    CHECK(actual[i].size() == expected[i].size());
    double difference = 0, size = 0;
    for (size_t j = 0; j < expected[i].size(); ++j) {
      if (std::isnan(actual[i][j]) && std::isnan(expected[i][j])) continue;  // of no rows
      difference += std::pow(actual[i][j] - expected[i][j], 2);
      size += std::pow(expected[i][j], 2);
    }
    CHECK(difference <= 1e-4 * size);  // 1 % of the norm
  }
}

Results layer_normalisation(Pool& pool, Type type, int64_t n, int64_t c) {
  auto view = pool.view();
  const hornbeam::normalization::Shape shape{type, n, c};
  Stored x(type, n * c, 1), dy(type, n * c, 2), y(type, n * c), dx(type, n * c);
  const auto gamma = numbers(c, 3), beta = numbers(c, 4);
  Floats mean(n), factor(n), d_gamma(c), d_beta(c);
  CHECK(layer_forward(view, shape, x.data(), gamma.data(), beta.data(), 1e-3f, y.data(),
                      mean.data(), factor.data())
            .success());
  CHECK(layer_backward(view, shape, x.data(), dy.data(), gamma.data(), mean.data(), factor.data(),
                       dx.data(), d_gamma.data(), d_beta.data())
            .success());
  return {y.values(), mean, factor, dx.values(), d_gamma, d_beta};
}

Results batch_normalisation(Pool& pool, Type type, int64_t n, int64_t c) {
  auto view = pool.view();
  const hornbeam::normalization::Shape shape{type, n, c};
  Stored x(type, n * c, 1), dy(type, n * c, 2), other(type, n * c, 3);
  Stored y(type, n * c), dx(type, n * c), dz(type, n * c);
  const Floats gamma(c, 2), beta(c, 1);
  Floats mean(c), variance(c), d_gamma(c), d_beta(c), sums(c), products(c);
  CHECK(moments(view, shape, x.data(), mean.data(), variance.data()).success());
  CHECK(hornbeam::normalization::products(view, shape, x.data(), dy.data(), sums.data(),
                                          products.data())
            .success());
  const hornbeam::normalization::Batch batch{mean.data(), variance.data(), gamma.data(),
                                             beta.data(), 1e-3f};
  CHECK(batch_forward(view, shape, x.data(), batch, other.data(), true, y.data()).success());
  CHECK(batch_backward(view, shape, x.data(), dy.data(), other.data(), batch, y.data(), dx.data(),
                       dz.data(), d_gamma.data(), d_beta.data())
            .success());
  return {mean, variance, sums, products, y.values(), dx.values(), dz.values(), d_gamma, d_beta};
}

Results pools(Pool& pool, Type type, int64_t b, int64_t side, int64_t c, int64_t size,
              int64_t stride) {
  auto view = pool.view();
  const int64_t out = (side - size) / stride + 1;
  const hornbeam::pool::Shape shape{
      type, b, {side, side, c, out, out, {size, size}, {stride, stride}, {0, 0}, 0, 0}};
  const int64_t inputs = b * side * side * c, outputs = b * out * out * c;
  Stored x(type, inputs, 1), dy(type, outputs, 2);
  Stored y(type, outputs), mean(type, outputs), dx(type, inputs), d_mean(type, inputs);
  std::vector<uint8_t> argmax(outputs);
  CHECK(max_forward(view, shape, x.data(), y.data(), argmax.data()).success());
  CHECK(max_gradient(view, shape, dy.data(), argmax.data(), dx.data()).success());
  CHECK(average_forward(view, shape, x.data(), mean.data()).success());
  CHECK(average_gradient(view, shape, dy.data(), d_mean.data()).success());
  return {y.values(), mean.values(), dx.values(), d_mean.values()};
}

Results table_gradients(Pool& pool, Type type, int64_t n, int64_t d, int64_t m) {
  auto view = pool.view();
  std::vector<int32_t> indices(m);
  for (int64_t i = 0; i < m; ++i) indices[i] = static_cast<int32_t>(i * 7 % (n + 2)) - 1;
  Stored dy(type, m * d, 1), table(type, n * d);
  const hornbeam::embedding::Shape shape{type, n, d, m};
  CHECK(table_gradient(view, shape, indices.data(), dy.data(), table.data()).success());
  return {table.values()};
}

// Convolution with relu, and with pooling behind that. What relu lets through and where a maximum
// lies is handed over, so that both types decide alike.
struct Convolution {
  int64_t b, side, c, window, f, stride, pad, groups = 1, dilation = 1;

  hornbeam::conv::Shape shape(Type type) const {
    hornbeam::conv::Shape s{type, b, side,   side, c,  window, window, f,
                            0,    0, groups, {},   {}, {},     {}};
    s.stride = {stride, stride}, s.dilation = {dilation, dilation};
    s.before = s.after = {pad, pad};
    s.oh = s.ow = hornbeam::conv::output_size(side, window, stride, dilation, pad, pad);
    return s;
  }

  Results plain(Pool& pool, Type type) const {
    auto view = pool.view();
    const auto s = shape(type);
    const int64_t inputs = b * side * side * c, outputs = b * s.oh * s.ow * f;
    Stored x(type, inputs, 1), kernel(type, s.kernel_size(), 2, 0.3f), bias(type, f, 3),
        dy(type, outputs, 4);
    Stored mask(type, outputs, 5), y(type, outputs), dx(type, inputs), dk(type, s.kernel_size()),
        db(type, f);
    CHECK(forward(view, s, x.data(), kernel.data(), bias.data(), true, y.data()).success());
    CHECK(input_gradient(view, s, dy.data(), kernel.data(), mask.data(), dx.data()).success());
    CHECK(
        weight_gradient(view, s, x.data(), dy.data(), mask.data(), dk.data(), db.data()).success());
    return {y.values(), dx.values(), dk.values(), db.values()};
  }

  Results pooled(Pool& pool, Type type) const {
    auto view = pool.view();
    const auto s = shape(type);
    const int64_t inputs = b * side * side * c, outputs = b * (s.oh / 2) * (s.ow / 2) * f;
    Stored x(type, inputs, 1), kernel(type, s.kernel_size(), 2, 0.3f), bias(type, f, 3),
        dy(type, outputs, 4);
    Stored y(type, outputs), dx(type, inputs), dk(type, s.kernel_size()), db(type, f);
    std::vector<uint8_t> own(outputs), argmax(outputs);
    for (int64_t i = 0; i < outputs; ++i) argmax[i] = i * i % 5;  // 4: nothing was let through
    CHECK(pool_forward(view, s, x.data(), kernel.data(), bias.data(), y.data(), own.data())
              .success());
    for (uint8_t each : own) CHECK(each <= 4);
    CHECK(
        pool_input_gradient(view, s, dy.data(), argmax.data(), kernel.data(), dx.data()).success());
    CHECK(pool_weight_gradient(view, s, x.data(), dy.data(), argmax.data(), dk.data(), db.data())
              .success());
    return {y.values(), dx.values(), dk.values(), db.values()};
  }
};

enum class Cell { kLstm, kGru, kGruBefore };

Results recurrent(Pool& pool, Cell cell, Type type, Type weights, int64_t b, int64_t t, int64_t d,
                  int64_t u) {
  using namespace hornbeam::recurrent;
  auto view = pool.view();
  const bool lstm = cell == Cell::kLstm, after = cell == Cell::kGru;
  const Shape shape{type, weights, b, t, d, u, false};
  const int64_t k = (lstm ? 4 : 3) * u, saved = after ? 4 * u : k, biases = (after ? 2 : 1) * k,
                states = b * u;
  Stored x(type, b * t * d, 1), h0(type, states, 2), c0(type, states, 3), dy(type, t * states, 7);
  Stored w(weights, d * k, 4, 0.3f), recurrent(weights, u * k, 5, 0.3f), bias(weights, biases, 6);
  Stored y(type, t * states), h(type, states), c(type, states), gates(type, t * b * saved),
      cells(type, t * states);
  Stored dx(type, b * t * d), dh0(type, states), dc0(type, states), dw(weights, d * k),
      du(weights, u * k), db(weights, biases);
  const auto of_lstm = [&](Stored& array) { return lstm ? array.data() : nullptr; };
  const Inputs in{x.data(),         h0.data(),   of_lstm(c0), w.data(),
                  recurrent.data(), bias.data(), nullptr};
  const Outputs out{y.data(), h.data(), of_lstm(c), gates.data(), of_lstm(cells)};
  const Gradients g{y.data(),  gates.data(), of_lstm(cells), dy.data(), h0.data(), of_lstm(c0),
                    dx.data(), dh0.data(),   of_lstm(dc0),   dw.data(), du.data(), db.data()};
  CHECK((lstm ? lstm_forward(view, shape, in, out) : gru_forward(view, shape, after, in, out))
            .success());
  CHECK((lstm ? lstm_backward(view, shape, in, g) : gru_backward(view, shape, after, in, g))
            .success());
  return {y.values(), h.values(), dx.values(), dh0.values(), dw.values(), du.values(), db.values()};
}

}  // namespace

int main() {
  for (int threads : {0, 2}) {
    Pool pool(threads);
    for (int64_t c : {16, 17, 33, 256}) {
      for (int64_t n : {0, 7, 300}) {
        in_both_types([&](Type type) { return layer_normalisation(pool, type, n, c); });
        in_both_types([&](Type type) { return batch_normalisation(pool, type, n, c); });
      }
    }
    for (int64_t c : {1, 3, 16, 33}) {
      in_both_types([&](Type type) { return pools(pool, type, 2, 9, c, 2, 2); });
      in_both_types([&](Type type) { return pools(pool, type, 5, 8, c, 3, 2); });
    }
    for (int64_t d : {1, 17, 64})
      in_both_types([&](Type type) { return table_gradients(pool, type, 7, d, 33); });
    if (!hornbeam::cpu().avx512)
      continue;  // the rest is oneDNN's in bfloat16, for which it wants AVX-512
    for (const Convolution& each :
         {Convolution{3, 9, 1, 3, 20, 1, 0}, Convolution{2, 8, 3, 5, 16, 1, 2},
          Convolution{5, 9, 16, 3, 33, 1, 1}, Convolution{3, 10, 32, 3, 16, 1, 0},
          Convolution{2, 9, 7, 3, 5, 2, 1}, Convolution{0, 8, 4, 3, 8, 1, 0},
          Convolution{2, 9, 12, 3, 8, 1, 1, 4}, Convolution{2, 8, 33, 3, 33, 2, 1, 33},
          Convolution{3, 9, 17, 5, 17, 1, 2, 17}, Convolution{2, 9, 20, 3, 20, 1, 2, 20, 2}}) {
      in_both_types([&](Type type) { return each.plain(pool, type); });
      in_both_types([&](Type type) { return each.pooled(pool, type); });
    }
    for (Cell cell : {Cell::kLstm, Cell::kGru, Cell::kGruBefore}) {
      for (bool wide : {false, true}) {  // weights in float32
        const auto run = [&](int64_t b, int64_t t, int64_t d, int64_t u) {
          in_both_types([&](Type type) {
            return recurrent(pool, cell, type, wide ? Type::kFloat32 : type, b, t, d, u);
          });
        };
        run(1, 1, 3, 5);
        run(5, 4, 17, 16);
        run(33, 3, 16, 33);
      }
    }
  }
  std::puts("rounded: passed");
}

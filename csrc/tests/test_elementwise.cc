// Pooling, normalisation, dropout's draws, embeddings and the steps of optimizers over odd sizes: memory, and
// simple truths.
#include <cmath>
#include <memory>

#include "bernoulli.h"
#include "conv/pool.h"
#include "embedding.h"
#include "normalization.h"
#include "tests/testing.h"
#include "updates.h"

namespace {

using hornbeam::Type;
using namespace hornbeam::testing;

void layer_normalisation(Pool& pool, int64_t n, int64_t c) {
  auto view = pool.view();
  const hornbeam::normalization::Shape shape{Type::kFloat32, n, c};
  const auto x = numbers(n * c, 1), dy = numbers(n * c, 2);
  const Floats gamma(c, 1), beta(c, 0);
  Floats y(n * c), mean(n), factor(n), dx(n * c), d_gamma(c), d_beta(c);
  CHECK(layer_forward(view, shape, x.data(), gamma.data(), beta.data(), 0, y.data(), mean.data(),
                      factor.data())
            .success());
  CHECK(layer_backward(view, shape, x.data(), dy.data(), gamma.data(), mean.data(), factor.data(),
                       dx.data(), d_gamma.data(), d_beta.data())
            .success());
  for (int64_t row = 0; row < n; ++row) {
    double sum = 0, squares = 0, slope = 0;
    for (int64_t i = 0; i < c; ++i) {
      sum += y[row * c + i];
      squares += y[row * c + i] * y[row * c + i];
      slope += dx[row * c + i];
    }
    CHECK(std::fabs(sum) < 1e-2 && std::fabs(squares - c) < 1e-2 * c && std::fabs(slope) < 1e-2);
  }
  Floats expected(c);
  for (int64_t i = 0; i < n * c; ++i) expected[i % c] += dy[i];
  expect_close(d_beta, expected);
}

void moments_of_channels(Pool& pool, int64_t n, int64_t c) {
  auto view = pool.view();
  const hornbeam::normalization::Shape shape{Type::kFloat32, n, c};
  const auto x = numbers(n * c, 1);
  Floats mean(c), variance(c), expected(c);
  CHECK(moments(view, shape, x.data(), mean.data(), variance.data()).success());
  for (int64_t i = 0; i < n * c; ++i) expected[i % c] += x[i] / n;
  if (n) expect_close(mean, expected);
}

void batch_normalisation(Pool& pool, int64_t n, int64_t c) {
  auto view = pool.view();
  const hornbeam::normalization::Shape shape{Type::kFloat32, n, c};
  const auto x = numbers(n * c, 1), dy = numbers(n * c, 2), other = numbers(n * c, 3);
  const Floats gamma(c, 2), beta(c, 1);
  Floats mean(c), variance(c), y(n * c), dx(n * c), dz(n * c), d_gamma(c), d_beta(c), expected(c);
  CHECK(moments(view, shape, x.data(), mean.data(), variance.data()).success());
  const hornbeam::normalization::Batch batch{mean.data(), variance.data(), gamma.data(),
                                             beta.data(), 1e-3f};
  CHECK(batch_forward(view, shape, x.data(), batch, other.data(), true, y.data()).success());
  CHECK(batch_backward(view, shape, x.data(), dy.data(), other.data(), batch, y.data(), dx.data(),
                       dz.data(), d_gamma.data(), d_beta.data())
            .success());
  Floats slopes(c);
  for (int64_t i = 0; i < n * c; ++i) {
    CHECK(dz[i] == (y[i] > 0 ? dy[i] + other[i] : 0));
    expected[i % c] += dz[i];
    slopes[i % c] += dx[i];
  }
  expect_close(d_beta, expected);
  for (float slope : slopes) CHECK(std::fabs(slope) < 1e-2f);
  const Floats once = dx;
  CHECK(batch_backward(view, shape, x.data(), dz.data(), nullptr, batch, nullptr, dx.data(),
                       nullptr, d_gamma.data(), d_beta.data())
            .success());
  expect_close(dx, once);
}

void adam(Pool& pool) {
  auto view = pool.view();
  std::vector<Floats> values, gradients, means, squares;
  for (int64_t size : {0, 1, 15, 33, 5000}) {
    values.push_back(numbers(size, 1));
    gradients.push_back(numbers(size, 2));
    means.emplace_back(size);
    squares.emplace_back(size);
  }
  const auto before = values;
  hornbeam::updates::Variables variables;
  for (size_t i = 0; i < values.size(); ++i) {
    float *v = values[i].data(), *m = means[i].data(), *s = squares[i].data();
    const auto size = static_cast<int64_t>(values[i].size());
    variables.push_back({size, gradients[i].data(), v, {m, s}, v, {m, s}, 0, {}});
  }
  CHECK(update(view, hornbeam::updates::Adam{0.1f, 0.1f, 0.001f, 1e-7f}, variables).success());
  for (size_t i = 0; i < values.size(); ++i) {
    for (size_t j = 0; j < values[i].size(); ++j) {
      const float g = gradients[i][j], m = 0.1f * g, s = 0.001f * g * g;
      CHECK(std::fabs(values[i][j] - (before[i][j] - 0.1f * m / (std::sqrt(s) + 1e-7f))) < 1e-3f);
    }
  }
}

// The rules with a momentum, beside the same in a loop.
void other_rules(Pool& pool) {
  using namespace hornbeam::updates;
  auto view = pool.view();
  for (int64_t size : {0, 1, 15, 33, 5000}) {
    const auto gradient = numbers(size, 1), before = numbers(size, 2), slot = numbers(size, 3);
    const auto step = [&](const auto& rule, const auto& expected) {
      Floats value = before, first = slot, second = slot;
      for (float& each : first) each *= each;  // for means of squares; momenta may be so too
      const Floats old = first;
      const Variables variables{{size, gradient.data(), value.data(), {first.data(), second.data()}, value.data(),
                                 {first.data(), second.data()}, 0, {}}};
      CHECK(update(view, rule, variables).success());
      Floats moved(size);
      for (int64_t i = 0; i < size; ++i) moved[i] = before[i] + expected(gradient[i], old[i], slot[i]);
      expect_close(value, moved);
    };
    step(Sgd{0.1f}, [](float g, float, float) { return -0.1f * g; });
    step(Momentum{0.1f, 0.9f, false}, [](float g, float m, float) { return 0.9f * m - 0.1f * g; });
    step(Momentum{0.1f, 0.9f, true}, [](float g, float m, float) { return 0.9f * (0.9f * m - 0.1f * g) - 0.1f * g; });
    const auto scaled = [](float g, float s) { return 0.1f * g / std::sqrt(0.9f * s + 0.1f * g * g + 1e-3f); };
    step(RmsProp{0.1f, 0.9f, 0.1f, 1e-3f}, [&](float g, float s, float) { return -scaled(g, s); });
    step(RmsPropMomentum{0.1f, 0.9f, 0.1f, 1e-3f, 0.5f},
         [&](float g, float s, float m) { return -(0.5f * m + scaled(g, s)); });
  }
}

// A table by the rows that were looked up, beside the same one by its gradient.
void table(Pool& pool, int64_t n, int64_t d, int64_t m) {
  auto view = pool.view();
  const auto dy = numbers(m * d, 1);
  Floats value = numbers(n * d, 2), same = value, gradient(n * d);
  std::vector<int32_t> indices(m);
  for (int64_t i = 0; i < m; ++i) {
    indices[i] = static_cast<int32_t>(i * i % (n + 2)) - 1;
    if (indices[i] < 0 || indices[i] >= n) continue;
    for (int64_t j = 0; j < d; ++j) gradient[indices[i] * d + j] += dy[i * d + j];
  }
  using namespace hornbeam::updates;
  const RowGradient rows{Type::kFloat32, m, d, indices.data(), dy.data()};
  const Variables by_rows{{n * d, nullptr, value.data(), {}, value.data(), {}, 0.1f, rows}};
  const Variables dense{{n * d, gradient.data(), same.data(), {}, same.data(), {}, 0.1f, {}}};
  CHECK(update(view, Sgd{0.5f}, by_rows).success());
  CHECK(update(view, Sgd{0.5f}, dense).success());
  CHECK(value == same);
}

void pools(Pool& pool, int64_t b, int64_t h, int64_t w, int64_t c, int64_t size, int64_t stride) {
  auto view = pool.view();
  const int64_t oh = (h - size) / stride + 1, ow = (w - size) / stride + 1;
  const hornbeam::pool::Shape shape{
      Type::kFloat32, b, {h, w, c, oh, ow, {size, size}, {stride, stride}, {0, 0}, 0, 0}};
  const auto x = numbers(b * h * w * c, 1), dy = numbers(b * oh * ow * c, 2);
  Floats y(dy.size()), mean(dy.size()), dx(x.size()), d_mean(x.size());
  std::vector<uint8_t> argmax(dy.size());
  CHECK(max_forward(view, shape, x.data(), y.data(), argmax.data()).success());
  CHECK(max_gradient(view, shape, dy.data(), argmax.data(), dx.data()).success());
  CHECK(average_forward(view, shape, x.data(), mean.data()).success());
  CHECK(average_gradient(view, shape, dy.data(), d_mean.data()).success());
  double given = 0, passed = 0, shared = 0;
  for (float each : dy) given += each;
  for (float each : dx) passed += each;
  for (float each : d_mean) shared += each;
  CHECK(std::fabs(given - passed) < 1e-2 && std::fabs(given - shared) < 1e-2);
  for (size_t i = 0; i < y.size(); ++i) CHECK(y[i] >= mean[i] - 1e-6f);
}

void draws(Pool& pool, int64_t size) {
  auto view = pool.view();
  const uint32_t key[2] = {1, 2};
  auto drawn = std::make_unique<bool[]>(size), again = std::make_unique<bool[]>(size);
  const uint32_t half = 1u << 22;  // of the 23 bits that count
  CHECK(hornbeam::bernoulli::draw(view, key, half, size, drawn.get()).success());
  CHECK(hornbeam::bernoulli::draw(view, key, half, size, again.get()).success());
  int64_t count = 0;
  for (int64_t i = 0; i < size; ++i) {
    CHECK(drawn[i] == again[i]);
    count += drawn[i];
  }
  if (size > 1000) CHECK(std::fabs(count - 0.5 * size) < 0.05 * size);
}

void table_gradients(Pool& pool, int64_t n, int64_t d, int64_t m) {
  auto view = pool.view();
  std::vector<int32_t> indices(m);
  for (int64_t i = 0; i < m; ++i) indices[i] = static_cast<int32_t>(i * 7 % (n + 2)) - 1;
  const auto dy = numbers(m * d, 1);
  Floats table(n * d), expected(n * d);
  const hornbeam::embedding::Shape shape{Type::kFloat32, n, d, m};
  CHECK(table_gradient(view, shape, indices.data(), dy.data(), table.data()).success());
  for (int64_t i = 0; i < m; ++i) {
    if (indices[i] < 0 || indices[i] >= n) continue;
    for (int64_t j = 0; j < d; ++j) expected[indices[i] * d + j] += dy[i * d + j];
  }
  expect_close(table, expected);
}

}  // namespace

int main() {
  for (int threads : {0, 2}) {
    Pool pool(threads);
    for (int64_t c : {16, 17, 33, 256}) {
      for (int64_t n : {0, 1, 7, 300}) {
        layer_normalisation(pool, n, c);
        moments_of_channels(pool, n, c);
        batch_normalisation(pool, n, c);
      }
    }
    adam(pool);
    other_rules(pool);
    table(pool, 1, 1, 1);
    table(pool, 7, 3, 40);
    table(pool, 900, 129, 300);
    for (int64_t size : {0, 1, 15, 33, 5000, 300000}) draws(pool, size);
    for (int64_t n : {1, 7, 3000}) {
      for (int64_t d : {1, 17, 64}) table_gradients(pool, n, d, 33);
    }
    for (int64_t c : {1, 3, 16, 33}) {
      pools(pool, 2, 7, 9, c, 2, 2);
      pools(pool, 5, 8, 8, c, 3, 2);
      pools(pool, 1, 6, 6, c, 3, 1);
    }
  }
  std::puts("elementwise: passed");
}

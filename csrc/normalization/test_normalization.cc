// Normalisation over odd sizes: memory, and sums that are known.
#include "normalization/normalization.h"

#include <cmath>

#include "core/testing.h"

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
  }
  std::puts("normalization: passed");
}

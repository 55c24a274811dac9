// Pooling over odd sizes: memory, and gradients that keep their sum.
#include "pool/pool.h"

#include <cmath>
#include <vector>

#include "core/testing.h"

namespace {

using hornbeam::Type;
using namespace hornbeam::testing;

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

}  // namespace

int main() {
  for (int threads : {0, 2}) {
    Pool pool(threads);
    for (int64_t c : {1, 3, 16, 33}) {
      pools(pool, 2, 7, 9, c, 2, 2);
      pools(pool, 5, 8, 8, c, 3, 2);
      pools(pool, 1, 6, 6, c, 3, 1);
    }
  }
  std::puts("pool: passed");
}

// The gradient of a table over odd sizes: memory, and the same sums in a loop.
#include "embedding/embedding.h"

#include <vector>

#include "core/testing.h"

namespace {

using hornbeam::Type;
using namespace hornbeam::testing;

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
    for (int64_t n : {1, 7, 3000}) {
      for (int64_t d : {1, 17, 64}) table_gradients(pool, n, d, 33);
    }
  }
  std::puts("embedding: passed");
}
